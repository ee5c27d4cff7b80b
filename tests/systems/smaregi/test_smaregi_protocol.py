from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, RetryLater
from inventory_sync.systems.port import CellRef, PlannedOp, Rejected
from inventory_sync.systems.smaregi import protocol
from inventory_sync.systems.smaregi.problems import PROBLEMS
from tests.systems.smaregi.smaregi_scripted import CELL, OP, START, answer, problem

READ = protocol.level_by_key("sb_abc123d4", "8000001", "1")
WRITE = protocol.prepared_call(protocol.prepare("sb_abc123d4", "shop1", OP))


def test_a_change_is_a_relative_amount_with_the_op_in_its_memo() -> None:
    prepared = protocol.prepare("sb_abc123d4", "shop1", OP)
    assert prepared.method == "POST"
    assert prepared.path == "/sb_abc123d4/pos/stock/8000001/add"
    assert prepared.body == b'{"storeId":"1","stockAmount":"-2","stockHistory":{"memo":"is:shop1:01j9z8"}}'
    assert prepared.key == "01j9z8"


@given(
    st.integers(-protocol.MAX_DELTA, protocol.MAX_DELTA).filter(bool),
    st.from_regex(r"[0-9]{1,15}", fullmatch=True),
    st.from_regex(r"[0-9]{1,9}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
)
def test_the_same_op_gives_the_same_bytes_and_the_bytes_say_nothing_else(
    delta: int, item: str, location: str, op: str
) -> None:
    planned = PlannedOp(OpId(op), CellRef(ItemKey(item), LocationKey(location)), delta)
    first, second = (protocol.prepare("skc1", "shop1", planned) for _ in range(2))
    assert first == second
    assert orjson.loads(first.body) == {
        "storeId": location,
        "stockAmount": str(delta),
        "stockHistory": {"memo": f"is:shop1:{op}"},
    }
    assert first.path == f"/skc1/pos/stock/{item}/add"


@pytest.mark.parametrize("delta", [0, protocol.MAX_DELTA + 1, -protocol.MAX_DELTA - 1])
def test_a_change_outside_the_documented_range_is_never_composed(delta: int) -> None:
    with pytest.raises(Bug) as caught:
        protocol.prepare("skc1", "shop1", replace(OP, delta=delta))
    assert caught.value.code == "IS-SMR-023"


def test_an_op_id_that_no_memo_carries_is_never_composed() -> None:
    with pytest.raises(Bug, match="no memo can carry"):
        protocol.prepare("skc1", "shop1", replace(OP, op=OpId("x" * 81)))


@pytest.mark.parametrize(
    ("item", "location"), [("../1", "1"), ("1" * 16, "1"), ("", "1"), ("１", "1"), ("1", "1/x"), ("1", "1" * 10)]
)
def test_ids_that_are_not_digits_never_reach_a_path(item: str, location: str) -> None:
    cell = CellRef(ItemKey(item), LocationKey(location))
    with pytest.raises(Bug, match="is no (product|store) ID"):
        protocol.prepare("skc1", "shop1", replace(OP, cell=cell))
    with pytest.raises(Bug, match="is no (product|store) ID"):
        protocol.changes("skc1", cell, date(2026, 1, 10), 1)
    with pytest.raises(Bug, match="is no (product|store) ID"):
        protocol.level_by_key("skc1", item, location)


def test_the_change_list_asks_a_window_with_both_ends_in_a_stable_order() -> None:
    call = protocol.levels("skc1", 2, since=datetime(2026, 1, 9, 15, 0, 0, 900_000, tzinfo=UTC))
    request = call.request("https://api.smaregi.jp", "t0ken", 8)
    assert request.url == (
        "https://api.smaregi.jp/skc1/pos/stock?upd_date_time-from=2026-01-10T00%3A00%3A00%2B09%3A00"
        "&upd_date_time-to=2026-02-09T00%3A00%3A00%2B09%3A00&sort=productId,storeId&limit=1000&page=2"
    )
    assert (request.method, request.body, request.timeout) == ("GET", b"", 8)
    assert request.headers == {"Authorization": "Bearer t0ken", "Accept": "application/json"}


def test_the_walk_has_no_window_and_a_read_by_key_may_leave_the_store_open() -> None:
    assert protocol.levels("skc1", 1).query == (("sort", "productId,storeId"), ("limit", "1000"), ("page", "1"))
    assert ("store_id", "1") in READ.query
    assert "store_id" not in dict(protocol.level_by_key("skc1", "8000001", None).query)


def test_stores_products_and_history_ask_for_their_own_scopes() -> None:
    assert protocol.stores("skc1", 1).scope == "pos.stores:read"
    assert protocol.products("skc1", 1).scope == protocol.product("skc1", "1").scope == "pos.products:read"
    history = protocol.changes("skc1", CELL, date(2026, 1, 10), 3)
    assert (history.scope, history.path) == ("pos.stock-changes:read", "/skc1/pos/stock/changes/8000001/1")
    assert dict(history.query) == {"target_date": "2026-01-10", "limit": "1000", "page": "3"}


def test_a_write_says_that_its_body_is_json() -> None:
    request = WRITE.request("https://api.smaregi.dev", "t0ken", 8)
    assert request.url == "https://api.smaregi.dev/sb_abc123d4/pos/stock/8000001/add"
    assert request.headers["Content-Type"] == "application/json"
    assert (READ.kind, WRITE.kind) == ("read", "write")


@pytest.mark.parametrize(
    ("call", "status", "expected", "code"),
    [
        (READ, 401, Broken, "IS-SMR-002"),
        (WRITE, 401, Broken, "IS-SMR-002"),
        (READ, 403, Broken, "IS-SMR-003"),
        (WRITE, 403, Broken, "IS-SMR-003"),
        (READ, 404, Broken, "IS-SMR-004"),
        (READ, 429, RetryLater, "IS-SMR-005"),
        (WRITE, 429, RetryLater, "IS-SMR-005"),
        (READ, 408, RetryLater, "IS-SMR-006"),
        (READ, 500, RetryLater, "IS-SMR-006"),
        (READ, 503, RetryLater, "IS-SMR-006"),
        (READ, 400, Bug, "IS-SMR-011"),
        (READ, 409, Bug, "IS-SMR-011"),
        (READ, 204, Bug, "IS-SMR-011"),
        (READ, 302, Bug, "IS-SMR-011"),
        (WRITE, 302, Bug, "IS-SMR-011"),
        (WRITE, 405, Bug, "IS-SMR-011"),
        (WRITE, 415, Bug, "IS-SMR-011"),
        (WRITE, 400, Rejected, "IS-SMR-021"),
        (WRITE, 404, Rejected, "IS-SMR-020"),
        (WRITE, 409, Rejected, "IS-SMR-022"),
        (WRITE, 408, Doubt, "IS-SMR-030"),
        (WRITE, 500, Doubt, "IS-SMR-030"),
        (WRITE, 503, Doubt, "IS-SMR-030"),
        (WRITE, 202, Doubt, "IS-SMR-030"),
        (WRITE, 204, Doubt, "IS-SMR-030"),
    ],
)
def test_every_status_means_one_thing(call: protocol.Call, status: int, expected: type, code: str) -> None:
    outcome = protocol.refusal(call, problem(status), START)
    assert type(outcome) is expected
    assert outcome.code == code
    assert code in PROBLEMS


def test_a_missing_scope_is_named_with_what_to_do() -> None:
    outcome = protocol.refusal(WRITE, problem(403), START)
    assert isinstance(outcome, Broken)
    assert outcome.kind is BrokenKind.SCOPE
    assert "pos.stock:write" in outcome.message
    assert "My Page" in outcome.remedy


def test_a_refused_row_carries_the_partners_own_reason() -> None:
    outcome = protocol.refusal(WRITE, problem(400, "指定された店舗IDのリソースが見つかりません"), START)
    assert isinstance(outcome, Rejected)
    assert "指定された店舗IDのリソースが見つかりません" in outcome.reason


def test_only_a_throttled_call_is_certainly_not_carried_out() -> None:
    throttled, failed = (protocol.refusal(READ, problem(status), START) for status in (429, 503))
    assert isinstance(throttled, RetryLater)
    assert isinstance(failed, RetryLater)
    assert (throttled.executed, failed.executed) == (False, None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("86400", 600.0),
        ("soon", 1.5),
        ("-3", 1.5),
        ("٣", 1.5),
        ("", 1.5),
        (format_datetime(START + timedelta(seconds=20), usegmt=True), 20.0),
        (format_datetime(START - timedelta(seconds=20), usegmt=True), 1.0),
        ("Sat, 10 Jan 2026 03:00:20", 1.5),
    ],
)
def test_the_partners_waiting_time_is_understood_as_seconds_or_date(header: str, seconds: float) -> None:
    assert protocol.retry_after(problem(429, retry_after=header), START, 1.5) == seconds


