"""`route`: list, show, match and start."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.route_push import make, not_matched, summary_line
from inventory_sync.cli.route_show import show_match, show_route
from inventory_sync.cli.status import show_routes
from inventory_sync.engine import matching, overview, routes

app = typer.Typer(help="Routes: a ledger and a channel that are kept equal.", no_args_is_help=True)

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
            blocked = (await overview.route(house, name))["blocked_by"]
            if not await matching.match_now(house, name, actor=shell.actor()):
                raise shell.Failure("IS-RTE-030", "\n".join(not_matched(session, name, blocked)))
            found = await overview.route(house, name)
        if as_json:
            session.json({"route": name, "match": found["match"]})
        else:
            session.line(session.say("matched_now", route=name))
            show_match(session, found["match"])

    shell.run(work)


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
                made = await make(session, house, name)
                chosen = made.id
                if not as_json:
                    session.line(summary_line(session, made))
            done = await routes.start(house, name, preview_id=chosen, actor=shell.actor())
        if as_json:
            session.json({"route": name, "preview": chosen, **done})
        else:
            session.line(session.say("route_started", route=name, **done))

    shell.run(work)
