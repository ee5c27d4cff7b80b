"""`status`: connections, routes and alerts at a glance."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli.shell import moment
from inventory_sync.cli.state_texts import connection_state, route_state, stage
from inventory_sync.engine import overview


def status(as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False) -> None:
    """Show connections, routes and open alerts."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await overview.overview(house, problems=partners.problems_in_japanese())
        if as_json:
            session.json(found)
        else:
            _show(session, found)

    shell.run(work)


def _show(session: shell.Session, found: dict[str, Any]) -> None:
    if not found["connections"]:
        session.line(session.say("none_yet"))
        return
    _connections(session, found)
    show_routes(session, found["routes"])
    for each in found["routes"]:
        rest = ", ".join(f"{p['connection']} {p['key']} ({p['name']})" for p in each["unmapped_locations"])
        if rest:
            session.line(f"  {each['name']}: {session.say('unmapped')}: {rest}")
    show_alerts(session, found["alerts"])


def _connections(session: shell.Session, found: dict[str, Any]) -> None:
    say, now = session.say, found["at"]
    rows = [
        (
            each["name"],
            each["system"],
            each["identity"],
            connection_state(say, each["state"]),
            say("yes" if each["served"] else "no"),
            each["items"] if each["importing"] is None else f"{each['items']} (+{each['importing']})",
            each.get("cells", 0),
            each.get("pending", 0),
            each["in_doubt"],
            _expiry(each["credential_expires_at"], now),
        )
        for each in found["connections"]
    ]
    headings = ("name", "kind", "subject", "state", "served", "items", "cells", "pending", "in_doubt", "expires")
    session.table("connections", headings, rows)
    for each in found["connections"]:
        if each["reason"]:
            reason, remedy = partners.told(
                say.language, each["code"], each["reason"], each["remedy"], name=each["name"]
            )
            session.line(f"  {each['name']}: {reason} [{each['code']}]")
            session.line(f"    {say('remedy')}: {remedy}")
    by_hand = {
        name
        for name, definition in partners.installed_systems().items()
        if set(definition.generated_secrets) - {definition.callback_field}
    }
    for each in found["connections"]:
        if each["state"] == "linked" and each["system"] in by_hand and each["heard_at"] is None:
            session.line(f"  {each['name']}: {say('never_heard', name=each['name'])}")


def _expiry(at: datetime | None, now: datetime) -> str:
    return "" if at is None else f"{moment(at)} ({(at - now).days}d)"


def show_routes(session: shell.Session, found: list[dict[str, Any]]) -> None:
    """Print routes as a table."""
    rows = [
        (
            each["name"],
            f"{each['ledger']} → {each['channel']}",
            route_state(session.say, each),
            ", ".join(each["blockers"]),
            each["counts"]["pairs"],
            each["counts"]["live"],
            each["counts"]["open"],
            f"{each['oldest_pending_s']:.0f}s",
            "" if each["latest_preview"] is None else each["latest_preview"]["id"],
        )
        for each in found
    ]
    headings = ("name", "kind", "state", "blockers", "pairs", "live", "pending", "lag", "latest_preview")
    session.table("routes", headings, rows)
    for each in found:
        if each["blocked_by"]:
            session.line(f"  {each['name']} ({stage(session.say, each['stage'])}):")
            for line in reasons(session, each["blocked_by"]):
                session.line(f"    {line}")


def reasons(session: shell.Session, blocked: list[dict[str, Any]]) -> list[str]:
    """Blockers as lines: what is wrong with its code, then what to do."""
    lines: list[str] = []
    for each in blocked:
        code = f"{each['code']}:{each['subject']}" if each["subject"] else each["code"]
        lines.append(f"{session.say.either(each['ja'], each['en'])} [{code}]")
        lines.append(f"  {session.say('remedy')}: {session.say.either(each['remedy']['ja'], each['remedy']['en'])}")
    return lines


def show_alerts(session: shell.Session, found: list[dict[str, Any]]) -> None:
    """Print alerts as a table."""
    rows = [
        (
            each["code"],
            each["subject"],
            moment(each["opened_at"]),
            ", ".join(f"{k}={v}" for k, v in each["detail"].items() if k not in ("reason", "remedy", "message")),
        )
        for each in found
    ]
    session.table("alerts", ("code", "subject", "since", "detail"), rows)
    for each in found:
        either, title, remedy = session.say.either, each["title"], each["remedy"]
        session.line(f"  {each['subject']}: {either(title['ja'], title['en'])} [{each['code']}]")
        if each["closed_at"] is None:
            session.line(f"    {session.say('remedy')}: {either(remedy['ja'], remedy['en'])}")
