"""`publish`: how much of the stock a route's channel is told, and what is set otherwise for single codes."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from inventory_sync.cli import shell
from inventory_sync.engine.publishing import listing, overrides
from inventory_sync.engine.publishing.codes import Shown, show_code
from inventory_sync.engine.publishing.listing import Listed
from inventory_sync.engine.publishing.overrides import Imported
from inventory_sync.engine.publishing.table import COLUMNS, last_day, parse, render
from inventory_sync.ledger.files.export import ExportEncoding
from inventory_sync.ledger.files.problems import FileRefused

app = typer.Typer(help="How much of the stock a channel is told.", no_args_is_help=True)

LINES = 200
SHOWN_PROBLEMS = 20

Route = Annotated[str, typer.Argument(help="The route's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Coding = Annotated[ExportEncoding, typer.Option("--encoding", help="How the file is encoded.")]


@app.command("show")
def show(
    route: Route,
    sku: Annotated[str | None, typer.Argument(help="A code: how its numbers come about.")] = None,
    as_json: Json = False,
) -> None:
    """Show the route's rule and everything set otherwise; with a code, the arithmetic of its numbers."""

    async def work(session: shell.Session) -> int:
        async with shell.open_house(session.settings) as house:
            rule, found = await listing.listed(house, route)
            made = [] if sku is None else await show_code(house, route, sku)
        if sku is not None:
            found = [each for each in found if each.override.code == sku]
        if as_json:
            document = rule | {"overrides": [_document(each) for each in found]}
            session.json(document | ({} if sku is None else {"numbers": [asdict(each) for each in made]}))
        else:
            _print(session, rule, found)
            for each in made:
                _print_number(session, each)
        if sku is not None and not made and not found:
            session.line(session.say.either(f"{sku}: 該当なし", f"{sku}: nothing of this route has this code."))
            return int(shell.Exit.FAILED)
        return int(shell.Exit.DONE)

    shell.run(work)


def _document(each: Listed) -> dict[str, Any]:
    more = {"pairs": each.pairs, "ended_at": each.ended_at, "set_at": each.set_at, "set_by": each.set_by}
    return {"code": each.override.code, **listing.as_document(each.override), **more}


def _print(session: shell.Session, rule: dict[str, Any], found: list[Listed]) -> None:
    none, zone = session.say.either("なし", "none"), session.settings.timezone
    buffer = f"auto ({rule['buffer']}–{rule['auto_most']})" if rule["auto_buffer"] else rule["buffer"]
    maximum = none if rule["maximum"] is None else rule["maximum"]
    session.line(
        session.say.either(
            f"{rule['route']}: 安全在庫 {buffer}、割合 {rule['percent']}%、上限 {maximum}、終了数 {rule['end_when']}",
            f"{rule['route']}: buffer={buffer} percent={rule['percent']} max={maximum} end_when={rule['end_when']}",
        )
    )
    rows = [(*_row(each, zone), each.pairs or session.say.either("0 (該当なし)", "0 (no such item)")) for each in found]
    session.table("publish_overrides", (*(f"publish_{name}" for name in COLUMNS), "pairs"), rows[:LINES])
    if len(rows) > LINES:
        session.line(session.say("overrides_left", count=len(rows) - LINES, route=rule["route"]))


def _row(each: Listed, zone: ZoneInfo) -> tuple[object, ...]:
    one = each.override
    until = "" if one.until is None else f"{last_day(one.until, zone)}{' ×' if each.ended_at else ''}"
    return (
        one.code,
        "auto" if one.auto else one.buffer,
        one.percent,
        "none" if one.unlimited else one.maximum,
        one.end_when,
        f"{one.offset:+d}" if one.offset else "",
        until,
        "yes" if one.excluded else "",
    )


def _print_number(session: shell.Session, each: Shown) -> None:
    session.line(f"{each.place}: {session.say.either(each.sum_ja, each.sum_en) or '–'}")
    if each.automatic:
        label = session.say.either("自動の安全在庫", "automatic buffer")
        session.line(f"  {label}: {session.say.either(each.auto_ja, each.auto_en)}")


