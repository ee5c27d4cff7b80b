"""Catalogue files of a shop without a catalogue by API: a set counts whole, and only what is in force is pushed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from inventory_sync.engine import overview, routes
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.systems.errors import FileRefused
from inventory_sync.systems.port import NamedFile
from tests.engine.bench_classic import ClassicBench, furnish_classic
from tests.engine.bench_house import Setup
from tests.engine.conftest import benches

TWO = Setup(shops=(), codes=("A-1", "B-2"), ledger=10, channel=4)


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Callable[[], Awaitable[ClassicBench]]]:
    """Makes the bench of a story. When it is over, no partner's limit may have been overstepped."""
    async with benches(database, lambda pool: furnish_classic(pool, TWO)) as make:
        yield make


Shop = Callable[[], Awaitable[ClassicBench]]


async def accept(bench: ClassicBench) -> None:
    """A person looks at the preview of the route and starts it."""
    await bench.start("cart", (await bench.preview("cart")).id)


async def checklist(bench: ClassicBench) -> dict[str, str]:
    """The steps of the route in order, each with its own state."""
    return {each["step"]: each["state"] for each in (await overview.route(bench.house, "pos-cart"))["steps"]}


async def running(shop: Shop) -> ClassicBench:
    """A shop whose files were handed in and whose route runs, at rest."""
    bench = await shop()
    await bench.hand_in(*bench.downloads())
    await accept(bench)
    await bench.rest(seconds=900)
    assert bench.written() == {"A-1": 10, "B-2": 10}
    bench.begin()
    return bench


@pytest.mark.row("S4-1", "S4-28", "S4-35")
async def test_one_file_of_the_pair_waits_and_no_route_starts_before_a_whole_pair_is_in(shop: Shop) -> None:
    bench = await shop()
    product, option = bench.downloads()
    assert (await bench.hand_in(product)).waiting_for == ("option",)
    await bench.run(60)
    assert await bench.known() == set()
    with pytest.raises(RefusedByRule, match="nothing_matched") as refused:
        await bench.start("cart")
    assert refused.value.code == "IS-RTE-001"
    assert await checklist(bench) == {
        "connect": "done",
        "locations": "done",
        "fields": "done",
        "match": "now",
        "enable": "later",
    }

    done = await bench.hand_in(option)
    assert (done.waiting_for, done.items) == ((), 2)
    assert await bench.known() == {"A-1", "B-2"}
    assert (await checklist(bench))["enable"] == "now"
    await accept(bench)
    assert set((await checklist(bench)).values()) == {"done"}
    await bench.rest(seconds=900)
    assert bench.written() == {"A-1": 10, "B-2": 10}


@pytest.mark.row("S4-28")
async def test_a_new_product_file_alone_changes_nothing_of_what_is_in_force(shop: Shop) -> None:
    bench = await running(shop)
    bench.sells("N-1", ledger=7, cart=3)
    await bench.learnt("N-1")
    product, _ = bench.downloads()
    assert (await bench.hand_in(product)).waiting_for == ("option",)
    newer, option = bench.downloads()
    assert (await bench.hand_in(newer)).waiting_for == ("option",), "a later one takes the place of the first"
    await bench.run(120)
    assert await bench.known() == {"A-1", "B-2"}
    assert bench.written() == {}

    assert (await bench.hand_in(option)).items == 3
    assert await bench.known() == {"A-1", "B-2", "N-1"}


@pytest.mark.row("S4-32", "S4-41")
async def test_while_the_route_runs_a_committed_pair_of_files_pushes_what_is_newly_matched_and_nothing_before(
    shop: Shop,
) -> None:
    bench = await running(shop)
    bench.sells("N-1", ledger=7, cart=3)
    await bench.learnt("N-1")
    product, option = bench.downloads()
    with pytest.raises(FileRefused):
        await bench.hand_in(product, NamedFile(option.name, option.body[: len(option.body) // 2]))
    await bench.hand_in(product)
    await bench.run(300)
    assert bench.written() == {}
    assert bench.cart.stock(bench.items["cart"]["N-1"]) == 3

    await bench.hand_in(option)
    await bench.rest(seconds=900)
    assert bench.written() == {"N-1": 7}
    bench.move_ledger("N-1", -2)
    await bench.rest(seconds=900)
    assert bench.written() == {"N-1": 5}


@pytest.mark.row("S4-33", "S4-40")
async def test_files_handed_in_while_stopped_are_taken_and_push_nothing_until_the_start_and_then_the_newest_count(
    shop: Shop,
) -> None:
    bench = await running(shop)
    await bench.stop("cart")
    bench.sells("N-1", ledger=7, cart=3)
    bench.sells("N-2", ledger=8, cart=3)
    await bench.learnt("N-1")
    await bench.learnt("N-2")
    await bench.hand_in(*bench.downloads())
    assert await bench.known() == {"A-1", "B-2", "N-1", "N-2"}
    bench.shop_simulator.change_code(bench.items["cart"]["N-1"], "OTHER", bench.agenda.now)
    await bench.run(1)
    await bench.hand_in(*bench.downloads())
    assert await bench.known() == {"A-1", "B-2", "OTHER", "N-2"}
    await bench.run(600)
    assert bench.written() == {}

    await accept(bench)
    await bench.rest(seconds=900)
    assert bench.written() == {"N-2": 8}, "the first pair of files had N-1 as well"


@pytest.mark.row("S4-23")
async def test_without_any_notice_orders_are_found_by_asking(shop: Shop) -> None:
    bench = await running(shop)
    assert bench.shop_simulator.mail.url is None
    bench.order(3)
    await bench.until(lambda: bench.ledger() == 7, seconds=300)
    assert (await bench.rows("select heard_at from connections where name = 'cart'"))[0]["heard_at"] is None


@pytest.mark.row("S4-36")
async def test_who_started_and_who_stopped_a_route_is_kept(shop: Shop) -> None:
    bench = await shop()
    await bench.hand_in(*bench.downloads())
    preview = await bench.preview("cart")
    await routes.start(bench.house, "pos-cart", preview_id=preview.id, actor="mika")
    assert (await routes.route_named(bench.pool, "pos-cart"))["state"] == "running"
    await routes.stop(bench.house, "pos-cart", actor="ken")
    assert (await routes.route_named(bench.pool, "pos-cart"))["state"] == "stopped"
    found = await bench.rows("select actor, action, subject from audit where action like 'route.st%' order by id")
    assert [tuple(row) for row in found] == [
        ("mika", "route.started", "pos-cart"),
        ("ken", "route.stopped", "pos-cart"),
    ]
