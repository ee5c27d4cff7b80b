"""Routes of a configuration: what the file wants beside what is stored, and what may be done about the difference.

A stop by a person or a brake is never undone from here. What decides which numbers are written (direction, places,
codes, sets, basis, publish) changes only while a route is stopped, and is an alignment: it waits for a preview. What a
route publishes may change while it runs, too: then it is a run, unless the brake would hold such a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory_sync.config import Direction, RouteDocument, RouteState
from inventory_sync.engine import apply_made, route_states, watching
from inventory_sync.engine.apply_made import PLACES, TABLES, Made
from inventory_sync.engine.apply_report import Change, FieldChange, What
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.matching import match_route
from inventory_sync.engine.previews import refuse_used
from inventory_sync.engine.publishing import overrides
from inventory_sync.engine.routes import NoSuch, RefusedByRule, route_named
from inventory_sync.engine.stored import REMOVED
from inventory_sync.store import db
from inventory_sync.store.db import Connection

FIRST_ALIGNMENT = "first_alignment"
ALIGNMENT = "alignment"

_AUTO = ("auto_buffer", "auto_most", "end_when")
_PUBLISH = frozenset({"buffer", "percent", "maximum", *_AUTO})
_NUMBERS = _PUBLISH | {"direction", "sales", "ledger_basis"}
_MATCH = frozenset({"ledger_field", "channel_fields", "listings"}) | TABLES
_GUARDED = _NUMBERS | _MATCH | PLACES | {"intake"}
_TERMS = ("listings", "ledger_basis", "booked_within", "intake")
_STOPPERS = {"person": "a person", "brake": "the brake"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What becomes of one route. `start`: it is to be set running after the commit, with a preview or without."""

    change: Change
    start: bool = False


def wants_running(document: RouteDocument) -> bool:
    return document.state is RouteState.RUNNING


def wants_watching(document: RouteDocument) -> bool:
    return document.state is RouteState.WATCHING


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
    made = await apply_made.stored(conn, route["id"])
    return await _Existing(house, conn, document, route, made, accepting, actor).save()


def columns(document: RouteDocument) -> dict[str, Any]:
    """A route's own columns as the file wants them."""
    return {
        "direction": document.direction.value,
        "sales": document.sales.value,
        "ledger_field": document.ledger_field,
        "channel_fields": list(document.channel_fields),
        "listings": document.listings.value,
        "ledger_basis": document.ledger_quantity,
        "booked_within": document.booked_within,
        "intake": document.intake,
        "buffer": document.publish.buffer,
        "percent": document.publish.percent,
        "maximum": document.publish.maximum,
        "auto_buffer": document.auto_buffer,
        "auto_most": document.auto_most,
        "end_when": document.publish.end_when,
        "align": document.align.value,
    }


async def _put_columns(conn: Connection, route_id: int, document: RouteDocument) -> None:
    wanted = columns(document)
    terms = {key: wanted.pop(key) for key in _TERMS}
    await db.run(conn, "set_publish_terms", id=route_id, **{key: wanted.pop(key) for key in _AUTO})
    await db.run(conn, "update_route", id=route_id, **wanted)
    await db.run(conn, "set_route_terms", id=route_id, pooled=document.pool is not None, **terms)


async def _check_basis(conn: Connection, route: db.Record, document: RouteDocument) -> None:
    """All routes of a ledger take its number the same way: goods that orders have taken are in it, or they are not."""
    others = await db.rows(
        conn,
        "other_bases",
        ledger_id=route["ledger_id"],
        route_id=route["id"],
        basis=document.ledger_quantity,
    )
    if others:
        raise RefusedByRule(
            "IS-RTE-014",
            f"The route {document.name} takes the ledger's number as {document.ledger_quantity}, and "
            f"{others[0]['name']} takes it as {others[0]['ledger_basis']}: either goods that orders have taken are in "
            "it or they are not. Write the same `quantity: {ledger: …}` for every route of this ledger.",
            f"ルート {document.name} は台帳の数を {document.ledger_quantity} として、"
            f"{others[0]['name']} は {others[0]['ledger_basis']} として扱います。"
            "受注済みの分を含むかどうかは台帳ごとに一つです。"
            "この台帳のすべてのルートに同じ `quantity: {ledger: …}` を書いてください。",
        )


