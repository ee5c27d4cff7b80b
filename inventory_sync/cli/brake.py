"""`brake`: movements that were too many or too large to be told on before a person has seen them."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.shell import moment
from inventory_sync.cli.stocktake import told
from inventory_sync.engine import held

app = typer.Typer(help="The brake: movements that wait for a person.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]

LINES = 200

_LASTING = re.compile(r"(\d+)([mh])")


@app.command("show")
def show(
    as_json: Json = False,
    lines: Annotated[int, typer.Option("--lines", min=0, help="How many movements the table shows.")] = LINES,
) -> None:
    """Show what is held, by route: each cell with its level without and with the movement."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await held.show(house, most=None if as_json else lines)
        if as_json:
            session.json({"held": [asdict(each) for each in found.movements], "off": found.off, "seen": found.seen})
            return
        rows = [
            (
                m.route,
                session.say(f"held_by_{m.reason}"),
                session.say(f"side_{m.side}"),
                m.code,
                m.name,
                m.location,
                m.before,
                m.after,
                moment(m.held_at),
            )
            for m in found.movements
        ]
        headings = ("route", "reason", "side", "value", "item", "location", "before", "after", "since")
        session.table("brake_holds", headings, rows)
        if found.count > len(rows):
            session.line(session.say("lines_left", count=found.count - len(rows)))
        if found.count:
            session.line(session.say("brake_seen", count=found.count, seen=found.seen))
        for route, until in found.off.items():
            session.line(session.say("brake_off", route=route, until=moment(until)))

    shell.run(work)


@app.command("release")
def release(
    route: Annotated[str | None, typer.Argument(help="The route's name.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every route of which something is held.")] = False,
    lasting: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Keep the brake off for this long: 30m, 2h, at most 24h."),
    ] = None,
    seen: Annotated[
        int | None,
        typer.Option(
            "--seen", metavar="NUMBER", help="Only what you saw, as `brake show` printed it; not what came after."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Let go what is held of a route: it is told to the other side now."""

    async def work(session: shell.Session) -> None:
        if (route is None) != everything:
            raise shell.Failure("IS-CLI-010", session.say("choose_brake"), shell.Exit.WRONG_USE)
        time = _time(session, lasting)
        async with shell.open_house(session.settings) as house:
            names = [route] if route is not None else await held.routes_held(house)
            done = await held.release(house, names, actor=shell.actor(), lasting=time, seen=seen)
        if as_json:
            session.json({"released": [asdict(each) for each in done]})
            return
        if not done:
            session.line(session.say("nothing_held"))
        for each in done:
            session.line(session.say("brake_released", route=each.route, count=each.movements))
            told(session, each.movements, each.codes)
            if each.younger:
                session.line(session.say("stay_held", route=each.route, count=each.younger))
            if each.counted:
                session.line(session.say("still_counted", route=each.route, count=each.counted))
            if each.off_until is not None:
                session.line(session.say("brake_off", route=each.route, until=moment(each.off_until)))

    shell.run(work)


def _time(session: shell.Session, text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = _LASTING.fullmatch(text.strip())
    if found is None:
        raise shell.Failure("IS-CLI-011", session.say("wrong_time", text=text), shell.Exit.WRONG_USE)
    return timedelta(minutes=int(found[1]) * (60 if found[2] == "h" else 1))
