"""`orders list` and `orders drop`, as a person types them."""

from __future__ import annotations

from pathlib import Path

from inventory_sync.store.db import Pool
from tests.cli.surroundings import FAILED, Terminal, _clean
from tests.engine.bench_cart import furnish_cart

__all__ = ["_clean"]


def test_orders_that_do_not_count_are_listed_with_the_reason_and_kept_ones_dropped(
    database: str, tmp_path: Path
) -> None:
    async def live(pool: Pool) -> tuple[str, str]:
        bench = await furnish_cart(pool)
        await pool.execute("""update connections set settings = '{"orders": {"unpaid": "hold"}}' where name = 'cart'""")
        bench.items["cart"]["N-1"] = bench.cart.add_product(bench.agenda.now, code="N-1", stock=10)
        numbers = bench.order(2, paid=False), bench.order(3, "N-1")
        await bench.run(20)
        await bench.tasks.kill()
        return numbers

    terminal = Terminal(database, tmp_path, "orders")
    unpaid, unknown = terminal.on_pool(live)
    listed = {each["order_id"]: each["why"] for each in terminal.json("list")["orders"]}
    assert listed == {unpaid: "held", unknown: "kept"}
    assert terminal.json("list", "--connection", "elsewhere")["orders"] == []
    shown = " ".join(terminal.run("list").stdout.split())
    assert "held: not paid" in shown
    assert "未入金のため確保中" in "".join(terminal.run("list", language="ja").stdout.split())

    refused = terminal.run("drop", "cart", unpaid, expect=FAILED)
    assert "No order of these numbers is kept" in refused.output
    [gone] = terminal.json("drop", "cart", unknown)["dropped"]
    assert (gone["order_id"], gone["quantity"]) == (unknown, 3)
    assert [each["order_id"] for each in terminal.json("list")["orders"]] == [unpaid]
