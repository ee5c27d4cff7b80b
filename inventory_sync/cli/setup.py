"""`setup`: the questions of a first installation, in order, ending in a verified configuration and a preview."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli.apply import show as show_report
from inventory_sync.cli.asking import asker_for
from inventory_sync.cli.setup_choices import ALIGN, BASIS, DIRECTION, FIELDS, SALES
from inventory_sync.cli.setup_connection import Answered, Talk, ask_connection
from inventory_sync.cli.setup_texts import say
from inventory_sync.config import ConfigDocument, load_document
from inventory_sync.config.connections import NAME, NAME_REMEDY
from inventory_sync.engine import overview, routes
from inventory_sync.engine.apply import apply as apply_document
from inventory_sync.engine.apply_report import ApplyReport
from inventory_sync.engine.connections_care import Desk
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import Preview
from inventory_sync.engine.setup.plan import RoutePlan, document, file_text
from inventory_sync.systems.port import PartnerLocation, Role

LOOK_AGAIN = 0.5
NOBODY_SERVES = 10.0
"""Seconds after which a preview is not waited for, where no daemon works on the new connections."""


def setup(
    file: Annotated[
        Path, typer.Option("--file", dir_okay=False, help="The configuration file to write; what it holds is kept.")
    ] = Path("inventory-sync.yaml"),
    answers: Annotated[
        Path | None, typer.Option("--answers", metavar="FILE", help="Take the answers from a YAML file (- is stdin).")
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, max=3600, help="How many seconds to wait for the preview.")
    ] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Ask everything that a first route needs, prove it, write the file, apply it, and make the preview.

    Secrets are stored encrypted, or stay in the environment where the answer is ${NAME}; never in the file.
    """

    async def work(session: shell.Session) -> None:
        before = _read(session, file)
        async with (
            shell.open_house(session.settings) as house,
            partners.clients(session.settings, house) as make_client,
        ):
            box, systems = partners.secret_box(session.settings), partners.installed_systems()
            desk = Desk(systems, make_client, box, shell.actor())
            talk = Talk(session, asker_for(session, answers), house, desk)
            found = []
            for role in (Role.LEDGER, Role.CHANNEL):
                answered = await ask_connection(talk, role)
                if answered.waiting:
                    _wait(session, answered, as_json)
                    return
                found.append(answered)
            ledger, channel = found
            route = _route(talk, ledger, channel)
            talk.asker.finish()
            plans = (ledger.plan, channel.plan)
            text, given = document(plans, route)
            report = await _apply(talk, text, given)
            _write(session, file, file_text(before, plans, route))
            if not as_json:
                show_report(session, report)
                session.line(talk.say("written", path=file))
            preview = await _preview(talk, route, wait)
        _end(session, talk, report, route, preview, file, as_json)

    shell.run(work)


