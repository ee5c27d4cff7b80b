from __future__ import annotations

from datetime import timedelta

import pytest

from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, RetryLater
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.shopify import classify, documents
from inventory_sync.systems.shopify.classify import Answer
from inventory_sync.systems.shopify.documents import Document
from inventory_sync.systems.shopify.points import Throttle
from inventory_sync.systems.shopify.problems import PROBLEMS
from tests.systems.shopify.shopify_support import NOW, answer, cost, data, refusal

READ, WRITE = documents.READ_LEVELS, documents.ADJUST


def meaning(document: Document, response: HttpResponse) -> Answer | PartnerError:
    try:
        return classify.classify(document, response, classify.decode(response), NOW)
    except PartnerError as error:
        return error


def test_a_good_answer_gives_its_data_and_the_version_that_served_it() -> None:
    response = answer(
        {"data": {"shop": {}}},
        headers={"x-shopify-api-version": "2026-10", "x-shopify-api-deprecated-reason": "https://shopify.dev/x"},
    )
    assert meaning(READ, response) == Answer({"shop": {}}, "2026-10", "https://shopify.dev/x")


@pytest.mark.parametrize(
    ("status", "kind", "retry_after", "code"),
    [
        (401, BrokenKind.CREDENTIAL, None, "IS-SHP-010"),
        (402, BrokenKind.FROZEN, 3600, "IS-SHP-016"),
        (403, BrokenKind.SCOPE, None, "IS-SHP-015"),
        (404, BrokenKind.GONE, None, "IS-SHP-019"),
        (423, BrokenKind.LOCKED, 21_600, "IS-SHP-017"),
        (301, BrokenKind.GONE, None, "IS-SHP-021"),
    ],
)
def test_a_status_that_breaks_the_connection(
    status: int, kind: BrokenKind, retry_after: float | None, code: str
) -> None:
    for document in (READ, WRITE):
        error = meaning(document, answer({"errors": "Not Found"}, status))
        assert isinstance(error, Broken)
        assert (error.kind, error.retry_after, error.code) == (kind, retry_after, code)
        assert error.remedy == PROBLEMS[code].remedy_en


@pytest.mark.parametrize("status", [400, 406, 413, 422])
def test_a_request_refused_as_malformed_is_our_bug(status: int) -> None:
    assert isinstance(meaning(WRITE, answer({}, status)), Bug)


@pytest.mark.parametrize(("status", "code"), [(429, "IS-SHP-006"), (430, "IS-SHP-007")])
def test_a_refusal_at_the_door_repeats_a_write_with_the_same_bytes(status: int, code: str) -> None:
    for document, executed in ((READ, False), (WRITE, None)):
        error = meaning(document, answer({}, status, {"retry-after": "7"}))
        assert isinstance(error, RetryLater)
        assert (error.executed, error.code) == (executed, code)
        assert error.after == (7 if status == 429 else classify.RETRY_SECURITY)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 540])
def test_a_server_error_leaves_doubt_about_a_write_and_lets_a_read_come_again(status: int) -> None:
    response = answer({}, status, {"x-request-id": "abc-1"})
    doubt, later = meaning(WRITE, response), meaning(READ, response)
    assert isinstance(doubt, Doubt)
    assert "abc-1" in doubt.message
    assert isinstance(later, RetryLater)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2.5", 2.5),
        ("Sat, 21 Nov 2026 05:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 05:00:30 -0000", 30),
        ("0", 0.5),
        ("soon", classify.RETRY_AFTER_UNSAID),
        ("", classify.RETRY_AFTER_UNSAID),
        ("999999", classify.RETRY_AFTER_AT_MOST),
        ("Fri, 20 Nov 2026 05:00:30 GMT", 0.5),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float) -> None:
    assert classify.retry_after(HttpResponse(429, {"retry-after": text}, b""), NOW) == seconds


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(200, {}, b"<html>Please wait</html>"),
        HttpResponse(200, {}, b"[]"),
        answer({"greeting": "hello"}),
        answer({"data": None}),
        answer({"errors": "something"}),
        answer({"errors": ["something"]}),
        refusal("SOMETHING_NEW"),
        answer({"errors": [{"message": "odd"}], "data": {"nodes": None}}),
        HttpResponse(101, {}, b""),
    ],
)
def test_what_nobody_can_read_leaves_doubt_about_a_write_and_lets_a_read_come_again(response: HttpResponse) -> None:
    assert isinstance(meaning(WRITE, response), Doubt)
    assert isinstance(meaning(READ, response), RetryLater)


