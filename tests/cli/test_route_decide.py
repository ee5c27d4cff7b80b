"""`route decide`: what waits to be booked is shown, and a person ends what is overdue."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from inventory_sync.store.db import Pool
from tests.cli.surroundings import FAILED, REFUSED, WRONG_USE, Terminal, _clean
from tests.engine.sales_books import Books

__all__ = ["_clean"]


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    """A terminal on a database with one overdue sale and one that is not."""

    async def trade(pool: Pool) -> None:
        books = Books(pool)
        await books.pair("shop", "a1", (("L1", 1, True),))
        await books.moved(("a1", -2, "1001"))
        books.now += timedelta(minutes=61)
        await books.release(names_causes=True)
        await books.moved(("a1", -1))

    made = Terminal(database, tmp_path, "route", "decide")
    made.on_pool(trade)
    return made


async def _sales(pool: Pool) -> list[tuple[int, str]]:
    return await Books(pool).sales()


def test_without_a_decision_it_shows_what_waits_and_changes_nothing(terminal: Terminal) -> None:
    shown = terminal.run("ledger-shop", "A-1").output
    assert "1001" in shown
    assert "should have been booked by" in shown
    assert "to be booked by" in shown
    assert "計上期限を経過" in terminal.run("ledger-shop", "A-1", language="ja").output
    found = terminal.json("ledger-shop", "A-1")
    assert found["decided"] is None
    assert [(sale["units"], sale["overdue"]) for sale in found["sales"]] == [(2, True), (1, False)]
    assert terminal.on_pool(_sales) == [(2, "overdue"), (1, "open")]


@pytest.mark.parametrize(("option", "state"), [("--booked", "booked"), ("--release", "released")])
def test_a_decision_ends_what_is_overdue(terminal: Terminal, option: str, state: str) -> None:
    assert "1 sales, 2 units are held no more" in terminal.run("ledger-shop", "A-1", option).output
    assert terminal.on_pool(_sales) == [(0, state), (1, "open")]


def test_what_is_not_overdue_is_not_decided(terminal: Terminal) -> None:
    terminal.run("ledger-shop", "A-1", "--release")
    refused = terminal.run("ledger-shop", "A-1", "--release", expect=REFUSED)
    assert "IS-RTE-040" in refused.stderr
    assert terminal.on_pool(_sales) == [(0, "released"), (1, "open")]


def test_a_decision_is_one_of_two(terminal: Terminal) -> None:
    assert "IS-CLI-009" in terminal.run("ledger-shop", "A-1", "--release", "--booked", expect=WRONG_USE).stderr
    assert terminal.on_pool(_sales) == [(2, "overdue"), (1, "open")]


def test_an_unknown_route_or_code_is_said_by_name(terminal: Terminal) -> None:
    assert "ledger-shop" in terminal.run("nowhere", "A-1", expect=FAILED).stderr
    assert "'B-2'" in terminal.run("ledger-shop", "B-2", expect=FAILED).stderr
