"""Matching: which channel item is made of which ledger items, and the pairs that follow from it.

Pairs whose items match no longer are suspended, never deleted. A pair that is to be made of other ledger cells than
before is suspended first and comes back as a new pair, once nothing that it sent to the ledger is under way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from inventory_sync.engine import order_policy
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import route_named
from inventory_sync.model.assembly import Assembly, Complaint, Sayings, Trouble, assemble
from inventory_sync.model.ids import ItemId
from inventory_sync.model.matching import Candidate
from inventory_sync.store import db
from inventory_sync.store.db import Connection

SHOWN = 200
"""How many unmatched values, ambiguities, near misses and sets a match report keeps of each kind; all are counted."""

_TROUBLES: Mapping[Trouble, tuple[str, str]] = {
    Trouble.NO_SUCH_LEDGER_CODE: (
        "the code table says that it is {other!r} in the ledger, which no item there has",
        "対応表では台帳の {other!r} ですが、その商品は台帳にありません",
    ),
    Trouble.NO_SUCH_CHANNEL_CODE: (
        "the code table names it, and no item of the channel has it",
        "対応表にありますが、販売チャネルにその商品はありません",
    ),
    Trouble.UNKNOWN_COMPONENT: (
        "the set is left out as a whole: no item of the ledger has its component {other!r}",
        "構成品 {other!r} が台帳にないため、このセットは対象外です",
    ),
    Trouble.AMBIGUOUS_COMPONENT: (
        "the set is left out as a whole: several items of the ledger have its component {other!r}",
        "構成品 {other!r} が台帳に複数あるため、このセットは対象外です",
    ),
    Trouble.NO_SUCH_LISTING: (
        "no listing of the channel has the code of this set",
        "このセットのコードを持つ商品が販売チャネルにありません",
    ),
}


async def match_routes(house: House, conn: Connection, connection_id: int) -> None:
    """Match every route of a connection again. Runs in the caller's transaction."""
    for route in await db.rows(conn, "routes_all"):
        if connection_id in (route["ledger_id"], route["channel_id"]):
            await match_route(house, conn, route)


async def match_again(house: House) -> int:
    """Match the routes again whose pairs waited for an op to settle. Says how many."""
    waiting = {record["id"] for record in await db.rows(house.pool, "routes_to_match_again")}
    if not waiting:
        return 0
    async with db.transaction(house.pool) as conn:
        for route in await db.rows(conn, "routes_all"):
            if route["id"] in waiting:
                await match_route(house, conn, route)
    return len(waiting)


async def match_now(house: House, name: str, *, actor: str) -> bool:
    """Match one route because a person asks for it. False while its catalogues or places are lacking. Raises NoSuch."""
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        found = await match_route(house, conn, route, by_person=True)
        if found is None:
            return False
        if route["unmapped_at"] is not None:
            await db.run(conn, "map_again", route_id=route["id"])
            await db.run(conn, "read_anew", route_id=route["id"], now=house.now())
            for end in ("ledger_id", "channel_id"):
                await db.notify(conn, f"connection:{route[end]}")
        counts = {key: found[key] for key in ("matched", "pairs_made", "pairs_suspended")}
        await write_audit(house, conn, actor, "route.matched", name, None, counts)
    return True


async def match_route(house: House, conn: Connection, route: Any, *, by_person: bool = False) -> dict[str, Any] | None:
    """Match both catalogues of a route by exact value and make its pairs; None until both are imported and mapped.

    A mapping that a person deleted is made again by a person only (`by_person`).

    Runs in the caller's transaction. Besides the report's parts the answer has `owed_let_go`: pairs that owed something
    to a ledger cell in whose place no other comes; who made the change must refuse it.
    """
    now = house.now()
    if route["unmapped_at"] is not None and not by_person:
        return None
    imported = await conn.fetchval(
        "select count(*) from connections where id = any($1::bigint[]) and catalogue_import is not null",
        [route["ledger_id"], route["channel_id"]],
    )
    if imported < 2 or not await db.rows(conn, "location_pairs_of", route_id=route["id"]):
        return None
    ledger = await _items(conn, route["ledger_id"], [route["ledger_field"]])
    channel = await _items(conn, route["channel_id"], route["channel_fields"])
    said = await _sayings(conn, route)
    found = assemble(_candidates(ledger, [route["ledger_field"]]), _candidates(channel, route["channel_fields"]), said)
    done = await _make_pairs(house, conn, route, found)
    let_go = done.pop("owed_let_go")
    summary = _summary(found, said, {"ledger": ledger, "channel": channel}) | done
    await db.run(conn, "save_match", route_id=route["id"], report=summary, now=now)
    if route["state"] == "draft":
        await db.run(conn, "set_route_state", id=route["id"], state="stopped", stopped_by="", blockers=[])
    if done["pairs_made"] or done["pairs_suspended"]:
        await order_policy.adopt(conn, route["id"])
        await db.run(conn, "put_due_route", route_id=route["id"])
        await db.notify(conn, "decide")
    return summary | {"owed_let_go": let_go}


async def _items(conn: Connection, connection_id: int, fields: Sequence[str]) -> list[db.Record]:
    return await db.rows(conn, "match_values", connection_id=connection_id, fields=list(fields))


