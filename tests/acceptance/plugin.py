"""Counts which rows of the acceptance table are proven by tests that pass (`make acceptance`).

A test names its rows with `@pytest.mark.row("S2-3")`. A row is proven if tests name it and every one of them passed.
Marks are checked in every run: an unknown row, a row without product effect, or more than three behaviour rows in one
test are errors. `reasons.csv` says of rows that are not proven why not; a row that is proven and still has a reason
there fails the run.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BEHAVIOUR_KINDS = frozenset("RFESW")
GUIDE_KINDS = frozenset("BCP")
MOST_BEHAVIOURS_PER_TEST = 3
_PROPERTY = "acceptance_row"
_PRODUCTS = {"S0": "dfplus.io", "S1": "ReCORE", "S2": "DEXTRE", "S3": "Commerce Robo", "S4": "Smaregi"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. `kind` is one letter, or two such as "B/C"; the first one decides."""

    id: str
    product: str
    kind: str

    @property
    def group(self) -> str:
        """`behaviour`, `guide step` or `no effect`."""
        if self.kind[0] in BEHAVIOUR_KINDS:
            return "behaviour"
        return "guide step" if self.kind[0] in GUIDE_KINDS else "no effect"


def read_rows() -> dict[str, Row]:
    """The table, by row id, in its own order."""
    with Path(__file__).with_name("rows.csv").open(newline="") as file:
        rows = [Row(**line) for line in csv.DictReader(file)]
    return {row.id: row for row in rows}


def read_reasons(path: Path | None = None) -> list[tuple[str, str]]:
    """Why rows are not proven: (row id, reason), in the file's order."""
    with (path or Path(__file__).with_name("reasons.csv")).open(newline="") as file:
        return [(line["id"], line["reason"]) for line in csv.DictReader(file)]


def wrong_reasons(reasons: list[tuple[str, str]], rows: dict[str, Row]) -> list[str]:
    """What is wrong with the list of reasons itself."""
    found = [f"no such row: {name}" for name, _ in reasons if name not in rows]
    found += [
        f"{name} has no product effect" for name, _ in reasons if name in rows and rows[name].group == "no effect"
    ]
    found += [f"{name} has no reason" for name, reason in reasons if not reason]
    found += [f"{name} stands twice" for name, times in Counter(name for name, _ in reasons).items() if times > 1]
    return found


def complaints(marked: list[str], rows: dict[str, Row]) -> list[str]:
    """What is wrong with the rows that one test names."""
    found = [f"no such row: {name}" for name in marked if name not in rows]
    known = [rows[name] for name in marked if name in rows]
    found += [f"{row.id} has no product effect and cannot be proven" for row in known if row.group == "no effect"]
    found += [f"{name} is named twice" for name, times in Counter(marked).items() if times > 1]
    behaviours = sum(row.group == "behaviour" for row in known)
    if behaviours > MOST_BEHAVIOURS_PER_TEST:
        found.append(f"{behaviours} behaviour rows in one test; at most {MOST_BEHAVIOURS_PER_TEST}, so split it")
    return found


class Tally:
    """Which rows the tests of a run named, and how those tests ended."""

    def __init__(self, rows: dict[str, Row], reasons: list[tuple[str, str]] | None = None) -> None:
        self.rows = rows
        self.reasons = dict(reasons or [])
        self._outcomes: dict[str, dict[str, bool]] = defaultdict(dict)

    def note(self, row: str, test: str, passed: bool) -> None:
        """Note one phase (set-up, call, tear-down) of a test; one bad phase spoils the test."""
        self._outcomes[row][test] = self._outcomes[row].get(test, True) and passed

    def state(self, row: Row) -> str:
        """`proven`, `not yet`, or `no effect` of a row."""
        if row.group == "no effect":
            return "no effect"
        outcomes = self._outcomes.get(row.id, {})
        return "proven" if outcomes and all(outcomes.values()) else "not yet"

    def stale(self) -> list[str]:
        """Rows that are proven and still have a reason why they are not."""
        return [name for name in self.reasons if name in self.rows and self.state(self.rows[name]) == "proven"]

    def tests(self, row: Row) -> list[str]:
        """The tests that name a row, those that failed marked."""
        return [test if passed else f"{test} (failed)" for test, passed in sorted(self._outcomes[row.id].items())]

    def lines(self) -> list[str]:
        """Row by row, then the two figures per product."""
        text = [self._line(row) for row in self.rows.values()]
        text += ["", f"{'product':<20}{'behaviours':>14}{'guide steps':>14}{'no effect':>12}"]
        for product in [*sorted({row.product for row in self.rows.values()}), "all"]:
            chosen = [row for row in self.rows.values() if product in ("all", row.product)]
            title = f"{product} {_PRODUCTS.get(product, '')}".strip()
            figures = [self._figure(chosen, group) for group in ("behaviour", "guide step")]
            without = sum(row.group == "no effect" for row in chosen)
            text.append(f"{title:<20}{figures[0]:>14}{figures[1]:>14}{without:>12}")
        return text

    def _line(self, row: Row) -> str:
        state, reason = self.state(row), self.reasons.get(row.id, "")
        if reason and state == "not yet":
            state = f"{state}: {reason}"
        return f"{row.id:<6} {row.kind:<4} {state:<10} {', '.join(self.tests(row))}".rstrip()

    def _figure(self, rows: list[Row], group: str) -> str:
        chosen = [row for row in rows if row.group == group]
        return f"{sum(self.state(row) == 'proven' for row in chosen)} of {len(chosen)}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--acceptance", action="store_true", help="run the tests that prove acceptance rows, and print the table"
    )


class AcceptancePlugin:
    """The hooks, sharing one table and one tally."""

    def __init__(self, config: pytest.Config, reasons: list[tuple[str, str]] | None = None) -> None:
        self.wanted = bool(config.getoption("--acceptance"))
        self.reasons = read_reasons() if reasons is None else reasons
        self.tally = Tally(read_rows(), self.reasons)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        problems = [f"reasons.csv: {text}" for text in wrong_reasons(self.reasons, self.tally.rows)]
        for item in items:
            marked = [str(name) for mark in item.iter_markers("row") for name in mark.args]
            problems += [f"{item.nodeid}: {text}" for text in complaints(marked, self.tally.rows)]
            item.user_properties.extend((_PROPERTY, name) for name in marked)
        if problems:
            raise pytest.UsageError("acceptance rows: " + "; ".join(problems))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # Set-up and tear-down only count when they go wrong; a skipped test proves nothing.
        for name, value in report.user_properties:
            if name == _PROPERTY and (report.when == "call" or not report.passed):
                self.tally.note(str(value), report.nodeid, report.passed)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.tally.stale() and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for name in self.tally.stale():
            terminalreporter.write_line(f"ERROR {name} is proven and still has a reason in reasons.csv", red=True)
        if self.wanted:
            terminalreporter.section("acceptance")
            for line in self.tally.lines():
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--acceptance"):
        config.option.markexpr = "row"
    config.pluginmanager.register(AcceptancePlugin(config), "acceptance-rows")
