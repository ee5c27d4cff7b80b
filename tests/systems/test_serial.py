from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.serial import GRACE, ORDERS, READ, RESERVED, WRITE, SerialBudget, SerialLine
from tests.systems.clock import MovedClock

START = datetime(2026, 11, 21, tzinfo=UTC)
REQUEST = HttpRequest("POST", "https://shop.example.test/", timeout=10.0)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def full(per_second: float = 1.0) -> SerialBudget:
    return SerialBudget(per_second, START, full=True)


def serve(budget: SerialBudget, kind: str, begin: float, end: float) -> None:
    assert budget.begin(kind, at(begin)) == 0
    budget.end(at(end))


def test_a_budget_starts_with_nothing_because_nobody_knows_what_was_just_sent() -> None:
    budget = SerialBudget(0.5, START)
    assert budget.available(START) == 0
    assert budget.wait(READ, START) == pytest.approx(2.0)
    assert budget.begin(READ, at(1.9)) == pytest.approx(0.1)
    assert budget.begin(READ, at(2)) == 0


def test_a_budget_is_full_only_when_told_so() -> None:
    assert full().available(START) == 1
    assert full().begin(WRITE, START) == 0


def test_the_distance_counts_from_the_answer_and_not_from_the_request() -> None:
    budget = full()
    serve(budget, READ, 0, 4)
    assert budget.wait(READ, at(4)) == pytest.approx(1.0)
    assert budget.begin(READ, at(5)) == 0


def test_nothing_leaves_while_an_answer_is_awaited() -> None:
    budget = full()
    assert budget.begin(WRITE, START) == 0
    assert budget.available(at(50)) == 0
    assert budget.begin(READ, at(50)) == pytest.approx(1.0)


def test_a_request_without_an_answer_may_be_under_way_for_its_whole_time_and_is_waited_for() -> None:
    budget = full()
    assert budget.begin(WRITE, START) == 0
    budget.end(at(10), quiet=timedelta(seconds=10))
    assert budget.wait(WRITE, at(10)) == pytest.approx(11.0)


def test_a_pause_holds_back_everything_and_the_longest_counts() -> None:
    budget = full()
    budget.pause(at(30))
    budget.pause(at(20))
    assert budget.wait(ORDERS, START) == pytest.approx(30.0)
    assert budget.begin(ORDERS, at(30)) == 0


def test_orders_go_before_a_write_that_was_first_at_the_slot() -> None:
    budget = full()
    serve(budget, READ, 0, 0)
    budget.wait(ORDERS, at(0.5))
    assert budget.begin(WRITE, at(1)) == pytest.approx(GRACE.total_seconds())
    assert budget.begin(ORDERS, at(1.01)) == 0


def test_writes_and_reads_take_turns() -> None:
    budget = full()
    serve(budget, WRITE, 0, 0)
    budget.wait(READ, at(0.1))
    assert budget.begin(WRITE, at(1)) > 0
    serve(budget, READ, 1.1, 1.1)
    budget.wait(WRITE, at(1.5))
    assert budget.begin(READ, at(2.1)) > 0
    assert budget.begin(WRITE, at(2.15)) == 0


def test_a_turn_that_nobody_takes_is_given_to_whoever_is_there() -> None:
    budget = full()
    serve(budget, WRITE, 0, 0)
    budget.wait(READ, at(0.1))
    wait = budget.begin(WRITE, at(1))
    assert budget.begin(WRITE, at(1 + wait + 0.001)) == 0


def test_a_slot_that_was_promised_is_kept_while_the_request_is_made_up() -> None:
    budget = full()
    assert budget.wait(WRITE, START) == 0
    assert budget.begin(READ, at(0.1)) > 0
    assert budget.begin(WRITE, at(0.2)) == 0


def test_a_promise_that_is_not_used_ends_by_itself() -> None:
    budget = full()
    assert budget.wait(WRITE, START) == 0
    assert budget.begin(READ, START + RESERVED) == 0


