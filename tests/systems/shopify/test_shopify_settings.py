from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from inventory_sync.systems import shopify
from inventory_sync.systems.shopify import scopes
from inventory_sync.systems.shopify.settings import ShopifySettings, normalise_shop
from tests.systems.shopify.shopify_support import APP, LEGACY


def refusal(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        ShopifySettings(**settings)
    return str(caught.value)


@pytest.mark.row("S1-62", "S2-22")
@pytest.mark.parametrize(
    "given",
    [
        "demo-jp",
        " Demo-JP ",
        "demo-jp.myshopify.com",
        "https://demo-jp.myshopify.com",
        "https://demo-jp.myshopify.com/admin/settings?x=1",
        "http://demo-jp.myshopify.com:443/",
        "demo-jp.myshopify.com/admin",
        "https://admin.shopify.com/store/demo-jp",
        "admin.shopify.com/store/demo-jp/settings/domains",
    ],
)
def test_every_usual_form_of_the_shop_becomes_the_same_name(given: str) -> None:
    assert normalise_shop(given) == "demo-jp.myshopify.com"


@pytest.mark.row("S1-62", "S2-22")
@pytest.mark.parametrize("given", ["www.example.jp", "https://example.jp/shop", "demo-jp.myshopify.com.example.jp"])
def test_a_public_domain_is_refused_with_the_place_to_look(given: str) -> None:
    message = refusal(**{**LEGACY, "shop": given})
    assert "public domain" in message
    assert "Settings > Domains" in message


@pytest.mark.parametrize(
    "given",
    [
        "",
        "  ",
        None,
        5,
        "-demo",
        "de mo",
        "デモ",
        "https://admin.shopify.com/",
        "admin.shopify.com/x/y",
        ".myshopify.com",
    ],
)
def test_what_names_no_shop_is_refused_with_the_place_to_look(given: object) -> None:
    assert "Settings > Domains" in refusal(**{**LEGACY, "shop": given})


@pytest.mark.row("S2-28")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "the credentials are missing"),
        ({"client_id": "8a5f"}, "client_secret is missing beside client_id"),
        ({"client_secret": "x"}, "client_id is missing beside client_secret"),
        ({"access_token": "shpat_1"}, "api_secret is missing beside access_token"),
        ({"api_secret": "x"}, "access_token is missing beside api_secret"),
        ({"client_id": "8a5f", "access_token": "shpat_1"}, "two kinds of credential"),
        ({"previous_client_secret": "x"}, "the credentials are missing"),
    ],
)
def test_exactly_one_whole_kind_of_credential_is_asked_for(given: dict[str, str], said: str) -> None:
    assert said in refusal(shop="demo-jp", **given)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({**LEGACY, "access_token": "shpss_1"}, "access_token holds an API secret"),
        ({**LEGACY, "api_secret": "shpat_1"}, "api_secret holds an access token"),
        ({**APP, "client_secret": "shpat_1"}, "client_secret holds an access token"),
        ({**APP, "client_id": "shpss_1"}, "client_id holds a secret"),
        ({**APP, "previous_client_secret": "shpss_test_secret"}, "same as the current secret"),
        ({**LEGACY, "access_token": "shpat_1 "}, "contains a blank"),
        ({**APP, "client_id": "8a 5f"}, "contains a blank"),
        ({**APP, "client_secret": ""}, "it is empty"),
        ({**APP, "api_version": "2025-10"}, "choose one of 2026-04, 2026-07, 2026-10"),
        ({**APP, "base_url": "ftp://x"}, "base_url must be like https://host"),
        ({**APP, "base_url": "https://x/?a=1"}, "base_url must be like https://host"),
        ({**APP, "base_url": "https://user:pw@x"}, "base_url must be like https://host"),
        ({**APP, "read_lag_seconds": -1}, "greater than or equal to 0"),
        ({**APP, "request_timeout_seconds": 0}, "greater than 0"),
        ({**APP, "colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(**changes)


def test_no_secret_shows_in_a_message_or_in_the_settings_text() -> None:
    message = refusal(**{**LEGACY, "access_token": "shpat_verysecret "})
    assert "verysecret" not in message
    assert "shpss_test_secret" not in refusal(**{**LEGACY, "client_id": "8a5f"})
    assert "shpss_test_secret" not in repr(ShopifySettings(**APP))


def test_settings_give_address_and_signing_secrets() -> None:
    plain = ShopifySettings(**APP)
    assert (plain.url, plain.api_version, plain.signing_secrets) == (
        "https://demo-jp.myshopify.com",
        "2026-10",
        ("shpss_test_secret",),
    )
    other = ShopifySettings(**LEGACY, base_url="http://127.0.0.1:9001/", previous_client_secret="shpss_old")
    assert (other.url, other.signing_secrets) == ("http://127.0.0.1:9001", ("shpss_test_secret", "shpss_old"))


def test_a_field_given_as_null_counts_as_left_out() -> None:
    given = ShopifySettings(**LEGACY, client_id=None, client_secret=None, base_url=None)
    assert (given.url, given.client_id, given.client_secret) == ("https://demo-jp.myshopify.com", None, None)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_each_guide_names_every_field_and_every_scope(language: str) -> None:
    guide = (Path(shopify.__file__).parent / f"guide.{language}.md").read_text(encoding="utf-8")
    for word in (*scopes.REQUIRED, *shopify.definition.credential_fields, "shop:", ".myshopify.com", "2026-10"):
        assert word in guide
