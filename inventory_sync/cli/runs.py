"""`run`: long jobs: how far each is, how long it will take, what it did to each cell; stop one, let it go on."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli import run_texts as words
from inventory_sync.cli.shell import moment
from inventory_sync.engine.lane import House
from inventory_sync.engine.runs import control
from inventory_sync.engine.runs.control import RunView

app = typer.Typer(help="Long jobs: imports, reconciles, pushes and their undoing.", no_args_is_help=True)

LOOK_EVERY = 1.0
"""Seconds between two looks at a run that is followed."""

LISTED = ("skipped", "failed", "proposed")
"""Rows of a run that a person wants to see: what was not written."""

Run = Annotated[int, typer.Argument(metavar="ID", help="The number of the run, as `run list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command("list")
def list_runs(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List the latest runs."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await control.latest(house, limit=limit)
        if as_json:
            session.json({"runs": [_document(each) for each in found]})
            return
        say = session.say
        rows = [
            (
                *(r.id, words.kind(say, r.kind), r.subject, words.state(say, r.state), _of(r)),
                f"{r.rate:g}/s" if r.state == "running" else "",
                *(_left(r), moment(r.started_at), words.reason(say, r.error)),
            )
            for r in found
        ]
        headings = ("number", "kind", "subject", "state", "done", "rate", "remaining", "begun", "detail")
        session.table("runs", headings, rows)

    shell.run(work)


def _document(view: RunView) -> dict[str, Any]:
    connection, route = (None, view.subject) if view.kind in control.WRITING else (view.subject, None)
    return view.as_dict() | {"connection": connection, "route": route}


def _of(view: RunView) -> str:
    return str(view.done) if view.total is None else f"{view.done} / {view.total}"


def _left(view: RunView) -> str:
    return "" if view.remaining is None else f"{view.remaining:.0f} s"


@app.command("show")
def show(
    run: Run,
    follow: Annotated[bool, typer.Option("--follow", help="Stay until it is over; a line each second.")] = False,
    lines: Annotated[int, typer.Option("--lines", min=0, help="How many rows that were not written to list.")] = 50,
    as_json: Json = False,
) -> None:
    """Show one run: done, total, rate, seconds left, and the rows that were skipped, failed or left."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            view = await control.show(house, run)
            while follow and view.state == "running":
                _progress(session, view, as_json)
                await asyncio.sleep(LOOK_EVERY)
                view = await control.show(house, run)
            left = await _rows(house, view, lines)
        if as_json:
            session.json(_document(view) | {"not_written": left})
        else:
            _progress(session, view, as_json)
            _no_more_lines(session, view)
            _not_written(session, left)

    shell.run(work)


async def _rows(house: House, view: RunView, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if view.kind in control.WRITING and limit:
        async for line in control.lines(house, view.id, *LISTED):
            found.append(
                {key: line[key] for key in ("value", "name", "location", "state", "gap", "reason", "reason_code")}
            )
            if len(found) >= limit:
                break
    return found


def _progress(session: shell.Session, view: RunView, as_json: bool) -> None:
    if as_json:
        return
    say, left = session.say, _left(view) or "–"
    kind, state, why = words.kind(say, view.kind), words.state(say, view.state), words.reason(say, view.error)
    counts = ", ".join(f"{words.state(say, state)} {count}" for state, count in view.rows.items())
    going = view.state == "running"
    pace_ja, pace = (
        (f"、毎秒 {view.rate:g}、残り {left}", f", {view.rate:g} a second, {left} left") if going else ("", "")
    )
    session.line(
        say.either(
            f"実行 {view.id} {kind} {view.subject}: {state}、{_of(view)} 件{pace_ja}"
            f"、増 {view.up}、減 {-view.down} {counts} {why}",
            f"Run {view.id} {kind} {view.subject}: {state}, {_of(view)} done{pace}; "
            f"units up {view.up}, down {-view.down}; {counts} {why}",
        ).rstrip(" ;")
    )


def _no_more_lines(session: shell.Session, view: RunView) -> None:
    days = view.lines_kept_days
    if days is not None:
        session.line(
            session.say.either(
                f"1 件ごとの明細は終了の {days} 日後に削除しました。上の合計は残ります。",
                f"Its single lines were deleted {days} days after it ended; what they sum up to stays.",
            )
        )


def _not_written(session: shell.Session, left: list[dict[str, Any]]) -> None:
    if left:
        problems = partners.problems_in_japanese()
        rows = [
            (
                *(r["value"], r["name"], r["location"], words.state(session.say, r["state"])),
                *(r["gap"], words.reason(session.say, r["reason"], r["reason_code"], problems)),
            )
            for r in left
        ]
        session.table("not_written", ("value", "item", "location", "state", "difference", "reason"), rows)


@app.command("stop")
def stop(run: Run, as_json: Json = False) -> None:
    """Stop a run. What it has written stays; the rest is confirmed no more until it goes on."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            view = await control.stop(house, run, actor=shell.actor())
        _answer(session, view, as_json)

    shell.run(work)


@app.command("resume")
def resume(run: Run, as_json: Json = False) -> None:
    """Let a stopped run go on. Cells that changed since their preview are skipped, and `run show` lists them."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            view = await control.resume(house, run, actor=shell.actor())
        _answer(session, view, as_json)

    shell.run(work)


def _answer(session: shell.Session, view: RunView, as_json: bool) -> None:
    if as_json:
        session.json(_document(view))
    else:
        _progress(session, view, as_json)
