"""Undo: what a push moved is moved back, cell by cell, as differences, so that every sale since stays sold.

The route stands still meanwhile, and its pairs wait for a person afterwards.
"""

from __future__ import annotations

from inventory_sync.engine import previews
from inventory_sync.engine.again import again
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule, route_named
from inventory_sync.engine.previews import Preview
from inventory_sync.engine.runs.pushes import Started, open_run
from inventory_sync.store import db
from inventory_sync.store.db import Connection

UNDONE = "undone"
"""Why a route whose push was taken back waits for a person before it runs again."""


async def preview_undo(house: House, run_id: int) -> Preview:
    """What taking back a run would write; `lines` of the run tell each cell. Raises NoSuch, RefusedByRule."""
    async with db.transaction(house.pool) as conn:
        run = await _undoable(conn, run_id)
        preview_id, now = house.ambient.new_id()[:12], house.now()
        summary = await _sum(conn, run_id)
        await db.run(
            conn,
            "open_preview",
            id=preview_id,
            route_id=run["route_id"],
            made_at=now,
            source="undo",
            undoes=run_id,
        )
        await db.run(conn, "sum_up_preview", id=preview_id, summary=summary)
    return Preview(preview_id, run["route"], now, summary)


async def _sum(conn: Connection, run_id: int) -> dict[str, int]:
    found = dict(await db.row(conn, "undo_sum", run_id=run_id) or {})
    return {"run": run_id, "cells": found["rows"], "units_up": found["up"], "units_down": found["down"]}


async def _undoable(conn: Connection, run_id: int) -> db.Record:
    run = await db.row(conn, "run_by_id", id=run_id)
    if run is None:
        raise NoSuch(
            f"There is no run {run_id}: `inventory-sync run list` shows them.",
            f"実行 {run_id} はありません。一覧は `inventory-sync run list` で確認できます。",
        )
    if run["kind"] != "push":
        raise RefusedByRule(
            "IS-RUN-005",
            f"The run {run_id} is a {run['kind']}: only a push can be taken back.",
            f"実行 {run_id} の種類は {run['kind']} です。取り消せるのは一括反映だけです。",
        )
    earlier = await db.value(conn, "undone_by", run_id=run_id)
    if earlier is not None:
        raise RefusedByRule(
            "IS-RUN-008",
            f"The run {run_id} is taken back by the run {earlier}: `inventory-sync run resume {earlier}`.",
            f"実行 {run_id} は実行 {earlier} が取り消しています: `inventory-sync run resume {earlier}`",
        )
    if run["lines_deleted_at"] is not None:
        days = (run["lines_deleted_at"] - run["finished_at"]).days
        raise RefusedByRule(
            "IS-RUN-014",
            f"What the run {run_id} did to each single cell was deleted {days} days after it ended, so it cannot be "
            "taken back. Make a new push: `inventory-sync route push`.",
            f"実行 {run_id} の 1 件ごとの明細は終了の {days} 日後に削除したため、取り消せません。"
            "`inventory-sync route push` で新しく一括反映してください。",
        )
    if run["route_state"] in ("running", "watching"):
        raise RefusedByRule(
            "IS-RUN-006",
            f"The route {run['route']} is {run['route_state']} and would push the same numbers again: stop it first "
            f"with `inventory-sync route stop {run['route']}`.",
            f"ルート {run['route']} は {run['route_state']} のため、同じ数が再び反映されます。"
            f"先に `inventory-sync route stop {run['route']}` で停止してください。",
        )
    if run["state"] == "running" or await db.value(conn, "unfinished_rows", run_id=run_id):
        raise RefusedByRule(
            "IS-RUN-007",
            f"The run {run_id} is still under way: `inventory-sync run stop {run_id}`, and wait for its last answers.",
            f"実行 {run_id} はまだ終わっていません。`inventory-sync run stop {run_id}` で停止し、"
            "最後の応答を待ってください。",
        )
    if not (await _sum(conn, run_id))["cells"]:
        raise RefusedByRule(
            "IS-RUN-015",
            f"There is nothing to take back of the run {run_id}: it moved no number, or the mapping of what it moved "
            "was deleted.",
            f"実行 {run_id} には取り消すものがありません。数を書き換えていないか、"
            "書き換えた商品の紐付けが削除されています。",
        )
    return run


@again
async def start_undo(house: House, run_id: int, *, preview_id: str, actor: str) -> Started:
    """Take a push back under a preview that a person accepted. Its pairs wait for a new alignment afterwards.

    Raises NoSuch, RefusedByRule.
    """
    async with db.transaction(house.pool) as conn:
        await db.row(conn, "run_locked", id=run_id)  # its rows are not deleted meanwhile
        run = await _undoable(conn, run_id)
        kept = await previews.preview_of(conn, preview_id)
        if kept["source"] != "undo" or kept["undoes"] != run_id:
            raise NoSuch(
                f"There is no preview {preview_id!r} of taking back the run {run_id}.",
                f"実行 {run_id} を取り消すプレビュー「{preview_id}」はありません。",
            )
        if kept["accepted_at"] is not None or kept["summary"] != await _sum(conn, run_id):
            raise RefusedByRule(
                "IS-RTE-003",
                f"The preview {preview_id} was accepted before, or is out of date.",
                f"プレビュー {preview_id} は承認済みか、古くなっています。",
            )
        now = house.now()
        undo_id = await open_run(
            conn,
            "undo",
            run["route_id"],
            actor=actor,
            preview_id=preview_id,
            undoes=run_id,
            on_stopped=True,
            now=now,
        )
        await db.run(conn, "undo_rows", run_id=undo_id, undoes=run_id, now=now)
        await db.run(conn, "count_rows_in", run_id=undo_id)
        await db.run(conn, "unalign_undone", run_id=undo_id, now=now)
        await db.run(conn, "add_blocker", route_id=run["route_id"], reason=UNDONE)
        await db.run(conn, "accept_preview", id=preview_id, now=now)
        total = await db.value(conn, "run_total", run_id=undo_id)
        await write_audit(
            house,
            conn,
            actor,
            "push.undone",
            run["route"],
            before={"run": run_id},
            after={"run": undo_id, "preview": preview_id, "rows": total},
        )
        await db.notify(conn, "decide")
    return Started(undo_id, total)


async def refuse_while_undoing(conn: Connection, name: str) -> None:
    """A route does not start while a push of it is being taken back. Raises RefusedByRule."""
    route = await route_named(conn, name)
    for run in await db.rows(conn, "runs_of_route", route_id=route["id"]):
        if run["kind"] == "undo":
            raise RefusedByRule(
                "IS-RUN-009",
                f"The run {run['id']} is taking a push of the route {name} back: wait for it, or "
                f"`inventory-sync run stop {run['id']}`.",
                f"実行 {run['id']} がルート {name} の一括反映を取り消し中です。終了を待つか、"
                f"`inventory-sync run stop {run['id']}` で停止してください。",
            )
