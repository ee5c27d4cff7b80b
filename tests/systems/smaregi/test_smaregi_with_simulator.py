"""The adapter against the simulated contract, which shares no code with it: every switch played both ways."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.sandbox.kernel import Request
from inventory_sync.sandbox.smaregi import SmaregiSimulator, SmaregiSwitches
from inventory_sync.systems.errors import Broken, BrokenKind, RetryLater, Unreadable
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.port import Applied, CellRef, ClientContext, Condition, PlannedOp, Rejected
from inventory_sync.systems.smaregi.client import SmaregiClient
from tests.systems.smaregi.smaregi_scripted import START, Clock, settings

T = TypeVar("T")


@dataclass
class Wire:
    """A transport that hands requests to the simulator, each taking some time each way."""

    simulator: SmaregiSimulator
    clock: Clock
    latency: float

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.clock.advance(self.latency)
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = self.simulator.handle(
            Request(request.method, parts.path, parts.query, headers, request.body), self.clock()
        )
        return HttpResponse(reply.status, reply.headers, reply.body)


@dataclass
class Story:
    simulator: SmaregiSimulator
    client: SmaregiClient
    clock: Clock
    ids: list[str]

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What a caller gets who waits as long as told, and never longer."""
        for _ in range(500):
            try:
                return await ask()
            except RetryLater as error:
                self.clock.advance(error.after)
        raise AssertionError("no answer after 500 waits")

    async def add(self, item: str, delta: int, op: str) -> Any:
        planned = PlannedOp(OpId(op), cell(item), delta)
        prepared = self.client.compose([planned], "batch")
        outcome = await self.patiently(lambda: self.client.send(prepared, [planned]))
        assert isinstance(outcome, dict)
        return outcome[OpId(op)]


def cell(item: str, store: str = "1") -> CellRef:
    return CellRef(ItemKey(item), LocationKey(store))


def story(count: int = 5, *, latency: float = 0.0, changes: dict[str, object] | None = None, **switches: Any) -> Story:
    clock = Clock()
    simulator = SmaregiSimulator(switches=SmaregiSwitches(**switches))
    ids = simulator.seed_catalogue(count, clock(), stores=("1", "2"), initial=lambda number, _: 10 + number)
    context = ClientContext(Wire(simulator, clock, latency), Ambient(now=clock), "shop1")
    given = {"client_id": "sim-client", "client_secret": "sim-secret", **(changes or {})}
    return Story(simulator, SmaregiClient(settings(**given), context), clock, list(ids))


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize("unknown_query", ["refused", "ignored"])
@pytest.mark.parametrize("half_open", [True, False])
async def test_a_contract_is_verified_and_listed(link: bool, unknown_query: str, half_open: bool) -> None:
    told = story(1200, link_header=link, unknown_query=unknown_query, half_open_window=half_open)
    assert (await told.patiently(told.client.verify)).identity == "sb_abc123d4"
    assert {place.key for place in await told.patiently(told.client.locations)} == {"1", "2"}
    items, cursor = [], None
    while True:
        page = await told.patiently(lambda at=cursor: told.client.catalogue_page(at))
        items.extend(page.items)
        if (cursor := page.cursor) is None:
            break
    assert [item.key for item in items] == told.ids
    levels = []
    while True:
        listed = await told.patiently(lambda at=cursor: told.client.walk_levels(at))
        levels.extend(listed.levels)
        if (cursor := listed.cursor) is None:
            break
    assert len({level.cell for level in levels}) == 2400
    changed = await told.patiently(lambda: told.client.changed_levels(START - timedelta(minutes=2), START, None))
    assert len(changed.levels) == 1000
    assert told.simulator.log.violations == []


async def test_recent_changes_are_read_by_list_and_the_rest_by_key() -> None:
    told = story(8)
    told.clock.advance(3600)
    for item in told.ids[:5]:
        await told.add(item, -3, f"op{item}")
    unmoved = told.simulator.add_product("NEW", told.clock())
    cells = [cell(item) for item in [*told.ids, unmoved]]
    before = told.simulator.log.requests.get("stock.list", 0)
    found: dict[CellRef, Any] = {}
    while len(found) < len(cells):
        waiting = [each for each in cells if each not in found]
        since = told.clock() - timedelta(seconds=30)
        for reading in await told.patiently(lambda w=waiting, s=since: told.client.read(w, changed_since=s)):
            found[reading.cell] = reading
    assert [found[cell(item)].quantity for item in told.ids] == [told.simulator.stock(item, "1") for item in told.ids]
    assert found[cell(unmoved)].condition is Condition.ABSENT
    assert told.simulator.log.requests["stock.list"] - before < len(cells)
    assert told.simulator.log.violations == []