async def _sayings(conn: Connection, route: Any) -> Sayings:
    codes = await db.rows(conn, "route_codes_of", route_id=route["id"])
    sets: dict[str, dict[str, int]] = {}
    for record in await db.rows(conn, "route_sets_of", route_id=route["id"]):
        sets.setdefault(record["set_value"], {})[record["component_value"]] = record["ratio"]
    return Sayings({r["channel_value"]: r["ledger_value"] for r in codes}, sets, route["listings"] == "same")


def _candidates(found: Sequence[Any], fields: Sequence[str]) -> list[Candidate]:
    """Every code of every item that can be matched; an item without any has one candidate without a value."""
    candidates: list[Candidate] = []
    for record in found:
        if not record["tracked"] or record["bundle"]:
            continue
        item, name = ItemId(record["id"]), record["name"]
        codes = [(value, field) for value, field in zip(record["values"], fields, strict=True) if value]
        candidates += [Candidate(item, value, name, field) for value, field in codes or [("", "")]]
    return candidates


async def _make_pairs(house: House, conn: Connection, route: Any, found: Assembly) -> dict[str, Any]:
    """Suspend what is no longer right, and make what is missing."""
    now = house.now()
    parts = [(each, item, ratio) for each in found.assigned for item, ratio in each.parts]
    items = [each.channel for each in found.assigned]
    shapes = {True: "set", False: "pool" if route["pooled"] else "single"}
    columns = {
        "route_id": route["id"],
        "channel_items": [each.channel for each, _, _ in parts],
        "ledger_items": [item for _, item, _ in parts],
    }
    ratios = [ratio for _, _, ratio in parts]
    await db.run(conn, "make_cells", now=now, **columns)
    suspended = await db.value(
        conn, "suspend_unfit", ratios=ratios, shapes=[shapes[each.is_set] for each, _, _ in parts], now=now, **columns
    )
    made = await db.rows(
        conn,
        "make_pairs",
        route_id=route["id"],
        items=items,
        values=[each.value for each in found.assigned],
        shapes=[shapes[each.is_set] for each in found.assigned],
        now=now,
    )
    let_go = await db.value(conn, "relink_components", pairs=[r["id"] for r in made], ratios=ratios, **columns)
    await db.run(conn, "await_settling", route_id=route["id"], items=items)
    await db.run(conn, "read_pair_cells", route_id=route["id"], now=now)
    return {"pairs_made": len(made), "pairs_suspended": suspended, "owed_let_go": let_go}


def _summary(found: Assembly, said: Sayings, sides: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """What a person is shown of a match: every kind counted, the first of each kind by value."""
    report = found.report
    excluded = {
        side: [
            {
                "item": r["name"],
                "value": next(filter(None, r["values"]), None),
                "reason": "bundle" if r["bundle"] else "untracked",
            }
            for r in rows
            if r["bundle"] or not r["tracked"]
        ]
        for side, rows in sides.items()
    }
    fields = {each.value: each.field for each in report.unmatched_channel}
    return {
        "matched": len(found.assigned),
        "ambiguous_count": len(found.ambiguous),
        "ambiguous": [asdict(each) for each in found.ambiguous[:SHOWN]],
        "ledger_unmatched_count": len({each.item for each in report.unmatched_ledger}),
        "ledger_unmatched": [_named(c) for c in report.unmatched_ledger[:SHOWN]],
        "channel_unmatched_count": len({each.item for each in report.unmatched_channel}),
        "channel_unmatched": [_named(c) | {"field": c.field} for c in report.unmatched_channel[:SHOWN]],
        "near_misses_count": len(report.near.listed) + report.near.left_out,
        "near_misses": [
            {
                "ledger": miss.ledger,
                "channel": miss.channel,
                "field": fields.get(miss.channel, ""),
                "kinds": [kind.value for kind in miss.difference.kinds],
                "en": miss.difference.explanation_en,
                "ja": miss.difference.explanation_ja,
            }
            for miss in report.near.listed[:SHOWN]
        ],
        "excluded_count": {side: len(rows) for side, rows in excluded.items()},
        "excluded": {side: rows[:SHOWN] for side, rows in excluded.items()},
        "codes_count": len(said.codes),
        "sets_count": len(said.sets),
        "sets": _sets(found, said),
        "complaints_count": len(found.complaints),
        "complaints": [_complaint(each) for each in found.complaints[:SHOWN]],
    }


def _named(candidate: Candidate) -> dict[str, str]:
    return {"value": candidate.value, "item": candidate.label}


def _sets(found: Assembly, said: Sayings) -> list[dict[str, Any]]:
    """The sets in force, what each is made of, and how many listings show it (0: it is left out)."""
    listings: dict[str, int] = {}
    for each in found.assigned:
        if each.is_set:
            listings[each.value] = listings.get(each.value, 0) + 1
    return [
        {
            "value": value,
            "components": [{"value": code, "ratio": ratio} for code, ratio in components.items()],
            "listings": listings.get(value, 0),
        }
        for value, components in list(said.sets.items())[:SHOWN]
    ]


def _complaint(found: Complaint) -> dict[str, str]:
    english, japanese = (text.format(other=found.other) for text in _TROUBLES[found.trouble])
    return {
        "trouble": found.trouble.value,
        "value": found.value,
        "other": found.other,
        "en": f"{english}. {found.hint_en}".rstrip(". ") + ".",
        "ja": f"{japanese}。{found.hint_ja}".rstrip("。") + "。",
    }
