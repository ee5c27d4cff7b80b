"""Behaviours of writing: a difference or a number, exactly once, and nothing where something was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import BelowZero, Door, GroupingRig, Trouble
from inventory_sync.conformance.stage import Sent, Stage, Violated, expect, expect_equal, possible, refusal
from inventory_sync.model.ids import LocationKey, OpId
from inventory_sync.systems.errors import Bug, RetryLater
from inventory_sync.systems.port import (
    Applied,
    CellRef,
    Condition,
    EvidenceKind,
    GroupingClient,
    NotApplied,
    OpOutcome,
    PlannedOp,
    Rejected,
    Split,
    WriteMode,
)


@behaviour("An increase and a decrease take effect exactly once; a partner that keeps history names its row.")
async def a_write_takes_effect_once(stage: Stage) -> None:
    cells = await stage.rig.stock([10, 10, 10, 10])
    named = stage.capabilities.evidence in (EvidenceKind.KEY, EvidenceKind.HISTORY)
    for cell, delta in zip(cells, (3, -4, -10, 12345), strict=True):
        outcome = await stage.send_one(await stage.plan((cell, delta)))
        expect(isinstance(outcome, Applied), f"a change of {delta} came to {outcome}")
        expect(not named or bool(getattr(outcome, "reference", "")), "the partner's reference is not kept")
        await stage.expect_effects(cell, [delta], "one write")
    expect_equal([await stage.rig.truth(cell) for cell in cells], [13, 6, 0, 12355], "the partner's numbers")
    for cell in cells:
        await stage.expect_read(cell)


@behaviour("A write is a difference: what somebody else changes between composing and sending is kept.", Need.RELATIVE)
async def a_write_commutes_with_trade(stage: Stage) -> None:
    up, down = await stage.rig.stock([10, 10])
    increase, decrease = await stage.plan((up, 5)), await stage.plan((down, -5))
    await stage.rig.change(up, -3)
    await stage.rig.change(down, 2)
    for sent in (increase, decrease):
        outcome = await stage.send_one(sent)
        expect(isinstance(outcome, Applied), f"a write after trade came to {outcome}")
    await stage.settle()
    expect_equal([await stage.rig.truth(up), await stage.rig.truth(down)], [12, 7], "the numbers after trade and write")


@behaviour(
    "A difference that ends below 0 is told as what it came to: carried out, cut off at 0, or refused.", Need.RELATIVE
)
async def a_write_may_end_below_zero(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([1])
    outcome = await stage.send_one(await stage.plan((cell, -3)))
    kind, effects = {
        BelowZero.CARRIED_OUT: (Applied, [-3]),
        BelowZero.CUT_OFF: (Applied, [-1]),
        BelowZero.REFUSED: (Rejected, []),
    }[stage.rig.below_zero]
    expect(isinstance(outcome, kind), f"a change of -3 in a cell of 1 came to {outcome}")
    await stage.expect_effects(cell, effects, "a write below 0")
    await stage.expect_read(cell)


@behaviour("A write sets its number, whatever was there; repeated, it changes nothing.", Need.ABSOLUTE)
async def a_write_sets_its_number(stage: Stage) -> None:
    cells = await stage.rig.stock([10, 10, 0])
    for cell, number in zip(cells, (15, 0, 7), strict=True):
        sent = await stage.plan((cell, 0), known={cell: number})
        await stage.rig.change(cell, 2)
        for attempt in ("first", "second"):
            outcome = await stage.send_one(sent)
            expect(isinstance(outcome, Applied), f"the {attempt} write of {number} came to {outcome}")
            await stage.settle()
            expect_equal(await stage.rig.truth(cell), number, f"the number after the {attempt} write")
        await stage.expect_read(cell)
        expect_equal(len(await stage.rig.effects(cell)), 1, f"changes made by two writes of {number}")


@behaviour("A number below 0 is never sent, and neither is a write without a number.", Need.ABSOLUTE)
async def a_number_has_to_be_one(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    for value in (-1, None):
        op = PlannedOp(OpId(stage.new_id()), cell, -1, value)
        try:
            made = stage.client.compose([op], stage.new_id())
        except Bug:
            continue
        raise Violated(f"a write of {value} was composed: {made}")


@behaviour("A cell whose number cannot be read is written all the same.")
async def an_unreadable_cell_is_written(stage: Stage) -> None:
    cell = possible(await stage.rig.odd_cell(Condition.UNREADABLE))
    await stage.expect_applied(await stage.plan((cell, 3)), [3], "a write to a cell that cannot be read")
    await stage.expect_applied(await stage.plan((cell, -2)), [3, -2], "another one")


@behaviour("The same ops give the same bytes, at any time and from any client of the installation, without a secret.")
async def composing_is_repeatable(stage: Stage) -> None:
    cells = await stage.rig.stock([5, 6, 7])
    await stage.rested()
    rows = cells[: stage.capabilities.write_batch]
    absolute = stage.capabilities.writes is WriteMode.ABSOLUTE
    ops = [PlannedOp(OpId(stage.new_id()), cell, -1, 4 if absolute else None) for cell in rows]
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
    cells = await stage.rig.stock([30] * min(20, stage.capabilities.write_batch))
    sent = await stage.plan(*((cell, -1 - number) for number, cell in enumerate(cells)))
    outcomes = await stage.send(sent)
    expect(all(isinstance(outcome, Applied) for outcome in outcomes.values()), f"a batch came to {outcomes}")
    for number, cell in enumerate(cells):
        await stage.expect_effects(cell, [-1 - number], "a row of a batch")


@behaviour(
    "One bad row in a batch is rejected by name, or the batch split; its neighbours are told as what became of them.",
    Need.BATCH,
)
async def one_bad_row_is_found(stage: Stage) -> None:
    first, last = await stage.rig.stock([10, 10])
    bad = stage.rig.unknown_cell()
    sent = await stage.plan((first, 2), (bad, 2), (last, 2))
    outcome = await stage.patiently(lambda: stage.try_send(sent))
    done = await _told_as_it_is(stage, sent, outcome)
    alone = await stage.send_one(await stage.plan((bad, 2)))
    expect(isinstance(alone, Rejected), f"the bad row, sent alone, came to {alone}")
    left = [op.cell for op in sent.ops if op.cell not in (bad, *done)]
    if left:
        again = await stage.send(await stage.plan(*((cell, 2) for cell in left), known={first: 10, last: 10}))
        expect(all(isinstance(each, Applied) for each in again.values()), f"the good rows came to {again}")
    for cell in (first, last):
        await stage.expect_effects(cell, [2], "a good row, in the end")


async def _told_as_it_is(stage: Stage, sent: Sent, outcome: Mapping[OpId, OpOutcome] | Split) -> list[CellRef]:
    """The good rows of a batch with a bad one (its second) that were carried out, and are told as such.

    A batch that is to be split changed nothing, unless its rows are numbers: those may be set once more.
    """
    bad = sent.ops[1]
    good = [op for op in sent.ops if op != bad]
    if isinstance(outcome, Split):
        if stage.capabilities.writes is WriteMode.RELATIVE:
            for op in good:
                await stage.expect_effects(op.cell, [], "a batch that is to be split")
        return []
    expect(isinstance(outcome[bad.op], Rejected), f"the bad row came to {outcome[bad.op]}")
    done = []
    for op in good:
        told = outcome[op.op]
        expect(isinstance(told, (Applied, NotApplied)), f"its neighbour came to {told}")
        await stage.expect_effects(op.cell, [2] if isinstance(told, Applied) else [], f"a neighbour told as {told}")
        done += [op.cell] if isinstance(told, Applied) else []
    return done


@behaviour("Cells of different groups never share a request; each group is written by itself.", Need.GROUPS)
async def groups_are_written_apart(stage: Stage) -> None:
    cells = await cast(GroupingRig, stage.rig).cells_of_each_group()
    client = cast(GroupingClient, stage.client)
    expect(len({client.write_group(cell) for cell in cells}) == len(cells) > 1, "the cells are not of different groups")
    try:
        mixed = await stage.plan(*((cell, -1) for cell in cells))
    except Bug:
        pass
    else:
        raise Violated(f"two groups were composed into one request: {mixed.prepared}")
    for cell in cells:
        await stage.expect_applied(await stage.plan((cell, -1)), [-1], "a write of one group")


@behaviour("A write to an item or location that does not exist is rejected, with a reason and a code.")
async def an_unknown_cell_is_rejected(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    unknown = stage.rig.unknown_cell()
    wrong = [unknown]
    if stage.capabilities.has_locations:
        wrong.append(CellRef(cell.item, _unknown_location(cell.location)))
    for each in wrong:
        outcome = await stage.send_one(await stage.plan((each, 1)))
        expect(isinstance(outcome, Rejected), f"a write to {each} came to {outcome}")
        expect(isinstance(outcome, Rejected) and bool(outcome.reason and outcome.code), "no reason or code is given")
    await stage.expect_effects(cell, [], "writes to cells that do not exist")


@behaviour("A throttled write was not carried out; it says how long to wait, and then takes effect once.")
async def a_throttled_write_waits(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    await stage.rested()
    sent = await stage.plan((cell, -3))
    stage.trouble(Door.WRITE, Trouble.THROTTLE)
    error = await refusal(RetryLater, stage.try_send(sent))
    expect(error.after > 0, "no time to wait")
    expect(error.executed is not True, "a throttled request counts as carried out")
    await stage.expect_effects(cell, [], "a throttled write")
    await stage.expect_applied(sent, [-3], "the write that had waited")


@behaviour("A cell is made active without setting a number: the one it had comes back.", Need.ACTIVATION)
async def an_inactive_cell_is_activated(stage: Stage) -> None:
    cell = possible(await stage.rig.odd_cell(Condition.INACTIVE))
    await _activate(stage, cell, stage.rig.hidden_quantity(cell))


@behaviour("A cell that never was becomes active with 0.", Need.ACTIVATION)
async def an_absent_cell_is_activated(stage: Stage) -> None:
    await _activate(stage, possible(await stage.rig.odd_cell(Condition.ABSENT)), 0)


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


def _unknown_location(known: LocationKey) -> LocationKey:
    """A key of the same form that no location has: its digits, the last nine of them nines."""
    digits = len(known) - len(known.rstrip("0123456789"))
    return LocationKey(known[: len(known) - digits] + "9" * max(digits, 6))
