"""The HTTP shell: faults played for real over a socket, webhooks posted for real."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from inventory_sync.sandbox.faults import FaultPlan, NoticeFaults, NoticePlan
from inventory_sync.sandbox.kernel import Fault, FaultKind
from inventory_sync.sandbox.shell import SandboxShell
from inventory_sync.sandbox.shopify import ShopifySimulator, ShopifySwitches
from tests.sandbox.shopify_support import TOKEN, document

PATH = "/admin/api/2026-10/graphql.json"
ADJUST = "inventoryAdjustQuantities"
PATIENCE = 0.2  # seconds a caller waits for what never comes
TIME_ENOUGH = 10.0  # seconds for what comes at once, on a busy machine


class Running:
    """A running shell around a Shopify simulator with one item of 10, and a caller."""

    def __init__(self, shell: SandboxShell, simulator: ShopifySimulator, session: aiohttp.ClientSession) -> None:
        self.shell, self.simulator, self.session = shell, simulator, session
        self.item = simulator.seed_catalogue(1, shell.now())[0]
        self.location = simulator.location_ids()[0]

    @property
    def stock(self) -> int:
        return self.simulator.available(self.item, self.location)

    async def adjust(self, key: str = "k", timeout: float = TIME_ENOUGH) -> tuple[int, dict[str, Any]]:
        row = {"inventoryItemId": self.item, "locationId": self.location, "delta": 1, "changeFromQuantity": None}
        given = {"name": "available", "reason": "correction", "changes": [row]}
        return await self.post(document("08"), {"input": given, "key": key}, timeout)

    async def post(
        self, text: str, variables: dict[str, Any], timeout: float = TIME_ENOUGH
    ) -> tuple[int, dict[str, Any]]:
        sent = {"query": text, "variables": variables}
        headers = {"X-Shopify-Access-Token": TOKEN}
        url, limit = self.shell.base_url + PATH, aiohttp.ClientTimeout(total=timeout)
        async with self.session.post(url, json=sent, headers=headers, timeout=limit) as answer:
            raw = await answer.read()
            return answer.status, json.loads(raw) if raw.startswith(b"{") else {}


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(TIME_ENOUGH):
        while not holds():  # noqa: ASYNC110 - the state lives in a simulator that knows no events
            await asyncio.sleep(0.005)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    switches = ShopifySwitches(plain_http_webhooks=True, webhook_retry_span=0.5)
    simulator = ShopifySimulator(static_token=TOKEN, switches=switches)
    shell = SandboxShell(simulator, notices=NoticePlan(chance=random.Random(1)), post_timeout=0.3)
    await shell.start()
    async with aiohttp.ClientSession() as session:
        yield Running(shell, simulator, session)
    await shell.stop()


async def test_a_request_is_carried_out_and_answered(running: Running) -> None:
    status, answer = await running.adjust()
    assert (status, running.stock) == (200, 11)
    assert answer["data"][ADJUST]["userErrors"] == []


async def test_a_delayed_answer_comes_late(running: Running) -> None:
    running.shell.faults.queue(ADJUST, Fault(FaultKind.DELAY, 0.05))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert (await running.adjust())[0] == 200
    assert loop.time() - begun >= 0.05


async def test_a_reset_before_loses_the_request(running: Running) -> None:
    running.shell.faults.queue(ADJUST, FaultKind.RESET_BEFORE)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await running.adjust()
    assert running.stock == 10


async def test_a_reset_after_loses_only_the_answer(running: Running) -> None:
    running.shell.faults.queue(ADJUST, FaultKind.RESET_AFTER)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await running.adjust()
    assert running.stock == 11
    assert (await running.adjust())[0] == 200
    assert running.stock == 11, "the key makes the repeat harmless"


async def test_a_late_request_lands_after_the_caller_gave_up(running: Running) -> None:
    running.shell.faults.queue(ADJUST, Fault(FaultKind.LATE, 0.05))
    with pytest.raises(TimeoutError):
        await running.adjust(timeout=PATIENCE)
    assert running.stock == 10
    await until(lambda: running.stock == 11)


async def test_what_is_late_when_the_shell_stops_never_happens(running: Running) -> None:
    running.shell.faults.queue(ADJUST, Fault(FaultKind.LATE, 0.0))
    waiting = asyncio.create_task(running.adjust())
    await until(lambda: running.shell.faults.decided[FaultKind.LATE] == 1)
    await running.shell.stop()
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        await waiting
    assert running.stock == 10


async def test_an_error_before_did_nothing(running: Running) -> None:
    running.shell.faults.queue(ADJUST, FaultKind.ERROR_BEFORE)
    assert (await running.adjust())[0] == 503
    assert running.stock == 10


async def test_an_error_after_did_everything(running: Running) -> None:
    running.shell.faults.queue(ADJUST, FaultKind.ERROR_AFTER)
    assert (await running.adjust())[0] == 503
    assert running.stock == 11


async def test_a_throttle_is_answered_in_the_partners_way(running: Running) -> None:
    running.shell.faults.queue(ADJUST, FaultKind.THROTTLE)
    assert (await running.adjust())[0] == 429
    assert running.stock == 10


async def test_the_partners_own_time_and_concurrent_writes_are_counted() -> None:
    simulator = ShopifySimulator(static_token=TOKEN, switches=ShopifySwitches(concurrent_mutations=1))
    shell = SandboxShell(simulator, latency=lambda request: 0.05)
    await shell.start()
    try:
        async with aiohttp.ClientSession() as session:
            running = Running(shell, simulator, session)
            await asyncio.gather(running.adjust(key="a"), running.adjust(key="b"))
            await asyncio.gather(running.post("{ shop { id } }", {}), running.post("{ shop { id } }", {}))
    finally:
        await shell.stop()
    assert running.stock == 12
    assert [each.rule for each in simulator.log.violations] == ["too_many_concurrent_mutations"]


async def test_a_stopped_shell_answers_nobody_and_starts_again_on_its_port() -> None:
    simulator = ShopifySimulator(static_token=TOKEN)
    shell = SandboxShell(simulator)
    url = await shell.start()
    await shell.stop()
    port = int(url.rpartition(":")[2])
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)
        again = SandboxShell(simulator, port=port)
        assert await again.start() == url
        async with session.get(url) as answer:
            assert answer.status == 404
        await again.stop()


# -- webhooks ---


class Receiver:
    """A real HTTP server that keeps what it was sent and answers with the next of `answers` (then 200)."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/hook"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
