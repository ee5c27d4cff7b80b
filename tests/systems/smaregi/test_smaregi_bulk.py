"""Bulk calls: what is sent, what each answer means, and what is believed of a callback; at the end over real HTTP."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.sandbox.kernel import Fault, FaultKind
from inventory_sync.sandbox.shell import SandboxShell
from inventory_sync.sandbox.smaregi import SmaregiSimulator, SmaregiSwitches
from inventory_sync.systems.errors import Broken, Bug, Doubt, RetryLater, UnauthorizedNotice
from inventory_sync.systems.http import AiohttpTransport, HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import Accepted, CellRef, ClientContext, Notice, NoticeKind, PlannedOp, Split
from inventory_sync.systems.smaregi import bulk, definition
from inventory_sync.systems.smaregi.client import SmaregiClient, effective_capabilities
from inventory_sync.systems.smaregi.notices import SmaregiNoticeParser
from tests.systems.smaregi.smaregi_scripted import Answer, Clock, Scripted, answer, problem, settings

TOKEN = "a-part-of-the-address-that-nobody-guesses"
URL = f"https://sync.example.jp/callbacks/smaregi/pos/{TOKEN}"
KEY = "0b6d9a9e-0000-4000-8000-000000000001"


def ops(count: int = 2, delta: int = -3) -> list[PlannedOp]:
    return [
        PlannedOp(OpId(f"op{number}"), CellRef(ItemKey(str(8000001 + number)), LocationKey("1")), delta)
        for number in range(count)
    ]


def connect(*answers: Answer, url: str | None = URL, **changes: object) -> tuple[SmaregiClient, Scripted]:
    clock = Clock()
    partner = Scripted(clock, list(answers))
    context = ClientContext(partner, Ambient(now=clock), "shop1", budget_full=True, callback_url=url)
    return SmaregiClient(settings(callback_token=TOKEN, **changes), context), partner


def taken(status: int = 202, number: object = 123456) -> HttpResponse:
    return answer({"requestId": number, "callbackUrl": URL}, status)


async def test_several_changes_leave_in_one_call_with_a_memo_each_and_where_to_call_back() -> None:
    client, partner = connect(taken())
    prepared = client.compose(ops(), KEY)
    assert await client.send(prepared, ops()) == Accepted("123456")
    [request] = partner.requests
    assert request.url == "https://api.smaregi.dev/sb_abc123d4/pos/stock/add/bulk"
    assert json.loads(request.body) == {
        "stock": [
            {"productId": "8000001", "storeId": "1", "stockAmount": "-3", "stockHistory": {"memo": "is:shop1:op0"}},
            {"productId": "8000002", "storeId": "1", "stockAmount": "-3", "stockHistory": {"memo": "is:shop1:op1"}},
        ],
        "callbackUrl": f"{URL}?request={KEY}",
    }
    assert TOKEN.encode() not in prepared.body, "what is stored holds no secret"
    assert client.compose(ops(), KEY) == prepared


def test_one_change_goes_singly_with_the_memo_it_would_have_had_among_others() -> None:
    client, _ = connect()
    alone = client.compose(ops(1), KEY)
    assert alone.path == "/sb_abc123d4/pos/stock/8000001/add"
    memo = json.loads(client.compose(ops(), KEY).body)["stock"][0]["stockHistory"]
    assert json.loads(alone.body)["stockHistory"] == memo


@pytest.mark.parametrize("status", [200, 202])
async def test_either_success_accepts_and_decides_nothing(status: int) -> None:
    client, _ = connect(taken(status))
    assert isinstance(await client.send(client.compose(ops(), KEY), ops()), Accepted)


@pytest.mark.parametrize(
    "given",
    [answer({}, 202), answer(b"<html>", 202), taken(202, True), problem(500), problem(503), NoAnswer("reset")],
)
async def test_an_answer_that_names_no_request_is_a_doubt(given: Answer) -> None:
    client, partner = connect(given)
    with pytest.raises(Doubt):
        await client.send(client.compose(ops(), KEY), ops())
    assert len(partner.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_a_refusal_names_no_row_so_all_of_them_go_singly(status: int) -> None:
    client, _ = connect(problem(status))
    assert isinstance(await client.send(client.compose(ops(), KEY), ops()), Split)


@pytest.mark.parametrize(
    ("given", "error"),
    [(problem(429, retry_after="5"), RetryLater), (NotSent("refused"), RetryLater), (problem(403), Broken)],
)
async def test_what_was_certainly_not_taken_is_said_so(given: Answer, error: type[Exception]) -> None:
    client, _ = connect(given)
    with pytest.raises(error) as caught:
        await client.send(client.compose(ops(), KEY), ops())
    assert getattr(caught.value, "executed", False) is False


@pytest.mark.parametrize(("count", "delta"), [(101, 1), (2, 0), (2, 2_000_000_000)])
def test_what_a_bulk_call_cannot_carry_is_never_sent(count: int, delta: int) -> None:
    client, _ = connect()
    with pytest.raises(Bug):
        client.compose(ops(count, delta), KEY)


def test_an_address_that_is_too_long_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Bug):
        bulk.call_of(connect()[0].compose(ops(), KEY), "https://sync.example.jp/" + "a" * 480)


def test_without_an_address_several_changes_are_a_mistake_of_ours() -> None:
    client, _ = connect(url=None)
    with pytest.raises(Bug):
        client.compose(ops(), KEY)


@pytest.mark.parametrize(
    ("url", "changes", "usable"),
    [
        (URL, {}, True),
        (None, {}, False),
        (URL, {"history": False}, False),
        (URL, {"memo": False}, False),
        (URL, {"bulk": False}, False),
    ],
)
def test_bulk_calls_are_for_connections_whose_rows_can_be_looked_up(
    url: str | None, changes: dict[str, object], usable: bool
) -> None:
    able = effective_capabilities(settings(**changes), url).bulk
    assert able is not None
    assert able.usable is usable


def test_the_declared_times_are_settings() -> None:
    able = effective_capabilities(settings(bulk_callback_seconds=30, bulk_late_effect_seconds=90), URL).bulk
    assert able is not None
    assert (able.callback_within, able.late_effect) == (timedelta(seconds=30), timedelta(seconds=90))


# How long a push takes


def test_the_pace_comes_from_the_budget_of_the_contracts_environment() -> None:
    shop = bulk.pace(settings(callback_token=TOKEN), True)
    sandbox = bulk.pace(settings(callback_token=TOKEN, reads_per_second=None, writes_per_second=None), True)
    assert shop.usable
    assert 15 < shop.singles <= 20
    assert sandbox.singles < 4
    assert shop.singles < shop.bulk < 50
    assert sandbox.bulk < 10


@pytest.mark.parametrize(
    ("changes", "public", "word"),
    [
        ({}, False, "INVENTORY_SYNC_PUBLIC_URL"),
        ({"callback_token": None}, True, "apply the configuration"),
        ({"bulk": False}, True, "bulk is false"),
        ({"memo": False}, True, "memo"),
        ({"history": False}, True, "history"),
    ],
)
def test_why_a_push_goes_singly_and_what_would_change_that(changes: dict[str, object], public: bool, word: str) -> None:
    found = bulk.pace(settings(**{"callback_token": TOKEN, **changes}), public)
    assert not found.usable
    assert word in found.why_en
    assert found.why_ja


# Callbacks


def called(query: str = f"request={KEY}", body: bytes = b"[]", token: str = TOKEN, **changes: object) -> Notice:
    parser = SmaregiNoticeParser(settings(**{"callback_token": TOKEN, **changes}))
    return parser.parse_callback({":token": token, ":query": query}, body)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'[{"requestId":123456,"productId":"8000001","status":"error"}]', (KEY, "123456")),
        (b'[{"requestId":7},{"requestId":7},{"requestId":"8"}]', (KEY, "7", "8")),
        (b'{"requestId":7}', (KEY, "7")),
        (b"", (KEY,)),
        (b"not json", (KEY,)),
        (b'[1,null,{"requestId":true},{"requestId":{}},{"requestId":-1}]', (KEY,)),
    ],
)
def test_a_callback_names_requests_and_nothing_else_is_taken_from_it(body: bytes, named: tuple[str, ...]) -> None:
    notice = called(body=body)
    assert (notice.kind, notice.requests) == (NoticeKind.OTHER, named)
    assert (notice.cells, notice.catalogue) == ((), ())


def test_a_callback_whose_address_lost_its_query_is_found_by_the_partners_number() -> None:
    assert called(query="", body=b'[{"requestId":123456}]').requests == ("123456",)
    assert called(query="", body=b"").requests == ()


def test_the_same_callback_twice_is_one_notice_and_another_is_another() -> None:
    assert called().id == called().id
    assert called().id != called(query="request=another").id
    assert called().id != called(body=b"[{}]").id


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "\udcff"])
def test_a_callback_without_our_part_of_the_address_is_turned_away(token: str) -> None:
    with pytest.raises(UnauthorizedNotice):
        called(token=token)


def test_a_connection_without_an_address_of_its_own_takes_no_callback() -> None:
    for token in ("", TOKEN):
        with pytest.raises(UnauthorizedNotice):
            called(token=token, callback_token=None)


def test_the_token_is_made_up_by_us_and_named_as_what_callbacks_carry() -> None:
    assert definition.callback_field in definition.generated_secrets
    assert "callback_token" not in definition.credential_fields


# Over real HTTP


class Receiver:
    """Takes callbacks in, as our public port does, on loopback."""

    def __init__(self) -> None:
        self.parser = SmaregiNoticeParser(settings(callback_token=TOKEN))
        self.notices: list[Notice] = []
        self.heard = asyncio.Event()
        self.url = ""

    async def __aenter__(self) -> Receiver:
        app = web.Application()
        app.router.add_post("/callbacks/smaregi/pos/{token}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/callbacks/smaregi/pos/{TOKEN}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        way = {":token": request.match_info["token"], ":query": request.rel_url.raw_query_string}
        self.notices.append(self.parser.parse_callback(way, await request.read()))
        self.heard.set()
        return web.Response()


async def over_http(faults: list[Fault], **switches: Any) -> tuple[list[Notice], dict[str, int], Any, set[str]]:
    """Two changes in a bulk call to a contract on loopback: callbacks, levels, what `send` came to, memos found."""
    simulator = SmaregiSimulator(switches=SmaregiSwitches(bulk_delay=0.05, bulk_callback_delay=0.02, **switches))
    ids = simulator.seed_catalogue(2, datetime.now(UTC), stores=("1",), initial=lambda number, _: 10)
    planned = [
        PlannedOp(OpId(f"op{number}"), CellRef(ItemKey(item), LocationKey("1")), -3) for number, item in enumerate(ids)
    ]
    shell = SandboxShell(simulator)
    shell.faults.queue("POST /*/pos/stock/add/bulk", *faults)
    await shell.start()
    try:
        async with Receiver() as receiver, aiohttp.ClientSession() as session:
            now = Ambient(now=lambda: datetime.now(UTC))
            context = ClientContext(
                AiohttpTransport(session), now, "shop1", budget_full=True, callback_url=receiver.url
            )
            given = settings(
                base_url=shell.base_url, client_id="sim-client", client_secret="sim-secret", callback_token=TOKEN
            )
            client = SmaregiClient(given, context)
            began = datetime.now(UTC)
            try:
                came: Any = await client.send(client.compose(planned, KEY), planned)
            except Doubt as error:
                came = error
            async with asyncio.timeout(10):
                await receiver.heard.wait()
            found = set()
            for op in planned:
                found |= {str(row.op) for row in await client.history(op.cell, began)}
            return receiver.notices, {item: simulator.stock(item, "1") or 0 for item in ids}, came, found
    finally:
        await shell.stop()


async def test_a_bulk_call_is_accepted_carried_out_called_back_and_found_by_its_memos() -> None:
    notices, levels, came, found = await over_http([])
    assert isinstance(came, Accepted)
    assert notices[0].requests == (KEY, came.reference)
    assert (set(levels.values()), found) == ({7}, {"op0", "op1"})


async def test_a_bulk_call_whose_answer_was_lost_is_still_named_by_its_callback() -> None:
    notices, levels, came, found = await over_http([Fault(FaultKind.RESET_AFTER)], bulk_callback_body="empty")
    assert isinstance(came, Doubt)
    assert notices[0].requests == (KEY,)
    assert (set(levels.values()), found) == ({7}, {"op0", "op1"})
