"""`ledger import` and `ledger export` at the command line: what is booked, what is printed, and the exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import reading
from inventory_sync.ledger.values import Item
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from tests.cli import surroundings
from tests.cli.surroundings import DONE, FAILED, REFUSED, WRONG_USE, _clean
from tests.ledger.files.files_support import HEADER, MINUTE, NOON, drop, receipt_rows

__all__ = ["_clean"]


class Terminal(surroundings.Terminal):
    """A person at a terminal, in a directory, with one built-in ledger."""

    def __init__(self, url: str, directory: Path) -> None:
        super().__init__(url, directory, "ledger")
        self.directory = directory

    def file(self, content: str | bytes, name: str = "stock.csv", age: int = 0) -> str:
        return str(drop(self.directory, name, content, NOON - age * MINUTE))

    def make_book(self, name: str) -> None:
        async def make(pool: Pool) -> None:
            book = await ledger.ensure_book(pool, name, new_id=lambda: f"of-{name}", now=NOON)
            await ledger.put_items(pool, book, [Item("A"), Item("B")], now=NOON)

        self.on_pool(make)

    def levels(self, name: str = "warehouse") -> dict[str, int]:
        async def read(pool: Pool) -> dict[str, int]:
            book = await ledger.find_book(pool, name)
            return {level.sku: level.quantity for level in await reading.levels(pool, book)}

        return self.on_pool(read)

    def declare(self, settings: dict[str, Any], name: str = "warehouse") -> None:
        async def insert(pool: Pool) -> None:
            await db.value(
                pool, "insert_connection", name=name, system="builtin", settings=settings, secrets=None, now=NOON
            )

        self.on_pool(insert)


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    found = Terminal(database, tmp_path)
    found.make_book("warehouse")
    return found


def test_a_file_is_booked_once_however_often_it_is_given(terminal: Terminal) -> None:
    path = terminal.file(HEADER + "A,main,3\nB,main,4\n")
    assert "stock.csv: booked 2" in terminal.run("import", path).stdout
    assert terminal.levels() == {"A": 3, "B": 4}
    assert "applied before" in terminal.run("import", path).stdout


def test_a_dry_run_says_what_would_happen_and_books_nothing(terminal: Terminal) -> None:
    path = terminal.file(HEADER + "A,main,3\n")
    assert "Dry run" in terminal.run("import", path, "--dry-run").stdout
    assert terminal.levels() == {}
    terminal.run("import", path)
    assert terminal.levels() == {"A": 3}


def test_a_bad_file_is_refused_whole_with_every_place_and_a_receipt(terminal: Terminal) -> None:
    path = terminal.file(HEADER + "A,main,3\nB,main,１２\n,main,1\n")
    receipt = terminal.directory / "receipt.csv"
    found = terminal.run("import", path, "--receipt", str(receipt), expect=FAILED)
    assert "stock.csv, row 3, column quantity" in found.stderr
    assert "write 12. [IS-FIL-013]" in found.stderr
    assert "row 4, column sku" in found.stderr
    assert "Nothing was booked." in found.stderr
    assert [row["outcome"] for row in receipt_rows(receipt)] == ["not_applied", "refused", "refused"]
    assert terminal.levels() == {}


def test_the_safety_rules_have_their_own_exit_code_and_a_person_may_overrule_two_of_them(terminal: Terminal) -> None:
    terminal.run("import", terminal.file(HEADER + "A,main,50\nB,main,50\n", age=9))
    smaller = terminal.file("sku,location,quantity,price\nA,main,5,9\n")
    found = terminal.run("import", smaller, expect=REFUSED)
    assert "Refused by a safety rule" in found.stderr
    assert "--confirm-columns" in found.stderr
    assert "--confirm-shrink" in found.stderr
    terminal.run("import", smaller, "--confirm-columns", expect=REFUSED)
    terminal.run("import", smaller, "--confirm-shrink", expect=REFUSED)
    assert terminal.levels()["A"] == 50
    terminal.run("import", smaller, "--confirm-columns", "--confirm-shrink")
    assert terminal.levels() == {"A": 5, "B": 50}
    older = terminal.file("sku,location,quantity,price\nA,main,6,9\n", "older.csv", age=5)
    terminal.run("import", older, "--confirm-columns", "--confirm-shrink", expect=REFUSED)
    assert terminal.levels() == {"A": 5, "B": 50}


def test_a_script_reads_the_outcome_as_json(terminal: Terminal) -> None:
    good = orjson.loads(terminal.run("import", terminal.file(HEADER + "A,main,3\n", age=1), "--json").stdout)
    assert (good["book"], good["verdict"], good["counts"]) == ("warehouse", "applied", {"booked": 1})
    found = terminal.run("import", terminal.file(HEADER + "A,main,-3\n"), "--json", expect=FAILED)
    (problem,) = orjson.loads(found.stdout)["problems"]
    assert (problem["code"], problem["row"], problem["column"], problem["offset"]) == (
        "IS-FIL-014",
        2,
        "quantity",
        len(HEADER + "A,main,"),
    )


def test_unknown_items_are_named_and_made_on_request(terminal: Terminal) -> None:
    path = terminal.file(HEADER + "A ,main,3\n")
    found = terminal.run("import", path, expect=FAILED)
    assert 'has a blank (U+0020) at the end; "A" has none' in found.stderr
    terminal.run("import", path, "--make-items")
    assert terminal.levels() == {"A ": 3}


def test_the_connection_declares_its_profiles(terminal: Terminal) -> None:
    columns = {"sku": "品番", "quantity": "在庫数"}
    terminal.declare({"files": {"nightly": {"encoding": "cp932", "columns": columns, "location": "main"}}})
    path = terminal.file("品番,在庫数\r\nA,7\r\n".encode("cp932"))
    terminal.run("import", path, "--profile", "nightly")
    assert terminal.levels() == {"A": 7}
    found = terminal.run("import", path, "--profile", "weekly", expect=WRONG_USE)
    assert "default, nightly" in found.stderr


def test_a_profile_may_stand_in_a_file_of_its_own(terminal: Terminal) -> None:
    declared = terminal.directory / "profile.yaml"
    declared.write_text("format: tsv\ncolumns: {sku: code, quantity: stock}\nlocation: main\n")
    path = terminal.file("code\tstock\nA\t7\n", "stock.tsv")
    terminal.run("import", path, "--profile-file", str(declared))
    assert terminal.levels() == {"A": 7}
    declared.write_text("colour: red\n")
    assert "colour" in terminal.run("import", path, "--profile-file", str(declared), expect=WRONG_USE).stderr
    declared.write_text("{")
    assert "YAML" in terminal.run("import", path, "--profile-file", str(declared), expect=WRONG_USE).stderr


def test_levels_are_exported_and_read_back(terminal: Terminal) -> None:
    terminal.run("import", terminal.file(HEADER + "A,main,3\nB,main,4\n"))
    out = terminal.directory / "levels.csv"
    assert "2 levels written" in terminal.run("export", "--output", str(out), "--guard").stdout
    assert out.read_bytes().startswith(b"\xef\xbb\xbfsku,location,quantity\r\n")
    assert b'"=""A""",main,3\r\n' in out.read_bytes()
    assert terminal.run("import", str(out)).exit_code == DONE
    assert terminal.levels() == {"A": 3, "B": 4}
    printed = terminal.run("export", "--encoding", "shift_jis").stdout_bytes
    assert printed == b"sku,location,quantity\r\nA,main,3\r\nB,main,4\r\n"


