"""The CSV of publish rules: read strictly with every fault named by its place, and written so that it comes back."""

from __future__ import annotations

import doctest
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.engine.explain import ruled
from inventory_sync.engine.publishing import table
from inventory_sync.engine.publishing.table import Override, end_of, last_day, parse, render
from inventory_sync.ledger.files.export import ExportEncoding
from inventory_sync.ledger.files.problems import FileRefused

TOKYO = ZoneInfo("Asia/Tokyo")
codes = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="\ufeff\ufffe"),
    min_size=1,
    max_size=12,
).filter(lambda code: not code.startswith('="'))
units = st.integers(0, 10_000)
days = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    offset = draw(st.integers(-500, 500))
    auto, unlimited = draw(st.booleans()), draw(st.booleans())
    return Override(
        code=draw(codes),
        buffer=None if auto else draw(st.none() | units),
        auto=auto,
        percent=draw(st.none() | st.integers(0, 100)),
        maximum=None if unlimited else draw(st.none() | units),
        unlimited=unlimited,
        end_when=draw(st.none() | units),
        offset=offset,
        until=draw(st.none() | days.map(lambda day: end_of(day, TOKYO))) if offset else None,
        excluded=draw(st.booleans()),
    )


def read(content: bytes | str, **how: ExportEncoding) -> tuple[Override, ...]:
    return parse(content.encode() if isinstance(content, str) else content, name="rules.csv", zone=TOKYO, **how)


def faults(content: bytes | str, **how: ExportEncoding) -> list[tuple[str, int | None, str]]:
    with pytest.raises(FileRefused) as refused:
        read(content, **how)
    for each in refused.value.problems:
        assert each.text("en")
        assert each.text("ja")
    return [(each.code, each.row, each.column) for each in refused.value.problems]


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(table).failed == 0
    assert doctest.testmod(ruled).failed == 0


@given(st.lists(overrides(), max_size=6, unique_by=lambda each: each.code))
def test_what_is_written_is_read_back_as_it_was(given_rows: list[Override]) -> None:
    assert list(read(render(given_rows, zone=TOKYO))) == given_rows


def test_codes_that_a_spreadsheet_would_spoil_are_guarded() -> None:
    rows = [Override(code, buffer=1) for code in ("0049", "4901234567890", "1-2", "=A1", "A-1", "商品")]
    text = render(rows, zone=TOKYO).decode("utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == [
        '"=""0049"""',
        '"=""4901234567890"""',
        '"=""1-2"""',
        '"=""=A1"""',
        "A-1",
        "商品",
    ]
    shifted = render(rows, zone=TOKYO, encoding=ExportEncoding.SHIFT_JIS)
    assert list(read(shifted, encoding=ExportEncoding.SHIFT_JIS)) == rows


def test_a_byte_order_mark_and_any_order_of_columns_are_fine() -> None:
    assert read("\ufeffmax,code\r\nnone,A-1\r\n4,A-2\r\n") == (
        Override("A-1", unlimited=True),
        Override("A-2", maximum=4),
    )


def test_a_day_is_one_of_the_installation() -> None:
    [one] = read("code,offset,until\nA-1,5,2026-12-31\n")
    assert one.until is not None
    assert one.until.isoformat() == "2026-12-31T15:00:00+00:00"
    assert last_day(one.until, TOKYO) == date(2026, 12, 31)
    zone = ZoneInfo("America/New_York")
    assert last_day(end_of(date(2026, 11, 1), zone), zone) == date(2026, 11, 1), "a day of 25 hours"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", ("IS-FIL-031", None, "")),
        ("buffer\n3\n", ("IS-FIL-008", 1, "")),
        ("code,Buffer\nA,3\n", ("IS-PUB-001", 1, "Buffer")),
        ("code,buffer,buffer\nA,3,4\n", ("IS-FIL-009", 1, "buffer")),
        ("code,buffer\nA\n", ("IS-FIL-006", 2, "")),
        ("code,buffer\n,3\n", ("IS-FIL-016", 2, "code")),
        ("code,buffer\nA,3\nA,4\n", ("IS-PUB-003", 3, "code")),
        ("code,buffer\nA,three\n", ("IS-FIL-013", 2, "buffer")),
        ("code,buffer\nA,３\n", ("IS-FIL-013", 2, "buffer")),
        ("code,buffer\nA,1.5\n", ("IS-FIL-013", 2, "buffer")),
        ("code,buffer\nA,=1+2\n", ("IS-FIL-013", 2, "buffer")),
        ("code,buffer\nA,-1\n", ("IS-PUB-004", 2, "buffer")),
        ("code,percent\nA,101\n", ("IS-PUB-004", 2, "percent")),
        ("code,offset,until\nA,5,2026-02-30\n", ("IS-PUB-005", 2, "until")),
        ("code,offset,until\nA,5,31/12/2026\n", ("IS-PUB-005", 2, "until")),
        ("code,exclude\nA,no\n", ("IS-PUB-006", 2, "exclude")),
        ("code,until\nA,2026-12-31\n", ("IS-PUB-009", 2, "until")),
        ('code,buffer\n"A,3\n', ("IS-FIL-003", 2, "1")),
        ("code,buffer\n品番,3\n".encode("cp932"), ("IS-PUB-002", 2, "1")),
        ("code,buffer\nA,3\n".encode("utf-16"), ("IS-PUB-002", 1, "1")),
    ],
)
def test_what_is_wrong_is_named_with_its_row_and_column(
    content: bytes | str, found: tuple[str, int | None, str]
) -> None:
    assert faults(content) == [found]


def test_every_fault_of_a_file_is_named_at_once() -> None:
    assert faults("code,buffer,percent\nA,x,200\n,1,1\nB,3,3\nB,3,3\n") == [
        ("IS-FIL-013", 2, "buffer"),
        ("IS-PUB-004", 2, "percent"),
        ("IS-FIL-016", 3, "code"),
        ("IS-PUB-003", 5, "code"),
    ]
