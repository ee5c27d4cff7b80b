"""Stock-takes: while a ledger is counted, what it has more of is held, because ordered goods are counted too.

What it has less of flows at once. At the end a person sees each held cell beside what is ordered and not shipped yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.engine import brake_release
from inventory_sync.engine.alerts import close_alerts
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.brake import STOCKTAKE
from inventory_sync.engine.counting import settle_uncertain
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule, route_named
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.db import Connection


@dataclass(frozen=True, slots=True)
class CountedCell:
    """A ledger cell of which more was counted. `ordered`: units that channels have taken and nobody shipped;
    `expected`: sales that somebody else has yet to book; `owed`: sales that we have yet to book. In ledger units."""

    cell: int
    code: str
    name: str
    location: str
    before: int
    after: int
    held: int
    ordered: int
    expected: int
    owed: int

    @property
    def doubtful(self) -> bool:
        """Whether what was counted more may be goods that are sold already."""
        return self.ordered + self.expected + self.owed > 0


@dataclass(frozen=True, slots=True)
class Stocktake:
    """A stock-take of a route's ledger. `started_at` is None where none is under way; held cells may be left of one.
    `seen`: the newest movement that is held, which the end of the stock-take names so as to let go no other."""

    route: str
    started_at: datetime | None
    started_by: str
    cells: tuple[CountedCell, ...]
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a stock-take ended: movements told on, cells that stay held, and units no longer uncertain. `younger`:
    movements that stay held because the person was not shown them; `codes`: what is told on, the first of them."""

    route: str
    released: int
    left_held: int
    settled_units: int
    younger: int = 0
    codes: tuple[str, ...] = ()


async def start(house: House, name: str, *, actor: str) -> Stocktake:
    """From now on, increases of the route's ledger are held. Raises NoSuch, or RefusedByRule while one is on."""
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        made = await db.value(conn, "start_stocktake", route_id=route["id"], actor=actor, now=house.now())
        if made is None:
            raise RefusedByRule(
                "IS-SAF-005",
                f"A stock-take of the route {name} is under way. Nothing was changed.",
                f"ルート {name} はすでに棚卸中です。何も変更していません。",
            )
        await write_audit(house, conn, actor, "stocktake.started", name, None, {"stocktake": made})
        return await _show(conn, route)


async def show(house: House, name: str) -> Stocktake:
    """What a stock-take found more of so far, beside what is ordered and unshipped. Raises NoSuch."""
    async with db.transaction(house.pool) as conn:
        return await _show(conn, await route_named(conn, name))


async def end(house: House, name: str, *, actor: str, discard: Sequence[int] = (), seen: int | None = None) -> Ended:
    """End a stock-take: what a person was shown (`seen`, as Stocktake names it) is told on. What came after stays held
    until a person releases it, and so do the cells of `discard`. Uncertain pairs whose ledger was read meanwhile are
    settled.

    Raises RefusedByRule where none is under way, or something is held and nobody says what was shown, and NoSuch for a
    cell of which nothing is held.
    """
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        under_way = await db.row(conn, "open_stocktake", route_id=route["id"])
        if under_way is None:
            raise RefusedByRule(
                "IS-SAF-006",
                f"No stock-take of the route {name} is under way. Nothing was changed.",
                f"ルート {name} は棚卸中ではありません。何も変更していません。",
            )
        held = {CellId(each.cell) for each in (await _show(conn, route)).cells}
        strangers = sorted(set(discard) - held)
        if strangers:
            named = ", ".join(map(str, strangers))
            raise NoSuch(
                f"Nothing is held of the cells {named}. See `inventory-sync route stocktake {name} show`.",
                f"次のセルに保留中のものはありません: {named}。"
                f"保留中のセルは `inventory-sync route stocktake {name} show` で確認できます。",
            )
        free = sorted(held - set(discard))
        if free and seen is None:
            raise _unseen(name, len(free))
        await db.run(conn, "end_stocktake", id=under_way["id"], actor=actor, now=house.now())
        gone = await brake_release.let_go(house, conn, free, by=actor, reasons=(STOCKTAKE,), seen=seen)
        left = [r["cell_id"] for r in await db.rows(conn, "open_holds", cells=sorted(held)) if r["reason"] == STOCKTAKE]
        counted = await db.rows(conn, "pairs_counted_since", route_id=route["id"], since=under_way["started_at"])
        settled = await settle_uncertain(house, conn, route, [r["id"] for r in counted], actor=actor)
        codes = await brake_release.codes(conn, route["id"], gone)
        younger = sum(cell not in discard for cell in left)
        done = Ended(name, len(gone), len(set(left)), settled, younger, codes)
        if not done.left_held:
            await close_alerts(conn, "stocktake", name, now=house.now())
        after = {"released": done.released, "left_held": sorted(set(left)), "settled_units": settled}
        await write_audit(house, conn, actor, "stocktake.ended", name, None, after)
    return done


def _unseen(name: str, cells: int) -> RefusedByRule:
    command = f"inventory-sync route stocktake {name} end"
    return RefusedByRule(
        "IS-SAF-007",
        f"{cells} cells are held, and the end of the stock-take would tell them on. Look at them with `{command}`; it "
        f"prints the number that stands for what you saw: `{command} --accept --seen NUMBER`. Nothing was changed.",
        f"{cells} セルを保留中で、棚卸を終えると反映されます。`{command}` で確認し、表示された番号を付けて"
        f"実行してください: `{command} --accept --seen 番号`。何も変更していません。",
    )


async def _show(conn: Connection, route: db.Record) -> Stocktake:
    under_way = await db.row(conn, "open_stocktake", route_id=route["id"])
    rows = await db.rows(conn, "stocktake_cells", route_id=route["id"])
    seen = max((r["newest"] for r in rows), default=0)
    found = tuple(
        CountedCell(
            r["cell_id"],
            r["code"],
            r["name"],
            r["location"],
            r["before"],
            r["after"],
            r["units"],
            r["committed"],
            r["expected"],
            -r["owed"],
        )
        for r in rows
    )
    if under_way is None:
        return Stocktake(route["name"], None, "", found, seen)
    return Stocktake(route["name"], under_way["started_at"], under_way["started_by"], found, seen)
