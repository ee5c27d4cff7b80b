"""Watching: each look beside the one before, as a pure rule."""

from __future__ import annotations

import pytest

from inventory_sync.model.watching import Watched, look, still_more


def at(wanted: int, shown: int, offset: int = 0, committed: int = 0, ordered: int = 0) -> Watched:
    return Watched(wanted, offset, shown, committed, ordered)


def test_the_first_look_is_knowledge_and_takes_the_difference_as_the_tools_own() -> None:
    first = look(None, wanted=10, shown=9, committed=3, ordered=0)
    assert (first.opened, first.reached, first.sold, first.now.offset) == (False, False, 0, -1)


def test_a_change_opens_and_the_channels_move_to_it_reaches() -> None:
    opened = look(at(10, 10), wanted=7, shown=10, committed=0, ordered=0)
    assert (opened.opened, opened.reached) == (True, False)
    assert still_more(opened.now)
    reached = look(opened.now, wanted=7, shown=7, committed=0, ordered=0)
    assert (reached.opened, reached.reached, reached.sold) == (False, True, 0)


def test_a_tool_with_a_buffer_of_its_own_has_caught_up_when_it_shows_the_same_difference() -> None:
    assert look(at(10, 9, offset=-1), wanted=7, shown=6, committed=0, ordered=0).reached
    crossing = look(at(10, 9, offset=-1), wanted=9, shown=9, committed=0, ordered=0)
    assert not crossing.reached, "our number came to the channel's by itself; the tool has not told it yet"
    assert crossing.now.offset == -1


def test_a_tool_that_was_only_late_at_the_first_look_loses_its_difference() -> None:
    late = at(9, 10, offset=1)
    assert look(late, wanted=9, shown=9, committed=0, ordered=0).now.offset == 0


@pytest.mark.parametrize(("committed", "ordered", "sold"), [(2, 0, 2), (0, 2, 2), (0, 0, 0), (5, 0, 2), (1, 0, 1)])
def test_only_a_fall_that_orders_took_is_a_sale(committed: int, ordered: int, sold: int) -> None:
    assert look(at(3, 5), wanted=3, shown=3, committed=committed, ordered=ordered).sold == sold
