"""`route decide`: sales that an order system should have booked in the ledger, and what a person knows of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.shell import moment
from inventory_sync.engine import overdue
from inventory_sync.engine.overdue import WaitingSale


def register(app: typer.Typer) -> None:
    """Add the command to the group of route commands."""
    app.command("decide")(decide)


def decide(
    name: Annotated[str, typer.Argument(help="The route's name.")],
    value: Annotated[str, typer.Argument(help="The code of the item, exactly as it is matched.")],
    release: Annotated[
        bool, typer.Option("--release", help="Nobody will book them: the units may be sold again.")
    ] = False,
    booked: Annotated[
        bool, typer.Option("--booked", help="The ledger holds them already, under another name.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the sales of an item that wait to be booked in the ledger; decide about those that are overdue."""

    async def work(session: shell.Session) -> None:
        if release and booked:
            text = session.say.either(
                "--release と --booked はどちらか一方を指定してください。", "Give --release or --booked, not both."
            )
            raise shell.Failure("IS-CLI-009", text, shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            if release or booked:
                found = await overdue.settle_by_person(house, name, value, booked=booked, actor=shell.actor())
            else:
                found = await overdue.waiting_sales(house, name, value)
        decision = "booked" if booked else "released" if release else None
        if as_json:
            session.json({"route": name, "value": value, "decided": decision, "sales": [asdict(s) for s in found]})
        elif decision is None:
            _list(session, value, found)
        else:
            units = sum(sale.units for sale in found)
            session.line(
                session.say.either(
                    f"{value}: {len(found)} 件、{units} 個の確保を終了しました。",
                    f"{value}: {len(found)} sales, {units} units are held no more.",
                )
            )

    shell.run(work)


def _list(session: shell.Session, value: str, found: list[WaitingSale]) -> None:
    if not found:
        session.line(
            session.say.either(f"{value}: 計上待ちの売上はありません。", f"{value}: no sale waits to be booked.")
        )
    for sale in found:
        state = session.say.either(*_STATES[sale.overdue])
        order = f" · {sale.reference}" if sale.reference else ""
        session.line(f"{sale.location}: {sale.units} · {moment(sale.heard_at)}{order} · {state} {moment(sale.due_at)}")


_STATES = {True: ("計上期限を経過", "should have been booked by"), False: ("計上期限", "to be booked by")}
