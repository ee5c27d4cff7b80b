"""How long a push takes, singly and in bulk: printed with a preview, with which of the two it will be, and why."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from inventory_sync.cli import route_pace
from inventory_sync.engine.bulk import LEAST
from inventory_sync.systems import registry
from inventory_sync.systems.port import WritePace
from tests.cli.surroundings import Terminal, _surroundings, terminal
from tests.engine import apply_support
from tests.engine.apply_support import RUNNING

__all__ = ["_surroundings", "terminal"]


def paced(_settings: Any, public: bool) -> WritePace:
    if public:
        return WritePace(20.0, 40.0, 100, True)
    return WritePace(20.0, 40.0, 100, False, "set INVENTORY_SYNC_PUBLIC_URL", "公開URLを設定してください")


class Point(EntryPoint):
    """An installed system whose register takes rows in bulk as well."""

    def load(self) -> Any:
        return replace(apply_support.TILL, pace=paced) if self.name == "till" else apply_support.STALL


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> Terminal:
    points = [Point(name, "unused:unused", registry.ENTRY_POINT_GROUP) for name in ("till", "stall")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    terminal.ready(RUNNING)
    return terminal


def test_a_preview_that_writes_the_register_says_how_long_it_takes_and_why_singly(till: Terminal) -> None:
    found = till.run("route", "preview", "pos-shop", "--from", "channel").stdout
    assert "rows take about" in found
    assert "It will go singly: set INVENTORY_SYNC_PUBLIC_URL." in found
    [told] = till.json("route", "push", "pos-shop", "--from", "channel")["summary"]["time"]
    assert (told["connection"], told["way"]) == ("pos", "single")
    assert told["single_seconds"] >= 1


def test_with_a_public_address_few_rows_still_go_singly_and_it_is_said_why(till: Terminal) -> None:
    till.environ["INVENTORY_SYNC_PUBLIC_URL"] = "https://sync.example.jp"
    found = till.run("route", "push", "pos-shop", "--from", "channel").stdout
    assert f"for fewer than {LEAST} rows" in found


def test_a_preview_that_writes_only_the_shop_says_nothing_of_the_register(till: Terminal) -> None:
    assert "It will go" not in till.run("route", "preview", "pos-shop", "--from", "ledger").stdout


@pytest.mark.parametrize(
    ("rows", "public", "way", "singly", "in_bulk"),
    [(1000, True, "bulk", 50, 25), (1000, False, "single", 50, 25), (LEAST - 1, True, "single", 3, 2)],
)
def test_the_times_are_rows_by_pace(rows: int, public: bool, way: str, singly: int, in_bulk: int) -> None:
    found = route_pace.Expected("pos", "Register", rows, paced(None, public))
    assert (found.way, found.singly, found.in_bulk) == (way, singly, in_bulk)
    assert found.document()["why_en"]
    assert found.document()["why_ja"]
