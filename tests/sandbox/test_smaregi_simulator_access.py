"""The simulated Smaregi lets in whom Smaregi would: tokens, scopes, contract, and requests per second."""

from __future__ import annotations

import dataclasses

import pytest

from inventory_sync.sandbox.kernel import Request, Simulator
from inventory_sync.sandbox.smaregi import SmaregiSimulator, SmaregiSwitches
from tests.sandbox.smaregi_support import CONTRACT, START, Answer, Caller, after, ask_token, contract_with, is_problem


def test_a_token_comes_with_its_scopes_and_lifetime() -> None:
    answer = ask_token(SmaregiSimulator(), scope="pos.stock:write pos.stock:read")
    assert answer.status == 200
    assert answer.body["token_type"] == "Bearer"
    assert answer.body["expires_in"] == 3600
    assert answer.body["scope"] == "pos.stock:write pos.stock:read"
    assert answer.body["access_token"]


def test_every_token_is_a_new_one() -> None:
    simulator = SmaregiSimulator()
    assert ask_token(simulator).body["access_token"] != ask_token(simulator).body["access_token"]


def test_a_token_works_until_it_expires() -> None:
    simulator, _ = contract_with(5, token_lifetime=60.0)
    caller = Caller(simulator)
    assert caller.get("/stores", after(59.9)).status == 200
    assert is_problem(caller.get("/stores", after(60)), 401, "Unauthorized")


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic !!"},
        {"authorization": "Bearer abc"},
        {"authorization": ""},
        {"authorization": "Basic c2ltLWNsaWVudDp3cm9uZw=="},
        {"authorization": "Basic bm9ib2R5OnNlY3JldA=="},
    ],
)
def test_wrong_app_credentials_are_401(headers: dict[str, str]) -> None:
    answer = ask_token(SmaregiSimulator(), headers=headers)
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert "access_token" not in answer.body


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "pos.stock:read pos.customers:read"}, "invalid_scope"),
    ],
)
def test_a_token_request_that_asks_wrongly_is_400(form: dict[str, str], error: str) -> None:
    answer = ask_token(SmaregiSimulator(), **form)
    assert (answer.status, answer.body["error"]) == (400, error)


def test_a_token_request_must_be_a_form() -> None:
    answer = ask_token(SmaregiSimulator(), headers={"content-type": "application/json"})
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


def test_a_contract_that_does_not_use_the_app_gives_no_token() -> None:
    simulator = SmaregiSimulator()
    assert ask_token(simulator, contract="sb_other").status == 400
    simulator.stop_app()
    assert ask_token(simulator).status == 400
    simulator.resume_app()
    assert ask_token(simulator).status == 200


def test_an_unapproved_scope_may_also_be_dropped_from_the_grant() -> None:
    simulator = SmaregiSimulator(switches=SmaregiSwitches(unapproved_scope="dropped"))
    simulator.remove_scope("pos.stock:write")
    answer = ask_token(simulator, scope="pos.stock:read pos.stock:write")
    assert (answer.status, answer.body["scope"]) == (200, "pos.stock:read")
    assert ask_token(simulator, scope="pos.stock:write").status == 400


def test_calls_without_a_valid_token_are_401() -> None:
    simulator = SmaregiSimulator()
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic x"}):
        request = Request("GET", f"/{CONTRACT}/pos/stores", "", headers, b"")
        assert is_problem(Answer.of(simulator.handle(request, START)), 401, "Unauthorized")


def test_revoked_tokens_stop_working_and_new_ones_are_given() -> None:
    simulator, _ = contract_with(5)
    caller = Caller(simulator)
    simulator.revoke_tokens()
    assert caller.get("/stores").status == 401
    assert Caller(simulator).get("/stores").status == 200


def test_a_stopped_app_is_locked_out_with_its_old_token_too() -> None:
    simulator, _ = contract_with(5)
    caller = Caller(simulator)
    simulator.stop_app()
    assert caller.get("/stores").status == 401


