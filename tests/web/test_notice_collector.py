from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from inventory_sync.engine.intake import Arrival
from inventory_sync.engine.lane import House
from inventory_sync.store.db import Pool
from inventory_sync.systems.port import Notice
from inventory_sync.web.collector import NoticeCollector, NotKept, Overloaded, Unstorable
from tests.web.web_support import commits_hang, inbox, notice, somebody_waits_for_a_lock, transactions, until

Made = Callable[..., Arrival]


@pytest.fixture
def arrival(house: House, shop: int) -> Made:
    def make(made: Notice | str, connection: int = shop) -> Arrival:
        return Arrival(connection, notice(made) if isinstance(made, str) else made, house.now())

    return make


@asynccontextmanager
async def collecting(house: House, **options: float) -> AsyncIterator[NoticeCollector]:
    collector = NoticeCollector(house, **options)  # type: ignore[arg-type]
    await collector.start()
    try:
        yield collector
    finally:
        await collector.stop()


async def keep_all(collector: NoticeCollector, *arrivals: Arrival) -> list[BaseException | None]:
    """What became of each, all handed over at the same time."""
    return await asyncio.gather(*map(collector.keep, arrivals), return_exceptions=True)


async def test_a_kept_notice_is_committed(pool: Pool, house: House, arrival: Made) -> None:
    async with collecting(house) as collector:
        await collector.keep(arrival("n1"))
        assert await inbox(pool) == ["n1"]


async def test_what_arrives_during_a_commit_forms_the_next_one(pool: Pool, house: House, arrival: Made) -> None:
    async with collecting(house) as collector:
        async with commits_hang(pool):
            first = asyncio.create_task(collector.keep(arrival("first")))
            await somebody_waits_for_a_lock(pool)
            rest = asyncio.create_task(keep_all(collector, *(arrival(f"n{number}") for number in range(300))))
            await until(pool, lambda: collector.waiting == 300)
            assert not first.done()
        await first
        assert await rest == [None] * 300
    assert len(await inbox(pool)) == 301
    assert await transactions(pool) == 2


async def test_a_batch_is_never_larger_than_allowed(pool: Pool, house: House, arrival: Made) -> None:
    async with collecting(house, batch=10) as collector:
        assert await keep_all(collector, *(arrival(f"n{number}") for number in range(25))) == [None] * 25
    assert await transactions(pool) == 3


async def test_duplicates_within_a_batch_and_across_batches_are_stored_once(
    pool: Pool, house: House, arrival: Made
) -> None:
    async with collecting(house) as collector:
        assert await keep_all(collector, arrival("same"), arrival("same")) == [None, None]
        assert await keep_all(collector, arrival("same")) == [None]
    assert await inbox(pool) == ["same"]


@pytest.mark.parametrize(
    "poisoned",
    [
        notice("bad", item="nul\x00inside"),
        notice("bad", topic="nul\x00inside"),
        notice("bad", item="half a pair \ud800"),
        notice("bad", topic="half a pair \ud800"),
    ],
    ids=["NUL in JSON", "NUL in text", "surrogate in JSON", "surrogate in text"],
)
async def test_a_poisoned_arrival_fails_alone(pool: Pool, house: House, arrival: Made, poisoned: Notice) -> None:
    good = [arrival(f"n{number}") for number in range(7)]
    async with collecting(house) as collector:
        outcomes = await keep_all(collector, *good[:3], arrival(poisoned), *good[3:])
        assert isinstance(outcomes.pop(3), Unstorable)
        assert outcomes == [None] * 7
        await collector.keep(arrival("later"))
    assert sorted(await inbox(pool)) == ["later", *(f"n{number}" for number in range(7))]


async def test_a_connection_removed_meanwhile_does_not_take_others_down(
    pool: Pool, house: House, arrival: Made
) -> None:
    async with collecting(house) as collector:
        outcomes = await keep_all(collector, arrival("n1"), arrival("n2", connection=999_999), arrival("n3"))
    assert [type(outcome) for outcome in outcomes] == [type(None), Unstorable, type(None)]
    assert sorted(await inbox(pool)) == ["n1", "n3"]