def test_throttled_waits_until_the_bucket_holds_the_request() -> None:
    recorded = answer(
        {
            "errors": [
                {
                    "message": "Throttled",
                    "extensions": {
                        "code": "THROTTLED",
                        "documentation": "https://shopify.dev/api/usage/rate-limits",
                    },
                }
            ],
            "extensions": {
                "cost": {
                    "requestedQueryCost": 389,
                    "actualQueryCost": None,
                    "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 118, "restoreRate": 100},
                }
            },
        }
    )
    for document, executed in ((READ, False), (WRITE, None)):
        error = meaning(document, recorded)
        assert isinstance(error, RetryLater)
        assert (error.after, error.executed, error.code) == (pytest.approx(2.71), executed, "IS-SHP-006")


def test_throttled_waits_at_least_the_second_that_is_recommended() -> None:
    near = answer({"errors": [{"extensions": {"code": "THROTTLED"}}], "extensions": cost(13, 12)})
    bare = refusal("THROTTLED")
    assert getattr(meaning(READ, near), "after", None) == 1.0
    assert getattr(meaning(READ, bare), "after", None) == classify.RETRY_AFTER_UNSAID


def test_an_internal_error_inside_a_good_status_is_a_server_error() -> None:
    message = "Internal error. Looks like something went wrong on our end."
    response = refusal("INTERNAL_SERVER_ERROR", message, requestId="6f-1")
    doubt = meaning(WRITE, response)
    assert isinstance(doubt, Doubt)
    assert "request 6f-1" in doubt.message
    assert isinstance(meaning(READ, response), RetryLater)
    assert isinstance(meaning(READ, refusal("TIMEOUT")), RetryLater)


@pytest.mark.row("S2-17")
@pytest.mark.parametrize("place", ["extensions", "error"])
def test_access_denied_names_the_scope(place: str) -> None:
    needed = "`read_locations` access scope."
    inner = {"code": "ACCESS_DENIED"} | ({"requiredAccess": needed} if place == "extensions" else {})
    outer = {"requiredAccess": needed} if place == "error" else {}
    error = meaning(READ, answer({"errors": [{"message": "denied", "extensions": inner, **outer}], "data": None}))
    assert isinstance(error, Broken)
    assert (error.kind, error.code) == (BrokenKind.SCOPE, "IS-SHP-014")
    assert "read_locations" in error.message


def test_access_denied_without_a_scope_keeps_shopifys_words() -> None:
    error = meaning(READ, refusal("ACCESS_DENIED", "Access denied for locations field."))
    assert "Access denied for locations field." in str(error)


def test_an_inactive_shop_is_frozen() -> None:
    error = meaning(WRITE, refusal("SHOP_INACTIVE"))
    assert isinstance(error, Broken)
    assert (error.kind, error.retry_after) == (BrokenKind.FROZEN, 3600)


RECORDED_RULES = [
    {
        "errors": [
            {
                "message": "The @idempotent directive is required for this mutation but was not provided.",
                "locations": [{"line": 3, "column": 5}],
                "extensions": {"code": "BAD_REQUEST"},
                "path": ["inventorySetQuantities"],
            }
        ],
        "data": {"inventorySetQuantities": None},
        "extensions": cost(10),
    },
    {
        "errors": [
            {
                "message": "InventoryQuantityInput must include the following argument: changeFromQuantity.",
                "locations": [{"line": 3, "column": 5}, {"line": 2, "column": 41}],
                "extensions": {"code": "INVALID_FIELD_ARGUMENTS"},
                "path": ["inventorySetQuantities"],
            }
        ],
        "data": {"inventorySetQuantities": None},
    },
]


