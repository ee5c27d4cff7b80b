"""Long lists of a big shop that Shopify makes as a file: a daemon that dies meanwhile, files that are not whole, and a
list that is a hint and never a reading."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inventory_sync.engine import catalogue, poll
from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.bench_house import SHOPIFY_SWITCHES
from tests.engine.conftest import Furnish

SHELF = 2_500
"""Variants that only the shop has."""

BULK_SHOP = Setup(
    shop={"bulk_from_variants": 1_000},
    shopify=replace(
        SHOPIFY_SWITCHES, bulk_seconds=20.0, bulk_files_at="https://storage.googleapis.com", search_lag=0.0
    ),
    more=lambda bench: bench.shop().seed_catalogue(SHELF, bench.agenda.now),
)


def started(bench: Bench) -> int:
    """Bulk operations that were ever started."""
    return int(bench.shop().log.requests.get("bulkOperationRunQuery", 0))


def appear(bench: Bench, count: int) -> None:
    """Products of which no notice tells."""
    place = bench.shop().location_ids()
    for number in range(count):
        bench.shop().add_product(f"New {number}", [f"NEW-{number}"], bench.agenda.now, locations=place, stock=1)


async def known(bench: Bench) -> int:
    found: int = await bench.pool.fetchval(
        "select count(*) from items where connection_id = $1 and not gone", bench.partners["shop"].connection_id
    )
    return found


async def under_way(bench: Bench, kind: str) -> Any:
    return await db.row(bench.pool, "running_run", kind=kind, connection_id=bench.partners["shop"].connection_id)


async def a_look(bench: Bench, kind: str) -> None:
    """One step of the run of this kind, once it is due."""
    lane = bench.lanes["shop"]
    step = catalogue.import_page(bench.house, lane) if kind == "import" else poll.reconcile(bench.house, lane)
    progress = await bench.person(step)
    if progress.due is not None and progress.due > bench.agenda.now:
        await bench.run((progress.due - bench.agenda.now).total_seconds())


async def waits_for_the_file(bench: Bench, kind: str) -> None:
    """A run of this kind is started, and goes on until it has noted the operation that makes its list."""
    start = catalogue.start_import if kind == "import" else poll.start_reconcile
    assert await start(bench.house, bench.partners["shop"].connection_id)
    while (await under_way(bench, kind))["cursor"] is None:
        await a_look(bench, kind)


async def is_over(bench: Bench, kind: str) -> None:
    """The run of this kind goes on to its end."""
    looks = 0
    while await under_way(bench, kind) is not None:
        await a_look(bench, kind)
        looks += 1
        assert looks < 60, "it does not end"


async def dies(bench: Bench) -> None:
    """The process is gone, with everything it waited for and every file it had; another owner comes up."""
    bench.up = False
    await bench.tasks.kill()
    bench.owner = "replica-b"
    bench.boot()
    await bench.until(lambda: "shop" in bench.lanes)


async def test_a_catalogue_of_thousands_comes_in_by_one_operation_though_the_daemon_dies_meanwhile(
    running: Furnish,
) -> None:
    bench = await running(BULK_SHOP)
    assert await known(bench) == SHELF + 1
    assert bench.shop().log.requests.get("productVariants", 0) == 0, "no page of it was walked"
    bench.off.add("intake")
    appear(bench, 40)
    before = started(bench)
    await waits_for_the_file(bench, "import")
    await dies(bench)
    await is_over(bench, "import")
    assert await known(bench) == SHELF + 41
    assert started(bench) == before + 1
    assert await bench.alerts("catalogue_vanished") == []


async def test_a_file_that_stays_cut_off_leaves_the_catalogue_as_it_was_until_the_pages_tell_it(
    running: Furnish,
) -> None:
    bench = await running(BULK_SHOP)
    bench.shop().bulk.cuts = 1_000
    await waits_for_the_file(bench, "import")
    await is_over(bench, "import")
    assert await known(bench) == SHELF + 1
    assert bench.shop().log.requests.get("productVariants", 0) == 11, "every page"
    [run] = await bench.rows(
        "select state from runs where kind = 'import' and connection_id = $1 order by id desc limit 1",
        bench.partners["shop"].connection_id,
    )
    assert run["state"] == "done"


async def test_what_a_file_shows_differently_is_read_by_key_before_it_counts(running: Furnish) -> None:
    bench = await running(BULK_SHOP)
    bench.off |= {"intake", "poll", "reconcile"}
    await is_over(bench, "reconcile")
    bench.shop().adjust_by_person(bench.items["shop"]["A-1"], bench.place(), -3, bench.agenda.now)
    await bench.run(30)
    assert bench.ledger() == 10, "nobody has heard of it"
    await waits_for_the_file(bench, "reconcile")
    bench.sent.clear()
    await bench.run(22)  # the file is being made; then one more unit goes, after it was written
    bench.shop().adjust_by_person(bench.items["shop"]["A-1"], bench.place(), -1, bench.agenda.now)
    await is_over(bench, "reconcile")
    await bench.until(lambda: bench.ledger() != 10)
    await bench.run(10)
    assert bench.requests("shop", "ReadLevels"), "a list is a hint: the cell is read by its key"
    assert (bench.ledger(), bench.channel()) == (6, 6), "what was read, not what the file said"
    assert bench.requests("shop", ADJUST) == []


async def test_the_end_of_an_operation_wakes_the_run_that_waits_for_it(running: Furnish) -> None:
    bench = await running(BULK_SHOP)
    await waits_for_the_file(bench, "import")
    await bench.pool.execute(
        "update runs set next_at = $1::timestamptz + interval '1 hour' where state = 'running'", bench.agenda.now
    )
    await bench.run(25)
    assert (await under_way(bench, "import"))["next_at"] <= bench.agenda.now
    await is_over(bench, "import")