async def _match(house: House, conn: Connection, name: str) -> None:
    """Match a route under its new settings. Raises RefusedByRule where something owed would be forgotten by that."""
    found = await match_route(house, conn, await route_named(conn, name))
    if found is not None and found["owed_let_go"]:
        raise RefusedByRule(
            "IS-RTE-016",
            f"{found['owed_let_go']} pairs of the route {name} still owe the ledger sales of an item that the file "
            f"takes out of its set. Start the route as it was (`inventory-sync route start {name} --yes`), let it come "
            "to rest, stop it, and apply the file again.",
            f"ルート {name} の {found['owed_let_go']} 件の紐付けに、このファイルがセットから外す商品の売上で、"
            "まだ台帳に計上していないものがあります。"
            f"元の設定でルートを開始し(`inventory-sync route start {name} --yes`)、"
            "落ち着いてから停止して、もう一度適用してください。",
        )


async def _create(
    house: House, conn: Connection, document: RouteDocument, ids: Mapping[str, int], *, accepting: bool, actor: str
) -> Wanted:
    if accepting:
        raise _unfit_preview(document.name, "the route does not exist yet")
    wanted, made = columns(document), apply_made.wanted(document)
    route_id = await db.value(
        conn,
        "insert_route",
        name=document.name,
        ledger_id=ids[document.ledger],
        channel_id=ids[document.channel],
        **{key: value for key, value in wanted.items() if key not in (*_TERMS, *_AUTO)},
    )
    await _put_columns(conn, route_id, document)
    state, why = ("blocked", [FIRST_ALIGNMENT]) if wants_running(document) else ("draft", [])
    await db.run(conn, "set_route_state", id=route_id, state=state, stopped_by="", blockers=why)
    route = await route_named(conn, document.name)
    await _check_basis(conn, route, document)
    await apply_made.map_places(conn, route, made)
    await apply_made.put_tables(conn, route_id, made)
    await db.value(conn, "take_over_pairs", route_id=route_id, now=house.now())
    await _match(house, conn, document.name)
    route = await route_named(conn, document.name)
    if wants_watching(document):
        await watching.enter(house, conn, route, actor=actor)
        route = await route_named(conn, document.name)
    after = wanted | apply_made.audited(made, _NOTHING) | {"state": route["state"]}
    await write_audit(house, conn, actor, "route.created", document.name, None, after)
    fields = [FieldChange(key, None, value) for key, value in wanted.items()]
    fields += [FieldChange(each.field, None, each.after) for each in apply_made.differences(_NOTHING, made)]
    return Wanted(Change(document.name, What.CREATED, route["state"], tuple(fields)))


_NOTHING = Made((), (), {}, {})


