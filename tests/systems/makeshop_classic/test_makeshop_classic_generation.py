"""Two files in, one catalogue out, or a refusal that names the place; nothing trimmed, guessed or half applied."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator
from inventory_sync.systems.makeshop.classic import (
    AcceptedColumns,
    ColumnsChanged,
    Generation,
    GenerationRefused,
    NamedFile,
    read_generation,
)
from inventory_sync.systems.makeshop.classic.layouts import OPTION_COLUMNS, PRODUCT_COLUMNS
from inventory_sync.systems.port import Condition
from tests.systems.makeshop_classic.classic_support import START

PRODUCTS = ("システム商品コード", "独自商品コード", "商品名", "数量", "JANコード")
OPTIONS = ("システム商品コード", "オプション独自コード", "オプション1項目", "数量", "JANコード")
A, B, C = "000000000084", "000000000085", "000000000086"


def file(name: str, columns: tuple[str, ...], *rows: tuple[str, ...], encoding: str = "cp932") -> NamedFile:
    lines = [",".join(row) for row in (columns, *rows)]
    return NamedFile(name, "".join(f"{line}\r\n" for line in lines).encode(encoding))


def pair(
    products: list[tuple[str, ...]] | None = None, options: list[tuple[str, ...]] | None = None, encoding: str = "cp932"
) -> tuple[NamedFile, NamedFile]:
    products = [(A, "MUG", "マグ", "3", "49")] if products is None else products
    return (
        file("upload_20260110120000.csv", PRODUCTS, *products, encoding=encoding),
        file("option_20260110120100.csv", OPTIONS, *(options or []), encoding=encoding),
    )


def read(files: tuple[NamedFile, NamedFile], encoding: str = "shift_jis", **given: object) -> Generation:
    return read_generation(*files, encoding=encoding, **{"accepted_columns": None, **given})  # type: ignore[arg-type]


def refusal(files: tuple[NamedFile, NamedFile], encoding: str = "shift_jis", **given: object) -> GenerationRefused:
    with pytest.raises(GenerationRefused) as caught:
        read(files, encoding, **given)
    assert caught.value.code.startswith("IS-MKC-06")
    assert caught.value.remedy
    return caught.value


@pytest.mark.row("S4-27")
@pytest.mark.parametrize("encoding", ["shift_jis", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("guarded", [True, False])
def test_what_a_shop_exports_is_the_catalogue_it_has(encoding: str, guarded: bool) -> None:
    shop = ClassicMakeShopSimulator()
    mug = shop.add_product(START, code="MUG-01", jan="4900000000031", name="マグ,大", stock=7)
    free = shop.add_product(START, code="FREE", stock=None)
    hidden = shop.add_product(START, code="HID", stock=2, displayed=False)
    black, white = shop.add_variations(START, ["TS-BK", "TS-WH "], stock=[5, None], code="TS", name="Tシャツ")
    files = shop.export(START, encoding, guarded=guarded)  # type: ignore[arg-type]
    product, option = (NamedFile(each.name, each.content) for each in files)
    found = read((product, option), encoding.removesuffix("-sig"))
    items = {each.key: each for each in found.items}
    system = black.partition("/")[0]
    assert set(items) == {f"P:{mug}", f"P:{free}", f"P:{hidden}", f"V:{system}:TS-BK", f"V:{system}:TS-WH "}
    assert items[f"P:{mug}"].codes == {"custom_code": "MUG-01", "jan_code": "4900000000031", "system_code": mug}
    assert items[f"P:{mug}"].name == "マグ,大"
    assert items[f"V:{system}:TS-BK"].codes == {"custom_code": "TS-BK", "jan_code": "TS-BK"}
    assert items[f"V:{system}:TS-BK"].name == "Tシャツ / 色1 / F"
    assert items[f"V:{system}:TS-WH "].codes["custom_code"] == "TS-WH "
    assert [each.tracked for each in items.values()] == [True, False, True, True, False]
    assert "hidden" in items[f"P:{hidden}"].status
    levels = {each.cell.item: (each.condition, each.quantity) for each in found.levels}
    assert levels[items[f"P:{mug}"].key] == (Condition.ACTIVE, 7)
    assert levels[items[f"P:{free}"].key] == (Condition.UNTRACKED, None)
    assert levels[items[f"V:{system}:TS-BK"].key] == (Condition.ACTIVE, 5)
    assert found.columns == AcceptedColumns(PRODUCT_COLUMNS, OPTION_COLUMNS)
    assert found.warnings == ()
    assert white.endswith("TS-WH ")


def test_the_guard_of_spreadsheets_is_taken_off_and_nothing_else() -> None:
    rows = [(A, '="0012 "', "x", "1", "="), (B, '=""', "x", "1", "='9'"), (C, '=" A"B"', "x", "1", '"=""77"""')]
    codes = [dict(each.codes) for each in read(pair(rows)).items]
    assert [each.get("custom_code") for each in codes] == ["0012 ", None, '=" A"B"']
    assert [each.get("jan_code") for each in codes] == ["=", "='9'", "77"]


