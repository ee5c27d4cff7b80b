"""`route preview`, `route push` and `route undo`: what would be written, writing it as a run, and taking it back."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
import typer

from inventory_sync.cli import route_pace, shell
from inventory_sync.cli.shell import moment
from inventory_sync.cli.status import reasons
from inventory_sync.engine import overview, previews
from inventory_sync.engine.lane import House
from inventory_sync.engine.previews import Preview, PreviewLine
from inventory_sync.engine.runs import control, pushes, undo

LINES = 200
COLUMNS = ("pair", "value", "item", "location", "action", "before", "after", "gap", "why_en", "why_ja")
UNDO_COLUMNS = ("pair", "value", "item", "location", "connection", "before", "after", "gap")

LOOK_EVERY = 0.5
"""Seconds between two looks at how much of a fresh reading is in."""

Name = Annotated[str, typer.Argument(help="The route's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print every line as CSV.")]
Shown = Annotated[int, typer.Option("--lines", min=0, help="How many lines the table shows.")]
Side = Literal["ledger", "channel"]
From = Annotated[Side | None, typer.Option("--from", help="The side whose numbers the other one gets: a full push.")]

Line = dict[str, Any]

_ACTIONS_JA = {
    "write_channel": "チャネルに書く",
    "write_ledger": "台帳に書く",
    "keep": "そのまま",
    "nothing": "変更なし",
    "excluded": "対象外",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the group of route commands."""
    app.command("preview")(preview)
    app.command("push")(push)
    app.command("undo")(undo_run)


