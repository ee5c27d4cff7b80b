"""`connection`: accounts at partners, and what has to be found out or told about each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli.connection_texts import say
from inventory_sync.cli.state_texts import connection_state
from inventory_sync.engine import calibration, files
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import NoSuch
from inventory_sync.engine.stored import REMOVED, open_settings
from inventory_sync.store import db
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import NamedFile, SettingsModel, SystemDefinition

app = typer.Typer(help="Accounts at partners: shops and ledgers.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


async def _opened(session: shell.Session, house: House, name: str) -> tuple[db.Record, SystemDefinition, SettingsModel]:
    """A stored connection with its system and settings. Raises NoSuch naming those that exist."""
    records = [r for r in await db.rows(house.pool, "connections_all") if r["state_code"] != REMOVED]
    found = next((r for r in records if r["name"] == name), None)
    if found is None:
        names = ", ".join(r["name"] for r in records)
        raise NoSuch(
            f"There is no connection {name!r}. Connections: {names or 'none yet'}.",
            f"接続「{name}」はありません。今ある接続: {names or 'まだありません'}",
        )
    definition = partners.installed_systems()[found["system"]]
    return found, definition, open_settings(definition, found, partners.secret_box(session.settings))


@app.command("list")
def list_connections(as_json: Json = False) -> None:
    """List the connections, with what was calibrated."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            records = [r for r in await db.rows(house.pool, "connections_all") if r["state_code"] != REMOVED]
        found = [
            {
                "name": r["name"],
                "system": r["system"],
                "title": r["title"],
                "identity": r["identity"],
                "state": r["state"],
                "state_code": r["state_code"],
                "health": "valid" if r["state"] == "linked" else "invalid",
                "credential_expires_at": r["credential_expires_at"],
                "calibration": {k: v for k, v in r["calibration"].items() if v and len(str(v)) <= 60},
            }
            for r in records
        ]
        if as_json:
            session.json({"connections": found})
            return
        rows = [
            (c["name"], c["system"], c["title"], connection_state(session.say, c["state"]), _pairs(c["calibration"]))
            for c in found
        ]
        session.table("connections", ("name", "kind", "what", "state", "detail"), rows)

    shell.run(work)


def _pairs(values: Any) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(values.items()))


@app.command("calibrate")
def calibrate(
    name: Annotated[str, typer.Argument(help="The connection.")],
    item: Annotated[
        str, typer.Option("--item", help="An item of the shop that is hidden from customers and has stock.")
    ],
    as_json: Json = False,
) -> None:
    """Find out on one hidden item what no document of the partner says. It is left as it was."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            record, definition, settings = await _opened(session, house, name)
            procedure = definition.calibrate
            if procedure is None:
                raise shell.Failure("IS-CON-022", say(session.settings.language, "nothing_to_calibrate", name=name))
            key = await calibration.item_named(house, record["id"], item)
            async with partners.context_for(session.settings, house, settings) as context:
                found = await calibration.calibrate(
                    house,
                    record,
                    key,
                    lambda chosen: procedure(settings, context, chosen),
                    quiet=definition.capabilities.request_timeout,
                    actor=shell.actor(),
                )
        if as_json:
            steps = [{"did": s.did_en, "did_ja": s.did_ja, "saw": s.saw} for s in found.steps]
            session.json({"steps": steps, "found": dict(found.found)})
            return
        for step in found.steps:
            did = step.did_ja if session.settings.language == "ja" else step.did_en
            session.line(f"  {did}: {step.saw}")
        session.line(say(session.settings.language, "calibrated", found=_pairs(found.found)))

    shell.run(work)


@app.command("upload")
def upload(
    name: Annotated[str, typer.Argument(help="The connection.")],
    paths: Annotated[list[Path], typer.Argument(help="Files of the shop's catalogue, one or all of a set.")],
    confirm: Annotated[
        bool, typer.Option("--confirm-columns", help="Accept columns that differ from the last accepted ones.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Hand in catalogue files of a shop whose catalogue has no API. They count only as a whole set."""

    async def work(session: shell.Session) -> None:
        given = []
        for path in paths:
            try:
                given.append(NamedFile(path.name, path.read_bytes()))
            except OSError as error:
                reason = error.strerror or type(error).__name__
                text = say(session.settings.language, "cannot_read", path=str(path), reason=reason)
                raise shell.Failure("IS-CON-023", text, shell.Exit.WRONG_USE) from error
        async with shell.open_house(session.settings) as house:
            record, definition, settings = await _opened(session, house, name)
            catalogue = definition.file_catalogue(settings) if definition.file_catalogue is not None else None
            if catalogue is None:
                raise shell.Failure("IS-CON-024", say(session.settings.language, "no_files", name=name))
            done = await files.hand_in(house, record, catalogue, given, confirm=confirm, actor=shell.actor())
        if as_json:
            session.json({"waiting_for": list(done.waiting_for), "items": done.items, "warnings": list(done.warnings)})
            return
        for warning in done.warnings:
            session.line(f"  {warning}")
        word = "files_wait" if done.waiting_for else "files_taken"
        text = say(session.settings.language, word, missing=", ".join(done.waiting_for), items=done.items)
        session.line(text)

    shell.run(work)


def notice_secrets(definition: SystemDefinition) -> tuple[str, ...]:
    """The secrets of ours that the address for a partner's notices ends in."""
    return tuple(field for field in definition.generated_secrets if field != definition.callback_field)


@app.command("notify-url")
def notify_url(name: Annotated[str, typer.Argument(help="The connection.")]) -> None:
    """Show the address that the partner's notices must be sent to. Who knows it can wake us: keep it secret."""

    async def work(session: shell.Session) -> None:
        public = session.settings.public_url
        if public is None:
            raise shell.Failure("IS-CON-025", say(session.settings.language, "no_public_url"))
        async with shell.open_house(session.settings) as house:
            record, definition, settings = await _opened(session, house, name)
        if definition.make_notice_parser is None:
            raise InvalidSettings(
                f"{definition.name} sends no notices.",
                field="",
                remedy="Nothing is to be done.",
                code="IS-CON-026",
                message_ja=f"{definition.title_ja}は通知を送信しません。",
                remedy_ja="操作は不要です。",
            )
        url = f"{public.rstrip('/')}/webhooks/{record['system']}/{record['name']}"
        for field in notice_secrets(definition):
            url += f"/{getattr(settings, field).get_secret_value()}"
        session.line(url)

    shell.run(work)