def test_codes_are_kept_to_the_character() -> None:
    awkward = ["A-1", "a-1", "A-1 ", " A-1", "00123", "Ａ-1", "4.90E+12", "\u3000", "#1", "が"]
    rows = [(f"{number:012d}", code, "x", "1", "") for number, code in enumerate(awkward, 1)]
    assert [each.codes["custom_code"] for each in read(pair(rows)).items] == awkward


def test_a_full_width_tilde_in_shift_jis_is_kept_and_said() -> None:
    files = pair([(A, "S～M", "x", "1", "")], [(B, "L～", "", "2", "")])
    assert b"\x81\x60" in files[0].content
    found = read(files)
    assert found.items[0].codes["custom_code"] == "S\uff5eM"
    warning = next(each for each in found.warnings if each.code == "two_homes")
    assert (warning.file, warning.row) == (files[0].name, 2)
    assert "U+FF5E" in warning.en
    assert "U+FF5E" in warning.ja
    assert found.items[1].key == f"V:{B}:L\uff5e"


@pytest.mark.parametrize("tilde", ["\u301c", "\uff5e"])
def test_in_utf_8_both_tildes_stay_what_they_are(tilde: str) -> None:
    found = read(pair([(A, f"S{tilde}M", "x", "1", "")], encoding="utf-8"), "utf-8")
    assert found.items[0].codes["custom_code"] == f"S{tilde}M"
    assert [each.code for each in found.warnings] == ["two_homes"]


def test_a_byte_that_is_no_character_refuses_both_files_with_its_place() -> None:
    good, option = pair()
    bad = NamedFile("upload.csv", good.content + b"\x8100\r\n")
    error = refusal((bad, option), "utf-8")
    assert (error.file, error.row) == ("upload.csv", 1)
    error = refusal((replace(good, content=good.content + b"000000000099,\xff,x,1,\r\n"), option))
    assert (error.file, error.row, error.offset) == (good.name, 3, len(good.content) + 13)
    error = refusal((good, replace(option, content=option.content + b"000000000084,A\x81")))
    assert (error.file, error.row) == (option.name, 2)


def test_the_encoding_is_declared_and_never_guessed() -> None:
    utf_8 = pair(encoding="utf-8")
    assert refusal(utf_8).row == 1
    marked = pair(encoding="utf-8-sig")
    assert "mark of UTF-8" in refusal(marked).message
    assert refusal(pair(), "utf-8").offset == 0 or refusal(pair(), "utf-8").row == 1
    with pytest.raises(ValueError, match="shift_jis, utf-8"):
        read(pair(), "latin-1")
    assert read(marked, "utf-8").items == read(utf_8, "utf-8").items


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_cut_at_any_byte_is_never_half_used(which: int) -> None:
    whole = pair([(A, "M-1", '"マグ,大"', "3", "4900000000017"), (B, "M-2", "皿", "4", "4900000000024")], [
        (C, "O-1", "赤", "5", "4900000000031"),
        (C, "O-2", "青", "6", "4900000000048"),
    ])  # fmt: skip
    content = whole[which].content
    ends = [place for place in range(1, len(content)) if content[:place].endswith(b"\r\n")]
    for cut in range(len(content)):
        files = list(whole)
        files[which] = NamedFile("cut.csv", content[:cut])
        if cut in ends or cut + 1 in (*ends, len(content)):
            continue  # whole lines (or all but a line feed): nothing in the file tells
        assert refusal((files[0], files[1])).file == "cut.csv"


def test_a_person_may_say_that_a_missing_line_end_is_no_cut() -> None:
    product, option = pair()
    bare = NamedFile(product.name, product.content.removesuffix(b"\r\n"))
    assert "line end" in refusal((bare, option)).message
    assert read((bare, option), allow_missing_end=True).items == read((product, option)).items


def test_an_open_quote_refuses_the_file() -> None:
    error = refusal(pair([(A, "X", '"never closed', "1", ""), (B, "Y", "y", "2", "")]))
    assert "not closed" in error.message
    assert error.row == 2


def test_a_row_with_another_number_of_columns_is_named() -> None:
    error = refusal(pair([(A, "X", "x", "1", ""), (B, "Y", "y", "2")]))
    assert (error.row, error.file) == (3, "upload_20260110120000.csv")


def test_a_description_over_several_lines_counts_as_the_rows_it_takes() -> None:
    error = refusal(pair([(A, "X", '"1\r\n2\r\n3"', "1", ""), (B, "Y", "y", "two", "")]))
    assert (error.row, error.column) == (5, "数量")


