"""Pushes: one side's numbers carried to the other, over the gaps a person confirmed.

A first alignment is a push, and so is what a person asks for later, in either direction, route running or stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.engine import previews
from inventory_sync.engine.again import again
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule, route_named
from inventory_sync.engine.runs import portions
from inventory_sync.engine.state_words import ROUTES, state_in_japanese
from inventory_sync.store import db
from inventory_sync.store.db import Connection

MANY = 1_000
"""Rows of a run from which on the planner must know of them."""


@dataclass(frozen=True, slots=True)
class Started:
    """A run that was started: its id, and how many cells it is about."""

    run: int
    total: int


async def align(house: House, conn: Connection, route: db.Record, kept: db.Record) -> dict[str, int]:
    """Confirm the gaps of an alignment's preview and begin to carry them out, in the caller's transaction.

    Says how many pairs are aligned, and how many changed since the preview. Raises RefusedByRule.
    """
    previews.refuse_used(kept)
    run_id = await _open(house, conn, route, kept, actor="", on_stopped=False)
    while run := await db.row(conn, "lock_run", id=run_id):
        if not await portions.confirm(house, conn, run, previews.CHUNK):
            break
    aligned = await db.value(conn, "count_pairs_in", run_id=run_id, states=["confirmed", "released", "sent", "done"])
    changed = await db.value(conn, "count_pairs_in", run_id=run_id, states=["skipped"])
    await portions.release(house, conn, run_id)
    await portions.finish_if_over(house, conn, run_id)
    return {"aligned": aligned, "changed": changed}


async def _open(
    house: House, conn: Connection, route: db.Record, kept: db.Record, *, actor: str, on_stopped: bool
) -> int:
    now = house.now()
    run_id = await open_run(
        conn, "push", route["id"], actor=actor, preview_id=kept["id"], on_stopped=on_stopped, now=now
    )
    await db.run(conn, "propose_rows", run_id=run_id, preview_id=kept["id"], now=now)
    await db.run(conn, "supersede_rows", run_id=run_id, now=now)
    await _count(conn, run_id)
    await db.run(conn, "accept_preview", id=kept["id"], now=now)
    return run_id


async def open_run(
    conn: Connection,
    kind: str,
    route_id: int,
    *,
    actor: str,
    now: datetime,
    preview_id: str | None = None,
    undoes: int | None = None,
    on_stopped: bool = False,
) -> int:
    """Open a run without rows and say its id: of a `preview_id` that was accepted, if any, taking back the run
    `undoes`, if any; `on_stopped`: it writes although its route does not run."""
    run_id: int = await db.value(
        conn,
        "open_run",
        kind=kind,
        route_id=route_id,
        actor=actor,
        preview_id=preview_id,
        undoes=undoes,
        on_stopped=on_stopped,
        now=now,
    )
    return run_id


async def _count(conn: Connection, run_id: int) -> int:
    """Note how many rows a run has, and tell the planner of many: autovacuum would come when it is half over."""
    await db.run(conn, "count_rows_in", run_id=run_id)
    total = int(await db.value(conn, "run_total", run_id=run_id))
    if total >= MANY:
        await db.run(conn, "analyze_run_rows")
    return total


@again
async def start_push(house: House, name: str, *, preview_id: str, actor: str) -> Started:
    """Start a full push under a preview that a person accepted; it goes on by itself, portion by portion.

    On a stopped route it writes the confirmed cells and nothing else. Raises NoSuch, RefusedByRule.
    """
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        kept = await previews.preview_of(conn, preview_id)
        if kept["route_id"] != route["id"] or kept["source"] not in ("ledger", "channel"):
            raise NoSuch(
                f"There is no preview {preview_id!r} of a push of the route {name}.",
                f"ルート {name} の一括反映のプレビュー「{preview_id}」はありません。",
            )
        previews.refuse_used(kept)
        await check_writable(conn, route)
        other = await db.value(conn, "overlapping_run", preview_id=preview_id)
        if other is not None:
            raise RefusedByRule(
                "IS-RUN-003",
                f"The run {other} still writes cells of this preview: wait for it, or "
                f"`inventory-sync run stop {other}`.",
                f"実行 {other} がこのプレビューのセルを書き込み中です。終了を待つか、"
                f"`inventory-sync run stop {other}` で停止してください。",
            )
        if route["state"] == "blocked":  # only by what a push answers: it stays stopped until a person starts it
            kept_reasons = route["blockers"]
            await db.run(
                conn, "set_route_state", id=route["id"], state="stopped", stopped_by="person", blockers=kept_reasons
            )
        run_id = await _open(house, conn, route, kept, actor=actor, on_stopped=route["state"] != "running")
        total = await db.value(conn, "run_total", run_id=run_id)
        await write_audit(
            house,
            conn,
            actor,
            "push.started",
            name,
            before=None,
            after={"run": run_id, "preview": preview_id, "rows": total},
        )
        await db.notify(conn, "decide")
    return Started(run_id, total)


async def check_writable(conn: Connection, route: db.Record) -> None:
    """Refuse a push where the route cannot carry it, saying what would."""
    from inventory_sync.engine.routes import blockers

    name, waits = route["name"], [each for each in route["blockers"] if each not in _ANSWERED_BY_A_PUSH]
    if route["state"] == "watching" or (route["state"] == "blocked" and waits):
        raise RefusedByRule(
            "IS-RUN-004",
            f"The route {name} is {route['state']}, so nothing can be pushed. `inventory-sync route show {name}` says "
            "what it waits for.",
            f"ルート {name} は{state_in_japanese(ROUTES, route['state'])}のため、一括反映できません。"
            f"`inventory-sync route show {name}` で待っている内容を確認してください。",
        )
    found = await blockers(conn, route) + (waits if route["state"] == "stopped" else [])
    if found:
        raise RefusedByRule(
            "IS-RTE-001",
            f"The route {name} cannot be pushed yet: {', '.join(found)}.",
            f"ルート {name} はまだ一括反映できません: {', '.join(found)}",
        )


_ANSWERED_BY_A_PUSH = ("undone", "first_alignment", "alignment")
"""What a route may wait for that a person's confirmed push does not have to wait for."""


@dataclass(frozen=True, slots=True)
class Retold:
    """A pair whose channel cell is told another number; `before` is what it shows, `after` what it is to show."""

    pair: int
    before: int | None
    after: int

    @property
    def rank(self) -> int:
        """What is gone comes first, then falls, then rises."""
        if self.after <= 0:
            return 0
        return 1 if self.before is not None and self.after < self.before else 2


async def start_publish_run(
    house: House, conn: Connection, route: db.Record, *, actor: str, changes: Sequence[Retold] | None = None
) -> Started:
    """Tell pairs of a running route their new targets, portion by portion, after what it publishes changed: these, or
    all that live.

    In the caller's transaction, after the change. The new rule holds at once for whatever else is decided.
    """
    now = house.now()
    run_id = await open_run(conn, "publish", route["id"], actor=actor, now=now)
    if changes is None:
        await db.run(conn, "propose_live", run_id=run_id, route_id=route["id"], now=now)
    else:
        await db.run(
            conn,
            "propose_changed",
            run_id=run_id,
            pairs=[each.pair for each in changes],
            ranks=[each.rank for each in changes],
            befores=[each.before for each in changes],
            afters=[each.after for each in changes],
            now=now,
        )
    total = await _count(conn, run_id)
    await db.notify(conn, "decide")
    return Started(run_id, total)
