"""One bad row in a batch: it is quarantined with its reason, and its neighbours arrive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inventory_sync.model.ids import OpId
from inventory_sync.sandbox.faults import NoticeFaults
from inventory_sync.systems.port import Client, OpOutcome, PlannedOp, PreparedRequest, Split
from tests.engine.bench import ADJUST, Bench, Sent, Setup
from tests.engine.conftest import Furnish


def codes(count: int) -> tuple[str, ...]:
    return tuple(f"SKU-{number:04d}" for number in range(count))


def size(sent: Sent) -> int:
    return len(json.loads(sent.body)["variables"]["input"]["changes"])


async def every_number_falls(bench: Bench) -> None:
    """One unit of every product leaves the ledger at once, and nothing is written before all of it is known."""
    bench.off.add("push")
    bench.pos.bulk_change([(product, "1", -1) for product in bench.products.values()], bench.agenda.now)
    bench.heard("pos")
    waiting = "select count(*) from cells where gap <> 0"

    async def all_decided() -> bool:
        return bool(await bench.pool.fetchval(waiting) == len(bench.products))

    await bench.until(all_decided, seconds=120)


async def loses_an_item(bench: Bench, code: str) -> None:
    """Somebody deletes a product at the shop, and no notice of it arrives."""
    bench.notices("shop").faults = NoticeFaults(loss=1.0)
    assert bench.shop().delete_item(bench.items["shop"][code], bench.agenda.now)
    bench.heard("shop")


async def wrong_cells(bench: Bench, culprit: str) -> list[str]:
    return [code for code in bench.products if code != culprit and bench.channel(code) != bench.ledger(code)]


async def test_a_deleted_item_in_a_batch_of_250_is_quarantined_and_249_arrive(running: Furnish) -> None:
    bench = await running(Setup(codes=codes(250)))
    culprit = "SKU-0123"
    await every_number_falls(bench)
    await loses_an_item(bench, culprit)
    bench.off.clear()
    await bench.until(lambda: len(bench.requests("shop", ADJUST)) == 2)
    await bench.rest()

    refused, repeated = bench.requests("shop", ADJUST)
    assert (size(refused), size(repeated)) == (250, 249)
    ops = await bench.ops("shop")
    assert len({op["key"] for op in ops}) == 2
    item = bench.items["shop"][culprit]
    assert [(op["state"], op["item"]) for op in ops if op["state"] == "rejected"] == [("rejected", item)]
    [kept] = await bench.rows(
        "select q.code, q.reason from quarantine q join cells c on c.id = q.cell_id "
        "join items i on i.id = c.item_id where i.key = $1",
        item,
    )
    assert kept["code"] == "IS-SHP-050"
    assert kept["reason"]
    assert len(await bench.rows("select 1 from quarantine")) == 1
    [alert] = await bench.alerts("quarantined")
    assert alert["detail"]["cells"] == 1
    assert await wrong_cells(bench, culprit) == []
    assert len(bench.ours("shop")) == 249


async def test_a_quarantined_cell_is_read_and_not_written(running: Furnish) -> None:
    bench = await running(Setup(codes=codes(3)))
    culprit = "SKU-0001"
    cell = await bench.cell(culprit)
    await bench.pool.execute("update cells set quarantined = true where id = $1", cell["id"])
    bench.move_channel(culprit, -2)
    bench.move_ledger(culprit, -3)
    await bench.rest()

    assert bench.ledger(culprit) == 5, "what the shop sold was read and posted"
    assert bench.channel(culprit) == 8, "and nothing was written to it"
    assert bench.ours("shop") == []
    assert (await bench.cell(culprit))["blocked"] == "quarantined"


class NamesNoRow:
    """A client whose partner refuses every batch with one item in it, and never says which row was at fault."""

    def __init__(self, inner: Client, culprit: str) -> None:
        self._inner, self._culprit = inner, culprit
        self.sizes: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome] | Split:
        self.sizes.append(len(ops))
        if any(op.cell.item == self._culprit for op in ops):
            return Split("a row is not right")
        return await self._inner.send(prepared, ops)


async def test_a_batch_refused_for_a_row_nobody_named_is_halved_until_the_culprit_is_alone(running: Furnish) -> None:
    bench = await running(Setup(codes=codes(20)))
    culprit = "SKU-0011"
    lane = bench.lanes["shop"]
    partner = NamesNoRow(lane.client, bench.items["shop"][culprit])
    lane.client = partner
    await every_number_falls(bench)
    bench.off.clear()
    await bench.until(lambda: len(bench.ours("shop")) == 19, seconds=180)
    await bench.rest(seconds=120)

    assert partner.sizes[0] == 20
    assert max(partner.sizes[1:]) == 10
    ops = await bench.ops("shop")
    assert len({op["key"] for op in ops}) == len(partner.sizes), "every new batch has a key of its own"
    alone = [op for op in ops if op["state"] == "rejected"]
    assert [op["item"] for op in alone] == [bench.items["shop"][culprit]]
    assert sum(op["batch"] == alone[0]["batch"] for op in ops) == 1
    [kept] = await bench.rows("select code, reason from quarantine")
    assert (kept["code"], kept["reason"]) == ("refused", "a row is not right")
    assert await wrong_cells(bench, culprit) == []
    assert all(change.delta == -1 for change in bench.ours("shop"))
