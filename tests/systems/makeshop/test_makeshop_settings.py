from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from inventory_sync.systems.makeshop import definition
from inventory_sync.systems.makeshop.capabilities import CAPABILITIES, calculation, effective_capabilities
from inventory_sync.systems.makeshop.client import MakeShopClient
from inventory_sync.systems.makeshop.notices import MakeShopNoticeParser
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.makeshop.writing import Calculation
from inventory_sync.systems.port import ChangeSource, EvidenceKind, Role, WriteMode
from tests.systems.makeshop.makeshop_scripted import API_KEY, SECRET, TOKEN, Clock, Scripted, context, settings


def classic(**changes: object) -> MakeShopSettings:
    values = {
        "api": "classic",
        "shop_id": "exampleshop",
        "order_auth_code": "order-code",
        "product_auth_code": "product-code",
        "admin_password": "twelve-chars",
    }
    return MakeShopSettings.model_validate({**values, **changes})


def test_graphql_is_the_api_unless_another_is_chosen_and_is_posted_to_at_the_usual_address() -> None:
    assert settings().api == "graphql"
    assert settings().endpoint == "https://app-api.makeshop.jp/v1/graphql"


def test_another_address_is_used_to_the_letter() -> None:
    assert settings(base_url="http://127.0.0.1:9000/v1/graphql/").endpoint == "http://127.0.0.1:9000/v1/graphql/"
    assert classic(base_url="http://127.0.0.1:9000/").classic_root == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("access_token", "", "empty"),
        ("access_token", f" {TOKEN}", "blank or line break"),
        ("access_token", f"{TOKEN}\n", "blank or line break"),
        ("access_token", f"Bearer{TOKEN}", "without the word Bearer"),
        ("access_token", f"{TOKEN} x", "copy the value again"),
        ("api_key", f"{API_KEY} ", "blank or line break"),
        ("webhook_secret", "秘密", "never issues"),
        ("shop_id", "shop/../x", "as MakeShop shows it"),
        ("base_url", "app-api.makeshop.jp", "whole address"),
        ("base_url", "https://user@app-api.makeshop.jp/", "whole address"),
        ("requests_per_second", 0, "greater than 0"),
        ("page_limit", 1001, "less than or equal to 1000"),
        ("quantity_calculation", {"absolute": 2}, "0 or 1"),
        ("signature_recipe", "url", "timestamp_body"),
        ("notice_max_age_seconds", 1, "greater than or equal to 30"),
        ("sku", "x", "Extra inputs"),
    ],
)
def test_a_setting_that_cannot_work_says_what_would_be_right(field: str, value: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        settings(**{field: value})


@pytest.mark.row("S0-24")
@pytest.mark.parametrize("value", [" product-code", "product-code\u3000", "product-code\r\n", ""])
def test_a_product_code_with_a_pasted_blank_is_refused_and_never_trimmed(value: str) -> None:
    with pytest.raises(ValidationError, match="blank or line break|empty"):
        classic(product_auth_code=value)


@pytest.mark.row("S0-24", "S0-25", "S4-20")
@pytest.mark.parametrize("field", ["product_auth_code", "shop_id", "order_auth_code", "admin_password"])
def test_the_classic_api_needs_shop_id_both_codes_and_the_password(field: str) -> None:
    with pytest.raises(ValidationError, match=f"{field} is missing for api: classic"):
        classic(**{field: None})
    assert classic().order_auth_code != classic().product_auth_code


@pytest.mark.row("S0-25")
@pytest.mark.parametrize("value", ["example shop", "", "ショップ", " exampleshop", "-x"])
def test_a_shop_id_in_another_form_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="shop ID|empty|blank"):
        classic(shop_id=value)


@pytest.mark.row("S4-18", "S4-19")
def test_a_password_over_twelve_characters_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValidationError, match="at most 12 characters.*shorten .* at MakeShop first"):
        classic(admin_password="thirteen-char")


@pytest.mark.row("S4-17", "S4-18")
def test_a_password_is_counted_in_characters_not_bytes() -> None:
    assert classic(admin_password="あいうえおかきくけこさし", admin_id="main").admin_password is not None
    assert "main" not in repr(classic(admin_id="main-admin"))


def test_graphql_without_its_credentials_points_to_the_classic_api_where_only_codes_are_given() -> None:
    with pytest.raises(ValidationError, match="access_token and api_key are missing for api: graphql \\["):
        MakeShopSettings.model_validate({})
    with pytest.raises(ValidationError, match="connected by api: classic"):
        MakeShopSettings.model_validate({"order_auth_code": "x"})


