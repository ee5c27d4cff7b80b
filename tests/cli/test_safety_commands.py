"""`brake`, `route stocktake`, `route count` and `quarantine`, as a person types them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from inventory_sync.cli.main import app
from inventory_sync.store.db import open_pool
from tests.engine.bench import Setup, furnish

DONE, FAILED, WRONG_USE, REFUSED = 0, 1, 2, 3


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in tuple(os.environ):
        if name.startswith("INVENTORY_SYNC_"):
            monkeypatch.delenv(name)
    yield
    structlog.reset_defaults()


class Terminal:
    """A person at a terminal, on the database of a house where something is held."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, *arguments: str, expect: int = DONE, language: str = "en") -> Result:
        environ = {
            "INVENTORY_SYNC_DATABASE_URL": self.url,
            "INVENTORY_SYNC_SECRET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "INVENTORY_SYNC_LANGUAGE": language,
        }
        found = CliRunner().invoke(app, list(arguments), env=environ)
        assert found.exit_code == expect, (found.exit_code, found.output, found.exception)
        return found

    def document(self, *arguments: str) -> Any:
        return orjson.loads(self.run(*arguments, "--json").stdout)

    def rows(self, query: str) -> list[Any]:
        async def ask() -> list[Any]:
            pool = await open_pool(self.url, size=1)
            try:
                return list(await pool.fetch(query))
            finally:
                await pool.close()

        return asyncio.run(ask())


@pytest.fixture
def terminal(database: str) -> Terminal:
    async def live() -> None:
        pool = await open_pool(database, size=4)
        bench = await furnish(pool, Setup(codes=("A-1", "B-2"), ledger=10))
        await bench.align()
        bench.move_ledger("A-1", 5000)
        await bench.rest()
        await bench.tasks.kill()
        await pool.close()

    asyncio.run(live())
    return Terminal(database)


def test_what_is_held_is_shown_and_let_go(terminal: Terminal) -> None:
    shown = terminal.run("brake", "show").stdout
    assert "A-1" in shown
    assert "5010" in shown
    [held] = terminal.document("brake", "show")["held"]
    assert (held["route"], held["side"], held["units"], held["before"]) == ("pos-shop", "ledger", 5000, 10)
    assert "急な変動" in terminal.run("brake", "show", language="ja").stdout

    terminal.run("brake", "release", expect=WRONG_USE)
    terminal.run("brake", "release", "pos-shop", "--all", expect=WRONG_USE)
    terminal.run("brake", "release", "pos-shop", "--for", "soon", expect=WRONG_USE)
    terminal.run("brake", "release", "pos-shop", "--for", "25h", expect=REFUSED)
    terminal.run("brake", "release", "elsewhere", expect=FAILED)
    assert len(terminal.document("brake", "show")["held"]) == 1, "nothing was changed"

    [done] = terminal.document("brake", "release", "--all", "--for", "30m")["released"]
    assert (done["route"], done["movements"]) == ("pos-shop", 1)
    after = terminal.document("brake", "show")
    assert after["held"] == []
    assert list(after["off"]) == ["pos-shop"]
    assert "is off until" in terminal.run("brake", "show").stdout
    [entry] = terminal.rows("select actor from audit where action = 'brake.released'")
    assert entry["actor"].startswith("cli")
    assert terminal.document("brake", "release", "--all")["released"] == []


def test_a_stock_take_begins_shows_and_ends(terminal: Terminal) -> None:
    terminal.run("route", "stocktake", "pos-shop", "end", "--accept", expect=REFUSED)
    terminal.run("route", "stocktake", "pos-shop", "begin", expect=WRONG_USE)
    terminal.run("route", "stocktake", "pos-shop", "show", "--accept", expect=WRONG_USE)
    assert "stock-take since" in terminal.run("route", "stocktake", "pos-shop", "start").stdout
    terminal.run("route", "stocktake", "pos-shop", "start", expect=REFUSED)
    assert "--accept" in terminal.run("route", "stocktake", "pos-shop", "end").stdout
    assert terminal.document("route", "stocktake", "pos-shop", "show")["cells"] == []
    done = terminal.document("route", "stocktake", "pos-shop", "end", "--accept")
    assert done == {"route": "pos-shop", "released": 0, "left_held": 0, "settled_units": 0}
    assert "棚卸中ではありません" in terminal.run("route", "stocktake", "pos-shop", "show", language="ja").stdout


def test_a_count_settles_and_a_cell_is_kept_out(terminal: Terminal) -> None:
    terminal.run("route", "count", "pos-shop", "B-2", expect=REFUSED)
    terminal.run("route", "count", "pos-shop", "Z-9", expect=FAILED)
    terminal.rows("update pairs set uncertain = 3 where value = 'B-2' returning id")
    assert terminal.document("route", "count", "pos-shop", "B-2")["settled_units"] == 3

    [pair] = terminal.rows("select channel_cell from pairs where value = 'B-2'")
    cell = str(pair["channel_cell"])
    assert terminal.document("quarantine", "exclude", cell)["excluded"] == [int(cell)]
    english, japanese = (terminal.run("quarantine", "list", language=each).stdout for each in ("en", "ja"))
    assert "a person keeps it out" in english
    assert "人が対象外にしました" in japanese
    assert "person" not in japanese
    assert "B-2" in english, "the code, as a name alone may stand for several variants"
    terminal.run("quarantine", "retry", cell, expect=REFUSED)
    assert terminal.document("quarantine", "retry", "--all")["released"] == [], "what a person keeps out stays out"
    terminal.run("quarantine", "exclude", "999999", expect=FAILED)
    assert len(terminal.document("quarantine", "release", cell)["released"]) == 1
    assert terminal.document("quarantine", "list")["cells"] == []


def test_what_runs_away_is_let_in_by_name_only(terminal: Terminal) -> None:
    [pair] = terminal.rows(
        "with q as (insert into quarantine (cell_id, code, reason, since) "
        "select channel_cell, 'IS-SAF-001', 'its movements grow from each to the next', now() from pairs "
        "where value = 'B-2' returning cell_id) "
        "update cells set quarantined = true where id in (select cell_id from q) or id in "
        "(select channel_cell from pairs where value = 'B-2') returning id as channel_cell"
    )
    assert "暴走" in terminal.run("quarantine", "list", language="ja").stdout
    assert terminal.document("quarantine", "retry", "--all")["released"] == [], "no partner refused it"
    assert len(terminal.document("quarantine", "release", str(pair["channel_cell"]))["released"]) == 1
