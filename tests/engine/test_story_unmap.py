"""Deleting the SKU mapping: the route stops in the same transaction, and only a person maps it again."""

from __future__ import annotations

import pytest

from inventory_sync.engine import catalogue, matching
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.engine.unmap import unmap
from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish


async def delete_mapping(bench: Bench, *, shop: str = "shop", forget_owed: int | None = None) -> int:
    done = await unmap(bench.house, f"pos-{shop}", confirmed=True, actor="person", forget_owed=forget_owed)
    bench.wake()
    return int(done["deleted"])


async def match(bench: Bench, shop: str = "shop") -> None:
    assert await matching.match_now(bench.house, f"pos-{shop}", actor="person")
    bench.wake()
    await bench.rest()


async def import_catalogue(bench: Bench) -> None:
    """A whole import of the shop's catalogue, as it is done every night."""
    lane = bench.lanes["shop"]
    assert await catalogue.start_import(bench.house, lane.connection_id)
    while await db.row(bench.pool, "running_run", kind="import", connection_id=lane.connection_id) is not None:
        await bench.person(catalogue.import_page(bench.house, lane))


async def route(bench: Bench, shop: str = "shop") -> db.Record:
    [found] = await bench.rows("select * from routes where name = $1", f"pos-{shop}")
    return found


@pytest.mark.row("S2-44", "S2-45")
async def test_deleting_the_mapping_stops_the_route_with_it(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2")))
    assert await delete_mapping(bench) == 2
    found = await route(bench)
    assert (found["state"], found["stopped_by"], found["ever_aligned"]) == ("stopped", "person", False)
    assert await bench.rows("select 1 from pairs") == []
    bench.move_ledger("A-1", -3)
    bench.move_channel("B-2", -1)
    await bench.run(120)
    assert bench.requests("shop", ADJUST) == bench.requests("pos", "/add") == []
    assert (bench.ledger("A-1"), bench.channel("A-1")) == (7, 10), "the numbers stay as they are"
    [entry] = await bench.rows("select * from audit where action = 'route.unmapped'")
    assert (entry["actor"], entry["before"]["state"], entry["before"]["pairs"]) == ("person", "running", 2)
    assert entry["after"] == {"state": "stopped", "pairs": 0}


@pytest.mark.row("S2-48", "S2-49")
async def test_nothing_is_deleted_before_somebody_confirms_it(running: Furnish) -> None:
    bench = await running()
    with pytest.raises(RefusedByRule, match="1 pairs.*Add --yes") as caught:
        await unmap(bench.house, "pos-shop", confirmed=False, actor="person")
    assert caught.value.code == "IS-RTE-043"
    assert "--yes" in caught.value.japanese
    assert (await route(bench))["state"] == "running"
    assert len(await bench.rows("select 1 from pairs")) == 1
    bench.move_ledger("A-1", -1)
    await bench.rest()
    assert bench.channel() == 9


@pytest.mark.row("S2-46")
async def test_a_route_that_is_mapped_again_reads_both_sides_and_is_aligned_before_it_writes(running: Furnish) -> None:
    bench = await running()
    await delete_mapping(bench)
    bench.off |= {"intake", "observe", "poll", "reconcile"}
    bench.move_channel("A-1", -2)
    bench.move_ledger("A-1", -5)
    await bench.run(60)
    bench.off.clear()
    with pytest.raises(RefusedByRule, match="unmapped"):
        await bench.start()
    await match(bench)
    with pytest.raises(RefusedByRule, match="never aligned"):
        await bench.start()
    preview = await bench.preview()
    [line] = await db.rows(bench.pool, "preview_page", id=preview.id, after=0, limit=1000)
    assert (line["before"], line["after"]) == (8, 5), "both sides were read again"
    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (5, 5)
    assert bench.ours("pos") == [], "what moved while nothing was mapped is knowledge and no movement"
    bench.move_channel("A-1", -1)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (4, 4)


async def test_an_import_does_not_bring_a_deleted_mapping_back(running: Furnish) -> None:
    bench = await running()
    await delete_mapping(bench)
    await import_catalogue(bench)
    assert await bench.rows("select 1 from pairs") == []
    await match(bench)
    assert len(await bench.rows("select 1 from pairs")) == 1


async def test_units_owed_to_the_ledger_are_named_and_must_be_given_up_by_their_number(running: Furnish) -> None:
    bench = await running()
    await bench.stop()
    bench.move_channel("A-1", -3)
    await bench.run(30)
    with pytest.raises(RefusedByRule, match="owe the ledger 3 units") as caught:
        await delete_mapping(bench)
    assert caught.value.code == "IS-RTE-041"
    with pytest.raises(RefusedByRule, match="not 5"):
        await delete_mapping(bench, forget_owed=5)
    assert len(await bench.rows("select 1 from pairs")) == 1
    assert await delete_mapping(bench, forget_owed=3) == 1


async def test_a_write_under_way_gets_its_outcome_and_nothing_follows_it(running: Furnish) -> None:
    bench = await running()
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.requests("shop", ADJUST))
    await delete_mapping(bench)
    await bench.run(60)
    assert [op["state"] for op in await bench.ops("shop")][-1] == "applied"
    assert len(bench.requests("shop", ADJUST)) == 1
    assert (await bench.cell())["op_id"] is None


async def test_another_route_of_the_same_ledger_goes_on_and_keeps_what_it_knows(running: Furnish) -> None:
    bench = await running(Setup(shops=("shop", "second")))
    await delete_mapping(bench)
    bench.off |= {"intake", "poll", "observe"}
    bench.move_ledger("A-1", -2)
    await bench.run(5)
    assert await matching.match_now(bench.house, "pos-shop", actor="person")
    bench.off.clear()
    bench.heard("pos")
    bench.wake()
    await bench.rest()
    assert bench.channel(shop="second") == 8, "the movement was not taken for a first reading"
    assert bench.channel() == 10


async def test_a_route_without_a_mapping_has_nothing_to_delete(running: Furnish) -> None:
    bench = await running()
    await delete_mapping(bench)
    with pytest.raises(RefusedByRule, match="no SKU mapping"):
        await delete_mapping(bench)
