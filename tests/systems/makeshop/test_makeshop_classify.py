from __future__ import annotations

import pytest

from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, RetryLater
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.makeshop import documents
from inventory_sync.systems.makeshop.classify import classify, undelivered, unexpected
from inventory_sync.systems.makeshop.documents import PRODUCTS, UPDATE_PRODUCT, UPDATE_VARIATION, Document
from inventory_sync.systems.makeshop.problems import PROBLEMS
from tests.systems.makeshop.makeshop_scripted import API_KEY, START, TOKEN, answer, data, failed, forbidden

WRITE = documents.stock(products=True, variations=False)
MIXED = documents.stock(products=True, variations=True)


def error(code: str, **more: object) -> dict:
    return {"message": "理由", "extensions": {"code": code}, **more}


def refusal(document: Document, response: HttpResponse) -> PartnerError:
    with pytest.raises(PartnerError) as told:
        classify(document, response, START)
    assert told.value.code in PROBLEMS
    return told.value


def test_data_without_errors_is_an_answer() -> None:
    assert classify(PRODUCTS, data(searchProduct={"products": []}), START).data == {"searchProduct": {"products": []}}


@pytest.mark.parametrize("document", [PRODUCTS, WRITE], ids=["read", "write"])
@pytest.mark.parametrize(
    "response",
    [
        failed(error("UNAUTHENTICATED")),
        failed(error("UNAUTHORIZED"), status=401),
        failed({"message": "Unauthorized"}),
        failed(error("FORBIDDEN"), status=401),
        answer(b"denied", 401),
        answer(b"<html>", 403),
    ],
    ids=["code", "code-and-status", "message", "forbidden-401", "401", "403"],
)
def test_a_refused_credential_breaks_the_connection(document: Document, response: HttpResponse) -> None:
    told = refusal(document, response)
    assert isinstance(told, Broken)
    assert told.kind is BrokenKind.CREDENTIAL
    assert "uninstalled" in told.remedy


@pytest.mark.parametrize(
    "response",
    [
        failed(forbidden("searchProduct")),
        failed(forbidden()),
        failed({"message": "FORBIDDEN"}),
        failed({"message": "理由", "code": "FORBIDDEN"}),
        failed(forbidden("searchProduct"), status=403),
        failed(forbidden("somethingElse")),
    ],
)
def test_an_operation_that_is_not_approved_is_named_with_the_place_to_apply_for_it(response: HttpResponse) -> None:
    told = refusal(PRODUCTS, response)
    assert isinstance(told, Broken)
    assert (told.kind, told.code) == (BrokenKind.SCOPE, "IS-MKS-011")
    assert "searchProduct" in told.message
    assert "API利用設定" in told.remedy


def test_where_not_even_the_shop_is_told_the_token_may_be_at_fault_and_that_is_said() -> None:
    told = refusal(documents.SHOP, failed(forbidden()))
    assert "getShop" in told.message
    assert "access token" in told.message


def test_a_write_of_two_parts_names_the_part_that_is_not_approved_and_keeps_the_other() -> None:
    content = {UPDATE_PRODUCT: {"failResult": []}, UPDATE_VARIATION: None}
    found = classify(MIXED, failed(forbidden(UPDATE_VARIATION), content=content), START)
    assert found.refused == {UPDATE_VARIATION}
    assert found.data[UPDATE_PRODUCT] == {"failResult": []}


def test_a_write_of_two_parts_whose_other_part_is_not_answered_is_in_doubt() -> None:
    assert isinstance(refusal(MIXED, failed(forbidden(UPDATE_VARIATION), content=None)), Doubt)


def test_a_write_of_two_parts_that_is_refused_whole_did_nothing() -> None:
    both = refusal(MIXED, failed(forbidden(UPDATE_PRODUCT), forbidden(UPDATE_VARIATION), content=None))
    before = refusal(MIXED, failed(forbidden(), content=None))
    for told in (both, before):
        assert isinstance(told, Broken)
        assert UPDATE_PRODUCT in told.message
        assert UPDATE_VARIATION in told.message


