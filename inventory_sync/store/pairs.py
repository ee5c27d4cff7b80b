"""Pairs: all that decides what a channel cell is told, and what the ledger is owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import asyncpg

from inventory_sync.model.decide import ChannelSide, LedgerSide, PairState
from inventory_sync.model.ids import CellId, PairId, RouteId
from inventory_sync.model.publish import PublishRule
from inventory_sync.store import db
from inventory_sync.store.cells import CellRow
from inventory_sync.store.db import Connection


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A pair with the state its decision is made from."""

    id: PairId
    route: RouteId
    channel_cell: CellId
    phase: str
    state: PairState


@dataclass(frozen=True, slots=True)
class Owed:
    """What may be posted to a ledger cell now, in units of the ledger."""

    down: int
    up: int


@dataclass(frozen=True, slots=True)
class OwingPair:
    """A pair's share in an op to a ledger cell; `units` at the channel, `ratio` ledger units each."""

    id: PairId
    ledger_cell: CellId
    ratio: int
    units: int


async def states(
    conn: Connection, cells: dict[CellId, CellRow], *, can_activate: bool = True
) -> dict[CellId, KnownPair]:
    """The pair behind each channel cell among `cells`, as a pure state for the decision."""
    found = await db.rows(conn, "pair_states", cells=sorted(cells))
    pairs: dict[CellId, KnownPair] = {}
    for cell_id, group in groupby(found, key=lambda record: record["channel_cell"]):
        components = list(group)
        pairs[CellId(cell_id)] = _pair(cells[CellId(cell_id)], components, can_activate)
    return pairs


def _pair(cell: CellRow, components: Sequence[asyncpg.Record], can_activate: bool) -> KnownPair:
    first = components[0]
    ledger = tuple(
        LedgerSide(
            ratio=c["ratio"],
            known=c["ledger_known"],
            readable=c["ledger_readable"],
            dirty=c["ledger_dirty"],
            in_doubt=c["ledger_in_doubt"],
            pending_down=c["pending_down"],
            own_up=c["own_up"],
            fell_at=c["ledger_fell_at"],
        )
        for c in components
    )
    channel = ChannelSide(
        known=cell.known,
        active=cell.condition in ("active", "unread", "unreadable"),
        can_activate=can_activate and cell.condition in ("inactive", "absent"),
        dirty=cell.marked_at is not None,
        in_flight=cell.op_id is not None,
        quarantined=cell.quarantined,
        settled_since_read=cell.settled_since_read,
        read_asked_at=cell.read_asked_at,
        residual=cell.residual or 0,
        unchecked=first["unchecked"],
        rewrite=cell.rewrite,
        readable=cell.condition != "unreadable",
        held_back=cell.held_back,
    )
    state = PairState(
        ledger=ledger,
        channel=channel,
        rule=rule_of(first),
        shape=first["shape"],
        kept=first["kept"] - first["to_come"],  # what a run raises it by later: until then trade goes on without
        held=first["held"],
        expects=first["sales"] == "expect",
        running=first["route_state"] == "running" or first["pushed"],
        watching=first["route_state"] == "watching",
        zeroing=first["zeroing"],
        phase=first["phase"],
        writes_channel=first["direction"] != "channel_to_ledger",
    )
    return KnownPair(
        PairId(first["pair_id"]), RouteId(first["route_id"]), CellId(first["channel_cell"]), first["phase"], state
    )


def rule_of(record: asyncpg.Record) -> PublishRule:
    """The publish rule of a pair, as the view `pair_rules` has it."""
    return _rule(
        record["buffer"],
        record["percent"],
        record["maximum"],
        record["end_when"],
        record["offset_units"],
        record["excluded"],
    )


_rule = lru_cache(maxsize=1024)(PublishRule)  # most pairs of a route share one


async def owed(conn: Connection, cells: Sequence[CellId]) -> dict[CellId, Owed]:
    found = await db.rows(conn, "ledger_owed", cells=sorted(cells))
    return {CellId(r["ledger_cell"]): Owed(r["owed_down"], r["owed_up"]) for r in found}


async def lock_owing(conn: Connection, cells: Sequence[CellId], *, down: bool) -> list[OwingPair]:
    found = await db.rows(conn, "lock_owing_pairs", ledger_cells=sorted(cells), down=down)
    return [OwingPair(PairId(r["id"]), CellId(r["ledger_cell"]), r["ratio"], r["units"]) for r in found]