@dataclass(slots=True)
class _Existing:
    """A stored route on its way to what the file wants."""

    house: House
    conn: Connection
    document: RouteDocument
    route: db.Record
    made: Made
    accepting: bool
    actor: str

    async def save(self) -> Wanted:
        fields = self._fields()
        self._refuse(fields)
        touched = {each.field for each in fields}
        stopping = self.route["state"] == "running" and not wants_running(self.document)
        guarded = touched & (_GUARDED - _PUBLISH if self._runs_on else _GUARDED)
        if stopping:
            await self._stop()
        if touched:
            await self._write(touched)
        state, start = await self._state(bool(guarded), stopping)
        if not touched and state == self.route["state"]:
            return Wanted(Change(self.document.name, What.UNCHANGED, state), start)
        wanted = apply_made.wanted(self.document)
        before = columns_of(self.route) | apply_made.audited(self.made, wanted) | {"state": self.route["state"]}
        after = columns(self.document) | apply_made.audited(wanted, self.made) | {"state": state}
        await write_audit(self.house, self.conn, self.actor, "route.changed", self.document.name, before, after)
        if state != self.route["state"]:
            fields = (*fields, FieldChange("state", self.route["state"], state))
        return Wanted(Change(self.document.name, What.CHANGED, state, fields), start)

    def _fields(self) -> tuple[FieldChange, ...]:
        before, wanted = columns_of(self.route), columns(self.document)
        found = [FieldChange(key, before[key], wanted[key]) for key in wanted if before[key] != wanted[key]]
        return (*found, *apply_made.differences(self.made, apply_made.wanted(self.document)))

    def _refuse(self, fields: tuple[FieldChange, ...]) -> None:
        name, route = self.document.name, self.route
        if (route["ledger"], route["channel"]) != (self.document.ledger, self.document.channel):
            raise RefusedByRule(
                "IS-RTE-007",
                f"The route {name} joins {route['ledger']} and {route['channel']}, and that never changes: give the "
                "new route a name of its own.",
                f"ルート {name} は {route['ledger']} と {route['channel']} を結ぶもので、"
                "変更できません。新しいルートには別の名前を付けてください。",
            )
        if not wants_running(self.document) and not wants_watching(self.document):
            return
        stopper = _STOPPERS.get(route["stopped_by"])
        if route["state"] not in ("running", "watching") and stopper is not None:
            raise RefusedByRule(
                "IS-RTE-005",
                f"The route {name} was stopped by {stopper}, and a configuration file never undoes that. Look at "
                f"`inventory-sync route show {name}`, then start it with `inventory-sync route start {name} --yes`.",
                f"ルート {name} は停止しています({stopper})。設定ファイルで再開することはありません。"
                f"`inventory-sync route show {name}` を確認し、"
                f"`inventory-sync route start {name} --yes` で開始してください。",
            )
        fixed = _GUARDED - _PUBLISH if self._runs_on else _GUARDED
        guarded = [each.field for each in fields if each.field in fixed]
        if route["state"] == "running" and wants_running(self.document) and guarded:
            raise RefusedByRule(
                "IS-RTE-006",
                f"The route {name} is running, and {', '.join(guarded)} would change which numbers it writes: stop it "
                f"first (`inventory-sync route stop {name}`, or `state: stopped` in the file), then apply again.",
                f"ルート {name} は稼働中で、{', '.join(guarded)} の変更は書き込む数を変えます。"
                f"先に停止し(`inventory-sync route stop {name}`、またはファイルで `state: stopped`)、"
                "もう一度適用してください。",
            )
        if self.accepting and guarded:
            raise _unfit_preview(name, f"it was made before {', '.join(guarded)} changed")

    @property
    def _runs_on(self) -> bool:
        """The route runs and goes on running: what it publishes may change, as a run."""
        return bool(self.route["state"] == "running") and wants_running(self.document)

    async def _stop(self) -> None:
        await db.run(self.conn, "forget_stop_counts", route_id=self.route["id"])
        await db.run(self.conn, "put_due_route", route_id=self.route["id"])

    async def _write(self, touched: set[str]) -> None:
        conn, route_id, now = self.conn, self.route["id"], self.house.now()
        wanted = apply_made.wanted(self.document)
        retold = await overrides.told(conn, route_id) if self._runs_on and touched & _PUBLISH else None
        if touched & PLACES:
            await db.run(conn, "delete_location_pairs", route_id=route_id)
        await _put_columns(conn, route_id, self.document)
        await _check_basis(conn, self.route, self.document)
        await self._refuse_to_owe_for_ever()
        if touched & PLACES:
            await apply_made.map_places(conn, self.route, wanted)
            await db.value(conn, "suspend_unmapped", route_id=route_id, now=now)
            await db.value(conn, "take_over_pairs", route_id=route_id, now=now)
        if touched & TABLES:
            await apply_made.put_tables(conn, route_id, wanted)
        if retold is not None:
            await overrides.retell(self.house, conn, await route_named(conn, self.document.name), retold, self.actor)
            return
        if touched & _NUMBERS:
            await db.run(conn, "unalign_pairs", route_id=route_id, now=now, reason="configuration")
        if touched & (_MATCH | PLACES):
            await _match(self.house, conn, self.document.name)
        await db.run(conn, "put_due_route", route_id=route_id)

    async def _refuse_to_owe_for_ever(self) -> None:
        """A route that writes the ledger no more leaves nothing that it still has to book there."""
        if self.document.direction is not Direction.LEDGER_TO_CHANNEL:
            return
        pairs = await db.value(self.conn, "count_owing", route_id=self.route["id"])
        if pairs:
            name = self.document.name
            raise RefusedByRule(
                "IS-RTE-015",
                f"{pairs} pairs of the route {name} still owe the ledger what the channel moved, and ledger_to_channel "
                f"never writes the ledger. Start the route as it was (`inventory-sync route start {name} --yes`), let "
                "it come to rest, stop it, and apply the file again.",
                f"ルート {name} の {pairs} 件の紐付けに、まだ台帳に計上していない販売チャネルの変動があります。"
                "ledger_to_channel は台帳に書き込みません。"
                f"元の設定でルートを開始し(`inventory-sync route start {name} --yes`)、"
                "落ち着いてから停止して、もう一度適用してください。",
            )

    async def _state(self, guarded: bool, stopping: bool) -> tuple[str, bool]:
        """Set the state that the file wants, as far as that is not a start. Says which, and whether a start is due."""
        route = await route_named(self.conn, self.document.name)
        if wants_watching(self.document):
            if route["state"] != "watching" or guarded:
                await watching.enter(self.house, self.conn, route, actor=self.actor)
            return "watching", False
        state, by, why = route["state"], route["stopped_by"], list(route["blockers"])
        stopping = stopping or state == "watching"
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
        hindrances = await route_states.hindrances(self.conn, self.route)
        if hindrances:
            name = self.document.name
            raise RefusedByRule("IS-RTE-001", *route_states.cannot(name, "start", "開始", hindrances))


