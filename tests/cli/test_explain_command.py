"""`explain`: headline first, then each number's arithmetic, then the timeline; in both languages, and as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory_sync.store.db import Pool
from tests.cli.surroundings import FAILED, WRONG_USE, Terminal, _clean
from tests.engine.sales_books import Books

__all__ = ["_clean"]


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    """A terminal on a database with one item of which two were sold and are to be booked."""

    async def trade(pool: Pool) -> None:
        books = Books(pool)
        await books.pair("shop", "a1", (("L1", 1, True),))
        await pool.execute('update items set codes = \'{"sku": "TEA-100"}\'')
        await pool.execute("update routes set buffer = 5")
        await books.moved(("a1", -2, "1001"))

    made = Terminal(database, tmp_path, "explain")
    made.on_pool(trade)
    return made


def test_a_person_reads_the_headline_first_then_the_arithmetic_then_what_happened(terminal: Terminal) -> None:
    shown = terminal.run("TEA-100", "--since", "9999d").stdout
    lines = shown.splitlines()
    assert lines[0].startswith("TEA-100: shop / shop-location shows ")
    assert "2 units were sold and are expected to be booked in the ledger" in lines[0]
    assert "− sold, not yet booked in the ledger 2 − buffer 5 = 93" in shown
    assert shown.index("Arithmetic") < shown.index("What happened since")
    assert "sale of 2 1001 waits to be booked" in shown


def test_the_same_is_said_in_japanese(terminal: Terminal) -> None:
    shown = terminal.run("TEA-100", "--since", "9999d", language="ja").stdout
    assert "売れた 2 個が台帳に計上されるのを待っています" in shown
    assert "安全在庫" in shown
    assert "経過" in shown


def test_json_has_every_part_under_stable_names(terminal: Terminal) -> None:
    found = terminal.json("TEA-100", "--since", "9999d")
    assert set(found) == {
        "code",
        "at",
        "since",
        "headline",
        "items",
        "numbers",
        "unmatched",
        "nearest",
        "timeline",
        "left_out",
    }
    [number] = found["numbers"]
    [pair] = terminal.rows("select channel_cell from pairs")
    assert number["cell"] == pair["channel_cell"]
    assert [each["cause"] for each in number["findings"]][:1] == ["sale_expected"]
    assert number["steps"][-1]["result"] == number["target"] == 93
    assert {each["kind"] for each in found["timeline"]} >= {"movement", "expected", "reading"}
    assert {each["codes"]["sku"] for each in found["items"]} == {"TEA-100"}


def test_only_as_many_events_as_asked_for_are_shown(terminal: Terminal) -> None:
    found = terminal.json("TEA-100", "--since", "9999d", "--limit", "1")
    assert len(found["timeline"]) == 1
    assert found["left_out"] >= 1
    assert "or more came before" in terminal.run("TEA-100", "--since", "9999d", "--limit", "1").stdout


def test_a_code_that_nobody_knows_fails_with_the_nearest(terminal: Terminal) -> None:
    shown = terminal.run("tea100", expect=FAILED).stdout
    assert 'No item of any connection has the code "tea100".' in shown
    assert '"TEA-100" (shop)' in shown
    found = terminal.json("tea100", expect=FAILED)
    assert {near["code"] for near in found["nearest"]} == {"TEA-100"}


def test_a_route_and_a_span_must_make_sense(terminal: Terminal) -> None:
    assert terminal.json("TEA-100", "--route", "ledger-shop")["numbers"]
    assert "nowhere" in terminal.run("TEA-100", "--route", "nowhere", expect=FAILED).stderr
    assert "IS-CLI-020" in terminal.run("TEA-100", "--since", "yesterday", expect=WRONG_USE).stderr
