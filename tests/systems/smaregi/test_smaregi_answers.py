from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.errors import Bug, RetryLater, Unreadable
from inventory_sync.systems.port import Applied, CellRef, Condition
from inventory_sync.systems.smaregi import answers
from tests.systems.smaregi.smaregi_scripted import CELL, answer, change, level, product, written


def test_a_page_that_is_not_json_is_asked_for_again_and_never_taken_for_no_rows() -> None:
    with pytest.raises(RetryLater) as caught:
        answers.rows(answer(b"<html>maintenance</html>"), "GET /stock")
    assert (caught.value.code, caught.value.executed) == ("IS-SMR-008", None)


@pytest.mark.parametrize("body", [{"stock": []}, {}, [1], ["a"], None, "rows", 0])
def test_anything_but_a_list_of_objects_is_refused_loudly(body: object) -> None:
    with pytest.raises(Bug) as caught:
        answers.rows(answer(body), "GET /stock")
    assert caught.value.code == "IS-SMR-009"


def test_a_list_ends_with_a_page_that_is_not_full_unless_a_link_names_the_next() -> None:
    assert answers.has_more(answer([]), 1000)
    assert not answers.has_more(answer([]), 999)
    assert answers.has_more(answer([], link='<https://x/?page=1>; rel="prev", <https://x/?page=3>; rel="next"'), 5)
    assert answers.has_more(answer([], link="<https://x/?page=3>; rel=next"), 5)
    assert not answers.has_more(answer([], link='<https://x/?page=1>; rel="prev"'), 5)
    assert answers.has_more(answer([], link='<https://x/?page=1>; rel="prev"'), 1000)


@pytest.mark.parametrize(
    ("fields", "active", "mappable", "note"),
    [
        ({"division": "1", "pauseFlag": "0"}, True, True, ""),
        ({"division": "1", "pauseFlag": "1"}, False, True, ""),
        ({"division": "2", "pauseFlag": "0"}, True, True, "warehouse"),
        ({"division": "1"}, True, True, ""),
        ({"division": "3", "pauseFlag": "0"}, True, False, "neither shop nor warehouse (division 3)"),
    ],
)
def test_shops_and_warehouses_are_locations(fields: dict[str, str], active: bool, mappable: bool, note: str) -> None:
    place = answers.location({"storeId": "12", "storeName": "本店", **fields})
    assert (place.key, place.name) == ("12", "本店")
    assert (place.active, place.mappable, place.note) == (active, mappable, note)


def test_a_store_without_a_name_goes_by_its_code_and_one_without_id_is_refused() -> None:
    assert answers.location({"storeId": "12", "storeName": None, "storeCode": "T12", "division": "1"}).name == "T12"
    assert answers.location({"storeId": "12", "division": "1"}).name == ""
    with pytest.raises(Bug):
        answers.location({"storeName": "本店", "division": "1"})


def test_a_product_is_an_item_with_its_codes_as_they_stand() -> None:
    found = answers.item(product(productCode="A1 ", groupCode="TS-01", supplierProductNo="TS-01-WM", color="白"))
    assert found.codes == {"product_code": "A1 ", "supplier_product_no": "TS-01-WM", "group_code": "TS-01"}
    assert (found.key, found.name) == ("8000001", "シャツ / M / 白")
    assert (found.tracked, found.status, found.bundle) == (True, "", False)


def test_codes_that_are_empty_are_left_out() -> None:
    found = answers.item(product())
    assert found.codes == {"product_code": "4900000000017"}


def test_a_group_code_that_equals_a_product_id_never_passes_for_that_product() -> None:
    assert answers.item(product(groupCode="8000001")).group == ""


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"stockControlDivision": "1"}, "stock is not managed in Smaregi (stockControlDivision 1)"),
        ({"stockControlDivision": "2"}, "stock is not managed in Smaregi (stockControlDivision 2)"),
        ({"division": "1"}, "a coupon ticket (division 1)"),
        ({"division": "2"}, "an option (division 2)"),
        ({"division": "9", "stockControlDivision": "1"}, "not an ordinary product (division 9)"),
    ],
)
def test_what_keeps_no_stock_is_untracked_and_says_why(fields: dict[str, str], note: str) -> None:
    found = answers.item(product(**fields))
    assert (found.tracked, found.status) == (False, note)


@pytest.mark.parametrize("missing", [{"stockControlDivision": None}, {"productId": None}, {"productId": "x"}])
def test_a_product_that_leaves_the_answer_open_is_refused(missing: dict[str, object]) -> None:
    with pytest.raises(Bug):
        answers.item(product(**missing))


def test_a_product_without_division_is_an_ordinary_one() -> None:
    assert answers.item(product(division=None)).tracked


def test_levels_are_whole_numbers_with_the_partners_own_time() -> None:
    found = answers.levels([level("12"), level("-3", "8000002"), level(7, "8000003", "2")], "GET /stock")
    assert [(reading.cell.item, reading.cell.location, reading.quantity) for reading in found.readings] == [
        ("8000001", "1", 12),
        ("8000002", "1", -3),
        ("8000003", "2", 7),
    ]
    assert {reading.condition for reading in found.readings} == {Condition.ACTIVE}
    assert found.readings[0].stamp == datetime(2026, 1, 10, 2, 59, 58, tzinfo=UTC)
    assert found.unreadable == ()