@pytest.mark.parametrize("add_answers", ["result", "delta"])
@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_change_is_found_again_by_its_memo(add_answers: str, newest_first: bool) -> None:
    told = story(1, add_answers=add_answers, history_newest_first=newest_first)
    item = told.ids[0]
    outcome = await told.add(item, -4, "op1")
    assert isinstance(outcome, Applied)
    await told.add(item, 3, "op2")
    rows = await told.patiently(lambda: told.client.history(cell(item), START))
    ours = [(row.op, row.amount, row.cause, row.installation) for row in rows if row.op]
    assert ours == [("op1", -4, "api", "shop1"), ("op2", 3, "api", "shop1")]
    assert outcome.reference in {row.id for row in rows}
    assert outcome.stamp is not None
    assert told.simulator.stock(item, "1") == 9


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("memo", [True, False])
async def test_history_is_evidence_only_where_it_shows_memos(readable: bool, memo: bool) -> None:
    switched = {"history": readable, "memo": memo}
    told = story(1, changes=switched, history_readable=readable, history_has_memo=memo)
    await told.add(told.ids[0], -1, "op1")
    if readable and memo:
        rows = await told.patiently(lambda: told.client.history(cell(told.ids[0]), START))
        assert "op1" in [row.op for row in rows]
    else:
        with pytest.raises(Unreadable):
            await told.patiently(lambda: told.client.history(cell(told.ids[0]), START))


async def test_a_history_that_the_plan_forbids_is_unreadable_although_it_is_switched_on() -> None:
    told = story(1, history_readable=False)
    with pytest.raises(Unreadable):
        await told.patiently(lambda: told.client.history(cell(told.ids[0]), START))


@pytest.mark.parametrize("window", ["sliding", "fixed"])
@pytest.mark.parametrize(("reads", "writes"), [(50, 20), (10, 4)])
async def test_a_push_as_fast_as_allowed_is_never_throttled(window: str, reads: int, writes: int) -> None:
    told = story(
        20,
        changes={"reads_per_second": reads, "writes_per_second": writes},
        rate_window=window,
        reads_per_second=reads,
        writes_per_second=writes,
        token_lifetime=5.0,
    )
    began = told.clock()
    for number in range(100):
        assert isinstance(await told.add(told.ids[number % 20], -1, f"op{number}"), Applied)
    took = (told.clock() - began).total_seconds()
    assert took <= 1.5 * 100 / writes
    assert told.simulator.log.violations == []


async def test_a_revoked_token_is_replaced_without_anybody_noticing() -> None:
    told = story(1)
    await told.add(told.ids[0], -1, "op1")
    told.simulator.access.revoke("sim-client")
    assert isinstance(await told.add(told.ids[0], -1, "op2"), Applied)
    assert told.simulator.log.requests["token"] == 2


@pytest.mark.parametrize("unapproved", ["refused", "dropped"])
async def test_a_scope_that_is_not_approved_is_named(unapproved: str) -> None:
    told = story(1, unapproved_scope=unapproved)
    told.simulator.access.clients["sim-client"].scopes.discard("pos.stock:write")
    with pytest.raises(Broken) as caught:
        await told.patiently(told.client.verify)
    assert caught.value.kind is BrokenKind.SCOPE
    assert "pos.stock:write" in caught.value.message


async def test_rows_smaregi_refuses_are_rejected_for_their_own_reason() -> None:
    told = story(1)
    gone = await told.add("7999999", -1, "op1")
    assert isinstance(gone, Rejected)
    assert gone.code == "IS-SMR-020"
    planned = PlannedOp(OpId("op2"), cell(told.ids[0], "77"), -1)
    prepared = told.client.compose([planned], "batch")
    outcome = await told.patiently(lambda: told.client.send(prepared, [planned]))
    assert isinstance(outcome, dict)
    refused = outcome[OpId("op2")]
    assert isinstance(refused, Rejected)
    assert refused.code == "IS-SMR-021"


async def test_products_are_refreshed_and_missed() -> None:
    told = story(2)
    found = await told.patiently(lambda: told.client.refresh([told.ids[0], "7999999"]))
    assert [item.key for item in found.items] == [told.ids[0]]
    assert found.gone == ("7999999",)