def test_a_rotated_secret_refuses_the_old_one_at_once() -> None:
    simulator = SmaregiSimulator()
    simulator.rotate_secret("another")
    assert ask_token(simulator).status == 401
    assert ask_token(simulator, secret="another").status == 200


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("pos.stores:read", "GET", "/stores"),
        ("pos.products:read", "GET", "/products"),
        ("pos.products:read", "GET", "/products/8000001"),
        ("pos.stock:read", "GET", "/stock"),
        ("pos.stock-changes:read", "GET", "/stock/changes/8000001/1"),
        ("pos.stock:write", "PATCH", "/stock/8000001"),
        ("pos.stock:write", "POST", "/stock/8000001/add"),
    ],
)
def test_each_call_needs_its_scope_in_the_token_and_still_approved(scope: str, method: str, path: str) -> None:
    simulator, _ = contract_with(5)
    body = {"storeId": "1", "stockAmount": "1"} if method != "GET" else None
    only = Caller(simulator, scope=scope)
    assert only.call(method, path, body=body).status == 200
    simulator.remove_scope(scope)
    assert is_problem(only.call(method, path, body=body), 403, "Forbidden")
    simulator.approve_scope(scope)
    other = "pos.stores:read" if scope != "pos.stores:read" else "pos.stock:read"
    assert Caller(simulator, scope=other).call(method, path, body=body).status == 403


@pytest.mark.parametrize("status", [401, 403, 404])
def test_another_contract_than_the_tokens_is_refused_as_the_switch_says(status: int) -> None:
    simulator, _ = contract_with(5, wrong_contract_status=status)
    assert Caller(simulator).call("GET", "/stock", contract="sb_other").status == status


def test_unknown_paths_are_404_and_known_paths_with_another_method_405() -> None:
    simulator, _ = contract_with(5)
    caller = Caller(simulator)
    assert is_problem(caller.get("/nothing"), 404, "NotFound")
    assert is_problem(caller.call("DELETE", "/stores"), 405, "Method Not Allowed")
    assert simulator.handle(Request("GET", "/", "", {}, b""), START).status == 404
    assert simulator.handle(Request("GET", f"/app/{CONTRACT}/token", "", {}, b""), START).status == 405


def test_the_fifty_first_read_in_a_second_is_429_and_on_record() -> None:
    simulator, _ = contract_with(5)
    caller = Caller(simulator)
    assert {caller.get("/stores", after(i / 100)).status for i in range(50)} == {200}
    refused = caller.get("/stores", after(0.9))
    assert is_problem(refused, 429, "Too Many Requests")
    assert refused.headers["retry-after"] == "1"
    assert [violation.rule for violation in simulator.log.violations] == ["rate.read"]
    assert caller.get("/stores", after(1.0)).status == 200


def test_writes_have_their_own_limit_and_token_requests_count() -> None:
    simulator, [product] = contract_with(5, writes_per_second=3)
    caller = Caller(simulator)
    assert [caller.add(product, 1, after(0.1)).status for _ in range(3)] == [200, 200, 429]
    assert ask_token(simulator, after(0.2)).status == 429
    assert caller.get("/stores", after(0.2)).status == 200
    assert simulator.stock(product, "1") == 7
    assert [violation.rule for violation in simulator.log.violations] == ["rate.write", "rate.write"]


def test_a_second_is_any_second_or_one_of_the_clock() -> None:
    for window, status in (("sliding", 429), ("fixed", 200)):
        simulator, _ = contract_with(5, reads_per_second=1, rate_window=window)
        caller = Caller(simulator)
        assert caller.get("/stores", after(0.8)).status == 200
        assert caller.get("/stores", after(1.2)).status == status


def test_each_app_has_its_own_limit() -> None:
    simulator, _ = contract_with(5, reads_per_second=1)
    simulator.register_client("other-app", "other-secret")
    ours, theirs = Caller(simulator), Caller(simulator, client="other-app", secret="other-secret")
    assert [ours.get("/stores").status, theirs.get("/stores").status, ours.get("/stores").status] == [200, 200, 429]


def test_retry_after_may_be_missing_and_a_forced_throttle_looks_the_same() -> None:
    simulator = SmaregiSimulator()
    request = Request("GET", "/", "", {}, b"")
    assert simulator.throttled(request, START).headers["retry-after"] == "1"
    simulator.switches = dataclasses.replace(simulator.switches, retry_after=None)
    bare = simulator.throttled(request, START)
    assert bare.status == 429
    assert "retry-after" not in bare.headers
    assert simulator.log.violations == []


def test_requests_are_counted_by_operation() -> None:
    simulator, [product] = contract_with(5)
    caller = Caller(simulator)
    caller.add(product, 1)
    caller.add("1", 1)
    caller.get("/stock")
    assert simulator.log.requests == {"token": 1, "stock.add": 2, "stock.list": 1}


def test_it_is_a_simulator() -> None:
    simulator: Simulator = SmaregiSimulator()
    assert (simulator.name, simulator.next_due(), simulator.advance(START)) == ("smaregi", None, [])
