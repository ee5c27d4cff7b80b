"""Times are told in the merchant's zone, wherever the machine stands."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.cli.surroundings import WRONG_USE, Terminal, _surroundings, terminal

__all__ = ["_surroundings", "terminal"]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_what_is_shown_stands_in_the_zone_of_the_settings(terminal: Terminal, zone: str) -> None:
    terminal.ready()
    made = terminal.json("route", "preview", "pos-shop")["made_at"]
    shown = terminal.run("route", "show", "pos-shop", INVENTORY_SYNC_TIMEZONE=zone).output
    assert f"{datetime.fromisoformat(made).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" in shown


def test_without_a_setting_times_are_those_of_japan(terminal: Terminal) -> None:
    terminal.ready()
    assert " JST" in terminal.run("explain", "A-1").output
    assert " UTC" not in terminal.run("explain", "A-1").output


def test_a_day_without_a_zone_begins_where_the_merchant_is(terminal: Terminal) -> None:
    terminal.ready()
    terminal.run("route", "watch", "pos-shop")
    late = terminal.json("route", "watch", "pos-shop", "--report", "--since", "2999-01-01T09:00")
    assert datetime.fromisoformat(late["since"]) == datetime.fromisoformat("2999-01-01T00:00:00+00:00")
    terminal.run("route", "watch", "pos-shop", "--report", "--since", "nine o'clock", expect=WRONG_USE)
