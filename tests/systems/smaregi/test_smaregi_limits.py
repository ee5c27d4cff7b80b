from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.smaregi.limits import SLOW_FOR, ContractBudget, Kind, bucket_size
from tests.systems.smaregi.smaregi_scripted import START

SPAN = 10_000  # milliseconds


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def spend_greedily(budget: ContractBudget, kind: Kind, gaps: list[float]) -> list[float]:
    """Instants (seconds) at which a caller that always asks got through; every answer is there at once."""
    sent, now = [], 0.0
    for gap in gaps:
        now += gap
        while budget.wait(kind, at(now)) == 0:
            budget.take(kind, at(now))
            budget.end(kind, at(now))
            sent.append(now)
    return sent


def spend_over_a_line(budget: ContractBudget, way: int, stalls: Sequence[tuple[int, int]] = ()) -> list[int]:
    """When requests of a caller that asks every 5 ms arrived. The line takes `way` there and again back, and stands
    still for a while at times: `stalls` are (gap before, length). All in milliseconds."""
    still: list[tuple[int, int]] = []
    for gap, length in stalls:
        start = (still[-1][1] if still else 0) + gap
        still.append((start, start + length))

    def moves_on(at: int) -> int:
        return next((end for start, end in still if start <= at < end), at)

    arrived: list[int] = []
    under_way: list[int] = []
    for now in range(0, SPAN, 5):
        for answered in sorted(each for each in under_way if each <= now):
            budget.end("write", at(answered / 1000))
            under_way.remove(answered)
        if budget.wait("write", at(now / 1000)) == 0:
            budget.take("write", at(now / 1000))
            arrived.append(moves_on(now + way))
            under_way.append(moves_on(arrived[-1] + way))
    return arrived


def most_in_a_second(instants: Sequence[float], second: float = 1.0) -> int:
    return max((sum(1 for other in instants if start <= other < start + second) for start in instants), default=0)


gaps = st.lists(st.floats(0.001, 0.8), min_size=1, max_size=60)
stalls = st.lists(st.tuples(st.integers(0, 2500), st.integers(1, 3000)), max_size=4)


@given(st.integers(1, 60), gaps, gaps)
def test_no_second_ever_sees_more_requests_than_allowed_not_even_over_a_restart(
    limit: int, before: list[float], after: list[float]
) -> None:
    first = ContractBudget(max(4, limit), limit, START)
    sent = spend_greedily(first, "write", before)
    ended = sum(before)
    second = ContractBudget(max(4, limit), limit, START + timedelta(seconds=ended))
    sent += spend_greedily(second, "write", [ended, *after])
    assert most_in_a_second(sent) <= limit


@given(st.integers(1, 25), st.integers(0, 300), stalls)
def test_no_second_sees_more_arrive_than_allowed_however_long_the_line_stands_still(
    limit: int, way: int, stalls: list[tuple[int, int]]
) -> None:
    arrived = spend_over_a_line(ContractBudget(limit, limit, START, full=True), way, stalls)
    assert most_in_a_second(arrived, 1000) <= limit


@pytest.mark.parametrize(("answer", "least"), [(20, 17), (200, 16), (500, 13)])
def test_late_answers_cost_their_own_time_and_no_more(answer: int, least: int) -> None:
    assert len(spend_over_a_line(ContractBudget(20, 20, START), answer // 2)) >= least * SPAN / 1000


def test_requests_that_stand_still_are_waited_for_and_their_answers_open_the_way_a_second_later() -> None:
    budget = ContractBudget(4, 4, START, full=True)
    for number in range(4):
        budget.take("write", at(number))
    assert budget.wait("write", at(60)) == pytest.approx(0.25)
    for _ in range(4):
        budget.end("write", at(60))
    assert budget.wait("write", at(60.4)) == pytest.approx(0.6)
    assert budget.wait("write", at(61)) == 0
    assert budget.wait("read", at(60)) == 0


@pytest.mark.parametrize(("limit", "least"), [(50, 41), (20, 16), (10, 9), (4, 3)])
def test_the_steady_rate_stays_near_the_limit(limit: int, least: int) -> None:
    budget = ContractBudget(limit, limit, START)
    assert len(spend_greedily(budget, "write", [0.01] * 1000)) >= least * 10


def test_a_new_budget_is_empty_unless_told_otherwise() -> None:
    assert ContractBudget(50, 20, START).wait("write", START) > 0
    assert ContractBudget(50, 20, START).available(START) == 0
    full = ContractBudget(50, 20, START, full=True)
    assert full.wait("write", START) == 0
    assert full.available(START) == bucket_size(20)[0]


def test_what_the_budget_does_not_allow_is_refused_with_the_time_to_wait_and_reads_leave_writes_alone() -> None:
    budget = ContractBudget(4, 1, START, full=True)
    budget.take("write", START)
    with pytest.raises(RetryLater) as caught:
        budget.take("write", START)
    assert caught.value.after == pytest.approx(1.05)
    assert (caught.value.executed, caught.value.code) == (False, "IS-SMR-012")
    budget.take("read", START)


def test_asking_for_room_spends_nothing() -> None:
    budget = ContractBudget(10, 4, START, full=True)
    for _ in range(5):
        budget.require("read", 3, START)


def test_after_a_429_nothing_leaves_and_then_half_speed_for_a_while() -> None:
    budget = ContractBudget(50, 20, START, full=True)
    budget.throttled("write", 3.0, START)
    assert budget.wait("write", START) == pytest.approx(3.0)
    assert budget.wait("read", START) == 0
    slow = spend_greedily(budget, "write", [3.5] + [0.01] * 1000)
    assert most_in_a_second(slow[5:]) <= 10
    later = START + timedelta(seconds=3.0) + SLOW_FOR
    assert budget.wait("write", later) == 0
    quick = spend_greedily(budget, "write", [(later - START).total_seconds()] + [0.01] * 500)
    assert len(quick) >= 80


def test_only_reads_and_writes_have_a_budget() -> None:
    with pytest.raises(ValueError, match="reads and writes"):
        ContractBudget(50, 20, START).wait("graphql", START)
