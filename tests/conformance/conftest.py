"""Prints what each adapter proves (`pytest tests/conformance -s`, or `-v`)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inventory_sync.conformance import BEHAVIOURS, Result, State, applying, table
from inventory_sync.embedded import EmbeddedPostgres
from tests.conformance.rigs import RIGS, new_database

PROPERTY = "conformance"
DATABASE = "conformance"
_STATES = {"passed": State.PROVEN, "failed": State.FAILED, "skipped": State.NOT_APPLICABLE}
_results: dict[str, dict[str, Result]] = {}


@pytest.fixture(scope="session")
def conformance_database(postgres: EmbeddedPostgres) -> str:
    """The URL of one migrated database for all rigs of this process that want one."""
    asyncio.run(new_database(postgres, DATABASE))
    return postgres.dsn_of(DATABASE)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when != "call" and report.passed:
        return
    for name, value in report.user_properties:
        if name == PROPERTY:
            adapter, _, shown = str(value).partition("/")
            known = _results.setdefault(adapter, applying(BEHAVIOURS, RIGS[adapter].definition))
            known[shown] = Result(_STATES[report.outcome], _why(report))


def _why(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):  # of a test that was skipped: file, line, reason
        return report.longrepr[2].removeprefix("Skipped: ")
    return "see above" if report.failed else ""


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if _results and (config.option.verbose > 0 or config.option.capture == "no"):
        terminalreporter.section("what each adapter proves")
        for line in table(BEHAVIOURS, dict(sorted(_results.items()))):
            terminalreporter.write_line(line)
