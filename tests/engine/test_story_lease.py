"""Lanes change hands: the fence keeps the old owner out, and what it had sent is in doubt."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from inventory_sync.engine import push
from inventory_sync.engine.lane import Lane, LeaseLost, take_lease
from inventory_sync.sandbox.kernel import Fault, FaultKind
from inventory_sync.store import db
from tests.engine.bench import ADJUST, TIMEOUT, Bench, Setup
from tests.engine.conftest import Furnish

ADD = "/add"
ANY_ADD = "POST /*/pos/stock/*/add"
WITHOUT_A_HOLDER = 4242
"""An advisory lock that nobody holds: the session of the owner has ended, so its lease may be taken at once."""


async def dies(bench: Bench) -> None:
    """The process is gone, with everything it waited for; another owner comes up."""
    bench.up = False
    await bench.tasks.kill()
    bench.owner = "replica-b"
    bench.budget_full = False
    bench.boot()


async def something_to_write(bench: Bench, code: str, name: str) -> None:
    """A difference that waits to be written, and no step that writes it."""
    bench.off.add("push")
    (bench.move_ledger if name == "shop" else bench.move_channel)(code, -2)

    async def waits() -> bool:
        return bool((await bench.cell(code, name))["gap"])

    await bench.until(waits)


@pytest.mark.parametrize("name", ["shop", "pos"])
async def test_an_owner_whose_lease_ran_out_composes_nothing_more(running: Furnish, name: str) -> None:
    bench = await running()
    old = bench.lanes[name]
    await something_to_write(bench, "A-1", name)
    bench.off.add("lease")
    await bench.run(bench.house.lease_seconds + 1)
    held = await take_lease(bench.house, old.connection_id, owner="replica-b", owner_key=0)
    assert held is not None
    assert held.token == old.token + 1

    with pytest.raises(LeaseLost):
        await push.compose(bench.house, old)
    with pytest.raises(LeaseLost):
        await push.push(bench.house, old)
    assert bench.requests(name, ADJUST) == bench.requests(name, ADD) == []
    assert bench.ours(name) == []
    new = Lane(old.connection_id, name, old.client, held.token)
    assert await push.compose(bench.house, new) is not None


async def test_nothing_is_composed_when_the_lease_ends_before_an_answer_could_be_there(running: Furnish) -> None:
    bench = await running()
    await something_to_write(bench, "A-1", "shop")
    bench.off.add("lease")
    lane = bench.lanes["shop"]

    async def nearly_over() -> bool:
        record = await db.row(bench.pool, "lease_of", connection_id=lane.connection_id)
        return record is not None and 0 < record["seconds_left"] < TIMEOUT - 1

    await bench.until(nearly_over)
    with pytest.raises(LeaseLost):
        await push.compose(bench.house, lane)


async def test_the_database_refuses_a_batch_under_a_token_that_is_not_the_lanes(running: Furnish) -> None:
    bench = await running()
    lane = bench.lanes["shop"]
    with pytest.raises(asyncpg.PostgresError) as refused:
        await db.run(
            bench.pool,
            "insert_batch",
            id="b" * 32,
            connection_id=lane.connection_id,
            token=lane.token - 1,
            kind="adjust",
            direction=-1,
            method="POST",
            path="/",
            request=b"",
            key="key",
            api_version="",
            composed_at=bench.agenda.now,
        )
    assert refused.value.sqlstate == "IS001"


async def test_a_second_owner_waits_for_the_lease_of_the_first(running: Furnish) -> None:
    bench = await running()
    lane = bench.lanes["shop"]
    assert await take_lease(bench.house, lane.connection_id, owner="replica-b", owner_key=0) is None
    await bench.run(40)
    assert bench.lanes["shop"].token == lane.token, "renewed, and still the first owner's"


async def test_a_batch_with_a_key_is_taken_over_in_doubt_and_repeated_to_the_byte(running: Furnish) -> None:
    bench = await running()
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.requests("shop", ADJUST))
    await dies(bench)
    await bench.until(lambda: len(bench.requests("shop", ADJUST)) == 2)
    await bench.rest()

    first, second = bench.requests("shop", ADJUST)
    assert first.body == second.body
    assert [change.delta for change in bench.ours("shop")] == [-3]
    assert (bench.ledger(), bench.channel()) == (7, 7)
    [op] = [op for op in await bench.ops("shop") if op["delta"] == -3]
    assert (op["state"], op["attempts"]) == ("applied", 2)


async def test_a_write_without_a_key_is_not_repeated_before_the_former_lease_and_a_time_out_have_passed(
    running: Furnish,
) -> None:
    bench = await running(Setup(pos={"late_effect_seconds": 2}))
    bench.owner_key = WITHOUT_A_HOLDER
    await bench.run(5)  # the lease is renewed with it
    bench.faults("pos").queue(ANY_ADD, Fault(FaultKind.RESET_BEFORE))
    bench.move_channel("A-1", -2)
    await bench.until(lambda: bench.requests("pos", ADD))
    lane = bench.lanes["pos"]
    record = await db.row(bench.pool, "lease_of", connection_id=lane.connection_id)
    assert record is not None
    former_end = record["expires_at"]
    await dies(bench)
    await bench.until(lambda: "pos" in bench.lanes)
    taken = bench.agenda.now
    assert bench.lanes["pos"].token == lane.token + 1
    assert taken < former_end - timedelta(seconds=1), "the session had ended, so nobody waits for the lease"

    await bench.until(lambda: len(bench.requests("pos", ADD)) == 2)
    await bench.rest()
    first, second = bench.requests("pos", ADD)
    assert second.at >= former_end + timedelta(seconds=TIMEOUT)
    assert first.body == second.body
    assert [change.delta for change in bench.ours("pos")] == [-2]
    assert (bench.ledger(), bench.channel()) == (8, 8)


async def test_a_write_that_took_effect_before_the_owner_died_is_found_by_the_next_one(running: Furnish) -> None:
    bench = await running()
    bench.move_channel("A-1", -2)
    await bench.until(lambda: bench.ours("pos"))
    await dies(bench)
    await bench.rest(seconds=120)
    assert len(bench.requests("pos", ADD)) == 1
    assert [op["state"] for op in await bench.ops("pos")] == ["applied"]
    assert (bench.ledger(), bench.channel()) == (8, 8)
