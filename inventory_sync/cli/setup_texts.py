"""Sentences of `setup`, in Japanese and English."""

from __future__ import annotations

from inventory_sync.cli.texts import Language

_TEXTS = {
    "ledger": ("在庫台帳(在庫数の元になるシステム)", "The stock ledger: the system whose numbers count"),
    "channel": ("販売チャネル(在庫数を伝えるシステム)", "The sales channel: the system that is told"),
    "system": ("システム [{choices}]", "System [{choices}]"),
    "name": ("接続の名前", "A name for the connection"),
    "way": ("接続方法 [{choices}]", "Way to connect [{choices}]"),
    "known": ("接続 {name} は連携済みです。", "The connection {name} is linked already."),
    "approval": (
        "承認済みですか? yes / no / 申請した日 (2026-11-20)",
        "Is it approved? yes / no / the day of the application (2026-11-20)",
    ),
    "optional": ("空でも可", "may stay empty"),
    "kept_as": ("{name} = {value}", "{name} = {value}"),
    "proving": ("接続を確認しています…", "Asking the partner…"),
    "proven": ("接続できました: {title}", "Connected: {title}"),
    "places": ("ロケーション", "Locations"),
    "again": ("もう一度入力してください。", "Please answer again."),
    "waits": (
        "接続 {name} を承認待ちとして保存しました。承認されたら `inventory-sync setup` をもう一度実行してください。",
        "The connection {name} is kept and waits for its approval. Run `inventory-sync setup` again once it is there.",
    ),
    "route_name": ("連携ルートの名前", "A name for the route"),
    "pair": (
        "{key} ({name}) に対応する販売チャネルのロケーション [{choices}] (使わない場合は空)",
        "Location of the channel for {key} ({name}) [{choices}] (empty: not used)",
    ),
    "pool": (
        "合計する在庫台帳のロケーション (カンマ区切り) [{choices}]",
        "Ledger locations to be summed, by comma [{choices}]",
    ),
    "intake": ("販売分を計上するロケーション [{choices}]", "Location at which sales are booked [{choices}]"),
    "ledger_field": ("在庫台帳の照合項目 [{choices}]", "Ledger field to match by [{choices}]"),
    "channel_field": ("販売チャネルの照合項目 [{choices}]", "Channel field to match by [{choices}]"),
    "direction": ("方向 [{choices}]", "Direction [{choices}]"),
    "sales": (
        "販売分を台帳に計上する方法 [{choices}]",
        "Who books sales in the ledger [{choices}]",
    ),
    "basis": ("在庫台帳のどの数を使うか [{choices}]", "Which number of the ledger [{choices}]"),
    "align": ("最初に合わせる方法 [{choices}]", "How the first difference is settled [{choices}]"),
    "not_one_of": ("次のいずれかを入力してください: {choices}", "Choose one of: {choices}"),
    "no_places": (
        "紐付けるロケーションがありません。少なくとも1つ指定してください。",
        "No location is paired; name at least one.",
    ),
    "no_usable": (
        "接続 {name} には紐付けできるロケーションがありません。",
        "{name} has no location that can be mapped.",
    ),
    "other_system": (
        "接続 {name} は {system} のものです。接続のシステムは変更できません。",
        "The connection {name} belongs to {system}, and that never changes.",
    ),
    "written": ("設定ファイルを書きました: {path}", "The configuration file is written: {path}"),
    "unreadable": ("設定ファイルを読めません: {path}", "The configuration file cannot be read: {path}"),
    "unwritable": (
        "設定ファイルを書けません: {path}: {reason}",
        "The configuration file cannot be written: {path}: {reason}",
    ),
    "awaiting_data": (
        "商品と在庫を読み取っています…",
        "Fetching both catalogues and reading the stock…",
    ),
    "preview_later": (
        "プレビューはまだ作成できません。`inventory-sync serve` を動かし、`inventory-sync route preview "
        "{route}` を実行してください。",
        "The preview is not ready yet: keep `inventory-sync serve` running, then `inventory-sync route "
        "preview {route}`.",
    ),
    "preview_ready": (
        "プレビュー {id}: 増 {up}、減 {down}。確認: `inventory-sync route preview {route}`  "
        "開始: `inventory-sync route start {route} --accept {id}`",
        "Preview {id}: units up {up}, down {down}. Look: `inventory-sync route preview {route}`  "
        "Start: `inventory-sync route start {route} --accept {id}`",
    ),
}


def say(language: Language, text: str, /, **values: object) -> str:
    """A sentence in the chosen language."""
    japanese, english = _TEXTS[text]
    return (japanese if language == "ja" else english).format(**values)
