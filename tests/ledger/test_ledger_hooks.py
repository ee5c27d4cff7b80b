"""Outgoing webhooks: signed, in order, repeated to the byte until taken, and never lost with a crash."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from inventory_sync.ledger import hooks
from inventory_sync.ledger.errors import LedgerError
from inventory_sync.ledger.hooks import BACKOFF, GIVE_UP, Delivered, NewHook
from inventory_sync.ledger.values import Adjust
from inventory_sync.secrets import SecretBox
from inventory_sync.systems.http import AiohttpTransport, HttpRequest, HttpResponse, NoAnswer, NotSent
from tests.ledger.ledger_support import START, Desk

URL = "https://wms.example.jp/stock"
BOX = SecretBox(["a key of the tests"])


class Receiver:
    """A warehouse system that answers as the test says."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return HttpResponse(answer, {}, b"")

    @property
    def quantities(self) -> list[list[int]]:
        """What each delivery told, level by level."""
        told = [orjson.loads(request.body)["data"]["levels"] for request in self.requests]
        return [[level["quantity"] for level in levels] for levels in told]


async def deliver(desk: Desk, receiver: Any) -> Delivered:
    return await hooks.deliver(desk.pool, receiver, BOX, now=desk.clock.now, new_id=desk.clock.new_id)


async def deliver_all(desk: Desk, receiver: Receiver) -> None:
    while (await deliver(desk, receiver)).did:
        pass


async def hook(desk: Desk, url: str = URL) -> NewHook:
    return await hooks.create_hook(desk.pool, desk.book, url, box=BOX, actor="tester", now=START)


def proven(made: NewHook, headers: Any, body: bytes) -> bool:
    """The check that standardwebhooks.com tells a receiver to make."""
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return bool(headers["webhook-signature"] == f"v1,{expected}")


async def test_a_change_is_told_with_a_signature(desk: Desk) -> None:
    await desk.post(Adjust("A", "main", 99))
    made, receiver = await hook(desk), Receiver()
    desk.clock.forward(1)
    await desk.post(Adjust("B", "main", 3), Adjust("B", "back", 4))
    await deliver_all(desk, receiver)
    (request,) = receiver.requests
    assert (request.method, request.url) == ("POST", URL)
    assert proven(made, request.headers, request.body)
    assert int(request.headers["webhook-timestamp"]) == int(desk.clock.now().timestamp())
    document = orjson.loads(request.body)
    assert (document["type"], document["data"]["book"]) == ("levels.changed", desk.book.name)
    told = [(level["sku"], level["location"], level["quantity"]) for level in document["data"]["levels"]]
    assert told == [("B", "main", 3), ("B", "back", 4)], "what was before the webhook is not told"
    assert not proven(made, request.headers, request.body + b" ")
    assert (await deliver(desk, receiver)) == Delivered(0, None)


async def test_the_secret_is_shown_once_and_kept_encrypted(desk: Desk) -> None:
    made = await hook(desk)
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    row = await desk.pool.fetchrow("select secret from ledger_hooks")
    assert row is not None
    assert key not in bytes(row["secret"])
    assert made.secret not in repr(made)
    assert made.secret not in repr(await desk.pool.fetch("select before, after from audit"))


@pytest.mark.parametrize("trouble", [500, 302, 404, NotSent("no such host"), NoAnswer("timed out")])
async def test_a_delivery_that_was_not_taken_is_repeated_to_the_byte(desk: Desk, trouble: int | Exception) -> None:
    made, receiver = await hook(desk), Receiver(trouble, trouble)
    await desk.post(Adjust("A", "main", 1))
    assert (await deliver(desk, receiver)).did == 1
    await desk.post(Adjust("A", "main", 1))
    step = await deliver(desk, receiver)
    assert (step.did, step.due) == (0, desk.clock.now() + BACKOFF[0])
    desk.clock.forward(BACKOFF[0].total_seconds())
    await deliver_all(desk, receiver)
    desk.clock.forward(BACKOFF[1].total_seconds() - 1)
    await deliver_all(desk, receiver)
    assert len(receiver.requests) == 2
    desk.clock.forward(1)
    await deliver_all(desk, receiver)
    assert receiver.quantities == [[1], [1], [1], [2]], "the next delivery waits for the one before"
    first, second, third, fourth = receiver.requests
    assert first.body == second.body == third.body
    assert first.headers["webhook-id"] == third.headers["webhook-id"] != fourth.headers["webhook-id"]
    assert first.headers["webhook-signature"] != third.headers["webhook-signature"], "the signature covers the time"
    assert all(proven(made, request.headers, request.body) for request in receiver.requests)


