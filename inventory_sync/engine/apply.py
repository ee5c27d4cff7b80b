"""Applying a configuration file: safe to repeat, and all of it or nothing.

First every new or changed connection is proven at its partner, with nothing saved. Then one transaction writes it all,
under one lock; a dry run does the same and takes it back. Routes that are to run start after the commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
import structlog

from inventory_sync.config import ConfigDocument
from inventory_sync.config.problems import SIDES_JA
from inventory_sync.engine import apply_connections, apply_routes, routes
from inventory_sync.engine.apply_connections import MakeClient, Proof
from inventory_sync.engine.apply_places import Places, look_up, needed_keys, with_only_places, with_stored_places
from inventory_sync.engine.apply_report import ApplyFailed, ApplyReport, Change, FieldChange, Note, Problem, What
from inventory_sync.engine.apply_routes import Wanted
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.engine.stored import REMOVED
from inventory_sync.secrets import SecretBox
from inventory_sync.store import db
from inventory_sync.store.db import Connection
from inventory_sync.systems.port import Role, SystemDefinition

log = structlog.get_logger()

ATTEMPTS = 3
"""How often the transaction is tried where the database breaks a deadlock with the engine's own work."""

_CYCLE = "IS002"
_UNIQUE: dict[str, tuple[str, str, str]] = {
    "connections_system_identity_key": (
        "IS-CON-003",
        "Two connections would belong to the same shop or contract: a shop is one connection, so keep one of them.",
        "二つの接続が同じショップ(契約)のものになります。一つのショップは一つの接続です。どちらか一つだけを残して"
        "ください。",
    ),
    "location_pairs_ledger_location_channel_id_key": (
        "IS-RTE-009",
        "A ledger location would feed two locations of the same shop: take it out of one of the two routes.",
        "在庫台帳の一つのロケーションから、同じショップの二つのロケーションに在庫が渡ります。どちらかのルートから"
        "外してください。",
    ),
    "location_pairs_pkey": (
        "IS-RTE-009",
        "A ledger location stands twice in one route: locations are one to one.",
        "一つのルートに在庫台帳の同じロケーションが二つあります。ロケーションは 1 対 1 で紐付けてください。",
    ),
    "location_pairs_intake": (
        "IS-RTE-009",
        "A channel location would take what comes back to two ledger locations: one of a pool takes it.",
        "販売チャネルの一つのロケーションから戻る分を、在庫台帳の二つのロケーションが受け入れることになります。"
        "プールで受け入れるのは一つだけです。",
    ),
    "location_pairs_one": (
        "IS-RTE-009",
        "A channel location stands twice in one route: locations are one to one.",
        "一つのルートに販売チャネルの同じロケーションが二つあります。ロケーションは 1 対 1 で紐付けてください。",
    ),
    "pairs_channel_cell_key": (
        "IS-RTE-013",
        "An item at a channel location would get its number from two ledgers: one of the two routes must leave that "
        "location alone.",
        "販売チャネルの一つのロケーションの商品が、二つの在庫台帳から在庫数を受け取ることになります。どちらかのルートから"
        "そのロケーションを外してください。",
    ),
}


async def apply(
    house: House,
    document: ConfigDocument,
    *,
    systems: Mapping[str, SystemDefinition],
    make_client: MakeClient,
    box: SecretBox,
    actor: str,
    dry_run: bool = False,
    prune: bool = False,
    accept: str | None = None,
) -> ApplyReport:
    """Bring connections and routes to what the file says; what it does not name is left alone unless `prune`.

    `accept` is the id of a preview, whose route starts with it. `dry_run` reports the same and changes nothing.
    Raises ApplyFailed, RefusedByRule, NoSuch, or RetryLater where a partner is busy; each means that nothing changed.
    """
    stored = {record["name"]: record for record in await db.rows(house.pool, "connections_all")}
    _check_roles(document, stored, systems)
    proofs = await apply_connections.prove(stored, document, systems=systems, make_client=make_client, box=box)
    mapped, pooled = await _mapped(house)
    document = with_stored_places(document, pooled)
    needed = needed_keys(document, mapped)
    places = await look_up(house, needed, proofs, stored, systems=systems, make_client=make_client, box=box)
    document = with_only_places(document, places)
    act = _Act(house, document, stored, proofs, places, box, actor, prune, accept)
    done = await _commit(act, dry_run)
    for name, wanted in done.wanted.items():
        if wanted.start:
            preview_id = accept if name == done.accepted else None
            if not dry_run:
                await routes.start(house, name, preview_id=preview_id, actor=actor)
            done.started[name] = _running(wanted.change)
    report = _report(act, done, dry_run)
    if report.changed and not dry_run:
        log.info("configuration.applied", actor=actor, started=list(report.started), removed=list(report.removed))
    return report


