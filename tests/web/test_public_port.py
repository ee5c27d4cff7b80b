from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp.test_utils import TestClient, TestServer

from inventory_sync.engine.lane import House
from inventory_sync.store.db import Pool
from inventory_sync.web.bodies import WEBHOOK_LIMIT
from inventory_sync.web.collector import NoticeCollector
from inventory_sync.web.directory import Door, NoticeEvent
from inventory_sync.web.public import public_app
from inventory_sync.web.readiness import Readiness
from inventory_sync.web.rejections import RejectionLog
from inventory_sync.web.serving import Listener
from tests.web.web_support import (
    HEADERS,
    SECRET,
    FakeDirectory,
    FakeParser,
    commits_hang,
    inbox,
    somebody_waits_for_a_lock,
    transactions,
    until,
)

SHOP = "/webhooks/fake/shop"


def body(id_: str = "n1", **more: object) -> bytes:
    return json.dumps({"id": id_, **more}).encode()


@dataclass
class Port:
    """The public port with everything behind it."""

    house: House
    collector: NoticeCollector
    directory: FakeDirectory
    parser: FakeParser
    client: TestClient[Any, Any] = field(init=False)
    events: list[NoticeEvent] = field(default_factory=list)
    draining: bool = False

    async def post(self, path: str = SHOP, data: object = b"", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body, and headers but the date."""
        async with self.client.post(path, data=data, headers={**HEADERS, **headers}) as response:
            shown = {name: value for name, value in response.headers.items() if name != "Date"}
            return response.status, await response.read(), shown


Opener = Callable[..., Any]


@pytest.fixture
async def open_port(pool: Pool, house: House, shop: int) -> AsyncIterator[Opener]:
    """Opens a public port; options go to the collector (`capacity`) and the application (`answer_within`)."""
    opened: list[Port] = []

    async def open_one(*, answer_within: float = 30.0, **options: Any) -> Port:
        port = Port(house, NoticeCollector(house, **options), FakeDirectory(), FakeParser())
        port.directory.doors["fake", "shop"] = Door(shop, "shop", port.parser, empty_response=False)
        port.directory.contracts["fake", "c-1"] = Door(shop, "shop", port.parser, empty_response=True)
        readiness = Readiness(pool, draining=lambda: port.draining, kept_for=0)
        app = public_app(
            house, port.collector, port.directory, readiness, listener=port.events.append, answer_within=answer_within
        )
        port.client = TestClient(TestServer(app))
        await port.collector.start()
        await port.client.start_server()
        opened.append(port)
        return port

    yield open_one
    for port in opened:
        await port.client.close()
        await port.collector.stop()


async def test_a_notice_is_answered_only_after_its_commit(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    async with commits_hang(pool):
        delivery = asyncio.create_task(port.post(data=body("n1")))
        await somebody_waits_for_a_lock(pool)
        assert not delivery.done()
        assert await inbox(pool) == []
    status, content, _ = await delivery
    assert (status, content) == (200, b"ok\n")
    assert await inbox(pool) == ["n1"]


async def test_a_partner_that_wants_an_empty_answer_gets_one(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    status, content, headers = await port.post("/webhooks/fake", body("n1"), **{"X-Contract": "c-1"})
    assert (status, content, headers["Content-Length"]) == (200, b"", "0")
    assert await inbox(pool) == ["n1"]


async def test_a_repeated_delivery_is_stored_once_and_answered_alike(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    assert [(await port.post(data=body("same")))[0] for _ in range(3)] == [200, 200, 200]
    assert await inbox(pool) == ["same"]


async def test_many_deliveries_at_once_share_commits(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    async with commits_hang(pool):
        first = asyncio.create_task(port.post(data=body("first")))
        await somebody_waits_for_a_lock(pool)
        rest = [asyncio.create_task(port.post(data=body(f"n{number}"))) for number in range(80)]
        await until(pool, lambda: port.collector.waiting == 80)
    answers = await asyncio.gather(first, *rest)
    assert {status for status, _, _ in answers} == {200}
    assert (len(await inbox(pool)), await transactions(pool)) == (81, 2)


async def test_a_wrong_secret_stores_nothing(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    status, _, headers = await port.post(data=body(), **{"X-Secret": "guess"})
    assert status == 401
    assert headers["Content-Type"] == "application/problem+json"
    assert await inbox(pool) == []


@pytest.mark.parametrize(
    "data", [body(), b"", b"no JSON", b"x" * (WEBHOOK_LIMIT + 1)], ids=["good", "empty", "bad", "huge"]
)
async def test_an_unknown_connection_cannot_be_told_from_a_wrong_secret(open_port: Opener, data: bytes) -> None:
    port = await open_port()
    known = await port.post(SHOP, data, **{"X-Secret": "guess"})
    for path in ("/webhooks/fake/nobody", "/webhooks/nothing/shop", "/webhooks/fake", "/webhooks/nothing"):
        assert await port.post(path, data, **{"X-Secret": "guess"}) == known
        assert await port.post(path, data) == known


async def test_a_proved_notice_that_cannot_be_read_is_the_senders_mistake(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    status, content, _ = await port.post(data=b"{")
    assert (status, json.loads(content)["code"]) == (400, "IS-WEB-001")
    assert await inbox(pool) == []


async def test_a_notice_nobody_can_store_does_not_harm_others(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    answers = await asyncio.gather(
        port.post(data=body("n1")), port.post(data=body("bad", item="nul\x00")), port.post(data=body("n2"))
    )
    assert [status for status, _, _ in answers] == [200, 400, 200]
    assert sorted(await inbox(pool)) == ["n1", "n2"]


async def test_webhooks_may_be_ten_mebibytes_and_not_a_byte_more(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    largest = body("large").ljust(WEBHOOK_LIMIT)
    assert (await port.post(data=largest))[0] == 200
    status, content, _ = await port.post(data=largest + b" ")
    assert (status, json.loads(content)["status"]) == (413, 413)
    assert await inbox(pool) == ["large"]


async def test_a_body_of_unstated_length_is_cut_off_at_the_limit(pool: Pool, open_port: Opener) -> None:
    port = await open_port()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 1024 * 1024

    assert (await port.post(data=endless()))[0] == 413
    assert await inbox(pool) == []


async def test_an_overloaded_intake_asks_to_come_again(pool: Pool, open_port: Opener) -> None:
    port = await open_port(capacity=1)
    async with commits_hang(pool):
        first = asyncio.create_task(port.post(data=body("n1")))
        await somebody_waits_for_a_lock(pool)
        second = asyncio.create_task(port.post(data=body("n2")))
        await until(pool, lambda: port.collector.waiting == 1)
        status, content, headers = await port.post(data=body("n3"))
        assert (status, headers["Retry-After"], json.loads(content)["code"]) == (503, "5", "IS-WEB-009")
    assert [(await first)[0], (await second)[0]] == [200, 200]
    assert await inbox(pool) == ["n1", "n2"]


async def test_a_commit_that_takes_longer_than_the_partner_waits_is_not_answered_200(
    pool: Pool, open_port: Opener
) -> None:
    port = await open_port(answer_within=0.1)
    async with commits_hang(pool):
        status, _, headers = await port.post(data=body("n1"))
    assert (status, headers["Retry-After"]) == (503, "5")


async def test_a_broken_database_is_not_answered_200(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    await pool.execute("alter table inbox rename to away")
    assert (await port.post(data=body("n1")))[0] == 503
    await pool.execute("alter table away rename to inbox")
    assert (await port.post(data=body("n1")))[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/webhooks", "/webhooks/", "/webhooks/fake/shop/token/more", "/.git/config", "/static/"]
)
async def test_an_unknown_address_is_a_problem_document(open_port: Opener, path: str) -> None:
    port = await open_port()
    async with port.client.get(path) as response:
        document = json.loads(await response.read())
        assert (response.status, response.content_type) == (404, "application/problem+json")
        assert document == {
            "type": "/problems/IS-WEB-004",
            "title": "There is nothing at this address.",
            "status": 404,
            "code": "IS-WEB-004",
        }


async def test_a_webhook_address_answers_post_only(open_port: Opener) -> None:
    port = await open_port()
    async with port.client.get(SHOP) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert response.content_type == "application/problem+json"


async def test_every_answer_names_the_product_without_a_version(open_port: Opener) -> None:
    port = await open_port()
    for path in (SHOP, "/webhooks/fake/nobody", "/nothing"):
        _, _, headers = await port.post(path, body())
        assert headers["Server"] == "inventory-sync"


async def test_rejections_are_logged_by_connection_and_reason_only(open_port: Opener) -> None:
    port = await open_port()
    with structlog.testing.capture_logs() as logs:
        await port.post(data=b"private-body", **{"X-Secret": "private-guess"})
        await port.post("/webhooks/fake/private-name", b"private-body", **{"X-Secret": "private-guess"})
        await port.post(data=b"private-body")
    assert logs == [
        {"event": "notice.rejected", "log_level": "warning", "connection": "shop", "reason": "unauthorized"},
        {"event": "notice.rejected", "log_level": "warning", "connection": "unknown", "reason": "unauthorized"},
        {"event": "notice.rejected", "log_level": "warning", "connection": "shop", "reason": "malformed"},
    ]


async def test_a_parser_that_breaks_is_our_failure_and_tells_nothing(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    with structlog.testing.capture_logs() as logs:
        status, content, _ = await port.post(data=b'{"private": "value"}')
    assert (status, json.loads(content)["code"]) == (500, "IS-WEB-008")
    assert logs == [
        {
            "event": "web.failed",
            "log_level": "error",
            "method": "POST",
            "route": "/webhooks/{system}/{connection}",
            "error": "KeyError",
        }
    ]
    assert await inbox(pool) == []


def test_a_flood_of_rejections_becomes_one_event_and_a_number() -> None:
    now = [100.0]
    rejections = RejectionLog(every=10, clock=lambda: now[0])
    with structlog.testing.capture_logs() as logs:
        for _ in range(1000):
            rejections.reject("shop", "unauthorized")
        now[0] += 10
        rejections.reject("shop", "unauthorized")
        rejections.reject("shop", "malformed")
    assert [(event["reason"], event.get("left_out")) for event in logs] == [
        ("unauthorized", None),
        ("unauthorized", 999),
        ("malformed", None),
    ]


async def test_every_delivery_is_told_to_the_listener(open_port: Opener) -> None:
    port = await open_port()
    await port.post(data=body("n1", sent="2020-01-01T00:00:00+00:00"))
    await port.post(data=b"{")
    await port.post("/webhooks/fake/nobody", body())
    kept, *rejected = port.events
    assert (kept.connection, kept.topic, kept.result) == ("shop", "stock/changed", "kept")
    assert kept.delay_seconds is not None
    assert kept.delay_seconds > 86_400
    assert rejected == [NoticeEvent("shop", "", "malformed"), NoticeEvent("", "", "unauthorized")]


async def test_healthz_and_readyz_are_plain_while_all_is_well(open_port: Opener) -> None:
    port = await open_port()
    for path in ("/healthz", "/readyz"):
        async with port.client.get(path) as response:
            assert response.status == 200


async def test_readyz_says_why_not_while_draining_and_healthz_stays_well(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    async with commits_hang(pool):
        delivery = asyncio.create_task(port.post(data=body("n1")))
        await somebody_waits_for_a_lock(pool)
        port.draining = True
        stopping = asyncio.create_task(port.collector.stop())
        await until(pool, lambda: not port.collector.accepting)
        async with port.client.get("/readyz") as response:
            assert (response.status, response.content_type) == (503, "application/problem+json")
            assert json.loads(await response.read())["reasons"] == ["draining", "notices are not accepted"]
        async with port.client.get("/healthz") as response:
            assert response.status == 200
        assert (await port.post(data=body("late")))[0] == 503
    assert (await delivery)[0] == 200
    await stopping
    assert await inbox(pool) == ["n1"]


async def test_healthz_needs_no_database(pool: Pool, open_port: Opener) -> None:
    port = await open_port()
    await pool.close()
    async with port.client.get("/healthz") as response:
        assert response.status == 200
    async with port.client.get("/readyz") as response:
        assert response.status == 503
        assert json.loads(await response.read())["reasons"] == ["the database does not answer"]


@pytest.fixture
async def listening(open_port: Opener, pool: Pool) -> AsyncIterator[tuple[Port, int]]:
    """The public port as the service opens it, and its number."""
    port = await open_port()
    readiness = Readiness(pool, draining=lambda: False)
    listener = Listener(public_app(port.house, port.collector, port.directory, readiness), "127.0.0.1", 0)
    number = await listener.start()
    yield port, number
    await listener.stop()


async def test_what_is_no_http_learns_no_version_and_fills_no_log(
    listening: tuple[Port, int], caplog: pytest.LogCaptureFixture
) -> None:
    _, number = listening
    with caplog.at_level(logging.DEBUG):
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nX-Sec ret: " + SECRET.encode() + b"\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.splitlines()[0].endswith(b"400 Bad Request")
    assert b"Server: inventory-sync\r\n" in answer
    assert b"aiohttp" not in answer
    assert b"Python" not in answer
    assert SECRET not in caplog.text


async def test_the_parser_sees_the_bytes_that_were_sent(listening: tuple[Port, int]) -> None:
    port, number = listening
    packed = gzip.compress(body())
    headers = {**HEADERS, "Content-Encoding": "gzip"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{number}{SHOP}", data=packed, headers=headers) as response,
    ):
        assert response.status == 400
    assert port.parser.bodies == [packed]


async def test_a_header_that_is_no_text_is_as_good_as_missing(listening: tuple[Port, int], pool: Pool) -> None:
    _, number = listening
    reader, writer = await asyncio.open_connection("127.0.0.1", number)
    writer.write(
        b"POST /webhooks/fake/shop HTTP/1.1\r\nHost: x\r\nX-Secret: \xff\xfe\r\nContent-Length: 2\r\n"
        b"Connection: close\r\n\r\n{}"
    )
    assert (await reader.read()).startswith(b"HTTP/1.1 401")
    writer.close()
    assert await inbox(pool) == []


async def test_a_sender_that_hangs_up_halfway_leaves_nothing(listening: tuple[Port, int], pool: Pool) -> None:
    port, number = listening
    with structlog.testing.capture_logs() as logs:
        _, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(b"POST /webhooks/fake/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()
        await until(pool, lambda: bool(logs))
    assert [(event["event"], event["reason"]) for event in logs] == [("notice.rejected", "malformed")]
    assert port.parser.bodies == []
    assert await inbox(pool) == []