@pytest.mark.parametrize("text", ["１２", "1,000"[:1] + ".5", " 3", "-", "unlimited", "1e3", "9999999999"])
def test_a_quantity_that_is_no_plain_number_is_refused(text: str) -> None:
    error = refusal(pair([(A, "X", "x", text, "")]))
    assert (error.row, error.column) == (2, "数量")


@pytest.mark.parametrize("text", ["", "NULL"])
def test_an_empty_quantity_is_unlimited(text: str) -> None:
    found = read(pair([(A, "X", "x", text, "")], [(B, "O", "赤", text, "")]))
    assert [each.tracked for each in found.items] == [False, False]
    assert "not limited" in found.items[0].status
    assert found.levels[0].condition is Condition.UNTRACKED


def test_a_system_code_that_lost_its_zeros_is_refused_with_the_reason() -> None:
    error = refusal(pair([("84", "X", "x", "1", "")]))
    assert error.column == "システム商品コード"
    assert "leading zeros" in error.message


def test_a_product_that_stands_twice_is_refused() -> None:
    assert refusal(pair([(A, "X", "x", "1", ""), (A, "X", "x", "2", "")])).row == 3


def test_a_product_file_without_a_product_is_no_empty_shop() -> None:
    assert "no product" in refusal(pair([])).message


def test_swapped_files_are_recognised() -> None:
    product, option = pair()
    assert "this is the option file" in refusal((option, product)).message


def test_a_missing_column_is_named() -> None:
    _, option = pair()
    assert "JANコード" in refusal((file("p.csv", PRODUCTS[:-1]), option)).message


def test_one_bad_file_refuses_the_good_one_too() -> None:
    good, _ = pair()
    assert refusal((good, NamedFile("option.csv", b""))).file == "option.csv"
    assert refusal((NamedFile("upload.csv", b""), pair()[1])).file == "upload.csv"


def test_changed_columns_wait_until_a_person_confirms_them() -> None:
    before = read(pair()).columns
    _, option = pair()
    wider = file("upload_20260110120000.csv", (*PRODUCTS, "新項目"), (A, "X", "x", "1", "", ""))
    with pytest.raises(ColumnsChanged, match="新項目") as caught:
        read((wider, option), accepted_columns=before)
    confirmed = replace(before, product=caught.value.found)
    assert read((wider, option), accepted_columns=confirmed).columns == confirmed
    turned = file("upload_20260110120000.csv", PRODUCTS[::-1], ("", "1", "x", "X", A))
    with pytest.raises(ColumnsChanged, match="another order"):
        read((turned, option), accepted_columns=before)
    with pytest.raises(ColumnsChanged, match="gone: 新項目"):
        read(pair(), accepted_columns=confirmed)


@pytest.mark.row("S4-29")
def test_files_of_different_days_or_generations_are_warned_of() -> None:
    product, option = pair()
    old = NamedFile("option_20260109120000.csv", option.content)
    (stale,) = read((product, old)).warnings
    assert (stale.code, stale.file) == ("stale_pair", old.name)
    assert "2026-01-09" in stale.ja
    assert read((NamedFile("upload (1).csv", product.content), old)).warnings == ()
    found = read(pair(options=[(C, "O-1", "赤", "5", "")]))
    assert [(each.code, each.row) for each in found.warnings] == [("unknown_parent", 2)]
    orphan = next(each for each in found.items if each.key == f"V:{C}:O-1")
    assert not orphan.tracked
    assert orphan.status


def test_an_hour_between_the_downloads_is_no_reason_to_warn() -> None:
    shop = ClassicMakeShopSimulator()
    shop.add_product(START, code="A")
    product, _ = shop.export(START)
    for seconds, codes in ((3600, []), (3601, ["stale_pair"])):
        _, option = shop.export(START + timedelta(seconds=seconds))
        files = (NamedFile(product.name, product.content), NamedFile(option.name, option.content))
        assert [each.code for each in read(files).warnings] == codes


def test_options_that_nothing_tells_apart_are_listed_and_never_written() -> None:
    options = [(A, "", "赤", "1", ""), (A, "X", "青", "2", ""), (A, "X", "緑", "3", ""), (A, "Y", "黒", "4", "")]
    found = read(pair(options=options))
    assert [each.key for each in found.items] == [f"N:{A}:1", f"N:{A}:2", f"N:{A}:3", f"V:{A}:Y"]
    assert [each.tracked for each in found.items] == [False, False, False, True]
    assert [each.cell.item for each in found.levels] == [f"V:{A}:Y"]
    assert [(each.code, each.row) for each in found.warnings] == [("no_own_code", 2)]


def test_the_same_files_are_the_same_generation() -> None:
    assert read(pair()).id == read(pair()).id
    assert read(pair()).id != read(pair([(A, "MUG", "マグ", "4", "49")])).id
