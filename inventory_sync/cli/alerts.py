"""`alerts`: what a person should know."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.partners import problems_in_japanese
from inventory_sync.cli.status import show_alerts
from inventory_sync.engine import overview

app = typer.Typer(help="Alerts: what a person should know.", no_args_is_help=True)


@app.command("list")
def list_alerts(
    closed: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List open alerts, oldest first."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await overview.alerts(house, closed=closed, problems=problems_in_japanese())
        if as_json:
            session.json({"alerts": found})
        else:
            show_alerts(session, found)

    shell.run(work)
