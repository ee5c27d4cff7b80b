"""Runs as people see them: how far each is and how long it will take, and how to stop one and let it go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
    that can be said. `rows` counts the rows of a run that writes by state; `up` and `down` are the units it moved."""

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

    def as_dict(self) -> dict[str, Any]:
        """The run as plain values."""
        return asdict(self)


async def show(house: House, run_id: int) -> RunView:
    """A run as it is now. Raises NoSuch."""
    run = await db.row(house.pool, "run_by_id", id=run_id)
    if run is None:
        raise _no_run(run_id)
    return await _view(house, run)


def _no_run(run_id: int) -> NoSuch:
    return NoSuch(
        f"There is no run {run_id}: `inventory-sync run list` shows them.",
        f"実行 {run_id} はありません。一覧は `inventory-sync run list` で確認できます。",
    )


async def _view(house: House, run: db.Record) -> RunView:
    now, rows, up, down, done = house.now(), {}, 0, 0, int(run["done"])
    going = run["state"] == "running"
    if run["kind"] in WRITING:
        found = await db.rows(house.pool, "run_states", id=run["id"])
        rows = {r["state"]: r["rows"] for r in found}
        up, down = sum(r["up"] for r in found), sum(r["down"] for r in found)
        ended = sum(rows.get(state, 0) for state in ("done", "failed", "skipped"))
        done = max(done, ended)  # rows go with their pairs where a mapping is deleted; what was done stays done
    rate = await _rate(house, run, done, now) if going else 0.0
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
        rows=rows,
        up=up,
        down=down,
    )


async def _rate(house: House, run: db.Record, done: int, now: datetime) -> float:
    """Rows a second: of the last while for a run that writes, since the start for the others."""
    since = max(run["started_at"], now - RATE_WINDOW)
    if run["kind"] in WRITING:
        done = await db.value(house.pool, "run_ended_since", id=run["id"], since=since)
    else:
        since = run["started_at"]
    seconds = (now - since).total_seconds()
    return done / seconds if seconds > 0 else 0.0


async def latest(house: House, *, limit: int = 50) -> list[RunView]:
    """The latest runs, newest first."""
    return [await _view(house, run) for run in await db.rows(house.pool, "runs_latest", limit=limit)]


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
                    f"実行 {run_id} は{state_in_japanese(RUNS, run['state'])}です。再開できるのは停止中の実行だけです。",
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
                f"ルート {route['name']} は{state_in_japanese(ROUTES, route['state'])}のため、同じ数が再び反映されます。"
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