def columns_of(route: db.Record) -> dict[str, Any]:
    """A stored route's own columns."""
    keys = ("direction", "sales", "ledger_field", "channel_fields", *_TERMS, *sorted(_PUBLISH), "align")
    return {key: route[key] for key in keys}


async def preview_route(conn: Connection, preview_id: str, documents: Mapping[str, RouteDocument]) -> str | None:
    """The route that an accepted preview starts; None if it was accepted before and its route runs already.

    Raises NoSuch for an unknown preview, RefusedByRule for one that does not fit the file.
    """
    kept = await db.row(conn, "preview_by_id", id=preview_id)
    if kept is None:
        raise NoSuch(
            f"There is no preview {preview_id!r}. Make one with `inventory-sync route preview NAME`.",
            f"プレビュー「{preview_id}」はありません。`inventory-sync route preview NAME` で作成してください。",
        )
    name = str(kept["route"])
    if name not in documents:
        raise _unfit_preview(name, "the file does not name that route")
    if not wants_running(documents[name]):
        raise _unfit_preview(name, "the file says that the route is stopped")
    route = await route_named(conn, name)
    if kept["accepted_at"] is not None and route["state"] == "running":
        return None
    refuse_used(kept)
    return name


def _unfit_preview(name: str, reason: str) -> RefusedByRule:
    return RefusedByRule(
        "IS-RTE-012",
        f"The preview of the route {name} cannot be accepted with this file: {reason}. Apply the file without "
        f"--accept, look at `inventory-sync route preview {name}`, and accept that one.",
        f"ルート {name} のプレビューは、このファイルでは承認できません({reason})。"
        f"--accept を付けずに適用し、`inventory-sync route preview {name}` を確認して、"
        "そちらを承認してください。",
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
