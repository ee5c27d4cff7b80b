"""`orders`: orders that do not count yet: of an item that no route knows, or not paid."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.shell import moment
from inventory_sync.engine import order_policy
from inventory_sync.store.db import Record

app = typer.Typer(
    help="Orders that do not count yet: kept for an item that no route knows, or not paid.", no_args_is_help=True
)

_WHY = {
    "kept": ("商品が紐付けられるまで保管中", "kept until its item is matched"),
    "held": ("未入金のため確保中", "held: not paid"),
    "left_out": ("未入金のため数えていません", "not counted: not paid"),
}


def why(line: Record) -> str:
    """Why a line does not count: kept, held or left_out."""
    if line["kept"]:
        return "kept"
    return "held" if line["held"] else "left_out"


@app.command("list")
def list_orders(
    connection: Annotated[str | None, typer.Option("--connection", metavar="NAME", help="Only of this one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List order lines that do not count yet, oldest first. Of an order only number, item and units are kept."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await order_policy.waiting(house, connection)
        if as_json:
            session.json({"orders": [{**dict(line), "why": why(line)} for line in found]})
            return
        rows = [
            (
                line["connection"],
                line["order_id"],
                line["name"] or line["item_key"],
                line["held"] or line["live"] or line["quantity"],
                session.say.either(*_WHY[why(line)]),
                moment(line["first_seen_at"]),
            )
            for line in found
        ]
        session.table("orders_waiting", ("name", "order_number", "item", "order_units", "reason", "since"), rows)

    shell.run(work)


@app.command("drop")
def drop(
    connection: Annotated[str, typer.Argument(help="The channel's connection.")],
    orders: Annotated[list[str], typer.Argument(help="Order numbers as `orders list` shows them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was dropped as JSON.")] = False,
) -> None:
    """Keep these orders of unknown items no longer: they were booked by hand, or are nobody's stock."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            gone = await order_policy.drop(house, connection, orders, actor=shell.actor())
        if as_json:
            session.json(
                {"dropped": [{key: r[key] for key in ("order_id", "line", "item_key", "quantity")} for r in gone]}
            )
        else:
            count = len(gone)
            session.line(
                session.say.either(
                    f"{count} 行の保管を終えました。台帳には計上しません。", f"{count} lines are kept no longer."
                )
            )

    shell.run(work)