@app.command("import")
def import_file(
    route: Route,
    file: Annotated[Path, typer.Argument(help="CSV: code, and any of buffer, percent, max, end_when, offset, …")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="You looked at the preview: change the numbers.")] = False,
    seen: Annotated[
        str | None,
        typer.Option("--seen", metavar="MARK", help="With --yes: only what you saw, as the preview named it."),
    ] = None,
    whole: Annotated[bool, typer.Option("--replace", help="Take back what the file does not name.")] = False,
    encoding: Coding = ExportEncoding.UTF_8,
    as_json: Json = False,
    lines: Annotated[int, typer.Option("--lines", min=0, help="How many cells the table shows.")] = LINES,
) -> None:
    """Set what a CSV says: first a preview of every number that changes, then, with --yes, a run that tells them."""

    async def work(session: shell.Session) -> int:
        try:
            rows = parse(_read(session, file), name=file.name, zone=session.settings.timezone, encoding=encoding)
            async with shell.open_house(session.settings) as house:
                done = await overrides.import_overrides(
                    house,
                    route,
                    rows,
                    file=file.name,
                    actor=shell.actor(),
                    confirmed=yes,
                    dry_run=dry_run,
                    whole=whole,
                    seen=seen,
                )
        except FileRefused as refusal:
            raise _failure(session, refusal) from None
        if as_json:
            session.json(asdict(done) | {"braked": done.braked})
        else:
            _print_import(session, done, lines)
        if done.applied or dry_run:
            return int(shell.Exit.DONE)
        text = session.say.either(
            f"{len(done.cells)} 件の在庫数が変わります。まだ何も変更していません。"
            f"確認のうえ --yes --seen {done.seen} を付けて実行してください(内容が変わっていれば実行しません)。",
            f"{len(done.cells)} numbers would change, and nothing was changed. Look at them, then run it with "
            f"--yes --seen {done.seen}, which does nothing else than what is shown.",
        )
        raise shell.Failure("IS-PUB-011", text, shell.Exit.REFUSED)

    shell.run(work)


def _read(session: shell.Session, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        text = session.say.either(
            f"ファイル {path} を使えません: {reason}", f"The file {path} cannot be used: {reason}"
        )
        raise shell.Failure("IS-FIL-033", text) from None


def _failure(session: shell.Session, refusal: FileRefused) -> shell.Failure:
    language, found = session.settings.language, refusal.problems
    shown = [f"{p.place(language)}: {p.text(language)} [{p.code}]" for p in found[:SHOWN_PROBLEMS]]
    if len(found) > SHOWN_PROBLEMS:
        shown.append(session.say("problems_left", count=len(found) - SHOWN_PROBLEMS))
    shown.append(session.say.either("何も変更していません。", "Nothing was changed."))
    return shell.Failure(found[0].code, "\n".join(shown))


def _print_import(session: shell.Session, done: Imported, limit: int) -> None:
    rows = [
        (c.code, c.item, c.location, c.shows, _told(session, c.before), _told(session, c.after), _notes(session, c))
        for c in done.cells[:limit]
    ]
    headings = ("value", "item", "location", "publish_shows", "publish_before", "publish_after", "why")
    session.table("preview", headings, rows)
    if len(done.cells) > limit:
        session.line(session.say("lines_left", count=len(done.cells) - limit))
    for each in done.unknown[:limit]:
        why = session.say.either(each.ja, each.en)
        session.line(session.say("publish_unknown", code=each.code, row=each.row) + (f" {why}" if why else ""))
    counts = {key: getattr(done, key) for key in ("set", "taken_back", "unchanged", "braked")}
    session.line(session.say("publish_counts", cells=len(done.cells), unknown=len(done.unknown), **counts))
    if done.run is not None:
        session.line(session.say("publish_run", run=done.run))


def _told(session: shell.Session, units: int | None) -> object:
    return session.say("publish_untold") if units is None else units


def _notes(session: shell.Session, c: overrides.CellChange) -> str:
    notes = []
    if c.beyond:
        notes.append(session.say("publish_beyond", units=c.beyond))
    if c.braked:
        notes.append(session.say("publish_braked"))
    if c.again:
        notes.append(session.say("publish_again"))
    return " ".join(notes)


@app.command("export")
def export(
    route: Route,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; without it, standard output.")] = None,
    encoding: Coding = ExportEncoding.UTF_8,
    as_json: Json = False,
) -> None:
    """Write what is set otherwise as the CSV that `publish import` reads."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            _, found = await listing.listed(house, route)
        if as_json:
            session.json({"route": route, "overrides": [_document(each) for each in found]})
            return
        try:
            content = render((e.override for e in found), zone=session.settings.timezone, encoding=encoding)
        except UnicodeEncodeError as error:
            wrong = error.object[error.start]
            text = session.say.either(
                f"{wrong!r} は Shift_JIS で表せません。UTF-8 で書き出してください。",
                f"Shift_JIS cannot hold {wrong!r}: export as UTF-8.",
            )
            raise shell.Failure("IS-FIL-025", text) from None
        if out is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        try:
            out.write_bytes(content)
        except OSError as error:
            raise shell.Failure("IS-FIL-033", f"{out}: {error.strerror}") from None
        session.line(session.say("publish_written", file=out, rows=len(found)))

    shell.run(work)
