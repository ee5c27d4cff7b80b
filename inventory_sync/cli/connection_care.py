"""`connection`: add, show, verify, renew, relink, remove, and what only people know: approvals and steps."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli.asking import Asker, asker_for, resolved
from inventory_sync.cli.connection_texts import say
from inventory_sync.cli.shell import moment
from inventory_sync.cli.state_texts import connection_state
from inventory_sync.config.connections import NAME, NAME_REMEDY, secret_fields
from inventory_sync.engine import connections_care as care
from inventory_sync.engine.connections_care import Cared, Desk
from inventory_sync.engine.lane import House
from inventory_sync.engine.setup import approvals
from inventory_sync.engine.setup.business_days import JAPAN
from inventory_sync.engine.setup.steps import say_done, ways_of
from inventory_sync.store import db

Name = Annotated[str, typer.Argument(help="The connection.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Answers = Annotated[
    Path | None,
    typer.Option("--answers", metavar="FILE", help="Take the values from a YAML file (- is the standard input)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group of connection commands."""
    for name, command in (
        ("add", add),
        ("show", show),
        ("verify", verify),
        ("renew", renew),
        ("relink", relink),
        ("remove", remove),
        ("approval", approval),
        ("step", step),
    ):
        app.command(name)(command)


@asynccontextmanager
async def _desk(session: shell.Session, house: House) -> AsyncIterator[Desk]:
    async with partners.clients(session.settings, house) as make_client:
        yield Desk(partners.installed_systems(), make_client, partners.secret_box(session.settings), shell.actor())


