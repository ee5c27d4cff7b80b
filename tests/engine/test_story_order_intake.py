"""Where orders are the source of changes, no route runs before a whole list of them came."""

from __future__ import annotations

import pytest

from inventory_sync.engine import overview
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.sandbox.kernel import FaultKind
from inventory_sync.store.db import Pool
from tests.engine.bench_cart import CartBench
from tests.engine.bench_house import Setup


async def blockers(bench: CartBench) -> list[str]:
    return [each["code"] for each in (await overview.route(bench.house, "pos-cart"))["blocked_by"]]


@pytest.mark.row("S4-21")
async def test_a_cart_whose_orders_never_came_is_not_started(pool: Pool) -> None:
    bench = CartBench(7, pool, budget_full=True, setup=Setup(shops=()))
    await bench.move_in()
    bench.begin()
    bench.faults("cart").queue("orders", *[FaultKind.RESET_BEFORE] * 20)
    await bench.until(lambda: bench.requests("cart", "orders"))
    with pytest.raises(RefusedByRule, match="order_intake_not_configured:cart") as caught:
        await bench.start("cart")
    assert "connection notify-url cart" in str(caught.value)
    assert "受注一覧をまだ一度も取得できていません" in caught.value.japanese
    assert "order_intake_not_configured" in await blockers(bench)

    async def came() -> bool:
        return "order_intake_not_configured" not in await blockers(bench)

    await bench.until(came, seconds=600)
    await bench.start("cart", (await bench.preview("cart")).id)
    assert await blockers(bench) == []
    await bench.tasks.kill()
