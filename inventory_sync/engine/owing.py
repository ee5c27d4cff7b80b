"""What a route has yet to bring to its ledger, and the refusal to forget it unless a person names the number."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from inventory_sync.engine.named import RefusedByRule
from inventory_sync.store import db
from inventory_sync.store.db import Connection


@dataclass(frozen=True, slots=True)
class Owes:
    """Units of the ledger: `owed` and not told, `sent` and not acknowledged, `expected` for somebody else to book."""

    pairs: int
    owed: int
    sent: int
    expected: int

    @property
    def units(self) -> int:
        return self.owed + self.sent + self.expected

    def document(self) -> dict[str, int]:
        return asdict(self) | {"units": self.units}


async def of(conn: Connection, route_id: int) -> Owes:
    """What a route owes its ledger now."""
    found = await db.row(conn, "route_owes", route_id=route_id)
    return Owes(0, 0, 0, 0) if found is None else Owes(**dict(found))


def refuse_to_forget(name: str, owes: Owes, forget: int | None, *, what_en: str, what_ja: str) -> None:
    """Raise RefusedByRule where something is owed and nobody gave up exactly that number of units."""
    if owes.units == (forget or 0):
        return
    told = "" if forget is None else f" (not {forget})"
    raise RefusedByRule(
        "IS-RTE-041",
        f"{owes.pairs} pairs of the route {name} still owe the ledger {owes.units} units{told}: {owes.owed} not told, "
        f"{owes.sent} told and not acknowledged, {owes.expected} for somebody else to book. {what_en.capitalize()} "
        f"would lose them. Start the route (`inventory-sync route start {name} --yes`) and let it come to rest first, "
        f"or give them up with `--forget-owed {owes.units}`. Nothing was changed.",
        f"ルート {name} の {owes.pairs} 件の紐付けに、台帳へ計上していない {owes.units} 個があります"
        f"(未送信 {owes.owed}、確認待ち {owes.sent}、他で計上予定 {owes.expected})。{what_ja}により失われます。先に "
        f"`inventory-sync route start {name} --yes` で再開して計上を終えるか、"
        f"`--forget-owed {owes.units}` で破棄を指定してください。何も変更していません。",
    )
