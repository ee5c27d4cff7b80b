"""Whether a file may follow the one that was applied before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.ledger.files.guard import Applied, FileOrder, OrderedBy, check, is_repeat, order_of
from inventory_sync.ledger.files.parse import ParsedFile
from inventory_sync.ledger.files.problems import Confirm, FileRefused
from inventory_sync.ledger.files.profile import FileProfile, Mode
from tests.ledger.files.files_support import MINUTE, NOON, line, profile

HEADER = ("sku", "location", "quantity")
FIRST, SECOND = FileOrder(OrderedBy.TIME, 1), FileOrder(OrderedBy.TIME, 2)


def file(
    units: int = 100, rows: int = 10, *, header: tuple[str, ...] = HEADER, content: str = "b", mode: Mode = Mode.SET
) -> ParsedFile:
    lines = [line(f"S{number}", 0, row=number + 2, mode=mode) for number in range(rows)]
    if lines:
        lines[0] = line("S0", units, mode=mode)
    return ParsedFile("new.csv", content, header, tuple(lines))


def last(rows: int = 10, units: int = 100, order: FileOrder = FIRST, content: str = "a") -> Applied:
    return Applied("old.csv", content, order, HEADER, rows, units, NOON)


def codes(
    found: ParsedFile,
    before: Applied | None,
    order: FileOrder = SECOND,
    using: FileProfile | None = None,
    **options: object,
) -> list[str]:
    try:
        check(found, order, using or profile(), last=before, **options)  # type: ignore[arg-type]
    except FileRefused as refused:
        return [problem.code for problem in refused.problems]
    return []


def test_the_first_file_is_compared_with_nothing() -> None:
    assert codes(file(), None) == []


@pytest.mark.parametrize(
    ("rows", "units", "expected"),
    [
        (10, 100, []),
        (7, 100, []),
        (6, 100, ["IS-FIL-012"]),
        (10, 70, []),
        (10, 69, ["IS-FIL-012"]),
        (1, 1, ["IS-FIL-012", "IS-FIL-012"]),
        (500, 9000, []),
    ],
)
def test_rows_or_units_may_fall_by_thirty_percent(rows: int, units: int, expected: list[str]) -> None:
    assert codes(file(units, rows), last()) == expected


def test_the_limit_is_the_profiles_own_and_can_be_switched_off() -> None:
    assert codes(file(95, 10), last(), using=profile(shrink_percent=4)) == ["IS-FIL-012"]
    assert codes(file(0, 1), last(), using=profile(shrink_percent=100)) == []


def test_a_shrunken_file_is_taken_once_a_person_confirmed_it() -> None:
    assert codes(file(1, 1), last(), confirmed=[Confirm.SHRINK]) == []
    assert codes(file(1, 1), last(), confirmed=[Confirm.COLUMNS]) == ["IS-FIL-012", "IS-FIL-012"]


def test_a_file_without_rows_is_refused_until_confirmed_even_the_first_one() -> None:
    for before in (None, last()):
        assert codes(file(rows=0), before) == ["IS-FIL-011"]
        assert codes(file(rows=0), before, confirmed=[Confirm.SHRINK]) == []


def test_differences_have_no_total_to_shrink() -> None:
    assert codes(file(1, 1, mode=Mode.ADD), last()) == []


@pytest.mark.parametrize("header", [(*HEADER, "price"), ("sku", "quantity"), ("sku", "location", "Quantity")])
def test_other_columns_are_refused_until_confirmed(header: tuple[str, ...]) -> None:
    with pytest.raises(FileRefused) as caught:
        check(file(header=header), SECOND, profile(), last=last())
    assert [problem.code for problem in caught.value.problems] == ["IS-FIL-010"]
    assert caught.value.confirm == {Confirm.COLUMNS}
    assert codes(file(header=header), last(), confirmed=[Confirm.COLUMNS]) == []


def test_the_order_of_columns_may_change() -> None:
    assert codes(file(header=HEADER[::-1]), last()) == []


def test_an_older_file_is_refused_and_nobody_can_confirm_it() -> None:
    with pytest.raises(FileRefused) as caught:
        check(file(1, 1), FIRST, profile(), last=last(order=SECOND), confirmed=list(Confirm))
    assert [problem.code for problem in caught.value.problems] == ["IS-FIL-021"]
    assert caught.value.confirm is None
    assert "old.csv" in str(caught.value)


def test_of_two_files_of_one_second_neither_is_older_but_one_number_means_one_file() -> None:
    assert codes(file(), last(order=SECOND)) == []
    one = FileOrder(OrderedBy.SEQUENCE, 7)
    assert codes(file(), last(order=one), order=one) == ["IS-FIL-029"]


def test_times_and_numbers_are_never_compared_with_each_other() -> None:
    assert codes(file(), last(order=SECOND), order=FileOrder(OrderedBy.SEQUENCE, 1)) == []


def test_numbers_in_names_are_compared_as_numbers() -> None:
    using = profile(sequence=r"stock_(\d+)\.csv")
    nine, ten = (order_of(f"stock_{number}.csv", NOON, using) for number in ("009", "10"))
    assert (nine.number, ten.number) == (9, 10)
    for name in ("stock_.csv", "stock_1.csv.bak", "stock_" + "9" * 19 + ".csv", "stock_１.csv"):
        with pytest.raises(FileRefused) as caught:
            order_of(name, NOON, using)
        assert caught.value.problems[0].code == "IS-FIL-022"


def test_without_numbers_the_files_time_orders_them_to_the_microsecond() -> None:
    early, late = order_of("a", NOON, profile()), order_of("b", NOON + MINUTE, profile())
    assert late.number - early.number == 60_000_000


def test_the_very_same_file_again_is_a_repeat() -> None:
    assert is_repeat(file(), FIRST, profile(), last=None, same=[FIRST])


def test_what_adds_is_booked_once_under_whatever_time_it_comes() -> None:
    adds = file(mode=Mode.ADD)
    assert is_repeat(adds, SECOND, profile(), last=last(content="c"), same=[FIRST])
    assert not is_repeat(adds, SECOND, profile(), last=last(), same=[])


def test_quantities_may_return_to_what_an_earlier_file_said() -> None:
    assert is_repeat(file(content="a"), SECOND, profile(), last=last(content="a"), same=[FIRST])
    assert not is_repeat(file(content="a"), SECOND, profile(), last=last(content="c"), same=[FIRST])


def test_a_source_may_declare_that_equal_content_is_a_new_statement() -> None:
    using = profile(repeats=True)
    assert not is_repeat(file(content="a", mode=Mode.ADD), SECOND, using, last=last(content="a"), same=[FIRST])
    assert is_repeat(file(content="a", mode=Mode.ADD), FIRST, using, last=last(content="a"), same=[FIRST])


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 99))
def test_units_that_do_not_fall_never_trip_the_guard(before: int, more: int, percent: int) -> None:
    found = file(before + more)
    assert codes(found, last(rows=10, units=before), using=profile(shrink_percent=percent)) == []
