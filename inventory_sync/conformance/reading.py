"""Behaviours of reading: the true number or none, and never one made up from an answer that was not understood."""

from __future__ import annotations

from datetime import timedelta

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import Door, Trouble
from inventory_sync.conformance.stage import Stage, Violated, expect, expect_equal, possible, refusal
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import CellRef, Condition, LevelPage, LevelReading

MANY = 60  # cells read in one call, where the system takes as many
BAD_ANSWERS = (Trouble.HTML, Trouble.CUT, Trouble.BROKEN_OFF, Trouble.ERROR_BEFORE, Trouble.ERROR_AFTER)


@behaviour("A read tells the true number, 0 and numbers below 0 included, and follows every change.")
async def a_read_tells_the_truth(stage: Stage) -> None:
    quantities = [0, 1, 12, -3, 98765]
    cells = await stage.rig.stock(quantities)
    found = await stage.read(cells)
    expect_equal([found[cell].quantity for cell in cells], quantities, "the numbers read")
    expect(all(found[cell].condition is Condition.ACTIVE for cell in cells), f"an active cell is not: {found}")
    await stage.rig.change(cells[1], -1)
    await stage.rig.change(cells[0], -2)
    expect_equal([await stage.quantity(cells[0]), await stage.quantity(cells[1])], [-2, 0], "the numbers after changes")


async def _condition_is_told(stage: Stage, condition: Condition) -> None:
    odd = possible(await stage.rig.odd_cell(condition))
    (plain,) = await stage.rig.stock([4])
    found = await stage.read([odd, plain])
    expect_equal(found[odd].condition, condition, f"the condition of {odd}")
    expect_equal(found[odd].quantity, None, "the number of a cell that has none")
    expect_equal(found[plain].quantity, 4, "the number of its ordinary neighbour")
    alone = (await stage.read([odd]))[odd]
    expect_equal((alone.condition, alone.quantity), (condition, None), f"{odd} read alone")


@behaviour("A cell the partner never stored is told as absent and given no number.")
async def an_absent_cell_is_told(stage: Stage) -> None:
    await _condition_is_told(stage, Condition.ABSENT)


@behaviour("A cell that is switched off is told as inactive; its hidden number is not shown.")
async def an_inactive_cell_is_told(stage: Stage) -> None:
    await _condition_is_told(stage, Condition.INACTIVE)


@behaviour("A cell whose item is not managed is told as untracked and given no number.")
async def an_untracked_cell_is_told(stage: Stage) -> None:
    await _condition_is_told(stage, Condition.UNTRACKED)


@behaviour("A cell whose item was deleted is told as gone and given no number.")
async def a_gone_cell_is_told(stage: Stage) -> None:
    await _condition_is_told(stage, Condition.GONE)


@behaviour("A cell whose number can be set and not read is told as unreadable and given no number.")
async def an_unreadable_cell_is_told(stage: Stage) -> None:
    await _condition_is_told(stage, Condition.UNREADABLE)


@behaviour("Many cells are read in one call; what a call leaves out is read by the next, and all are true.")
async def many_cells_are_read_at_once(stage: Stage) -> None:
    count = min(MANY, stage.capabilities.read_batch)
    cells = await stage.rig.stock(range(count))
    began = stage.rig.now()
    for number, cell in enumerate(cells):
        if number % 3 == 0:
            await stage.rig.change(cell, 1000)
    for since in (began - timedelta(seconds=30), None):
        found = await stage.read(cells, since)
        wrong = [cell for cell in cells if found[cell].quantity != await stage.rig.truth(cell)]
        expect(not wrong, f"read wrongly: {[(cell, found[cell].quantity) for cell in wrong[:3]]}")


@behaviour("An answer that is no whole answer (web page, cut, broken off, an error) never becomes a number.")
async def a_bad_answer_is_no_number(stage: Stage) -> None:
    cells = await stage.rig.stock([5, 6])
    for trouble in stage.playable(Door.READ, BAD_ANSWERS):
        await stage.rested()
        stage.trouble(Door.READ, trouble)
        error = await refusal(RetryLater, stage.client.read(cells[:1], changed_since=None))
        expect(error.after > 0, f"{trouble}: no time to wait")
        await stage.rig.pause(error.after)
        for cell in cells:
            await stage.expect_read(cell)


