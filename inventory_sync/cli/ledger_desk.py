"""What the `ledger` commands share: the book they are about, and what the ledger's refusals mean for a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.ledger_texts import tell
from inventory_sync.engine.lane import House
from inventory_sync.ledger import book as ledger
from inventory_sync.ledger.errors import LedgerError, Refused
from inventory_sync.ledger.problems import BELOW_ZERO, SEVERAL_BOOKS
from inventory_sync.ledger.values import Book

BookName = Annotated[
    str | None, typer.Option("--book", metavar="CONNECTION", help="Which ledger, where there are several.")
]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@dataclass(frozen=True, slots=True)
class Desk:
    """One command at work on one book."""

    session: shell.Session
    house: House
    book: Book


def at_book(name: str | None, work: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    """Carry out a command on a book, and leave with its exit code."""

    async def carry_out(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house, explained(session):
            await work(Desk(session, house, await _chosen(house, name)))

    shell.run(carry_out)


@asynccontextmanager
async def explained(session: shell.Session) -> AsyncIterator[None]:
    """Say what the ledger refused, and what would be right."""
    try:
        yield
    except Refused as refused:
        lines = [f"{fault.field}: {fault.message} [{fault.code}]" for fault in refused.faults]
        remedies = dict.fromkeys(_remedy(session, LedgerError(fault.problem)) for fault in refused.faults)
        below_zero = all(fault.problem is BELOW_ZERO for fault in refused.faults)
        code = shell.Exit.REFUSED if below_zero else shell.Exit.FAILED
        raise shell.Failure(refused.code, "\n".join([*lines, *remedies]), code) from refused
    except LedgerError as error:
        text = session.say.either(error.problem.ja, error.message)
        code = shell.Exit.WRONG_USE if error.problem is SEVERAL_BOOKS else shell.Exit.FAILED
        raise shell.Failure(error.code, f"{text}\n{_remedy(session, error)}", code) from error


def moment_of(session: shell.Session, text: str | None) -> datetime | None:
    """A time given on the command line. Without an offset it is not taken."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise shell.Failure("IS-LDG-011", tell(session, "bad_time", value=text), shell.Exit.WRONG_USE)
    return found


def _remedy(session: shell.Session, error: LedgerError) -> str:
    remedy = session.say.either(error.problem.remedy_ja, error.problem.remedy_en)
    return f"{session.say('remedy')}: {remedy}"


async def _chosen(house: House, name: str | None) -> Book:
    if name is not None:
        return await ledger.find_book(house.pool, name)
    books = await ledger.books(house.pool)
    if len(books) != 1:
        known = ", ".join(book.name for book in books)
        raise LedgerError(SEVERAL_BOOKS, f"{SEVERAL_BOOKS.en} {known}".strip())
    return books[0]
