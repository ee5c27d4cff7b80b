"""`ledger` at the command line: what is printed, what is booked, and what a script can rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory_sync.cli.ledger_texts import LEDGER_TEXTS
from inventory_sync.ledger import book as ledger
from inventory_sync.ledger.values import Item
from inventory_sync.store.db import Pool
from tests.cli.surroundings import FAILED, REFUSED, WRONG_USE, Terminal, _clean
from tests.ledger.ledger_support import START

__all__ = ["_clean"]


def make_book(terminal: Terminal, name: str) -> None:
    async def make(pool: Pool) -> None:
        book = await ledger.ensure_book(pool, name, new_id=lambda: f"of-{name}", now=START)
        await ledger.put_items(pool, book, [Item("A", "Apple")], now=START)

    terminal.on_pool(make)


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    found = Terminal(database, tmp_path, "ledger")
    make_book(found, "warehouse")
    return found


def test_a_count_and_a_change_are_booked_and_shown(terminal: Terminal) -> None:
    assert "A (main / stock): +8 → 8" in terminal.run("set", "A", "8", "--reason", "棚卸").stdout
    assert "A (main / stock): -3 → 5" in terminal.run("adjust", "A", "-3", "--kind", "loss").stdout
    shown = terminal.run("get", "A").stdout
    assert "On hand" in shown
    (level,) = terminal.json("get", "A")["levels"]
    assert (level["location"], level["quantity"], level["on_hand"], level["owed"]) == ("main", 5, 5, 0)
    entries = terminal.json("entries", "A")["entries"]
    assert [(e["kind"], e["delta"], e["reason"]) for e in entries] == [("count", 8, "棚卸"), ("loss", -3, "")]
    assert all(e["actor"].startswith("cli") for e in entries)
    assert "棚卸" in terminal.run("entries").stdout


def test_the_same_key_books_once(terminal: Terminal) -> None:
    first = terminal.json("adjust", "A", "4", "--key", "k")
    again = terminal.json("adjust", "A", "4", "--key", "k")
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert "booked before" in terminal.run("adjust", "A", "4", "--key", "k").stdout
    assert "IS-LDG-021" in terminal.run("adjust", "A", "5", "--key", "k", expect=FAILED).output
    assert terminal.json("get", "A")["levels"][0]["quantity"] == 4


def test_going_below_zero_is_refused_and_a_sale_is_owed(terminal: Terminal) -> None:
    refused = terminal.run("adjust", "A", "-1", expect=REFUSED).output
    assert "IS-LDG-016" in refused
    assert "kind sale" in refused
    assert "1 of them are sold and not there" in terminal.run("adjust", "A", "-1", "--kind", "sale").stdout
    assert terminal.json("get", "A")["levels"][0]["owed"] == 1


def test_a_count_of_the_past_keeps_what_came_later(terminal: Terminal) -> None:
    terminal.run("adjust", "A", "5")
    terminal.run("set", "A", "2", "--as-of", "2026-01-01T00:00:00+09:00")
    assert terminal.json("get", "A")["levels"][0]["quantity"] == 7
    terminal.run("set", "A", "3")
    assert "newer count" in terminal.run("set", "A", "9", "--as-of", "2026-01-01T00:00:00+09:00").stdout
    assert "+09:00" in terminal.run("set", "A", "9", "--as-of", "2026-01-01", expect=WRONG_USE).output


def test_what_does_not_exist_is_named_in_the_readers_language(terminal: Terminal) -> None:
    assert "no level of it yet" in terminal.run("get", "nothing").stdout
    assert "IS-LDG-012" in terminal.run("adjust", "a", "1", expect=FAILED).output
    japanese = terminal.run("adjust", "a", "1", expect=FAILED, language="ja").output
    assert "空白も含めてSKUを確認" in japanese
    assert "IS-LDG-030" in terminal.run("get", "A", "--book", "shop", expect=FAILED).output


def test_with_several_books_one_has_to_be_named(terminal: Terminal) -> None:
    make_book(terminal, "second")
    assert "second, warehouse" in terminal.run("get", "A", expect=WRONG_USE).output
    terminal.run("set", "A", "3", "--book", "second")
    assert terminal.json("get", "A", "--book", "warehouse")["levels"] == []


def test_a_key_is_shown_once_and_can_be_ended(terminal: Terminal) -> None:
    made = terminal.json("keys", "create", "wms")
    assert made["key"].startswith(f"isl_{made['prefix']}_")
    shown = terminal.run("keys", "create", "eyes", "--read-only").stdout
    assert "isl_" in shown
    listed = terminal.run("keys", "list").stdout
    assert made["prefix"] in listed
    assert made["key"] not in listed
    assert [(k["name"], k["scope"]) for k in terminal.json("keys", "list")["keys"]] == [
        ("wms", "write"),
        ("eyes", "read"),
    ]
    assert "IS-LDG-031" in terminal.run("keys", "create", "wms", expect=FAILED).output
    assert made["prefix"] in terminal.run("keys", "revoke", "wms").stdout
    assert "IS-LDG-032" in terminal.run("keys", "revoke", "wms", expect=FAILED).output
    assert terminal.json("keys", "list")["keys"][0]["revoked_at"] is not None


def test_items_locations_and_labels_are_put_and_listed(terminal: Terminal) -> None:
    assert "1 new" in terminal.run("items", "put", "B ", "--name", "Banana", "--barcode", "49").stdout
    assert terminal.json("items", "put", "B ", "--untracked") == {
        "book": "warehouse",
        "created": 0,
        "changed": 1,
        "same": 0,
    }
    assert [item["sku"] for item in terminal.json("items", "list")["items"]] == ["A", "B "]
    assert "Apple" in terminal.run("items", "list").stdout
    terminal.run("locations", "put", "back", "--name", "倉庫", "--closed")
    assert [(p["key"], p["active"]) for p in terminal.json("locations", "list")["locations"]] == [
        ("back", False),
        ("main", True),
    ]
    assert "倉庫" in terminal.run("locations", "list").stdout
    terminal.run("labels", "put", "loose", "--negative")
    assert terminal.json("labels", "list")["labels"] == [
        {"name": "loose", "negative": True},
        {"name": "stock", "negative": False},
    ]
    assert "yes" in terminal.run("labels", "list").stdout
    terminal.run("adjust", "A", "-2", "--label", "loose")
    assert "IS-LDG-011" in terminal.run("items", "put", "", expect=FAILED).output


def test_a_webhook_is_set_up_for_an_address_that_may_be_called(terminal: Terminal) -> None:
    assert "IS-CON-006" in terminal.run("hooks", "add", "http://10.0.0.1/x", expect=FAILED).output
    made = terminal.json("hooks", "add", "https://wms.example.com/stock")
    assert made["secret"].startswith("whsec_")
    listed = terminal.run("hooks", "list").stdout
    assert "https://wms.example.com/stock" in listed
    assert made["secret"] not in listed
    assert terminal.json("hooks", "list")["hooks"][0]["id"] == made["id"]
    terminal.run("hooks", "remove", str(made["id"]))
    assert terminal.json("hooks", "list")["hooks"] == []
    assert "whsec_" in terminal.run("hooks", "add", "https://wms.example.com/stock").stdout


def test_every_sentence_is_said_in_both_languages() -> None:
    for key, (japanese, english) in LEDGER_TEXTS.items():
        assert japanese, key
        assert not any("\u3040" <= char <= "\u9fff" for char in english), key
