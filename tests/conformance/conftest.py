"""Prints what each adapter proves (`pytest tests/conformance -s`, or `-v`)."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.conformance import BEHAVIOURS, State, table

PROPERTY = "conformance"
_STATES = {"passed": State.PROVEN, "failed": State.FAILED, "skipped": State.NOT_APPLICABLE}
_results: dict[str, dict[str, State]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when != "call" and report.passed:
        return
    for name, value in report.user_properties:
        if name == PROPERTY:
            adapter, _, shown = str(value).partition("/")
            _results.setdefault(adapter, {})[shown] = _STATES[report.outcome]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if _results and (config.option.verbose > 0 or config.option.capture == "no"):
        terminalreporter.section("what each adapter proves")
        for line in table(BEHAVIOURS, dict(sorted(_results.items()))):
            terminalreporter.write_line(line)
