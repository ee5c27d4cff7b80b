"""A connection that a person took away, or whose credential a partner refuses: said in the reader's language."""

from __future__ import annotations

from tests.cli.surroundings import FAILED, REFUSED, Terminal, _surroundings, terminal
from tests.engine.apply_support import PARTNERS, RUNNING

__all__ = ["_surroundings", "terminal"]

JA = {"INVENTORY_SYNC_LANGUAGE": "ja"}


def test_a_route_without_its_connection_says_what_to_do_and_not_to_wait(terminal: Terminal) -> None:
    terminal.ready(RUNNING)
    terminal.run("connection", "remove", "shop", "--yes")

    async def unread(desk: object) -> None:
        await desk.pool.execute("update cells set condition = 'unread', known = null")  # type: ignore[attr-defined]

    terminal.behind(unread)
    refused = terminal.run("route", "start", "pos-shop", "--yes", expect=FAILED).stderr
    assert "inventory-sync connection relink shop" in refused
    shown = terminal.run("status", **JA).stdout
    assert "人が連携を解除しました" in shown
    assert "`inventory-sync connection relink shop`" in shown
    assert "停止の理由" not in shown
    told = terminal.run("connection", "verify", "shop", expect=REFUSED, **JA).stderr
    assert "A person" not in told


def test_a_credential_of_another_shop_is_refused_in_japanese(terminal: Terminal) -> None:
    terminal.ready(RUNNING)
    PARTNERS["shop-account"].identity = "stall-8"
    refused = terminal.run("connection", "verify", "shop", expect=FAILED, **JA).stderr
    assert "別のショップ(契約)のものです" in refused
    assert "belongs to" not in refused.partition("エラー IS-CON-002")[2]
    assert "belongs to" in terminal.run("connection", "verify", "shop", expect=FAILED).stderr