@pytest.mark.parametrize("payload", RECORDED_RULES)
def test_the_recorded_answers_to_a_write_against_the_rules_are_our_bug(payload: object) -> None:
    error = meaning(WRITE, answer(payload))
    assert isinstance(error, Bug)
    assert error.code == "IS-SHP-030"


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (refusal("undefinedField"), "IS-SHP-030"),
        (refusal("argumentLiteralsIncompatible"), "IS-SHP-030"),
        (refusal("missingRequiredArguments"), "IS-SHP-030"),
        (refusal("INVALID_VARIABLE"), "IS-SHP-030"),
        (refusal(None, "syntax error, unexpected end of file"), "IS-SHP-030"),
        (refusal("MAX_COST_EXCEEDED", "Query cost is 2003", cost=2003, maxCost=1000), "IS-SHP-031"),
        (refusal("MAX_INPUT_SIZE_EXCEEDED", "The input array size of 251"), "IS-SHP-031"),
    ],
)
def test_a_document_shopify_refuses_is_our_bug(response: HttpResponse, code: str) -> None:
    error = meaning(READ, response)
    assert isinstance(error, Bug)
    assert error.code == code


def test_the_second_error_counts_where_the_first_says_nothing() -> None:
    payload = {"errors": [{"message": "a", "extensions": {"code": "NEW"}}, {"extensions": {"code": "undefinedField"}}]}
    assert isinstance(meaning(READ, answer(payload)), Bug)


def test_a_filter_that_was_ignored_is_our_bug() -> None:
    warnings = [{"field": "location_id", "message": "Invalid search field for this query.", "code": "invalid_field"}]
    error = meaning(READ, data({"location": {}}, search=[{"query": "location_id:1", "warnings": warnings}]))
    assert isinstance(error, Bug)
    assert error.code == "IS-SHP-032"
    assert "Invalid search field" in error.message


@pytest.mark.parametrize("search", [[], [{"query": "id:>=1", "warnings": []}], ["odd"], "odd", [{}]])
def test_a_search_without_warnings_is_good(search: object) -> None:
    assert isinstance(meaning(READ, data({"location": {}}, search=search)), Answer)


def test_a_warning_in_another_form_is_still_a_warning() -> None:
    assert isinstance(meaning(READ, data({}, search=[{"warnings": "odd"}])), Bug)


def test_what_never_left_was_not_carried_out() -> None:
    error = classify.undelivered(WRITE, NotSent("no route"))
    assert isinstance(error, RetryLater)
    assert error.executed is False


def test_what_got_no_answer_leaves_doubt_about_a_write_and_lets_a_read_come_again() -> None:
    assert isinstance(classify.undelivered(WRITE, NoAnswer("time-out")), Doubt)
    later = classify.undelivered(READ, NoAnswer("time-out"))
    assert isinstance(later, RetryLater)
    assert later.after == classify.RETRY_CONNECT


@pytest.mark.parametrize("payload", [None, {}, {"extensions": None}, {"extensions": {"cost": {"throttleStatus": {}}}}])
def test_an_answer_without_a_bucket_teaches_nothing(payload: dict[str, object] | None) -> None:
    assert classify.read_throttle(payload) is None


def test_the_bucket_is_read_from_an_answer() -> None:
    assert classify.read_throttle({"extensions": cost(15, 1991)}) == Throttle(2000, 1991, 100, 15)
    without = {"extensions": {"cost": {"throttleStatus": cost()["cost"]["throttleStatus"]}}}
    assert classify.read_throttle(without) == Throttle(2000, 1986, 100, None)


def test_every_problem_has_both_languages_and_a_remedy() -> None:
    assert len(PROBLEMS) > 30
    for code, problem in PROBLEMS.items():
        assert code == problem.code
        assert all((problem.en, problem.remedy_en, problem.ja, problem.remedy_ja))
        assert not problem.ja.isascii()
        assert not problem.remedy_ja.isascii()


def test_a_date_without_a_zone_counts_as_utc() -> None:
    moment = (NOW + timedelta(seconds=9)).strftime("%a, %d %b %Y %H:%M:%S")
    assert classify.retry_after(HttpResponse(503, {"retry-after": moment}, b""), NOW) == 9
