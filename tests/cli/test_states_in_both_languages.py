"""States and kinds in tables: the reader's word in Japanese, the code in English and in JSON."""

from __future__ import annotations

import re

import pytest

from inventory_sync.cli import state_texts
from inventory_sync.cli.texts import Words
from inventory_sync.config.document import RouteState
from inventory_sync.engine.apply_report import What
from inventory_sync.engine.explain.words import WAITS
from inventory_sync.engine.state_words import CONNECTIONS, ROUTES, RUNS, STOPPED_BY
from inventory_sync.ledger.values import Kind
from tests.cli.surroundings import REFUSED, Desk, Terminal, _surroundings, terminal

__all__ = ["_surroundings", "terminal"]

CODES = re.compile(rf"\b({'|'.join({*ROUTES, *CONNECTIONS, *RUNS, *STOPPED_BY} - {'matched', 'sent'})})\b")
TABLES = (("status",), ("route", "list"), ("route", "show", "pos-shop"), ("connection", "list"), ("run", "list"))


def block(terminal: Terminal) -> None:
    async def work(desk: Desk) -> None:
        await desk.pool.execute("update routes set state = 'blocked', stopped_by = 'system'")

    terminal.behind(work)


@pytest.mark.parametrize(
    ("state", "japanese", "english"),
    [
        ("running", "稼働中", "running"),
        ("stopped", "停止中 (人が停止)", "stopped (person)"),
        ("blocked", "安全のため停止中 (自動で停止)", "blocked (system)"),
    ],
)
def test_the_state_of_a_route_is_a_word_in_japanese_and_the_code_in_english_and_json(
    terminal: Terminal, state: str, japanese: str, english: str
) -> None:
    terminal.started()
    if state == "stopped":
        terminal.run("route", "stop", "pos-shop")
    elif state == "blocked":
        block(terminal)
    for words in (("status",), ("route", "list"), ("route", "show", "pos-shop")):
        assert japanese in terminal.run(*words, language="ja").stdout
        assert english in terminal.run(*words, language="en").stdout
    assert terminal.json("route", "list")["routes"][0]["state"] == state
    assert terminal.json("route", "show", "pos-shop")["state"] == state


def test_no_table_in_japanese_holds_the_code_of_a_state(terminal: Terminal) -> None:
    terminal.started()
    for words in TABLES:
        shown = terminal.run(*words, language="ja").stdout
        assert not CODES.search(shown), shown
    terminal.run("route", "stop", "pos-shop")
    for words in TABLES:
        shown = terminal.run(*words, language="ja").stdout
        assert not CODES.search(shown), shown


def test_the_state_of_a_connection_is_a_word_in_japanese(terminal: Terminal) -> None:
    terminal.ready()
    for words in (("status",), ("connection", "list"), ("connection", "show", "pos")):
        assert "接続済み" in terminal.run(*words, language="ja").stdout
        assert "linked" in terminal.run(*words, language="en").stdout
    assert terminal.json("connection", "show", "pos")["state"] == "linked"


def test_what_apply_changed_is_said_in_words(terminal: Terminal) -> None:
    terminal.ready()
    japanese = terminal.run("apply", str(terminal.path), language="ja").stdout
    english = terminal.run("apply", str(terminal.path), language="en").stdout
    assert "変更なし" in japanese
    assert "unchanged" not in japanese
    assert "unchanged" in english


def test_a_refusal_names_the_state_in_words(terminal: Terminal) -> None:
    terminal.started()
    [run] = [str(r["id"]) for r in terminal.json("run", "list")["runs"] if r["kind"] == "push"]
    terminal.run("route", "stop", "pos-shop")
    assert f"実行 {run} は停止のため" in terminal.run("run", "stop", run, expect=REFUSED, language="ja").stderr
    assert f"run {run} is stopped" in terminal.run("run", "stop", run, expect=REFUSED, language="en").stderr


def test_settings_of_a_route_are_explained_with_the_word_of_the_file(terminal: Terminal) -> None:
    terminal.ready()
    japanese = terminal.run("route", "show", "pos-shop", language="ja").stdout
    assert "方向: 両方向 (two_way)" in japanese
    assert "本製品が台帳に計上する (post)" in japanese
    assert "direction two_way" in terminal.run("route", "show", "pos-shop", language="en").stdout


def test_the_words_are_those_of_explain_and_every_code_has_one() -> None:
    assert ROUTES["stopped"] in WAITS["route_stopped"][0]
    assert ROUTES["watching"] == WAITS["watching"][0]
    assert {state.value for state in RouteState} <= set(ROUTES)
    assert {what.value for what in What} == set(state_texts.CHANGES)
    assert not set(ROUTES) & set(CONNECTIONS), "apply shows both in one column"


def test_a_state_that_nobody_knows_is_shown_by_its_code() -> None:
    assert state_texts.stage(Words("ja"), "dreaming") == "dreaming"
    assert state_texts.connection_state(Words("ja"), "dreaming") == "dreaming"


def test_every_kind_of_entry_of_the_ledger_has_a_japanese_word() -> None:
    from inventory_sync.cli.ledger_texts import KINDS, SCOPES
    from inventory_sync.ledger.keys import Scope

    assert (set(KINDS), set(SCOPES)) == (set(Kind), set(Scope))
