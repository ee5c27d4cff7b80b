"""Runs as people see them: how far each is and how long it will take, and how to stop one and let it go on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from inventory_sync.engine.again import again
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule, route_named
from inventory_sync.engine.runs import portions
from inventory_sync.engine.runs.pushes import check_writable
from inventory_sync.engine.state_words import ROUTES, RUNS, state_in_japanese
from inventory_sync.store import db

RATE_WINDOW = timedelta(seconds=30)
"""The rate of a run that writes is that of this last while."""

LINES = 1000

WRITING = ("push", "undo", "publish")
"""Runs that write, and so have rows."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run: how much is done of how much, rows (or items, or levels) a second, and seconds until it is over where
    that can be said. `rows` counts the rows of a run that writes by state; `up` and `down` are the units it moved.
    `lines_deleted_at`: its rows were deleted then, and what they summed up to is told."""

    id: int
    kind: str
    state: str
    subject: str
    done: int
    total: int | None
    rate: float
    remaining: float | None
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    actor: str
    preview: str | None
    undoes: int | None
    error: str
    rows: dict[str, int] = field(default_factory=dict)
    up: int = 0
    down: int = 0
    lines_deleted_at: datetime | None = None

    @property
    def lines_kept_days(self) -> int | None:
        """Whole days from the end of the run until its rows were deleted; None: they were not."""
        if self.lines_deleted_at is None or self.finished_at is None:
            return None
        return (self.lines_deleted_at - self.finished_at).days

    def as_dict(self) -> dict[str, Any]:
        """The run as plain values."""
        return asdict(self)


async def show(house: House, run_id: int) -> RunView:
    """A run as it is now. Raises NoSuch."""
    run = await db.row(house.pool, "run_by_id", id=run_id)
    if run is None:
        raise _no_run(run_id)
    return (await _views(house, [run]))[0]


def _no_run(run_id: int) -> NoSuch:
    return NoSuch(
        f"There is no run {run_id}: `inventory-sync run list` shows them.",
        f"実行 {run_id} はありません。一覧は `inventory-sync run list` で確認できます。",
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the rows of a run sum up to, how many of them ended, and how many of those in the last while."""

    rows: Mapping[str, int]
    up: int
    down: int
    ended: int = 0
    lately: int = 0


_NO_ROWS = _Sums({}, 0, 0)


def _stored(run: db.Record) -> _Sums | None:
    """The sums kept with a run, where they hold; rows of a run that was stopped may still change."""
    if run["kind"] not in WRITING:
        return _NO_ROWS
    if run["row_counts"] is None or (run["state"] != "done" and run["lines"] == "kept"):
        return None
    return _Sums(run["row_counts"], run["units_up"], run["units_down"])


async def _views(house: House, runs: Sequence[db.Record]) -> list[RunView]:
    """Runs as they are now; one question more for all of those whose rows still change."""
    now, sums = house.now(), {run["id"]: _stored(run) for run in runs}
    still = [number for number, kept in sums.items() if kept is None]
    found = await db.rows(house.pool, "sums_of_open_runs", ids=still, recent=now - RATE_WINDOW) if still else []
    counted = {
        r["run_id"]: _Sums(r["row_counts"], r["units_up"], r["units_down"], r["ended"], r["lately"]) for r in found
    }
    return [_view(run, sums[run["id"]] or counted.get(run["id"], _NO_ROWS), now) for run in runs]


def _view(run: db.Record, sums: _Sums, now: datetime) -> RunView:
    going = run["state"] == "running"
    done = max(int(run["done"]), sums.ended)  # rows go with their pairs where a mapping is deleted; done stays done
    rate = _rate(run, done, sums.lately, now) if going else 0.0
    left = None if run["total"] is None or not going else max(0, run["total"] - done)
    remaining = None if left is None or (rate <= 0 and left) else (left / rate if left else 0.0)
    return RunView(
        id=run["id"],
        kind=run["kind"],
        state=run["state"],
        subject=run["connection"] or run["route"] or "",
        done=done,
        total=run["total"],
        rate=round(rate, 2),
        remaining=None if remaining is None else round(remaining, 1),
        started_at=run["started_at"],
        updated_at=run["updated_at"],
        finished_at=run["finished_at"],
        actor=run["actor"],
        preview=run["preview_id"],
        undoes=run["undoes"],
        error=run["error"],
        rows=dict(sorted(sums.rows.items())),
        up=sums.up,
        down=sums.down,
        lines_deleted_at=run["lines_deleted_at"],
    )


def _rate(run: db.Record, done: int, lately: int, now: datetime) -> float:
    """Rows a second: of the last while for a run that writes, since the start for the others."""
    writes = run["kind"] in WRITING
    since = max(run["started_at"], now - RATE_WINDOW) if writes else run["started_at"]
    seconds = (now - since).total_seconds()
    return (lately if writes else done) / seconds if seconds > 0 else 0.0


