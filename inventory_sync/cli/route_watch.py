"""`route watch`: the trial that writes nothing, and its report on the tool in use."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.shell import moment
from inventory_sync.cli.state_texts import stage
from inventory_sync.engine import watching
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import RefusedByRule

_AGO = re.compile(r"(\d{1,5})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LISTED = 10
"""Near misses that the printed report names; `--json` has all that the match report keeps."""


def register(app: typer.Typer) -> None:
    """Add the command to the group of route commands."""
    app.command("watch")(watch)


def watch(
    name: Annotated[str, typer.Argument(help="The route's name.")],
    report: Annotated[bool, typer.Option("--report", help="Show what the trial found out so far.")] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Report from here on: 90m, 24h, 7d, or 2026-11-20T09:00.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Stop the writing of a route that runs, without asking.")] = False,
    forget_owed: Annotated[
        int | None, typer.Option("--forget-owed", min=1, help="Give up this many units owed to the ledger.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Watch a route: read and decide everything, write nothing. With --report: how the tool in use compares.

    A route that runs stops writing, and its next start is an alignment: that takes a confirmation.
    """

    async def work(session: shell.Session) -> None:
        if since and not report:
            text = session.say.either("--since は --report と一緒に指定してください。", "--since goes with --report.")
            raise shell.Failure("IS-CLI-013", text, shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            if report:
                found = await watching.report(house, name, since=_time(session, since, house.now()))
            else:
                asking = _at_a_terminal() and not as_json
                found = await _watch(session, house, name, forget_owed, yes=yes, asking=asking)
        if as_json:
            session.json(found if report else {"route": name, "state": "watching", **found})
        elif report:
            _show(session, found)
        else:
            session.line(
                session.say.either(
                    f"{name} の見守りを開始しました({found['pairs']} 件)。何も書き込みません。"
                    f"結果: `inventory-sync route watch {name} --report`",
                    f"{name} watches {found['pairs']} pairs and writes nothing. "
                    f"What it finds out: `inventory-sync route watch {name} --report`",
                )
            )

    shell.run(work)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


async def _watch(
    session: shell.Session, house: House, name: str, forget_owed: int | None, *, yes: bool, asking: bool
) -> dict[str, Any]:
    """Set a route watching; a person at a terminal is asked where it runs."""
    try:
        return await watching.watch(house, name, actor=shell.actor(), confirmed=yes, forget_owed=forget_owed)
    except RefusedByRule as refusal:
        if refusal.code != "IS-RTE-052" or not asking:
            raise
        session.line(session.say.either(refusal.japanese, str(refusal)))
        if not typer.confirm(session.say("sure")):
            raise
    return await watching.watch(house, name, actor=shell.actor(), confirmed=True, forget_owed=forget_owed)


def _time(session: shell.Session, text: str, now: datetime) -> datetime | None:
    """The time that `--since` means: so long ago, or a date with or without time and zone (without: the settings')."""
    if not text:
        return None
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = session.say.either(
            f"{text!r} は時刻として読めません。90m、24h、7d、または 2026-11-20T09:00 のように書いてください。",
            f"{text!r} is not a time. Write 90m, 24h, 7d, or 2026-11-20T09:00.",
        )
        raise shell.Failure("IS-CLI-013", message, shell.Exit.WRONG_USE) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=session.settings.timezone)


def _show(session: shell.Session, found: dict[str, Any]) -> None:
    either, now = session.say.either, found["now"]
    lines = [
        either(
            f"{found['route']} の見守り({stage(session.say, found['state'])}): "
            f"{moment(found['since'])} 〜 {moment(found['until'])}、{now.get('cells', 0)} セル",
            f"{found['route']} ({found['state']}), watched {moment(found['since'])} – {moment(found['until'])}, "
            f"{now.get('cells', 0)} cells",
        ),
        either(
            f"台帳の変動 {found['changes']} 件: 反映 {found['reached']}、24 時間たっても未反映 {found['never']}、"
            f"経過観察中 {found['open']}",
            f"{found['changes']} changes of the ledger: {found['reached']} came to show, {found['never']} not within "
            f"24 hours, {found['open']} still open",
        ),
        either(
            f"現在のツールの遅れ: 中央値 {_seconds(found['median_s'])}、95% {_seconds(found['p95_s'])}、"
            f"最長 {_seconds(found['longest_s'])}",
            f"How late the tool in use was: median {_seconds(found['median_s'])}, 95 % within "
            f"{_seconds(found['p95_s'])}, longest {_seconds(found['longest_s'])}",
        ),
        either(
            f"遅れている間の販売 {found['sold_units']} 個、うち防げた売り越し {found['oversold_units']} 個"
            f"({found['oversold_cells']} セル)",
            f"Sold while it was late: {found['sold_units']} units; oversells that would not have happened: "
            f"{found['oversold_units']} units in {found['oversold_cells']} cells",
        ),
        either(
            f"今この時点で差のあるセル {now.get('differ', 0)}、うち多すぎるもの {now.get('too_high', 0)}",
            f"Cells that differ at this moment: {now.get('differ', 0)}, of these too high: {now.get('too_high', 0)}",
        ),
    ]
    for line in lines:
        session.line(line)
    _slowest(session, found["worst"])
    _unmatched(session, found["never_matching"])


def _slowest(session: shell.Session, worst: list[dict[str, Any]]) -> None:
    rows = [
        (
            each["value"],
            each["location"],
            each["before"],
            each["wanted"],
            moment(each["wanted_since"]),
            _seconds(each["late_s"]) if each["reached_at"] else f"> {_seconds(each['late_s'])}",
        )
        for each in worst
    ]
    if rows:
        session.table("slowest", ("value", "location", "before", "after", "since", "late"), rows)


def _unmatched(session: shell.Session, found: dict[str, Any]) -> None:
    session.line(
        session.say(
            "match_counted",
            matched=found["matched"],
            ambiguous=found["ambiguous_count"],
            ledger=found["ledger_unmatched_count"],
            channel=found["channel_unmatched_count"],
            near=found["near_misses_count"],
            excluded=found["excluded_count"],
        )
    )
    near = [
        (repr(m["ledger"]), repr(m["channel"]), session.say.either(m["ja"], m["en"]))
        for m in found["near_misses"][:_LISTED]
    ]
    if near:
        session.table("near_misses", ("ledger", "channel", "difference"), near)


def _seconds(value: float | None) -> str:
    """A duration as people read it; a dash where nothing was measured."""
    if value is None:
        return "–"
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"
