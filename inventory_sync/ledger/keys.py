"""Bearer keys of a book's API: shown once, kept as a hash, ended for good."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from inventory_sync.ledger import checks
from inventory_sync.ledger.audit import write_audit
from inventory_sync.ledger.errors import LedgerError
from inventory_sync.ledger.problems import NAME_TAKEN, NO_KEY
from inventory_sync.ledger.values import Book
from inventory_sync.store import db
from inventory_sync.store.db import Pool

MARK = "isl"
"""What every key begins with, so that scanners for leaked secrets find it."""

USED_EVERY = timedelta(hours=1)
"""How exactly the last use of a key is noted."""


_SHAPE = re.compile(rf"{MARK}_([0-9a-f]{{8}})_")


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    WRITE = "write"  # and read


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. `key` is shown now and never again."""

    name: str
    prefix: str
    scope: Scope
    key: str

    def __repr__(self) -> str:
        return f"NewKey(name={self.name!r}, prefix={self.prefix!r})"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What is known of a key. `prefix` is its beginning, which is no secret."""

    name: str
    prefix: str
    scope: Scope
    made_by: str
    made_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks the ledger for something: one book, what may be done to it, and the name that entries will carry."""

    book: Book
    scope: Scope
    actor: str


async def create_key(pool: Pool, book: Book, name: str, scope: Scope, *, actor: str, now: datetime) -> NewKey:
    """Make a key. Raises LedgerError where a key of this name works already.

    It comes from the system's own generator and not from passed-in chance: nobody must be able to repeat it.
    """
    checks.check_name("name", name)
    prefix, rest = secrets.token_hex(4), secrets.token_urlsafe(32)
    key = f"{MARK}_{prefix}_{rest}"
    async with db.transaction(pool) as conn:
        made = await db.value(
            conn,
            "ledger_make_key",
            book_id=book.id,
            name=name,
            prefix=prefix,
            hash=_digest(key),
            scope=scope.value,
            made_by=actor,
            now=now,
        )
        if made is None:
            raise LedgerError(NAME_TAKEN, f"{NAME_TAKEN.en} ({name})")
        after = {"name": name, "prefix": prefix, "scope": scope.value}
        await write_audit(conn, book, "ledger.key_created", actor, now, after=after)
    return NewKey(name, prefix, scope, key)


async def list_keys(pool: Pool, book: Book) -> list[KeyInfo]:
    """Every key there ever was, oldest first."""
    return [
        KeyInfo(r["name"], r["prefix"], Scope(r["scope"]), r["made_by"], r["made_at"], r["used_at"], r["revoked_at"])
        for r in await db.rows(pool, "ledger_keys", book_id=book.id)
    ]


async def revoke_key(pool: Pool, book: Book, name: str, *, actor: str, now: datetime) -> str:
    """End a key; the next request with it is refused. Returns its prefix. Raises LedgerError where none works."""
    async with db.transaction(pool) as conn:
        prefix = await db.value(conn, "ledger_revoke_key", book_id=book.id, name=name, now=now)
        if prefix is None:
            raise LedgerError(NO_KEY, f"{NO_KEY.en} ({name})")
        await write_audit(conn, book, "ledger.key_revoked", actor, now, before={"name": name, "prefix": prefix})
    return str(prefix)


async def authenticate(pool: Pool, authorization: str, *, now: datetime) -> Caller | None:
    """Whoever sends this Authorization header (RFC 6750 §2.1), or None. Takes as long for a wrong key as for a right
    one."""
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    shape = _SHAPE.match(key)
    prefix = shape[1] if shape is not None else ""
    record = await db.row(pool, "ledger_key", prefix=prefix)
    wanted = bytes(32) if record is None else record["hash"]
    matches = hmac.compare_digest(_digest(key), wanted)
    if record is None or not matches or scheme.lower() != "bearer":
        return None
    if record["used_at"] is None or record["used_at"] + USED_EVERY <= now:
        await db.run(pool, "ledger_key_used", id=record["id"], now=now)
    book = Book(record["book_id"], record["book"], record["identity"], record["made_at"])
    return Caller(book, Scope(record["scope"]), f"key:{record['name']}")


def _digest(key: str) -> bytes:
    """A plain hash is enough: the key has 256 bits of its own, there is nothing to guess."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