async def test_a_failed_commit_fails_exactly_its_callers(pool: Pool, house: House, arrival: Made) -> None:
    async with collecting(house) as collector:
        await collector.keep(arrival("before"))
        await pool.execute("alter table inbox rename to away")
        outcomes = await keep_all(collector, arrival("n1"), arrival("n2"))
        assert [type(outcome) for outcome in outcomes] == [NotKept, NotKept]
        await pool.execute("alter table away rename to inbox")
        await collector.keep(arrival("after"))
    assert await inbox(pool) == ["before", "after"]


async def test_a_commit_that_hangs_is_given_up(pool: Pool, house: House, arrival: Made) -> None:
    async with collecting(house, commit_within=0.1) as collector:
        async with commits_hang(pool):
            with pytest.raises(NotKept):
                await collector.keep(arrival("n1"))
        await collector.keep(arrival("n2"))
    assert await inbox(pool) == ["n2"]


async def test_a_full_queue_takes_no_more(pool: Pool, house: House, arrival: Made) -> None:
    async with collecting(house, capacity=2) as collector:
        async with commits_hang(pool):
            first = asyncio.create_task(collector.keep(arrival("n1")))
            await somebody_waits_for_a_lock(pool)
            queued = asyncio.create_task(keep_all(collector, arrival("n2"), arrival("n3")))
            await until(pool, lambda: collector.waiting == 2)
            with pytest.raises(Overloaded):
                await collector.keep(arrival("n4"))
        await first
        assert await queued == [None, None]
        await collector.keep(arrival("n5"))
    assert await inbox(pool) == ["n1", "n2", "n3", "n5"]


async def test_a_caller_who_has_gone_leaves_the_queue(pool: Pool, house: House, arrival: Made) -> None:
    async with collecting(house) as collector:
        async with commits_hang(pool):
            first = asyncio.create_task(collector.keep(arrival("n1")))
            await somebody_waits_for_a_lock(pool)
            gone = asyncio.create_task(collector.keep(arrival("gone")))
            await until(pool, lambda: collector.waiting == 1)
            gone.cancel()
            await asyncio.wait([gone])
        await first
        await collector.keep(arrival("n2"))
    assert await inbox(pool) == ["n1", "n2"]


async def test_stop_commits_what_waits_and_takes_nothing_new(pool: Pool, house: House, arrival: Made) -> None:
    collector = NoticeCollector(house)
    await collector.start()
    async with commits_hang(pool):
        first = asyncio.create_task(collector.keep(arrival("n1")))
        await somebody_waits_for_a_lock(pool)
        queued = asyncio.create_task(keep_all(collector, arrival("n2"), arrival("n3")))
        await until(pool, lambda: collector.waiting == 2)
        stopping = asyncio.create_task(collector.stop())
        await until(pool, lambda: not collector.accepting)
        with pytest.raises(Overloaded):
            await collector.keep(arrival("late"))
        assert not stopping.done()
    await stopping
    await first
    assert await queued == [None, None]
    assert await inbox(pool) == ["n1", "n2", "n3"]


async def test_a_collector_that_is_not_started_takes_nothing(house: House, arrival: Made) -> None:
    collector = NoticeCollector(house)
    with pytest.raises(Overloaded):
        await collector.keep(arrival("n1"))
    await collector.stop()


async def test_a_stopped_collector_can_be_started_again(pool: Pool, house: House, arrival: Made) -> None:
    collector = NoticeCollector(house)
    for name in ("n1", "n2"):
        await collector.start()
        await collector.keep(arrival(name))
        await collector.stop()
    assert await inbox(pool) == ["n1", "n2"]


async def test_nobody_waits_for_ever_if_the_collector_is_killed(pool: Pool, house: House, arrival: Made) -> None:
    collector = NoticeCollector(house)
    await collector.start()
    (worker,) = [task for task in asyncio.all_tasks() if task.get_name() == "notice collector"]
    async with commits_hang(pool):
        callers = asyncio.create_task(keep_all(collector, arrival("n1"), arrival("n2")))
        await somebody_waits_for_a_lock(pool)
        last = asyncio.create_task(keep_all(collector, arrival("n3")))
        await until(pool, lambda: collector.waiting == 1)
        worker.cancel()
        assert [type(outcome) for outcome in await callers + await last] == [NotKept] * 3
    assert not collector.accepting
