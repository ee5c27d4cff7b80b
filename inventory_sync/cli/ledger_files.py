"""`ledger import` and `ledger export`: stock files, taken into the built-in ledger whole or not at all, and made."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from inventory_sync.cli import shell
from inventory_sync.cli.ledger_desk import BookName, Desk, Json, at_book
from inventory_sync.ledger.files.arrivals import Seen
from inventory_sync.ledger.files.desk import LedgerDesk
from inventory_sync.ledger.files.disk import Disk, write_whole
from inventory_sync.ledger.files.export import ExportEncoding, ExportRefused, export
from inventory_sync.ledger.files.folder import own_name
from inventory_sync.ledger.files.guard import GUARD_CODES
from inventory_sync.ledger.files.parse import MOST_BYTES
from inventory_sync.ledger.files.problems import Confirm, FileRefused
from inventory_sync.ledger.files.profile import (
    DEFAULT_PROFILE,
    DEFAULT_TIMEZONE,
    FileProfile,
    ProfileError,
    UnknownItems,
    profile_named,
    read_profiles,
)
from inventory_sync.ledger.files.receipt import Receipt, Verdict, refused
from inventory_sync.ledger.files.takein import Incoming, take_in
from inventory_sync.store import db

SHOWN_PROBLEMS = 20

ProfileName = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="How the file is to be read, as the connection's `files` say.")
]
ProfileFile = Annotated[
    Path | None, typer.Option("--profile-file", metavar="YAML", help="Declare the profile in this file instead.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the `ledger` group."""
    app.command("import")(import_file)
    app.command("export")(export_file)


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A stock file.")],
    book: BookName = None,
    profile: ProfileName = DEFAULT_PROFILE,
    profile_file: ProfileFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and book nothing.")] = False,
    confirm_columns: Annotated[
        bool, typer.Option("--confirm-columns", help="The new columns are meant; accept them from now on.")
    ] = False,
    confirm_shrink: Annotated[
        bool, typer.Option("--confirm-shrink", help="So few rows or units are meant, this once.")
    ] = False,
    make_items: Annotated[bool, typer.Option("--make-items", help="Make the items that the ledger lacks.")] = False,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", metavar="CSV", help="Write what became of each row to this file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take a stock file in, whole or not at all, once however often it is given."""
    chosen = {Confirm.COLUMNS: confirm_columns, Confirm.SHRINK: confirm_shrink}
    confirmed = [each for each, said in chosen.items() if said]

    async def work(desk: Desk) -> None:
        declared = await _profile(desk, profile, profile_file)
        if make_items:
            declared = replace(declared, unknown_items=UnknownItems.MAKE)
        incoming = _read(desk.session, file)
        at = LedgerDesk(desk.house.pool, desk.book, declared, desk.house.now)
        actor, now = shell.actor(), desk.house.now()
        failure: FileRefused | None = None
        try:
            found = await take_in(at, incoming, now=now, actor=actor, confirmed=confirmed, dry_run=dry_run)
        except FileRefused as refusal:
            failure, found = refusal, refused(incoming.name, refusal)
        if receipt is not None:
            _write(desk.session, receipt, found.content(desk.session.settings.language))
        if as_json:
            desk.session.json(_as_json(desk, declared, found, dry_run))
        elif failure is None:
            _show(desk.session, found, dry_run)
        if failure is not None:
            raise _failure(desk.session, failure)

    at_book(book, work)


def export_file(
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write to this file instead of printing.")
    ] = None,
    book: BookName = None,
    profile: ProfileName = DEFAULT_PROFILE,
    profile_file: ProfileFile = None,
    encoding: Annotated[
        ExportEncoding, typer.Option("--encoding", help="utf-8 has a byte order mark, for spreadsheets.")
    ] = ExportEncoding.UTF_8,
    guard: Annotated[
        bool, typer.Option("--guard", help='Write SKUs as ="SKU", so that a spreadsheet keeps their zeros.')
    ] = False,
) -> None:
    """Write the ledger's levels as a file that `ledger import` reads back."""

    async def work(desk: Desk) -> None:
        declared = await _profile(desk, profile, profile_file)
        levels = await LedgerDesk(desk.house.pool, desk.book, declared, desk.house.now).levels()
        try:
            content = export(levels, declared, encoding, guard=guard)
        except ExportRefused as error:
            raise shell.Failure(error.code, error.text(desk.session.settings.language)) from None
        if output is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        _write(desk.session, output, content)
        desk.session.line(
            desk.session.say.either(
                f"{len(levels)} 件の在庫数を {output} に書き出しました。", f"{len(levels)} levels written to {output}."
            )
        )

    at_book(book, work)


