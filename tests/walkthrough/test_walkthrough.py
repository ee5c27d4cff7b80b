"""The walk-through of the documents, typed as it stands there: simulated partners, the real daemon, the command line.

What is true is read from the simulators' own logs, never from the daemon's database.
"""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.walkthrough.page import ENGLISH, JAPANESE, commands
from tests.walkthrough.reader import Reader

ITEMS = 300
CELLS = 2 * ITEMS
KANA = re.compile(r"[ぁ-んァ-ヶ一-龠]")


def free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    public, admin = free_ports()
    environ = {
        "INVENTORY_SYNC_HTTP_HOST": "127.0.0.1",
        "INVENTORY_SYNC_HTTP_PORT": str(public),
        "INVENTORY_SYNC_ADMIN_PORT": str(admin),
        "INVENTORY_SYNC_DRAIN_SECONDS": "5",
    }
    with ExitStack() as stack:
        yield Reader(commands(JAPANESE), tmp_path, environ, stack)


class Partners:
    """What the simulators say of themselves."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._seen = 0

    def numbers(self) -> dict[tuple[str, str], Counter[int]]:
        """How often each number is shown, by partner and place."""
        found: dict[tuple[str, str], Counter[int]] = {}
        for row in self._reader.partner("stock")["stock"]:
            found.setdefault((row["partner"], row["place"]), Counter())[row["stock"]] += 1
        return found

    def written(self) -> list[dict[str, Any]]:
        """What the product has written since this was last asked."""
        changes = [each for each in self._reader.partner("log")["changes"] if each["by_product"]]
        fresh, self._seen = changes[self._seen :], len(changes)
        return fresh

    def overstepped(self) -> list[Any]:
        found: list[Any] = self._reader.partner("log")["violations"]
        return found


def test_both_languages_walk_through_the_same_commands() -> None:
    assert commands(JAPANESE) == commands(ENGLISH)
    assert len(commands(JAPANESE)) > 30


@pytest.mark.timeout(1800)
@pytest.mark.row("S2-40", "S2-42", "S2-46")
@pytest.mark.row("S2-21", "S2-30", "S2-32", "S2-33")
def test_the_first_hour_from_nothing_to_a_running_route_by_command_line_alone(reader: Reader) -> None:
    sandbox = reader.opens("inventory-sync sandbox")
    sandbox.shows("answers.yaml")
    reader.types(". ./sandbox.env")
    daemon = reader.opens("inventory-sync serve")
    daemon.shows("service.started")
    reader.types(". ./sandbox.env")
    partners = Partners(reader)
    apart = {
        ("pos", "Store 1"): Counter({10: ITEMS}),
        ("pos", "Store 2"): Counter({10: ITEMS}),
        ("shop", "Main shop"): Counter({8: ITEMS}),
        ("shop", "Warehouse"): Counter({8: ITEMS}),
        ("shop", "Pop-up"): Counter({8: ITEMS}),
    }
    assert partners.numbers() == apart

    _learns_what_is_needed(reader)
    _answers_the_questions(reader)
    _sees_how_far_it_is(reader)
    reader.types("inventory-sync route match")
    assert "DEMO-000001" in reader.types("inventory-sync route preview")
    assert partners.written() == [], "a preview writes nothing"
    assert partners.numbers() == apart

    _pushes_stops_and_resumes(reader, partners, apart)
    _undoes(reader, partners, apart)
    _maps_anew(reader, partners, apart)
    _starts(reader, partners)
    _sells(reader, partners)

    reader.types("inventory-sync route stop")
    assert reader.json("route show pos-shop")["state"] == "stopped"
    assert reader.left == 0, "the page goes on where the test ends"
    assert partners.overstepped() == []
    assert daemon.end() == 0
    assert not [line for line in daemon.seen if '"level":"error"' in line]


def _learns_what_is_needed(reader: Reader) -> None:
    assert "smaregi" in reader.types("inventory-sync systems")
    assert "client_secret" in reader.types("inventory-sync guide smaregi")
    assert ".myshopify.com" in reader.types("inventory-sync guide shopify")
    assert "inventory-sync setup" in reader.types("inventory-sync status")
    assert reader.json("status")["connections"] == []


def _answers_the_questions(reader: Reader) -> None:
    printed = reader.types("inventory-sync setup")
    assert "route start pos-shop --accept" in printed
    file = (reader.directory / "inventory-sync.yaml").read_text()
    assert "pos-shop:" in file
    assert [c["state"] for c in reader.json("status")["connections"]] == ["linked", "linked"]
    assert "shpss_sandbox_secret" not in printed + file


def _sees_how_far_it_is(reader: Reader) -> None:
    assert "✓ credentials" in reader.types("inventory-sync guide smaregi")
    reader.types("inventory-sync connection verify")
    assert "•••" in reader.types("inventory-sync connection show")
    reader.types("inventory-sync route show")
    shown = reader.json("route show pos-shop")
    assert [(p["ledger_name"], p["channel_name"]) for p in shown["locations"]] == [
        ("Store 1", "Main shop"),
        ("Store 2", "Warehouse"),
    ]
    steps = {each["step"]: each["state"] for each in shown["steps"]}
    assert steps == {"connect": "done", "locations": "done", "fields": "done", "match": "done", "enable": "now"}
    english = reader.english("route show pos-shop") + reader.english("guide smaregi --connection pos")
    assert KANA.search(english) is None, english


def _pushes_stops_and_resumes(reader: Reader, partners: Partners, apart: dict[tuple[str, str], Counter[int]]) -> None:
    reader.types("inventory-sync route push")
    run = reader.numbers["RUN"]
    reader.types("inventory-sync run stop")
    reader.types("inventory-sync run show")
    stopped = reader.until(f"run show {run}", lambda run: not run["rows"].get("sent"))
    assert stopped["state"] == "stopped"
    assert 0 < stopped["done"] < CELLS, "it was stopped in the middle"
    before = partners.written()
    assert len(before) == stopped["done"]
    assert {(each["partner"], each["delta"]) for each in before} == {("pos", -2)}

    reader.types("inventory-sync run resume")
    reader.types("inventory-sync run show")
    assert reader.json(f"run show {run}")["state"] == "done"
    after = partners.written()
    assert len(before) + len(after) == CELLS, "what was written before the stop is not written again"
    now = partners.numbers()
    assert now["pos", "Store 1"] == now["pos", "Store 2"] == Counter({8: ITEMS})
    assert {place: now[place] for place in now if place[0] == "shop"} == {
        place: apart[place] for place in apart if place[0] == "shop"
    }
    reader.types("inventory-sync sandbox stock")


def _undoes(reader: Reader, partners: Partners, apart: dict[tuple[str, str], Counter[int]]) -> None:
    reader.types("inventory-sync route undo")
    assert partners.written() == [], "an undo is shown before it is accepted"
    reader.types("inventory-sync route undo")
    reader.types("inventory-sync run show")
    assert reader.json(f"run show {reader.numbers['UNDO']}")["done"] == CELLS
    assert partners.numbers() == apart
    assert {each["delta"] for each in partners.written()} == {2}
    reader.types("inventory-sync sandbox stock")


def _maps_anew(reader: Reader, partners: Partners, apart: dict[tuple[str, str], Counter[int]]) -> None:
    refused = reader.types("inventory-sync route unmap")
    assert "IS-RTE-043" in refused
    assert KANA.search(refused)
    assert reader.json("route show pos-shop")["counts"]["pairs"] == CELLS
    reader.types("inventory-sync route unmap")
    assert reader.json("route show pos-shop")["counts"]["pairs"] == 0
    assert "inventory-sync route match pos-shop" in reader.types("inventory-sync route start")
    reader.types("inventory-sync route match")
    assert reader.json("route show pos-shop")["counts"]["pairs"] == CELLS
    assert partners.written() == []
    assert partners.numbers() == apart


def _starts(reader: Reader, partners: Partners) -> None:
    reader.types("inventory-sync route preview")
    assert partners.written() == []
    reader.types("inventory-sync route start")
    reader.types("inventory-sync route show")
    reader.until("run list", lambda found: all(run["state"] == "done" for run in found["runs"]))
    now = partners.numbers()
    assert now["shop", "Main shop"] == now["shop", "Warehouse"] == Counter({10: ITEMS})
    assert now["shop", "Pop-up"] == Counter({8: ITEMS}), "a location that is not mapped is left alone"
    assert now["pos", "Store 1"] == now["pos", "Store 2"] == Counter({10: ITEMS})
    assert len(partners.written()) == CELLS


def _sells(reader: Reader, partners: Partners) -> None:
    reader.types("inventory-sync sandbox sell shop")
    reader.types("inventory-sync sandbox sell pos")

    reader.arrives("DEMO-000001", [8, 10, 8, 10, 8])
    reader.arrives("DEMO-000002", [10, 9, 10, 9, 8])
    written = sorted((each["partner"], each["code"], each["delta"]) for each in partners.written())
    assert written == [("pos", "DEMO-000001", -2), ("shop", "DEMO-000002", -1)], "each sale is told once"
    reader.types("inventory-sync sandbox stock")
    assert "Main shop" in reader.types("inventory-sync explain")
    assert KANA.search(reader.english("explain DEMO-000001")) is None
    reader.types("inventory-sync status")
    assert reader.json("status")["alerts"] == []
