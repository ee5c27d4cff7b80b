"""Outgoing webhooks: a warehouse system is told which levels changed, in order, until it has taken it.

Signed as standardwebhooks.com describes: HMAC-SHA256 over id, timestamp and body. A delivery is a row before it is a
request, and the same bytes at every attempt; the next one of the same webhook waits for it. So `deliver` may be killed
anywhere: what was sent and not noted is sent again under the same id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from inventory_sync.ledger import reading, wire
from inventory_sync.ledger.audit import write_audit
from inventory_sync.ledger.errors import LedgerError
from inventory_sync.ledger.problems import NAME_TAKEN, NO_KEY
from inventory_sync.ledger.values import Book
from inventory_sync.secrets import SecretBox, SecretsError
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent, Transport

log = structlog.get_logger()

TIMEOUT = 10.0
"""Seconds a receiver has for its answer."""

CLAIM = timedelta(seconds=30)
"""How long a delivery under way is left alone by others; longer than the time-out."""

BACKOFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600))
"""Pauses after an attempt that failed; the last one repeats."""

GIVE_UP = timedelta(days=3)
"""A delivery this old is given up; the next one tells of the levels as they are then."""

BATCH = 500
"""Most levels in one delivery."""

KEEP = timedelta(days=30)
"""How long deliveries that are over are kept to be looked at."""

SECRET_MARK = "whsec_"  # noqa: S105 - what every such secret begins with, and no secret


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a step did. `due`: when it has something to do by itself; None: only after the next change."""

    did: int
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewHook:
    """A webhook that was just made. `secret` is shown now and never again."""

    id: int
    url: str
    secret: str

    def __repr__(self) -> str:
        return f"NewHook(id={self.id}, url={self.url!r})"


@dataclass(frozen=True, slots=True)
class HookInfo:
    """A webhook: `attempts` and `answer` are those of the delivery under way, if there is one."""

    id: int
    url: str
    made_by: str
    made_at: datetime
    cursor: int
    attempts: int | None
    answer: str | None
    due_at: datetime | None


async def create_hook(pool: Pool, book: Book, url: str, *, box: SecretBox, actor: str, now: datetime) -> NewHook:
    """Tell this address of changes from now on. Raises LedgerError where it is told already.

    Which addresses may be called at all is the caller's to check.
    """
    key = secrets.token_bytes(32)
    async with db.transaction(pool) as conn:
        made = await db.value(
            conn,
            "ledger_make_hook",
            book_id=book.id,
            url=url,
            secret=box.encrypt(key, context=_context(book.identity, url)),
            made_by=actor,
            now=now,
        )
        if made is None:
            raise LedgerError(NAME_TAKEN, f"{NAME_TAKEN.en} ({url})")
        await write_audit(conn, book, "ledger.hook_created", actor, now, after={"url": url})
    return NewHook(made, url, SECRET_MARK + base64.b64encode(key).decode())


async def list_hooks(pool: Pool, book: Book) -> list[HookInfo]:
    """The webhooks of a book, oldest first."""
    return [
        HookInfo(r["id"], r["url"], r["made_by"], r["made_at"], r["cursor"], r["attempts"], r["answer"], r["due_at"])
        for r in await db.rows(pool, "ledger_hooks", book_id=book.id)
    ]


async def remove_hook(pool: Pool, book: Book, hook_id: int, *, actor: str, now: datetime) -> str:
    """Tell an address no more. Returns it. Raises LedgerError where there is no such webhook."""
    async with db.transaction(pool) as conn:
        url = await db.value(conn, "ledger_remove_hook", book_id=book.id, id=hook_id, now=now)
        if url is None:
            raise LedgerError(NO_KEY, f"{NO_KEY.en} ({hook_id})")
        await write_audit(conn, book, "ledger.hook_removed", actor, now, before={"url": url})
    return str(url)


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that prove where a delivery comes from (standardwebhooks.com, "Signature scheme")."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    proof = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{proof}"}


