from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import pytest

from inventory_sync.model.ambient import Ambient
from inventory_sync.systems.errors import Broken, BrokenKind, RetryLater
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import ClientContext
from inventory_sync.systems.shopify.credentials import ClientCredentials, callback_is_genuine
from inventory_sync.systems.shopify.settings import ShopifySettings
from tests.systems.shopify.shopify_support import APP, LEGACY, Clock, ScriptedTransport, answer

SCOPES = "read_products,write_inventory,read_locations"


def grant(token: str, scope: str | None = SCOPES, life: object = 86399) -> HttpResponse:
    return answer({"access_token": token, "expires_in": life} | ({} if scope is None else {"scope": scope}))


def credentials(*answers: HttpResponse | Exception) -> tuple[ClientCredentials, ScriptedTransport, Clock]:
    clock, partner = Clock(), ScriptedTransport(list(answers))
    context = ClientContext(partner, Ambient(now=lambda: clock.now), "demo")
    return ClientCredentials(ShopifySettings(**APP), context, 10), partner, clock


async def test_a_token_is_asked_for_once_and_kept() -> None:
    found, partner, _ = credentials(grant("t1"))
    assert [await found.token(), await found.token()] == ["t1", "t1"]
    request = partner.requests[0]
    assert (request.method, request.url) == ("POST", "https://demo-jp.myshopify.com/admin/oauth/access_token")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["8a5f"],
        "client_secret": ["shpss_test_secret"],
    }


async def test_a_token_is_renewed_at_four_fifths_of_its_life() -> None:
    found, _, clock = credentials(grant("t1"), grant("t2"))
    await found.token()
    clock.pass_(86399 * 0.8 - 1)
    assert await found.token() == "t1"
    clock.pass_(2)
    assert await found.token() == "t2"


@pytest.mark.parametrize("failure", [NoAnswer("x"), NotSent("x"), answer({}, 503), answer({"error": "odd"}, 400)])
async def test_a_renewal_that_fails_leaves_the_old_token_at_work_until_it_ends(
    failure: HttpResponse | Exception,
) -> None:
    found, partner, clock = credentials(grant("t1"), failure, failure)
    await found.token()
    clock.pass_(86399 * 0.9)
    assert await found.token() == "t1"
    assert await found.token() == "t1"
    assert len(partner.requests) == 2
    clock.pass_(86399 * 0.1)
    with pytest.raises((RetryLater, Broken)):
        await found.token()


async def test_one_renewal_serves_all_calls_whose_token_was_refused() -> None:
    found, partner, _ = credentials(grant("t1"), grant("t2"))
    await found.token()
    assert await asyncio.gather(found.renew("t1"), found.renew("t1"), found.renew("t1")) == [True] * 3
    assert await found.token() == "t2"
    assert len(partner.requests) == 2


@pytest.mark.parametrize(
    ("response", "code", "kind"),
    [
        (
            answer({"error": "shop_not_permitted", "error_description": "Client credentials cannot be performed"}, 400),
            "IS-SHP-012",
            BrokenKind.CREDENTIAL,
        ),
        (answer({"error": "invalid_client"}, 401), "IS-SHP-011", BrokenKind.CREDENTIAL),
        (answer({"error": "app_not_installed"}, 400), "IS-SHP-013", BrokenKind.UNINSTALLED),
        (answer({"error": "application_cannot_be_found"}, 404), "IS-SHP-011", BrokenKind.CREDENTIAL),
        (HttpResponse(400, {}, b"<html>Oauth error</html>"), "IS-SHP-011", BrokenKind.CREDENTIAL),
        (HttpResponse(404, {}, b"Not Found"), "IS-SHP-019", BrokenKind.GONE),
        (HttpResponse(302, {"location": "/x"}, b""), "IS-SHP-021", BrokenKind.GONE),
        (answer({}, 402), "IS-SHP-016", BrokenKind.FROZEN),
        (answer({}, 423), "IS-SHP-017", BrokenKind.LOCKED),
    ],
)
@pytest.mark.row("S2-19")
async def test_a_refused_sign_in_says_what_to_mend(response: HttpResponse, code: str, kind: BrokenKind) -> None:
    found, _, _ = credentials(response)
    with pytest.raises(Broken) as caught:
        await found.token()
    assert (caught.value.code, caught.value.kind) == (code, kind)
    assert caught.value.remedy
    assert "shpss_test_secret" not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(
    ("failure", "after"),
    [
        (NotSent("x"), 5),
        (NoAnswer("x"), 5),
        (answer({}, 500), 2),
        (answer({}, 429, {"retry-after": "9"}), 9),
        (HttpResponse(200, {}, b"<html>"), 10),
        (answer({"access_token": "", "expires_in": 5}), 10),
        (grant("t", life="soon"), 10),
        (grant("t", life=True), 10),
    ],
)
async def test_a_sign_in_without_a_usable_answer_comes_again_and_nothing_was_carried_out(
    failure: HttpResponse | Exception, after: float
) -> None:
    found, _, _ = credentials(failure)
    with pytest.raises(RetryLater) as caught:
        await found.token()
    assert (caught.value.after, caught.value.executed) == (after, False)


