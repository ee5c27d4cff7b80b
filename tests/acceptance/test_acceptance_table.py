"""The table of acceptance rows, and how its rows are counted."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.acceptance.plugin import Row, Tally, complaints, read_rows

ROWS = {
    "S0-1": Row("S0-1", "S0", "F"),
    "S0-2": Row("S0-2", "S0", "B/C"),
    "S0-3": Row("S0-3", "S0", "N"),
}


def test_the_table_has_as_many_rows_of_each_group_as_its_summary_says() -> None:
    counted = Counter((row.product, row.group) for row in read_rows().values())
    expected = {"S0": (31, 15, 9), "S1": (22, 48, 21), "S2": (15, 31, 4), "S3": (10, 10, 22), "S4": (27, 12, 3)}
    groups = ("behaviour", "guide step", "no effect")
    assert {product: tuple(counted[product, group] for group in groups) for product in expected} == expected
    assert sum(counted.values()) == 280


def test_a_row_is_proven_only_if_every_test_that_names_it_passed() -> None:
    tally = Tally(ROWS)
    assert tally.state(ROWS["S0-1"]) == "not yet"
    tally.note("S0-1", "one", passed=True)
    assert tally.state(ROWS["S0-1"]) == "proven"
    tally.note("S0-1", "two", passed=False)
    tally.note("S0-1", "two", passed=True)
    assert tally.state(ROWS["S0-1"]) == "not yet"


def test_the_figures_of_a_product_count_behaviours_and_guide_steps_apart() -> None:
    tally = Tally(ROWS)
    tally.note("S0-2", "one", passed=True)
    assert tally.lines()[-1].split() == ["all", "0", "of", "1", "1", "of", "1", "1"]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        (["S0-1", "S0-2"], ""),
        (["S9-9"], "no such row"),
        (["S0-3"], "no product effect"),
        (["S0-1", "S0-1"], "named twice"),
        (["S0-1"] * 4, "at most 3"),
    ],
)
def test_marks_that_prove_nothing_are_refused(marked: list[str], expected: str) -> None:
    found = "; ".join(complaints(marked, ROWS))
    assert expected in found
    assert bool(found) is bool(expected)