def _running(change: Change) -> Change:
    """The change of a route that was started on top of it."""
    if change.state == "running":
        return change
    fields = [each for each in change.fields if each.field != "state"]
    before = next((each.before for each in change.fields if each.field == "state"), change.state)
    what = What.CHANGED if change.what is What.UNCHANGED else change.what
    return Change(change.name, what, "running", (*fields, FieldChange("state", before, "running")))


def _check_roles(
    document: ConfigDocument, stored: Mapping[str, db.Record], systems: Mapping[str, SystemDefinition]
) -> None:
    kinds = {name: record["system"] for name, record in stored.items() if record["state_code"] != REMOVED}
    kinds |= {each.name: each.system for each in document.connections}
    problems: list[Problem] = []
    for route in document.routes:
        for role, name in ((Role.LEDGER, route.ledger), (Role.CHANNEL, route.channel)):
            where, where_ja = f"route {route.name}, {role.value}", f"ルート {route.name}、{role.value}"
            if name not in kinds or kinds[name] not in systems:
                known = ", ".join(kinds)
                problems.append(
                    Problem(
                        where,
                        f"there is no connection {name!r}.",
                        f"Known: {known or 'none'}.",
                        "IS-CFG-022",
                        where_ja,
                        f"「{name}」という名前の接続はありません。",
                        f"使える接続: {known or 'まだありません'}。",
                    )
                )
            elif role not in systems[kinds[name]].capabilities.roles:
                system = systems[kinds[name]]
                problems.append(
                    Problem(
                        where,
                        f"{system.title_en} cannot be the {role.value} of a route.",
                        "Name another connection.",
                        "IS-CFG-023",
                        where_ja,
                        f"{system.title_ja}はルートの{SIDES_JA[role.value]}にできません。",
                        "別の接続を指定してください。",
                    )
                )
    if problems:
        raise ApplyFailed(problems)


async def _mapped(house: House) -> tuple[dict[str, set[tuple[str, str]]], dict[str, str]]:
    """The pairs of locations of every stored route, and of those with a pool the channel's location."""
    found: dict[str, set[tuple[str, str]]] = {}
    pooled: dict[str, str] = {}
    for route in await db.rows(house.pool, "routes_all"):
        pairs = await db.rows(house.pool, "location_pairs_of", route_id=route["id"])
        found[route["name"]] = {(r["ledger_location"], r["channel_location"]) for r in pairs}
        if pairs and pairs[0]["pooled"]:
            pooled[route["name"]] = pairs[0]["channel_location"]
    return found, pooled


class _Done:
    """What the transaction did."""

    def __init__(self) -> None:
        self.connections: list[Change] = []
        self.wanted: dict[str, Wanted] = {}
        self.started: dict[str, Change] = {}
        self.removed_routes: list[Change] = []
        self.accepted: str | None = None
        self.surplus: list[Note] = []


class _TakenBack(Exception):
    """Ends the transaction of a dry run, which did all of it and keeps nothing."""

    def __init__(self, done: _Done) -> None:
        super().__init__()
        self.done = done


