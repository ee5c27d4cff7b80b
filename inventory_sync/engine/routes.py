"""Routes as people handle them: preview, start, stop. One service layer for the command line and the admin API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory_sync.engine.lane import House
from inventory_sync.engine.stored import NEEDS_CALIBRATION
from inventory_sync.model.alignment import AlignPolicy, BaseSide, CellCondition, PreviewAction, PreviewRow, preview
from inventory_sync.model.components import Part, explained
from inventory_sync.model.publish import PublishRule
from inventory_sync.store import db
from inventory_sync.store.db import Connection

CHUNK = 5000


class RefusedByRule(Exception):
    """A safety rule says no. The message says which, and what to do; nothing was changed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NoSuch(Exception):
    """There is no route or preview of that name."""


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One cell of a preview: before, after and why, and how far the reading behind it goes back."""

    pair: int
    value: str
    name: str
    location: str
    row: PreviewRow


@dataclass(frozen=True, slots=True)
class Preview:
    """A stored preview. `summary` counts lines by action; `unread` pairs still lack a base reading."""

    id: str
    route: str
    made_at: datetime
    summary: dict[str, Any]


async def route_named(conn: Connection, name: str) -> db.Record:
    """The route of that name. Raises NoSuch naming those that exist."""
    found = await db.rows(conn, "routes_all")
    for route in found:
        if route["name"] == name:
            return route
    raise NoSuch(f"There is no route {name!r}. Routes: {', '.join(r['name'] for r in found) or 'none yet'}.")


async def blockers(conn: Connection, route: db.Record) -> list[str]:
    """What stands between a route and running, as stable codes; empty when it may start."""
    ends = (route["ledger_id"], route["channel_id"])
    found = [
        f"connection_{record['state']}:{record['name']}"
        for record in await db.rows(conn, "connections_all")
        if record["id"] in ends and record["state"] != "linked"
    ]
    found += [
        f"not_calibrated:{record['name']}"
        for record in await db.rows(conn, "connections_all")
        if record["id"] in ends and record["calibration"].get(NEEDS_CALIBRATION)
    ]
    places = await db.rows(conn, "location_pairs_of", route_id=route["id"])
    if not places:
        found.append("no_locations")
    if route["sales"] == "post" and not any(place["intake"] for place in places):
        found.append("order_intake_not_configured")
    counts = await db.row(conn, "route_counts", route_id=route["id"])
    if counts is None or counts["pairs"] - counts["suspended"] == 0:
        found.append("nothing_matched")
    return found


async def make_preview(house: House, name: str) -> Preview:
    """Write down every cell that has to be confirmed: before, after, why; and how many were not read yet."""
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        unread = await db.value(conn, "count_unread", route_id=route["id"])
        lines = await _lines(conn, route)
        actions = Counter(line.row.action.value for line in lines)
        summary: dict[str, Any] = {
            "pairs": len(lines),
            "unread": unread,
            **{action.value: actions[action.value] for action in PreviewAction},
            "units_up": sum(max(0, line.row.delta) for line in lines),
            "units_down": sum(min(0, line.row.delta) for line in lines),
        }
        preview_id = house.ambient.new_id()[:12]
        now = house.now()
        await db.run(conn, "insert_preview", id=preview_id, route_id=route["id"], made_at=now, summary=summary)
        for start in range(0, len(lines), CHUNK):
            await _keep(conn, preview_id, lines[start : start + CHUNK])
    return Preview(preview_id, name, now, summary)


async def _lines(conn: Connection, route: db.Record) -> list[PreviewLine]:
    made: dict[int, list[Part]] = {}
    for r in await db.rows(conn, "preview_parts", route_id=route["id"]):
        part = Part(r["location"], r["code"], r["ratio"], r["effective"], r["intake"])
        made.setdefault(r["pair_id"], []).append(part)
    return [
        PreviewLine(r["id"], r["value"], r["name"], r["location"], _row(route, r, made.get(r["id"], ())))
        for r in await db.rows(conn, "preview_base", route_id=route["id"])
    ]


def _row(route: db.Record, pair: db.Record, parts: Sequence[Part]) -> PreviewRow:
    policy = AlignPolicy(route["align"])
    dropped = pair["channel_up"] if pair["phase"] == "waiting" and policy is AlignPolicy.LEDGER_WINS else 0
    readable = pair["ledger_readable"] and pair["ledger_known"] is not None
    ledger = BaseSide(
        CellCondition.ACTIVE if readable else CellCondition.ABSENT,
        pair["ledger_known"] - dropped if readable else None,
    )
    condition = pair["channel_condition"]
    channel = BaseSide(
        CellCondition(condition) if condition != "unread" else CellCondition.ACTIVE,
        pair["channel_known"],
        can_activate=True,
    )
    row = preview(ledger, channel, rule_of(route), policy, held=pair["held"])
    return explained(row, pair["shape"], parts)


def rule_of(route: db.Record) -> PublishRule:
    """A route's publish rule."""
    return PublishRule(buffer=route["buffer"], percent=route["percent"], maximum=route["maximum"])


