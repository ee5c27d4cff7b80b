from __future__ import annotations

import pytest

from inventory_sync.systems.errors import InvalidSettings, PartnerError
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.makeshop import definition
from inventory_sync.systems.makeshop.calibrate import calibrate
from inventory_sync.systems.port import Calibration
from tests.systems.makeshop.makeshop_scripted import (
    SHIRT,
    START,
    Clock,
    Scripted,
    Shop,
    answer,
    context,
    failed,
    settings,
)

ABSOLUTE_FIRST = {0: "absolute", 1: "relative"}
RELATIVE_FIRST = {0: "relative", 1: "absolute"}


async def run(shop: Shop, **changes: object) -> tuple[Calibration, Scripted]:
    partner = Scripted(Clock(), handler=shop)

    async def pause(seconds: float) -> None:
        partner.clock.advance(seconds)

    item = f"V:{SHIRT}:{shop.own}" if shop.own else f"P:{SHIRT}"
    return await calibrate(settings(**changes), context(partner), item, pause=pause), partner


@pytest.mark.parametrize("quantity", [1, 2, 7, 8, 10, 14, 1000])
@pytest.mark.parametrize("own", ["", "4900000000017"], ids=["product", "variation"])
@pytest.mark.parametrize(
    ("meanings", "found"),
    [
        (ABSOLUTE_FIRST, {"absolute_type": "0", "relative_type": "1"}),
        (RELATIVE_FIRST, {"absolute_type": "1", "relative_type": "0"}),
        ({0: "absolute", 1: "absolute"}, {"absolute_type": "1"}),
        ({0: "relative", 1: "relative"}, {"relative_type": "1"}),
        ({0: "absolute"}, {"absolute_type": "0"}),
        ({1: "relative"}, {"relative_type": "1"}),
        ({}, {}),
    ],
)
async def test_both_meanings_are_found_and_the_product_ends_as_it_was(
    meanings: dict[int, str], found: dict[str, str], own: str, quantity: int
) -> None:
    shop = Shop(quantity=quantity, meanings=meanings, own=own)
    calibration, _ = await run(shop)
    types = {name: value for name, value in calibration.found.items() if name.endswith("_type")}
    assert types == found
    assert shop.quantity == quantity


@pytest.mark.parametrize("below_zero", ["allowed", "cut_off", "refused", "unlimited"])
async def test_what_happens_below_zero_is_found_and_undone(below_zero: str) -> None:
    shop = Shop(below_zero=below_zero)
    calibration, _ = await run(shop)
    assert calibration.found["below_zero"] == below_zero
    assert shop.quantity == 10


async def test_below_zero_is_not_tried_where_the_number_could_not_be_set_again() -> None:
    shop = Shop(meanings={0: "relative", 1: "relative"})
    calibration, _ = await run(shop)
    assert "below_zero" not in calibration.found
    assert min(quantity for _, quantity in shop.writes) >= -10


async def test_a_zero_that_is_refused_does_not_hide_the_meaning() -> None:
    shop = Shop(refuse_zero=True, meanings=RELATIVE_FIRST)
    calibration, _ = await run(shop)
    assert (calibration.found["absolute_type"], calibration.found["relative_type"]) == ("1", "0")
    assert shop.quantity == 10


@pytest.mark.parametrize("details", ["list", "object"])
async def test_the_form_of_a_variations_details_is_found_too(details: str) -> None:
    shop = Shop(own="A", details=details)
    calibration, _ = await run(shop)
    assert calibration.found["variation_details"] == details
    assert calibration.found["relative_type"] == "1"
    assert shop.quantity == 10


async def test_every_step_says_what_was_sent_and_what_was_seen_in_both_languages() -> None:
    calibration, _ = await run(Shop())
    assert "set its stock back to 10" in calibration.steps[0].did_en
    assert "10に戻して" in calibration.steps[0].did_ja
    assert [step.saw for step in calibration.steps] == ["10", "10", "11", "10", "7", "10", "-1", "10"]
    assert "quantityCalculationType 1 with quantity 0" in calibration.steps[1].did_en