class _Act:
    """Everything the transaction needs; `carry_out` may be called again after a deadlock."""

    def __init__(
        self,
        house: House,
        document: ConfigDocument,
        stored: Mapping[str, db.Record],
        proofs: Mapping[str, Proof],
        places: Mapping[str, Places],
        box: SecretBox,
        actor: str,
        prune: bool,
        accept: str | None,
    ) -> None:
        self.house, self.document, self.stored, self.proofs, self.places = house, document, stored, proofs, places
        self.box, self.actor, self.prune, self.accept = box, actor, prune, accept

    async def carry_out(self, conn: Connection) -> _Done:
        """Write everything down in the caller's transaction."""
        await db.value(conn, "lock_configuration")
        named = {route.name: route for route in self.document.routes}
        ours = [r for r in await db.rows(conn, "routes_all") if r["name"] in named or self.prune]
        await db.rows(conn, "lock_routes", names=[r["name"] for r in ours])
        records = {record["name"]: record for record in await db.rows(conn, "connections_all")}
        self._refuse_if_stale(records)
        done = _Done()
        if self.accept is not None:
            done.accepted = await apply_routes.preview_route(conn, self.accept, named)
        for proof in self.proofs.values():
            done.connections.append(
                await apply_connections.save(self.house, conn, proof, box=self.box, actor=self.actor)
            )
        await self._keep_locations(conn, records)
        if self.prune:
            done.removed_routes = await self._prune_routes(conn, named)
        ids = {record["name"]: record["id"] for record in await db.rows(conn, "connections_all")}
        for route in self.document.routes:
            done.wanted[route.name] = await apply_routes.save(
                self.house, conn, route, ids, accepting=route.name == done.accepted, actor=self.actor
            )
        if self.prune:
            done.connections += await self._prune_connections(conn, records)
        done.surplus = [*await self._surplus(conn), *await self._complaints(conn)]
        if _anything(done):
            await db.notify(conn, "config")
            await db.notify(conn, "decide")
        return done

    def _refuse_if_stale(self, records: Mapping[str, db.Record]) -> None:
        """What was proven before the transaction must still be about the rows that are there now."""
        for name in {*self.proofs, *self.places}:
            before, now = self.stored.get(name), records.get(name)
            if (before and before["version"]) != (now and now["version"]):
                raise RefusedByRule(
                    "IS-CON-005",
                    f"The connection {name} changed meanwhile; apply the file again.",
                    f"接続 {name} がその間に変更されました。設定をもう一度適用してください。",
                )

    async def _keep_locations(self, conn: Connection, records: Mapping[str, db.Record]) -> None:
        for places in self.places.values():
            if places.fetched:
                found = tuple(places.by_key.values())
                await apply_connections.save_locations(conn, records[places.connection]["id"], found)

    async def _prune_routes(self, conn: Connection, named: Mapping[str, Any]) -> list[Change]:
        return [
            await apply_routes.remove(self.house, conn, route, actor=self.actor)
            for route in await db.rows(conn, "routes_all")
            if route["name"] not in named and route["stopped_by"] != REMOVED
        ]

    async def _prune_connections(self, conn: Connection, records: Mapping[str, db.Record]) -> list[Change]:
        """Connections that neither the file nor a route of the file names; no other route is left by now."""
        kept = {each.name for each in self.document.connections}
        kept |= {name for route in self.document.routes for name in (route.ledger, route.channel)}
        return [
            await apply_connections.remove(self.house, conn, record, actor=self.actor)
            for name, record in records.items()
            if name not in kept and record["state_code"] != REMOVED
        ]

    async def _surplus(self, conn: Connection) -> list[Note]:
        """Locations beside the mapped ones: they are left alone, and a person is told so."""
        found: list[Note] = []
        for route in await db.rows(conn, "routes_all"):
            if route["name"] not in {each.name for each in self.document.routes if each.places}:
                continue
            rest = await db.rows(conn, "unmapped_locations", route_id=route["id"])
            if rest:
                which = ", ".join(f"{r['connection']} {r['key']} ({r['name']})" for r in rest)
                en = f"{route['name']}: not mapped, and left alone: {which}."
                ja = f"{route['name']}: 紐付けがなく、変更しないロケーション: {which}"
                found.append(Note("IS-RTE-020", en, ja))
        return found

    async def _complaints(self, conn: Connection) -> list[Note]:
        """What is wrong with the code tables and sets of the file's routes, counted; the match report lists it."""
        named = {each.name for each in self.document.routes if each.codes or each.sets}
        found: list[Note] = []
        for route in await db.rows(conn, "routes_all"):
            count = (route["match_report"] or {}).get("complaints_count", 0)
            if route["name"] in named and count:
                name = route["name"]
                look = f"`inventory-sync route show {name}`"
                en = f"{name}: {count} lines of the code table or sets are not in force: {look}."
                ja = f"{name}: 対応表・セットのうち {count} 件が無効です: {look}"
                found.append(Note("IS-RTE-023", en, ja))
        return found


