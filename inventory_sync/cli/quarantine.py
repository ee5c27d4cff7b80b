"""`quarantine`: cells that a partner refused to write."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.status import moment
from inventory_sync.engine import quarantine

app = typer.Typer(help="Cells that a partner refused to write. They are still read.", no_args_is_help=True)


@app.command("list")
def list_cells(as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False) -> None:
    """List the cells in quarantine, oldest first."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await quarantine.listed(house)
        if as_json:
            session.json({"cells": [dict(record) for record in found]})
            return
        rows = [
            (
                r["cell_id"],
                f"{r['connection']} / {r['location']}",
                r["name"],
                r["code"],
                r["reason"],
                moment(r["since"]),
            )
            for r in found
        ]
        session.table("quarantine", ("name", "location", "item", "code", "reason", "since"), rows)

    shell.run(work)


@app.command("release")
def release(
    cells: Annotated[list[int] | None, typer.Argument(help="Cell numbers as `quarantine list` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Release every cell.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the released cells as JSON.")] = False,
) -> None:
    """Let cells be written again, once what the partner objected to is mended."""

    async def work(session: shell.Session) -> None:
        if bool(cells) == everything:
            raise shell.Failure("IS-CLI-003", session.say("choose_release"), shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            chosen = [r["cell_id"] for r in await quarantine.listed(house)] if everything else list(cells or ())
            freed = await quarantine.release(house, chosen, actor=shell.actor())
        if as_json:
            session.json({"released": [dict(record) for record in freed]})
        else:
            session.line(session.say("released", count=len(freed)))

    shell.run(work)
