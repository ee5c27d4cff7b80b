"""`route stocktake` and `route count`: what a person counts, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.shell import moment
from inventory_sync.engine import counting
from inventory_sync.engine import stocktake as service
from inventory_sync.engine.brake_release import CODES_TOLD
from inventory_sync.engine.stocktake import Ended, Stocktake

Name = Annotated[str, typer.Argument(help="The route's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `route`."""
    app.command("stocktake")(stocktake)
    app.command("count")(count)


def stocktake(
    name: Name,
    what: Annotated[str, typer.Argument(metavar="start|end|show", help="Begin, end, or look.")],
    accept: Annotated[bool, typer.Option("--accept", help="With end: tell on what you saw, and end it.")] = False,
    seen: Annotated[
        int | None, typer.Option("--seen", metavar="NUMBER", help="With --accept: what you saw, as `end` printed it.")
    ] = None,
    discard: Annotated[
        list[int] | None,
        typer.Option("--discard", metavar="CELL", help="With --accept: this cell stays held (may be repeated)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """While a ledger is counted, hold what it has more of; what it has less of flows at once.

    `end` shows each held cell beside what is ordered and not shipped, and a number that stands for what was shown.
    `end --accept --seen NUMBER` tells that on and ends the stock-take; what came after stays held.
    """

    async def work(session: shell.Session) -> None:
        if what not in ("start", "end", "show") or (what != "end" and accept):
            raise shell.Failure("IS-CLI-012", session.say("choose_stocktake"), shell.Exit.WRONG_USE)
        if not accept and (discard or seen is not None):
            raise shell.Failure("IS-CLI-012", session.say("choose_stocktake"), shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            if accept:
                done = await service.end(house, name, actor=shell.actor(), discard=discard or (), seen=seen)
                if as_json:
                    session.json(asdict(done))
                else:
                    _print_end(session, done)
                return
            found = await (
                service.start(house, name, actor=shell.actor()) if what == "start" else service.show(house, name)
            )
        if as_json:
            session.json(_document(found))
        else:
            _print(session, found, ending=what == "end")

    shell.run(work)


def _document(found: Stocktake) -> dict[str, object]:
    return asdict(found) | {"cells": [asdict(cell) | {"doubtful": cell.doubtful} for cell in found.cells]}


def _print_end(session: shell.Session, done: Ended) -> None:
    session.line(session.say("stocktake_ended", **asdict(done)))
    told(session, done.released, done.codes)
    if done.younger:
        session.line(session.say("stay_held", route=done.route, count=done.younger))


def told(session: shell.Session, movements: int, codes: Sequence[str]) -> None:
    """Which codes were let go; where there are many, only the first."""
    if codes:
        more = " …" if movements > len(codes) == CODES_TOLD else ""
        session.line("  " + session.say("told_codes", codes=", ".join(codes) + more))


def _print(session: shell.Session, found: Stocktake, *, ending: bool) -> None:
    if found.started_at is None:
        session.line(session.say("no_stocktake", route=found.route))
    else:
        session.line(
            session.say("stocktake_on", route=found.route, since=moment(found.started_at), by=found.started_by)
        )
    rows = [
        (
            c.cell,
            c.code,
            c.name,
            c.location,
            c.before,
            c.after,
            c.ordered,
            c.expected,
            c.owed,
            session.say("yes" if c.doubtful else "no"),
        )
        for c in found.cells
    ]
    headings = ("cell", "value", "item", "location", "before", "after", "ordered", "expected", "to_book", "doubtful")
    session.table("stocktake_cells", headings, rows)
    if ending and found.started_at is not None:
        session.line(session.say("stocktake_accept", route=found.route, seen=found.seen))


def count(
    name: Name,
    value: Annotated[str, typer.Argument(help="The code that both sides have in common.")],
    as_json: Json = False,
) -> None:
    """Say that the goods of this code were counted and the ledger holds their number: it is uncertain no more."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            units = await counting.counted(house, name, value, actor=shell.actor())
        if as_json:
            session.json({"route": name, "value": value, "settled_units": units})
        else:
            session.line(session.say("counted", route=name, value=value, units=units))

    shell.run(work)
