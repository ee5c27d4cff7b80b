"""What a route is made of beside its own columns: places, a code table and sets, as stored and as a file wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory_sync.config import RouteDocument
from inventory_sync.engine.apply_report import FieldChange
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.store import db
from inventory_sync.store.db import Connection

PLACES = frozenset({"locations", "pool"})
TABLES = frozenset({"match.table", "sets"})
AUDITED = 200
"""How many changed lines of a table the audit log keeps; all are counted."""


@dataclass(frozen=True, slots=True)
class Made:
    """Places, codes and sets of one route. `pooled` are (ledger key, channel key, whether it takes what comes back)."""

    locations: tuple[tuple[str, str], ...]
    pooled: tuple[tuple[str, str, bool], ...]
    codes: Mapping[str, str]
    sets: Mapping[tuple[str, str], int]

    @property
    def pool(self) -> dict[str, Any] | None:
        """The pool as the file writes it; None where locations are paired."""
        if not self.pooled:
            return None
        return {
            "ledger": [ledger for ledger, _, _ in self.pooled],
            "intake": next(ledger for ledger, _, intake in self.pooled if intake),
            "channel": self.pooled[0][1],
        }


def wanted(document: RouteDocument) -> Made:
    """What the file wants. A pool's channel location is known by now."""
    pool = document.pool
    pooled = () if pool is None else tuple((key, pool.channel or "", key == pool.intake) for key in pool.ledger)
    return Made(
        tuple((pair.ledger, pair.channel) for pair in document.locations),
        pooled,
        dict(document.codes),
        {(line.value, line.component): line.ratio for line in document.sets},
    )


async def stored(conn: Connection, route_id: int) -> Made:
    """What is stored of a route."""
    places = await db.rows(conn, "location_pairs_of", route_id=route_id)
    codes = await db.rows(conn, "route_codes_of", route_id=route_id)
    sets = await db.rows(conn, "route_sets_of", route_id=route_id)
    return Made(
        tuple((r["ledger_location"], r["channel_location"]) for r in places if not r["pooled"]),
        tuple((r["ledger_location"], r["channel_location"], r["intake"]) for r in places if r["pooled"]),
        {r["channel_value"]: r["ledger_value"] for r in codes},
        {(r["set_value"], r["component_value"]): r["ratio"] for r in sets},
    )


def differences(before: Made, after: Made) -> list[FieldChange]:
    """What changes, field by field as the file names them; tables as counts of lines."""
    found: list[FieldChange] = []
    if set(before.locations) != set(after.locations):
        found.append(FieldChange("locations", list(before.locations), list(after.locations)))
    if set(before.pooled) != set(after.pooled):
        found.append(FieldChange("pool", before.pool, after.pool))
    for name, here, there in (("match.table", before.codes, after.codes), ("sets", before.sets, after.sets)):
        if here != there:
            found.append(FieldChange(name, f"{len(here)} lines", f"{len(there)} lines, {_changed(here, there)}"))
    return found


def _changed(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> str:
    added, removed = after.keys() - before.keys(), before.keys() - after.keys()
    other = sum(before[key] != after[key] for key in before.keys() & after.keys())
    return f"{len(added)} added, {len(removed)} removed, {other} changed"


def audited(made: Made, beside: Made) -> dict[str, Any]:
    """One side of an entry of the audit log; of tables the lines that the other side does not have."""
    found: dict[str, Any] = {"locations": list(made.locations)}
    if made.pooled or beside.pooled:
        found["pool"] = made.pool
    if made.codes or beside.codes:
        lines: list[Any] = [[*each] for each in made.codes.items() if beside.codes.get(each[0]) != each[1]]
        found["match.table"] = {"lines": len(made.codes), "changed": lines[:AUDITED]}
    if made.sets or beside.sets:
        lines = [[*key, ratio] for key, ratio in made.sets.items() if beside.sets.get(key) != ratio]
        found["sets"] = {"lines": len(made.sets), "changed": lines[:AUDITED]}
    return found


async def map_places(conn: Connection, route: db.Record, made: Made) -> None:
    """Store the places of a route that has none any more. Raises RefusedByRule where one is not there."""
    ends = {"route_id": route["id"], "ledger_id": route["ledger_id"], "channel_id": route["channel_id"]}
    done = [
        await db.value(conn, "insert_location_pair", ledger_key=ledger, channel_key=channel, **ends)
        for ledger, channel in made.locations
    ]
    for ledger, channel, intake in made.pooled:
        keys = {"ledger_key": ledger, "channel_key": channel, "intake": intake}
        done.append(await db.value(conn, "insert_pooled_location", **keys, **ends))
    if None in done:
        raise RefusedByRule(
            "IS-CON-005",
            f"The locations of the route {route['name']} changed meanwhile; apply the file again.",
            f"ルート {route['name']} のロケーションがその間に変更されました。設定をもう一度適用してください。",
        )


async def put_tables(conn: Connection, route_id: int, made: Made) -> None:
    """Store the code table and the sets of a route in place of what was there."""
    await db.run(
        conn,
        "put_route_codes",
        route_id=route_id,
        channel_values=list(made.codes),
        ledger_values=list(made.codes.values()),
    )
    await db.run(
        conn,
        "put_route_sets",
        route_id=route_id,
        set_values=[value for value, _ in made.sets],
        component_values=[component for _, component in made.sets],
        ratios=list(made.sets.values()),
    )
