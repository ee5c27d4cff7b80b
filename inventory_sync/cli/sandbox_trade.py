"""`sandbox sell|receive|stock|log`: what people do at the partners of a running sandbox, and what they see."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

import aiohttp
import typer

from inventory_sync.cli import shell

DESK = "SANDBOX_DESK"
"""The variable that says where a running sandbox hears people; the sandbox prints it."""

Partner = Annotated[Literal["pos", "shop"], typer.Argument(help="pos (the register) or shop.")]
Code = Annotated[str, typer.Argument(help="The item's code.")]
Units = Annotated[int, typer.Option("--units", min=1, help="How many.")]
Place = Annotated[
    str, typer.Option("--place", help="The store or location, by key or name; the first one if not given.")
]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group of the sandbox."""
    app.command("sell")(sell)
    app.command("receive")(receive)
    app.command("stock")(stock)
    app.command("log")(log)


def sell(partner: Partner, code: Code, units: Units = 1, place: Place = "", as_json: Json = False) -> None:
    """Sell at the simulated register, or order at the simulated shop."""
    _deed("sell", partner, code, units, place, as_json)


def receive(partner: Partner, code: Code, units: Units = 1, place: Place = "", as_json: Json = False) -> None:
    """Let goods come in at the simulated register or shop."""
    _deed("receive", partner, code, units, place, as_json)


def stock(code: Annotated[str | None, typer.Argument(help="Only this item.")] = None, as_json: Json = False) -> None:
    """Show the numbers that the simulated register and shop show now."""

    async def work(session: shell.Session) -> None:
        found = await _ask(session, "GET", "stock", params={} if code is None else {"code": code})
        if as_json:
            session.json(found)
        else:
            _table(session, found["stock"])

    shell.run(work)


def log(as_json: Json = False) -> None:
    """Show every change of a number at the simulated register and shop, from their own logs."""

    async def work(session: shell.Session) -> None:
        found = await _ask(session, "GET", "log")
        if as_json:
            session.json(found)
            return
        ours = session.say.either("本製品", "inventory-sync")
        rows = [
            (
                *(c["at"], c["partner"], c["code"], c["place"]),
                *(f"{c['delta']:+d}", c["after"], c["cause"], ours if c["by_product"] else ""),
            )
            for c in found["changes"]
        ]
        session.table("changes", ("since", "name", "value", "location", "difference", "after", "reason", "by"), rows)

    shell.run(work)


def _deed(deed: str, partner: str, code: str, units: int, place: str, as_json: bool) -> None:
    async def work(session: shell.Session) -> None:
        said = {"partner": partner, "code": code, "units": units, "place": place}
        found = await _ask(session, "POST", deed, json=said)
        if as_json:
            session.json(found)
        else:
            _table(session, [found])

    shell.run(work)


def _table(session: shell.Session, found: list[dict[str, Any]]) -> None:
    rows = [(each["partner"], each["code"], each["place"], each["stock"]) for each in found]
    session.table("sandbox_stock", ("name", "value", "location", "stock"), rows)


async def _ask(session: shell.Session, method: str, path: str, **request: Any) -> dict[str, Any]:
    address = os.environ.get(DESK, "")
    if not address:
        raise shell.Failure("IS-CLI-050", session.say("sandbox_away"), shell.Exit.WRONG_USE)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http,
            http.request(method, f"{address}/{path}", **request) as answer,
        ):
            found: dict[str, Any] = await answer.json()
    except (aiohttp.ClientError, OSError) as error:
        raise shell.Failure("IS-CLI-050", session.say("sandbox_away")) from error
    if "error" in found:
        raise shell.Failure("IS-CLI-051", found["error"])
    return found
