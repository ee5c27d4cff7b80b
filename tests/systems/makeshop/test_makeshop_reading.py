from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.systems.makeshop.catalogue import DOUBLE_OWN_CODE, HIDDEN, NO_OWN_CODE, UNLIMITED, read_products
from inventory_sync.systems.makeshop.keys import Item, item_of, product_of
from inventory_sync.systems.makeshop.pages import Page
from inventory_sync.systems.makeshop.quantities import Absent, Quantities, read_cells, read_quantities
from inventory_sync.systems.makeshop.shapes import UnexpectedAnswer
from inventory_sync.systems.port import CatalogueItem, Condition, LevelReading
from tests.systems.makeshop.makeshop_scripted import MUG, SHIRT, cell, product, stock_row, variation


def items(*rows: dict[str, Any]) -> list[CatalogueItem]:
    return list(read_products({"searchProduct": {"products": list(rows)}}).items)


# -- keys ---


@pytest.mark.parametrize("own", ["4900000000017", "A:1", " A ", ":", "か\u3099"])
def test_a_key_carries_an_own_code_to_the_character(own: str) -> None:
    assert item_of(Item(SHIRT, own).key) == Item(SHIRT, own)
    assert product_of(Item(SHIRT, own).key) == SHIRT


@pytest.mark.parametrize("key", ["", SHIRT, "P:", f"P:{SHIRT}:x", f"V:{SHIRT}", f"V:{SHIRT}:", f"N:{SHIRT}:1", "X:1"])
def test_a_key_of_nothing_that_has_a_number_is_no_item(key: str) -> None:
    assert item_of(key) is None


# -- catalogue ---


def test_a_product_without_variations_is_one_item_with_its_own_codes() -> None:
    (item,) = items(product(janCode="4900000000031"))
    assert item.key == f"P:{SHIRT}"
    assert item.codes == {"custom_code": "TSHIRT-01", "jan_code": "4900000000031", "system_code": SHIRT}
    assert (item.tracked, item.bundle, item.status, item.group) == (True, False, "", SHIRT)


def test_every_variation_is_an_item_under_its_own_code_and_none_takes_the_products_codes() -> None:
    red, blue = items(
        product(
            janCode="4900000000031",
            variationShowType=1,
            variations=[variation("A-1", jan="4900000000017"), variation("A-2", "ブルー", "L")],
        )
    )
    assert (red.key, blue.key) == (f"V:{SHIRT}:A-1", f"V:{SHIRT}:A-2")
    assert red.codes == {"custom_code": "A-1", "jan_code": "4900000000017"}
    assert blue.codes == {"custom_code": "A-2"}
    assert blue.name == "Tシャツ / ブルー / L"
    assert red.tracked
    assert {red.group, blue.group} == {SHIRT}


@pytest.mark.row("S4-31")
def test_codes_keep_their_blanks_and_signs() -> None:
    (item,) = items(product(customCode=" A-1 ", janCode="#4900 "))
    assert (item.codes["custom_code"], item.codes["jan_code"]) == (" A-1 ", "#4900 ")
    (only,) = items(product(variationShowType=2, variations=[variation("#T4900000000017 ")]))
    assert only.key == f"V:{SHIRT}:#T4900000000017 "
    assert only.codes["custom_code"] == "#T4900000000017 "


def test_a_code_that_is_missing_or_empty_is_left_out() -> None:
    (item,) = items(product(customCode=None, janCode=""))
    assert item.codes == {"system_code": SHIRT}


def test_stock_that_is_not_limited_is_listed_with_that_reason_and_not_tracked() -> None:
    found = read_products({"searchProduct": {"products": [product(MUG, None)]}})
    assert (found.items[0].tracked, found.items[0].status) == (False, UNLIMITED)
    assert found.levels == (LevelReading(cell(f"P:{MUG}"), Condition.UNTRACKED, None),)


def test_variations_that_cannot_be_told_apart_are_listed_with_the_reason_and_not_tracked() -> None:
    found = items(
        product(
            variationShowType=1,
            variations=[variation(""), variation(None, "b"), variation("X"), variation("X", "c"), variation("Y")],
        )
    )
    assert [item.status for item in found] == [NO_OWN_CODE, NO_OWN_CODE, DOUBLE_OWN_CODE, DOUBLE_OWN_CODE, ""]
    assert [item.tracked for item in found] == [False, False, False, False, True]
    assert len({item.key for item in found}) == 5
    assert all(item_of(item.key) is None for item in found if not item.tracked)


def test_a_product_with_variations_of_which_none_is_listed_is_not_taken_for_a_plain_one() -> None:
    (item,) = items(product(variationShowType=3, variations=None))
    assert not item.tracked
    assert item_of(item.key) is None


def test_a_hidden_product_is_listed_as_such_and_tracked() -> None:
    (item,) = items(product(display="N"))
    assert (item.tracked, item.status) == (True, HIDDEN)


