"""A file that is refused is told in the language of the installation: Japanese unless English is asked for."""

from __future__ import annotations

import pytest

from tests.cli.surroundings import FAILED, Terminal, _surroundings, terminal
from tests.engine.apply_support import STOPPED, TILL_SECRET

__all__ = ["_surroundings", "terminal"]


@pytest.mark.parametrize(
    ("before", "after", "place", "japanese", "english"),
    [
        (
            "ledger: pos",
            "leger: pos",
            "house.yaml:12:5: routes.pos-shop.leger: ",
            "キー「leger」はここでは使えません。「ledger」の間違いではありませんか。",
            "'leger' is not known here. Did you mean 'ledger'?",
        ),
        (
            "    ledger: pos\n",
            "    ledger: pos\n    state: stoped\n",
            ": routes.pos-shop.state: ",
            "「stoped」はここでは使えません。「stopped」の間違いではありませんか。使える語: stopped, watching, running",
            "'stoped' is not one of the words that belong here. Did you mean 'stopped'?",
        ),
        (
            TILL_SECRET,
            "${NOT_SET_ANYWHERE}",
            ": connections.pos.secret: ",
            "環境変数 NOT_SET_ANYWHERE が設定されていません。",
            "the environment variable NOT_SET_ANYWHERE is not set.",
        ),
        ("connections:", "connections: [", "house.yaml:", "YAML として読み取れません", "this is not readable as YAML"),
    ],
)
def test_a_broken_file_is_told_in_japanese_and_in_english_where_that_is_asked_for(
    terminal: Terminal, before: str, after: str, place: str, japanese: str, english: str
) -> None:
    assert before in STOPPED
    terminal.path.write_text(STOPPED.replace(before, after, 1))
    default = terminal.run("apply", str(terminal.path), expect=FAILED, INVENTORY_SYNC_LANGUAGE="").stderr
    other = terminal.run("apply", str(terminal.path), expect=FAILED, language="en").stderr
    for told, words, others in ((default, japanese, english), (other, english, japanese)):
        assert words in told
        assert others not in told
        assert place in told
        assert "IS-CFG-" in told
        assert TILL_SECRET not in told
    assert terminal.run("apply", str(terminal.path), "--json", expect=FAILED, language="ja").stdout == ""


def test_a_system_that_does_not_exist_is_told_in_both_languages(terminal: Terminal) -> None:
    japanese = terminal.run("guide", "tell", expect=FAILED, language="ja").stderr
    assert "「tell」という名前のシステムはありません。" in japanese
    assert "「till」の間違いではありませんか。使えるシステム: stall, till。" in japanese
    english = terminal.run("guide", "tell", expect=FAILED, language="en").stderr
    assert "there is no system named 'tell'" in english
    assert "IS-CFG-002" in japanese
    assert "IS-CFG-002" in english


@pytest.mark.parametrize(
    ("before", "after", "japanese", "english"),
    [
        (
            "    account: pos-account\n",
            "    account: pos-account\n    base_url: https://10.0.0.7\n",
            "接続 pos、base_url: このアドレスはプライベートネットワークにあります。\n  対処: この行を削除すると",
            "connection pos, base_url: this address is on a private network.",
        ),
        (
            'ledger: "1"',
            'ledger: "77"',
            "ルート pos-shop、locations: pos にロケーション「77」はありません。\n  対処: pos のロケーション: 1 (",
            "route pos-shop, locations: pos has no location '77'.",
        ),
        (TILL_SECRET, "wrong-secret-000000", "接続 pos: ", "connection pos: "),
    ],
)
def test_what_a_partner_has_against_a_file_is_told_in_the_language_too(
    terminal: Terminal, before: str, after: str, japanese: str, english: str
) -> None:
    assert before in STOPPED
    terminal.path.write_text(STOPPED.replace(before, after, 1))
    told = terminal.run("apply", str(terminal.path), expect=FAILED, language="ja").stderr
    assert japanese in told
    assert english not in told
    assert english in terminal.run("apply", str(terminal.path), expect=FAILED, language="en").stderr
