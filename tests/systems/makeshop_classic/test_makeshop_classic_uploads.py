"""Upload files: one kind each, absolute numbers, the shop's own columns, and what the report says of every row."""

from __future__ import annotations

import csv
import io

import pytest

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.makeshop.classic import uploads
from inventory_sync.systems.makeshop.classic.layouts import Encoding
from inventory_sync.systems.port import Applied, CellRef, Rejected, Split
from tests.systems.makeshop_classic.classic_support import option, planned, product

A, B = "000000000084", "000000000085"
COLUMNS = uploads.Columns()


def rows(body: bytes, codec: str = "cp932") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(codec))))


def test_a_product_row_names_the_system_code_and_the_number_and_leaves_the_rest() -> None:
    prepared = uploads.prepare([planned(product(A), 0), planned(product(B), 12, 1)], "k", COLUMNS, Encoding.SHIFT_JIS)
    found = rows(prepared.body)
    assert len(found[0]) == 79
    filled = [{name: value for name, value in row.items() if value} for row in found]
    assert filled[0] == {"商品特定コード指定": "0", "システム商品コード": A, "数量": "0"}
    assert filled[1]["数量"] == "12"
    assert (prepared.path, prepared.key) == ("/api/webftp/index.html?dest=1", "k")
    assert prepared.body.endswith(b"\r\n")


def test_an_option_row_names_its_own_code_to_the_character() -> None:
    prepared = uploads.prepare([planned(option(A, 'X ,"1'), 3)], "k", COLUMNS, Encoding.UTF_8)
    (found,) = rows(prepared.body, "utf-8")
    assert {name: value for name, value in found.items() if value} == {
        "商品特定コード指定": "0",
        "オプション特定コード指定": "0",
        "システム商品コード": A,
        "オプション独自コード": 'X ,"1',
        "数量": "3",
    }
    assert prepared.path.endswith("?dest=2")


def test_the_shops_own_columns_are_used() -> None:
    columns = uploads.Columns(("数量", "商品特定コード指定", "新", "システム商品コード"), COLUMNS.option)
    prepared = uploads.prepare([planned(product(A), 5)], "k", columns, Encoding.SHIFT_JIS)
    assert prepared.body.decode("cp932").splitlines()[1] == f"5,0,,{A}"
    with pytest.raises(uploads.Impossible, match="数量"):
        uploads.prepare([planned(product(A), 5)], "k", uploads.Columns(("商品特定コード指定",)), Encoding.SHIFT_JIS)


def test_the_tilde_of_a_shift_jis_code_comes_back_as_the_byte_it_was() -> None:
    prepared = uploads.prepare([planned(option(A, "S\uff5eM"), 1)], "k", COLUMNS, Encoding.SHIFT_JIS)
    assert b"S\x81\x60M" in prepared.body
    with pytest.raises(uploads.Impossible, match="no byte"):
        uploads.prepare([planned(option(A, "S\u301cM"), 1)], "k", COLUMNS, Encoding.SHIFT_JIS)


@pytest.mark.parametrize("value", [-1, 1_000_000_000])
def test_an_impossible_number_is_never_written(value: int) -> None:
    with pytest.raises(uploads.Impossible):
        uploads.prepare([planned(product(A), value)], "k", COLUMNS, Encoding.SHIFT_JIS)


def test_products_and_options_never_share_a_file_and_no_item_stands_in_it_twice() -> None:
    both = [planned(product(A), 1), planned(option(B, "X"), 1, 1)]
    assert [uploads.write_group(each.cell.item) for each in both] == ["product", "option"]
    with pytest.raises(uploads.Impossible, match="2 kinds"):
        uploads.prepare(both, "k", COLUMNS, Encoding.SHIFT_JIS)
    with pytest.raises(uploads.Impossible, match="twice"):
        uploads.prepare([planned(product(A), 1), planned(product(A), 2, 1)], "k", COLUMNS, Encoding.SHIFT_JIS)
    for key in ("N:000000000084:1", "X", "V:000000000084:"):
        with pytest.raises(uploads.Impossible, match="no item"):
            uploads.prepare([planned(CellRef(ItemKey(key), LocationKey("shop")), 1)], "k", COLUMNS, Encoding.SHIFT_JIS)


def test_the_stored_file_is_posted_to_the_byte_with_the_key_around_it() -> None:
    prepared = uploads.prepare([planned(product(A), 1)], "k", COLUMNS, Encoding.SHIFT_JIS)
    kind, body = uploads.multipart(prepared, uploads.Access("https://x/", "KEY"))
    boundary = kind.partition("boundary=")[2].encode()
    assert body.count(prepared.body) == 1
    assert boundary not in prepared.body
    assert b'name="key"\r\n\r\nKEY\r\n' in body
    assert b"KEY" not in prepared.body


@pytest.mark.parametrize("body", [b"FAILURE", b"FAILURE\n", b"", b"https://x/only", b"no address\nkey"])
def test_what_is_no_access_is_none(body: bytes) -> None:
    assert uploads.read_access(body) is None


def test_an_access_is_address_and_key_whatever_the_line_ends() -> None:
    wanted = uploads.Access("https://www.makeshop.jp/x?a=1&b=2", "k1")
    assert uploads.read_access(b"https://www.makeshop.jp/x?a=1&amp;b=2\r\nk1\r\n") == wanted


OPS = [planned(product(A), 1), planned(product(B), 2, 1)]


@pytest.mark.parametrize("text", ["OK", "SUCCESS", "成功 2件 失敗 0件", "2件登録しました エラー：0件"])
def test_a_report_without_failures_applies_every_row(text: str) -> None:
    assert uploads.read_report(text.encode("cp932"), OPS) == {op.op: Applied() for op in OPS}


def test_a_failure_that_names_the_codes_refuses_that_row_only() -> None:
    found = uploads.read_report(f"2行目 {B} 該当する商品が存在しません".encode("cp932"), OPS)
    assert isinstance(found, dict)
    assert found[OPS[0].op] == Applied()
    assert found == uploads.read_report(f"成功 1件 失敗 1件\n2行目 {B} 該当する商品が存在しません".encode("cp932"), OPS)
    refused = found[OPS[1].op]
    assert isinstance(refused, Rejected)
    assert B in refused.reason


def test_an_option_is_named_by_both_codes() -> None:
    ops = [planned(option(A, "X"), 1), planned(option(A, "X2"), 2, 1)]
    found = uploads.read_report(f"3行目 {A} X2 数量の値が不正です".encode(), ops)
    assert isinstance(found, dict)
    assert isinstance(found[ops[0].op], Applied)
    assert isinstance(found[ops[1].op], Rejected)


@pytest.mark.parametrize("text", ["2行目 エラー", "失敗 1件", f"{A} と {B} のエラー", f"失敗 2件\n2行目 {A} エラー"])
def test_a_failure_that_names_no_one_row_splits_the_batch(text: str) -> None:
    assert isinstance(uploads.read_report(text.encode(), OPS), Split)
    alone = uploads.read_report(text.encode(), OPS[:1])
    assert isinstance(alone, dict)
    assert isinstance(alone[OPS[0].op], Rejected)


def test_a_wrong_number_of_columns_is_about_the_file_and_blames_no_item() -> None:
    with pytest.raises(uploads.WrongColumns):
        uploads.read_report(f"2行目 {A} 項目数が一致しません".encode("cp932"), OPS)


def test_an_empty_report_says_nothing_and_failure_refuses_all() -> None:
    assert uploads.read_report(b" \r\n", OPS) is None
    with pytest.raises(uploads.NotAccepted):
        uploads.read_report(b"FAILURE", OPS)
