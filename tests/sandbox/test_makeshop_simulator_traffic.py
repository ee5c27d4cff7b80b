"""One request at a time and one a second: what the simulated MakeShop counts against a client, also over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from inventory_sync.sandbox.kernel import Fault, FaultKind, Request
from inventory_sync.sandbox.makeshop import PATH, MakeShopSimulator
from inventory_sync.sandbox.shell import SandboxShell
from tests.sandbox.makeshop_support import GET_SHOP, START, STOCK, WRITE_PRODUCTS, Caller, after, by_system, shop_with
from tests.systems.clock import MovedClock

TIME_ENOUGH = 10.0
SOME_REQUEST = Request("POST", PATH, "", {}, b"")


def rules(simulator: MakeShopSimulator) -> list[str]:
    return [each.rule for each in simulator.log.violations]


def test_two_requests_within_a_second_are_a_violation() -> None:
    simulator, _ = shop_with(1)
    caller = Caller(simulator)
    for second in (0, 1, 2.5, 3.4):
        caller.ask(GET_SHOP, now=after(second))
    [violation] = simulator.log.violations
    assert (violation.at, violation.rule) == (after(3.4), "rate")


@pytest.mark.parametrize(
    ("rate", "seconds", "over"), [(3.0, (0, 0, 0, 0.9), 1), (0.5, (0, 1.9, 4.0), 1), (10, (0, 0.1), 0)]
)
def test_the_rate_is_what_the_switch_says(rate: float, seconds: tuple[float, ...], over: int) -> None:
    simulator, _ = shop_with(1, requests_per_second=rate)
    caller = Caller(simulator)
    for second in seconds:
        caller.ask(GET_SHOP, now=after(second))
    assert rules(simulator) == ["rate"] * over


@pytest.mark.parametrize("told", [None, 5])
def test_a_request_over_the_rate_may_be_refused(told: int | None) -> None:
    simulator, [item] = shop_with(5, over_rate="refused", retry_after=told)
    caller = Caller(simulator)
    rows = {"productQuantities": [by_system(item, 9)]}
    assert caller.ask(WRITE_PRODUCTS, rows).status == 200
    again = caller.ask(WRITE_PRODUCTS, {"productQuantities": [by_system(item, 1)]}, now=after(0.5))
    assert again.status == 429
    assert again.headers.get("retry-after") == (None if told is None else str(told))
    assert simulator.stock(item) == 9
    assert simulator.log.requests == {"updateProductQuantity": 1, "throttled": 1}


def test_throttling_says_so_without_carrying_out() -> None:
    simulator, _ = shop_with(1)
    assert simulator.throttled(SOME_REQUEST, START).status == 429


def test_a_driver_that_tells_of_arrivals_is_believed() -> None:
    simulator, _ = shop_with(1)
    caller = Caller(simulator)
    simulator.report_concurrency(1, after(0))
    simulator.report_concurrency(1, after(5))
    caller.ask(GET_SHOP, now=after(5))
    caller.ask(GET_SHOP, now=after(5.1))
    assert rules(simulator) == [], "the second one arrived long ago and was carried out late"
    simulator.report_concurrency(2, after(5.5))
    assert rules(simulator) == ["overlap", "rate"]


def test_a_request_given_up_counts_for_as_long_as_its_caller_waited() -> None:
    for lands_in, arrives, overlap in (
        (3.0, 12.9, True),
        (3.0, 13.1, False),
        (900.0, 14.4, True),
        (900.0, 15.0, False),
    ):
        simulator, _ = shop_with(1)
        simulator.report_concurrency(1, after(5))
        simulator.report_abandoned(SOME_REQUEST, 5.0, lands_in, after(10))
        simulator.report_concurrency(1, after(arrives))
        assert rules(simulator) == (["overlap"] if overlap else [])


class Running:
    """A shop with one item of 5 behind the shell, and a caller over HTTP."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.simulator = MakeShopSimulator()
        self.clock = MovedClock(START)
        self.shell = SandboxShell(self.simulator, clock=self.clock)
        self.session = session
        [self.item] = self.simulator.seed_catalogue(1, START, initial=5)

    async def ask(self, document: str, given: Any) -> Any:
        headers = {
            "authorization": f"Bearer {self.simulator.token}",
            "x-api-key": self.simulator.api_key,
            "x-timestamp": str(int(self.clock().timestamp())),
        }
        sent = {"query": document, "variables": {"input": given}}
        async with self.session.post(self.shell.base_url + PATH, json=sent, headers=headers) as answer:
            return json.loads(await answer.read())

    async def write(self, number: int) -> None:
        answer = await self.ask(WRITE_PRODUCTS, {"productQuantities": [by_system(self.item, number)]})
        assert answer == {"data": {"updateProductQuantity": {"failResult": []}}}

    async def read(self) -> int:
        answer = await self.ask(STOCK, {"page": 1})
        return int(answer["data"]["searchProductQuantity"]["productQuantities"][0]["quantity"])

    async def hang(self, fault: Fault) -> asyncio.Task[None]:
        """Begin a write of 9 that meets this fault."""
        self.shell.faults.queue("updateProductQuantity", fault)
        writing = asyncio.create_task(self.write(9))
        await until(lambda: self.shell.faults.decided[fault.kind] == 1)
        return writing

    async def give_up(self, fault: Fault, seconds: float) -> None:
        """Give up such a write after so many seconds, and wait until the shell has noticed."""
        writing = await self.hang(fault)
        self.clock.advance(seconds)
        writing.cancel()
        await until(lambda: self.simulator.traffic.abandoned_is_under_way(self.clock()))


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(TIME_ENOUGH):
        while not holds():  # noqa: ASYNC110 - the state lives in a simulator that knows no events
            await asyncio.sleep(0.002)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with aiohttp.ClientSession() as session:
        running = Running(session)
        await running.shell.start()
        yield running
        await running.shell.stop()