def test_without_a_waiting_time_the_default_counts() -> None:
    assert protocol.retry_after(problem(429), START, 1.5) == 1.5


@pytest.mark.parametrize(
    ("status", "body", "expected", "kind", "code"),
    [
        (400, b'{"error":"invalid_scope"}', Broken, BrokenKind.SCOPE, "IS-SMR-003"),
        (400, b'{"error":"unauthorized_client"}', Broken, BrokenKind.CREDENTIAL, "IS-SMR-001"),
        (401, b"", Broken, BrokenKind.CREDENTIAL, "IS-SMR-001"),
        (403, b"", Broken, BrokenKind.SCOPE, "IS-SMR-003"),
        (404, b"", Broken, BrokenKind.GONE, "IS-SMR-004"),
        (409, b"", RetryLater, None, "IS-SMR-006"),
        (408, b"", RetryLater, None, "IS-SMR-006"),
        (429, b"", RetryLater, None, "IS-SMR-005"),
        (503, b"", RetryLater, None, "IS-SMR-006"),
        (302, b"", Bug, None, "IS-SMR-011"),
        (405, b"", Bug, None, "IS-SMR-011"),
    ],
)
def test_every_status_of_the_token_endpoint_means_one_thing(
    status: int, body: bytes, expected: type[PartnerError], kind: BrokenKind | None, code: str
) -> None:
    error = protocol.token_refusal(answer(body, status), ("pos.stock:read",), START)
    assert type(error) is expected
    assert error.code == code
    assert getattr(error, "kind", None) is kind
    if isinstance(error, RetryLater):
        assert error.executed is False


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"title": "NotFound", "detail": "なし"}, " (NotFound: なし)"),
        ({"title": "NotFound"}, " (NotFound)"),
        ({"detail": 3}, ""),
        ([], ""),
        (b"<html>", ""),
        ({"title": "x" * 300}, f" ({'x' * 200})"),
    ],
)
def test_the_partners_words_are_quoted_briefly_or_not_at_all(body: object, said: str) -> None:
    assert protocol.detail(answer(body, 400)) == said


def test_every_problem_speaks_both_languages_and_says_what_to_do() -> None:
    assert len(PROBLEMS) >= 20
    for code, entry in PROBLEMS.items():
        assert code == entry.code
        assert code.startswith("IS-SMR-0")
        assert all((entry.en, entry.remedy_en))
        assert all(any(ord(letter) > 0x3000 for letter in text) for text in (entry.ja, entry.remedy_ja))
