"""One contract's conversation with Smaregi: the port's `Client` over the Platform API."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, Unreadable
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import (
    Accepted,
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
    Rejected,
    Role,
    Split,
    SubscriptionReport,
    Verified,
)
from inventory_sync.systems.smaregi import answers, bulk, problems, protocol
from inventory_sync.systems.smaregi.credentials import AccessToken, TokenSource, wanted_scopes
from inventory_sync.systems.smaregi.limits import ContractBudget
from inventory_sync.systems.smaregi.reading import LevelReader, hints
from inventory_sync.systems.smaregi.settings import LATE_EFFECT, READ_LAG, SmaregiSettings

CAPABILITIES = Capabilities(
    roles=frozenset({Role.LEDGER, Role.CHANNEL}),
    match_fields=("product_code", "supplier_product_no", "group_code"),
    read_batch=200,
    write_batch=1,  # single calls answer at once and name their history row; bulk calls answer later, without
    bulk=bulk.BULK,
    concurrent_writes=8,
    read_lag=READ_LAG,
    late_effect=LATE_EFFECT,
    request_timeout=timedelta(seconds=8),
    evidence=EvidenceKind.HISTORY,
    history_causes=True,
    absent_is_zero=True,
    poll_every=timedelta(seconds=15),  # changes made over the older API send no notice, so polling never rests
    poll_alone_every=timedelta(seconds=2),
    poll_overlap=timedelta(minutes=2),
    bases=frozenset({"stock", "stock_minus_layaway", "on_hand"}),
    names_causes=True,
)

MIDNIGHT_MARGIN = timedelta(minutes=10)  # a row near midnight may be filed under the neighbouring day
CLOCK_MARGIN = timedelta(minutes=10)  # rows this much older than asked are kept: the two clocks may differ
DAYS_KEPT = 4096  # days of history kept, in all, for searches that the budget cut short
VERIFY_READS = 3


def effective_capabilities(settings: SmaregiSettings, callback_url: str | None = None) -> Capabilities:
    """The capabilities of one connection: its measured times, no evidence where history or memos are off, and bulk
    calls where their callbacks reach us."""
    readable = settings.history and settings.memo
    return replace(
        CAPABILITIES,
        read_lag=settings.read_lag,
        late_effect=settings.late_effect,
        request_timeout=timedelta(seconds=settings.request_timeout_seconds),
        evidence=EvidenceKind.HISTORY if readable else EvidenceKind.NONE,
        history_causes=readable,
        names_causes=readable,
        bulk=bulk.bulk_of(settings, callback_url),
    )


class SmaregiClient:
    """Implements `port.Client` for one contract."""

    def __init__(self, settings: SmaregiSettings, context: ClientContext) -> None:
        self._settings = settings
        self._contract = settings.contract_id
        self._installation = context.installation
        self._transport = context.transport
        self._now = context.ambient.now
        self._capabilities = effective_capabilities(settings, context.callback_url)
        self._callback_url = context.callback_url
        self._budget = ContractBudget(settings.reads, settings.writes, self._now(), full=context.budget_full)
        self._tokens = TokenSource(settings, context, self._budget)
        self._reader = LevelReader(self._contract, self._ask, self._room, self._now, settings.read_lag)
        self._refreshed: dict[str, CatalogueItem | None] = {}
        self._days: OrderedDict[tuple[CellRef, datetime, date], tuple[HistoryRow, ...]] = OrderedDict()

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def budget(self) -> ContractBudget:
        return self._budget

    async def verify(self) -> Verified:
        """Proves the credential and each read right. A missing right is named: Broken, or a warning for the history."""
        self._budget.require("read", VERIFY_READS, self._now())
        token = await self._tokens.current(fresh=True)  # an old one does not know what was approved since
        missing = [scope for scope in wanted_scopes(self._settings) if scope not in token.scopes]
        needed = [scope for scope in missing if scope in protocol.NEEDED_SCOPES]
        if needed:
            problem = problems.SCOPE_MISSING
            text = problem.text(", ".join(needed))
            raise Broken(text, kind=BrokenKind.SCOPE, remedy=problem.remedy_en, code=problem.code)
        for call in (
            protocol.stores(self._contract, 1, 1),
            protocol.products(self._contract, 1, 1),
            protocol.levels(self._contract, 1, limit=1),
        ):
            answers.rows(await self._ask(call), str(call))
        warnings = [problems.HISTORY_NOT_GRANTED.text(", ".join(missing))] if missing else []
        if self._settings.webhook_secret is None:
            warnings.append(problems.NO_WEBHOOK_SECRET.en)
        return Verified(self._contract, f"Smaregi {self._contract}", token.scopes, warnings=tuple(warnings))

    async def locations(self) -> Sequence[PartnerLocation]:
        """Every shop and warehouse."""
        found: dict[str, PartnerLocation] = {}
        page = 1
        while True:
            call = protocol.stores(self._contract, page)
            response = await self._ask(call)
            rows = answers.rows(response, str(call))
            found.update({place.key: place for place in map(answers.location, rows)})
            if not rows or not answers.has_more(response, len(rows)):
                return tuple(found.values())
            page += 1

    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        """A page of at most 1000 products. `cursor` is the page number."""
        page = _page(cursor)
        call = protocol.products(self._contract, page)
        response = await self._ask(call)
        rows = answers.rows(response, str(call))
        more = bool(rows) and answers.has_more(response, len(rows))
        return CataloguePage(tuple(map(answers.item, rows)), str(page + 1) if more else None)

    async def refresh(self, keys: Sequence[str]) -> CatalogueRefresh:
        """The products of these ids, one read each; what is no product id, or has no product, is gone.

        Where the budget ends first it raises RetryLater, and the next call for the same keys goes on behind those read.
        """
        wanted = list(dict.fromkeys(keys))
        self._refreshed = {key: found for key, found in self._refreshed.items() if key in set(wanted)}
        for key in wanted:
            if key not in self._refreshed:
                self._refreshed[key] = await self._product(key) if protocol.is_product_id(key) else None
        found, self._refreshed = self._refreshed, {}
        items = tuple(item for key in wanted if (item := found[key]) is not None)
        return CatalogueRefresh(items, tuple(key for key in wanted if found[key] is None))

    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        """Reads cells by a short list of recent changes, then by key; bounded, and what was not reached is left out."""
        return await self._reader.read(cells, changed_since)

    async def changed_levels(self, since: datetime, until: datetime, cursor: str | None) -> LevelPage:
        """One page of rows updated since a time, as hints; rows newer than `until` come too.

        A span longer than a window of the API is walked window by window. `cursor` is "start of window|page".
        """
        start, page = _window(cursor) if cursor else (since, 1)
        end = start + protocol.MAX_WINDOW
        call = protocol.levels(self._contract, page, since=start)
        response = await self._ask(call)
        rows = answers.rows(response, str(call))
        if rows and answers.has_more(response, len(rows)):
            following: str | None = f"{start.isoformat()}|{page + 1}"
        else:
            following = f"{end.isoformat()}|1" if end < until else None
        return LevelPage(hints(rows, str(call)), following)

    async def walk_levels(self, cursor: str | None) -> LevelPage:
        """One page of all stock rows. `cursor` is the page number."""
        page = _page(cursor)
        call = protocol.levels(self._contract, page)
        response = await self._ask(call)
        rows = answers.rows(response, str(call))
        more = bool(rows) and answers.has_more(response, len(rows))
        return LevelPage(hints(rows, str(call)), str(page + 1) if more else None)

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        """The relative change of one op, or of several in a bulk call. Smaregi knows no key: the op ids stand for it,
        and `key` only names a bulk call in its callback."""
        if len(ops) > 1 and self._callback_url is not None:
            return bulk.prepare(self._contract, self._installation, ops, key)
        return protocol.prepare(self._contract, self._installation, _only(ops))

    def compose_activation(self, cell: CellRef, key: str) -> PreparedRequest:
        """Never asked for: the first change makes the row. Raises Bug."""
        problem = problems.CHANGE_IMPOSSIBLE
        raise Bug(problem.text("a row is made by its first change, there is nothing to activate"), code=problem.code)

    async def send(
        self, prepared: PreparedRequest, ops: Sequence[PlannedOp]
    ) -> Mapping[OpId, OpOutcome] | Split | Accepted:
        """Sends one change. Applied names its history row; a lost or unreadable answer is Doubt. A bulk call is
        Accepted, or Split where it was refused as a whole."""
        if bulk.is_bulk(prepared):
            return await self._send_bulk(prepared)
        op = _only(ops)
        call = protocol.prepared_call(prepared)
        response = await self._write(call)
        if response.status != 200:
            outcome = protocol.refusal(call, response, self._now())
            if isinstance(outcome, Rejected):
                return {op.op: outcome}
            raise outcome
        done = answers.applied(response, op.cell)
        if done is None:
            raise _doubt(f"{call}: HTTP 200 with a body that does not confirm the change")
        return {op.op: done}

    async def _send_bulk(self, prepared: PreparedRequest) -> Split | Accepted:
        if self._callback_url is None:
            raise protocol.impossible("a bulk call without a callback address")
        call = bulk.call_of(prepared, self._callback_url)
        response = await self._write(call)
        if response.status in (200, 202):
            taken = bulk.accepted(response)
            if taken is None:
                raise _doubt(f"{call}: HTTP {response.status} with a body that names no request")
            return taken
        refused = bulk.refusal(protocol.refusal(call, response, self._now()))
        if isinstance(refused, Split):
            return refused
        raise refused

    async def _write(self, call: protocol.Call) -> HttpResponse:
        try:
            return await self._exchange(call)
        except NotSent as error:
            raise protocol.later(problems.UNREACHABLE, f"{call}: {error}", protocol.NETWORK_PAUSE) from error
        except NoAnswer as error:
            raise _doubt(f"{call}: {error}") from error

    async def history(self, cell: CellRef, since: datetime) -> Sequence[HistoryRow]:
        """The rows filed under every business day from `since` to now, oldest first.

        Days are Japan's, and the neighbouring day counts near midnight. A row that was filed under an earlier business
        day (a stock-take booked back) is not among them: such rows explain causes, they are never ours.
        """
        if not (self._settings.history and self._settings.memo):
            raise Unreadable(problems.HISTORY_OFF.en, code=problems.HISTORY_OFF.code)
        today = (self._now() + MIDNIGHT_MARGIN).astimezone(protocol.JST).date()
        day = (since - MIDNIGHT_MARGIN).astimezone(protocol.JST).date()
        rows: dict[str, HistoryRow] = {}
        kept = []
        while day <= today:
            if day == today - timedelta(days=1):
                self._room(2)  # these last two are always read anew, so they are begun only together
            mark = (cell, since, day)
            on_day = self._days[mark] if mark in self._days else await self._history_of(cell, day)
            if day < today - timedelta(days=1):
                # No row of ours is filed under a day that is over: a search the budget cut short goes on behind it.
                self._days[mark] = on_day
                kept.append(mark)
                while len(self._days) > DAYS_KEPT:
                    self._days.popitem(last=False)
            rows.update({row.id: row for row in on_day})
            day += timedelta(days=1)
        for mark in kept:
            self._days.pop(mark, None)
        recent = (row for row in rows.values() if row.at >= since - CLOCK_MARGIN)
        return sorted(recent, key=lambda row: (row.at, int(row.id)))

    async def ensure_subscriptions(self, url: str) -> SubscriptionReport:
        """Nothing to do by API: a person enters the address in the app's webhook settings (see the guide)."""
        return SubscriptionReport()

    async def _product(self, key: str) -> CatalogueItem | None:
        call = protocol.product(self._contract, key)
        response = await self._ask(call, absent=True)
        rows = [] if response.status == 404 else answers.rows(response, str(call))
        found = [answers.item(row) for row in rows]
        if any(item.key != key for item in found):
            raise answers.unknown_shape(f"{call} answered for a product that was not asked")
        return found[0] if found else None

    async def _history_of(self, cell: CellRef, day: date) -> tuple[HistoryRow, ...]:
        rows: list[HistoryRow] = []
        page = 1
        while True:
            call = protocol.changes(self._contract, cell, day, page)
            try:
                response = await self._ask(call, absent=True)
            except Broken as error:
                if error.kind is not BrokenKind.SCOPE:
                    raise
                problem = problems.HISTORY_NOT_GRANTED
                raise Unreadable(problem.text(error.message), code=problem.code) from error
            if response.status == 404:
                raise Unreadable(problems.PRODUCT_GONE.text(str(call)), code=problems.PRODUCT_GONE.code)
            found = answers.rows(response, str(call))
            rows.extend(answers.history_row(row, cell) for row in found)
            if not found or not answers.has_more(response, len(found)):
                return tuple(rows)
            page += 1

    def _room(self, requests: int) -> None:
        self._budget.require("read", requests, self._now())

    async def _ask(self, call: protocol.Call, *, absent: bool = False) -> HttpResponse:
        """The 200 of a read, or its 404 where `absent` is a possible answer; everything else is raised."""
        try:
            response = await self._exchange(call)
        except (NotSent, NoAnswer) as error:
            raise protocol.later(problems.UNREACHABLE, f"{call}: {error}", protocol.NETWORK_PAUSE) from error
        if response.status == 200 or (absent and response.status == 404):
            return response
        outcome = protocol.refusal(call, response, self._now())
        raise outcome if isinstance(outcome, PartnerError) else answers.unknown_shape(str(call))

    async def _exchange(self, call: protocol.Call) -> HttpResponse:
        """Send a call, once more with a new token if the present one is refused. Raises its NotSent and NoAnswer."""
        response = await self._attempt(call, await self._tokens.current())
        if response.status == 401:
            response = await self._attempt(call, await self._tokens.current())
        return response

    async def _attempt(self, call: protocol.Call, token: AccessToken) -> HttpResponse:
        request = call.request(self._settings.api_root, token.value, self._settings.request_timeout_seconds)
        self._budget.take(call.kind, self._now())
        try:
            response = await self._transport.send(request)
        finally:
            self._budget.end(call.kind, self._now())
        if response.status in (401, 403):
            self._tokens.forget(token)  # after a 403 too: a scope approved later is in the next token only
        elif response.status == 429:
            now = self._now()
            self._budget.throttled(call.kind, protocol.retry_after(response, now, protocol.THROTTLE_PAUSE), now)
        return response


def _only(ops: Sequence[PlannedOp]) -> PlannedOp:
    if len(ops) != 1:
        problem = problems.CHANGE_IMPOSSIBLE
        raise Bug(problem.text(f"{len(ops)} changes in one call"), code=problem.code)
    return ops[0]


def _doubt(particulars: str) -> Doubt:
    return Doubt(problems.OUTCOME_UNKNOWN.text(particulars), code=problems.OUTCOME_UNKNOWN.code)


def _page(cursor: str | None) -> int:
    return 1 if cursor is None else int(cursor)


def _window(cursor: str) -> tuple[datetime, int]:
    start, _, page = cursor.partition("|")
    return datetime.fromisoformat(start), int(page)