@pytest.mark.row("S2-13", "S2-16")
async def test_a_token_without_a_needed_scope_names_it() -> None:
    found, _, _ = credentials(grant("t1", "read_products, read_inventory"))
    with pytest.raises(Broken) as caught:
        await found.token()
    assert caught.value.message.endswith("write_inventory, read_locations")


@pytest.mark.parametrize("scope", [None, ""])
async def test_a_grant_that_lists_no_scopes_is_left_to_verify(scope: str | None) -> None:
    found, _, _ = credentials(grant("t1", scope))
    assert await found.token() == "t1"


def test_client_credentials_need_both_values() -> None:
    context = ClientContext(ScriptedTransport(), Ambient(), "demo")
    with pytest.raises(ValueError, match="client_id and client_secret"):
        ClientCredentials(ShopifySettings(**LEGACY), context, 10)


SECRET = "shpss_test_secret"
CALLBACK = [
    ("code", "0907a61c0c8d55e99db179b68161bc00"),
    ("hmac", "2ef070afe11a64dd1b84e1c95df5dbac79755eb8d157ee2e14f3bac536414949"),
    ("host", "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvZGVtbw"),
    ("shop", "demo-jp.myshopify.com"),
    ("state", "0.6784241404160823"),
    ("timestamp", "1763700000"),
]
THEN = datetime.fromtimestamp(1763700000 + 20, tz=Clock().now.tzinfo)


def test_a_genuine_callback_passes_in_any_order_and_with_the_older_secret() -> None:
    assert callback_is_genuine(CALLBACK, [SECRET], THEN)
    assert callback_is_genuine([*CALLBACK[::-1], ("signature", "x")], ["shpss_new", SECRET], THEN)


def replaced(name: str, value: str) -> list[tuple[str, str]]:
    return [(each, value if each == name else old) for each, old in CALLBACK]


@pytest.mark.parametrize(
    "query",
    [
        replaced("shop", "demo-jq.myshopify.com"),
        replaced("hmac", ""),
        replaced("hmac", "2EF070"),
        replaced("hmac", "é"),
        [each for each in CALLBACK if each[0] != "hmac"],
        [each for each in CALLBACK if each[0] != "timestamp"],
        replaced("timestamp", "soon"),
        [*CALLBACK, ("shop", "demo-jp.myshopify.com")],
    ],
)
def test_a_callback_that_was_touched_fails(query: list[tuple[str, str]]) -> None:
    assert not callback_is_genuine(query, [SECRET], THEN)


def test_a_callback_with_another_secret_or_another_time_fails() -> None:
    assert not callback_is_genuine(CALLBACK, ["shpss_other"], THEN)
    assert not callback_is_genuine(CALLBACK, [], THEN)
    assert not callback_is_genuine(CALLBACK, [SECRET], THEN + timedelta(seconds=71))
    assert not callback_is_genuine(CALLBACK, [SECRET], THEN - timedelta(seconds=111))
