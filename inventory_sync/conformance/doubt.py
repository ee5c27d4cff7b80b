"""Behaviours of doubt: an answer that was lost is never taken for a no, and evidence ends the doubt."""

from __future__ import annotations

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import Door, Trouble
from inventory_sync.conformance.stage import Sent, Stage, expect, expect_equal, refusal
from inventory_sync.systems.errors import Doubt
from inventory_sync.systems.port import Applied

CARRIED_OUT = (Trouble.LOST_AFTER, Trouble.ERROR_AFTER, Trouble.HTML, Trouble.CUT, Trouble.BROKEN_OFF)
NOT_CARRIED_OUT = (Trouble.LOST_BEFORE, Trouble.ERROR_BEFORE)


async def _doubt(stage: Stage, trouble: Trouble) -> Sent:
    """A write of -3 to a new cell of 10, that met a trouble and is in doubt."""
    (cell,) = await stage.rig.stock([10])
    client = stage.rig.client(impatient=True) if trouble is Trouble.LATE else stage.client
    await stage.rested(client)
    sent = await stage.plan((cell, -3))
    stage.trouble(Door.WRITE, trouble)
    await refusal(Doubt, client.send(sent.prepared, sent.ops))
    return sent


async def _resend(stage: Stage, sent: Sent, what: str) -> None:
    """The identical bytes again: applied, and no more than one effect in all."""
    await stage.rig.pause(1.0)
    await stage.expect_applied(sent, [-3], f"{what}, then the same bytes again")


@behaviour("A write that was carried out, its answer lost or unreadable (reset, 5xx, web page, cut), is in doubt.")
async def a_lost_answer_leaves_doubt(stage: Stage) -> None:
    for trouble in stage.playable(Door.WRITE, CARRIED_OUT):
        sent = await _doubt(stage, trouble)
        await stage.expect_effects(sent.op.cell, [-3], str(trouble))


@behaviour("A write that was lost on the way is in doubt all the same: nobody can tell from here.")
async def a_lost_request_leaves_doubt(stage: Stage) -> None:
    for trouble in stage.playable(Door.WRITE, NOT_CARRIED_OUT):
        sent = await _doubt(stage, trouble)
        await stage.expect_effects(sent.op.cell, [], str(trouble))


@behaviour("A write that is not answered in time is in doubt, and may land afterwards.")
async def a_late_write_leaves_doubt(stage: Stage) -> None:
    sent = await _doubt(stage, Trouble.LATE)
    await stage.expect_effects(sent.op.cell, [], "before the request landed")
    expect_equal(await stage.rig.land(), 1, "requests that landed late")
    await stage.expect_effects(sent.op.cell, [-3], "after the request landed")


# -- evidence by key ---


