"""`ledger`: the built-in ledger at the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from inventory_sync.cli import ledger_admin, ledger_files, shell
from inventory_sync.cli.ledger_desk import BookName, Desk, Json, at_book, moment_of
from inventory_sync.cli.ledger_texts import kind_word, show_table, tell
from inventory_sync.cli.shell import moment
from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import reading
from inventory_sync.ledger.values import (
    DEFAULT_LABEL,
    DEFAULT_LOCATION,
    Adjust,
    Booked,
    Count,
    Entry,
    Kind,
    Level,
    Outcome,
)

app = typer.Typer(help="The built-in ledger: stock kept in this installation.", no_args_is_help=True)
app.add_typer(ledger_admin.keys, name="keys")
app.add_typer(ledger_admin.items, name="items")
app.add_typer(ledger_admin.locations, name="locations")
app.add_typer(ledger_admin.labels, name="labels")
app.add_typer(ledger_admin.hooks, name="hooks")
ledger_files.register(app)

ENTRY_HEADINGS = (
    "number",
    "as_of",
    "sku",
    "location",
    "label",
    "kind",
    "delta",
    "quantity",
    "reason",
    "reference",
    "actor",
)

Sku = Annotated[str, typer.Argument(help="The item's SKU, to the character.")]
Place = Annotated[str, typer.Option("--location", help="Where.")]
Stock = Annotated[str, typer.Option("--label", help="Which stock label.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]
Reference = Annotated[str, typer.Option("--reference", help="The order or document behind it.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="The time it speaks of, with its offset. Now, if left out."),
]
Key = Annotated[
    str | None, typer.Option("--key", help="Idempotency key: the same change with the same key is booked once.")
]


@app.command("get")
def get(sku: Sku, book: BookName = None, as_json: Json = False) -> None:
    """Show an item's levels at every location, with what is on hand and what is owed."""

    async def work(desk: Desk) -> None:
        found = await reading.levels(desk.house.pool, desk.book, skus=[sku], limit=10_000)
        found.sort(key=lambda level: (level.location, level.label))
        if as_json:
            desk.session.json({"book": desk.book.name, "sku": sku, "levels": [asdict(level) for level in found]})
        elif found:
            headings = ("location", "label", "quantity", "on_hand", "owed", "changed_at")
            show_table(desk.session, "levels", headings, [_level_row(level) for level in found])
        else:
            desk.session.line(tell(desk.session, "no_levels", sku=sku))

    at_book(book, work)


@app.command("set")
def set_level(
    sku: Sku,
    quantity: Annotated[int, typer.Argument(help="What was counted.")],
    location: Place = DEFAULT_LOCATION,
    label: Stock = DEFAULT_LABEL,
    as_of: AsOf = None,
    reason: Reason = "",
    reference: Reference = "",
    key: Key = None,
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Book a count: there were that many at that time. What was booked for later times stays on top."""

    async def work(desk: Desk) -> None:
        line = Count(sku, location, quantity, label, reason, reference, moment_of(desk.session, as_of))
        booked = await ledger.set_level(
            desk.house.pool, desk.book, line, actor=shell.actor(), now=desk.house.now(), key=key
        )
        _show_booked(desk, booked, as_json)

    at_book(book, work)


@app.command("adjust", context_settings={"ignore_unknown_options": True})
def adjust(
    sku: Sku,
    delta: Annotated[int, typer.Argument(help="Units to add; -3 takes three away.")],
    location: Place = DEFAULT_LOCATION,
    label: Stock = DEFAULT_LABEL,
    kind: Annotated[Kind, typer.Option("--kind", help="Why it moved.")] = Kind.ADJUSTMENT,
    as_of: AsOf = None,
    reason: Reason = "",
    reference: Reference = "",
    key: Key = None,
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Add or take away units. A sale that has happened is never refused (--kind sale)."""

    async def work(desk: Desk) -> None:
        line = Adjust(sku, location, delta, label, kind, reason, reference, moment_of(desk.session, as_of))
        booked = await ledger.adjust(
            desk.house.pool,
            desk.book,
            line,
            actor=shell.actor(),
            now=desk.house.now(),
            key=key or f"cli-{desk.house.ambient.new_id()}",
        )
        _show_booked(desk, booked, as_json)

    at_book(book, work)


@app.command("entries")
def entries(
    sku: Annotated[str | None, typer.Argument(help="Of this SKU only.")] = None,
    reference: Annotated[str | None, typer.Option("--reference", help="Of this order or document only.")] = None,
    after: Annotated[int, typer.Option("--after", min=0, help="Behind this number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many.")] = 100,
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Show what was booked, oldest first: number, change, result, reason, and who did it."""

    async def work(desk: Desk) -> None:
        found = await reading.entries(
            desk.house.pool, desk.book, after=after, limit=limit, sku=sku, reference=reference
        )
        if as_json:
            desk.session.json({"book": desk.book.name, "entries": [asdict(entry) for entry in found]})
            return
        show_table(desk.session, "entries", ENTRY_HEADINGS, [_entry_row(desk.session, entry) for entry in found])

    at_book(book, work)


def _show_booked(desk: Desk, booked: Booked, as_json: bool) -> None:
    session = desk.session
    if as_json:
        session.json({"book": desk.book.name, **asdict(booked)})
        return
    for entry in booked.entries:
        session.line(tell(session, "booked", **_words(entry)))
        if entry.outcome is Outcome.SUPERSEDED:
            session.line(tell(session, "superseded"))
        if entry.owed:
            session.line(tell(session, "owed_now", owed=entry.owed))
    if booked.replayed:
        session.line(tell(session, "replayed"))


def _words(entry: Entry) -> dict[str, Any]:
    return {
        "sku": entry.sku,
        "location": entry.location,
        "label": entry.label,
        "delta": entry.delta,
        "quantity": entry.quantity,
    }


def _level_row(level: Level) -> tuple[object, ...]:
    return level.location, level.label, level.quantity, level.on_hand, level.owed, moment(level.changed_at)


def _entry_row(session: shell.Session, entry: Entry) -> tuple[object, ...]:
    return (
        entry.sequence,
        moment(entry.as_of),
        entry.sku,
        entry.location,
        entry.label,
        kind_word(session, entry.kind),
        f"{entry.delta:+d}",
        entry.quantity,
        entry.reason,
        entry.reference,
        entry.actor,
    )
