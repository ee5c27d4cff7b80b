"""Stopping a route: which numbers stay where, and, where a person wants it, every channel cell told 0.

Telling 0 is a preview and its acceptance, like an alignment: one relative op for each cell, so a sale meanwhile is
neither lost nor doubled. The route is stopped then; its start is an alignment.
"""

from __future__ import annotations

from typing import Any

import structlog

from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule, route_named
from inventory_sync.engine.previews import Preview, refuse_used
from inventory_sync.engine.runs import portions
from inventory_sync.store import db

log = structlog.get_logger()

ZERO = "zero"
"""What a preview that tells a channel 0 is for; an alignment never accepts one, and this never one of an alignment."""


async def numbers_left(house: House, name: str) -> list[dict[str, Any]]:
    """Every channel cell of a route with what it shows, what the ledger holds beside it, and how both moved since the
    route stopped. Raises NoSuch."""
    route = await route_named(house.pool, name)
    return [_left(r) for r in await db.rows(house.pool, "numbers_left", route_id=route["id"])]


def _left(record: db.Record) -> dict[str, Any]:
    shown = ("pair", "value", "item", "location", "channel", "condition", "ledger", "under_way", "ledger_moved")
    return {key: record[key] for key in shown} | {"channel_moved": record["channel_up"] + record["owed_down"]}


async def counts_left(house: House, name: str) -> list[dict[str, Any]]:
    """The same, counted for each location of the channel: cells, those on sale, their units. Raises NoSuch."""
    route = await route_named(house.pool, name)
    return [dict(r) for r in await db.rows(house.pool, "counts_left", route_id=route["id"])]


async def preview_zero(house: House, name: str) -> Preview:
    """Write down every channel cell that would be told 0. Raises RefusedByRule and NoSuch."""
    now = house.now()
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        _refuse_unwritable(route)
        preview_id = house.ambient.new_id()[:12]
        await db.run(conn, "open_preview", id=preview_id, route_id=route["id"], made_at=now, source=ZERO, undoes=None)
        await db.run(conn, "put_zero_rows", preview_id=preview_id, route_id=route["id"])
        counts = await db.row(conn, "count_zero_rows", preview_id=preview_id)
        summary = {"source": ZERO, **dict(counts or {})}
        await db.run(conn, "sum_up_preview", id=preview_id, summary=summary)
    return Preview(preview_id, name, now, summary)


async def stop_and_zero(house: House, name: str, *, preview_id: str, actor: str) -> dict[str, Any]:
    """Stop a route and tell 0 to the channel cells of an accepted preview, by what each holds when its op is composed.

    Raises RefusedByRule and NoSuch. Says how many cells are told 0.
    """
    now = house.now()
    async with db.transaction(house.pool) as conn:
        await db.rows(conn, "lock_routes", names=[name])
        route = await route_named(conn, name)
        _refuse_unwritable(route)
        kept = await db.row(conn, "preview_kept", id=preview_id)
        if kept is None or kept["route_id"] != route["id"] or kept["source"] != ZERO:
            raise NoSuch(
                f"There is no preview {preview_id!r} that tells the channel of {name} 0.",
                f"ルート {name} の販売チャネルを 0 にするプレビュー「{preview_id}」はありません。",
            )
        refuse_used(kept)
        await db.run(conn, "forget_stop_counts", route_id=route["id"])
        await portions.halt_route(house, conn, route["id"], "the route was stopped")
        why = [*route["blockers"], *(["zeroed"] if "zeroed" not in route["blockers"] else [])]
        await db.run(conn, "set_route_state", id=route["id"], state="stopped", stopped_by="person", blockers=why)
        await db.run(conn, "unalign_pairs", route_id=route["id"], now=now, reason="zeroed")
        told = await db.value(conn, "zero_pairs", preview_id=preview_id, route_id=route["id"])
        await db.run(conn, "accept_preview", id=preview_id, now=now)
        await db.run(conn, "put_due_route", route_id=route["id"])
        await write_audit(
            house,
            conn,
            actor,
            "route.zeroed",
            name,
            before={"state": route["state"], "units": kept["summary"]["units_down"]},
            after={"state": "stopped", "preview": preview_id, "cells": told},
            at=now,
        )
        await db.notify(conn, "decide")
    log.info("route.zeroed", route=name, cells=told)
    return {"route": name, "state": "stopped", "preview": preview_id, "zeroed": told}


def _refuse_unwritable(route: db.Record) -> None:
    name = route["name"]
    if route["direction"] == "channel_to_ledger":
        raise RefusedByRule(
            "IS-RTE-045",
            f"The route {name} never writes its channel (channel_to_ledger), so it cannot tell it 0.",
            f"ルート {name} は販売チャネルに書き込まない設定(channel_to_ledger)のため、0 にできません。",
        )
    if route["align"] != "ledger_wins":
        raise RefusedByRule(
            "IS-RTE-047",
            f"The route {name} aligns by {route['align']}, and with a channel at 0 its next start would take that for "
            "the truth. Write `align: ledger_wins`, apply it, and try again.",
            f"ルート {name} の整合方法は {route['align']} のため、0 にした在庫が次の開始時に正しい数として扱われます。"
            "`align: ledger_wins` と書いて適用してから、もう一度実行してください。",
        )
    if not route["ever_aligned"]:
        raise RefusedByRule(
            "IS-RTE-046",
            f"The route {name} was never started, so the numbers of its channel are not ours to change.",
            f"ルート {name} はまだ一度も開始していないため、販売チャネルの在庫を変更できません。",
        )
