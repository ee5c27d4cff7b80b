"""Doubt at a shop: a batch whose answer was lost is repeated with the same key and the same bytes."""

from __future__ import annotations

import pytest

from inventory_sync.sandbox.kernel import Fault, FaultKind
from tests.engine.bench import ADJUST, TIMEOUT
from tests.engine.conftest import Furnish

LOST = {
    "the reply was lost after it took effect": Fault(FaultKind.RESET_AFTER),
    "it was lost before it took effect": Fault(FaultKind.RESET_BEFORE),
    "it lands after the time-out and after our repeat": Fault(FaultKind.LATE, 4.0),
    "it lands after the time-out and before our repeat": Fault(FaultKind.LATE, 0.4),
    "it took effect and was answered 503": Fault(FaultKind.ERROR_AFTER),
    "it was answered 503 without effect": Fault(FaultKind.ERROR_BEFORE),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=list(LOST))
async def test_a_batch_in_doubt_is_repeated_to_the_byte_and_takes_effect_once(running: Furnish, fault: Fault) -> None:
    bench = await running()
    bench.faults("shop").queue(ADJUST, fault)
    bench.move_ledger("A-1", -3)
    await bench.rest()
    await bench.run(fault.seconds + TIMEOUT)

    first, second = bench.requests("shop", ADJUST)
    assert first.body == second.body
    [op] = [op for op in await bench.ops("shop") if op["delta"] == -3]
    assert op["key"].encode() in first.body
    assert (op["attempts"], op["state"]) == (2, "applied")
    assert [change.delta for change in bench.ours("shop")] == [-3]
    assert (bench.ledger(), bench.channel()) == (7, 7)
    assert bench.ours("pos") == []
