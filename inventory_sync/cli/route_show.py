"""One route, spelt out: settings, locations and the match report."""

from __future__ import annotations

from typing import Any

from inventory_sync.cli.shell import Session
from inventory_sync.cli.status import moment


def show_route(session: Session, found: dict[str, Any]) -> None:
    """Print a route for people."""
    say = session.say
    state = found["state"] if not found["stopped_by"] else f"{found['state']} ({found['stopped_by']})"
    session.line(f"{found['name']}: {found['ledger']} → {found['channel']} · {state}")
    if found["blockers"]:
        session.line(f"  {say('blockers')}: {', '.join(found['blockers'])}")
    maximum = "–" if found["maximum"] is None else found["maximum"]
    session.line(
        f"  direction={found['direction']} sales={found['sales']} align={found['align']} "
        f"match={found['ledger_field']}={','.join(found['channel_fields'])} "
        f"publish=buffer:{found['buffer']},percent:{found['percent']},max:{maximum}"
    )
    session.line("  " + " ".join(f"{key}={value}" for key, value in found["counts"].items()))
    session.line(f"  unread={found['unread']} oldest_pending_s={found['oldest_pending_s']:.0f}")
    preview = found["latest_preview"]
    if preview is not None:
        session.line(f"  {say('latest_preview')}: {preview['id']} ({moment(preview['made_at'])})")
    places = [
        (f"{p['ledger']} ({p['ledger_name']})", f"{p['channel']} ({p['channel_name']})") for p in found["locations"]
    ]
    session.table("locations", ("ledger", "channel"), places)
    rest = ", ".join(f"{p['connection']} {p['key']} ({p['name']})" for p in found["unmapped_locations"])
    if rest:
        session.line(f"  {say('unmapped')}: {rest}")
    if found["match"] is not None:
        _match(session, found["match"])


def _match(session: Session, match: dict[str, Any]) -> None:
    say = session.say
    session.line(
        f"{say('match_report')}: "
        + say(
            "counted",
            matched=match["matched"],
            ambiguous=match["ambiguous_count"],
            ledger=match["ledger_unmatched_count"],
            channel=match["channel_unmatched_count"],
            near=match["near_misses_count"],
            excluded=sum(match["excluded_count"].values()),
        )
    )
    near = [(repr(m["ledger"]), repr(m["channel"]), say.either(m["ja"], m["en"])) for m in match["near_misses"]]
    _part(session, "near_misses", ("ledger", "channel", "difference"), near)
    ambiguous = [(a["value"], len(a["ledger"]), len(a["channel"])) for a in match["ambiguous"]]
    _part(session, "ambiguous", ("value", "ledger", "channel"), ambiguous)
    for side in ("ledger_unmatched", "channel_unmatched"):
        _part(session, side, ("value", "item"), [(m["value"], m["item"]) for m in match[side]])
    excluded = [
        (say(side), each["value"], each["item"], say(each["reason"]))
        for side in ("ledger", "channel")
        for each in match["excluded"][side]
    ]
    _part(session, "excluded", ("kind", "value", "item", "reason"), excluded)


def _part(session: Session, title: str, headings: tuple[str, ...], rows: list[Any]) -> None:
    if rows:
        session.table(title, headings, rows)
