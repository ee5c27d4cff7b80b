"""`route`: list, show, match, preview, start and stop."""

from __future__ import annotations

import csv
import sys
from typing import Annotated, Any

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.route_show import show_match, show_route
from inventory_sync.cli.status import show_routes
from inventory_sync.engine import matching, overview, routes
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import Preview
from inventory_sync.store import db

app = typer.Typer(help="Routes: a ledger and a channel that are kept equal.", no_args_is_help=True)

LINES = 200
COLUMNS = ("pair", "value", "item", "location", "action", "before", "after", "gap", "why_en", "why_ja")

Name = Annotated[str, typer.Argument(help="The route's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command("list")
def list_routes(as_json: Json = False) -> None:
    """List the routes with their state and counts."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await overview.routes(house)
        if as_json:
            session.json({"routes": found})
        else:
            show_routes(session, found)

    shell.run(work)


@app.command("show")
def show(name: Name, as_json: Json = False) -> None:
    """Show one route: settings, locations, and which items matched and which did not, with the difference."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await overview.route(house, name)
        if as_json:
            session.json(found)
        else:
            show_route(session, found)

    shell.run(work)


@app.command("match")
def match(name: Name, as_json: Json = False) -> None:
    """Match the items of a route now, and report what matched and what did not. Changed pairs start anew."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            await overview.route(house, name)
            if not await matching.match_now(house, name, actor=shell.actor()):
                raise shell.Failure("IS-RTE-030", session.say("not_matched", route=name))
            found = await overview.route(house, name)
        if as_json:
            session.json({"route": name, "match": found["match"]})
        else:
            session.line(session.say("matched_now", route=name))
            show_match(session, found["match"])

    shell.run(work)


@app.command("preview")
def preview(
    name: Name,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every line as CSV.")] = False,
    lines: Annotated[int, typer.Option("--lines", min=0, help="How many lines the table shows.")] = LINES,
) -> None:
    """Make a preview: every cell an alignment would touch, before, after and why. Writes nothing to a partner."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            made = await _make(session, house, name)
            rows = [_line(record) for record in await db.rows(house.pool, "preview_rows_of", id=made.id)]
        if as_json:
            session.json(
                {"preview": made.id, "route": name, "made_at": made.made_at, "summary": made.summary, "rows": rows}
            )
        elif as_csv:
            writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            sys.stderr.write(f"{made.id}\n")
        else:
            _table(session, made, rows, lines)

    shell.run(work)


def _line(record: Any) -> dict[str, Any]:
    found = {key: record[key] for key in ("value", "location", "action", "before", "after", "gap", "why_en", "why_ja")}
    return {"pair": record["pair_id"], "item": record["name"], **found}


def _table(session: shell.Session, made: Preview, rows: list[dict[str, Any]], lines: int) -> None:
    shown = [
        (
            r["value"],
            r["item"],
            r["location"],
            r["action"],
            r["before"],
            r["after"],
            session.say.either(r["why_ja"], r["why_en"]),
        )
        for r in rows[:lines]
    ]
    session.table("preview", ("value", "item", "location", "action", "before", "after", "why"), shown)
    if len(rows) > lines:
        session.line(session.say("more_lines", count=len(rows) - lines))
    session.line(_summary(session, made))
    session.line(session.say("accept_with", route=made.route, id=made.id))


def _summary(session: shell.Session, made: Preview) -> str:
    summary = made.summary
    return session.say(
        "preview_made",
        id=made.id,
        route=made.route,
        channel=summary["write_channel"],
        ledger=summary["write_ledger"],
        keep=summary["keep"] + summary["nothing"],
        excluded=summary["excluded"],
        up=summary["units_up"],
        down=-summary["units_down"],
    )


async def _make(session: shell.Session, house: House, name: str) -> Preview:
    """A preview, once there is something to compare and every cell of it was read."""
    found = await overview.route(house, name)
    if found["matched_at"] is None:
        raise shell.Failure("IS-RTE-030", session.say("not_matched", route=name))
    if found["counts"]["pairs"] - found["counts"]["suspended"] == 0:
        raise shell.Failure("IS-RTE-031", session.say("nothing_matched", route=name))
    if found["unread"]:
        raise shell.Failure("IS-RTE-032", session.say("unread", route=name, count=found["unread"]))
    return await routes.make_preview(house, name)


@app.command("start")
def start(
    name: Name,
    accept: Annotated[
        str | None, typer.Option("--accept", metavar="PREVIEW", help="The preview you looked at and accept.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Make a fresh preview and accept it.")] = False,
    as_json: Json = False,
) -> None:
    """Start a route under a preview."""

    async def work(session: shell.Session) -> None:
        if (accept is None) != yes:
            raise shell.Failure("IS-CLI-004", session.say("choose_start"), shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            await overview.route(house, name)
            chosen = accept
            if chosen is None:
                made = await _make(session, house, name)
                chosen = made.id
                if not as_json:
                    session.line(_summary(session, made))
            done = await routes.start(house, name, preview_id=chosen, actor=shell.actor())
        if as_json:
            session.json({"route": name, "preview": chosen, **done})
        else:
            session.line(session.say("route_started", route=name, **done))

    shell.run(work)


@app.command("stop")
def stop(name: Name, as_json: Json = False) -> None:
    """Stop a route: nothing more is written until a person starts it again."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            await overview.route(house, name)
            counts = await routes.stop(house, name, actor=shell.actor())
        if as_json:
            session.json({"route": name, "state": "stopped", "counts": counts})
            return
        session.line(session.say("route_stopped", route=name))
        if counts.get("open") or counts.get("owed"):
            session.line(session.say("still_open", open=counts["open"], owed=counts["owed"]))

    shell.run(work)
