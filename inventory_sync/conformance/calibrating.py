"""Behaviours of a calibration: it finds out what no document says, on one item that ends as it was."""

from __future__ import annotations

from typing import cast

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import CalibratingRig
from inventory_sync.conformance.stage import Stage, expect, expect_equal, refusal
from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import Applied, CellRef, PlannedOp, WriteMode


def _bench(stage: Stage) -> CalibratingRig:
    return cast(CalibratingRig, stage.rig)


@behaviour(
    "A calibration finds out how this partner works, and says step by step what it did and saw.", Need.CALIBRATION
)
async def a_calibration_finds_the_truth(stage: Stage) -> None:
    bench = _bench(stage)
    made = await bench.calibrate(await bench.hidden_item())
    expect(bool(bench.calibration), "the rig says nothing that could be found")
    for name, value in bench.calibration.items():
        expect_equal(made.found.get(name), value, f"what was found of {name}")
    expect(bool(made.steps), "no step is told")
    for step in made.steps:
        expect(bool(step.did_en and step.did_ja and step.saw), f"a step that says too little: {step}")


@behaviour("A calibration leaves its item as it was, touches no other, and finds the same again.", Need.CALIBRATION)
async def a_calibration_leaves_everything_as_it_was(stage: Stage) -> None:
    bench = _bench(stage)
    others = await stage.rig.stock([0, 4, 9])
    cell = await bench.hidden_item()
    before = await stage.rig.truth(cell)
    found = [(await bench.calibrate(cell)).found for _ in range(2)]
    expect_equal(found[1], found[0], "what a second calibration found")
    expect_equal(await stage.rig.truth(cell), before, "the number of the item that was tried on")
    for other in others:
        await stage.expect_effects(other, [], "a calibration on another item")


@behaviour(
    "An item that cannot serve is refused before anything is written to it, and the reason is given.", Need.CALIBRATION
)
async def a_calibration_refuses_what_cannot_serve(stage: Stage) -> None:
    bench = _bench(stage)
    unfit = await bench.unfit_items()
    expect(bool(unfit), "the rig knows no item that cannot serve")
    for why, cell in unfit.items():
        before = await stage.rig.truth(cell)
        error = await refusal(InvalidSettings, bench.calibrate(cell))
        expect(bool(error.remedy.strip()), f"no remedy is given for an item that is {why}")
        expect_equal(await stage.rig.truth(cell), before, f"the number of an item that is {why}")
        await stage.expect_effects(cell, [], f"an item that is {why}")


@behaviour(
    "With what was found, a client writes as it declares: differences that keep trade, or numbers.", Need.CALIBRATION
)
async def what_was_found_is_used(stage: Stage) -> None:
    bench = _bench(stage)
    made = await bench.calibrate(await bench.hidden_item())
    client = bench.calibrated_client(made.found)
    for cell in await stage.rig.stock([10, 10]):
        op = PlannedOp(OpId(stage.new_id()), cell, -3, 7)
        prepared = client.compose([op], stage.new_id())
        await stage.rig.change(cell, 5)
        outcome = await stage.patiently(lambda p=prepared, o=op: client.send(p, [o]))  # type: ignore[misc]
        expect(isinstance(cast(dict[OpId, object], outcome)[op.op], Applied), f"the write came to {outcome}")
        await _expect_number(stage, cell, 12 if client.capabilities.writes is WriteMode.RELATIVE else 7)


async def _expect_number(stage: Stage, cell: CellRef, number: int) -> None:
    await stage.settle()
    expect_equal(await stage.rig.truth(cell), number, "the number after 5 more from outside and our write of 10 less 3")
