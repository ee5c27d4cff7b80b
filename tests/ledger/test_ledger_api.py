"""`/ledger/v1` over a real port: who may ask, what is answered, and that a refused request changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from inventory_sync.ledger import reading
from inventory_sync.ledger.api import LedgerApi
from inventory_sync.ledger.errors import LedgerError
from inventory_sync.ledger.keys import Scope, create_key, list_keys, revoke_key
from inventory_sync.ledger.problems import PROBLEMS
from inventory_sync.ledger.values import Adjust
from inventory_sync.web.ledger import add_ledger
from tests.ledger.ledger_support import START, Desk, open_desk

Answer = tuple[int, dict[str, Any]]


class Caller:
    """A warehouse system with one key."""

    def __init__(self, client: TestClient[Any, Any], key: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key}"}

    async def ask(self, method: str, path: str, body: object = None, *, key: str | None = None, **more: Any) -> Answer:
        headers = {**self.headers, **({} if key is None else {"Idempotency-Key": key}), **more.pop("headers", {})}
        data = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        async with self.client.request(method, f"/ledger/v1/{path}", data=data, headers=headers, **more) as answer:
            problem = answer.status != 200
            assert answer.content_type == ("application/problem+json" if problem else "application/json")
            document = await answer.json(content_type=None)
            if problem:
                assert document["status"] == answer.status
                assert document["type"] == f"/problems/{document['code']}"
                assert PROBLEMS[document["code"]].status == answer.status
            return answer.status, document


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[TestClient[Any, Any]]:
    app = web.Application()
    add_ledger(app, LedgerApi(desk.pool), desk.clock.now)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def writer(desk: Desk, client: TestClient[Any, Any]) -> Caller:
    made = await create_key(desk.pool, desk.book, "wms", Scope.WRITE, actor="tester", now=START)
    return Caller(client, made.key)


def adjust(delta: int, sku: str = "A", **more: Any) -> dict[str, Any]:
    return {"adjustments": [{"sku": sku, "location": "main", "delta": delta, **more}]}


async def test_a_book_says_which_it_is_and_what_the_key_may_do(desk: Desk, writer: Caller) -> None:
    status, found = await writer.ask("GET", "book")
    assert status == 200
    assert (found["name"], found["identity"], found["scope"]) == (desk.book.name, desk.book.identity, "write")
    assert found["labels"] == [{"label": "loose", "negative": True}, {"label": "stock", "negative": False}]


async def test_nobody_without_a_working_key_is_answered(
    desk: Desk, client: TestClient[Any, Any], writer: Caller
) -> None:
    good = writer.headers["Authorization"]
    bad = [
        "",
        "Bearer",
        "Bearer ",
        good[:-1],
        good + "x",
        good.replace("Bearer", "Basic"),
        good.upper(),
        "Bearer isl_00000000_x",
    ]
    for header in bad:
        caller = Caller(client, "")
        caller.headers = {"Authorization": header} if header else {}
        status, problem = await caller.ask("POST", "adjustments", adjust(1), key="k")
        assert (status, problem["code"]) == (401, "IS-LDG-002"), header
    assert await desk.level() is None


async def test_a_key_works_for_its_own_book_and_until_it_is_revoked(
    desk: Desk, client: TestClient[Any, Any], writer: Caller
) -> None:
    other = await open_desk(desk.pool, desk.clock)
    stranger = await create_key(desk.pool, other.book, "wms", Scope.WRITE, actor="tester", now=START)
    await Caller(client, stranger.key).ask("POST", "adjustments", adjust(9), key="k")
    assert (await desk.quantity(), await other.quantity()) == (0, 9)
    await revoke_key(desk.pool, desk.book, "wms", actor="tester", now=START)
    assert (await writer.ask("GET", "book"))[0] == 401
    assert (await Caller(client, stranger.key).ask("GET", "book"))[0] == 200
    with pytest.raises(LedgerError, match="no such key"):
        await revoke_key(desk.pool, desk.book, "wms", actor="tester", now=START)


async def test_a_key_is_shown_once_and_kept_as_a_hash(desk: Desk, writer: Caller) -> None:
    key = writer.headers["Authorization"].removeprefix("Bearer ")
    row = await desk.pool.fetchrow("select * from ledger_keys")
    assert key not in repr(dict(row or {}))
    assert key.encode() not in bytes(row["hash"] if row else b"")
    await writer.ask("GET", "book")
    (info,) = await list_keys(desk.pool, desk.book)
    assert (info.name, info.scope, info.made_by, info.used_at) == ("wms", Scope.WRITE, "tester", START)
    assert key.startswith(f"isl_{info.prefix}_")
    audit = await desk.pool.fetch("select action, after from audit")
    assert [row["action"] for row in audit] == ["ledger.key_created"]
    assert key not in repr(audit)


async def test_a_key_that_may_read_may_not_write(desk: Desk, client: TestClient[Any, Any]) -> None:
    made = await create_key(desk.pool, desk.book, "eyes", Scope.READ, actor="tester", now=START)
    reader = Caller(client, made.key)
    line = {"sku": "A", "location": "main", "quantity": 1}
    for method, path, body in (
        ("POST", "adjustments", adjust(1)),
        ("PUT", "levels", {"levels": [line]}),
        ("POST", "bulk", {"lines": [{"type": "set", **line}]}),
        ("PUT", "items", {"items": [{"sku": "Z"}]}),
        ("PUT", "locations", {"locations": [{"location": "z"}]}),
    ):
        status, problem = await reader.ask(method, path, body, key="k")
        assert (status, problem["code"]) == (403, "IS-LDG-003")
    assert (await reader.ask("GET", "levels"))[0] == 200
    assert (await reader.ask("POST", "levels/query", {"cells": [{"sku": "A", "location": "main"}]}))[0] == 200


async def test_an_adjustment_is_booked_once_however_often_it_is_sent(desk: Desk, writer: Caller) -> None:
    body = adjust(5, kind="receipt", reason="入荷", reference="PO-1", as_of="2026-04-01T08:59:00+09:00")
    answers = await asyncio.gather(*(writer.ask("POST", "adjustments", body, key="k-1") for _ in range(5)))
    assert {status for status, _ in answers} == {200}
    assert sorted(found["replayed"] for _, found in answers) == [False, True, True, True, True]
    (entry,) = answers[0][1]["entries"]
    assert all(found["entries"] == [entry] for _, found in answers)
    assert (entry["delta"], entry["quantity"], entry["kind"]) == (5, 5, "receipt")
    assert (entry["actor"], entry["key"], entry["as_of"]) == ("key:wms", "k-1", "2026-03-31T23:59:00Z")
    assert await desk.quantity() == 5
    status, problem = await writer.ask("POST", "adjustments", adjust(6), key="k-1")
    assert (status, problem["code"]) == (409, "IS-LDG-021")
    status, problem = await writer.ask("POST", "adjustments", adjust(6))
    assert (status, problem["code"]) == (400, "IS-LDG-020")
    assert await desk.quantity() == 5


async def test_a_set_with_as_of_keeps_later_entries_on_top(desk: Desk, writer: Caller) -> None:
    await writer.ask("POST", "adjustments", adjust(10), key="k1")
    counted_at = desk.clock.forward(60).isoformat()
    desk.clock.forward(60)
    await writer.ask("POST", "adjustments", adjust(-2, kind="sale"), key="k2")
    line = {"sku": "A", "location": "main", "quantity": 8, "as_of": counted_at}
    for _ in range(2):
        status, found = await writer.ask("PUT", "levels", {"levels": [line]})
        assert (status, found["entries"][0]["quantity"]) == (200, 6)


async def test_a_bulk_request_is_booked_whole_or_not_at_all(desk: Desk, writer: Caller) -> None:
    good = [
        {"type": "set", "sku": "A", "location": "main", "quantity": 8},
        {"type": "adjust", "sku": "A", "location": "main", "delta": -3, "kind": "transfer"},
        {"type": "adjust", "sku": "A", "location": "back", "delta": 3, "kind": "transfer"},
    ]
    bad = [
        *good,
        {"type": "adjust", "sku": "A", "location": "back", "delta": -4},
        {"type": "adjust", "sku": "Z", "location": "back", "delta": 1},
    ]
    status, problem = await writer.ask("POST", "bulk", {"lines": bad}, key="k")
    assert (status, problem["code"]) == (422, "IS-LDG-010")
    assert [(each["line"], each["field"], each["code"]) for each in problem["errors"]] == [(4, "sku", "IS-LDG-012")]
    status, problem = await writer.ask("POST", "bulk", {"lines": bad[:4]}, key="k")
    assert [(each["line"], each["field"], each["code"]) for each in problem["errors"]] == [(3, "delta", "IS-LDG-016")]
    assert await reading.entries(desk.pool, desk.book) == []
    status, found = await writer.ask("POST", "bulk", {"lines": good}, key="k")
    assert [entry["quantity"] for entry in found["entries"]] == [8, 5, 3]
    assert (await desk.quantity(), await desk.quantity("A", "back")) == (5, 3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("delta", "5"),
        ("delta", 5.0),
        ("delta", True),
        ("delta", 0),
        ("delta", None),
        ("delta", 10**12),
        ("kind", "theft"),
        ("kind", "count"),
        ("as_of", "2026-04-01T00:00:00"),
        ("as_of", "yesterday"),
        ("as_of", "0001-01-01T00:00:00+14:00"),
        ("as_of", 1775000000),
        ("quantity", 5),
        ("sku", ""),
        ("sku", "A\u0000"),
        ("sku", None),
        ("reason", "x" * 501),
        ("label", ["stock"]),
    ],
)
async def test_a_value_that_is_not_understood_is_named_and_nothing_is_guessed(
    desk: Desk, writer: Caller, field: str, value: object
) -> None:
    status, problem = await writer.ask(
        "POST", "adjustments", {"adjustments": [{"sku": "A", "location": "main", "delta": 1, field: value}]}, key="k"
    )
    assert (status, problem["code"]) == (422, "IS-LDG-010")
    assert [(each["line"], each["field"]) for each in problem["errors"]] == [(0, field)]
    assert await reading.entries(desk.pool, desk.book) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"adjustments": []}',
        b'{"adjustments": {}}',
        b'{"lines": [{}]}',
        b'{"adjustments": [{}], "x": 1}',
        b"\xff",
        b'{"adjustments": NaN}',
    ],
)
async def test_a_body_that_is_not_understood_is_a_bad_request(desk: Desk, writer: Caller, body: bytes) -> None:
    status, problem = await writer.ask("POST", "adjustments", body, key="k")
    assert (status, problem["code"]) == (400, "IS-LDG-001")


async def test_requests_are_bounded(desk: Desk, writer: Caller) -> None:
    lines = adjust(1)["adjustments"] * 500
    assert (await writer.ask("POST", "adjustments", {"adjustments": lines}, key="k"))[0] == 200
    assert await desk.quantity() == 500
    status, problem = await writer.ask("POST", "adjustments", {"adjustments": lines + lines[:1]}, key="k2")
    assert (status, problem["code"]) == (413, "IS-LDG-006")
    async with writer.client.post(
        "/ledger/v1/adjustments", data=b" " * (1024 * 1024 + 1), headers=writer.headers
    ) as answer:
        assert answer.status == 413
        assert answer.content_type == "application/problem+json"
    assert await desk.quantity() == 500


async def test_levels_are_asked_by_key_and_every_state_is_told_apart(desk: Desk, writer: Caller) -> None:
    await writer.ask("PUT", "items", {"items": [{"sku": "U", "tracked": False}, {"sku": "X", "archived": True}]})
    await writer.ask("POST", "adjustments", adjust(-2, kind="sale"), key="k")
    cells = [("A", "main"), ("B", "main"), ("U", "main"), ("X", "main"), ("none", "main"), ("A", "attic")]
    body = {"cells": [{"sku": sku, "location": place} for sku, place in cells]}
    _, found = await writer.ask("POST", "levels/query", body)
    states = [each["state"] for each in found["cells"]]
    assert states == ["active", "absent", "untracked", "gone", "gone", "gone"]
    first = found["cells"][0]
    assert (first["quantity"], first["on_hand"], first["owed"]) == (-2, 0, 2)
    status, problem = await writer.ask("POST", "levels/query", {**body, "label": "no such"})
    assert (status, problem["code"]) == (422, "IS-LDG-015")


async def test_lists_go_on_behind_a_cursor_until_there_is_no_more(desk: Desk, writer: Caller) -> None:
    lines = [{"sku": sku, "location": place, "delta": 1} for sku in "AB" for place in ("main", "back")]
    await writer.ask("POST", "adjustments", {"adjustments": lines}, key="k")
    for path, name in (("levels", "levels"), ("changes", "entries"), ("entries", "entries")):
        seen: list[Any] = []
        cursor, more = 0, True
        while more:
            _, found = await writer.ask("GET", f"{path}?after={cursor}&limit=3")
            seen += found[name]
            cursor, more = found["cursor"], found["more"]
        assert [(each["sku"], each["location"]) for each in seen] == [(e["sku"], e["location"]) for e in lines]
        _, rest = await writer.ask("GET", f"{path}?after={cursor}")
        assert (rest[name], rest["cursor"], rest["more"]) == ([], cursor, False)
    _, found = await writer.ask("GET", "levels?sku=A&location=back&label=stock")
    assert [(each["sku"], each["location"]) for each in found["levels"]] == [("A", "back")]
    _, found = await writer.ask("GET", "items?limit=1")
    assert ([each["sku"] for each in found["items"]], found["cursor"], found["more"]) == (["A"], "A", True)
    _, found = await writer.ask("GET", "items?after=A")
    assert ([each["sku"] for each in found["items"]], found["more"]) == (["B"], False)


async def test_items_and_locations_are_put_and_got(desk: Desk, writer: Caller) -> None:
    item = {"sku": " 緑茶 ", "name": "Tea", "barcode": "49", "tracked": True, "archived": False}
    assert (await writer.ask("PUT", "items", {"items": [item]}))[1] == {"created": 1, "changed": 0, "same": 0}
    _, found = await writer.ask("GET", "items", params={"sku": " 緑茶 "})
    assert found["items"] == [item]
    place = {"location": "3F", "name": "三階", "active": False}
    assert (await writer.ask("PUT", "locations", {"locations": [place]}))[1] == {"created": 1, "changed": 0, "same": 0}
    _, found = await writer.ask("GET", "locations")
    assert place in found["locations"]
    status, problem = await writer.ask("PUT", "items", {"items": [item, {"sku": "N"}, item]})
    assert (status, problem["errors"][0]["line"]) == (422, 2)
    assert await reading.items(desk.pool, desk.book, skus=["N"]) == []


async def test_entries_are_asked_by_reference_and_by_time(desk: Desk, writer: Caller) -> None:
    await desk.post(Adjust("A", "main", 5, reference="order 7"), Adjust("B", "main", 2))
    since = desk.clock.forward(60)
    await desk.post(Adjust("B", "main", 3))
    _, found = await writer.ask("GET", "entries", params={"reference": "order 7"})
    assert [each["delta"] for each in found["entries"]] == [5]
    _, found = await writer.ask("GET", "entries", params={"sku": "B", "since": since.isoformat()})
    assert [each["delta"] for each in found["entries"]] == [3]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "nothing", 404, "IS-LDG-004"),
        ("GET", "levels/", 404, "IS-LDG-004"),
        ("DELETE", "levels", 405, "IS-LDG-005"),
        ("GET", "adjustments", 405, "IS-LDG-005"),
        ("GET", "levels?limit=501", 400, "IS-LDG-001"),
        ("GET", "levels?after=-1", 400, "IS-LDG-001"),
        ("GET", "levels?after=1&after=2", 400, "IS-LDG-001"),
        ("GET", "levels?sku=%00", 400, "IS-LDG-001"),
        ("GET", "levels?sku=%ff", 400, "IS-LDG-001"),
        ("GET", "levels?colour=red", 400, "IS-LDG-001"),
        ("GET", "levels?since=today", 400, "IS-LDG-001"),
        ("GET", "changes?sku=A", 400, "IS-LDG-001"),
    ],
)
async def test_an_address_that_makes_no_sense_is_a_problem_document(
    writer: Caller, method: str, path: str, status: int, code: str
) -> None:
    async with writer.client.session.request(
        method, URL(f"{writer.client.make_url('/')}ledger/v1/{path}", encoded=True), headers=writer.headers
    ) as answer:
        assert answer.status == status
        document = orjson.loads(await answer.read())
        assert document["code"] == code
        if status == 405:
            assert answer.headers["Allow"]


async def test_a_body_that_breaks_off_changes_nothing(desk: Desk, writer: Caller) -> None:
    body = orjson.dumps(adjust(1))

    async def half() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionResetError

    headers = {**writer.headers, "Idempotency-Key": "k", "Content-Length": str(len(body))}
    with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
        await writer.client.post("/ledger/v1/adjustments", data=half(), headers=headers)
    assert await desk.level() is None