async def _profile(desk: Desk, name: str, path: Path | None) -> FileProfile:
    """The profile of the file at `path`, or the one of that name that the book's connection declares."""
    connection = await db.row(desk.house.pool, "connection_by_name", name=desk.book.name)
    settings: dict[str, Any] = {} if connection is None else dict(connection["settings"])
    declared = settings.get("files") or {}
    if path is not None:
        declared = {**declared, name: _yaml(desk.session, path)}
    try:
        return profile_named(read_profiles(declared, settings.get("timezone") or DEFAULT_TIMEZONE), name)
    except ProfileError as error:
        text = desk.session.say.either(error.japanese, str(error))
        raise shell.Failure(error.code, text, shell.Exit.WRONG_USE) from None


def _yaml(session: shell.Session, path: Path) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(path.read_bytes())
    except OSError as error:
        raise _unusable(session, path, error) from None
    except (YAMLError, UnicodeDecodeError) as error:
        where = str(error).splitlines()[0]
        text = session.say.either(f"{path} はYAMLとして読めません: {where}", f"{path} is no YAML: {where}")
        raise shell.Failure(ProfileError.code, text, shell.Exit.WRONG_USE) from None


def _read(session: shell.Session, path: Path) -> Incoming:
    try:
        content = Disk().read(path, MOST_BYTES)
        status = path.stat()
    except OSError as error:
        raise _unusable(session, path, error) from None
    seen = Seen(own_name(path.name), status.st_size, status.st_mtime_ns)
    return Incoming(seen.name, content, seen.modified)


def _write(session: shell.Session, path: Path, content: bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise _unusable(session, path, error) from None


def _unusable(session: shell.Session, path: Path, error: OSError) -> shell.Failure:
    reason = error.strerror or type(error).__name__
    text = session.say.either(f"ファイル {path} を使えません: {reason}", f"The file {path} cannot be used: {reason}")
    return shell.Failure("IS-FIL-033", text)


def _failure(session: shell.Session, refusal: FileRefused) -> shell.Failure:
    """All that speaks against the file; a safety rule, where nothing else does, has its own exit code."""
    language = session.settings.language
    shown = [f"{p.place(language)}: {p.text(language)} [{p.code}]" for p in refusal.problems[:SHOWN_PROBLEMS]]
    more = len(refusal.problems) - len(shown)
    if more:
        shown.append(session.say.either(f"ほかに {more} 件あります (--receipt)。", f"And {more} more (--receipt)."))
    shown.append(session.say.either("何も計上していません。", "Nothing was booked."))
    rule = all(problem.code in GUARD_CODES for problem in refusal.problems)
    return shell.Failure(refusal.problems[0].code, "\n".join(shown), shell.Exit.REFUSED if rule else shell.Exit.FAILED)


def _show(session: shell.Session, receipt: Receipt, dry_run: bool) -> None:
    if receipt.verdict is Verdict.ALREADY_APPLIED:
        session.line(
            session.say.either(
                f"{receipt.file}: 同じ内容が適用済みです。何も計上していません。",
                f"{receipt.file}: the same content was applied before; nothing was booked.",
            )
        )
        return
    counts = ", ".join(f"{outcome} {count}" for outcome, count in receipt.counts.items()) or "0"
    if dry_run:
        session.line(session.say("dry_run"))
    session.line(f"{receipt.file}: {counts}")


def _as_json(desk: Desk, profile: FileProfile, receipt: Receipt, dry_run: bool) -> dict[str, Any]:
    language = desk.session.settings.language
    return {
        "book": desk.book.name,
        "profile": profile.name,
        "file": receipt.file,
        "verdict": receipt.verdict.value,
        "dry_run": dry_run,
        "counts": receipt.counts,
        "problems": [
            {
                "code": problem.code,
                "row": problem.row,
                "column": problem.column,
                "offset": problem.offset,
                "sku": problem.sku,
                "message": problem.text(language),
                "confirm": None if problem.reason.confirm is None else problem.reason.confirm.value,
            }
            for problem in receipt.problems
        ],
    }