def _anything(done: _Done) -> bool:
    changes = [*done.connections, *done.removed_routes, *(each.change for each in done.wanted.values())]
    return any(change.what is not What.UNCHANGED for change in changes)


async def _commit(act: _Act, dry_run: bool) -> _Done:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with db.transaction(act.house.pool) as conn:
                done = await act.carry_out(conn)
                if dry_run:
                    raise _TakenBack(done)
            return done
        except _TakenBack as taken_back:
            return taken_back.done
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if attempt == ATTEMPTS:
                raise
        except asyncpg.PostgresError as error:
            raise _in_words(error) from error
    raise AssertionError("the last attempt either returned or raised")


def _in_words(error: asyncpg.PostgresError) -> Exception:
    """A rule of the database in plain words, or the error itself."""
    if error.sqlstate == _CYCLE:
        return RefusedByRule(
            "IS-RTE-008",
            "The routes would form a circle: stock would come back to the ledger it came from. A connection that is "
            "fed by another, directly or not, cannot be a ledger for it.",
            "ルートが輪になり、在庫が元の台帳に戻ります。直接または間接に在庫を受け取る接続を、"
            "その台帳にすることはできません。",
        )
    known = _UNIQUE.get(getattr(error, "constraint_name", None) or "")
    return RefusedByRule(*known) if known is not None else error


def _report(act: _Act, done: _Done, dry_run: bool) -> ApplyReport:
    changes = [done.started.get(name, wanted.change) for name, wanted in done.wanted.items()]
    steps: list[Note] = []
    created = [each.name for each in done.connections if each.what is What.CREATED]
    if created:
        names = ", ".join(created)
        steps.append(
            Note(
                "IS-CON-011",
                f"The catalogue of {names} is imported as soon as `inventory-sync serve` runs.",
                f"`inventory-sync serve` が動いていれば、{names} の商品を取り込みます。",
            )
        )
    for change in changes:
        steps += _next_steps(change)
    notes = [note for proof in act.proofs.values() for note in apply_connections.notes_of(proof)]
    return ApplyReport(
        dry_run,
        tuple(done.connections),
        (*changes, *done.removed_routes),
        tuple(done.started),
        tuple(steps),
        (*notes, *done.surplus),
    )


def _next_steps(change: Change) -> list[Note]:
    if change.state == "running":
        return []
    name = change.name
    if change.state == "watching":
        return [
            Note(
                "IS-RTE-024",
                f"{name} watches and writes nothing. What it finds out: `inventory-sync route watch {name} --report`.",
                f"{name} は見守り中で、何も書き込みません。"
                f"結果は `inventory-sync route watch {name} --report` で確認できます。",
            )
        ]
    if change.state == "blocked":
        return [
            Note(
                "IS-RTE-002",
                f"{name} writes nothing until a preview is accepted: `inventory-sync route preview {name}`, then "
                f"`inventory-sync route start {name} --accept PREVIEW`.",
                f"{name} はプレビューを承認するまで何も書き込みません: `inventory-sync route preview {name}` の後に "
                f"`inventory-sync route start {name} --accept PREVIEW`",
            )
        ]
    return [
        Note(
            "IS-RTE-022",
            f"{name} is stopped and writes nothing. Write `state: running` when it is to run.",
            f"{name} は停止中で、何も書き込みません。動かすときは `state: running` と書いてください。",
        )
    ]
