"""Routes of a configuration: what the file wants beside what is stored, and what may be done about the difference.

A stop by a person or a brake is never undone from here. What decides which numbers are written (direction, match
fields, locations, publish) changes only while a route is stopped, and is an alignment: it waits for a preview.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory_sync.config import RouteDocument, RouteState
from inventory_sync.engine.apply_connections import write_audit
from inventory_sync.engine.apply_report import Change, FieldChange, What
from inventory_sync.engine.catalogue import match_route
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import NoSuch, RefusedByRule, blockers, route_named
from inventory_sync.engine.stored import REMOVED
from inventory_sync.store import db
from inventory_sync.store.db import Connection

FIRST_ALIGNMENT = "first_alignment"
ALIGNMENT = "alignment"

_PUBLISH = frozenset({"buffer", "percent", "maximum"})
_MATCH = frozenset({"ledger_field", "channel_fields"})
_GUARDED = _PUBLISH | _MATCH | {"direction", "locations"}
_STOPPERS = {"person": "a person", "brake": "the brake"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What becomes of one route. `start`: it is to be set running after the commit, with a preview or without."""

    change: Change
    start: bool = False


def wants_running(document: RouteDocument) -> bool:
    return document.state is RouteState.RUNNING


async def save(
    house: House,
    conn: Connection,
    document: RouteDocument,
    ids: Mapping[str, int],
    *,
    accepting: bool,
    actor: str,
) -> Wanted:
    """Bring one stored route to what the file wants, except for starting it. Runs in the caller's transaction.

    `ids` maps connections to their rows; `accepting`: a preview of this route is accepted with this file. Raises
    RefusedByRule.
    """
    route = next((r for r in await db.rows(conn, "routes_all") if r["name"] == document.name), None)
    if route is None:
        return await _create(house, conn, document, ids, accepting=accepting, actor=actor)
    return await _Existing(house, conn, document, route, await _pairs(conn, route["id"]), accepting, actor).save()


def columns(document: RouteDocument) -> dict[str, Any]:
    """A route's own columns as the file wants them."""
    return {
        "direction": document.direction.value,
        "sales": document.sales.value,
        "ledger_field": document.ledger_field,
        "channel_fields": list(document.channel_fields),
        "buffer": document.publish.buffer,
        "percent": document.publish.percent,
        "maximum": document.publish.maximum,
        "align": document.align.value,
    }


async def _pairs(conn: Connection, route_id: int) -> list[tuple[str, str]]:
    rows = await db.rows(conn, "location_pairs_of", route_id=route_id)
    return [(r["ledger_location"], r["channel_location"]) for r in rows]


def _wanted_pairs(document: RouteDocument) -> list[tuple[str, str]]:
    return [(pair.ledger, pair.channel) for pair in document.locations]


async def _create(
    house: House, conn: Connection, document: RouteDocument, ids: Mapping[str, int], *, accepting: bool, actor: str
) -> Wanted:
    if accepting:
        raise _unfit_preview(document.name, "the route does not exist yet")
    wanted = columns(document)
    route_id = await db.value(
        conn,
        "insert_route",
        name=document.name,
        ledger_id=ids[document.ledger],
        channel_id=ids[document.channel],
        **wanted,
    )
    state, why = ("blocked", [FIRST_ALIGNMENT]) if wants_running(document) else ("draft", [])
    await db.run(conn, "set_route_state", id=route_id, state=state, stopped_by="", blockers=why)
    route = await route_named(conn, document.name)
    await _map_locations(conn, route, document)
    await db.value(conn, "take_over_pairs", route_id=route_id, now=house.now())
    await match_route(house, conn, route)
    route = await route_named(conn, document.name)
    after = wanted | {"locations": _wanted_pairs(document), "state": route["state"]}
    await write_audit(house, conn, actor, "route.created", document.name, None, after)
    fields = tuple(FieldChange(key, None, value) for key, value in after.items() if key != "state")
    return Wanted(Change(document.name, What.CREATED, route["state"], fields))


