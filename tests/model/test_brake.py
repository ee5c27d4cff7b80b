"""The brake as a rule: what it holds, what it lets flow, and that nothing is ever lost between the two."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model import brake, runaway, second_writer
from inventory_sync.model.brake import JUMP, LEAST, SHARE, TIMES, Turn, held, net

units = st.integers(-5000, 5000)
moves = units.filter(bool)


@given(units, moves, units, st.booleans())
def test_what_is_held_and_what_flows_is_all_there_is(held_back: int, delta: int, after: int, firm: bool) -> None:
    found = net(held_back, delta, after, firm=firm)
    assert found.held_back - held_back + found.flows == delta


@given(units, moves, units, st.booleans())
def test_a_movement_never_makes_more_be_held(held_back: int, delta: int, after: int, firm: bool) -> None:
    found = net(held_back, delta, after, firm=firm)
    assert abs(found.held_back) <= abs(held_back)
    assert found.held_back * held_back >= 0, "a held rise never becomes a held zero"


@given(st.integers(1, 5000), st.integers(0, 5000), st.integers(1, 5000))
def test_no_fall_ever_makes_a_held_cell_show_more_than_is_there(held_back: int, shown: int, fall: int) -> None:
    after = shown + held_back - fall
    found = net(held_back, -fall, after)
    assert after - found.held_back <= after
    if fall <= shown:
        assert after - found.held_back == shown - fall, "what may be a sale flows in full"


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_sale_always_flows_in_full(held_back: int, fall: int) -> None:
    assert net(held_back, -fall, 10, firm=True) == brake.Net(held_back, -fall)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_cell_above_zero_again_shows_what_it_holds(was: int, now: int) -> None:
    assert net(-was, now, now) == brake.Net(0, now - was)


turned = st.lists(
    st.builds(
        Turn,
        cell=st.integers(1, 40),
        flows=st.integers(-50, 50).filter(bool),
        after=st.integers(0, 20_000),
        highest=st.integers(0, 3000),
        held=st.booleans(),
    ),
    max_size=40,
    unique_by=lambda turn: turn.cell,
)


@given(turned, st.integers(0, 40), st.integers(1, 400))
def test_the_brake_holds_what_it_must_and_only_that(found: list[Turn], lately: int, cells: int) -> None:
    count = len(found) + lately
    together = count >= LEAST and count > SHARE * cells
    wanted = {
        turn.cell
        for turn in found
        if together or (turn.flows > 0 and (turn.held or turn.after > max(JUMP, TIMES * turn.highest)))
    }
    assert set(held(found, lately=lately, cells=cells)) == wanted


@given(st.integers(0, 500), st.integers(0, 3000))
def test_counting_no_more_cells_than_matter_changes_no_answer(moved: int, cells: int) -> None:
    bounded = min(cells, brake.enough(moved))
    assert brake.too_many(moved, bounded) == brake.too_many(moved, cells)


@given(moves, st.integers(-9, 9))
def test_a_movement_that_orders_account_for_is_explained_and_none_that_goes_further(delta: int, more: int) -> None:
    assert brake.explained(delta, delta)
    if more and (more > 0) == (delta > 0):
        assert not brake.explained(delta + more, delta)
        assert brake.explained(delta, delta + more)


@given(st.lists(moves, max_size=7))
def test_too_few_movements_never_run_away_by_alternating(deltas: list[int]) -> None:
    assert runaway.course(deltas) is not runaway.Course.ALTERNATES


@given(st.integers(1, 1000), st.integers(0, 4))
def test_the_same_number_up_and_down_runs_away_whatever_came_before(size: int, before: int) -> None:
    deltas = [3] * before + [size * (-1) ** n for n in range(runaway.ALTERNATIONS)]
    assert runaway.course(deltas) is runaway.Course.ALTERNATES


@given(st.lists(st.integers(-3, 3).filter(bool), max_size=12))
def test_small_trade_never_grows(deltas: list[int]) -> None:
    assert runaway.course(deltas) is not runaway.Course.GROWS


@given(st.lists(st.integers(0, 12), max_size=10))
def test_a_second_writer_is_at_several_items_several_times(undone: list[int]) -> None:
    often = [times for times in undone if times >= second_writer.TIMES]
    assert second_writer.found(undone) == (len(often) >= second_writer.ITEMS)