@behaviour("The same bytes sent twice under their key take effect once, with the same answer.", Need.KEY)
async def a_key_makes_a_repeat_harmless(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    sent = await stage.plan((cell, -3))
    first, second = await stage.send_one(sent), await stage.send_one(sent)
    expect(isinstance(first, Applied) and isinstance(second, Applied), f"two attempts came to {first} and {second}")
    expect_equal(getattr(second, "reference", None), getattr(first, "reference", None), "the reference of the repeat")
    await stage.expect_effects(cell, [-3], "two attempts")


@behaviour("After any lost answer the same bytes end the doubt: applied, and one effect in all.", Need.KEY)
async def a_key_ends_doubt_about_a_lost_answer(stage: Stage) -> None:
    for trouble in stage.playable(Door.WRITE, CARRIED_OUT):
        await _resend(stage, await _doubt(stage, trouble), str(trouble))


@behaviour("After a lost request the same bytes carry the write out, once.", Need.KEY)
async def a_key_ends_doubt_about_a_lost_request(stage: Stage) -> None:
    for trouble in stage.playable(Door.WRITE, NOT_CARRIED_OUT):
        await _resend(stage, await _doubt(stage, trouble), str(trouble))


@behaviour("A request that lands late and its repeat make one effect, whichever comes first.", Need.KEY)
async def a_key_covers_a_late_landing(stage: Stage) -> None:
    landed_first = await _doubt(stage, Trouble.LATE)
    expect_equal(await stage.rig.land(), 1, "requests that landed late")
    await _resend(stage, landed_first, "landed late")
    repeated_first = await _doubt(stage, Trouble.LATE)
    await _resend(stage, repeated_first, "not landed yet")
    expect_equal(await stage.rig.land(), 1, "requests that landed late")
    await stage.expect_effects(repeated_first.op.cell, [-3], "the late landing behind its repeat")


@behaviour("A key that was used keeps its bytes: trade in between changes nothing about the repeat.", Need.KEY)
async def a_key_outlives_trade(stage: Stage) -> None:
    sent = await _doubt(stage, Trouble.LOST_AFTER)
    await stage.rig.change(sent.op.cell, 20)
    await stage.rig.pause(3600.0)
    await _resend(stage, sent, "an hour of trade later")
    expect_equal(await stage.rig.truth(sent.op.cell), 27, "the number after trade and repeat")


# -- evidence by history ---


@behaviour("The same bytes sent twice show as two rows that name the op and its installation.", Need.HISTORY)
async def history_shows_a_double_effect(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    sent = await stage.plan((cell, -3))
    began = stage.rig.now()
    outcomes = [await stage.send_one(sent), await stage.send_one(sent)]
    await stage.expect_effects(cell, [-3, -3], "two attempts without a key")
    rows = await stage.traces(sent, began)
    expect_equal([row.amount for row in rows], [-3, -3], "the amounts of both rows")
    references = [outcome.reference for outcome in outcomes if isinstance(outcome, Applied)]
    expect_equal(references, [row.id for row in rows], "the rows the answers named")


@behaviour("After any lost answer the history shows the op once.", Need.HISTORY)
async def history_ends_doubt_about_a_lost_answer(stage: Stage) -> None:
    for trouble in stage.playable(Door.WRITE, CARRIED_OUT):
        began = stage.rig.now()
        sent = await _doubt(stage, trouble)
        rows = await stage.traces(sent, began)
        expect_equal([row.amount for row in rows], [-3], f"{trouble}: rows that name the op")


@behaviour("After a lost request the history does not show the op, though it shows others.", Need.HISTORY)
async def history_ends_doubt_about_a_lost_request(stage: Stage) -> None:
    for trouble in stage.playable(Door.WRITE, NOT_CARRIED_OUT):
        began = stage.rig.now()
        sent = await _doubt(stage, trouble)
        await stage.rig.change(sent.op.cell, -3)
        expect_equal(await stage.traces(sent, began), [], f"{trouble}: rows that name the op")
        other = await stage.plan((sent.op.cell, -3))
        await stage.send_one(other)
        expect_equal(len(await stage.traces(other, began)), 1, "rows that name another op")
        expect_equal(await stage.traces(sent, began), [], f"{trouble}: rows that name the op, next to its likes")


@behaviour("The history changes its mind when a request lands late: not there before, there once after.", Need.HISTORY)
async def history_follows_a_late_landing(stage: Stage) -> None:
    began = stage.rig.now()
    sent = await _doubt(stage, Trouble.LATE)
    expect_equal(await stage.traces(sent, began), [], "rows before the request landed")
    expect_equal(await stage.rig.land(), 1, "requests that landed late")
    expect_equal([row.amount for row in await stage.traces(sent, began)], [-3], "rows after the request landed")


@behaviour("The history tells why others changed a number, and never counts their change as ours.", Need.CAUSES)
async def history_tells_causes(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([50])
    await stage.rig.pause(3600.0)
    began = stage.rig.now()
    traded = list(await stage.rig.trade(cell))
    await stage.settle()
    rows = await stage.patiently(lambda: stage.client.history(cell, began))
    expect_equal([(row.cause, row.amount) for row in rows], traded, "causes and amounts in the history")
    expect(all(row.op is None and row.installation is None for row in rows), "somebody else's change counts as ours")
    expect(len({row.id for row in rows}) == len(rows), "two rows share an id")


# -- evidence by the number itself ---


@behaviour(
    "After any lost answer the number, read once nothing can land any more, is the one that is there; "
    "set again, it is the one that was meant.",
    Need.LEVEL,
)
async def a_number_ends_doubt(stage: Stage) -> None:
    for trouble in stage.playable(Door.WRITE, (*CARRIED_OUT, *NOT_CARRIED_OUT)):
        sent = await _doubt(stage, trouble)
        cell = sent.op.cell
        await stage.rig.pause(stage.capabilities.late_effect.total_seconds())
        await stage.expect_read(cell)
        again = await stage.plan((cell, 0), known={cell: 7})
        expect(isinstance(await stage.send_one(again), Applied), f"{trouble}: the number was not set again")
        await stage.expect_effects(cell, [-3], f"{trouble}, then the number once more")
        expect_equal(await stage.quantity(cell), 7, f"{trouble}: the number in the end")


@behaviour("A number that lands late shows in the next reading, whatever was there in between.", Need.LEVEL)
async def a_number_that_lands_late_is_seen(stage: Stage) -> None:
    sent = await _doubt(stage, Trouble.LATE)
    cell = sent.op.cell
    await stage.rig.change(cell, 20)
    expect_equal(await stage.quantity(cell), 30, "the number before the request landed")
    expect_equal(await stage.rig.land(), 1, "requests that landed late")
    expect_equal(await stage.quantity(cell), 7, "the number after the request landed")


# -- evidence by number and orders ---


@behaviour(
    "After any lost answer the number, with the orders around it, says whether a difference was carried out.",
    Need.ORDER_EVIDENCE,
)
async def number_and_orders_end_doubt(stage: Stage) -> None:
    for trouble in stage.playable(Door.WRITE, (*CARRIED_OUT, *NOT_CARRIED_OUT)):
        began = stage.rig.now()
        sent = await _doubt(stage, trouble)
        cell = sent.op.cell
        await stage.shop.order({cell: 2})
        await stage.rig.pause(stage.capabilities.late_effect.total_seconds())
        rounds = []
        for _ in range(2):
            lines = await stage.recent_orders(began)
            rounds.append((sum(line.quantity for line in lines if line.cell == cell), await stage.quantity(cell)))
        carried_out = 3 if trouble in CARRIED_OUT else 0
        expect_equal(rounds, [(2, 8 - carried_out)] * 2, f"{trouble}: units ordered and number, in two rounds")
