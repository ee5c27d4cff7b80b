"""`route decide`: what waits to be booked is shown, and a person ends what is overdue."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import orjson
import pytest
import structlog
import typer
from click.testing import Result
from typer.testing import CliRunner

from inventory_sync.cli.route_decide import register
from inventory_sync.store.db import open_pool
from tests.engine.sales_books import Books

T = TypeVar("T")
DONE, FAILED, WRONG_USE, REFUSED = 0, 1, 2, 3


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in tuple(os.environ):
        if name.startswith("INVENTORY_SYNC_"):
            monkeypatch.delenv(name)
    yield
    structlog.reset_defaults()


class Terminal:
    """A person at a terminal, on a database with one overdue sale and one that is not."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.app = typer.Typer()
        self.app.callback()(lambda: None)
        register(self.app)

    def run(self, *arguments: str, expect: int = DONE, language: str = "en") -> Result:
        environ = {
            "INVENTORY_SYNC_DATABASE_URL": self.url,
            "INVENTORY_SYNC_SECRET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "INVENTORY_SYNC_LANGUAGE": language,
        }
        found = CliRunner().invoke(self.app, ["decide", *arguments], env=environ)
        assert found.exit_code == expect, (found.exit_code, found.output, found.exception)
        return found

    def on_books(self, work: Callable[[Books], Awaitable[T]]) -> T:
        async def with_pool() -> T:
            pool = await open_pool(self.url, size=2)
            try:
                return await work(Books(pool))
            finally:
                await pool.close()

        return asyncio.run(with_pool())


@pytest.fixture
def terminal(database: str) -> Terminal:
    made = Terminal(database)

    async def trade(books: Books) -> None:
        await books.pair("shop", "a1", (("L1", 1, True),))
        await books.moved(("a1", -2, "1001"))
        books.now += timedelta(minutes=61)
        await books.release(names_causes=True)
        await books.moved(("a1", -1))

    made.on_books(trade)
    return made


async def _sales(books: Books) -> list[tuple[int, str]]:
    return await books.sales()


def test_without_a_decision_it_shows_what_waits_and_changes_nothing(terminal: Terminal) -> None:
    shown = terminal.run("ledger-shop", "A-1").output
    assert "1001" in shown
    assert "should have been booked by" in shown
    assert "to be booked by" in shown
    assert "計上期限を経過" in terminal.run("ledger-shop", "A-1", language="ja").output
    found: dict[str, Any] = orjson.loads(terminal.run("ledger-shop", "A-1", "--json").stdout)
    assert found["decided"] is None
    assert [(sale["units"], sale["overdue"]) for sale in found["sales"]] == [(2, True), (1, False)]
    assert terminal.on_books(_sales) == [(2, "overdue"), (1, "open")]


@pytest.mark.parametrize(("option", "state"), [("--booked", "booked"), ("--release", "released")])
def test_a_decision_ends_what_is_overdue(terminal: Terminal, option: str, state: str) -> None:
    assert "1 sales, 2 units are held no more" in terminal.run("ledger-shop", "A-1", option).output
    assert terminal.on_books(_sales) == [(0, state), (1, "open")]


def test_what_is_not_overdue_is_not_decided(terminal: Terminal) -> None:
    terminal.run("ledger-shop", "A-1", "--release")
    refused = terminal.run("ledger-shop", "A-1", "--release", expect=REFUSED)
    assert "IS-RTE-040" in refused.stderr
    assert terminal.on_books(_sales) == [(0, "released"), (1, "open")]


def test_a_decision_is_one_of_two(terminal: Terminal) -> None:
    assert "IS-CLI-009" in terminal.run("ledger-shop", "A-1", "--release", "--booked", expect=WRONG_USE).stderr
    assert terminal.on_books(_sales) == [(2, "overdue"), (1, "open")]


def test_an_unknown_route_or_code_is_said_by_name(terminal: Terminal) -> None:
    assert "ledger-shop" in terminal.run("nowhere", "A-1", expect=FAILED).stderr
    assert "'B-2'" in terminal.run("ledger-shop", "B-2", expect=FAILED).stderr
