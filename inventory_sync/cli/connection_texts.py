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
}


def say(language: Language, text: str, /, **values: object) -> str:
    """A sentence in the chosen language."""
    japanese, english = _TEXTS[text]
    return (japanese if language == "ja" else english).format(**values)