def test_a_character_that_shift_jis_lacks_leaves_the_old_file_alone(terminal: Terminal) -> None:
    terminal.run("import", terminal.file(HEADER + "S〜M,main,3\n"), "--make-items")
    out = Path(terminal.file(b"the old one", "levels.csv"))
    found = terminal.run("export", "--encoding", "shift_jis", "--output", str(out), expect=FAILED)
    assert "'S〜M'" in found.stderr
    assert "U+301C" in found.stderr
    assert out.read_bytes() == b"the old one"


def test_a_file_that_is_not_there_is_named(terminal: Terminal) -> None:
    found = terminal.run("import", str(terminal.directory / "nothing.csv"), expect=FAILED)
    assert "nothing.csv cannot be used: No such file" in found.stderr
    assert "IS-FIL-033" in found.stderr
    found = terminal.run("export", "--output", str(terminal.directory / "no/where.csv"), expect=FAILED)
    assert "IS-FIL-033" in found.stderr


def test_where_there_are_two_ledgers_one_is_named(terminal: Terminal) -> None:
    terminal.make_book("annex")
    path = terminal.file(HEADER + "A,main,3\n")
    terminal.run("import", path, expect=WRONG_USE)
    terminal.run("import", path, "--book", "annex")
    assert (terminal.levels("annex"), terminal.levels()) == ({"A": 3}, {})
    terminal.run("import", path, "--book", "cellar", expect=FAILED)


def test_refusals_are_told_in_japanese_too(terminal: Terminal) -> None:
    path = terminal.file(HEADER + "A,main,1,5\n")
    found = terminal.run("import", path, expect=FAILED, language="ja")
    assert "2, 列 4" in found.stderr
    assert "何も計上していません" in found.stderr