async def _map_locations(conn: Connection, route: db.Record, document: RouteDocument) -> None:
    for pair in document.locations:
        made = await db.value(
            conn,
            "insert_location_pair",
            route_id=route["id"],
            ledger_id=route["ledger_id"],
            channel_id=route["channel_id"],
            ledger_key=pair.ledger,
            channel_key=pair.channel,
        )
        if made is None:
            raise RefusedByRule(
                "IS-CON-005", f"The locations of the route {document.name} changed meanwhile; apply the file again."
            )


@dataclass(slots=True)
class _Existing:
    """A stored route on its way to what the file wants."""

    house: House
    conn: Connection
    document: RouteDocument
    route: db.Record
    pairs: list[tuple[str, str]]
    accepting: bool
    actor: str

    async def save(self) -> Wanted:
        fields = self._fields()
        self._refuse(fields)
        touched = {each.field for each in fields}
        guarded = touched & _GUARDED
        stopping = self.route["state"] == "running" and not wants_running(self.document)
        if stopping:
            await self._stop()
        if touched:
            await self._write(touched)
        state, start = await self._state(bool(guarded), stopping)
        if not touched and state == self.route["state"]:
            return Wanted(Change(self.document.name, What.UNCHANGED, state), start)
        before = columns_of(self.route) | {"locations": self.pairs, "state": self.route["state"]}
        after = columns(self.document) | {"locations": _wanted_pairs(self.document), "state": state}
        await write_audit(self.house, self.conn, self.actor, "route.changed", self.document.name, before, after)
        if state != self.route["state"]:
            fields = (*fields, FieldChange("state", self.route["state"], state))
        return Wanted(Change(self.document.name, What.CHANGED, state, fields), start)

    def _fields(self) -> tuple[FieldChange, ...]:
        before, wanted = columns_of(self.route), columns(self.document)
        found = [FieldChange(key, before[key], wanted[key]) for key in wanted if before[key] != wanted[key]]
        if set(self.pairs) != set(_wanted_pairs(self.document)):
            found.append(FieldChange("locations", self.pairs, _wanted_pairs(self.document)))
        return tuple(found)

    def _refuse(self, fields: tuple[FieldChange, ...]) -> None:
        name, route = self.document.name, self.route
        if (route["ledger"], route["channel"]) != (self.document.ledger, self.document.channel):
            raise RefusedByRule(
                "IS-RTE-007",
                f"The route {name} joins {route['ledger']} and {route['channel']}, and that never changes: give the "
                "new route a name of its own.",
            )
        if not wants_running(self.document):
            return
        stopper = _STOPPERS.get(route["stopped_by"])
        if route["state"] != "running" and stopper is not None:
            raise RefusedByRule(
                "IS-RTE-005",
                f"The route {name} was stopped by {stopper}, and a configuration file never undoes that. Look at "
                f"`inventory-sync route show {name}`, then start it with `inventory-sync route start {name} --yes`.",
            )
        guarded = [each.field for each in fields if each.field in _GUARDED]
        if route["state"] == "running" and guarded:
            raise RefusedByRule(
                "IS-RTE-006",
                f"The route {name} is running, and {', '.join(guarded)} would change which numbers it writes: stop it "
                f"first (`inventory-sync route stop {name}`, or `state: stopped` in the file), then apply again.",
            )
        if self.accepting and guarded:
            raise _unfit_preview(name, f"it was made before {', '.join(guarded)} changed")

    async def _stop(self) -> None:
        await db.run(self.conn, "forget_stop_counts", route_id=self.route["id"])
        await db.run(self.conn, "put_due_route", route_id=self.route["id"])

    async def _write(self, touched: set[str]) -> None:
        conn, route_id, now = self.conn, self.route["id"], self.house.now()
        await db.run(conn, "update_route", id=route_id, **columns(self.document))
        if "locations" in touched:
            await db.run(conn, "delete_location_pairs", route_id=route_id)
            await _map_locations(conn, self.route, self.document)
            await db.value(conn, "suspend_unmapped", route_id=route_id, now=now)
            await db.value(conn, "take_over_pairs", route_id=route_id, now=now)
        if touched & (_PUBLISH | {"direction"}):
            await db.run(conn, "unalign_pairs", route_id=route_id, now=now, reason="configuration")
        if touched & (_MATCH | {"locations"}):
            await match_route(self.house, conn, await route_named(conn, self.document.name))
        await db.run(conn, "put_due_route", route_id=route_id)

    async def _state(self, guarded: bool, stopping: bool) -> tuple[str, bool]:
        """Set the state that the file wants, as far as that is not a start. Says which, and whether a start is due."""
        route = await route_named(self.conn, self.document.name)
        state, by, why = route["state"], route["stopped_by"], list(route["blockers"])
        if guarded and route["ever_aligned"] and ALIGNMENT not in why:
            why.append(ALIGNMENT)
        start = False
        if not wants_running(self.document):
            if stopping or by == REMOVED:
                state, by = "stopped", "file"
            elif state == "blocked" and set(why) <= {FIRST_ALIGNMENT, ALIGNMENT}:
                state = "stopped" if route["matched_at"] is not None else "draft"
                why = [each for each in why if each != FIRST_ALIGNMENT]
        elif self.accepting:
            start = True
        elif state != "running":
            start = state == "stopped" and route["ever_aligned"] and not why and by != REMOVED
            if not start:
                state, by = "blocked", "" if by == REMOVED else by
                if not why:
                    why = [ALIGNMENT if route["ever_aligned"] else FIRST_ALIGNMENT]
        if (state, by, why) != (self.route["state"], self.route["stopped_by"], self.route["blockers"]):
            await db.run(self.conn, "set_route_state", id=route["id"], state=state, stopped_by=by, blockers=why)
        if start:
            await self._refuse_start()
        return state, start

    async def _refuse_start(self) -> None:
        hindrances = await blockers(self.conn, self.route)
        if hindrances:
            name = self.document.name
            raise RefusedByRule("IS-RTE-001", f"The route {name} cannot start yet: {', '.join(hindrances)}.")