def preview(
    name: Name,
    source: From = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Read every cell first; `serve` must be running.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=1, help="Seconds to wait for --fresh.")] = 600,
    as_json: Json = False,
    as_csv: Csv = False,
    lines: Shown = LINES,
) -> None:
    """Make a preview: every cell an alignment or a push would touch, before, after and why. Writes to no partner."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            if fresh:
                await _read_first(session, house, name, wait)
            await _preview(session, house, name, source or "route", as_json=as_json, as_csv=as_csv, lines=lines)

    shell.run(work)


def push(
    name: Name,
    source: Annotated[Side, typer.Option("--from", help="The side whose numbers the other one gets.")],
    accept: Annotated[
        str | None, typer.Option("--accept", metavar="PREVIEW", help="The preview you looked at and accept.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Make a fresh preview and accept it.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Read every cell first; `serve` must be running.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=1, help="Seconds to wait for --fresh.")] = 600,
    as_json: Json = False,
    lines: Shown = LINES,
) -> None:
    """Carry one side's numbers to the other: first a preview, then, with --accept, a run that live changes overtake."""

    async def work(session: shell.Session) -> None:
        if yes and accept is not None:
            text = session.say.either(
                "--accept と --yes はどちらか一方を指定してください。", "Give --accept or --yes, not both."
            )
            raise shell.Failure("IS-CLI-004", text, shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            await overview.route(house, name)
            if accept is None and fresh:
                await _read_first(session, house, name, wait)
            if accept is None and not yes:
                await _preview(session, house, name, source, as_json=as_json, as_csv=False, lines=lines)
                return
            chosen = accept
            if chosen is None:
                made = await make(session, house, name, source)
                chosen = made.id
                if not as_json:
                    session.line(summary_line(session, made))
            started = await pushes.start_push(house, name, preview_id=chosen, actor=shell.actor())
            _started(session, started, as_json, preview_id=chosen)

    shell.run(work)


def undo_run(
    run: Annotated[int, typer.Argument(help="The number of the push, as `run list` shows it.")],
    accept: Annotated[
        str | None, typer.Option("--accept", metavar="PREVIEW", help="The preview you looked at and accept.")
    ] = None,
    as_json: Json = False,
    as_csv: Csv = False,
    lines: Shown = LINES,
) -> None:
    """Take a push back, as a run: each cell by the difference the push made, so that what was sold stays sold."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            if accept is not None:
                started = await undo.start_undo(house, run, preview_id=accept, actor=shell.actor())
                _started(session, started, as_json, preview_id=accept)
                return
            made = await undo.preview_undo(house, run)
            await _show_undo(session, house, made, run, as_json=as_json, as_csv=as_csv, lines=lines)

    shell.run(work)


async def make(
    session: shell.Session, house: House, name: str, source: str = "route", tell: previews.Tell | None = None
) -> Preview:
    """A preview, once there is something to compare and every cell of it was read."""
    found = await overview.route(house, name)
    if found["matched_at"] is None:
        raise shell.Failure("IS-RTE-030", "\n".join(not_matched(session, name, found["blocked_by"])))
    if found["counts"]["pairs"] - found["counts"]["suspended"] == 0:
        raise shell.Failure("IS-RTE-031", session.say("nothing_matched", route=name))
    unread = found["unread"] + (found["counts"]["catching_up"] if source != "route" else 0)
    if unread:
        never = reasons(session, [each for each in found["blocked_by"] if each["step"] == "connect"])
        raise shell.Failure("IS-RTE-032", "\n".join([session.say("unread", route=name, count=unread), *never]))
    return await previews.make_preview(house, name, source=source, tell=tell)


def not_matched(session: shell.Session, name: str, blocked: list[dict[str, Any]]) -> list[str]:
    """Why nothing can be matched yet: what comes before it in the order of a route's steps."""
    before = [each for each in blocked if each["step"] in ("connect", "locations", "fields", "match")]
    if [each["code"] for each in before] == ["unmapped"]:
        return reasons(session, before)
    return [session.say("not_matched", route=name), *reasons(session, before)]


async def _read_first(session: shell.Session, house: House, name: str, wait: float) -> None:
    """Have every cell of the route read by the service, and wait until it is."""
    since, waited = await previews.ask_fresh(house, name), 0.0
    while left := await previews.not_read_since(house, name, since):
        if waited >= wait:
            raise shell.Failure("IS-RTE-032", session.say("unread", route=name, count=left))
        await asyncio.sleep(LOOK_EVERY)
        waited += LOOK_EVERY


async def _preview(
    session: shell.Session, house: House, name: str, source: str, *, as_json: bool, as_csv: bool, lines: int
) -> None:
    """Make a preview and print it: every line as it is worked out, or a table of the first."""
    if as_json or as_csv:
        printer = JsonPrinter() if as_json else CsvPrinter()
        made = await make(session, house, name, source, printer.tell)
        made.summary["time"] = [each.document() for each in await route_pace.expected(session, house, made)]
        printer.end(made)
    else:
        made = await make(session, house, name, source)
        await _table(session, made, _stored(house, made), lines, None)
        for line in route_pace.lines(session, await route_pace.expected(session, house, made)):
            session.line(line)


class JsonPrinter:
    """Prints a preview as one JSON document: the rows as they come, the summary after them."""

    def __init__(self) -> None:
        self._lead = ""

    def tell(self, made: Preview, lines: Sequence[PreviewLine]) -> None:
        self._begin(made)
        for line in lines:
            self.put(dict(zip(COLUMNS, _cells(line), strict=True)))

    def _begin(self, made: Preview) -> None:
        if not self._lead:
            head = {"preview": made.id, "route": made.route, "made_at": made.made_at}
            sys.stdout.write(orjson.dumps(head, default=str).decode().removesuffix("}") + ',"rows":[')
            self._lead = "\n"

    def put(self, row: Line) -> None:
        sys.stdout.write(self._lead + orjson.dumps(row, default=str).decode())
        self._lead = ",\n"

    def end(self, made: Preview) -> None:
        self._begin(made)
        sys.stdout.write('],\n"summary":' + orjson.dumps(made.summary, default=str).decode() + "}\n")


class CsvPrinter:
    """Prints a preview as CSV, and its id, for the acceptance, beside it."""

    def __init__(self, columns: Sequence[str] = COLUMNS) -> None:
        self._columns, self._writer = columns, csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(columns)

    def tell(self, made: Preview, lines: Sequence[PreviewLine]) -> None:
        self._writer.writerows(_cells(line) for line in lines)

    def put(self, row: Line) -> None:
        self._writer.writerow([row[column] for column in self._columns])

    def end(self, made: Preview) -> None:
        sys.stderr.write(f"{made.id}\n")


def _cells(line: PreviewLine) -> tuple[object, ...]:
    row = line.row
    numbers = (row.before, row.after, previews.gap_of(row))
    return (line.pair, line.value, line.name, line.location, row.action.value, *numbers, row.why_en, row.why_ja)


async def _show_undo(
    session: shell.Session, house: House, made: Preview, run: int, *, as_json: bool, as_csv: bool, lines: int
) -> None:
    found = _undo_lines(house, run)
    if not (as_json or as_csv):
        await _table(session, made, found, lines, run)
        return
    printer = JsonPrinter() if as_json else CsvPrinter(UNDO_COLUMNS)
    printer.tell(made, ())
    async for line in found:
        printer.put(line)
    printer.end(made)


async def _stored(house: House, made: Preview) -> AsyncIterator[Line]:
    async for record in previews.stored(house, made.id):
        kept = {key: record[key] for key in COLUMNS if key in record}
        yield {"pair": record["pair_id"], "item": record["name"], **kept}


async def _undo_lines(house: House, run: int) -> AsyncIterator[Line]:
    async for record in control.lines(house, run, "done"):
        if record["moved"]:
            units = -record["moved"]
            after = None if record["known"] is None else record["known"] + units
            kept = {key: record[key] for key in ("value", "location", "connection")}
            numbers = {"before": record["known"], "after": after, "gap": units}
            yield {"pair": record["pair_id"], "item": record["name"], **kept, **numbers}


async def _table(
    session: shell.Session, made: Preview, lines: AsyncIterator[Line], limit: int, undoes: int | None
) -> None:
    shown: list[tuple[Any, ...]] = []
    total = int(made.summary["pairs"] if undoes is None else made.summary["cells"])
    async for r in lines:
        if len(shown) >= limit:
            break
        why = session.say.either(r["why_ja"], r["why_en"]) if undoes is None else f"{r['gap']:+d}"
        action = session.say.either(_ACTIONS_JA[r["action"]], r["action"]) if undoes is None else r["connection"]
        shown.append((r["value"], r["item"], r["location"], action, r["before"], r["after"], why))
    third = "action" if undoes is None else "connection"
    session.table("preview", ("value", "item", "location", third, "before", "after", "why"), shown)
    if total > len(shown):
        session.line(session.say("lines_left", count=total - len(shown)))
    session.line(summary_line(session, made) if undoes is None else _undo_summary(session, made, undoes))
    session.line(_how_to_accept(session, made, undoes))


def summary_line(session: shell.Session, made: Preview) -> str:
    """What a preview comes to, and how old the oldest number in it is."""
    summary = made.summary
    counted = session.say(
        "preview_made",
        id=made.id,
        route=made.route,
        channel=summary["write_channel"],
        ledger=summary["write_ledger"],
        keep=summary["keep"] + summary["nothing"],
        excluded=summary["excluded"],
        up=summary["units_up"],
        down=-summary["units_down"],
    )
    if not summary["oldest_reading"]:
        return counted
    read = datetime.fromisoformat(summary["oldest_reading"])
    age = round((made.made_at - read).total_seconds())
    return f"{counted}\n" + session.say.either(
        f"最も古い読取値: {moment(read)} ({age} 秒前)",
        f"The oldest number in it was read {moment(read)} ({age} s before).",
    )


def _undo_summary(session: shell.Session, made: Preview, run: int) -> str:
    summary = made.summary
    return session.say.either(
        f"プレビュー {made.id}: 実行 {run} を取り消すと {summary['cells']} セルを書き戻します。"
        f"増 {summary['units_up']}、減 {-summary['units_down']}",
        f"Preview {made.id}: taking back the run {run} writes {summary['cells']} cells; "
        f"units up {summary['units_up']}, down {-summary['units_down']}",
    )


def _how_to_accept(session: shell.Session, made: Preview, undoes: int | None) -> str:
    if undoes is not None:
        command = f"inventory-sync route undo {undoes} --accept {made.id}"
    elif made.summary["source"] == "route":
        return session.say("accept_with", route=made.route, id=made.id)
    else:
        command = f"inventory-sync route push {made.route} --from {made.summary['source']} --accept {made.id}"
    return session.say.either(f"承認して実行するには: {command}", f"To accept it and carry it out: {command}")


def _started(session: shell.Session, started: pushes.Started, as_json: bool, *, preview_id: str) -> None:
    if as_json:
        session.json({"run": started.run, "total": started.total, "preview": preview_id})
        return
    show = f"inventory-sync run show {started.run} --follow"
    session.line(
        session.say.either(
            f"実行 {started.run} を開始しました ({started.total} セル)。進み具合: {show}",
            f"The run {started.run} has started ({started.total} cells). How far it is: {show}",
        )
    )
