"""The table of acceptance rows, and how its rows are counted."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from tests.acceptance.plugin import AcceptancePlugin, Row, Tally, complaints, read_reasons, read_rows, wrong_reasons

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


def test_a_row_that_is_not_proven_says_why_in_its_line() -> None:
    tally = Tally(ROWS, [("S0-1", "it comes later")])
    assert tally.lines()[0].split(maxsplit=2)[2] == "not yet: it comes later"
    assert tally.lines()[1].split(maxsplit=2)[2] == "not yet"
    tally.note("S0-1", "one", passed=False)
    assert tally.lines()[0].endswith("not yet: it comes later one (failed)")
    assert tally.stale() == []


@pytest.mark.parametrize(("passed", "status"), [(True, pytest.ExitCode.TESTS_FAILED), (False, pytest.ExitCode.OK)])
def test_a_reason_of_a_row_that_is_proven_fails_the_run(
    pytestconfig: pytest.Config, passed: bool, status: pytest.ExitCode
) -> None:
    plugin = AcceptancePlugin(pytestconfig, [("S0-1", "it comes later")])
    plugin.tally.note("S0-1", "one", passed=passed)
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    plugin.pytest_sessionfinish(session)
    assert session.exitstatus is status
    said: list[str] = []
    plugin.wanted = False
    plugin.pytest_terminal_summary(SimpleNamespace(write_line=lambda text, **_: said.append(text)))
    assert len(said) == int(passed)


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([("S0-1", "later")], ""),
        ([("S9-9", "later")], "no such row"),
        ([("S0-3", "later")], "no product effect"),
        ([("S0-1", "")], "has no reason"),
        ([("S0-1", "later"), ("S0-1", "never")], "stands twice"),
    ],
)
def test_a_list_of_reasons_that_fits_no_table_is_refused(
    pytestconfig: pytest.Config, reasons: list[tuple[str, str]], expected: str
) -> None:
    found = "; ".join(wrong_reasons(reasons, ROWS))
    assert expected in found
    assert bool(found) is bool(expected)


def test_the_reasons_are_checked_before_any_test_runs(pytestconfig: pytest.Config) -> None:
    AcceptancePlugin(pytestconfig).pytest_collection_modifyitems(pytestconfig, [])
    with pytest.raises(pytest.UsageError, match=r"reasons.csv: no such row: S9-9"):
        AcceptancePlugin(pytestconfig, [("S9-9", "later")]).pytest_collection_modifyitems(pytestconfig, [])
    assert wrong_reasons(read_reasons(), read_rows()) == []
