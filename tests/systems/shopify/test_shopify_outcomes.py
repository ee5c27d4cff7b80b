from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Bug, Doubt, RetryLater, Stale
from inventory_sync.systems.port import Applied, NotApplied, Rejected, Split
from inventory_sync.systems.shopify import outcomes
from inventory_sync.systems.shopify.classify import UnexpectedAnswer
from tests.systems.shopify.shopify_support import ITEM, OTHER, PLACE, op

GROUP = "gid://shopify/InventoryAdjustmentGroup/54640716251442"


def change(item: str | None, delta: object, location: str | None = PLACE, name: str = "available") -> dict[str, Any]:
    return {
        "name": name,
        "delta": delta,
        "quantityAfterChange": None,
        "item": None if item is None else {"id": item},
        "location": None if location is None else {"id": location},
    }


def reply(changes: list[dict[str, Any]] | None, *errors: dict[str, Any]) -> dict[str, Any]:
    group = None
    if changes is not None:
        group = {
            "id": GROUP,
            "createdAt": "2026-06-25T01:33:55Z",
            "reason": "correction",
            "referenceDocumentUri": "gid://inventory-sync/Push/demo-1",
            "changes": changes,
        }
    return {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": group, "userErrors": list(errors)}}


def error(code: str | None, *field: str, message: str = "no") -> dict[str, Any]:
    return {"field": list(field) or None, "message": message, "code": code}


TWO = (op("a", 5), op("b", 2, OTHER))
A, B = OpId("a"), OpId("b")


def test_the_recorded_success_applies_every_row_that_it_lists() -> None:
    listed = [change(ITEM, 5), change(ITEM, 5, name="on_hand"), change(OTHER, 2), change(OTHER, 2, name="on_hand")]
    applied = Applied(GROUP, datetime(2026, 6, 25, 1, 33, 55, tzinfo=UTC))
    assert outcomes.of_adjustment(reply(listed), TWO) == {A: applied, B: applied}


def test_a_success_without_a_group_changed_nothing() -> None:
    found = outcomes.of_adjustment(reply(None), TWO)
    assert found == {A: outcomes.CHANGED_NOTHING, B: outcomes.CHANGED_NOTHING}


def test_a_row_that_is_not_listed_was_not_applied() -> None:
    found = outcomes.of_adjustment(reply([change(ITEM, 5), change(OTHER, 2, name="on_hand")]), TWO)
    assert isinstance(found, dict)
    assert isinstance(found[A], Applied)
    assert found[B] == outcomes.CHANGED_NOTHING


def test_a_repeat_rebuilt_with_another_number_of_the_same_sign_counts_as_applied() -> None:
    found = outcomes.of_adjustment(reply([change(ITEM, 4), change(OTHER, 2)]), TWO)
    assert isinstance(found, dict)
    assert isinstance(found[A], Applied)


@pytest.mark.parametrize("listed", [[change(ITEM, -5)], [change(ITEM, 0)], [change(ITEM, 5), change(None, 2)]])
def test_rows_that_contradict_what_was_asked_leave_doubt(listed: list[dict[str, Any]]) -> None:
    with pytest.raises(Doubt):
        outcomes.of_adjustment(reply(listed), TWO)


def test_rows_whose_item_was_deleted_since_do_not_harm_the_others() -> None:
    found = outcomes.of_adjustment(reply([change(ITEM, 5), change(OTHER, 2), change(None, 9)]), TWO)
    assert isinstance(found, dict)
    assert all(isinstance(each, Applied) for each in found.values())


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"inventoryAdjustQuantities": None},
        {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": None}},
        reply([change(ITEM, None)]),
        {"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": 1, "userErrors": []}},
    ],
)
def test_a_reply_of_another_shape_is_not_guessed_at(data: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        outcomes.of_adjustment(data, TWO)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("INVALID_INVENTORY_ITEM", "IS-SHP-050"),
        ("INVALID_LOCATION", "IS-SHP-051"),
        ("NON_MUTABLE_INVENTORY_ITEM", "IS-SHP-052"),
        ("INVALID_QUANTITY_TOO_HIGH", "IS-SHP-053"),
        ("INVALID_QUANTITY_TOO_LOW", "IS-SHP-053"),
        ("ITEM_NOT_STOCKED_AT_LOCATION", "IS-SHP-055"),
        ("A_CODE_OF_NEXT_YEAR", "IS-SHP-054"),
        (None, "IS-SHP-054"),
    ],
)
def test_a_refused_row_is_rejected_and_its_neighbours_are_not_applied(code: str | None, problem: str) -> None:
    refused = error(code, "input", "changes", "1", "inventoryItemId", message="could not be found")
    found = outcomes.of_adjustment(reply(None, refused), TWO)
    assert isinstance(found, dict)
    assert isinstance(found[A], NotApplied)
    rejected = found[B]
    assert isinstance(rejected, Rejected)
    assert rejected.code == problem
    assert "could not be found" in rejected.reason