async def deliver(
    pool: Pool, transport: Transport, box: SecretBox, *, now: Callable[[], datetime], new_id: Callable[[], str]
) -> Delivered:
    """Make one delivery of every webhook that is behind, then send one that is due."""
    await _compose(pool, now=now(), new_id=new_id)
    at = now()
    async with db.transaction(pool) as conn:
        taken = await db.row(conn, "ledger_take_delivery", now=at, claimed_until=at + CLAIM)
    if taken is None:
        return Delivered(0, await db.value(pool, "ledger_next_delivery"))
    state, answer = await _send(transport, box, taken, now=at)
    await _note(pool, taken, state, answer, now=now())
    return Delivered(1, now())


async def drop_old(pool: Pool, *, now: datetime) -> int:
    """Forget deliveries that are over for long. Returns how many there were."""
    return int(await db.value(pool, "ledger_drop_deliveries", before=now - KEEP))


async def _compose(pool: Pool, *, now: datetime, new_id: Callable[[], str]) -> None:
    """Turn what changed behind each webhook's cursor into a delivery, and move the cursor, in one transaction."""
    async with db.transaction(pool) as conn:
        for hook in await db.rows(conn, "ledger_hook_behind", hook_limit=50):
            book = Book(hook["book_id"], hook["book"], hook["identity"], now)
            levels = await reading.levels(conn, book, after=hook["cursor"], limit=BATCH)
            if not levels:
                # The sequence was read before the levels, so nothing lies between the two.
                await db.run(conn, "ledger_move_hook", id=hook["id"], cursor=hook["sequence"])
                continue
            cursor = levels[-1].sequence
            document = {
                "type": "levels.changed",
                "timestamp": now,
                "data": {"book": book.name, "cursor": cursor, "levels": [wire.level(each) for each in levels]},
            }
            await db.run(
                conn,
                "ledger_make_delivery",
                id=f"msg_{new_id()}",
                hook_id=hook["id"],
                cursor=cursor,
                body=orjson.dumps(document, option=orjson.OPT_UTC_Z),
                now=now,
            )
            await db.run(conn, "ledger_move_hook", id=hook["id"], cursor=cursor)


async def _send(transport: Transport, box: SecretBox, taken: Any, *, now: datetime) -> tuple[bool, str]:
    """Whether the receiver took it, and what it said in short."""
    try:
        key = box.decrypt(taken["secret"], context=_context(taken["identity"], taken["url"]))
    except SecretsError:
        return False, "the signing secret cannot be opened"
    headers = sign(key, taken["id"], int(now.timestamp()), taken["body"])
    headers["content-type"] = "application/json"
    try:
        answer: HttpResponse = await transport.send(
            HttpRequest("POST", taken["url"], headers, taken["body"], timeout=TIMEOUT)
        )
    except (NotSent, NoAnswer) as error:
        return False, f"{type(error).__name__}: {error}"[:200]
    return 200 <= answer.status < 300, f"HTTP {answer.status}"


async def _note(pool: Pool, taken: Any, delivered: bool, answer: str, *, now: datetime) -> None:
    given_up = not delivered and taken["made_at"] + GIVE_UP <= now
    if delivered or given_up:
        state = "delivered" if delivered else "given_up"
        await db.run(
            pool,
            "ledger_end_delivery",
            id=taken["id"],
            attempts=taken["attempts"],
            state=state,
            answer=answer,
            now=now,
        )
        if given_up:
            log.error("ledger.hook_given_up", hook=taken["hook_id"], attempts=taken["attempts"], answer=answer)
        return
    pause = BACKOFF[min(taken["attempts"], len(BACKOFF)) - 1]
    await db.run(
        pool,
        "ledger_postpone_delivery",
        id=taken["id"],
        attempts=taken["attempts"],
        answer=answer,
        due_at=now + pause,
    )
    log.warning("ledger.hook_refused", hook=taken["hook_id"], attempts=taken["attempts"], answer=answer)


def _context(identity: str, url: str) -> str:
    """What a webhook's secret is bound to."""
    return f"ledger hook {identity} {url}"
