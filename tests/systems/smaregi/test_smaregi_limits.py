from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.smaregi.limits import SLOW_FOR, ContractBudget, bucket_size
from tests.systems.smaregi.smaregi_scripted import START


def spend_greedily(budget: ContractBudget, kind: str, gaps: list[float]) -> list[float]:
    """Instants (seconds) at which a caller that always asks got through."""
    sent, at = [], 0.0
    for gap in gaps:
        at += gap
        now = START + timedelta(seconds=at)
        while budget.wait(kind, now) == 0:
            budget.take(kind, now)  # type: ignore[arg-type]
            sent.append(at)
    return sent


def most_in_a_second(instants: list[float]) -> int:
    return max((sum(1 for other in instants if start <= other < start + 1.0) for start in instants), default=0)


gaps = st.lists(st.floats(0.001, 0.8), min_size=1, max_size=60)


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