def test_no_setting_shows_a_secret() -> None:
    shown = repr(settings(notify_token="notify-token")) + repr(classic())
    for secret in (TOKEN, API_KEY, SECRET, "notify-token", "order-code", "product-code", "twelve-chars"):
        assert secret not in shown


# -- capabilities ---


def test_makeshop_is_a_channel_with_one_location_and_one_request_at_a_time() -> None:
    able = definition.capabilities
    assert able is CAPABILITIES
    assert able.roles == {Role.CHANNEL}
    assert able.serial
    assert able.has_orders
    assert not able.has_locations
    assert not able.polls_levels
    assert able.orders_every == timedelta(seconds=3)
    assert able.match_fields == ("custom_code", "jan_code", "system_code")
    assert (able.read_batch, able.write_batch, able.concurrent_writes) == (100, 100, 1)


def test_before_a_calibration_numbers_are_set_and_orders_are_the_source_of_changes() -> None:
    able = effective_capabilities(settings(), {})
    assert (able.writes, able.change_source, able.evidence) == (
        WriteMode.ABSOLUTE,
        ChangeSource.ORDERS,
        EvidenceKind.LEVEL,
    )
    assert calculation(settings(), {}) == Calculation(WriteMode.ABSOLUTE, 0)
    other = settings(quantity_calculation={"absolute": 1})
    assert calculation(other, {}) == Calculation(WriteMode.ABSOLUTE, 1)


@pytest.mark.parametrize("relative", ["0", "1"])
def test_a_calibration_that_found_differences_changes_what_the_connection_can_do(relative: str) -> None:
    found = {"relative_type": relative, "absolute_type": str(1 - int(relative))}
    able = effective_capabilities(settings(), found)
    assert (able.writes, able.change_source, able.evidence) == (
        WriteMode.RELATIVE,
        ChangeSource.LEVELS,
        EvidenceKind.ORDERS,
    )
    assert calculation(settings(), found) == Calculation(WriteMode.RELATIVE, int(relative))


def test_a_calibration_overrules_the_settings_about_the_absolute_type() -> None:
    chosen = settings(quantity_calculation={"absolute": 0})
    assert calculation(chosen, {"absolute_type": "1"}) == Calculation(WriteMode.ABSOLUTE, 1)
    unwilling = settings(relative_writes=False)
    assert calculation(unwilling, {"absolute_type": "1", "relative_type": "0"}) == Calculation(WriteMode.ABSOLUTE, 1)
    assert calculation(unwilling, {"relative_type": "0"}).mode is WriteMode.RELATIVE


def test_the_form_of_a_variations_details_is_a_setting_until_a_calibration_found_it() -> None:
    assert calculation(settings(variation_details="object"), {}).details == "object"
    assert calculation(settings(variation_details="object"), {"variation_details": "list"}).details == "list"


def test_measured_times_and_switches_reach_the_capabilities() -> None:
    able = effective_capabilities(
        settings(
            read_lag_seconds=1,
            late_effect_seconds=20,
            order_lag_seconds=30,
            request_timeout_seconds=5,
            provisional_counts=False,
            mixed_writes=False,
        ),
        {},
    )
    assert (able.read_lag, able.late_effect) == (timedelta(seconds=1), timedelta(seconds=20))
    assert (able.order_lag, able.request_timeout) == (timedelta(seconds=30), timedelta(seconds=5))
    assert not able.provisional_counts
    assert able.write_batch == 1
    assert effective_capabilities(settings(write_rows=30), {}).write_batch == 30


# -- the definition ---


def test_the_definition_offers_one_family_of_settings_and_makes_up_the_notify_token() -> None:
    assert definition.name == "makeshop"
    assert definition.settings is MakeShopSettings
    assert definition.generated_secrets == ("notify_token",)
    for name in (*definition.credential_fields, *definition.generated_secrets, *definition.switches):
        assert name in MakeShopSettings.model_fields
    assert definition.calibrate is not None


def test_the_definition_makes_the_client_and_the_parser_of_the_chosen_api() -> None:
    made = definition.make_client(settings(), context(Scripted(Clock())))
    assert isinstance(made, MakeShopClient)
    assert definition.make_notice_parser is not None
    assert isinstance(definition.make_notice_parser(settings()), MakeShopNoticeParser)
