"""Bulk calls in the simulation: more of them than there ever would be, so that few changes make many stories."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from inventory_sync.engine import bulk
from inventory_sync.engine.lane import House, Lane
from inventory_sync.model.ids import CellId
from inventory_sync.sandbox.smaregi import SmaregiSimulator
from inventory_sync.store import db
from inventory_sync.systems.port import BulkWrites

TOKEN = "a-part-of-the-address-that-nobody-guesses"


def bulk_calls(simulator: SmaregiSimulator, chance: random.Random) -> Mapping[str, Any]:
    """What a contract does with bulk calls, by chance, and the settings of a connection that makes them."""
    simulator.switches = replace(
        simulator.switches,
        bulk_delay=chance.choice((0.0, 0.5, 3.0, 8.0)),
        bulk_callback=chance.choice(("once", "once", "twice", "never")),
        bulk_callback_delay=chance.choice((0.0, 0.3, 4.0)),
        bulk_callback_first=chance.random() < 0.2,
        bulk_callback_body=chance.choice(("rows", "brief", "object", "empty")),
        bulk_announces=chance.random() < 0.7,
    )
    return {"callback_token": TOKEN, "bulk_callback_seconds": 20, "bulk_late_effect_seconds": 120}


@contextmanager
def wherever_two_wait() -> Iterator[None]:
    """Any two cells that wait go by a bulk call, whatever they wait for."""

    async def worth_it(house: House, lane: Lane) -> BulkWrites | None:
        able = lane.client.capabilities.bulk
        return None if able is None or not able.usable or lane.composing_bulk else able

    async def candidates(conn: db.Connection, lane: Lane, able: BulkWrites) -> list[CellId]:
        found = await db.rows(
            conn,
            "cells_to_write",
            connection_id=lane.connection_id,
            from_urgency=0,
            to_urgency=4,
            limit=able.rows,
        )
        return [CellId(record["id"]) for record in found] if len(found) > 1 else []

    with patch.object(bulk, "worth_it", worth_it), patch.object(bulk, "candidates", candidates):
        yield