def test_a_long_list_of_orders_lets_others_have_a_turn() -> None:
    budget = full()
    served = []
    now = 0.0
    for _ in range(9):
        for kind in (ORDERS, WRITE, READ):
            budget.wait(kind, at(now - 0.5))
        took = next(kind for kind in (ORDERS, WRITE, READ) if budget.begin(kind, at(now)) == 0)
        served.append(took)
        budget.end(at(now))
        now += 1
    assert served[:6] == [ORDERS, ORDERS, WRITE, ORDERS, ORDERS, READ]


def test_a_kind_that_does_not_exist_and_a_rate_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="'token'"):
        full().wait("token", START)
    with pytest.raises(ValueError, match="above 0"):
        SerialBudget(0, START)


@dataclass
class Actor:
    """Wants the next slot as soon as the one before is over, and comes when told, a little late."""

    kind: str
    comes_at: float
    pause: float = 0.0  # seconds between its answer and its next wish
    turns: list[int] = field(default_factory=list)


@st.composite
def traffic(draw: st.DrawFn) -> tuple[list[Actor], list[float], list[float], float]:
    kinds = draw(st.lists(st.sampled_from([ORDERS, WRITE, READ]), min_size=1, max_size=5))
    actors = [Actor(kind, draw(st.floats(0, 3)), draw(st.floats(0, 4))) for kind in kinds]
    lateness = draw(st.lists(st.floats(0, 0.1), min_size=5, max_size=20))
    latencies = draw(st.lists(st.floats(0.001, 5), min_size=5, max_size=20))
    return actors, lateness, latencies, draw(st.sampled_from([0.2, 1.0, 4.0]))


def play(
    actors: list[Actor], lateness: list[float], latencies: list[float], rate: float
) -> list[tuple[str, float, float]]:
    """Let the actors compete for 60 slots; returns (kind, sent at, answered at) of each."""
    budget = SerialBudget(rate, START)
    sent: list[tuple[str, float, float]] = []
    answers: list[tuple[float, Actor]] = []
    step = 0
    while len(sent) < 60 and step < 20_000:
        step += 1
        late = lateness[step % len(lateness)]
        actor = min(actors, key=lambda each: each.comes_at)
        if answers and answers[0][0] <= actor.comes_at:
            now, done = answers.pop(0)
            budget.end(at(now))
            done.comes_at = now + done.pause
            continue
        now = actor.comes_at
        wait = budget.begin(actor.kind, at(now))
        if wait > 0:
            actor.comes_at = now + wait + late
            continue
        answered = now + latencies[len(sent) % len(latencies)]
        actor.turns.append(len(sent))
        sent.append((actor.kind, now, answered))
        answers.append((answered, actor))
        actor.comes_at = float("inf")
    return sent


@given(traffic())
def test_requests_never_overlap_and_keep_their_distance_from_the_answer_before(
    given_traffic: tuple[list[Actor], list[float], list[float], float],
) -> None:
    actors, lateness, latencies, rate = given_traffic
    sent = play(actors, lateness, latencies, rate)
    assert len(sent) == 60
    for (_, _, answered), (_, begun, _) in itertools.pairwise(sent):
        assert begun - answered >= 1 / rate - 1e-5


@given(
    lateness=st.lists(st.floats(0, 0.1), min_size=5, max_size=20),
    latencies=st.lists(st.floats(0.001, 5), min_size=5, max_size=20),
    kinds=st.sets(st.sampled_from([ORDERS, WRITE, READ]), min_size=2),
)
def test_whoever_always_wants_a_slot_gets_one_within_six_and_orders_within_two(
    lateness: list[float], latencies: list[float], kinds: set[str]
) -> None:
    actors = [Actor(kind, 0.0) for kind in sorted(kinds)]
    order = [kind for kind, _, _ in play(actors, lateness, latencies, 1.0)]
    for kind, most in ((ORDERS, 2), (WRITE, 6), (READ, 6)):
        turns = [number for number, each in enumerate(order) if each == kind]
        if kind in kinds:
            assert all(later - earlier <= most for earlier, later in itertools.pairwise(turns)), order
            assert turns[0] <= most