async def latest(house: House, *, limit: int = 50) -> list[RunView]:
    """The latest runs, newest first: in two questions at most, however many they are and whatever they wrote."""
    return await _views(house, await db.rows(house.pool, "runs_latest", limit=limit))


async def lines(house: House, run_id: int, *states: str) -> AsyncIterator[dict[str, Any]]:
    """The rows of a run in these states, a portion in memory at a time: cell, before, after, gap, moved and why."""
    pair = cell = 0
    while True:
        page = await db.rows(
            house.pool, "run_lines", id=run_id, states=list(states), after_pair=pair, after_cell=cell, limit=LINES
        )
        for record in page:
            yield dict(record)
        if len(page) < LINES:
            return
        pair, cell = page[-1]["pair_id"], page[-1]["cell_id"]


@again
async def stop(house: House, run_id: int, *, actor: str) -> RunView:
    """Stop a run. What it has not written stays as it is and is confirmed no more; `resume` goes on with it.

    Raises NoSuch, RefusedByRule.
    """
    async with db.transaction(house.pool) as conn:
        run = await db.row(conn, "run_locked", id=run_id)
        if run is None:
            raise _no_run(run_id)
        if run["state"] != "running":
            raise RefusedByRule(
                "IS-RUN-010",
                f"The run {run_id} is {run['state']}: there is nothing to stop.",
                f"実行 {run_id} は{state_in_japanese(RUNS, run['state'])}のため、停止するものがありません。",
            )
        if run["kind"] in WRITING:
            await portions.put_aside(house, conn, run_id, "stopped by a person")
        else:
            await db.run(conn, "set_run_aside", run_id=run_id, error="stopped by a person", now=house.now())
        await write_audit(house, conn, actor, "run.stopped", str(run_id), {"state": "running"}, {"state": "stopped"})
    return await show(house, run_id)


@again
async def resume(house: House, run_id: int, *, actor: str) -> RunView:
    """Let a stopped run go on. Rows of a push whose gap is no longer the one shown are skipped and listed.

    Raises NoSuch, RefusedByRule.
    """
    try:
        async with db.transaction(house.pool) as conn:
            run = await db.row(conn, "run_locked", id=run_id)
            if run is None:
                raise _no_run(run_id)
            if run["state"] != "stopped":
                raise RefusedByRule(
                    "IS-RUN-011",
                    f"The run {run_id} is {run['state']}: only a stopped run goes on.",
                    f"実行 {run_id} は{state_in_japanese(RUNS, run['state'])}です。"
                    "再開できるのは停止中の実行だけです。",
                )
            await _take_up(house, conn, run)
            await write_audit(
                house, conn, actor, "run.resumed", str(run_id), before={"state": "stopped"}, after={"state": "running"}
            )
    except asyncpg.UniqueViolationError:
        raise RefusedByRule(
            "IS-RUN-012",
            f"Another run of the same kind is under way, so the run {run_id} has nothing left to do.",
            f"同じ種類の別の実行が進行中のため、実行 {run_id} に残っている作業はありません。",
        ) from None
    return await show(house, run_id)


async def _take_up(house: House, conn: db.Connection, run: db.Record) -> None:
    now, on_stopped = house.now(), True
    if run["kind"] in WRITING:
        route = await route_named(conn, run["route"])
        on_stopped = route["state"] != "running"
        if run["kind"] == "undo" and route["state"] in ("running", "watching"):
            raise RefusedByRule(
                "IS-RUN-006",
                f"The route {route['name']} is {route['state']} and would push the same numbers again: stop it first "
                f"with `inventory-sync route stop {route['name']}`.",
                f"ルート {route['name']} は{state_in_japanese(ROUTES, route['state'])}のため、"
                "同じ数が再び反映されます。"
                f"先に `inventory-sync route stop {route['name']}` で停止してください。",
            )
        if run["kind"] == "push":
            await _refuse_undone(conn, run["id"])
        if run["kind"] != "undo":
            await check_writable(conn, route)
        if run["kind"] != "push":
            await db.run(conn, "confirm_again", run_id=run["id"], now=now)
        await db.notify(conn, "decide")
    else:
        await db.notify(conn, f"connection:{run['connection_id']}")
    await db.run(conn, "take_up_run", run_id=run["id"], on_stopped=on_stopped, now=now)


async def _refuse_undone(conn: db.Connection, run_id: int) -> None:
    """What a person took back is not gone on with: the rest could not be taken back any more."""
    undo = await db.value(conn, "undone_by", run_id=run_id)
    if undo is not None:
        raise RefusedByRule(
            "IS-RUN-013",
            f"The run {run_id} was taken back by the run {undo}, so it does not go on. Make a new push: "
            "`inventory-sync route push`.",
            f"実行 {run_id} は実行 {undo} で取り消したため、再開できません。"
            "`inventory-sync route push` で新しく一括反映してください。",
        )