def _read(session: shell.Session, file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8-sig") if file.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise shell.Failure("IS-CFG-010", say(session.settings.language, "unreadable", path=file)) from error


def _write(session: shell.Session, file: Path, text: str) -> None:
    """Write the whole file at once, readable for its owner only."""
    half = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            half.unlink()
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
        half.replace(file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = say(session.settings.language, "unwritable", path=file, reason=reason)
        raise shell.Failure("IS-CLI-035", message) from error


def _wait(session: shell.Session, answered: Answered, as_json: bool) -> None:
    name = answered.plan.name
    if as_json:
        session.json({"connection": name, "waiting": True})
    else:
        session.line(say(session.settings.language, "waits", name=name))


def _route(talk: Talk, ledger: Answered, channel: Answered) -> RoutePlan:
    name = _route_name(talk, f"{ledger.plan.name}-{channel.plan.name}"[:40])
    locations, pool = _places(talk, ledger, channel)
    ledger_able, channel_able = ledger.plan.definition.capabilities, channel.plan.definition.capabilities
    direction = talk.choose("route.direction", "direction", tuple(DIRECTION), default="two_way", meanings=DIRECTION)
    sales = "expect"
    if direction != "ledger_to_channel":
        sales = talk.choose("route.sales", "sales", tuple(SALES), default="post", meanings=SALES)
    bases = sorted(ledger_able.bases, key=lambda basis: (basis != "stock", basis))
    basis = bases[0]
    if len(bases) > 1:
        basis = talk.choose("route.quantity", "basis", bases, default=basis, meanings=BASIS)
    return RoutePlan(
        name=name,
        ledger=ledger.plan.name,
        channel=channel.plan.name,
        direction=direction,
        sales=sales,
        basis=basis,
        ledger_field=_field(talk, "ledger_field", ledger_able.match_fields),
        channel_field=_field(talk, "channel_field", channel_able.match_fields),
        locations=locations,
        pool=pool,
        align=talk.choose("route.align", "align", tuple(ALIGN), default="ledger_wins", meanings=ALIGN),
    )


def _route_name(talk: Talk, default: str) -> str:
    while True:
        name = talk.asker.ask("route.name", talk.say("route_name"), default=default).strip()
        if NAME.fullmatch(name):
            return name
        talk.refuse("route.name", talk.either(NAME_REMEDY))


def _field(talk: Talk, name: str, fields: Sequence[str]) -> str:
    if len(fields) == 1:
        return fields[0]
    return talk.choose(f"route.{name}", name, fields, default=fields[0], meanings=FIELDS)


Pool = tuple[tuple[str, ...], str, str]


def _places(talk: Talk, ledger: Answered, channel: Answered) -> tuple[tuple[tuple[str, str], ...], Pool | None]:
    """Which locations belong together: one to one, or all summed for a channel that has only one number."""
    for each in (ledger, channel):
        if not each.places:
            raise shell.Failure("IS-RTE-010", talk.say("no_usable", name=each.plan.name))
        talk.tell(f"\n{talk.say('places')}: {each.plan.name}")
        for place in each.places:
            talk.tell(f"  {place.key}: {place.name}")
    only = str(channel.places[0].key)
    if len(channel.places) == 1 and len(ledger.places) > 1:
        return _pooled(talk, ledger.places, only)
    if len(channel.places) == len(ledger.places) == 1:
        return ((str(ledger.places[0].key), only),), None
    return _paired(talk, ledger.places, channel.places), None


def _pooled(
    talk: Talk, places: Sequence[PartnerLocation], only: str
) -> tuple[tuple[tuple[str, str], ...], Pool | None]:
    known = [str(place.key) for place in places]
    while True:
        answer = talk.asker.ask("route.pool", talk.say("pool", choices=" / ".join(known)), default=",".join(known))
        keys = tuple(dict.fromkeys(each.strip() for each in answer.split(",") if each.strip()))
        if keys and all(key in known for key in keys):
            break
        talk.refuse("route.pool", talk.say("not_one_of", choices=", ".join(known)))
    if len(keys) == 1:
        return ((keys[0], only),), None
    return (), (keys, talk.choose("route.intake", "intake", keys, default=keys[0]), only)


def _paired(
    talk: Talk, ledger: Sequence[PartnerLocation], channel: Sequence[PartnerLocation]
) -> tuple[tuple[str, str], ...]:
    while True:
        free = {str(place.key): str(place.name) for place in channel}
        pairs: list[tuple[str, str]] = []
        for place in ledger:
            chosen = _partner_of(talk, place, free)
            if chosen:
                pairs.append((str(place.key), chosen))
                del free[chosen]
        if pairs:
            return tuple(pairs)
        talk.refuse("route.locations", talk.say("no_places"))


def _partner_of(talk: Talk, place: PartnerLocation, free: dict[str, str]) -> str:
    key = f"route.locations.{place.key}"
    while True:
        text = talk.say("pair", key=place.key, name=place.name, choices=" / ".join(free))
        answer = talk.asker.ask(key, text, default="").strip()
        if not answer or answer in free:
            return answer
        talk.refuse(key, talk.say("not_one_of", choices=", ".join(free)))


async def _apply(talk: Talk, text: str, given: dict[str, str]) -> ApplyReport:
    desk, house = talk.desk, talk.house
    secrets = await partners.stored_secrets(house, desk.box)
    connections, known_routes = await partners.known_names(house)
    found: ConfigDocument = load_document(
        text,
        {**os.environ, **given},
        desk.systems,
        stored_secrets=lambda name: secrets.get(name, {}),
        known_connections=connections,
        known_routes=known_routes,
    )
    return await apply_document(
        house, found, systems=desk.systems, make_client=desk.make_client, box=desk.box, actor=desk.actor
    )


async def _preview(talk: Talk, route: RoutePlan, wait: float) -> Preview | None:
    """The preview, once the daemon has fetched both catalogues and read every cell; None while it has not."""
    waited = 0.0
    while True:
        found = await overview.route(talk.house, route.name)
        counts = found["counts"]
        if found["matched_at"] is not None and not found["unread"] and counts["pairs"] > counts["suspended"]:
            return await routes.make_preview(talk.house, route.name)
        if waited >= wait or (waited >= NOBODY_SERVES and not await _served(talk.house, route)):
            return None
        if not waited:
            talk.tell(talk.say("awaiting_data"))
        await asyncio.sleep(LOOK_AGAIN)
        waited += LOOK_AGAIN


async def _served(house: House, route: RoutePlan) -> bool:
    ends = (route.ledger, route.channel)
    return any(each["served"] for each in (await overview.overview(house))["connections"] if each["name"] in ends)


def _end(
    session: shell.Session,
    talk: Talk,
    report: ApplyReport,
    route: RoutePlan,
    preview: Preview | None,
    file: Path,
    as_json: bool,
) -> None:
    if as_json:
        made: dict[str, Any] | None = None
        if preview is not None:
            made = {"id": preview.id, "made_at": preview.made_at, "summary": preview.summary}
        session.json({"file": str(file), "route": route.name, "report": report.as_dict(), "preview": made})
    elif preview is None:
        session.line(talk.say("preview_later", route=route.name))
    else:
        up, down = preview.summary.get("units_up"), -(preview.summary.get("units_down") or 0)
        session.line(talk.say("preview_ready", id=preview.id, route=route.name, up=up, down=down))
