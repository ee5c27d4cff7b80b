"""`orders list` and `orders drop`, as a person types them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from inventory_sync.cli.main import app
from inventory_sync.store.db import open_pool
from tests.engine.bench_cart import furnish_cart

DONE, FAILED = 0, 1


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in tuple(os.environ):
        if name.startswith("INVENTORY_SYNC_"):
            monkeypatch.delenv(name)
    yield
    structlog.reset_defaults()


def terminal(url: str, *arguments: str, expect: int = DONE, language: str = "en") -> Result:
    environ = {
        "INVENTORY_SYNC_DATABASE_URL": url,
        "INVENTORY_SYNC_SECRET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "INVENTORY_SYNC_LANGUAGE": language,
    }
    found = CliRunner().invoke(app, list(arguments), env=environ)
    assert found.exit_code == expect, (found.exit_code, found.output, found.exception)
    return found


def document(url: str, *arguments: str) -> Any:
    return orjson.loads(terminal(url, *arguments, "--json").stdout)


def test_orders_that_do_not_count_are_listed_with_the_reason_and_kept_ones_dropped(database: str) -> None:
    async def live() -> tuple[str, str]:
        pool = await open_pool(database, size=4)
        bench = await furnish_cart(pool)
        await pool.execute("""update connections set settings = '{"orders": {"unpaid": "hold"}}' where name = 'cart'""")
        bench.items["cart"]["N-1"] = bench.cart.add_product(bench.agenda.now, code="N-1", stock=10)
        numbers = bench.order(2, paid=False), bench.order(3, "N-1")
        await bench.run(20)
        await bench.tasks.kill()
        await pool.close()
        return numbers

    unpaid, unknown = asyncio.run(live())
    listed = {each["order_id"]: each["why"] for each in document(database, "orders", "list")["orders"]}
    assert listed == {unpaid: "held", unknown: "kept"}
    assert document(database, "orders", "list", "--connection", "elsewhere")["orders"] == []
    shown = " ".join(terminal(database, "orders", "list").stdout.split())
    assert "held: not paid" in shown
    assert "未入金のため確保中" in "".join(terminal(database, "orders", "list", language="ja").stdout.split())

    refused = terminal(database, "orders", "drop", "cart", unpaid, expect=FAILED)
    assert "No order of these numbers is kept" in refused.output
    [gone] = document(database, "orders", "drop", "cart", unknown)["dropped"]
    assert (gone["order_id"], gone["quantity"]) == (unknown, 3)
    assert [each["order_id"] for each in document(database, "orders", "list")["orders"]] == [unpaid]
