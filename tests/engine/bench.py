"""A bench for stories about the engine: what people do, and what is counted.

What is asserted comes from the simulators' own logs, from the requests that left, and from the tables of ops, batches
and alerts. Mishaps are queued: `bench.faults("shop").queue(pattern, fault)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inventory_sync.engine import routes
from inventory_sync.sandbox.faults import FaultPlan, NoticePlan
from inventory_sync.sandbox.kernel import StockChange
from inventory_sync.store import db
from inventory_sync.store.db import Pool, Record
from tests.engine.bench_house import TIMEOUT, FurnishedHouse, Sent, Setup

ADJUST = "AdjustQuantities"
"""Name of the request that writes numbers to a shop, for faults and for counting."""


@dataclass
class Bench(FurnishedHouse):
    """One ledger, one or two shops, one daemon, and a person who asks."""

    async def rest(self, *, seconds: float = 60) -> None:
        """Let time pass until nothing is heard, dirty, owed, due, in flight or in doubt."""
        await self.run(1.0)  # what just happened is heard of
        await self.until(self._resting, seconds=seconds)

    async def _resting(self) -> bool:
        return not await self.pool.fetchval(_BUSY) and not any(
            self.partners[name].simulator.next_due() is not None for name in self.partners
        )

    async def preview(self, shop: str = "shop") -> routes.Preview:
        """Once every base reading is in, the preview of a route."""
        route = await routes.route_named(self.pool, f"pos-{shop}")

        async def read() -> bool:
            return not await db.value(self.pool, "count_unread", route_id=route["id"])

        await self.until(read)
        return await routes.make_preview(self.house, f"pos-{shop}")

    async def start(self, shop: str = "shop", preview_id: str | None = None) -> dict[str, int]:
        done = await routes.start(self.house, f"pos-{shop}", preview_id=preview_id, actor="person")
        self.wake()
        return done

    async def stop(self, shop: str = "shop") -> dict[str, int]:
        counts = await routes.stop(self.house, f"pos-{shop}", actor="person")
        self.wake()
        return counts

    async def align(self) -> None:
        """Preview and start every route, and let it come to rest; what is counted begins here."""
        for name in self.setup.shops:
            await self.start(name, (await self.preview(name)).id)
        await self.rest(seconds=120)
        self.begin()

    def begin(self) -> None:
        """What is counted from the logs begins here."""
        self.began = {name: len(partner.simulator.log.changes) for name, partner in self.partners.items()}
        self.sent.clear()

    # -- what people do ---

    @property
    def pos(self) -> Any:
        return self.partners["pos"].simulator

    def shop(self, name: str = "shop") -> Any:
        return self.partners[name].simulator

    def faults(self, name: str) -> FaultPlan:
        return self.partners[name].faults

    def notices(self, name: str) -> NoticePlan:
        return self.partners[name].notices

    def place(self, shop: str = "shop", store: str = "1") -> str:
        """The location of a shop that goes with a store of the ledger."""
        return str(self.shop(shop).location_ids()[0 if self.setup.pool else self.setup.stores.index(store)])

    def move_ledger(self, code: str, units: int, store: str = "1") -> None:
        """A sale at the register, or goods received."""
        act = self.pos.sell if units < 0 else self.pos.receive
        act(self.products[code], store, abs(units), self.agenda.now)
        self.heard("pos")

    def move_channel(self, code: str, units: int, shop: str = "shop", store: str = "1") -> None:
        """An order, or a person who types a larger number."""
        item, place, simulator = self.items[shop][code], self.place(shop, store), self.shop(shop)
        if units < 0:
            assert simulator.sell(item, place, -units, self.agenda.now) is not None
        else:
            simulator.adjust_by_person(item, place, units, self.agenda.now)
        self.heard(shop)

    # -- what is counted ---

    def ledger(self, code: str = "A-1", store: str = "1") -> int:
        return int(self.pos.stock(self.products[code], store) or 0)

    def channel(self, code: str = "A-1", shop: str = "shop", store: str = "1") -> int:
        return int(self.shop(shop).available(self.items[shop][code], self.place(shop, store)))

    def ours(self, name: str) -> list[StockChange]:
        """What our product changed at a partner, from the partner's own log."""
        log = self.partners[name].simulator.log
        return [change for change in log.changes[self.began.get(name, 0) :] if change.actor == "client"]

    def requests(self, name: str, kind: str) -> list[Sent]:
        """Requests to a partner one of whose names begins with or ends in `kind`."""
        return [
            each
            for each in self.sent
            if each.partner == name and any(n.startswith(kind) or n.endswith(kind) for n in each.names)
        ]

    async def rows(self, query: str, *arguments: Any) -> list[Record]:
        found: list[Record] = await self.pool.fetch(query, *arguments)
        return found

    async def ops(self, name: str) -> list[Record]:
        """Every op at a partner since it was set up, with its batch, oldest first."""
        return await self.rows(_OPS, name)

    async def alerts(self, code: str) -> list[Record]:
        return await self.rows("select * from alerts where code = $1 and closed_at is null order by id", code)

    async def pair(self, code: str = "A-1", shop: str = "shop") -> Record:
        [found] = await self.rows(
            "select p.* from pairs p join routes r on r.id = p.route_id where p.value = $1 and r.name = $2",
            code,
            f"pos-{shop}",
        )
        return found

    async def cell(self, code: str = "A-1", partner: str = "shop") -> Record:
        key = self.products[code] if partner == "pos" else self.items[partner][code]
        [found] = await self.rows(
            "select c.* from cells c join items i on i.id = c.item_id where i.key = $1 and c.connection_id = $2 "
            "order by c.id limit 1",
            key,
            self.partners[partner].connection_id,
        )
        return found

    def broken_limits(self) -> list[str]:
        """Every limit of a partner that was overstepped."""
        return [
            f"{name}: {each.rule}: {each.detail}"
            for name, partner in self.partners.items()
            for each in partner.simulator.log.violations
        ]


async def furnish(pool: Pool, setup: Setup | None = None) -> Bench:
    """A bench with everything moved in; its routes are stopped."""
    bench = Bench(7, pool, budget_full=True, setup=setup or Setup())
    await bench.move_in()
    return bench


_BUSY = """
select exists (select 1 from inbox where state = 'new')
    or exists (select 1 from due)
    or exists (select 1 from wishes)
    or exists (select 1 from cells where marked_at is not null or op_id is not null or gap <> 0 or compensate <> 0)
    or exists (select 1 from batches where state <> 'settled')
    or exists (select 1 from components where owed_down <> 0 or owed_up <> 0)
"""

_OPS = """
select o.id, o.cell_id, o.delta, o.cause, o.state, o.reason, o.doubles, o.composed_at, o.settled_at, b.id as batch,
       b.key, b.attempts, b.direction, b.kind, b.lane_token, i.key as item
from ops o join batches b on b.id = o.batch_id join connections n on n.id = o.connection_id
join cells c on c.id = o.cell_id join items i on i.id = c.item_id
where n.name = $1 order by o.composed_at, o.id
"""

__all__ = ["ADJUST", "TIMEOUT", "Bench", "Sent", "Setup", "furnish"]
