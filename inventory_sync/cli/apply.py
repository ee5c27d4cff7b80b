"""`apply`: a configuration file, all of it or nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli import state_texts as words
from inventory_sync.cli.texts import Words
from inventory_sync.config import ConfigDocument, load_document
from inventory_sync.engine.apply import apply as apply_document
from inventory_sync.engine.apply_report import ApplyReport, Change, Note
from inventory_sync.engine.lane import House
from inventory_sync.secrets import SecretBox
from inventory_sync.systems.port import SystemDefinition


def apply(
    file: Annotated[str, typer.Argument(help="The configuration file; - reads it from the standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what the file does not name; lists it first.")] = False,
    accept: Annotated[
        str | None, typer.Option("--accept", metavar="PREVIEW", help="Start the route of this preview.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking (with --prune).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Apply a configuration file. Safe to repeat; nothing changes unless all of it is valid."""

    async def work(session: shell.Session) -> int | None:
        async with shell.open_house(session.settings) as house:
            return await _apply(session, house, file, dry_run, prune, accept, yes, as_json)

    shell.run(work)


async def _apply(
    session: shell.Session,
    house: House,
    file: str,
    dry_run: bool,
    prune: bool,
    accept: str | None,
    yes: bool,
    as_json: bool,
) -> int | None:
    systems, box = partners.installed_systems(), partners.secret_box(session.settings)
    document = await _document(house, file, systems, box)
    async with partners.clients(session.settings, house) as make_client:

        async def carry_out(only_plan: bool) -> ApplyReport:
            return await apply_document(
                house,
                document,
                systems=systems,
                make_client=make_client,
                box=box,
                actor=shell.actor(),
                dry_run=only_plan,
                prune=prune,
                accept=accept,
            )

        if prune and not dry_run:
            plan = await carry_out(True)
            if plan.removed and not yes:
                _ask(session, plan, as_json)
        report = await carry_out(dry_run)
    if as_json:
        session.json(report.as_dict())
    else:
        show(session, report)
    return None


async def _document(house: House, file: str, systems: dict[str, SystemDefinition], box: SecretBox) -> ConfigDocument:
    secrets = await partners.stored_secrets(house, box)
    connections, routes = await partners.known_names(house)
    return load_document(
        sys.stdin.read() if file == "-" else Path(file),
        os.environ,
        systems,
        stored_secrets=lambda name: secrets.get(name, {}),
        known_connections=connections,
        known_routes=routes,
    )


def _ask(session: shell.Session, plan: ApplyReport, as_json: bool) -> None:
    asking = sys.stdin.isatty() and not as_json
    gone = "\n".join(f"  {each}" for each in plan.removed)
    text = f"{session.say('goes')}\n{gone}"
    if asking:
        session.line(text)
        if typer.confirm(session.say("sure")):
            return
    raise shell.Failure("IS-CLI-002", f"{text}\n{session.say('prune_needs_yes')}", shell.Exit.REFUSED)


def show(session: shell.Session, report: ApplyReport) -> None:
    """Print a report for people."""
    say = session.say
    if report.dry_run:
        session.line(say("dry_run"))
    rows = [
        (
            kind,
            change.name,
            words.change(say, change.what.value),
            words.either_state(say, change.state),
            _fields(change),
        )
        for kind, changes in ((say("connections"), report.connections), (say("routes"), report.routes))
        for change in changes
    ]
    if rows:
        session.table("changes", ("kind", "name", "what", "state", "detail"), rows)
    if report.started:
        session.line(say("started", names=", ".join(report.started)))
    _notes(session, "note", report.notes, say)
    _notes(session, "next", report.next_steps, say)
    if not report.dry_run:
        session.line(say("applied" if report.changed else "nothing_changed"))


def _notes(session: shell.Session, title: str, notes: tuple[Note, ...], say: Words) -> None:
    for note in notes:
        session.line(f"{say(title)} [{note.code}]: {say.either(note.ja, note.en)}")


def _fields(change: Change) -> str:
    return ", ".join(f"{each.field}: {_shown(each.before)} → {_shown(each.after)}" for each in change.fields)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, (list, tuple)):
        return (
            "[" + ", ".join("↔".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value) + "]"
        )
    return str(value)
