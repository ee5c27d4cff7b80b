"""Sentences of the `connection` commands, in Japanese and English."""

from __future__ import annotations

from inventory_sync.cli.texts import Language

_TEXTS = {
    "nothing_to_calibrate": (
        "接続 {name} には確認が必要な項目はありません。",
        "There is nothing to calibrate at the connection {name}.",
    ),
    "calibrated": (
        "確認できました: {found}。ルートはプレビューを確認してから再開してください。",
        "Found and kept: {found}. Look at each route's preview before it runs again.",
    ),
    "cannot_read": ("{path} を読めません: {reason}", "{path} cannot be read: {reason}"),
    "no_files": (
        "接続 {name} の商品はAPIから取得します。ファイルは不要です。",
        "The catalogue of the connection {name} comes by its API: no files are needed.",
    ),
    "files_wait": (
        "預かりました。{missing} のファイルがそろうまで反映しません。",
        "Kept. Nothing is applied until the {missing} file is here as well.",
    ),
    "files_taken": ("{items} 商品を取り込みました。", "{items} items were taken in."),
    "no_public_url": (
        "INVENTORY_SYNC_PUBLIC_URL を設定してください。外から届くアドレスが分からないため通知を受け取れません。",
        "Set INVENTORY_SYNC_PUBLIC_URL: without an address that is reached from outside no notices can arrive.",
    ),
    "optional": ("任意", "optional"),
    "yields": ("得られる値", "gives"),
    "state_done": ("完了", "done"),
    "state_not_ready": ("未完了", "not ready"),
    "state_waiting": ("承認待ち", "waiting"),
    "state_ask": ("要確認", "a person has to say"),
    "state_not_checkable": ("確認できません", "cannot be checked"),
    "no_guide": ("システム {system} のガイドはありません。", "The system {system} brings no guide."),
    "added": (
        "接続 {name} を作成しました。認証情報はまだありません。手順: `inventory-sync guide {system} "
        "--connection {name}`",
        "The connection {name} is made, without credentials yet. Its steps: "
        "`inventory-sync guide {system} --connection {name}`",
    ),
    "verified": ("接続 {name} は正常です。", "The connection {name} works."),
    "renewed": (
        "接続 {name} の認証情報を更新しました。全在庫を照合し、ルートは続行します。",
        "The credential of {name} is renewed. Everything is reconciled, and its routes go on.",
    ),
    "relinked": (
        "接続 {name} を再連携しました。商品を取り込み直します。ルートは停止したままです: プレビューを確認し"
        "て開始してください。",
        "The connection {name} is linked again. Its catalogue is fetched anew. Its routes stay stopped: look at their "
        "previews and start them.",
    ),
    "unlinked": (
        "接続 {name} の連携を解除しました。認証情報は消去し、記録は残しました。停止したルート: {stopped}",
        "The connection {name} is unlinked. Its secrets are erased, its journal stays. Routes stopped: {stopped}",
    ),
    "put_away": ("接続 {name} を取り除きました。", "The connection {name} is put away."),
    "really_remove": ("本当に解除しますか?", "Unlink it?"),
    "enter": ("{name} (変更しない場合は空のまま)", "{name} (leave empty to keep it)"),
    "applied_for": (
        "接続 {name} は承認待ちです。{due} を過ぎても承認されない場合はお知らせします。",
        "The connection {name} waits for its approval. You are reminded if it is not there by {due}.",
    ),
    "granted": (
        "接続 {name} の承認を記録しました (状態: {state})。",
        "The approval of {name} is noted (state: {state}).",
    ),
    "bad_day": (
        "日付は 2026-11-20 のように書いてください: {value}",
        "Write the day like 2026-11-20: {value}",
    ),
    "bad_detail": (
        "--detail は 名前=値 の形で指定してください。例: --detail shop_url=shop.example.jp",
        "Write --detail as NAME=VALUE, such as --detail shop_url=shop.example.jp",
    ),
    "applied_or_granted": ("applied か granted を指定してください。", "Say applied or granted."),
    "said": ("記録しました。", "Noted."),
    "step_or_open": ("--done か --open のどちらか一方を指定してください。", "Give either --done or --open."),
    "health_valid": ("有効", "valid"),
    "health_invalid": ("無効", "invalid"),
    "reads": ("読み取るデータ", "What is read"),
    "granted_scopes": ("許可されている範囲", "Granted"),
    "days_left": ("あと {days} 日", "{days} days left"),
}


def say(language: Language, text: str, /, **values: object) -> str:
    """A sentence in the chosen language."""
    japanese, english = _TEXTS[text]
    return (japanese if language == "ja" else english).format(**values)