async def test_a_receiver_that_is_away_for_days_is_told_of_the_levels_as_they_are_then(desk: Desk) -> None:
    await hook(desk)
    receiver = Receiver(*[500] * 200)
    await desk.post(Adjust("A", "main", 1))
    while desk.clock.now() < START + GIVE_UP:
        await deliver(desk, receiver)
        desk.clock.forward(1800)
    desk.clock.forward(3600)
    await desk.post(Adjust("A", "main", 6))
    assert (await deliver(desk, receiver)).did == 1
    receiver.answers.clear()
    await deliver_all(desk, receiver)
    assert receiver.quantities[-1] == [7]
    states = await desk.pool.fetch("select state, answer from ledger_deliveries order by made_at")
    assert [tuple(row) for row in states] == [("given_up", "HTTP 500"), ("delivered", "HTTP 204")]
    assert await hooks.drop_old(desk.pool, now=desk.clock.forward(40 * 86400)) == 2


async def test_a_process_killed_while_sending_tells_it_again_under_the_same_id(desk: Desk) -> None:
    await hook(desk)
    await desk.post(Adjust("A", "main", 1))
    reached = asyncio.Event()

    class Stuck(Receiver):
        async def send(self, request: HttpRequest) -> HttpResponse:
            self.requests.append(request)
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError

    stuck, receiver = Stuck(), Receiver()
    task = asyncio.create_task(deliver(desk, stuck))
    await reached.wait()
    assert (await deliver(desk, receiver)).did == 0, "another replica leaves it alone while it is under way"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    desk.clock.forward(hooks.CLAIM.total_seconds())
    await deliver_all(desk, receiver)
    assert receiver.requests[0].body == stuck.requests[0].body
    assert receiver.requests[0].headers["webhook-id"] == stuck.requests[0].headers["webhook-id"]


async def test_many_changes_come_in_parts_and_each_level_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "BATCH", 3)
    await hook(desk)
    receiver = Receiver()
    for number in range(1, 4):
        await desk.post(*(Adjust(sku, place, 1) for sku in "AB" for place in ("main", "back")))
        assert number == (await desk.quantity())
    await deliver_all(desk, receiver)
    assert receiver.quantities == [[3, 3, 3], [3]]


async def test_every_webhook_has_its_own_pace(desk: Desk) -> None:
    await hook(desk, "https://one.example.jp/")
    await hook(desk, "https://two.example.jp/")
    await desk.post(Adjust("A", "main", 1))

    class OneIsAway(Receiver):
        async def send(self, request: HttpRequest) -> HttpResponse:
            self.answers = [500 if "one" in request.url else 204]
            return await super().send(request)

    receiver = OneIsAway()
    await deliver_all(desk, receiver)
    await desk.post(Adjust("A", "main", 1))
    await deliver_all(desk, receiver)
    told: Sequence[tuple[str, list[int]]] = list(
        zip((r.url[8:11] for r in receiver.requests), receiver.quantities, strict=True)
    )
    assert sorted(told) == [("one", [1]), ("two", [1]), ("two", [2])]


async def test_a_removed_webhook_is_told_nothing_more(desk: Desk) -> None:
    made, receiver = await hook(desk), Receiver(500)
    await desk.post(Adjust("A", "main", 1))
    await deliver(desk, receiver)
    (listed,) = await hooks.list_hooks(desk.pool, desk.book)
    assert (listed.url, listed.attempts, listed.answer) == (URL, 1, "HTTP 500")
    with pytest.raises(LedgerError, match="in use already"):
        await hook(desk)
    assert await hooks.remove_hook(desk.pool, desk.book, made.id, actor="tester", now=START) == URL
    desk.clock.forward(timedelta(days=1).total_seconds())
    await desk.post(Adjust("A", "main", 1))
    await deliver_all(desk, receiver)
    assert len(receiver.requests) == 1
    assert await hooks.list_hooks(desk.pool, desk.book) == []
    await hook(desk)
    with pytest.raises(LedgerError):
        await hooks.remove_hook(desk.pool, desk.book, made.id, actor="tester", now=START)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def test_a_real_receiver_gets_what_was_signed(desk: Desk, session: aiohttp.ClientSession) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=200)

    app = web.Application()
    app.router.add_post("/stock", take)
    async with TestServer(app) as server:
        made = await hook(desk, str(server.make_url("/stock")))
        await desk.post(Adjust("A", "main", 1))
        assert (await deliver(desk, AiohttpTransport(session))).did == 1
    ((headers, body),) = got
    assert headers["content-type"] == "application/json"
    assert proven(made, headers, body)