def test_a_page_carries_the_numbers_of_plain_products_as_hints() -> None:
    found = read_products({"searchProduct": {"products": [product(quantity=8), product(MUG, 0)]}})
    assert [level.quantity for level in found.levels] == [8, 0]
    assert found.codes == (SHIRT, MUG)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"searchProduct": None},
        {"searchProduct": {"products": 1}},
        {"searchProduct": {"products": [{}]}},
        {"searchProduct": {"products": [product(quantity="many")]}},
    ],
)
def test_a_page_of_another_shape_is_no_page(content: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        read_products(content)


# -- numbers ---


def numbers(*rows: dict[str, Any]) -> list[Quantities]:
    return read_quantities({"searchProductQuantity": {"productQuantities": list(rows)}})


@pytest.mark.parametrize(("quantity", "number"), [(8, 8), (0, 0), (-3, -3), ("12", 12), ("-4", -4)])
def test_a_number_is_read_as_it_stands(quantity: object, number: int) -> None:
    (found,) = numbers(stock_row(SHIRT, quantity))
    assert found.reading(Item(SHIRT)) == LevelReading(cell(f"P:{SHIRT}"), Condition.ACTIVE, number)


def test_null_is_not_limited_and_never_a_number() -> None:
    plain, varied = numbers(stock_row(SHIRT, None), stock_row(MUG, 3, A=None, B=3))
    assert plain.reading(Item(SHIRT)) == LevelReading(cell(f"P:{SHIRT}"), Condition.UNTRACKED, None)
    assert varied.reading(Item(MUG, "A")) == LevelReading(cell(f"V:{MUG}:A"), Condition.UNTRACKED, None)
    assert [reading.quantity for reading in varied.readings()] == [None, 3]


@pytest.mark.parametrize("quantity", ["", "8.5", 8.5, True, "１２", []])
def test_what_is_no_whole_number_is_left_out(quantity: object) -> None:
    (found,) = numbers(stock_row(SHIRT, quantity))
    assert found.reading(Item(SHIRT)) is None
    assert found.readings() == []


def test_a_variation_is_read_by_its_own_code_to_the_character() -> None:
    (found,) = numbers(stock_row(SHIRT, 8, **{"A ": 5, "A": 3}))
    assert [found.reading(Item(SHIRT, own)).quantity for own in ("A ", "A")] == [5, 3]
    assert found.reading(Item(SHIRT, " A")).condition is Condition.GONE


def test_a_product_that_got_variations_is_no_item_any_more() -> None:
    (found,) = numbers(stock_row(SHIRT, 8, A=8))
    assert found.reading(Item(SHIRT)) == LevelReading(cell(f"P:{SHIRT}"), Condition.GONE, None)


def test_two_variations_of_one_own_code_have_no_number() -> None:
    row = stock_row(SHIRT, 8)
    row["variationQuantities"] = [{"variationQuantity": 1, "variationCustomCode": "A"}] * 2
    (found,) = numbers(row)
    assert found.reading(Item(SHIRT, "A")).condition is Condition.UNTRACKED
    assert found.readings() == []


# -- reading cells ---


class Answers:
    """Gives the numbers of the products it holds, at most `cap` of those asked for."""

    def __init__(self, *codes: str, cap: int = 100) -> None:
        self.codes, self.cap = codes, cap
        self.asked: list[list[str]] = []

    async def __call__(self, codes: list[str]) -> list[Quantities]:
        self.asked.append(list(codes))
        return [Quantities(code, 5, ()) for code in codes if code in self.codes][: self.cap]


async def test_several_cells_of_a_product_are_one_question() -> None:
    async def ask(codes: list[str]) -> list[Quantities]:
        assert codes == [SHIRT]
        return [Quantities(SHIRT, 8, (("A", 5), ("B", 3)))]

    found = await read_cells([cell(f"V:{SHIRT}:A"), cell(f"V:{SHIRT}:B")], Absent(), ask, 100)
    assert [reading.quantity for reading in found] == [5, 3]


async def test_a_product_that_a_short_page_lacks_is_asked_for_by_itself_before_it_is_gone() -> None:
    absent, answers = Absent(), Answers(SHIRT)
    cells = [cell(f"P:{SHIRT}"), cell(f"P:{MUG}")]
    assert await read_cells(cells, absent, answers, 100) == [LevelReading(cells[0], Condition.ACTIVE, 5)]
    assert await read_cells(cells, absent, answers, 100) == [LevelReading(cells[1], Condition.GONE, None)]
    assert answers.asked == [[SHIRT, MUG], [MUG]]
    await read_cells(cells, absent, answers, 100)
    assert answers.asked[-1] == [SHIRT, MUG]


async def test_a_page_that_was_cut_loses_no_product() -> None:
    codes = [f"{number:012}" for number in range(7)]
    absent, answers = Absent(), Answers(*codes, cap=3)
    cells = [cell(f"P:{code}") for code in codes]
    found: dict[object, Condition] = {}
    for _ in range(5):
        waiting = [each for each in cells if each not in found]
        found.update({each.cell: each.condition for each in await read_cells(waiting, absent, answers, 100)})
    assert found == dict.fromkeys(cells, Condition.ACTIVE)


async def test_a_lone_product_without_an_answer_is_gone_at_once() -> None:
    found = await read_cells([cell(f"P:{MUG}")], Absent(), Answers(), 100)
    assert found == [LevelReading(cell(f"P:{MUG}"), Condition.GONE, None)]


async def test_cells_that_name_nothing_are_answered_without_a_question() -> None:
    answers = Answers()
    found = await read_cells([cell("8000001"), cell(f"N:{SHIRT}:1")], Absent(), answers, 100)
    assert [reading.condition for reading in found] == [Condition.GONE, Condition.UNTRACKED]
    assert answers.asked == []


# -- pages ---


def test_a_list_ends_at_an_empty_page_or_at_the_same_page_once_more_and_never_at_a_short_one() -> None:
    first = Page.at(None)
    assert not first.ends(["a"])
    second = Page.at(first.following(["a"]))
    assert (second.number, second.ends([]), second.ends(["a", "b"]), second.ends(["b"])) == (2, True, True, False)
    assert first.ends([])
