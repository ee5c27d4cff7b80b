"""Books of expected sales on a database without partners: cells, pairs, and movements as a reading journals them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from inventory_sync.engine import overdue, sales
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.engine.sales import Journalled
from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.db import Pool, Record
from tests.simulation.clock import START


@dataclass
class Books:
    """One ledger and as many shops as are named, each with a route of its own. Readings are a minute apart."""

    pool: Pool
    now: datetime = START
    cells: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ambient = Ambient(now=lambda: self.now, chance=random.Random(1))
        self.house = House(self.pool, ambient, "books")

    # -- what there is ---

    async def connection(self, name: str) -> int:
        if name not in self.ids:
            self.ids[name] = await self.pool.fetchval(
                "insert into connections (name, system, state, state_since) values ($1, 'books', 'linked', $2) "
                "returning id",
                name,
                self.now,
            )
            await self.pool.execute(
                "insert into locations (connection_id, key, name, active) values ($1, 'L', $2, true)",
                self.ids[name],
                f"{name}-location",
            )
        return self.ids[name]

    async def cell(self, connection: str, name: str, known: int = 100) -> int:
        """A cell that was read a minute ago."""
        connection_id = await self.connection(connection)
        item = await self.pool.fetchval(
            "insert into items (connection_id, key, codes, name, tracked, bundle, import_id) "
            "values ($1, $2, '{}', $2, true, false, 1) returning id",
            connection_id,
            name,
        )
        self.cells[name] = await self.pool.fetchval(
            "insert into cells "
            "(connection_id, item_id, location_id, known, condition, read_asked_at, read_answered_at) "
            "select $1, $2, l.id, $3, 'active', $4, $4 from locations l where l.connection_id = $1 returning id",
            connection_id,
            item,
            known,
            self.now - timedelta(minutes=1),
        )
        return self.cells[name]

    async def pair(
        self,
        shop: str,
        channel: str,
        ledger: Sequence[tuple[str, int, bool]],
        *,
        shape: str = "single",
        route_sales: str = "expect",
        value: str = "A-1",
    ) -> int:
        """A living pair: its channel cell, and ledger cells with ratio and whether sales are expected there."""
        for name, _, _ in ledger:
            if name not in self.cells:
                await self.cell("ledger", name)
        await self.cell(shop, channel)
        route = f"ledger-{shop}"
        if route not in self.ids:
            self.ids[route] = await self.pool.fetchval(
                "insert into routes "
                "(name, ledger_id, channel_id, direction, sales, ledger_field, channel_fields, state) "
                "values ($1, $2, $3, 'two_way', $4, 'sku', '{sku}', 'running') returning id",
                route,
                self.ids["ledger"],
                self.ids[shop],
                route_sales,
            )
        self.pairs[channel] = await self.pool.fetchval(
            "insert into pairs (route_id, channel_cell, value, phase, phase_since, made_at, shape) "
            "values ($1, $2, $3, 'live', $4, $4, $5) returning id",
            self.ids[route],
            self.cells[channel],
            value,
            self.now,
            shape,
        )
        for name, ratio, intake in ledger:
            await self.pool.execute(
                "insert into components (pair_id, ledger_cell, ratio, intake) values ($1, $2, $3, $4)",
                self.pairs[channel],
                self.cells[name],
                ratio,
                intake,
            )
        return self.pairs[channel]

    # -- what happens ---

    async def moved(self, *changes: tuple[str, int] | tuple[str, int, str], wait: float = 60) -> list[int]:
        """After so many seconds a reading finds these changes; says their movements."""
        self.now += timedelta(seconds=wait)
        async with db.transaction(self.pool) as conn:
            return await self.journal(conn, changes)

    async def journal(self, conn: Any, changes: Sequence[tuple[Any, ...]]) -> list[int]:
        """A reading, in the transaction of its own: level and journal, and what they ask of the other side."""
        found: list[Journalled] = []
        for name, delta, *order in changes:
            row = await conn.fetchrow(
                "select known, read_asked_at from cells where id = $1 for update", self.cells[name]
            )
            movement = await conn.fetchval(
                "insert into movements (cell_id, delta, before, after, asked_at, answered_at, previous_asked_at) "
                "values ($1, $2::int, $3::int, $3::int + $2::int, $4, $4, $5) returning id",
                self.cells[name],
                delta,
                row["known"],
                self.now,
                row["read_asked_at"],
            )
            await conn.execute(
                "update cells set known = known + $2::int, read_asked_at = $3, read_answered_at = $3, "
                "dirty_since = null, marked_at = null where id = $1",
                self.cells[name],
                delta,
                self.now,
            )
            found.append(Journalled(movement, CellId(self.cells[name]), delta, self.now, None, "".join(order)))
        await sales.moved(self.house, conn, found, lag=timedelta(seconds=3))
        return [each.id for each in found]

    async def named(self, movement: int, name: str, delta: int, cause: str = "api", reference: str = "") -> None:
        """The cause of a fall is learnt."""
        async with db.transaction(self.pool) as conn:
            await sales.named(self.house, conn, movement, self.cells[name], delta, cause, reference)

    async def booked(self, name: str, units: int, cause: str = "api", reference: str = "", *, wait: float = 60) -> None:
        """The ledger falls, and says why."""
        [movement] = await self.moved((name, -units), wait=wait)
        await self.named(movement, name, -units, cause, reference)

    async def read(self, *names: str, wait: float = 60) -> None:
        """After so many seconds these cells are read, and show nothing new."""
        self.now += timedelta(seconds=wait)
        await self.pool.execute(
            "update cells set read_asked_at = $2, read_answered_at = $2, dirty_since = null, marked_at = null "
            "where id = any($1::bigint[])",
            [self.cells[name] for name in names],
            self.now,
        )

    async def release(self, *, names_causes: bool) -> Progress:
        """What is due at the ledger is judged; everything was read by then."""
        capabilities = SimpleNamespace(names_causes=names_causes)
        lane = Lane(self.ids["ledger"], "ledger", cast(Any, SimpleNamespace(capabilities=capabilities)), 1, polled=True)
        return await overdue.release(self.house, lane)

    # -- what is counted ---

    async def sales(self) -> list[tuple[int, str]]:
        """What is open of every sale, and its state."""
        rows = await self.pool.fetch("select open, state from expected order by movement_id")
        return [(row["open"], row["state"]) for row in rows]

    async def held(self, channel: str) -> dict[str, int]:
        """Units of a pair that are expected at its ledger cells, where there are any."""
        names = {cell: name for name, cell in self.cells.items()}
        rows = await self.pool.fetch(
            "select ledger_cell, expected from components where pair_id = $1 and expected > 0", self.pairs[channel]
        )
        return {names[row["ledger_cell"]]: row["expected"] for row in rows}

    async def effective(self, channel: str) -> int:
        found: int = await self.pool.fetchval(
            "select effective from pair_effective where pair_id = $1", self.pairs[channel]
        )
        return found

    async def bookings(self) -> int:
        """Units that named a sale nobody knows of yet."""
        found: int = await self.pool.fetchval("select coalesce(sum(open), 0)::int from bookings")
        return found

    async def due(self) -> set[str]:
        """Cells that will be decided again; asking clears them."""
        names = {cell: name for name, cell in self.cells.items()}
        return {names[row["cell_id"]] for row in await self.pool.fetch("delete from due returning cell_id")}

    async def rows(self, query: str, *arguments: Any) -> list[Record]:
        found: list[Record] = await self.pool.fetch(query, *arguments)
        return found