@behaviour("A read whose connection is reset ends with the true number or is asked again later.")
async def a_reset_read_is_repeated(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([5])
    for trouble in (Trouble.LOST_BEFORE, Trouble.LOST_AFTER):
        await stage.rested()
        stage.trouble(Door.READ, trouble)
        try:
            # HTTP clients may repeat a GET by themselves when a kept connection is reset (RFC 9110 §9.2.2).
            found = await stage.client.read([cell], changed_since=None)
        except RetryLater as error:
            expect(error.after > 0, f"{trouble}: no time to wait")
            await stage.rig.pause(error.after)
        else:
            expect_equal([reading.quantity for reading in found], [5], f"{trouble}: the number read")
        await stage.expect_read(cell)


@behaviour("A read that is never answered is given up in time and asked again later.")
async def an_unanswered_read_is_given_up(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([5])
    client = stage.rig.client(impatient=True)
    await stage.rested(client)
    stage.trouble(Door.READ, Trouble.LATE)
    error = await refusal(RetryLater, client.read([cell], changed_since=None))
    expect(error.after > 0, "no time to wait")
    await stage.rig.land()
    await stage.rig.pause(error.after)
    await stage.expect_read(cell)


@behaviour("A throttled read says how long to wait, and is then read.")
async def a_throttled_read_waits(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([5])
    await stage.rested()
    stage.trouble(Door.READ, Trouble.THROTTLE)
    error = await refusal(RetryLater, stage.client.read([cell], changed_since=None))
    expect(error.after > 0, "no time to wait")
    expect(error.executed is not True, "a throttled request counts as carried out")
    await stage.expect_read(cell)


@behaviour("A partner that closes idle connections does not disturb the next read.")
async def a_closed_idle_connection_does_not_disturb(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([5])
    await stage.expect_read(cell)
    await stage.rested()
    closed = await stage.rig.drop_idle_connections()
    expect(closed > 0, "no connection was kept open, which shows nothing")
    found = await stage.client.read([cell], changed_since=None)
    expect_equal([reading.quantity for reading in found], [5], "the number read over a new connection")


async def _all_pages(stage: Stage, since: timedelta | None) -> list[LevelReading]:
    """Every level of a walk (None), or of the changes since so long ago."""
    levels: list[LevelReading] = []
    cursor: str | None = None
    now = stage.rig.now()
    for _ in range(1000):
        at = cursor

        async def ask(at: str | None = at) -> LevelPage:
            if since is None:
                return await stage.client.walk_levels(at)
            return await stage.client.changed_levels(now - since, now, at)

        page = await stage.patiently(ask)
        levels.extend(page.levels)
        cursor = page.cursor
        if cursor is None:
            return levels
    raise Violated("a list of levels did not end within 1000 pages")


async def _expect_hints_true(stage: Stage, levels: list[LevelReading]) -> None:
    known = await stage.rig.all_levels()
    for level in levels:
        wanted = known.get(level.cell) if level.condition is Condition.ACTIVE else None
        expect_equal(level.quantity, wanted, f"the number listed for {level.cell}, which is {level.condition}")


@behaviour(
    "A poll for changes finds what somebody else changed, and not what changed before the time asked about.", Need.POLL
)
async def a_poll_finds_what_changed(stage: Stage) -> None:
    cells = await stage.rig.stock([1, 2, 3, 4])
    await stage.rig.pause(3600.0)
    await stage.rig.change(cells[2], 40)
    await stage.settle()
    levels = await _all_pages(stage, timedelta(minutes=2))
    await _expect_hints_true(stage, levels)
    found = {level.cell: level.quantity for level in levels}
    expect_equal(found.get(cells[2]), 43, "the changed number in the poll")
    older = [cell for cell in cells if cell != cells[2] and cell in found]
    expect(not older, f"changed an hour ago and listed all the same: {older}")


@behaviour("A walk lists every active cell, with the number it has.")
async def a_walk_lists_everything(stage: Stage) -> None:
    await stage.rig.fill_catalogue()
    await stage.rig.stock([0, -4, 9])
    await stage.settle()
    levels = await _all_pages(stage, None)
    await _expect_hints_true(stage, levels)
    listed: dict[CellRef, int] = {
        level.cell: level.quantity
        for level in levels
        if level.condition is Condition.ACTIVE and level.quantity is not None
    }
    active = [level for level in levels if level.condition is Condition.ACTIVE]
    expect_equal(len(active), len(listed), "levels listed, each cell once")
    expect(listed == dict(await stage.rig.all_levels()), "the walk and the partner's own list differ")
