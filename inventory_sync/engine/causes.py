"""Causes: what the partner's history says about a movement, learnt afterwards and kept beside the journal.

For people, and, at a ledger that names causes, for the sales that somebody else books there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.engine import booked_twice, brake_release, sales
from inventory_sync.engine.evidence import recognise
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.model.ids import CellId, ItemKey, LocationKey
from inventory_sync.store import db
from inventory_sync.systems.errors import RetryLater, Unreadable
from inventory_sync.systems.port import CellRef, HistoryRow

SETTLES = timedelta(seconds=5)
"""A row of history is looked for this long after the movement was read: histories may lag behind levels."""

MARGIN = timedelta(minutes=2)
"""How far the partner's clock may be from ours."""

STAMPS = timedelta(seconds=2)
"""How far a row's stamp may be from the change: partners write whole seconds."""

PAUSE = timedelta(milliseconds=500)
"""Causes that are only for people take at most two requests a second from the budget of a lane."""

ROWS_KEPT = 100
"""So many ids of rows are kept with a cause; a later movement is not explained by them again."""


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a movement that has one cause. `units` are signed; `reference`: the order that its rows name."""

    cause: str
    reference: str
    units: int


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a movement happened. `rows`: the partner's ids of the rows behind it. `happened_at`: when the first of them
    happened, by the partner's own word."""

    cause: str
    rows: tuple[str, ...]
    shares: tuple[Share, ...]
    happened_at: datetime | None = None


UNKNOWN = Explained("unknown", (), ())


async def attribute(house: House, lane: Lane) -> Progress:
    """Ask why one movement happened. Unknown stays unknown, and books nothing."""
    able = lane.client.capabilities
    if not able.history_causes:
        return Progress(0)
    found = await db.rows(
        house.pool, "unexplained_movements", connection_id=lane.connection_id, after=lane.last_cause, limit=1
    )
    if not found:
        return Progress(0)
    movement, now = found[0], house.now()
    ready = max(movement["asked_at"] + SETTLES, now + timedelta(seconds=lane.client.budget.wait("read", now)))
    if ready > now:
        return Progress(0, ready)
    [about] = await db.rows(house.pool, "history_of_movement", movement_id=movement["id"])
    since = movement["previous_asked_at"] or movement["asked_at"] - timedelta(hours=1)
    ref = CellRef(ItemKey(movement["item_key"]), LocationKey(movement["location_key"]))
    try:
        rows = list(await lane.client.history(ref, since - MARGIN))
        await recognise(house, lane, rows)
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    except Unreadable:
        rows = []
    explained = explain(
        rows,
        movement["delta"],
        since=since,
        until=movement["asked_at"],
        after=about["after"],
        spoken_for=frozenset(about["spoken_for"]),
    )
    await _learn(house, movement, explained, names=able.names_causes)
    lane.last_cause = movement["id"]
    return Progress(1, house.now() + (timedelta(0) if about["matters"] else PAUSE))


async def _learn(house: House, movement: db.Record, explained: Explained, *, names: bool) -> None:
    """Keep a cause and settle the sales that it books, in one transaction and once."""
    async with db.transaction(house.pool) as conn:
        fresh = await db.value(
            conn,
            "learn_cause",
            movement_id=movement["id"],
            cause=explained.cause,
            reference=",".join(explained.rows[:ROWS_KEPT]),
            learnt_at=house.now(),
        )
        if fresh and explained.happened_at is not None:
            await db.run(conn, "keep_happened", movement_id=movement["id"], happened_at=explained.happened_at)
        if fresh and movement["delta"] < 0:
            cell = CellId(movement["cell_id"])
            await brake_release.learnt(house, conn, movement["id"], cell, movement["delta"], explained.cause)
        if not fresh or not names:
            return
        for share in explained.shares:
            await sales.named(
                house, conn, movement["id"], movement["cell_id"], share.units, share.cause, share.reference
            )
        if movement["delta"] < 0:
            await booked_twice.look(house, conn, [CellId(movement["cell_id"])])


def explain(
    rows: Sequence[HistoryRow],
    delta: int,
    *,
    since: datetime,
    until: datetime,
    after: int | None = None,
    spoken_for: Collection[str] = (),
) -> Explained:
    """Why a level moved by `delta` units between two readings, to `after`, from the partner's rows, oldest first.

    A run of rows that adds up, without our own and those that earlier movements were (`spoken_for`). The partner's
    clock is not ours and its stamps are coarse, so the ends of the run are open by a margin; a run that ends at the
    level that was read is preferred. Where runs of different causes fit equally well, none is chosen.
    """
    other = [row for row in rows if row.op is None and row.id not in spoken_for]
    strange = {row.id for row in other}
    if after is not None:
        for margin in (timedelta(0), STAMPS, MARGIN):
            fits = [
                [row for row in run if row.id in strange]
                for run in _runs(rows, since, until, margin)
                if run[-1].level_after == after
            ]
            if chosen := _agreed(fits, delta):
                return chosen
    for margin in (timedelta(0), STAMPS):
        fits = [[row for row in run if row.id in strange] for run in _runs(rows, since, until, margin)]
        if chosen := _agreed(fits, delta):
            return chosen
    wide = [row for row in other if since - MARGIN <= row.at <= until + MARGIN]
    return _agreed([wide], delta) or UNKNOWN


def _runs(
    rows: Sequence[HistoryRow], since: datetime, until: datetime, margin: timedelta
) -> Iterator[Sequence[HistoryRow]]:
    """Every run of rows that may be all that happened between two instants which are known to within a margin."""
    count = len(rows)
    starts = [i for i in range(count) if rows[i].at >= since - margin and (i == 0 or rows[i - 1].at <= since + margin)]
    ends = [
        j + 1
        for j in range(count)
        if rows[j].at <= until + margin and (j + 1 == count or rows[j + 1].at >= until - margin)
    ]
    for start in starts:
        for end in ends:
            if start < end:
                yield rows[start:end]


def _agreed(runs: Sequence[Sequence[HistoryRow]], delta: int) -> Explained | None:
    """What the runs that add up say, if there are any and they agree on the causes."""
    fits = [run for run in runs if run and sum(row.amount for row in run) == delta]
    told = {_shares(run) for run in fits}
    if len(told) != 1:
        return None
    [shares] = told
    causes = sorted({share.cause for share in shares})
    happened = min((row.happened_at for row in fits[0] if row.happened_at is not None), default=None)
    return Explained("+".join(causes), tuple(row.id for row in fits[0]), shares, happened)


def _shares(run: Sequence[HistoryRow]) -> tuple[Share, ...]:
    units: dict[tuple[str, str], int] = {}
    for row in run:
        key = (row.cause, row.reference)
        units[key] = units.get(key, 0) + row.amount
    return tuple(Share(cause, reference, amount) for (cause, reference), amount in sorted(units.items()))