async def test_a_calibration_keeps_the_rate_and_waits_for_the_read_lag_after_each_write() -> None:
    _, partner = await run(Shop(), read_lag_seconds=3)
    writes = sum("mutation" in partner.query(number) for number in range(len(partner.requests)))
    assert (partner.clock.now - START).total_seconds() >= 3 * writes + len(partner.requests) - writes - 1


@pytest.mark.parametrize(
    ("shop", "says"),
    [
        (Shop(display="Y"), "on sale"),
        (Shop(quantity=None), "not limited"),
        (Shop(quantity=0), "is 0"),
        (Shop(quantity=1_000_001), "is 1000001"),
        (Shop(quantity=-1), "is -1"),
    ],
)
async def test_a_product_that_cannot_serve_is_refused_before_anything_is_written(shop: Shop, says: str) -> None:
    with pytest.raises(InvalidSettings, match=says) as told:
        await run(shop)
    assert (told.value.field, told.value.code) == ("item", "IS-MKS-040")
    assert "hidden" in told.value.remedy
    assert shop.writes == []


@pytest.mark.parametrize("item", ["", SHIRT, f"N:{SHIRT}:1", "P:999999999999", f"V:{SHIRT}:none"])
async def test_an_item_that_is_not_there_is_refused(item: str) -> None:
    partner = Scripted(Clock(), handler=Shop())
    with pytest.raises(InvalidSettings):
        await calibrate(settings(requests_per_second=20), context(partner), item)
    assert not any("mutation" in partner.query(number) for number in range(len(partner.requests)))


@pytest.mark.parametrize("number", range(7))
async def test_a_lost_answer_ends_it_and_says_what_to_set_the_product_back_to(number: int) -> None:
    shop = Shop(lose_answer_to=number)
    with pytest.raises(PartnerError) as told:
        await run(shop)
    assert told.value.code == "IS-MKS-041"
    assert f"P:{SHIRT}, set back to 10" in told.value.message
    assert len(shop.writes) == number + 1


async def test_a_number_that_somebody_else_changes_meanwhile_proves_nothing() -> None:
    shop = Shop(meanings={})
    seen: list[HttpRequest] = []

    def meddled(request: HttpRequest) -> HttpResponse | Exception:
        seen.append(request)
        if len(seen) == 5:
            shop.quantity = 500
        return shop(request)

    partner = Scripted(Clock(), handler=meddled)

    async def pause(seconds: float) -> None:
        partner.clock.advance(seconds)

    with pytest.raises(PartnerError, match="set back to 10"):
        await calibrate(settings(), context(partner), f"P:{SHIRT}", pause=pause)


async def test_a_read_that_fails_for_a_while_is_asked_again_and_a_write_in_doubt_is_not() -> None:
    shop = Shop()
    troubles = [answer(b"<html>", 503), answer(b"<html>")]

    def shaky(request: HttpRequest) -> HttpResponse | Exception:
        if b"searchProductQuantity" in request.body and shop.writes and troubles:
            return troubles.pop()
        return shop(request)

    partner = Scripted(Clock(), handler=shaky)

    async def pause(seconds: float) -> None:
        partner.clock.advance(seconds)

    calibration = await calibrate(settings(), context(partner), f"P:{SHIRT}", pause=pause)
    assert calibration.found["relative_type"] == "1"
    assert troubles == []

    throttled = {"message": "slow down", "extensions": {"code": "TOO_MANY_REQUESTS"}}
    partner.handler = lambda request: failed(throttled) if b"mutation" in request.body else shop(request)
    before = len(partner.requests)
    with pytest.raises(PartnerError):
        await calibrate(settings(), context(partner), f"P:{SHIRT}", pause=pause)
    assert sum("mutation" in partner.query(number) for number in range(before, len(partner.requests))) == 1


async def test_the_classic_api_has_nothing_to_calibrate() -> None:
    classic = definition.settings.model_validate(
        {
            "api": "classic",
            "shop_id": "exampleshop",
            "order_auth_code": "o",
            "product_auth_code": "p",
            "admin_password": "twelve-chars",
        }
    )
    assert definition.calibrate is not None
    with pytest.raises(InvalidSettings) as told:
        await definition.calibrate(classic, context(Scripted(Clock())), f"P:{SHIRT}")
    assert told.value.code == "IS-MKS-042"