def add(
    name: Name,
    system: Annotated[str, typer.Option("--system", help="The system, as `systems` lists it.")],
    as_json: Json = False,
) -> None:
    """Make a connection before its credentials are there, to wait for an approval."""

    async def work(session: shell.Session) -> None:
        definition = partners.known_system(system)
        if not NAME.fullmatch(name):
            english, japanese = NAME_REMEDY
            raise shell.Failure("IS-CFG-020", session.say.either(japanese, english), shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            await care.add(house, name, definition, actor=shell.actor())
        if as_json:
            session.json({"name": name, "system": definition.name, "state": "created"})
        else:
            session.line(say(session.settings.language, "added", name=name, system=definition.name))

    shell.run(work)


def show(name: Name, as_json: Json = False) -> None:
    """Show one connection: its state, settings, what is granted and read. Secrets are never shown."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            record = await care.connection_named(house.pool, name)
            definition = partners.installed_systems().get(record["system"])
            found = care.shown(record, definition, partners.secret_box(session.settings))
            now = house.now()
        if as_json:
            session.json(found)
        else:
            _show(session, found, now)

    shell.run(work)


def _show(session: shell.Session, found: dict[str, Any], now: datetime) -> None:
    language = session.settings.language
    health = say(language, f"health_{found['health']}")
    state = connection_state(session.say, found["state"])
    session.line(f"{found['name']}: {found['system']} {found['identity'] or ''} · {state} ({health})")
    if found["reason"]:
        told = partners.told(session.say.language, found["code"], found["reason"], found["remedy"], name=found["name"])
        session.line(f"  {told[0]} [{found['code']}]")
        session.line(f"  {session.say('remedy')}: {told[1]}")
    for key, value in sorted(found["settings"].items()):
        session.line(f"  {key}: {value}")
    for key, mask in found["secrets"].items():
        session.line(f"  {key}: {mask}")
    if found["credential_expires_at"] is not None:
        days = (found["credential_expires_at"] - now).days
        left = say(language, "days_left", days=days)
        session.line(f"  {session.say('expires')}: {moment(found['credential_expires_at'])} ({left})")
    if found["granted"]:
        session.line(f"  {say(language, 'granted_scopes')}: {', '.join(found['granted'])}")
    if found["reads"][language]:
        session.line(f"  {say(language, 'reads')}: {', '.join(found['reads'][language])}")


def verify(name: Name, as_json: Json = False) -> None:
    """Ask the partner now whether the stored credential works."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house, _desk(session, house) as desk:
            done = await care.verify(house, name, desk)
        _report(session, done, "verified", as_json)

    shell.run(work)


Field = Annotated[
    list[str] | None, typer.Option("--field", help="A credential to replace; may be given again. All, if left out.")
]


def renew(name: Name, field: Field = None, answers: Answers = None, as_json: Json = False) -> None:
    """Replace credentials of the same shop. They are asked for, never given on the command line.

    Verified before anything is saved; a refused one leaves the old one in force.
    """

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house, _desk(session, house) as desk:
            values = await _values(session, house, desk, name, field, answers)
            done = await care.renew(house, name, values, desk)
        _report(session, done, "renewed", as_json)

    shell.run(work)


def relink(name: Name, field: Field = None, answers: Answers = None, as_json: Json = False) -> None:
    """Link a connection anew after an uninstall or a removal. Its routes stay stopped until they are started."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house, _desk(session, house) as desk:
            values = await _values(session, house, desk, name, field, answers)
            done = await care.relink(house, name, values, desk)
        _report(session, done, "relinked", as_json)

    shell.run(work)


async def _values(
    session: shell.Session, house: House, desk: Desk, name: str, field: list[str] | None, answers: Path | None
) -> dict[str, str]:
    """New credentials, as a person answers; those left empty are kept."""
    record = await care.connection_named(house.pool, name)
    definition = desk.systems[record["system"]]
    secret = secret_fields(definition.settings)
    asker: Asker = asker_for(session, answers)
    hidden = care.shown(record, definition, desk.box)["secrets"]
    ways = {way.key for way in ways_of(definition, {**record["settings"], **hidden})}
    other = {
        each
        for step in definition.steps
        if step.ways and not ways & set(step.ways)
        for each in (*step.fields, *step.more_fields)
    }
    names = field or [each for each in care.credentials_of(definition) if each not in other]
    found: dict[str, str] = {}
    for each in names:
        text = say(session.settings.language, "enter", name=each)
        value = asker.ask(each, text, default="", hidden=each in secret)
        if value:
            found[each] = resolved(session, each, value, os.environ)
    asker.finish()
    return found


def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Unlink a connection: its routes stop, its secrets are erased, its journal stays."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            confirmed = yes
            if not yes and sys.stdin.isatty() and not as_json:
                await care.connection_named(house.pool, name)
                confirmed = typer.confirm(say(session.settings.language, "really_remove"))
            done = await care.remove(house, name, actor=shell.actor(), confirmed=confirmed)
        _report(session, done, "put_away" if done.removed else "unlinked", as_json)

    shell.run(work)


def _report(session: shell.Session, done: Cared, text: str, as_json: bool) -> None:
    if as_json:
        session.json(asdict(done))
        return
    stopped = ", ".join(done.stopped) or "-"
    session.line(say(session.settings.language, text, name=done.name, stopped=stopped))
    for note in done.notes:
        session.line(f"  {session.say('note')}: {note}")


def approval(
    name: Name,
    what: Annotated[str, typer.Argument(help="applied, or granted.")],
    at: Annotated[str | None, typer.Option("--at", metavar="DAY", help="The day it was applied for.")] = None,
    step_key: Annotated[str | None, typer.Option("--step", help="Which approval, where there are several.")] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=60, help="Business days after which you are reminded.")
    ] = None,
    details: Annotated[
        list[str] | None,
        typer.Option(
            "--detail", metavar="NAME=VALUE", help="What the application named, such as shop_url; repeatable."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say that an approval was applied for, or is there. One that is overdue is brought to mind daily."""

    async def work(session: shell.Session) -> None:
        language = session.settings.language
        if what not in ("applied", "granted"):
            raise shell.Failure("IS-CLI-030", say(language, "applied_or_granted"), shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            chosen = await _approval_step(session, house, name, step_key)
            if what == "granted":
                state = await approvals.granted(house, name, chosen, actor=shell.actor())
                result: dict[str, Any] = {"name": name, "state": state}
                text = say(language, "granted", name=name, state=connection_state(session.say, state))
            else:
                since = None if at is None else day_of(session, at)
                given = await _application(session, house, name, details or ())
                due = await approvals.applied(
                    house, name, chosen, at=since, days=days, actor=shell.actor(), details=given
                )
                result = {"name": name, "state": "awaiting_approval", "due_at": due}
                text = say(language, "applied_for", name=name, due=moment(due))
        if as_json:
            session.json(result)
        else:
            session.line(text)

    shell.run(work)


async def _application(session: shell.Session, house: House, name: str, details: Sequence[str]) -> dict[str, str]:
    """What the application named, checked as the partner's settings are."""
    given = dict(each.partition("=")[::2] for each in details)
    if not all(given.values()):
        text = say(session.settings.language, "bad_detail")
        raise shell.Failure("IS-CLI-030", text, shell.Exit.WRONG_USE)
    record = await care.connection_named(house.pool, name)
    return approvals.application(partners.installed_systems()[record["system"]], given)


async def _approval_step(session: shell.Session, house: House, name: str, key: str | None) -> Any:
    record = await care.connection_named(house.pool, name)
    definition = partners.installed_systems()[record["system"]]
    said = [each["step"] for each in await db.rows(house.pool, "setup_steps_of", connection_id=record["id"])]
    ways = ways_of(definition, record["settings"], said)
    keys = tuple(way.key for way in ways) if len(ways) < len(definition.ways) else ()
    return approvals.approval_step(definition, key, keys)


def day_of(session: shell.Session, value: str) -> datetime:
    """A day, or a day and time, in Japan where no offset is given. Raises Failure."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        text = say(session.settings.language, "bad_day", value=value[:40])
        raise shell.Failure("IS-CLI-031", text, shell.Exit.WRONG_USE) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=JAPAN)


def step(
    name: Name,
    key: Annotated[str, typer.Argument(help="The step, as `guide` lists it.")],
    done: Annotated[bool, typer.Option("--done", help="It is done.")] = False,
    is_open: Annotated[bool, typer.Option("--open", help="It is open again.")] = False,
) -> None:
    """Say that a step of the guide is done which nobody can see from here."""

    async def work(session: shell.Session) -> None:
        language = session.settings.language
        if done == is_open:
            raise shell.Failure("IS-CLI-030", say(language, "step_or_open"), shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            record = await care.connection_named(house.pool, name)
            definition = partners.installed_systems()[record["system"]]
            await say_done(house, name, definition, key, done=done, actor=shell.actor())
        session.line(say(language, "said"))

    shell.run(work)