@pytest.mark.parametrize("amount", ["", " 1", "1.0", "1e3", "１２", "12個", None, True, 1.0, [], "99999999999"])
def test_a_number_that_is_not_whole_is_never_zero(amount: object) -> None:
    with pytest.raises(Bug) as caught:
        answers.levels([level(amount)], "GET /stock")
    assert caught.value.code == "IS-SMR-010"
    mixed = answers.levels([level(amount), level("4", "8000002")], "GET /stock")
    assert [reading.quantity for reading in mixed.readings] == [4]
    assert mixed.unreadable == (CELL,)


def test_a_cell_listed_twice_counts_once_with_its_newer_number() -> None:
    newer, older = level("5", at="2026-01-10T12:00:00+09:00"), level("6", at="2026-01-10T11:00:00+09:00")
    for order in ([newer, older], [older, newer]):
        assert [reading.quantity for reading in answers.levels(order, "GET /stock").readings] == [5]


def test_a_cell_listed_once_readable_and_once_not_is_unreadable() -> None:
    found = answers.levels([level("5"), level("?"), level("1", "8000002")], "GET /stock")
    assert found.unreadable == (CELL,)
    assert [reading.cell.item for reading in found.readings] == ["8000002"]


@pytest.mark.parametrize("at", [None, "yesterday", "2026-01-10T11:59:58", 3])
def test_a_time_that_cannot_be_read_is_no_stamp(at: object) -> None:
    row = {**level("5"), "updDateTime": at}
    assert [reading.stamp for reading in answers.levels([row, row], "GET /stock").readings] == [None]


@pytest.mark.parametrize(
    "row", [{"stockAmount": "1"}, {**level("1"), "storeId": True}, {**level("1"), "productId": "-1"}]
)
def test_a_row_that_names_no_cell_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(Bug):
        answers.levels([row], "GET /stock")


def test_a_carried_out_change_names_its_history_row() -> None:
    stamp = datetime(2026, 1, 10, 3, 0, 5, tzinfo=UTC)
    assert answers.applied(written("10236"), CELL) == Applied("10236", stamp)
    assert answers.applied(written(10236, updDateTime=None), CELL) == Applied("10236", None)


def test_whether_the_answer_tells_the_change_or_the_result_makes_no_difference() -> None:
    assert answers.applied(written(stockAmount="-2"), CELL) == answers.applied(written(stockAmount="10"), CELL)


@pytest.mark.parametrize(
    "response",
    [
        answer(b"<html>"),
        answer([]),
        answer({}),
        written(productId="8000002"),
        written(storeId="2"),
        written(stockHistory=None),
        written(stockHistory={}),
        written(None),
    ],
)
def test_a_200_that_names_no_history_row_of_this_cell_proves_nothing(response: object) -> None:
    assert answers.applied(response, CELL) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("laid_away", "aside"), [("3", 3), ("0", 0), (None, None), ("", None), ("a few", None)])
def test_what_is_laid_away_is_told_beside_the_stock(laid_away: str | None, aside: int | None) -> None:
    row = {"storeId": "1", "productId": "8000001", "stockAmount": "12", "layawayStockAmount": laid_away}
    [reading] = answers.levels([row | {"updDateTime": "2026-01-10T11:59:58+09:00"}], "the stock list").readings
    assert (reading.quantity, reading.aside) == (12, aside)


def test_goods_reserved_at_the_register_are_sold_at_the_counter_and_goods_reserved_by_orders_are_not() -> None:
    at_register = answers.history_row(change("1", stockDivision="16"), CELL).cause
    by_order = answers.history_row(change("2", stockDivision="18"), CELL).cause
    assert (at_register, by_order) == ("sale", "reservation")


@pytest.mark.parametrize(
    ("division", "cause"),
    [("01", "correction"), ("02", "sale"), ("03", "receipt"), ("04", "transfer"), ("05", "transfer"), ("07", "layaway"),
     ("08", "count"), ("09", "adjustment"), ("10", "shipment"), ("12", "return"), ("14", "loss"), ("15", "api"),
     ("16", "sale"), ("18", "reservation"), ("06", "other"), ("13", "other"), ("17", "other"), ("99", "other"),
     (None, "other")],
)  # fmt: skip
def test_every_stock_division_has_a_cause(division: str | None, cause: str) -> None:
    assert answers.history_row(change("1", stockDivision=division), CELL).cause == cause


def test_a_history_row_says_whose_change_it_was() -> None:
    own = answers.history_row(change("10234", memo="is:shop1:01j9z8"), CELL)
    assert (own.id, own.amount, own.installation, own.op) == ("10234", -2, "shop1", "01j9z8")
    assert own.level_after == 10
    foreign = answers.history_row(change("10235", "3", memo="手入力", stockAmount=None), CELL)
    assert (foreign.amount, foreign.installation, foreign.op, foreign.level_after) == (3, None, None, None)


def test_history_without_a_memo_field_is_no_evidence() -> None:
    row = change("1")
    del row["memo"]
    with pytest.raises(Unreadable) as caught:
        answers.history_row(row, CELL)
    assert caught.value.code == "IS-SMR-042"


@pytest.mark.parametrize("fields", [{"id": None}, {"amount": "x"}, {"amount": None}, {"updDateTime": "?"}])
def test_a_history_row_that_cannot_be_read_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Bug):
        answers.history_row({**change("1"), **fields}, CELL)


def test_cells_are_named_by_digits_only() -> None:
    reading = answers.levels([{**level("1"), "productId": 8000001}], "GET /stock").readings[0]
    assert reading.cell == CellRef(ItemKey("8000001"), LocationKey("1"))
