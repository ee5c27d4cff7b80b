"""What a route publishes otherwise for single codes: shown, exported, and imported under a preview of every cell.

A preview is the change itself, worked out in a transaction that is only committed once a person confirmed it. So what
is shown is what is decided, by the one formula that there is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import RefusedByRule, route_named
from inventory_sync.engine.publishing import problems
from inventory_sync.engine.publishing.listing import as_document, stored_override
from inventory_sync.engine.publishing.table import Override, looks_like_formula
from inventory_sync.engine.runs import pushes
from inventory_sync.ledger.files.problems import FileRefused, Problem
from inventory_sync.model import brake
from inventory_sync.model.alignment import AlignPolicy
from inventory_sync.model.decide import Blocked, decide_channel, effective
from inventory_sync.model.difference import visible
from inventory_sync.model.folding import DifferenceKind
from inventory_sync.model.ids import CellId
from inventory_sync.model.near_misses import NearMiss, near_misses
from inventory_sync.model.publish import more_than_there_is
from inventory_sync.store import cells, db, pairs
from inventory_sync.store.cells import CellRow
from inventory_sync.store.db import Connection

CHUNK = 1000
AUDITED = 1000
"""Codes that one entry of the audit log tells of; a larger import has several."""

SPREADSHEET = frozenset({
    DifferenceKind.SCIENTIFIC, DifferenceKind.LEADING_ZERO, DifferenceKind.DECIMAL, DifferenceKind.APOSTROPHE,
    DifferenceKind.WRAPPER,
})  # fmt: skip
"""Differences that only a spreadsheet makes. A code that has one is wrong; any other near miss is only told."""

_ROW = tuple(each.name for each in fields(CellRow))


@dataclass(frozen=True, slots=True)
class CellChange:
    """One channel cell whose number changes. `shows`: the level now; `before`, `after`: what it is told, None where it
    is not written. `beyond`: units that it is told more than there is. `braked`: the brake would hold such a movement.
    """

    pair: int
    cell: int
    code: str
    item: str
    location: str
    shows: int | None
    before: int | None
    after: int | None
    phase: str = "live"
    beyond: int = 0
    braked: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """A code that no item of the route has. It is kept: the item may come later. `en`, `ja`: what it almost is."""

    code: str
    row: int
    near: str = ""
    en: str = ""
    ja: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import does, or would do. `run`: the run that tells the channel, None where nothing is told."""

    route: str
    rows: int
    set: int
    taken_back: int
    unchanged: int
    cells: tuple[CellChange, ...]
    unknown: tuple[Unknown, ...]
    applied: bool
    run: int | None = None
    seen: str = ""
    """Stands for what a person is shown: the settings, the cells with a new number, and every mark on them."""

    @property
    def braked(self) -> int:
        """Cells that the brake would hold if somebody else moved them so."""
        return sum(each.braked for each in self.cells)


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel cell is told by its rule."""

    pair: int
    code: str
    item: str
    location: str
    row: CellRow
    target: int | None
    effective: int | None
    excluded: bool
    phase: str


class _NotConfirmedError(Exception):
    """Nothing of the change is to stay; `found` is what it would do."""

    def __init__(self, found: Imported) -> None:
        super().__init__("not confirmed")
        self.found = found


async def import_overrides(
    house: House,
    name: str,
    wanted: Sequence[Override],
    *,
    file: str,
    actor: str,
    confirmed: bool = False,
    dry_run: bool = False,
    whole: bool = False,
    seen: str | None = None,
) -> Imported:
    """Set what these rows say. `whole`: what no row names is taken back. `dry_run`: nothing is kept.

    Where a number changes it takes `confirmed`; without, the answer says what would happen, and nothing is kept.
    `seen`: what the person who confirms was shown, as that answer named it. Raises NoSuch, RefusedByRule (also where it
    is something else by now), and FileRefused with every row at fault.
    """
    try:
        async with db.transaction(house.pool) as conn:
            route = await route_named(conn, name)
            _check_route(route)
            unknown = await _unknown(conn, route, wanted, file)
            found = await _change(house, conn, route, wanted, unknown, whole=whole, actor=actor)
            if dry_run or (found.cells and not confirmed):
                raise _NotConfirmedError(found)
            if seen is not None and seen != found.seen:
                raise _changed_since(name)
            return await _carry_out(house, conn, route, found, actor)
    except _NotConfirmedError as kept:
        return kept.found


def _changed_since(name: str) -> RefusedByRule:
    return RefusedByRule(
        "IS-PUB-014",
        f"What this file does to the route {name} is no longer what the preview showed: its settings, cells or "
        "marks. Nothing was changed. Look at it again without --yes, then name the new --seen.",
        f"このファイルによるルート {name} の変更が、プレビューの内容(設定、対象、注意の印)と変わりました。"
        "何も変更していません。--yes なしでもう一度確認し、新しい --seen を指定してください。",
    )


def _mark(changed: Mapping[str, Override], found: Sequence[CellChange]) -> str:
    """The same as long as a person would see the same, sales apart: they move the numbers all the time."""
    settings = [[code, as_document(changed[code])] for code in sorted(changed)]
    told = [[e.cell, e.before is None, e.after is None, e.beyond > 0, e.braked, e.again] for e in found]
    return hashlib.sha256(json.dumps([settings, sorted(told)], default=str).encode()).hexdigest()[:8]


def _check_route(route: db.Record) -> None:
    if route["direction"] == "channel_to_ledger":
        raise RefusedByRule(
            "IS-PUB-012",
            f"The route {route['name']} never writes the channel, so there is nothing to publish.",
            f"ルート {route['name']} は販売チャネルに書き込まないため、公開設定はありません。",
        )


async def _unknown(conn: Connection, route: db.Record, wanted: Sequence[Override], file: str) -> tuple[Unknown, ...]:
    """The rows whose code no item has. Raises FileRefused for those that cannot be meant, and for rules without
    meaning."""
    values = {r["value"] for r in await db.rows(conn, "publish_values", route_id=route["id"])}
    strange = [each for each in wanted if each.code not in values]
    near: dict[str, NearMiss] = {}
    for found in near_misses([each.code for each in strange], values, limit=CHUNK).listed:
        near.setdefault(found.ledger, found)
    wrong: list[Problem] = []
    for each in strange:
        miss = near.get(each.code)
        if miss is not None and SPREADSHEET & set(miss.difference.kinds):
            words = {"code": visible(each.code), "near": visible(miss.channel)}
            words |= {"detail": miss.difference.explanation_en, "detail_ja": miss.difference.explanation_ja}
            wrong.append(Problem(problems.DAMAGED, file, each.row, "code", sku=each.code, values=words))
        elif looks_like_formula(each.code):
            wrong.append(
                Problem(problems.FORMULA, file, each.row, "code", sku=each.code, values={"value": each.code[:40]})
            )
    if AlignPolicy(route["align"]) is AlignPolicy.CHANNEL_WINS:
        wrong += [Problem(problems.NOT_PLAIN, file, e.row, "code", sku=e.code) for e in wanted if not e.plain]
    if wrong:
        raise FileRefused(tuple(sorted(wrong, key=lambda each: each.row or 0)))
    return tuple(_near(each, near.get(each.code)) for each in strange)


def _near(each: Override, miss: NearMiss | None) -> Unknown:
    if miss is None:
        return Unknown(each.code, each.row)
    return Unknown(each.code, each.row, miss.channel, miss.difference.explanation_en, miss.difference.explanation_ja)


async def _change(
    house: House,
    conn: Connection,
    route: db.Record,
    wanted: Sequence[Override],
    unknown: tuple[Unknown, ...],
    *,
    whole: bool,
    actor: str,
) -> Imported:
    """Write the change, and say what it does to each cell."""
    there = {r["code"] for r in await db.rows(conn, "publish_codes_of", route_id=route["id"])}
    named = {each.code: each for each in wanted}
    if whole:
        named |= {code: Override(code) for code in sorted(there - set(named))}
    stored = {
        r["code"]: stored_override(r)
        for r in await db.rows(conn, "publish_overrides_among", route_id=route["id"], codes=sorted(named))
    }
    changed = {c: o for c, o in named.items() if stored.get(c, Override(c)) != o}
    gone = sorted(code for code, each in changed.items() if each.empty)
    put = [changed[code] for code in sorted(set(changed) - set(gone))]
    codes = sorted(changed)
    before = {each.row.id: each async for each in _told(conn, route["id"], codes)}
    await db.run(conn, "drop_overrides", route_id=route["id"], codes=gone)
    await _put(house, conn, route["id"], put, actor)
    again = [each.pair for each in before.values() if each.excluded and not changed[each.code].excluded]
    await db.run(conn, "publish_again", pairs=again, now=house.now())
    after = {each.row.id: each async for each in _told(conn, route["id"], codes)}
    lines = [_line(old, after[cell], set(again)) for cell, old in before.items() if _differs(old, after[cell])]
    await _audit(house, conn, route["name"], codes, stored, changed, actor)
    found = await _braked(house, conn, route, lines, before)
    return Imported(
        route=route["name"],
        rows=len(wanted),
        set=len(put),
        taken_back=len(gone),
        unchanged=len(named) - len(changed),
        cells=tuple(found),
        unknown=unknown,
        applied=False,
        seen=_mark(changed, found),
    )


async def _put(house: House, conn: Connection, route_id: int, put: Sequence[Override], actor: str) -> None:
    if not put:
        return
    await db.run(
        conn,
        "put_overrides",
        route_id=route_id,
        codes=[each.code for each in put],
        buffers=[each.buffer for each in put],
        autos=[each.auto for each in put],
        percents=[each.percent for each in put],
        maxima=[each.maximum for each in put],
        unlimited=[each.unlimited for each in put],
        ends=[each.end_when for each in put],
        offsets=[each.offset for each in put],
        untils=[each.until for each in put],
        excluded=[each.excluded for each in put],
        now=house.now(),
        actor=actor,
    )


async def _told(conn: Connection, route_id: int, codes: Sequence[str] | None) -> Any:
    """What every channel cell of these codes is told as things stand, by the rule that decides it."""
    after = 0
    while page := await db.rows(conn, "publish_cells", route_id=route_id, codes=codes, after=after, limit=CHUNK):
        after = page[-1]["id"]
        rows = {CellId(r["id"]): CellRow(**{key: r[key] for key in _ROW}) for r in page}
        known = await pairs.states(conn, rows)
        for r in page:
            pair = known.get(CellId(r["id"]))
            if pair is None:
                continue
            decision = decide_channel(pair.state)
            left_out = decision.blocked is Blocked.NOT_PUBLISHED
            yield Told(
                r["pair_id"],
                r["value"],
                r["item_name"],
                r["location_name"],
                rows[CellId(r["id"])],
                None if left_out else decision.target,
                effective(pair.state.ledger, pair.state.shape),
                left_out,
                r["phase"],
            )


def _differs(before: Told, after: Told) -> bool:
    return (before.target, before.excluded) != (after.target, after.excluded)


def _line(before: Told, after: Told, again: set[int]) -> CellChange:
    beyond = 0
    if after.target is not None and after.effective is not None:
        beyond = more_than_there_is(after.target, after.effective)
    return CellChange(
        after.pair,
        after.row.id,
        after.code,
        after.item,
        after.location,
        after.row.known,
        before.target,
        after.target,
        after.phase,
        beyond,
        again=after.pair in again,
    )


async def _braked(
    house: House, conn: Connection, route: db.Record, lines: Iterable[CellChange], before: Mapping[CellId, Told]
) -> list[CellChange]:
    """The lines, with those marked that the brake would hold together: too many up or to zero, or one far up."""
    found = list(lines)
    turned = [
        brake.Turn(each.cell, each.after - each.shows, each.after, before[CellId(each.cell)].row.highest)
        for each in found
        if each.after is not None and each.shows is not None and brake.turns(each.shows, each.after)
    ]
    ids = sorted(each.cell for each in turned)
    lately, count = 0, 0
    if turned:
        since = house.now() - brake.WINDOW
        lately = await db.value(conn, "channel_cells_turned", route_id=route["id"], since=since, but=ids)
        count = await db.value(conn, "publish_side", route_id=route["id"])
    held = brake.held(turned, lately=lately, cells=count)
    return [replace(each, braked=each.cell in held) for each in found]


async def _carry_out(house: House, conn: Connection, route: db.Record, found: Imported, actor: str) -> Imported:
    """Let the change take effect: as a run where the route runs, else with its next decisions."""
    run = None
    changes = [
        pushes.Retold(each.pair, each.shows, each.after)
        for each in found.cells
        if each.after is not None and each.phase == "live" and route["state"] == "running"
    ]
    await db.run(conn, "supersede_publish", cells=sorted(each.cell for each in found.cells), now=house.now())
    if changes:
        run = (await pushes.start_publish_run(house, conn, route, actor=actor, changes=changes)).run
    of_run = {each.pair for each in changes}
    rest = sorted(each.cell for each in found.cells if each.pair not in of_run)
    await cells.put_due(conn, [(CellId(cell), None, None) for cell in rest])
    await db.notify(conn, "decide")
    return replace(found, applied=True, run=run)


async def told(conn: Connection, route_id: int) -> Mapping[CellId, Told]:
    """What every channel cell of a route is told as things stand."""
    return {each.row.id: each async for each in _told(conn, route_id, None)}


async def retell(
    house: House, conn: Connection, route: db.Record, before: Mapping[CellId, Told], actor: str
) -> int | None:
    """After the rule of a running route changed, tell its channel as a run; says which, None where no number changes.

    In the caller's transaction. Raises RefusedByRule where the brake would hold such a change.
    """
    after = await told(conn, route["id"])
    lines = [
        _line(old, after[cell], set()) for cell, old in before.items() if cell in after and _differs(old, after[cell])
    ]
    lines = await _braked(house, conn, route, lines, before)
    held = sum(each.braked for each in lines)
    if held:
        name = route["name"]
        raise RefusedByRule(
            "IS-PUB-013",
            f"This publish rule would move {held} numbers of the route {name} so far that the brake holds it. Stop the "
            f"route (`inventory-sync route stop {name}`), apply the file, and start it with a preview.",
            f"この公開設定では、ルート {name} の在庫数 {held} 件が急に変わるため保留しました。ルートを停止し"
            f"(`inventory-sync route stop {name}`)、設定を適用してから、プレビューを確認して開始してください。",
        )
    found = Imported(route["name"], 0, 0, 0, 0, tuple(lines), (), applied=False)
    return (await _carry_out(house, conn, route, found, actor)).run if lines else None


async def _audit(
    house: House,
    conn: Connection,
    name: str,
    codes: Sequence[str],
    before: Mapping[str, Override],
    after: Mapping[str, Override],
    actor: str,
) -> None:
    for part in _parts(codes):
        await write_audit(
            house,
            conn,
            actor,
            "publish.imported",
            name,
            before={code: as_document(before[code]) for code in part if code in before},
            after={code: as_document(after[code]) for code in part},
        )


def _parts(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(codes), AUDITED):
        yield codes[start : start + AUDITED]
