"""One book's conversation with the built-in ledger: the port's `Client` over `/ledger/v1`, in process or over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from inventory_sync.model.ids import OpId
from inventory_sync.systems.budget import TokenBucket
from inventory_sync.systems.builtin import answers, problems, protocol
from inventory_sync.systems.builtin.settings import LATE_EFFECT, BuiltinSettings
from inventory_sync.systems.errors import BrokenKind, Doubt
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import (
    Capabilities,
    CatalogueItem,
    CataloguePage,
    CatalogueRefresh,
    CellRef,
    ClientContext,
    EvidenceKind,
    HistoryRow,
    LevelPage,
    LevelReading,
    OpOutcome,
    PartnerLocation,
    PlannedOp,
    PreparedRequest,
    Role,
    Split,
    SubscriptionReport,
    Verified,
)

READ_LAG = timedelta(seconds=0.2)
"""One database answers reads and writes, so a read asked after the answer to a write shows it. What is left is the
clock: two processes on one machine, or two machines kept equal by NTP, name the same instant this much apart."""

KEY_LIFETIME = timedelta(days=30)
"""The ledger keeps keys as long as the entries made under them, which is for ever; no doubt is left open longer."""

CAPABILITIES = Capabilities(
    roles=frozenset({Role.LEDGER}),
    match_fields=("sku", "barcode"),
    read_batch=protocol.PAGE,
    write_batch=protocol.PAGE,
    concurrent_writes=2,  # a book takes one writer at a time: the second request is under way while the first commits
    read_lag=READ_LAG,
    late_effect=LATE_EFFECT,
    request_timeout=timedelta(seconds=8),
    evidence=EvidenceKind.KEY,
    key_lifetime=KEY_LIFETIME,
    history_causes=True,
    absent_is_zero=True,
    poll_every=timedelta(seconds=15),
    poll_alone_every=timedelta(seconds=2),  # of another installation; our own tells its inbox at once
    bases=frozenset({"stock", "on_hand", "free"}),  # one number: what it counts is the warehouse's to say
    names_causes=True,
)

BURST_SHARE = 0.2
REFRESH_PAGE = 20  # SKUs in one query string: 200 characters each may take 2,400 bytes of a line of 8,190
REFRESH_LINE = 6000


def effective_capabilities(settings: BuiltinSettings) -> Capabilities:
    """The capabilities of one connection, with its own times."""
    return replace(
        CAPABILITIES,
        late_effect=settings.late_effect,
        request_timeout=timedelta(seconds=settings.request_timeout_seconds),
    )


class LedgerBudget:
    """One bucket for every kind of request. Implements `port.Budget`."""

    def __init__(self, per_second: int, now: datetime, *, full: bool = False) -> None:
        self._bucket = TokenBucket(max(1.0, per_second * BURST_SHARE), per_second, now, full=full)

    def wait(self, kind: str, now: datetime) -> float:
        """Seconds until one request may leave; 0 means now."""
        return self._bucket.wait(1, now)

    def available(self, now: datetime) -> float:
        """Requests that may leave at this instant."""
        return self._bucket.available(now)

    def take(self, now: datetime) -> None:
        """Spend one request, or raise RetryLater saying when it may leave."""
        after = self._bucket.wait(1, now)
        if after > 0:
            raise protocol.later(problems.OUT_OF_BUDGET, "", max(after, 0.001))
        self._bucket.spend(1, now)


class BuiltinClient:
    """Implements `port.Client` for one book."""

    def __init__(self, settings: BuiltinSettings, context: ClientContext) -> None:
        self._settings = settings
        self._label = settings.label
        self._key = None if settings.api_key is None else settings.api_key.get_secret_value()
        self._installation = context.installation
        self._transport = context.transport
        self._now = context.ambient.now
        self._capabilities = effective_capabilities(settings)
        self._budget = LedgerBudget(settings.requests_per_second, self._now(), full=context.budget_full)
        self._refreshed: dict[str, CatalogueItem | None] = {}

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def budget(self) -> LedgerBudget:
        return self._budget

    async def verify(self) -> Verified:
        """Proves the key and the label. Another label is another stock number, so it is part of the identity."""
        call = protocol.book()
        found = answers.document(await self._ask(call), str(call))
        labels = [str(row.get("label")) for row in answers.rows(found, "labels", str(call))]
        identity, name = found.get("identity"), found.get("name")
        if not isinstance(identity, str) or not isinstance(name, str):
            raise protocol.bug(problems.UNKNOWN_SHAPE, str(call))
        if self._label not in labels:
            known = ", ".join(repr(each) for each in labels)
            raise protocol.broken(problems.NO_SUCH_LABEL, BrokenKind.GONE, f"{self._label!r}; there are {known}")
        warnings = () if found.get("scope") == "write" else (problems.SCOPE_MISSING.en,)
        return Verified(f"{identity}/{self._label}", f"{name} ({self._label})", warnings=warnings)

    async def locations(self) -> Sequence[PartnerLocation]:
        """Every location of the book."""
        call = protocol.locations()
        found = answers.document(await self._ask(call), str(call))
        return tuple(map(answers.location, answers.rows(found, "locations", str(call))))

    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        """A page of items by SKU. `cursor` is the last SKU."""
        call = protocol.items(cursor)
        found = answers.document(await self._ask(call), str(call))
        rows = answers.rows(found, "items", str(call))
        following = found.get("cursor")
        if not isinstance(following, str) or not isinstance(found.get("more"), bool):
            raise protocol.bug(problems.UNKNOWN_SHAPE, str(call))
        items = tuple(item for row in rows if (item := answers.item(row)) is not None)
        return CataloguePage(items, following if found["more"] else None)

    async def refresh(self, keys: Sequence[str]) -> CatalogueRefresh:
        """The items of these SKUs; what does not exist or is archived is gone.

        Where the budget ends first it raises RetryLater, and the next call for the same keys goes on behind those read.
        """
        wanted = list(dict.fromkeys(keys))
        self._refreshed = {key: found for key, found in self._refreshed.items() if key in set(wanted)}
        self._refreshed.update({key: None for key in wanted if not protocol.is_sku(key)})
        for part in _parts([key for key in wanted if key not in self._refreshed]):
            call = protocol.items_of(part)
            found = answers.document(await self._ask(call), str(call))
            items = [answers.item(row) for row in answers.rows(found, "items", str(call))]
            by_key = {str(item.key): item for item in items if item is not None}
            self._refreshed.update({key: by_key.get(key) for key in part})
        done, self._refreshed = self._refreshed, {}
        known = tuple(item for key in wanted if (item := done[key]) is not None)
        return CatalogueRefresh(known, tuple(key for key in wanted if done[key] is None))

    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        """Reads cells by key, all at one instant."""
        if not cells:
            return ()
        call = protocol.cells(cells, self._label)
        found = answers.document(await self._ask(call), str(call))
        readings = [answers.reading(row, self._label, str(call)) for row in answers.rows(found, "cells", str(call))]
        if [reading.cell for reading in readings] != list(cells):
            raise protocol.bug(problems.UNKNOWN_SHAPE, f"{call} answered other cells than were asked")
        return readings

    async def changed_levels(self, since: datetime, until: datetime, cursor: str | None) -> LevelPage:
        """One page of levels changed since a time, as hints; newer ones than `until` come too. `cursor`: a sequence."""
        return await self._level_page(cursor, since)

    async def walk_levels(self, cursor: str | None) -> LevelPage:
        """One page of all levels. What changes meanwhile moves behind the page and comes again."""
        return await self._level_page(cursor, None)

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        """The relative changes of all ops under one idempotency key, booked together or not at all."""
        return protocol.prepare(ops, key, installation=self._installation, label=self._label)

    def compose_activation(self, cell: CellRef, key: str) -> PreparedRequest:
        """Never asked for: the first change makes the level. Raises Bug."""
        raise protocol.bug(problems.CHANGE_IMPOSSIBLE, "a level is made by its first change, nothing is to activate")

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome] | Split:
        """Sends one batch. The same batch again under its key returns the first answer; a lost answer is Doubt."""
        call = protocol.prepared_call(prepared)
        try:
            response = await self._exchange(call)
        except NotSent as error:
            raise protocol.later(problems.UNAVAILABLE, f"{call}: {error}", protocol.NETWORK_PAUSE) from error
        except NoAnswer as error:
            raise _doubt(f"{call}: {error}") from error
        if response.status in (413, 422):
            return protocol.refused_lines(response, prepared, ops)
        if response.status != 200:
            raise protocol.refusal(call, response)
        done = answers.applied(response, ops, self._installation)
        if done is None:
            raise _doubt(f"{call}: HTTP 200 with a body that does not confirm the change")
        return done

    async def history(self, cell: CellRef, since: datetime) -> Sequence[HistoryRow]:
        """The entries of a cell booked since a time, oldest first. Entries of no effect are left out."""
        rows: list[HistoryRow] = []
        after: int | None = 0
        while after is not None:
            call = protocol.entries(cell, self._label, since, after)
            found = answers.document(await self._ask(call), str(call))
            told = map(answers.history_row, answers.rows(found, "entries", str(call)))
            rows += [row for row in told if row is not None]
            after = answers.next_cursor(found, str(call))
        return rows

    async def ensure_subscriptions(self, url: str) -> SubscriptionReport:
        """Nothing to do: the ledger of this installation tells the inbox itself, another one is polled."""
        return SubscriptionReport()

    async def _level_page(self, cursor: str | None, since: datetime | None) -> LevelPage:
        call = protocol.levels(self._label, 0 if cursor is None else int(cursor), since)
        found = answers.document(await self._ask(call), str(call))
        levels = tuple(answers.level(row, self._label, str(call)) for row in answers.rows(found, "levels", str(call)))
        following = answers.next_cursor(found, str(call))
        return LevelPage(levels, None if following is None else str(following))

    async def _ask(self, call: protocol.Call) -> HttpResponse:
        """The 200 of a read; everything else is raised."""
        try:
            response = await self._exchange(call)
        except (NotSent, NoAnswer) as error:
            raise protocol.later(problems.UNAVAILABLE, f"{call}: {error}", protocol.NETWORK_PAUSE) from error
        if response.status != 200:
            raise protocol.refusal(call, response)
        return response

    async def _exchange(self, call: protocol.Call) -> HttpResponse:
        self._budget.take(self._now())
        timeout = self._settings.request_timeout_seconds
        return await self._transport.send(call.request(self._settings.api_root, self._key, timeout))


def _doubt(particulars: str) -> Doubt:
    return Doubt(problems.OUTCOME_UNKNOWN.text(particulars), code=problems.OUTCOME_UNKNOWN.code)


def _parts(keys: Sequence[str]) -> list[list[str]]:
    """Keys in parts that fit into a query string."""
    parts: list[list[str]] = []
    room = 0
    for key in keys:
        length = len(key.encode()) * 3 + len("&sku=")
        if not parts or room < length or len(parts[-1]) == REFRESH_PAGE:
            parts.append([])
            room = REFRESH_LINE
        parts[-1].append(key)
        room -= length
    return parts
