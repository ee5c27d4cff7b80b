"""Exported files: what is in them, byte for byte, and what cannot be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.ledger.files.export import ExportEncoding, ExportLevel, ExportRefused, export
from inventory_sync.ledger.files.profile import FileProfile
from tests.ledger.files.files_support import ALL_COLUMNS, NOON, profile, read


def level(sku: str, quantity: int = 1, location: str = "main", label: str = "stock") -> ExportLevel:
    return ExportLevel(sku, location, label, quantity, NOON)


def test_utf_8_begins_with_a_mark_and_lines_end_as_on_windows() -> None:
    data = export([level("靴", 3), level("A,1", 0)], profile())
    assert data == '\ufeffsku,location,quantity\r\n"A,1",main,0\r\n靴,main,3\r\n'.encode()


def test_shift_jis_is_code_page_932_without_a_mark() -> None:
    data = export([level("靴①～", 3)], profile(), ExportEncoding.SHIFT_JIS)
    assert data == b"sku,location,quantity\r\n" + "靴①".encode("cp932") + b"\x81\x60,main,3\r\n"


@pytest.mark.parametrize(
    ("character", "hint"), [("〜", "U+FF5E"), ("−", "U+FF0D"), ("😀", "U+1F600"), ("é", "U+00E9"), ("¢", "U+FFE0")]
)
def test_a_character_that_shift_jis_lacks_is_named_with_its_sku(character: str, hint: str) -> None:
    sku = f"A{character}1"
    with pytest.raises(ExportRefused) as caught:
        export([level("B"), level(sku)], profile(), ExportEncoding.SHIFT_JIS)
    assert (caught.value.sku, caught.value.character) == (sku, character)
    assert hint in str(caught.value)
    assert hint in caught.value.text("ja")
    assert read(export([level(sku)], profile()), profile(encoding="utf-8-sig")).lines[0].sku == sku


def test_the_full_width_tilde_comes_back_from_shift_jis_as_itself() -> None:
    data = export([level("S～M")], profile(), ExportEncoding.SHIFT_JIS)
    assert read(data, profile(encoding="cp932")).lines[0].sku == "S～M"


def test_a_location_that_cannot_be_written_is_found_too() -> None:
    with pytest.raises(ExportRefused, match="'location'"):
        export([level("A", location="〜")], profile(), ExportEncoding.SHIFT_JIS)


def test_the_columns_are_those_of_the_profile() -> None:
    using = profile(columns=ALL_COLUMNS | {"sku": "品番"}, format="tsv")
    data = export([level('"A"', -2, label="loose")], using)
    header, row = data.decode("utf-8-sig").splitlines()
    assert header == "品番\tlocation\tlabel\tquantity\tupdated_at\tmode\treference"
    assert row == '"A"\tmain\tloose\t-2\t2026-04-01T12:00:00.000000+09:00\tset\t'


def test_guarded_codes_keep_their_zeros_in_a_spreadsheet_and_are_read_back_bare() -> None:
    data = export([level("0049"), level('5"x')], profile(), guard=True)
    assert b'"=""0049"""' in data
    assert [line.sku for line in read(data, profile(encoding="utf-8-sig")).lines] == ["0049", '5"x']


CODES = st.text(
    st.characters(codec="cp932", exclude_categories=["Cc", "Cs", "Co"], include_characters="¢£¬‖−〜"),
    min_size=1,
    max_size=8,
).filter(lambda code: not (code.startswith('="') and code.endswith('"')))


@given(
    st.dictionaries(CODES, st.integers(0, 999_999_999), min_size=1, max_size=8),
    st.sampled_from(
        [
            (ExportEncoding.UTF_8, profile(encoding="utf-8-sig")),
            (ExportEncoding.SHIFT_JIS, profile(encoding="cp932")),
            (ExportEncoding.UTF_8, profile(encoding="utf-8-sig", columns=ALL_COLUMNS)),
        ]
    ),
)
def test_whatever_is_exported_is_read_back_the_same_or_refused_beforehand(
    levels: dict[str, int], how: tuple[ExportEncoding, FileProfile]
) -> None:
    encoding, using = how
    try:
        data = export([level(sku, quantity) for sku, quantity in levels.items()], using, encoding)
    except ExportRefused:
        return
    assert {line.sku: line.quantity for line in read(data, using).lines} == levels