def test_two_errors_on_one_row_reject_it_once() -> None:
    errors = [error("INVALID_INVENTORY_ITEM", "input", "changes", "0", "inventoryItemId")]
    errors.append(error("INVALID_LOCATION", "input", "changes", "0", "locationId"))
    found = outcomes.of_adjustment(reply(None, *errors), TWO)
    assert isinstance(found, dict)
    assert getattr(found[A], "code", None) == "IS-SHP-050"


@pytest.mark.parametrize(
    "field",
    [(), ("input", "changes"), ("input", "changes", "9"), ("input", "changes", "x"), ("input", "name", "0")],
)
def test_a_row_error_that_names_no_row_splits_the_batch_down_to_the_culprit(field: tuple[str, ...]) -> None:
    refused = error("INVALID_LOCATION", *field)
    assert isinstance(outcomes.of_adjustment(reply(None, refused), TWO), Split)
    alone = outcomes.of_adjustment(reply(None, refused), TWO[:1])
    assert isinstance(alone, dict)
    assert isinstance(alone[A], Rejected)


def test_rows_listed_beside_a_refused_one_count_as_applied() -> None:
    refused = error("INVALID_LOCATION", "input", "changes", "1", "locationId")
    found = outcomes.of_adjustment(reply([change(ITEM, 5)], refused), TWO)
    assert isinstance(found, dict)
    assert isinstance(found[A], Applied)
    assert isinstance(found[B], Rejected)


@pytest.mark.parametrize(
    "code", ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED"]
)
def test_a_call_that_failed_as_a_whole_applied_nothing(code: str) -> None:
    found = outcomes.of_adjustment(reply(None, error(code)), TWO)
    assert isinstance(found, dict)
    assert [type(each) for each in found.values()] == [NotApplied, NotApplied]


def test_the_same_request_still_under_way_is_repeated_with_the_same_bytes() -> None:
    with pytest.raises(RetryLater) as caught:
        outcomes.of_adjustment(reply(None, error("IDEMPOTENCY_CONCURRENT_REQUEST")), TWO)
    assert caught.value.executed is None


@pytest.mark.parametrize(
    "code",
    [
        "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
        "INVALID_REASON",
        "INVALID_REFERENCE_DOCUMENT",
        "INVALID_QUANTITY_NAME",
        "INVALID_AVAILABLE_DOCUMENT",
        "INVALID_QUANTITY_DOCUMENT",
        "INVALID_LEDGER_DOCUMENT",
        "INTERNAL_LEDGER_DOCUMENT",
        "MAX_ONE_LEDGER_DOCUMENT",
    ],
)
def test_an_error_in_what_we_alone_wrote_is_our_bug_whatever_comes_with_it(code: str) -> None:
    row = error("INVALID_LOCATION", "input", "changes", "0", "locationId")
    with pytest.raises(Bug):
        outcomes.of_adjustment(reply(None, row, error(code, "input", "reason")), TWO)


def test_a_stale_comparison_is_decided_again_after_a_read() -> None:
    message = "The changeFromQuantity argument no longer matches the persisted quantity."
    with pytest.raises(Stale, match="no longer matches"):
        outcomes.of_adjustment(reply(None, error("CHANGE_FROM_QUANTITY_STALE", message=message)), TWO)


def activation(level: dict[str, Any] | None, *messages: str) -> dict[str, Any]:
    errors = [{"field": None, "message": each} for each in messages]
    return {"inventoryActivate": {"inventoryLevel": level, "userErrors": errors}}


LEVEL: dict[str, Any] = {"id": "gid://shopify/InventoryLevel/143273034034?inventory_item_id=1", "isActive": True}
ONE = (op("a", 1),)


def test_an_active_level_is_an_activation_carried_out_even_beside_an_error() -> None:
    said = "Not allowed to set available quantity when the item is already active at the location."
    for found in (outcomes.of_activation(activation(LEVEL), ONE), outcomes.of_activation(activation(LEVEL, said), ONE)):
        assert found == {A: Applied(LEVEL["id"])}


def test_an_activation_without_an_active_level_and_without_error_changed_nothing() -> None:
    for level in (None, {**LEVEL, "isActive": False}):
        assert outcomes.of_activation(activation(level), ONE) == {A: outcomes.CHANGED_NOTHING}


def test_an_activation_still_under_way_is_repeated_with_the_same_bytes() -> None:
    with pytest.raises(RetryLater) as caught:
        outcomes.of_activation(activation(None, "This request is currently in progress, please try again."), ONE)
    assert caught.value.executed is None


def test_an_activation_that_failed_before_was_not_applied() -> None:
    said = "A previous request with this idempotency key failed. Retry with a new idempotency key."
    found = outcomes.of_activation(activation(None, said), ONE)
    assert isinstance(found, dict)
    assert isinstance(found[A], NotApplied)


def test_a_refused_activation_is_rejected_with_shopifys_words() -> None:
    found = outcomes.of_activation(activation(None, "The location could not be found."), ONE)
    assert isinstance(found, dict)
    rejected = found[A]
    assert isinstance(rejected, Rejected)
    assert rejected.code == "IS-SHP-055"
    assert "could not be found" in rejected.reason


def test_an_activation_reply_of_another_shape_is_not_guessed_at() -> None:
    with pytest.raises(UnexpectedAnswer):
        outcomes.of_activation({}, ONE)
