"""Behaviours of writing: a difference, exactly once, and nothing where something was refused."""

from __future__ import annotations

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import Door, Trouble
from inventory_sync.conformance.stage import Sent, Stage, expect, expect_equal, possible, refusal
from inventory_sync.model.ids import LocationKey, OpId
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import Applied, CellRef, Condition, NotApplied, PlannedOp, Rejected, Split


@behaviour("An increase and a decrease take effect exactly once, and the answer names the partner's reference.")
async def a_write_takes_effect_once(stage: Stage) -> None:
    cells = stage.rig.stock([10, 10, 1])
    for cell, delta in zip(cells, (3, -4, -2), strict=True):
        outcome = await stage.send_one(stage.plan((cell, delta)))
        expect(isinstance(outcome, Applied), f"a change of {delta} came to {outcome}")
        expect(isinstance(outcome, Applied) and bool(outcome.reference), "the partner's reference is not kept")
        await stage.expect_effects(cell, [delta], "one write")
    expect_equal([stage.rig.truth(cell) for cell in cells], [13, 6, -1], "the partner's numbers")
    for cell in cells:
        await stage.expect_read(cell)


@behaviour("A write is a difference: what somebody else changes between composing and sending is kept.")
async def a_write_commutes_with_trade(stage: Stage) -> None:
    up, down = stage.rig.stock([10, 10])
    increase, decrease = stage.plan((up, 5)), stage.plan((down, -5))
    stage.rig.change(up, -3)
    stage.rig.change(down, 2)
    for sent in (increase, decrease):
        outcome = await stage.send_one(sent)
        expect(isinstance(outcome, Applied), f"a write after trade came to {outcome}")
    expect_equal([stage.rig.truth(up), stage.rig.truth(down)], [12, 7], "the numbers after trade and write")


@behaviour("The same ops give the same bytes, at any time and from any client of the installation, without a secret.")
async def composing_is_repeatable(stage: Stage) -> None:
    cells = stage.rig.stock([5, 6, 7])
    await stage.rested()
    rows = cells[: stage.capabilities.write_batch]
    ops = [PlannedOp(OpId(stage.new_id()), cell, -1) for cell in rows]
    key = stage.new_id()
    first = stage.client.compose(ops, key)
    await stage.rig.pause(86_400.0)
    expect_equal(stage.rig.client().compose(ops, key), first, "the request composed a second time")
    everything = b" ".join((first.body, first.path.encode(), first.key.encode())).decode("utf-8", "replace")
    expect(bool(stage.rig.secrets), "the rig names no secret, which shows nothing")
    for secret in stage.rig.secrets:
        expect(secret not in everything, "a secret stands in the stored request")


@behaviour("A batch is carried out row by row, each op with its own outcome.", Need.BATCH)
async def a_batch_takes_effect(stage: Stage) -> None:
    cells = stage.rig.stock([10] * min(20, stage.capabilities.write_batch))
    sent = stage.plan(*((cell, -1 - number) for number, cell in enumerate(cells)))
    outcomes = await stage.send(sent)
    expect(all(isinstance(outcome, Applied) for outcome in outcomes.values()), f"a batch came to {outcomes}")
    for number, cell in enumerate(cells):
        await stage.expect_effects(cell, [-1 - number], "a row of a batch")


@behaviour(
    "One bad row in a batch is rejected by name; its neighbours are untouched and may be sent again.", Need.BATCH
)
async def one_bad_row_is_found(stage: Stage) -> None:
    first, last = stage.rig.stock([10, 10])
    bad = stage.rig.unknown_cell()
    sent = stage.plan((first, 2), (bad, 2), (last, 2))
    outcome = await stage.patiently(lambda: stage.try_send(sent))
    for cell in (first, last):
        await stage.expect_effects(cell, [], "a batch with a bad row")
    if not isinstance(outcome, Split):
        expect(isinstance(outcome[sent.ops[1].op], Rejected), f"the bad row came to {outcome[sent.ops[1].op]}")
        for op in (sent.ops[0], sent.ops[2]):
            expect(isinstance(outcome[op.op], NotApplied), f"its neighbour came to {outcome[op.op]}")
    alone = await stage.send_one(stage.plan((bad, 2)))
    expect(isinstance(alone, Rejected), f"the bad row, sent alone, came to {alone}")
    again = await stage.send(stage.plan((first, 2), (last, 2)))
    expect(all(isinstance(each, Applied) for each in again.values()), f"the good rows came to {again}")


@behaviour("A write to an item or location that does not exist is rejected, with a reason and a code.")
async def an_unknown_cell_is_rejected(stage: Stage) -> None:
    (cell,) = stage.rig.stock([10])
    unknown = stage.rig.unknown_cell()
    wrong = [unknown]
    if stage.capabilities.has_locations:
        wrong.append(CellRef(cell.item, _unknown_location(cell.location)))
    for each in wrong:
        outcome = await stage.send_one(stage.plan((each, -1)))
        expect(isinstance(outcome, Rejected), f"a write to {each} came to {outcome}")
        expect(isinstance(outcome, Rejected) and bool(outcome.reason and outcome.code), "no reason or code is given")
    await stage.expect_effects(cell, [], "writes to cells that do not exist")


@behaviour("A throttled write was not carried out; it says how long to wait, and then takes effect once.")
async def a_throttled_write_waits(stage: Stage) -> None:
    (cell,) = stage.rig.stock([10])
    await stage.rested()
    sent = stage.plan((cell, -3))
    stage.rig.trouble(Door.WRITE, Trouble.THROTTLE)
    error = await refusal(RetryLater, stage.try_send(sent))
    expect(error.after > 0, "no time to wait")
    expect(error.executed is not True, "a throttled request counts as carried out")
    await stage.expect_effects(cell, [], "a throttled write")
    await _expect_applied(stage, sent, [-3])


@behaviour("A cell is made active without setting a number: the one it had comes back.", Need.ACTIVATION)
async def an_inactive_cell_is_activated(stage: Stage) -> None:
    cell = possible(stage.rig.odd_cell(Condition.INACTIVE))
    await _activate(stage, cell, stage.rig.hidden_quantity(cell))


@behaviour("A cell that never was becomes active with 0.", Need.ACTIVATION)
async def an_absent_cell_is_activated(stage: Stage) -> None:
    await _activate(stage, possible(stage.rig.odd_cell(Condition.ABSENT)), 0)


async def _activate(stage: Stage, cell: CellRef, number: int) -> None:
    key = stage.new_id()
    prepared = stage.client.compose_activation(cell, key)
    expect_equal(stage.rig.client().compose_activation(cell, key), prepared, "the activation composed a second time")
    sent = Sent(prepared, (PlannedOp(OpId(stage.new_id()), cell, 0),))
    for attempt in ("first", "second"):
        outcome = await stage.send_one(sent)
        expect(isinstance(outcome, Applied), f"the {attempt} activation came to {outcome}")
    expect_equal(await stage.quantity(cell), number, "the number of the cell made active")
    await stage.expect_effects(cell, [], "an activation")


async def _expect_applied(stage: Stage, sent: Sent, effects: list[int]) -> None:
    outcome = await stage.send_one(sent)
    expect(isinstance(outcome, Applied), f"the write came to {outcome}")
    await stage.expect_effects(sent.op.cell, effects, "the write")


def _unknown_location(known: LocationKey) -> LocationKey:
    """A key of the same form that no location has: its digits, the last nine of them nines."""
    digits = len(known) - len(known.rstrip("0123456789"))
    return LocationKey(known[: len(known) - digits] + "9" * max(digits, 6))