async def receiver(running: Running) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    given = {"uri": receiver.url, "format": "JSON"}
    status, _ = await running.post(document("13"), {"topic": "INVENTORY_LEVELS_UPDATE", "sub": given})
    assert status == 200
    yield receiver
    await receiver.stop()


async def test_webhooks_are_posted_when_something_happens(running: Running, receiver: Receiver) -> None:
    assert running.shell.act(lambda now: running.simulator.sell(running.item, running.location, 2, now))
    await until(lambda: len(receiver.got) == 1)
    headers, body = receiver.got[0]
    assert headers["X-Shopify-Topic"] == "inventory_levels/update"
    assert json.loads(body)["available"] == 8


async def test_a_refused_webhook_is_posted_again(running: Running, receiver: Receiver) -> None:
    receiver.answers = [500]
    await running.adjust()
    await until(lambda: len(receiver.got) == 2)
    assert receiver.got[0][1] == receiver.got[1][1]
    ids = {headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.got}
    assert len(ids) == 1


async def test_a_webhook_can_arrive_twice(running: Running, receiver: Receiver) -> None:
    running.shell.notices.faults = NoticeFaults(duplication=1.0)
    await running.adjust()
    await until(lambda: len(receiver.got) == 2)
    assert receiver.got[0] == receiver.got[1]


async def test_a_lost_webhook_is_not_missed_by_its_sender(running: Running, receiver: Receiver) -> None:
    running.shell.notices.faults = NoticeFaults(loss=1.0)
    await running.adjust()
    await until(lambda: running.simulator.next_due() is None)
    running.shell.notices.faults = NoticeFaults()
    await running.adjust(key="second")
    await until(lambda: len(receiver.got) == 1)
    assert json.loads(receiver.got[0][1])["available"] == 12


async def test_a_lost_answer_makes_the_webhook_come_again(running: Running, receiver: Receiver) -> None:
    running.shell.notices.faults = NoticeFaults(answer_loss=1.0)
    await running.adjust()
    await until(lambda: len(receiver.got) >= 1)
    running.shell.notices.faults = NoticeFaults()
    await until(lambda: len(receiver.got) >= 2)
    assert receiver.got[0] == receiver.got[1]


async def test_a_receiver_that_is_away_loses_its_subscription(running: Running, receiver: Receiver) -> None:
    await receiver.stop()
    await running.adjust()
    await until(lambda: running.simulator.subscription_topics() == [])


def test_faults_are_off_by_default() -> None:
    shell = SandboxShell(ShopifySimulator())
    assert isinstance(shell.faults, FaultPlan)
    assert shell.faults.pending == 0
    assert shell.notices.faults == NoticeFaults()
