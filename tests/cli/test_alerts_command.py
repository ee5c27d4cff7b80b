"""`alerts` and `status`: each alert in words, with what to do about it, in both languages."""

from __future__ import annotations

from typing import Any

from tests.cli.surroundings import Terminal, _surroundings, terminal
from tests.engine.apply_support import STOPPED, Desk

__all__ = ["_surroundings", "terminal"]


def opened(terminal: Terminal, code: str, subject: str, **detail: Any) -> None:
    """An alert, as the daemon opens it."""

    async def work(desk: Desk) -> None:
        await desk.pool.execute(
            "insert into alerts (code, subject, detail, opened_at, seen_at) values ($1, $2, $3, now(), now())",
            code,
            subject,
            detail,
        )

    terminal.behind(work)


def test_an_alert_is_told_in_words_with_what_to_do(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    opened(terminal, "brake", "pos-shop", cells=60, up=0, down=-300)
    english = terminal.run("alerts", "list").stdout
    assert "pos-shop: held by the brake [brake]" in english
    assert (
        "What to do: Look at `inventory-sync brake show`; if it is right, `inventory-sync brake release pos-shop`"
        in (english)
    )
    japanese = terminal.run("status", INVENTORY_SYNC_LANGUAGE="ja").stdout
    assert "pos-shop: ブレーキによる保留 [brake]" in japanese
    assert "正しければ `inventory-sync brake release pos-shop`" in japanese
    told = terminal.json("alerts", "list")["alerts"][0]
    assert told["title"] == {"ja": "ブレーキによる保留", "en": "held by the brake"}
    assert "brake show" in told["remedy"]["ja"]


def test_what_an_item_is_about_stays_out_of_the_command(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    opened(terminal, "sale_not_booked", "pos-shop/A {first} 1/Online", units=2)
    assert "inventory-sync route decide pos-shop CODE --booked" in terminal.run("alerts", "list").stdout


def test_a_broken_connection_is_told_in_the_language_of_the_reader(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    wrong = {"problem": "IS-CON-002", "reason": "The credential belongs to b.", "remedy": "Use the right one."}
    opened(terminal, "connection_broken", "shop", **wrong)
    statement = (
        "update connections set state = 'needs_action', state_code = 'IS-CON-002', "
        "state_reason = 'The credential belongs to b.', state_remedy = 'Use the right one.' where name = 'shop'"
    )

    async def work(desk: Desk) -> None:
        await desk.pool.execute(statement)

    terminal.behind(work)
    english = terminal.run("status").stdout
    assert "connection broken: The credential belongs to b. [connection_broken]" in english
    assert "What to do: Use the right one." in english
    for words in (("status",), ("connection", "show", "shop")):
        japanese = terminal.run(*words, INVENTORY_SYNC_LANGUAGE="ja").stdout
        assert "別のショップ(契約)のものです" in japanese
        assert "The credential" not in japanese