async def test_one_request_after_the_other_is_no_overlap(running: Running) -> None:
    for number in range(5):
        await running.write(number)
        running.clock.advance(1.0)
        assert await running.read() == number
        running.clock.advance(1.0)
    assert rules(running.simulator) == []
    await running.read()
    running.clock.advance(0.9)
    await running.read()
    assert rules(running.simulator) == ["rate"]


async def test_a_request_during_another_is_an_overlap_whatever_it_asks(running: Running) -> None:
    writing = await running.hang(Fault(FaultKind.DELAY, 60.0))
    running.clock.advance(1.0)
    assert await running.read() == 9
    assert rules(running.simulator) == ["overlap"]
    writing.cancel()


@pytest.mark.parametrize(("kind", "stock"), [(FaultKind.LATE, 5), (FaultKind.DELAY, 9)])
async def test_a_request_without_an_answer_counts_after_its_caller_gave_up(
    running: Running, kind: FaultKind, stock: int
) -> None:
    await running.give_up(Fault(kind, 60.0), 5.0)
    running.clock.advance(4.0)
    assert await running.read() == stock
    assert rules(running.simulator) == ["overlap"]


@pytest.mark.parametrize(("kind", "stock"), [(FaultKind.LATE, 5), (FaultKind.DELAY, 9)])
async def test_a_caller_that_waits_as_long_again_overlaps_nothing(
    running: Running, kind: FaultKind, stock: int
) -> None:
    await running.give_up(Fault(kind, 60.0), 5.0)
    running.clock.advance(5.0)
    assert await running.read() == stock
    assert rules(running.simulator) == []


async def test_a_late_write_is_not_counted_again_when_it_lands(running: Running) -> None:
    writing = await running.hang(Fault(FaultKind.LATE, 0.0))
    running.clock.advance(5.0)
    writing.cancel()
    await until(lambda: running.simulator.stock(running.item) == 9)
    assert await running.read() == 9
    assert rules(running.simulator) == []


async def test_an_order_falls_between_a_read_and_the_next_over_http(running: Running) -> None:
    simulator = running.simulator
    simulator.on_next("searchProductQuantity", lambda now: simulator.sell(running.item, 1, now))
    assert await running.read() == 5
    assert await running.read() == 4
