"""Routes as people handle them: preview, start, stop. One service layer for the command line and the admin API."""

from __future__ import annotations

from inventory_sync.engine import route_states
from inventory_sync.engine.again import again
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch as NoSuch
from inventory_sync.engine.named import RefusedByRule as RefusedByRule
from inventory_sync.engine.named import route_named as route_named
from inventory_sync.engine.previews import Preview as Preview
from inventory_sync.engine.previews import PreviewLine as PreviewLine
from inventory_sync.engine.previews import make_preview as make_preview
from inventory_sync.engine.previews import rule_of as rule_of
from inventory_sync.engine.runs import portions, pushes
from inventory_sync.engine.runs.undo import refuse_while_undoing
from inventory_sync.store import db
from inventory_sync.store.db import Connection


async def blockers(conn: Connection, route: db.Record) -> list[str]:
    """What has to be there before a route may be started, as stable codes; empty when a person may start it."""
    return [each.key for each in await route_states.hindrances(conn, route)]


@again
async def start(house: House, name: str, *, preview_id: str | None, actor: str) -> dict[str, int]:
    """Start a route under a preview that a person accepted (None: only pairs that were aligned before go on).

    Pairs whose gap is no longer the one shown stay new and wait for another preview. Raises RefusedByRule, NoSuch.
    """
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        if route["state"] == "running" and preview_id is None:
            raise RefusedByRule(
                "IS-RTE-004",
                f"The route {name} is running already; nothing was changed.",
                f"ルート {name} はすでに稼働中です。何も変更していません。",
            )
        await refuse_while_undoing(conn, name)
        hindrances = await route_states.hindrances(conn, route)
        if hindrances:
            raise RefusedByRule("IS-RTE-001", *route_states.cannot(name, "start", "開始", hindrances))
        if preview_id is None and not route["ever_aligned"]:
            raise RefusedByRule(
                "IS-RTE-002",
                f"The route {name} was never aligned: look at `inventory-sync route preview {name}` and accept it.",
                f"ルート {name} はまだ一度も在庫を合わせていません。`inventory-sync route preview {name}` を確認して"
                "承認してください。",
            )
        if preview_id is None and route["blockers"]:
            raise RefusedByRule(
                "IS-RTE-002",
                f"The route {name} must be aligned again ({', '.join(route['blockers'])}): "
                f"look at `inventory-sync route preview {name}` and accept it.",
                f"ルート {name} は在庫を合わせ直す必要があります({', '.join(route['blockers'])})。"
                f"`inventory-sync route preview {name}` を確認して承認してください。",
            )
        if "long_stop" not in route["blockers"] and await route_states.is_long_stop(conn, route):
            raise RefusedByRule("IS-RTE-048", *route_states.long_stopped(name))
        await db.run(conn, "forget_zeroing", route_id=route["id"])
        if route["state"] == "watching" and preview_id is not None:
            await db.run(conn, "wait_after_watching", route_id=route["id"], preview_id=preview_id, now=house.now())
        if route["state"] != "running":
            await db.run(conn, "mark_pairs_of_route", route_id=route["id"], now=house.now())
            await _resume(house, conn, route)  # before the acceptance: what is confirmed now need not be read again
        done = await _accept(house, conn, route, preview_id) if preview_id is not None else {"aligned": 0, "changed": 0}
        await db.run(conn, "set_route_state", id=route["id"], state="running", stopped_by="", blockers=[])
        await db.run(conn, "route_aligned", id=route["id"])
        await db.run(conn, "put_due_rest", route_id=route["id"])
        await write_audit(
            house,
            conn,
            actor,
            "route.started",
            name,
            before={"state": route["state"]},
            after={"preview": preview_id} | done,
        )
        await db.notify(conn, "decide")
    return done


async def _resume(house: House, conn: Connection, route: db.Record) -> None:
    """Pairs that lived before the stop were marked on both sides; no increase flows before they are read."""
    await conn.execute(
        "update pairs set phase = 'catching_up', phase_reason = 'start', phase_since = $2 "
        "where route_id = $1 and phase = 'live' and phase_since < $2",
        route["id"],
        house.now(),
    )


async def _accept(house: House, conn: Connection, route: db.Record, preview_id: str) -> dict[str, int]:
    kept = await db.row(conn, "preview_kept", id=preview_id)
    if kept is None or kept["route_id"] != route["id"] or kept["source"] != "route":
        raise NoSuch(
            f"There is no preview {preview_id!r} of an alignment of the route {route['name']}.",
            f"ルート {route['name']} の開始前プレビュー「{preview_id}」はありません。",
        )
    return await pushes.align(house, conn, route, kept)


@again
async def stop(house: House, name: str, *, actor: str) -> dict[str, int]:
    """Stop a route: nothing more is composed. Ops under way still get their outcome; numbers stay as they are."""
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        await db.run(conn, "forget_stop_counts", route_id=route["id"])
        await portions.halt_route(house, conn, route["id"], "the route was stopped")
        await db.run(
            conn, "set_route_state", id=route["id"], state="stopped", stopped_by="person", blockers=route["blockers"]
        )
        await db.run(conn, "put_due_route", route_id=route["id"])
        counts = await db.row(conn, "route_counts", route_id=route["id"])
        await write_audit(house, conn, actor, "route.stopped", name, {"state": route["state"]}, {"state": "stopped"})
        await db.notify(conn, "decide")
    return dict(counts) if counts is not None else {}
