"""The adapter writes stock by file: what a whole, a refused and a lost upload come to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.sandbox.makeshop_classic import PRODUCT_COLUMNS
from inventory_sync.systems.errors import (
    Broken,
    BrokenKind,
    Bug,
    Doubt,
    PartnerError,
    RetryLater,
)
from inventory_sync.systems.http import NoAnswer, NotSent
from inventory_sync.systems.port import (
    Applied,
    Rejected,
    Split,
)
from tests.systems.makeshop_classic.classic_support import (
    SECRETS,
    START,
    answering,
    cell_of,
    fails,
    option,
    planned,
    product,
    story,
)

LONG_AGO, SOON = START - timedelta(days=1), START + timedelta(hours=1)


@pytest.mark.parametrize("encoding", ["shift_jis", "utf-8"])
async def test_numbers_are_set_by_file_for_products_and_for_options(encoding: str) -> None:
    told = story(changes={"csv_encoding": encoding})
    mug = told.shop.add_product(told.clock(), stock=7)
    red, blue = told.shop.add_variations(told.clock(), ["R", "S～M "], stock=[5, 5])
    done = await told.write((cell_of(mug), 3))
    assert list(done.values()) == [Applied()]
    done = await told.write((cell_of(red), 0), (cell_of(blue), 9))
    assert list(done.values()) == [Applied(), Applied()]
    assert (told.shop.stock(mug), told.shop.stock(red), told.shop.stock(blue)) == (3, 0, 9)
    assert [each.actor for each in told.shop.log.changes] == ["client"] * 3
    assert told.shop.log.requests == {"upload.auth": 2, "upload.product": 1, "upload.option": 1}
    assert told.violations() == []


async def test_the_stored_request_holds_no_secret_and_stays_the_same() -> None:
    told = story()
    ops = [planned(product("000000000084"), 3)]
    prepared = told.client.compose(ops, "batch-1")
    assert prepared == told.client.compose(ops, "batch-1")
    assert all(secret not in repr(prepared) for secret in SECRETS)
    assert prepared.body.count(b"000000000084") == 1


def test_the_group_of_a_cell_says_which_file_writes_it() -> None:
    client = story().client
    assert client.write_group(product("000000000084")) == "product"
    assert client.write_group(option("000000000084", "R")) == "option"
    with pytest.raises(Bug, match="kinds"):
        client.compose([planned(product("000000000084"), 1), planned(option("000000000085", "R"), 1, 1)], "k")


async def test_the_first_step_asks_to_come_again_and_nothing_was_uploaded() -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), stock=7)
    ops = [planned(cell_of(mug), 3)]
    prepared = told.client.compose(ops, "batch-1")
    told.clock.advance(2)
    with pytest.raises(RetryLater) as caught:
        await told.client.send(prepared, ops)
    assert caught.value.executed is False
    assert 0 < caught.value.after <= 2
    assert told.shop.log.requests == {"upload.auth": 1}
    told.clock.advance(caught.value.after)
    await told.client.send(prepared, ops)
    assert told.shop.stock(mug) == 3


async def test_a_failed_row_is_refused_and_its_neighbours_are_not() -> None:
    told = story()
    items = told.shop.seed_catalogue(3, told.clock(), initial=5)
    gone = items[1]
    told.shop.remove_product(gone, told.clock())
    done = await told.write(*((cell_of(item), 8) for item in items))
    assert [type(each) for each in done.values()] == [Applied, Rejected, Applied]
    assert [told.shop.stock(each) for each in (items[0], items[2])] == [8, 8]


@pytest.mark.parametrize("first", ["header", "data"])
async def test_rows_named_by_number_only_split_the_batch_until_one_is_left(first: str) -> None:
    told = story(upload_report="rows", first_row=first)
    items = told.shop.seed_catalogue(3, told.clock(), initial=5)
    told.shop.remove_product(items[1], told.clock())
    assert isinstance(await told.write(*((cell_of(item), 8) for item in items)), Split)
    (refused,) = (await told.write((cell_of(items[1]), 8))).values()
    assert isinstance(refused, Rejected)
    assert list((await told.write((cell_of(items[2]), 8))).values()) == [Applied()]


async def test_another_number_of_columns_blames_no_item_and_the_right_columns_mend_it() -> None:
    wider = (*PRODUCT_COLUMNS, "新項目")
    told = story(columns={"product_columns": wider})
    mug = told.shop.add_product(told.clock(), stock=7)
    error = await fails(told, Bug, lambda: told.write((cell_of(mug), 3)))
    assert error.code == "IS-MKC-031"
    assert told.shop.stock(mug) == 7
    known = story(columns={"product_columns": wider}, calibration={"product_columns": "\t".join(wider)})
    mug = known.shop.add_product(known.clock(), stock=7)
    await known.write((cell_of(mug), 3))
    assert known.shop.stock(mug) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (NoAnswer("reset"), Doubt),
        (answering(500), Doubt),
        (answering(503), Doubt),
        (answering(200, b" \n"), Doubt),
        (answering(200, b"<!DOCTYPE html><html>0</html>"), Doubt),
        (NotSent("refused"), RetryLater),
        (answering(429), RetryLater),
        (answering(200, b"FAILURE"), RetryLater),
        (answering(404), Broken),
        (answering(400), Bug),
    ],
)
async def test_only_a_lost_answer_to_the_file_itself_is_doubt(answer: Any, kind: type[PartnerError]) -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), stock=7)
    ops = [planned(cell_of(mug), 3)]
    prepared = told.client.compose(ops, "batch-1")
    told.clock.advance(2)
    with pytest.raises(RetryLater):
        await told.client.send(prepared, ops)
    told.clock.advance(2)
    told.wire.steps = [answer]
    with pytest.raises(kind) as caught:
        await told.client.send(prepared, ops)
    if isinstance(caught.value, RetryLater):
        assert caught.value.executed is False


async def test_a_lost_answer_to_the_sign_in_changes_nothing_and_is_no_doubt() -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), stock=7)
    told.wire.steps = [NoAnswer("reset")]
    await told.write((cell_of(mug), 3))
    assert told.shop.stock(mug) == 3
    assert told.violations() == []


async def test_after_a_lost_answer_the_whole_time_out_is_waited_too() -> None:
    told = story()
    told.wire.steps = [NoAnswer("timeout")]
    told.clock.advance(2)
    with pytest.raises(RetryLater):
        await told.client.orders(LONG_AGO, SOON, None)
    assert told.client.budget.wait("orders", told.clock()) >= 10


async def test_uploads_refused_whole_again_and_again_break_the_connection() -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), stock=7)
    told.wire.steps = [None, answering(200, b"FAILURE"), None, answering(200, b"FAILURE")]
    error = await fails(told, Broken, lambda: told.write((cell_of(mug), 3)))
    assert error.kind is BrokenKind.CREDENTIAL
    assert told.shop.stock(mug) == 7


async def test_a_changed_password_breaks_the_connection_at_the_next_write() -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), stock=7)
    told.shop.change_password("another-1")
    error = await fails(told, Broken, lambda: told.write((cell_of(mug), 3)))
    assert (error.kind, error.code) == (BrokenKind.CREDENTIAL, "IS-MKC-003")


async def test_a_file_that_is_worked_off_later_is_still_applied() -> None:
    told = story(upload_lag=60.0)
    mug = told.shop.add_product(told.clock(), stock=7)
    assert list((await told.write((cell_of(mug), 3))).values()) == [Applied()]
    assert told.shop.stock(mug) == 7
    told.clock.advance(60)
    told.shop.advance(told.clock())
    assert told.shop.stock(mug) == 3