@pytest.mark.parametrize("document", [PRODUCTS, MIXED], ids=["read", "write"])
@pytest.mark.parametrize(
    "response",
    [
        failed({"message": 'Cannot query field "status" on type "X".'}, status=422),
        failed(error("GRAPHQL_VALIDATION_FAILED")),
        failed(error("GRAPHQL_PARSE_FAILED"), content={UPDATE_PRODUCT: None}),
        answer(b"too large", 413),
        answer({}, 400),
    ],
)
def test_a_malformed_request_is_ours_to_mend_and_changed_nothing(document: Document, response: HttpResponse) -> None:
    assert isinstance(refusal(document, response), Bug)


def test_a_part_refused_as_malformed_behind_one_that_was_carried_out_leaves_doubt() -> None:
    content = {UPDATE_PRODUCT: {"failResult": []}, UPDATE_VARIATION: None}
    assert isinstance(refusal(MIXED, failed(error("BAD_USER_INPUT"), content=content)), Doubt)


@pytest.mark.parametrize(
    "response",
    [
        answer(b"<html>", 502),
        answer({}, 503),
        answer({}, 408),
        answer(b"<html>moved</html>"),
        answer(b'{"data": {"searchProdu'),
        answer({"data": None}),
        answer([]),
        failed(error("INTERNAL_SERVER_ERROR")),
        failed({"message": "internal system error"}),
        answer({"errors": "odd", "data": {}}),
        answer({"errors": ["odd"], "data": {}}),
    ],
)
def test_an_answer_that_says_nothing_is_doubt_about_a_write_and_another_try_for_a_read(response: HttpResponse) -> None:
    assert isinstance(refusal(WRITE, response), Doubt)
    again = refusal(PRODUCTS, response)
    assert isinstance(again, RetryLater)
    assert again.after > 0
    assert again.executed is None


@pytest.mark.parametrize("response", [answer(b"<html>", 404), answer(b"", 302)])
def test_a_wrong_address_breaks_the_connection(response: HttpResponse) -> None:
    told = refusal(PRODUCTS, response)
    assert isinstance(told, Broken)
    assert (told.kind, told.code) == (BrokenKind.GONE, "IS-MKS-012")


@pytest.mark.parametrize(
    ("header", "after"),
    [
        ({}, 10.0),
        ({"retry_after": "30"}, 30.0),
        ({"retry_after": "0"}, 1.0),
        ({"retry_after": "soon"}, 10.0),
        ({"retry_after": "Mon, 17 Aug 2026 03:01:00 GMT"}, 60.0),
        ({"retry_after": "999999"}, 3600.0),
    ],
)
def test_a_throttled_request_was_not_carried_out_and_waits_as_told(header: dict, after: float) -> None:
    told = refusal(WRITE, answer({}, 429, **header))
    assert isinstance(told, RetryLater)
    assert (told.after, told.executed) == (after, False)


def test_a_throttle_told_inside_an_answer_of_success_leaves_open_whether_a_write_was_carried_out() -> None:
    told = refusal(MIXED, failed(error("TOO_MANY_REQUESTS")))
    assert isinstance(told, RetryLater)
    assert told.executed is None


def test_a_request_that_never_left_may_be_sent_again_and_one_without_an_answer_is_in_doubt() -> None:
    unsent = undelivered(WRITE, NotSent("no route"))
    assert isinstance(unsent, RetryLater)
    assert unsent.executed is False
    assert isinstance(undelivered(WRITE, NoAnswer("reset")), Doubt)
    unread = undelivered(PRODUCTS, NoAnswer("reset"))
    assert isinstance(unread, RetryLater)
    assert unread.executed is None


def test_an_unknown_shape_is_a_bug_of_a_read_and_doubt_about_a_write() -> None:
    assert isinstance(unexpected(PRODUCTS, ValueError("x")), Bug)
    assert isinstance(unexpected(WRITE, ValueError("x")), Doubt)


@pytest.mark.parametrize("secret", [TOKEN, API_KEY])
def test_no_secret_that_makeshop_repeats_gets_into_an_error(secret: str) -> None:
    for response in (failed({"message": f"bad token {secret}"}, status=401), failed({"message": f"bad {secret}"})):
        told = refusal(PRODUCTS, response)
        assert secret not in told.message
        assert secret[4:] not in told.message


def test_every_problem_has_its_own_code_and_speaks_both_languages() -> None:
    for code, problem in PROBLEMS.items():
        assert code == problem.code
        assert all((problem.en, problem.ja, problem.remedy_en, problem.remedy_ja))
        assert problem.ja != problem.en