async def _keep(conn: Connection, preview_id: str, lines: Sequence[PreviewLine]) -> None:
    await db.run(
        conn,
        "insert_preview_rows",
        preview_id=preview_id,
        pairs=[line.pair for line in lines],
        actions=[line.row.action.value for line in lines],
        befores=[line.row.before for line in lines],
        afters=[line.row.after for line in lines],
        gaps=[_gap(line.row) for line in lines],
        why_en=[line.row.why_en for line in lines],
        why_ja=[line.row.why_ja for line in lines],
    )


def _gap(row: PreviewRow) -> int:
    """The gap a person confirms, in one number: what is written, owed or kept."""
    return row.owed or row.kept or row.delta


async def start(house: House, name: str, *, preview_id: str | None, actor: str) -> dict[str, int]:
    """Start a route under a preview that a person accepted (None: only pairs that were aligned before go on).

    Pairs whose gap is no longer the one shown stay new and wait for another preview. Raises RefusedByRule, NoSuch.
    """
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        if route["state"] == "running" and preview_id is None:
            raise RefusedByRule("IS-RTE-004", f"The route {name} is running already; nothing was changed.")
        hindrances = await blockers(conn, route)
        if hindrances:
            raise RefusedByRule("IS-RTE-001", f"The route {name} cannot start yet: {', '.join(hindrances)}.")
        if preview_id is None and not route["ever_aligned"]:
            raise RefusedByRule(
                "IS-RTE-002",
                f"The route {name} was never aligned: look at `inventory-sync route preview {name}` and accept it.",
            )
        if preview_id is None and route["blockers"]:
            raise RefusedByRule(
                "IS-RTE-002",
                f"The route {name} must be aligned again ({', '.join(route['blockers'])}): "
                f"look at `inventory-sync route preview {name}` and accept it.",
            )
        if route["state"] != "running":
            await db.run(conn, "mark_pairs_of_route", route_id=route["id"], now=house.now())
        done = await _accept(house, conn, route, preview_id) if preview_id is not None else {"aligned": 0, "changed": 0}
        if route["state"] != "running":
            await _resume(house, conn, route)
        await db.run(conn, "set_route_state", id=route["id"], state="running", stopped_by="", blockers=[])
        await db.run(conn, "route_aligned", id=route["id"])
        await db.run(conn, "put_due_route", route_id=route["id"])
        await _audit(
            house, conn, actor, "route.started", name, {"state": route["state"]}, {"preview": preview_id} | done
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
    kept = await db.row(conn, "preview_by_id", id=preview_id)
    if kept is None or kept["route_id"] != route["id"]:
        raise NoSuch(f"There is no preview {preview_id!r} of the route {route['name']}.")
    if kept["accepted_at"] is not None:
        raise RefusedByRule("IS-RTE-003", f"The preview {preview_id} was accepted before; make a new one.")
    shown = {r["pair_id"]: r for r in await db.rows(conn, "preview_rows_of", id=preview_id)}
    await db.rows(conn, "lock_pairs", ids=sorted(shown))
    now_lines = {line.pair: line for line in await _lines(conn, route)}
    same = [
        line
        for pair, line in now_lines.items()
        if pair in shown and (shown[pair]["action"], shown[pair]["gap"]) == (line.row.action.value, _gap(line.row))
    ]
    blind = {r["id"] for r in await db.rows(conn, "unreadable_pairs", route_id=route["id"])}
    confirmed = [
        line
        for line in same
        if line.row.action is not PreviewAction.EXCLUDED and (_has_numbers(line) or line.pair in blind)
    ]
    now = house.now()
    if AlignPolicy(route["align"]) is AlignPolicy.LEDGER_WINS:
        await db.run(conn, "drop_rises", ids=[line.pair for line in confirmed])
    await db.run(
        conn,
        "align_pairs",
        ids=[line.pair for line in confirmed],
        kept=[line.row.kept for line in confirmed],
        owed=[line.row.owed for line in confirmed],
        now=now,
    )
    await db.run(conn, "accept_preview", id=preview_id, now=now)
    return {"aligned": len(confirmed), "changed": len(shown) - len(same)}


def _has_numbers(line: PreviewLine) -> bool:
    """A cell that must be switched on first has no number yet: it is aligned as a new pair once it was read."""
    return line.row.before is not None


async def stop(house: House, name: str, *, actor: str) -> dict[str, int]:
    """Stop a route: nothing more is composed. Ops under way still get their outcome; numbers stay as they are."""
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        await db.run(conn, "forget_stop_counts", route_id=route["id"])
        await db.run(
            conn, "set_route_state", id=route["id"], state="stopped", stopped_by="person", blockers=route["blockers"]
        )
        await db.run(conn, "put_due_route", route_id=route["id"])
        counts = await db.row(conn, "route_counts", route_id=route["id"])
        await _audit(house, conn, actor, "route.stopped", name, {"state": route["state"]}, {"state": "stopped"})
        await db.notify(conn, "decide")
    return dict(counts) if counts is not None else {}


async def _audit(
    house: House, conn: Connection, actor: str, action: str, subject: str, before: Any, after: Any
) -> None:
    await db.run(
        conn, "write_audit", at=house.now(), actor=actor, action=action, subject=subject, before=before, after=after
    )