def columns_of(route: db.Record) -> dict[str, Any]:
    """A stored route's own columns."""
    keys = ("direction", "sales", "ledger_field", "channel_fields", "buffer", "percent", "maximum", "align")
    return {key: route[key] for key in keys}


async def preview_route(conn: Connection, preview_id: str, documents: Mapping[str, RouteDocument]) -> str | None:
    """The route that an accepted preview starts; None if it was accepted before and its route runs already.

    Raises NoSuch for an unknown preview, RefusedByRule for one that does not fit the file.
    """
    kept = await db.row(conn, "preview_by_id", id=preview_id)
    if kept is None:
        raise NoSuch(f"There is no preview {preview_id!r}. Make one with `inventory-sync route preview NAME`.")
    name = str(kept["route"])
    if name not in documents:
        raise _unfit_preview(name, "the file does not name that route")
    if not wants_running(documents[name]):
        raise _unfit_preview(name, "the file says that the route is stopped")
    route = await route_named(conn, name)
    if kept["accepted_at"] is None:
        return name
    if route["state"] == "running":
        return None
    raise RefusedByRule("IS-RTE-003", f"The preview {preview_id} was accepted before; make a new one.")


def _unfit_preview(name: str, reason: str) -> RefusedByRule:
    return RefusedByRule(
        "IS-RTE-012",
        f"The preview of the route {name} cannot be accepted with this file: {reason}. Apply the file without "
        f"--accept, look at `inventory-sync route preview {name}`, and accept that one.",
    )


async def remove(house: House, conn: Connection, route: db.Record, *, actor: str) -> Change:
    """Stop a route that the file names no more and write its pairs no more. The numbers stay as they are."""
    now = house.now()
    await db.run(conn, "forget_stop_counts", route_id=route["id"])
    await db.run(conn, "set_route_state", id=route["id"], state="stopped", stopped_by=REMOVED, blockers=[])
    suspended = await db.value(conn, "suspend_route", route_id=route["id"], now=now, reason=REMOVED)
    await db.run(conn, "delete_location_pairs", route_id=route["id"])
    await db.run(conn, "put_due_route", route_id=route["id"])
    before = columns_of(route) | {"state": route["state"]}
    await write_audit(house, conn, actor, "route.removed", route["name"], before, {"suspended_pairs": suspended})
    return Change(route["name"], What.REMOVED, REMOVED)
