from __future__ import annotations

import asyncio
from base64 import b64decode
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from inventory_sync.model.ambient import Ambient
from inventory_sync.systems.errors import Broken, BrokenKind, Bug, RetryLater
from inventory_sync.systems.http import NoAnswer, NotSent
from inventory_sync.systems.port import ClientContext
from inventory_sync.systems.smaregi.credentials import TokenSource, parse_token, token_request
from inventory_sync.systems.smaregi.limits import ContractBudget
from tests.systems.smaregi.smaregi_scripted import (
    ALL_SCOPES,
    START,
    Answer,
    Clock,
    Scripted,
    answer,
    problem,
    settings,
    token,
)


def source(*tokens: Answer, full: bool = True, **changes: object) -> tuple[TokenSource, Scripted, ContractBudget]:
    clock = Clock()
    partner = Scripted(clock, tokens=list(tokens))
    budget = ContractBudget(50, 20, START, full=full)
    context = ClientContext(partner, Ambient(now=clock), "shop1")
    return TokenSource(settings(**changes), context, budget), partner, budget


def test_the_token_is_asked_for_with_basic_authentication_and_a_form() -> None:
    request = token_request(settings())
    assert (request.method, request.url) == ("POST", "https://id.smaregi.dev/app/sb_abc123d4/token")
    kind, _, pair = request.headers["Authorization"].partition(" ")
    assert (kind, b64decode(pair)) == ("Basic", b"client:very-secret-value")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {"grant_type": ["client_credentials"], "scope": [ALL_SCOPES.replace(
        "pos.stock-changes:read pos.products:read pos.stores:read",
        "pos.products:read pos.stores:read pos.stock-changes:read",
    )]}  # fmt: skip


@pytest.mark.parametrize(("history", "asked"), [(True, True), (False, False)])
def test_the_history_scope_is_asked_for_only_where_the_history_is_read(history: bool, asked: bool) -> None:
    assert (b"stock-changes" in token_request(settings(history=history)).body) is asked


def test_a_token_is_renewed_a_minute_early_and_a_short_one_at_half_its_life() -> None:
    assert parse_token(token(), (), START).renew_at == START + timedelta(seconds=3540)
    assert parse_token(token(expires_in="3600"), (), START).renew_at == START + timedelta(seconds=3540)
    assert parse_token(token(expires_in=40), (), START).renew_at == START + timedelta(seconds=20)
    assert parse_token(token(expires_in=10**12), (), START).renew_at < START + timedelta(days=8)


def test_what_was_granted_is_believed_and_silence_grants_what_was_asked() -> None:
    assert parse_token(token("pos.stock:read"), ("a", "b"), START).scopes == ("pos.stock:read",)
    assert parse_token(token(None), ("a", "b"), START).scopes == ("a", "b")


def test_a_token_does_not_show_itself() -> None:
    assert "s3cret" not in repr(parse_token(token(value="s3cret"), (), START))


@pytest.mark.parametrize(
    "response",
    [
        answer([]),
        answer({}),
        answer({"access_token": "t"}),
        token(expires_in=0),
        token(expires_in="soon"),
        token(expires_in=True),
        token(expires_in=None),
        token(value=""),
        token(value="a\nb"),
        answer({"access_token": 5, "expires_in": 3600}),
    ],
)
def test_an_answer_without_a_usable_token_is_refused(response: object) -> None:
    with pytest.raises(Bug) as caught:
        parse_token(response, (), START)  # type: ignore[arg-type]
    assert caught.value.code == "IS-SMR-009"


def test_a_token_answer_that_is_not_json_is_asked_for_again() -> None:
    with pytest.raises(RetryLater) as caught:
        parse_token(answer(b"<html>"), (), START)
    assert caught.value.executed is False


async def test_all_who_wait_share_one_token_until_it_is_due() -> None:
    tokens, partner, _ = source()
    first, second = await asyncio.gather(tokens.current(), tokens.current())
    assert first is second
    partner.clock.advance(3539)
    assert await tokens.current() is first
    partner.clock.advance(1)
    assert (await tokens.current()).value == "token-2"
    assert len(partner.token_requests) == 2


async def test_a_fresh_token_is_asked_for_even_if_the_old_one_is_good() -> None:
    tokens, partner, _ = source()
    await tokens.current()
    assert (await tokens.current(fresh=True)).value == "token-2"
    assert len(partner.token_requests) == 2


async def test_forgetting_a_token_twice_does_not_cost_the_next_one() -> None:
    tokens, partner, _ = source()
    first = await tokens.current()
    tokens.forget(first)
    second = await tokens.current()
    tokens.forget(first)
    assert await tokens.current() is second
    assert len(partner.token_requests) == 2


async def test_a_token_request_is_paid_for_as_a_write() -> None:
    tokens, _, budget = source()
    before = budget.available(START)
    await tokens.current()
    assert budget.available(START) == before - 1
    waiting, unheard, _ = source(full=False)
    with pytest.raises(RetryLater):
        await waiting.current()
    assert unheard.token_requests == []


@pytest.mark.parametrize("failure", [NotSent("no route"), NoAnswer("timed out")])
async def test_a_token_endpoint_out_of_reach_means_that_nothing_was_carried_out(failure: Exception) -> None:
    tokens, _, _ = source(failure)
    with pytest.raises(RetryLater) as caught:
        await tokens.current()
    assert (caught.value.executed, caught.value.code) == (False, "IS-SMR-007")


async def test_a_throttled_token_request_stops_the_writes() -> None:
    tokens, _, budget = source(problem(429, retry_after="4"))
    with pytest.raises(RetryLater) as caught:
        await tokens.current()
    assert caught.value.after == 4
    assert budget.wait("write", START) == pytest.approx(4)
    assert budget.wait("read", START) == 0


async def test_a_refused_secret_breaks_the_connection_and_is_not_in_the_message() -> None:
    tokens, _, _ = source(answer({"error": "invalid_client"}, 401))
    with pytest.raises(Broken) as caught:
        await tokens.current()
    assert caught.value.kind is BrokenKind.CREDENTIAL
    assert "very-secret-value" not in caught.value.message + caught.value.remedy
