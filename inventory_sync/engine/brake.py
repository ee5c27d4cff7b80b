"""The brake and the stock-take: movements that are held back until a person lets them go (the truth model's rule 3.11).

`weigh` and `hold` run in the transaction that journals the movements, before the other sides are told. A ledger cell
goes on showing its channels what it held before; a channel cell's movement is not owed to the ledger. What others do
meanwhile flows: sales lower the numbers of every channel as ever. How what is held ends is in `brake_release`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.lane import House
from inventory_sync.model import brake
from inventory_sync.model.ids import CellId
from inventory_sync.store import cells, db
from inventory_sync.store.cells import CellRow, Movement
from inventory_sync.store.db import Connection

log = structlog.get_logger()

BRAKE, STOCKTAKE = "brake", "stocktake"
"""Why a movement is held; also the alerts about it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one movement. `flows`: units the other sides are told; `held`: units that wait for a person;
    `held_back`: what is held of its cell afterwards; `turn`: the brake counts it; `routes` have it held."""

    flows: int
    held_back: int
    turn: bool = False
    held: int = 0
    reason: str = ""
    routes: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Weighed:
    """A verdict for each movement, and the routes too many of whose ledger cells turned at once."""

    verdicts: Sequence[Verdict]
    tripped: tuple[tuple[int, str], ...] = ()


async def weigh(
    house: House,
    conn: Connection,
    movements: Sequence[Movement],
    rows: Mapping[CellId, CellRow],
    by_orders: Mapping[CellId, int],
) -> Weighed:
    """Judge movements that readings found, before they are journalled; the levels are written, the cells locked.

    `by_orders`: units by which orders moved a level, as the partner's committed number says.
    """
    firm = await _counted_before(conn, movements, rows)
    found = [_verdict(m, rows[m.cell], by_orders.get(m.cell, 0), m.cell in firm) for m in movements]
    turned = [m.cell for m, verdict in zip(movements, found, strict=True) if verdict.turn]
    if not turned:
        return Weighed(found)
    places: dict[int, list[db.Record]] = {}
    for r in await db.rows(conn, "brake_places", cells=turned, now=house.now()):
        places.setdefault(r["cell_id"], []).append(r)
    quiet = await _moves_nothing(conn, places, {m.cell: v for m, v in zip(movements, found, strict=True)})
    verdicts = {
        m.cell: (m, replace(v, turn=v.turn and m.cell in places and m.cell not in quiet))
        for m, v in zip(movements, found, strict=True)
    }
    verdicts |= _counted(verdicts, places)
    held, tripped = await _braked(house, conn, verdicts, places, rows)
    judged = [
        replace(v, held=v.flows, flows=0, held_back=v.held_back + v.flows, reason=BRAKE, routes=held[m.cell])
        if m.cell in held
        else v
        for m, v in (verdicts[m.cell] for m in movements)
    ]
    return Weighed(judged, tripped)


async def _counted_before(
    conn: Connection, movements: Sequence[Movement], rows: Mapping[CellId, CellRow]
) -> frozenset[CellId]:
    """Cells that fall and of whose holds one was counted: only a person ends that."""
    falling = [m.cell for m in movements if m.delta < 0 < rows[m.cell].held_back]
    found = await db.rows(conn, "open_holds", cells=falling) if falling else []
    return frozenset(CellId(r["cell_id"]) for r in found if r["reason"] == STOCKTAKE)


def _verdict(movement: Movement, row: CellRow, by_orders: int, firm: bool) -> Verdict:
    firm = firm or (by_orders != 0 and brake.explained(movement.delta, by_orders))
    net = brake.net(row.held_back, movement.delta, movement.after, firm=firm)
    shown, before = movement.after - net.held_back, movement.before - row.held_back
    turn = net.flows != 0 and brake.turns(before, shown) and not brake.explained(movement.delta, by_orders)
    if net.flows < 0 and row.held_back:
        turn = False  # what falls where something is held already flows
    return Verdict(net.flows, net.held_back, turn)


async def _moves_nothing(
    conn: Connection, places: Mapping[int, Sequence[db.Record]], verdicts: Mapping[CellId, Verdict]
) -> set[CellId]:
    """Cells that turned without the channel's number turning: of a pool that others fill, or between whose locations
    goods moved in the same reading; and channel cells that rise where the ledger is not told of it anyway."""
    pooled = sorted({r["pair_id"] for own in places.values() for r in own if r["is_ledger"] and r["shape"] == "pool"})
    sums = {r["pair_id"]: r["shown"] for r in await db.rows(conn, "pool_sums", pairs=pooled)} if pooled else {}
    together: dict[int, int] = {}
    for cell, own in places.items():
        for r in own:
            if r["pair_id"] in sums:
                together[r["pair_id"]] = together.get(r["pair_id"], 0) + verdicts[CellId(cell)].flows

    def still(r: db.Record, flows: int) -> bool:
        if not r["is_ledger"]:
            return bool(r["expects"]) and flows > 0
        if r["shape"] != "pool":
            return False
        return together[r["pair_id"]] <= 0 if flows > 0 else sums[r["pair_id"]] > 0

    return {CellId(cell) for cell, own in places.items() if all(still(r, verdicts[CellId(cell)].flows) for r in own)}


def _counted(
    verdicts: Mapping[CellId, tuple[Movement, Verdict]], places: Mapping[int, Sequence[db.Record]]
) -> dict[CellId, tuple[Movement, Verdict]]:
    """While a ledger is counted, what it has more of is held; what it has less of flows."""
    held: dict[CellId, tuple[Movement, Verdict]] = {}
    for cell, (movement, v) in verdicts.items():
        taking = {(r["route_id"], r["route"]): None for r in places.get(cell, ()) if r["stocktake"]}
        if v.turn and v.flows > 0 and taking:
            held[cell] = (
                movement,
                Verdict(0, v.held_back + v.flows, False, v.flows, STOCKTAKE, tuple(taking)),
            )
    return held


async def _braked(
    house: House,
    conn: Connection,
    verdicts: Mapping[CellId, tuple[Movement, Verdict]],
    places: Mapping[int, Sequence[db.Record]],
    rows: Mapping[CellId, CellRow],
) -> tuple[dict[CellId, tuple[tuple[int, str], ...]], tuple[tuple[int, str], ...]]:
    """Which movements the brake holds, and for which routes; and where too many cells of a ledger turned."""
    sides: dict[tuple[int, str, bool], dict[int, brake.Turn]] = {}
    for cell, (movement, v) in verdicts.items():
        row = rows[cell]
        turn = brake.Turn(cell, v.flows, movement.after - v.held_back, row.highest, v.held_back > 0)
        for r in places.get(cell, ()) if v.turn else ():
            if not r["off"]:
                sides.setdefault((r["route_id"], r["route"], r["is_ledger"]), {})[cell] = turn
    held: dict[CellId, tuple[tuple[int, str], ...]] = {}
    tripped: list[tuple[int, str]] = []
    since = house.now() - brake.WINDOW
    for (route_id, route, is_ledger), turned in sorted(sides.items(), key=lambda each: each[0]):
        lately, count = await _crowd(conn, "ledger" if is_ledger else "channel", route_id, since, sorted(turned))
        if is_ledger and brake.too_many(lately + len(turned), count):
            tripped.append((route_id, route))
        for each in brake.held(turned.values(), lately=lately, cells=count):
            held[CellId(each)] = (*held.get(CellId(each), ()), (route_id, route))
    return held, tuple(tripped)


async def _crowd(conn: Connection, side: str, route_id: int, since: datetime, turned: Sequence[int]) -> tuple[int, int]:
    """How many other cells of one side of a route turned lately, and how many that side has, as far as it matters.

    Where too few turned anywhere, nobody has to know of which route they are.
    """
    lately, count = 0, 0
    for query in ("cells_turned", f"{side}_cells_turned"):
        of = {} if query == "cells_turned" else {"route_id": route_id}
        lately = await db.value(conn, query, since=since, but=turned, **of)
        enough = brake.enough(lately + len(turned))
        count = await db.value(conn, f"{side}_cells_of_route", route_id=route_id, most=enough) if enough else 0
        if not brake.too_many(lately + len(turned), count):
            break
    return lately, count


async def hold(
    house: House,
    conn: Connection,
    ids: Sequence[int],
    movements: Sequence[Movement],
    rows: Mapping[CellId, CellRow],
    verdicts: Sequence[Verdict],
) -> None:
    """Keep what was decided about movements that are journalled now, under the numbers `ids`."""
    changed = [
        (n, m, v)
        for n, m, v in zip(ids, movements, verdicts, strict=True)
        if v.held or v.held_back != rows[m.cell].held_back
    ]
    if not changed:
        return
    await _take_back(house, conn, {m.cell: v.held_back - v.held - rows[m.cell].held_back for _, m, v in changed})
    kept = [(n, m, v) for n, m, v in changed if v.held]
    if kept:
        await db.run(
            conn,
            "insert_holds",
            routes=[v.routes[0][0] for _, _, v in kept],
            cells=[m.cell for _, m, _ in kept],
            reasons=[v.reason for _, _, v in kept],
            movements=[n for n, _, _ in kept],
            units=[v.held for _, _, v in kept],
            now=house.now(),
        )
    await db.run(
        conn,
        "set_held_back",
        ids=[m.cell for _, m, _ in changed],
        units=[v.held_back for _, _, v in changed],
        highest=[max(rows[m.cell].highest, m.after - max(0, v.held_back)) for _, m, v in changed],
    )
    for reason, route_id, route in sorted({(v.reason, *each) for _, _, v in kept for each in v.routes}):
        await tell(house, conn, reason, route_id, route)


async def hold_earlier(house: House, tripped: Sequence[tuple[int, str]]) -> int:
    """The rises of the last minutes that flowed before there were too many are held too; says how many.

    In a transaction of its own, after the one that found that there are too many: cells are locked in one order. What
    went to zero before stays told, because that is never too high, and what a channel moved was booked already.
    """
    done = 0
    for route_id, route in tripped:
        async with db.transaction(house.pool) as conn:
            since = house.now() - brake.WINDOW
            found = await db.rows(conn, "rises_lately", route_id=route_id, since=since)
            rows = await cells.lock(conn, [CellId(r["cell_id"]) for r in found])
            free = [cell for cell, row in rows.items() if row.held_back == 0 and (row.known or 0) > 0]
            units: dict[CellId, dict[int, int]] = {}
            for r in await db.rows(conn, "rises_lately", route_id=route_id, since=since):
                if r["cell_id"] in free:
                    units.setdefault(r["cell_id"], {})[r["id"]] = r["delta"]
            kept = [
                (cell, movement, part)
                for cell, own in units.items()
                for movement, part in _at_most(own, rows[cell].known or 0).items()
            ]
            if not kept:
                continue
            await db.run(
                conn,
                "insert_holds",
                routes=[route_id for _ in kept],
                cells=[k[0] for k in kept],
                reasons=[BRAKE for _ in kept],
                movements=[k[1] for k in kept],
                units=[k[2] for k in kept],
                now=house.now(),
            )
            ids = sorted(units)
            sums = {cell: sum(k[2] for k in kept if k[0] == cell) for cell in ids}
            highest = [max(0, (rows[cell].known or 0) - sums[cell]) for cell in ids]
            await db.run(conn, "set_held_back", ids=ids, units=[sums[c] for c in ids], highest=highest)
            await tell(house, conn, BRAKE, route_id, route)
            await cells.decide_around(conn, [(cell, None, None) for cell in ids])
            done += len(kept)
    return done


def _at_most(rises: Mapping[int, int], known: int) -> dict[int, int]:
    """So much of each rise as the cell still has, the newest first: what was sold since flows."""
    left, parts = known, {}
    for movement in sorted(rises, reverse=True):
        if part := min(rises[movement], left):
            parts[movement] = part
            left -= part
    return parts


async def _take_back(house: House, conn: Connection, changes: Mapping[CellId, int]) -> None:
    """Opposite movements made up for units that were held: the newest holds end first."""
    left = {cell: -units for cell, units in changes.items() if units}
    if not left:
        return
    taken: list[tuple[int, int, bool]] = []
    for r in await db.rows(conn, "open_holds", cells=sorted(left)):
        held, units = r["units"] - r["taken_back"], left[r["cell_id"]]
        part = max(held, units) if held < 0 else min(held, units)
        if part:
            taken.append((r["id"], part, part == held))
            left[r["cell_id"]] -= part
    await db.run(
        conn,
        "take_back_holds",
        ids=[t[0] for t in taken],
        taken=[t[1] for t in taken],
        over=[t[2] for t in taken],
        now=house.now(),
    )


async def tell(house: House, conn: Connection, reason: str, route_id: int, route: str) -> None:
    """Alert that movements of a route are held, with how many."""
    counts = await db.row(conn, "held_counts", route_id=route_id, reason=reason)
    detail = dict(counts) if counts is not None else {}
    if reason == STOCKTAKE:
        await open_alert(conn, house.observer, "stocktake", route, now=house.now(), route_id=route_id, **detail)
    else:
        await open_alert(conn, house.observer, "brake", route, now=house.now(), route_id=route_id, **detail)
    log.warning("brake.held", route=route, reason=reason, **detail)
