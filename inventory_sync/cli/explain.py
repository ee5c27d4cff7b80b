"""`explain`: why the numbers of one code are what they are, or why nothing happened."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.partners import problems_in_japanese
from inventory_sync.cli.shell import moment
from inventory_sync.engine.explain import LIMIT, MOST, Event, Explanation, Line, Step, explain
from inventory_sync.model.difference import visible

_SPAN = re.compile(r"([0-9]{1,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def show(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="The code, exactly as it is written in a catalogue.")],
    route: Annotated[str | None, typer.Option("--route", metavar="NAME", help="Only this route.")] = None,
    since: Annotated[str, typer.Option("--since", help="How far back the timeline goes: 90m, 24h, 7d.")] = "24h",
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="The newest events of the timeline.")] = LIMIT,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say why a code's numbers are what they are, with the arithmetic and everything that happened to them."""

    async def work(session: shell.Session) -> int:
        span = _span(since)
        if span is None:
            text = session.say.either(
                f"--since {since}: 90m、24h、7d のように指定してください。", f"--since {since}: write 90m, 24h or 7d."
            )
            raise shell.Failure("IS-CLI-020", text, shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            found = await explain(
                house,
                sku,
                route=route,
                since=span,
                limit=limit,
                zone=session.settings.timezone,
                problems=problems_in_japanese(),
            )
        if as_json:
            session.json(document(found))
        else:
            _print(session, found)
        return int(shell.Exit.DONE if found.items or found.unpaired else shell.Exit.FAILED)

    shell.run(work)


def _span(text: str) -> timedelta | None:
    found = _SPAN.fullmatch(text)
    return None if found is None else timedelta(**{_UNITS[found[2]]: int(found[1])})


def document(found: Explanation) -> dict[str, Any]:
    """Everything as plain values with stable names, for `--json`."""
    return {
        "code": found.code,
        "at": found.at,
        "since": found.since,
        "headline": {"ja": found.ja, "en": found.en},
        "items": [asdict(each) for each in found.items],
        "numbers": [asdict(each) for each in found.lines],
        "unmatched": [
            {
                "route": each.route.name,
                "side": each.side,
                "item": each.item,
                "value": each.value,
                "cause": said.cause,
                "ja": said.ja,
                "en": said.en,
                "near": [asdict(near) for near in each.near],
            }
            for each, said in found.unpaired
        ],
        "nearest": [asdict(each) for each in found.nearest],
        "timeline": [asdict(each) for each in found.events],
        "left_out": found.left_out,
    }


def _print(session: shell.Session, found: Explanation) -> None:
    either = session.say.either
    session.line(f"{visible(found.code)}: {either(found.ja, found.en)}")
    for made in found.lines:
        session.line()
        _number(session, made, said_above=made.en == found.en)
    unpaired = dict.fromkeys(f"{each.route.name}: {either(said.ja, said.en)}" for each, said in found.unpaired)
    if unpaired:
        session.line()
        session.line(either("紐付いていないもの", "Not matched"))
        for told in unpaired:
            session.line(f"  {told}")
    for near in found.nearest:
        session.line(f"  {near.connection}: {either(near.ja, near.en)}")
    if found.items:
        session.line()
        _timeline(session, found)


def _number(session: shell.Session, made: Line, *, said_above: bool) -> None:
    either = session.say.either
    session.line(f"{made.route} · {made.place}" if said_above else f"{made.route} · {either(made.ja, made.en)}")
    for each in made.findings[1:]:
        session.line(f"  · {either(each.ja, each.en)}")
    if made.steps:
        session.line(f"  {either('計算', 'Arithmetic')}: {either(made.sum_ja, made.sum_en)}")
        for step in made.steps:
            session.line(f"    {_change(step):>8}  {either(step.ja, step.en)}")
        session.line(f"    {'= ' + str(made.target):>8}")


def _change(step: Step) -> str:
    return str(step.result) if step.change is None else f"{step.change:+d}".replace("-", "−")


def _timeline(session: shell.Session, found: Explanation) -> None:
    either = session.say.either
    title = either(f"経過 ({moment(found.since)} から)", f"What happened since {moment(found.since)}")
    session.line(title)
    if found.left_out:
        session.line(
            either(f"  これより前に {found.left_out} 件以上あります。", f"  {found.left_out} or more came before.")
        )
    if not found.events:
        session.line(f"  {session.say('nothing_here')}")
    for event in found.events:
        session.line(f"  {moment(event.at)}  {event.place}: {_event(session, event)}")


def _event(session: shell.Session, event: Event) -> str:
    told = session.say.either(event.ja, event.en)
    before, after = event.before, event.after
    if after is not None and before != after:
        told += f", {'?' if before is None else before} → {after}"
    elif after is not None:
        told += f", {after}"
    if event.lag_s is not None:
        told += session.say.either(f" ({event.lag_s:.1f} 秒)", f" ({event.lag_s:.1f} s)")
    return told
