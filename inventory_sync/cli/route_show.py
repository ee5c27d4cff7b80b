"""One route, spelt out: settings, locations and the match report."""

from __future__ import annotations

from typing import Any

from inventory_sync.cli.setup_choices import ALIGN, BASIS, DIRECTION, SALES
from inventory_sync.cli.shell import Session, moment
from inventory_sync.cli.state_texts import route_state, setting, stage
from inventory_sync.cli.status import reasons

NAMED = 3

_FIGURES_JA = {
    "pairs": "紐付け",
    "pools": "プール",
    "sets": "セット",
    "live": "連動中",
    "new": "未承認",
    "waiting": "確認待ち",
    "catching_up": "読み直し中",
    "suspended": "停止中の紐付け",
    "open": "未反映",
    "quarantined": "隔離中",
    "uncertain": "要数え直し",
    "owed": "台帳へ未計上",
    "unread": "未読",
    "oldest_pending_s": "最も古い未反映(秒)",
}
"""Items that an ambiguity names on a side; the rest is counted."""


def show_route(session: Session, found: dict[str, Any]) -> None:
    """Print a route for people."""
    say = session.say
    state = route_state(say, found)
    if found["stage"] != found["state"]:
        state += f" · {stage(say, found['stage'])}"
    session.line(f"{found['name']}: {found['ledger']} → {found['channel']} · {state}")
    marks = {"done": "✓", "now": "→", "later": "·"}
    session.line("  " + "  ".join(f"{marks[each['state']]} {say('step_' + each['step'])}" for each in found["steps"]))
    if found["blocked_by"]:
        session.line(f"  {say('blockers')}:")
        for line in reasons(session, found["blocked_by"]):
            session.line(f"    {line}")
    for each in found["warnings"]:
        session.line(f"  {say('note')}: {say.either(each['ja'], each['en'])}")
    moved = found["since_stop"]
    if moved is not None and any(moved.values()):
        session.line("  " + say("moved_since_stop", **moved))
    maximum = "–" if found["maximum"] is None else found["maximum"]
    within = f" {found['booked_within']} s" if found["sales"] == "expect" else ""
    fields = f"{found['ledger_field']} = {', '.join(found['channel_fields'])}"
    session.line(
        say.either(
            f"  方向: {setting(say, DIRECTION, found['direction'])} · "
            f"販売の計上: {setting(say, SALES, found['sales'])}{within} · "
            f"最初の合わせ方: {setting(say, ALIGN, found['align'])} · 紐付け: {fields} · 出品: {found['listings']}",
            f"  direction {found['direction']} · sales {found['sales']}{within} · first alignment {found['align']} · "
            f"match {fields} · listings {found['listings']}",
        )
    )
    session.line(
        say.either(
            f"  台帳の数: {setting(say, BASIS, found['ledger_basis'])} · 計上方法: {found['intake']} · "
            f"公開: 安全在庫 {found['buffer']}、割合 {found['percent']}%、上限 {maximum}",
            f"  number {found['ledger_basis']} · intake {found['intake']} · publish: buffer {found['buffer']}, percent "
            f"{found['percent']}, max {maximum}",
        )
    )
    pending = {"unread": found["unread"], "oldest_pending_s": f"{found['oldest_pending_s']:.0f}"}
    for figures in (found["counts"], pending):
        japanese = "、".join(f"{_FIGURES_JA.get(key, key)} {value}" for key, value in figures.items())
        session.line("  " + say.either(japanese, " ".join(f"{key}={value}" for key, value in figures.items())))
    preview = found["latest_preview"]
    if preview is not None:
        session.line(f"  {say('latest_preview')}: {preview['id']} ({moment(preview['made_at'])})")
    places = [
        (f"{p['ledger']} ({p['ledger_name']})", f"{p['channel']} ({p['channel_name']})") for p in found["locations"]
    ]
    session.table("locations", ("ledger", "channel"), places)
    if found["pool"] is not None:
        session.line(f"  {say('pool_intake', location=found['pool']['intake'])}")
    rest = ", ".join(f"{p['connection']} {p['key']} ({p['name']})" for p in found["unmapped_locations"])
    if rest:
        session.line(f"  {say('unmapped')}: {rest}")
    if found["match"] is not None:
        show_match(session, found["match"])


def show_match(session: Session, match: dict[str, Any]) -> None:
    """Print a match report for people: what a person supplied and what is wrong with it, then what did not match."""
    say = session.say
    session.line(
        f"{say('match_report')}: "
        + say(
            "match_counted",
            matched=match["matched"],
            ambiguous=match["ambiguous_count"],
            ledger=match["ledger_unmatched_count"],
            channel=match["channel_unmatched_count"],
            near=match["near_misses_count"],
            excluded=sum(match["excluded_count"].values()),
        )
    )
    if match["codes_count"] or match["sets_count"]:
        session.line("  " + say("supplied", codes=match["codes_count"], sets=match["sets_count"]))
    sets = [(each["value"], _components(each["components"]), each["listings"]) for each in match["sets"]]
    _part(session, "sets", ("value", "components", "listings"), sets)
    complaints = [(repr(each["value"]), say.either(each["ja"], each["en"])) for each in match["complaints"]]
    _part(session, "complaints", ("value", "reason"), complaints)
    near = [(repr(m["ledger"]), repr(m["channel"]), say.either(m["ja"], m["en"])) for m in match["near_misses"]]
    _part(session, "near_misses", ("ledger", "channel", "difference"), near)
    ambiguous = [(a["value"], say(a["why"]), _names(a["ledger"]), _names(a["channel"])) for a in match["ambiguous"]]
    _part(session, "ambiguous", ("value", "reason", "ledger", "channel"), ambiguous)
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


def _components(found: list[dict[str, Any]]) -> str:
    return " + ".join(f"{each['ratio']} × {each['value']}" for each in found)


def _names(found: list[str]) -> str:
    listed = ", ".join(found[:NAMED])
    return listed if len(found) <= NAMED else f"{listed} … ({len(found)})"
