"""The fixed sentences of the `ledger` commands, in Japanese and English, and tables with headings of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from inventory_sync.cli.shell import Session
from inventory_sync.ledger.keys import Scope
from inventory_sync.ledger.values import Kind

LEDGER_TEXTS: dict[str, tuple[str, str]] = {
    # headings
    "levels": ("在庫数", "Levels"),
    "entries": ("入出庫の記録", "Entries"),
    "keys": ("APIキー", "Keys"),
    "labels": ("在庫区分", "Stock labels"),
    "locations": ("ロケーション", "Locations"),
    "items": ("商品", "Items"),
    "hooks": ("送信Webhook", "Outgoing webhooks"),
    "sku": ("SKU", "SKU"),
    "location": ("ロケーション", "Location"),
    "label": ("在庫区分", "Label"),
    "quantity": ("在庫数", "Quantity"),
    "on_hand": ("実在庫", "On hand"),
    "owed": ("不足分", "Owed"),
    "changed_at": ("最終変更", "Changed"),
    "number": ("番号", "No."),
    "kind": ("種類", "Kind"),
    "delta": ("増減", "Change"),
    "outcome": ("結果", "Outcome"),
    "reason": ("理由", "Reason"),
    "reference": ("参照", "Reference"),
    "actor": ("実行者", "By"),
    "as_of": ("対象日時", "As of"),
    "name": ("名前", "Name"),
    "prefix": ("先頭", "Begins with"),
    "scope": ("権限", "Scope"),
    "made_by": ("作成者", "Made by"),
    "made_at": ("作成", "Made"),
    "used_at": ("最終使用", "Last used"),
    "revoked_at": ("失効", "Revoked"),
    "negative": ("マイナス可", "Below 0"),
    "active": ("有効", "Active"),
    "barcode": ("JANコード", "Barcode"),
    "tracked": ("在庫管理", "Tracked"),
    "archived": ("取扱終了", "Archived"),
    "url": ("URL", "URL"),
    "attempts": ("試行回数", "Attempts"),
    "answer": ("最後の応答", "Last answer"),
    # sentences
    "booked": (
        "{sku} ({location} / {label}): {delta:+d} → {quantity}",
        "{sku} ({location} / {label}): {delta:+d} → {quantity}",
    ),
    "owed_now": ("うち {owed} 個は在庫不足のまま販売済みです。", "{owed} of them are sold and not there."),
    "superseded": (
        "より新しい棚卸で数え終わっているため、在庫数は変わりません。",
        "A newer count has counted this already; the level stays as it is.",
    ),
    "replayed": (
        "このキーの変更は計上済みです。もう一度は計上していません。",
        "This was booked before under the same key; nothing was booked again.",
    ),
    "no_levels": (
        "{sku}: この台帳に在庫数はまだありません。",
        "{sku}: the ledger has no level of it yet.",
    ),
    "key_made": (
        "キー {name} ({scope}) を作成しました。次の値は一度だけ表示されます。",
        "The key {name} ({scope}) is made. Its value is shown this once:",
    ),
    "key_revoked": ("キー {name} ({prefix}…) を失効させました。", "The key {name} ({prefix}…) works no more."),
    "hook_made": (
        "Webhook {id} を登録しました。署名用シークレットは一度だけ表示されます。",
        "Webhook {id} is set up. The secret its deliveries are signed with is shown this once:",
    ),
    "hook_removed": ("{url} への通知を停止しました。", "{url} is told nothing more."),
    "put": (
        "新規 {created}、変更 {changed}、変更なし {same}",
        "{created} new, {changed} changed, {same} as they were",
    ),
    "yes": ("はい", "yes"),
    "no": ("いいえ", "no"),
    "none": ("ありません。", "None."),
    "bad_time": (
        "{value} は日時として読めません。2026-04-01T09:30+09:00 のように時差まで指定してください。",
        "{value} is no time that can be read. Write it with its offset, such as 2026-04-01T09:30+09:00.",
    ),
}

KINDS: Mapping[Kind, str] = {
    Kind.ADJUSTMENT: "調整",
    Kind.SALE: "販売",
    Kind.RETURN: "返品",
    Kind.RECEIPT: "入荷",
    Kind.SHIPMENT: "出荷",
    Kind.TRANSFER: "移動",
    Kind.LOSS: "減耗",
    Kind.CORRECTION: "訂正",
    Kind.COUNT: "棚卸",
    Kind.RESERVATION: "確保",
    Kind.LAYAWAY: "取り置き",
    Kind.OTHER: "その他",
    Kind.CHANNEL: "販売チャネルの変動",
}
"""Why a level moved, in Japanese."""

SCOPES: Mapping[Scope, str] = {Scope.READ: "読み取り", Scope.WRITE: "読み書き"}
"""What a key may do, in Japanese."""


def kind_word(session: Session, kind: Kind) -> str:
    """Why a level moved."""
    return session.say.either(KINDS[kind], kind.value)


def scope_word(session: Session, scope: Scope) -> str:
    """What a key may do."""
    return session.say.either(SCOPES[scope], scope.value)


def tell(session: Session, key: str, /, **values: object) -> str:
    """A fixed sentence in the session's language."""
    text = session.say.either(*LEDGER_TEXTS[key])
    return text.format(**values) if values else text


def show_table(session: Session, title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table of texts; title and headings are keys of `LEDGER_TEXTS`."""
    session.line(tell(session, title))
    if not rows:
        session.line(f"  {tell(session, 'none')}")
        return
    table = Table(box=None, pad_edge=True, header_style="bold")
    for heading in headings:
        table.add_column(tell(session, heading), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(session, value) for value in row))
    session.out.print(table)


def _cell(session: Session, value: object) -> str:
    if isinstance(value, bool):
        return tell(session, "yes" if value else "no")
    return "" if value is None else str(value)
