"""`quarantine`: cells that are not written: a partner refused them, they run away, or a person keeps them out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli.shell import moment
from inventory_sync.engine import quarantine, second_writer
from inventory_sync.engine.lane import House

app = typer.Typer(
    help="Cells that are not written: refused by a partner, running away, or kept out. They are still read.",
    no_args_is_help=True,
)

Cells = Annotated[list[int] | None, typer.Argument(help="Cell numbers as `quarantine list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="Every cell that no person keeps out.")]
Json = Annotated[bool, typer.Option("--json", help="Print the cells as JSON.")]


@app.command("list")
def list_cells(as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False) -> None:
    """List the cells in quarantine, oldest first."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await quarantine.listed(house)
        if as_json:
            session.json({"cells": [dict(record) for record in found]})
            return
        problems = partners.problems_in_japanese()
        rows = [
            (
                r["cell_id"],
                f"{r['connection']} / {r['location']}",
                r["name"],
                ", ".join(sorted({str(code) for code in r["codes"].values() if code})) or r["item"],
                r["code"],
                partners.told(session.say.language, r["code"], r["reason"], problems=problems)[0],
                moment(r["since"]),
            )
            for r in found
        ]
        session.table("quarantine", ("number", "location", "item", "value", "code", "reason", "since"), rows)

    shell.run(work)


@app.command("release")
def release(cells: Cells = None, everything: All = False, as_json: Json = False) -> None:
    """Let cells be written again, once what was wrong with them is mended; those too that a person kept out."""
    _free(quarantine.release, cells, everything, as_json)


@app.command("retry")
def retry(
    cells: Cells = None,
    everything: Annotated[bool, typer.Option("--all", help="Every cell that a partner refused.")] = False,
    as_json: Json = False,
) -> None:
    """Try again to write cells that a partner refused. One that it refuses again comes back."""
    _free(quarantine.retry, cells, everything, as_json, but=second_writer.RUNAWAY)


@app.command("exclude")
def exclude(
    cells: Annotated[
        list[int],
        typer.Argument(help="Cell numbers, as `explain SKU --json` names them, of any cell that a route has."),
    ],
    as_json: Json = False,
) -> None:
    """Keep cells out: nothing is written to them until `quarantine release`."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            done = await quarantine.exclude(house, cells, actor=shell.actor())
        if as_json:
            session.json({"excluded": done})
        else:
            session.line(session.say("excluded_cells", count=len(done)))

    shell.run(work)


def _free(
    work_on: Callable[..., Awaitable[Sequence[Any]]],
    cells: list[int] | None,
    everything: bool,
    as_json: bool,
    *,
    but: str = "",
) -> None:
    async def work(session: shell.Session) -> None:
        if bool(cells) == everything:
            raise shell.Failure("IS-CLI-003", session.say("choose_release"), shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            chosen = list(cells or ()) or await _all(house, but)
            freed = await work_on(house, chosen, actor=shell.actor())
        if as_json:
            session.json({"released": [dict(record) for record in freed]})
        else:
            session.line(session.say("released", count=len(freed)))

    shell.run(work)


async def _all(house: House, but: str) -> list[int]:
    """The cells that `--all` means: none that a person keeps out, and none that stands there for the problem `but`."""
    return [r["cell_id"] for r in await quarantine.listed(house) if not r["excluded"] and r["code"] != but]