@given(
    lateness=st.lists(st.floats(0, 0.1), min_size=5, max_size=20),
    latency=st.floats(0.001, 0.5),
)
def test_orders_asked_for_every_three_seconds_wait_for_one_request_of_others_at_most(
    lateness: list[float], latency: float
) -> None:
    actors = [Actor(ORDERS, 0.0, pause=3.0), Actor(WRITE, 0.0), Actor(READ, 0.0)]
    sent = play(actors, lateness, [latency], 1.0)
    orders = [(begun, answered) for kind, begun, answered in sent if kind == ORDERS]
    for (_, answered), (begun, _) in itertools.pairwise(orders):
        assert begun - answered <= 3.0 + 1.0 + latency + 0.2 + GRACE.total_seconds()
    others = Counter(kind for kind, _, _ in sent if kind != ORDERS)
    assert abs(others[WRITE] - others[READ]) <= 2


# -- the line ---


class Partner:
    """Answers as told, and notes how many requests were under way at once."""

    def __init__(self, clock: Callable[[float], None], *answers: object) -> None:
        self.answers = list(answers)
        self.gate = asyncio.Event()
        self.gate.set()
        self.under_way = 0
        self.most = 0
        self.count = 0
        self._advance = clock

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.count += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.gate.wait()
            self._advance(0.5)
            answer = self.answers.pop(0) if self.answers else None
            if isinstance(answer, Exception):
                raise answer
            return HttpResponse(200, {}, b"")
        finally:
            self.under_way -= 1


class Clock(MovedClock):
    def __init__(self) -> None:
        super().__init__(START)


def refuse(kind: str, seconds: float) -> RetryLater:
    return RetryLater(f"no slot for {kind}", after=seconds, executed=False)


def line(*answers: object) -> tuple[SerialLine, Partner, Clock]:
    clock = Clock()
    partner = Partner(clock.advance, *answers)
    return SerialLine(partner, SerialBudget(1.0, clock.now, full=True), clock, refuse), partner, clock


async def test_a_second_request_is_refused_until_the_distance_has_passed() -> None:
    wire, partner, clock = line()
    await wire.send(READ, REQUEST)
    with pytest.raises(RetryLater) as told:
        await wire.send(READ, REQUEST)
    assert (told.value.after, told.value.executed, partner.count) == (pytest.approx(1.0), False, 1)
    clock.advance(1.0)
    await wire.send(READ, REQUEST)
    assert partner.count == 2


async def test_requests_of_several_tasks_never_overlap() -> None:
    wire, partner, _ = line()
    partner.gate.clear()
    tasks = [asyncio.create_task(wire.send(kind, REQUEST)) for kind in (READ, READ, WRITE, ORDERS)]
    await asyncio.sleep(0)
    partner.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert partner.most == 1
    assert partner.count == 1
    assert sum(isinstance(result, RetryLater) for result in results) == 3


async def test_after_a_lost_answer_the_line_is_quiet_for_the_whole_time_out() -> None:
    wire, _, _ = line(NoAnswer("time-out"))
    with pytest.raises(NoAnswer):
        await wire.send(WRITE, REQUEST)
    with pytest.raises(RetryLater) as told:
        await wire.send(READ, REQUEST)
    assert told.value.after == pytest.approx(11.0)


async def test_a_request_that_was_given_up_halfway_counts_as_lost() -> None:
    wire, partner, clock = line()
    partner.gate.clear()
    task = asyncio.create_task(wire.send(WRITE, REQUEST))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert wire.budget.wait(READ, clock.now) == pytest.approx(11.0)


async def test_a_request_that_never_left_costs_no_time_out() -> None:
    wire, _, clock = line(NotSent("no route"))
    with pytest.raises(NotSent):
        await wire.send(WRITE, REQUEST)
    assert wire.budget.wait(WRITE, clock.now) == pytest.approx(1.0)


def test_a_slot_that_was_promised_is_there_when_its_owner_asks_again() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    budget = SerialBudget(1, now, full=True)
    for _ in range(2):
        assert budget.begin("orders", now) == 0
        budget.end(now)
        now += timedelta(seconds=1)
    assert budget.wait("orders", now) == 0  # orders are promised the slot and let it pass
    now += timedelta(seconds=0.26)
    assert budget.wait("read", now) >= 0
    for _ in range(20):
        seconds = budget.wait("read", now)
        if seconds == 0:
            break
        now += timedelta(seconds=seconds)
    assert budget.wait("read", now) == 0
    assert budget.begin("read", now) == 0
