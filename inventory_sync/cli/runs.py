"""`run`: long jobs, imports and reconciles among them."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.status import moment
from inventory_sync.engine import overview

app = typer.Typer(help="Long jobs: imports and reconciles.", no_args_is_help=True)


@app.command("list")
def list_runs(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the latest runs."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await overview.runs(house, limit=limit)
        if as_json:
            session.json({"runs": found})
            return
        rows = [
            (
                r["id"],
                r["kind"],
                r["connection"] or r["route"],
                r["state"],
                r["done"],
                moment(r["started_at"]),
                r["error"],
            )
            for r in found
        ]
        session.table("runs", ("name", "kind", "subject", "state", "done", "since", "detail"), rows)

    shell.run(work)
