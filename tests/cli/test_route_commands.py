"""`route`: steps and blockers in words, watching and its report, stops that say what stays, and the mapping deleted."""

from __future__ import annotations

import pytest

from inventory_sync.cli import route_watch
from tests.cli.surroundings import FAILED, REFUSED, WRONG_USE, Terminal, _surroundings, terminal
from tests.engine.apply_support import RUNNING, STOPPED

__all__ = ["_surroundings", "terminal"]


def test_a_route_shows_its_steps_and_every_blocker_with_its_remedy(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    shown = terminal.run("route", "show", "pos-shop").stdout
    for text in ("✓ connect", "✓ locations", "→ match", "· enable", "[catalogue_missing:pos]", "What to do:"):
        assert text in shown
    assert "商品をまだ一度も最後まで取り込んでいません" in terminal.run("status", language="ja").stdout
    found = terminal.json("status")["routes"][0]
    assert (found["stage"], found["state"]) == ("located", "draft")
    assert found["blocked_by"][0]["remedy"]["en"].startswith("Keep `inventory-sync serve` running")
    refused = terminal.run("route", "match", "pos-shop", expect=FAILED).stderr
    assert "[catalogue_missing:shop]" in refused


def test_a_refusal_is_said_in_the_language_of_the_person(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    english = terminal.run("route", "watch", "pos-shop", expect=REFUSED).stderr
    assert "cannot watch yet" in english
    japanese = terminal.run("route", "watch", "pos-shop", expect=REFUSED, language="ja").stderr
    assert "IS-RTE-001" in japanese
    assert "まだ見守りを開始できません" in japanese


def test_a_route_that_runs_watches_only_when_that_is_meant(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.ready(RUNNING)
    terminal.run("route", "start", "pos-shop", "--yes")
    for language, words in (("en", "next start is an alignment"), ("ja", "在庫を合わせ直します")):
        refused = terminal.run("route", "watch", "pos-shop", expect=REFUSED, language=language).stderr
        assert "IS-RTE-052" in refused
        assert words in refused
        assert "`inventory-sync route watch pos-shop --yes`" in refused
    assert terminal.json("route", "list")["routes"][0]["state"] == "running"
    monkeypatch.setattr(route_watch, "_at_a_terminal", lambda: True)
    terminal.run("route", "watch", "pos-shop", expect=REFUSED, said="n\n")
    assert terminal.json("route", "list")["routes"][0]["state"] == "running"
    assert "next start is an alignment" in terminal.run("route", "watch", "pos-shop", said="y\n").stdout
    assert terminal.json("route", "list")["routes"][0]["state"] == "watching"
    terminal.run("route", "start", "pos-shop", "--accept", terminal.json("route", "preview", "pos-shop")["preview"])
    assert "watches 2 pairs" in terminal.run("route", "watch", "pos-shop", "--yes").stdout


def test_a_route_watches_and_reports(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    terminal.imported()
    assert "IS-RTE-051" in terminal.run("route", "watch", "pos-shop", "--report", expect=REFUSED).stderr
    assert "watches 2 pairs" in terminal.run("route", "watch", "pos-shop").stdout
    terminal.rows(
        "insert into watch_cells (pair_id, wanted, offset_units, shown, committed, ordered, looked_at) "
        "select id, 3, 0, 4, 0, 0, now() from pairs"
    )
    terminal.rows(
        "insert into watch_spans (pair_id, before, wanted, shown, wanted_since, reached_at, sold) "
        "select p.id, 5, 0, 4, r.watched_since + interval '1 s', r.watched_since + interval '91 s', 2 "
        "from pairs p join routes r on r.id = p.route_id where p.value = 'A-1'"
    )
    shown = terminal.run("route", "watch", "pos-shop", "--report").stdout
    for text in ("1 changes of the ledger", "median 90.0 s", "2 units in 1 cells", "too high: 2", "matched 2"):
        assert text in shown
    found = terminal.json("route", "watch", "pos-shop", "--report", "--since", "7d")
    assert (found["median_s"], found["oversold_units"], found["never_matching"]["matched"]) == (90.0, 2, 2)
    later = terminal.json("route", "watch", "pos-shop", "--report", "--since", "2099-01-01T00:00")
    assert (later["changes"], later["median_s"]) == (0, None)
    assert "中央値 90.0 s" in terminal.run("route", "watch", "pos-shop", "--report", language="ja").stdout
    terminal.run("route", "watch", "pos-shop", "--since", "7d", expect=WRONG_USE)
    terminal.run("route", "watch", "pos-shop", "--report", "--since", "yesterday", expect=WRONG_USE)
    assert terminal.json("route", "list")["routes"][0]["state"] == "watching"


def test_a_stop_says_how_many_numbers_stay_where(terminal: Terminal) -> None:
    terminal.started()
    shown = terminal.run("route", "stop", "pos-shop").stdout
    assert "Online: 2 cells stay as they are, 2 of them on sale with 8 units" in shown
    found = terminal.json("route", "stop", "pos-shop")
    assert [(n["value"], n["location"], n["channel"], n["ledger"]) for n in found["numbers"]] == [
        ("A-1", "Online", 4, 5),
        ("A-2", "Online", 4, 5),
    ]
    assert found["left"][0]["units"] == 8


def test_a_channel_is_told_zero_only_after_its_preview(terminal: Terminal) -> None:
    terminal.started()
    shown = terminal.run("route", "stop", "pos-shop", "--and-zero").stdout
    assert "2 cells with 8 units would be told 0" in shown
    assert terminal.json("route", "list")["routes"][0]["state"] == "running"
    japanese = terminal.run("route", "stop", "pos-shop", "--and-zero", language="ja").stdout
    assert "0 にする" in japanese
    assert "zero " not in japanese.replace("--and-zero ", "")
    made = terminal.json("route", "stop", "pos-shop", "--and-zero")
    assert [(row["value"], row["before"], row["after"]) for row in made["rows"]] == [("A-1", 4, 0), ("A-2", 4, 0)]
    terminal.run("route", "stop", "pos-shop", "--accept", made["preview"], expect=WRONG_USE)
    terminal.run("route", "stop", "pos-shop", "--and-zero", "--accept", "no-such", expect=FAILED)
    told = terminal.run("route", "stop", "pos-shop", "--and-zero", "--accept", made["preview"]).stdout
    assert "2 cells of its channel are told 0" in told
    assert terminal.json("route", "list")["routes"][0]["blockers"] == ["zeroed"]
    again = terminal.run("route", "stop", "pos-shop", "--and-zero", "--accept", made["preview"], expect=REFUSED)
    assert "IS-RTE-003" in again.stderr


@pytest.mark.row("S2-47", "S2-48", "S2-49")
def test_the_mapping_is_deleted_with_a_yes_and_made_again(terminal: Terminal) -> None:
    terminal.started()
    refused = terminal.run("route", "unmap", "pos-shop", expect=REFUSED)
    assert "IS-RTE-043" in refused.stderr
    assert "2 pairs" in refused.stderr
    assert terminal.json("route", "list")["routes"][0]["state"] == "running"
    assert "2 pairs deleted" in terminal.run("route", "unmap", "pos-shop", "--yes").stdout
    assert "[unmapped]" in terminal.run("route", "show", "pos-shop").stdout
    assert "[unmapped]" in terminal.run("route", "preview", "pos-shop", expect=FAILED).stderr
    assert "matched again" in terminal.run("route", "match", "pos-shop").stdout
    assert "IS-RTE-032" in terminal.run("route", "start", "pos-shop", "--yes", expect=FAILED).stderr
    terminal.imported()
    terminal.run("route", "start", "pos-shop", "--yes")
    assert terminal.json("route", "list")["routes"][0]["state"] == "running"


def test_units_owed_are_given_up_by_their_number_only(terminal: Terminal) -> None:
    terminal.started()
    terminal.rows("update components set owed_down = -1")
    refused = terminal.run("route", "unmap", "pos-shop", "--yes", expect=REFUSED)
    assert "2 units" in refused.stderr
    assert "--forget-owed 2" in refused.stderr
    found = terminal.json("route", "unmap", "pos-shop", "--yes", "--forget-owed", "2")
    assert (found["deleted"], found["forgotten"], found["state"]) == (2, 2, "stopped")
