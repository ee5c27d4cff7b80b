"""`route unmap`: delete the SKU mapping of a route, which stops it."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.engine.unmap import unmap as delete_mapping


def register(app: typer.Typer) -> None:
    """Add the command to the group of route commands."""
    app.command("unmap")(unmap)


def unmap(
    name: Annotated[str, typer.Argument(help="The route's name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Delete it; without this nothing is changed.")] = False,
    forget_owed: Annotated[
        int | None, typer.Option("--forget-owed", min=1, help="Give up this many units owed to the ledger.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Delete the whole SKU mapping of a route and stop it. `route match` makes the mapping again."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            done = await delete_mapping(house, name, confirmed=yes, actor=shell.actor(), forget_owed=forget_owed)
        if as_json:
            session.json(done)
            return
        session.line(
            session.say.either(
                f"{name}: 紐付け {done['deleted']} 件を削除し、停止しました。在庫数はどちらの側もそのままです。"
                f"紐付け直すには `inventory-sync route match {name}`",
                f"{name}: {done['deleted']} pairs deleted, and the route is stopped. The numbers on both sides stay as "
                f"they are. To map again: `inventory-sync route match {name}`",
            )
        )

    shell.run(work)
