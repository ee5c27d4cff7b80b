"""Catalogues that are imported as a whole while a route runs, and while it is stopped."""

from __future__ import annotations

import pytest

from inventory_sync.engine import catalogue
from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench
from tests.engine.conftest import Furnish


async def import_both(bench: Bench) -> None:
    """Both catalogues are imported to their last page."""
    for name in ("pos", "shop"):
        lane = bench.lanes[name]
        assert await catalogue.start_import(bench.house, lane.connection_id)
        while await db.row(bench.pool, "running_run", kind="import", connection_id=lane.connection_id) is not None:
            await bench.person(catalogue.import_page(bench.house, lane))


def appears(bench: Bench, code: str, *, ledger: int, channel: int) -> None:
    """A product that is new on both sides, and of which no notice tells."""
    bench.off.add("intake")
    now = bench.agenda.now
    bench.products[code] = bench.pos.add_product(code, now)
    bench.pos.receive(bench.products[code], "1", ledger, now)
    [bench.items["shop"][code]] = bench.shop().add_product(
        code, [code], now, locations=bench.shop().location_ids(), stock=channel, policy="CONTINUE"
    )


@pytest.mark.row("S4-32")
async def test_the_end_of_an_import_starts_telling_stock_for_what_matches_now(running: Furnish) -> None:
    bench = await running()
    appears(bench, "N-1", ledger=7, channel=3)
    await bench.run(30)
    assert bench.channel("N-1") == 3
    await import_both(bench)
    await bench.run(60)
    assert (bench.ledger("N-1"), bench.channel("N-1")) == (7, 7)


@pytest.mark.row("S4-33", "S4-40")
async def test_what_is_imported_while_stopped_is_told_with_the_start_and_not_before(running: Furnish) -> None:
    bench = await running()
    await bench.stop()
    appears(bench, "N-1", ledger=7, channel=3)
    await import_both(bench)
    await bench.run(120)
    assert (await bench.pair("N-1"))["phase"] == "new", "it is matched"
    assert bench.channel("N-1") == 3
    assert bench.requests("shop", ADJUST) == []
    await bench.start()
    await bench.run(60)
    assert (bench.ledger("N-1"), bench.channel("N-1")) == (7, 7)
