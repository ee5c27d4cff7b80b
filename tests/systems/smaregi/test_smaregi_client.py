from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, RetryLater, Unreadable
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import Applied, ClientContext, EvidenceKind, Rejected, SubscriptionReport
from inventory_sync.systems.smaregi import definition
from inventory_sync.systems.smaregi.client import SmaregiClient
from tests.systems.smaregi.smaregi_scripted import (
    CELL,
    OP,
    START,
    Answer,
    Clock,
    Scripted,
    answer,
    change,
    connect,
    level,
    problem,
    product,
    settings,
    token,
    written,
)

# Sending a change


async def send(client: SmaregiClient) -> object:
    return (await client.send(client.compose([OP], "batch-1"), [OP]))[OP.op]  # type: ignore[index]


async def test_a_change_that_is_carried_out_names_its_history_row() -> None:
    client, partner = connect(written())
    assert await send(client) == Applied("10236", datetime(2026, 1, 10, 3, 0, 5, tzinfo=UTC))
    assert partner.requests[0].url == "https://api.smaregi.dev/sb_abc123d4/pos/stock/8000001/add"
    assert partner.requests[0].body == client.compose([OP], "another key").body
    assert partner.requests[0].headers["Authorization"] == "Bearer token-1"
    assert partner.requests[0].timeout == 8.0


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_a_refused_row_is_rejected(status: int) -> None:
    client, _ = connect(problem(status))
    assert isinstance(await send(client), Rejected)


@pytest.mark.parametrize(
    "failure", [problem(500), problem(503), answer(b"", 202), answer(b"<html>"), answer({}), NoAnswer("reset")]
)
async def test_a_change_without_a_clear_answer_is_in_doubt_and_sent_once(failure: Answer) -> None:
    client, partner = connect(failure)
    with pytest.raises(Doubt) as caught:
        await send(client)
    assert caught.value.code == "IS-SMR-030"
    assert len(partner.requests) == 1


async def test_a_change_that_never_left_may_be_sent_again() -> None:
    client, _ = connect(NotSent("connection refused"))
    with pytest.raises(RetryLater) as caught:
        await send(client)
    assert (caught.value.executed, caught.value.code) == (False, "IS-SMR-007")


async def test_a_throttled_change_was_not_carried_out_and_holds_the_next_one_back() -> None:
    client, partner = connect(problem(429, retry_after="5"))
    with pytest.raises(RetryLater) as caught:
        await send(client)
    assert (caught.value.after, caught.value.executed) == (5.0, False)
    assert client.budget.wait("write", partner.clock()) == pytest.approx(5.0)
    assert client.budget.wait("read", partner.clock()) == 0


async def test_a_refused_token_is_renewed_once_and_the_same_bytes_go_out_again() -> None:
    client, partner = connect(problem(401), written(), writes_per_second=40)
    assert isinstance(await send(client), Applied)
    assert partner.requests[0].body == partner.requests[1].body
    assert [request.headers["Authorization"] for request in partner.requests] == ["Bearer token-1", "Bearer token-2"]


async def test_a_new_token_refused_as_well_breaks_the_connection() -> None:
    client, partner = connect(problem(401), problem(401), problem(401), problem(401), writes_per_second=60)
    for attempt in (1, 2):
        with pytest.raises(Broken) as caught:
            await send(client)
        assert caught.value.kind is BrokenKind.CREDENTIAL
        assert len(partner.requests) == len(partner.token_requests) == 2 * attempt


async def test_a_lost_answer_after_a_renewed_token_is_in_doubt() -> None:
    client, _ = connect(problem(401), NoAnswer("timed out"), writes_per_second=40)
    with pytest.raises(Doubt):
        await send(client)


async def test_a_missing_write_scope_breaks_the_connection_and_a_later_call_asks_for_a_new_token() -> None:
    client, partner = connect(problem(403), written(), writes_per_second=40)
    with pytest.raises(Broken) as caught:
        await send(client)
    assert caught.value.kind is BrokenKind.SCOPE
    assert "pos.stock:write" in caught.value.message
    assert isinstance(await send(client), Applied)
    assert len(partner.token_requests) == 2


async def test_a_token_that_cannot_be_had_leaves_the_change_unsent() -> None:
    client, partner = connect(tokens=[NoAnswer("timed out")])
    with pytest.raises(RetryLater) as caught:
        await send(client)
    assert caught.value.executed is False
    assert partner.requests == []


async def test_without_budget_nothing_is_sent_at_all() -> None:
    client, partner = connect(written(), full=False)
    with pytest.raises(RetryLater) as caught:
        await send(client)
    assert caught.value.code == "IS-SMR-012"
    assert partner.requests == partner.token_requests == []
    partner.clock.advance(caught.value.after)
    with pytest.raises(RetryLater):  # the token was paid for, the change is not yet
        await send(client)
    partner.clock.advance(0.1)
    assert isinstance(await send(client), Applied)


async def test_one_call_carries_one_change_and_activation_is_never_needed() -> None:
    client, _ = connect()
    for ops in ([], [OP, replace(OP, op=OpId("other"))]):
        with pytest.raises(Bug):
            client.compose(ops, "key")
    with pytest.raises(Bug):
        client.compose_activation(CELL, "key")
    assert not client.capabilities.activates


async def test_no_message_ever_shows_token_or_secret() -> None:
    for given in (problem(401), problem(403), problem(500), answer(b"x"), NoAnswer("reset")):
        client, _ = connect(given, given, writes_per_second=60)
        with pytest.raises((Broken, Doubt)) as caught:
            await send(client)
        for secret in ("token-1", "token-2", "very-secret-value"):
            assert secret not in str(caught.value)


# Verification


async def test_a_verified_connection_is_known_by_its_contract() -> None:
    client, partner = connect(answer([]), answer([]), answer([]))
    verified = await client.verify()
    assert verified.identity == "sb_abc123d4"
    assert "pos.stock:write" in verified.scopes
    assert verified.warnings == ()
    assert [path.rsplit("/", 1)[1] for path in partner.paths] == ["stores", "products", "stock"]
    assert {partner.query(number)["limit"] for number in range(3)} == {"1"}


async def test_scopes_missing_from_the_token_are_named() -> None:
    client, partner = connect(tokens=[token("pos.stock:read pos.stock-changes:read pos.stores:read")])
    with pytest.raises(Broken) as caught:
        await client.verify()
    assert "pos.stock:write, pos.products:read" in caught.value.message
    assert caught.value.kind is BrokenKind.SCOPE
    assert partner.requests == []


async def test_a_missing_history_scope_and_missing_webhooks_are_warnings() -> None:
    needed = "pos.stock:read pos.stock:write pos.products:read pos.stores:read"
    client, _ = connect(answer([]), answer([]), answer([]), tokens=[token(needed)], webhook_secret=None)
    warnings = (await client.verify()).warnings
    assert len(warnings) == 2
    assert "pos.stock-changes:read" in warnings[0]
    quiet, _ = connect(answer([]), answer([]), answer([]), tokens=[token(needed)], history=False)
    assert (await quiet.verify()).warnings == ()


async def test_verifying_again_sees_what_was_approved_since() -> None:
    client, partner = connect(*[answer([])] * 3, tokens=[token("pos.stock:read"), token()])
    with pytest.raises(Broken):
        await client.verify()
    partner.clock.advance(1)
    assert (await client.verify()).identity == "sb_abc123d4"


async def test_verifying_starts_only_when_the_budget_can_see_it_through() -> None:
    client, partner = connect(full=False)
    with pytest.raises(RetryLater):
        await client.verify()
    assert partner.token_requests == []


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (problem(403), Broken),
        (problem(404), Broken),
        (problem(503), RetryLater),
        (NoAnswer("timed out"), RetryLater),
        (NotSent("no route"), RetryLater),
        (answer(b"<html>"), RetryLater),
        (answer({}), Bug),
        (problem(400), Bug),
    ],
)
async def test_a_read_that_fails_says_why(failure: Answer, error: type[Exception]) -> None:
    client, _ = connect(failure)
    with pytest.raises(error):
        await client.locations()


# Locations and catalogue


def pages(*sizes: int, make: object = None) -> list[HttpResponse]:
    rows = iter(range(1, 10_000))
    return [answer([make(next(rows)) for _ in range(size)]) for size in sizes]  # type: ignore[operator]


async def test_every_page_of_stores_becomes_locations() -> None:
    def store(number: int) -> dict[str, str]:
        return {"storeId": str(number), "storeName": f"店{number}", "division": "1", "pauseFlag": "0"}

    client, partner = connect(*pages(1000, 2, make=store))
    places = await client.locations()
    assert len(places) == 1002
    assert [partner.query(number)["page"] for number in (0, 1)] == ["1", "2"]
    client, _ = connect(*pages(1000, 0, make=store))
    assert len(await client.locations()) == 1000


async def test_the_catalogue_comes_page_by_page_until_one_is_not_full() -> None:
    client, partner = connect(*pages(1000, 1, make=lambda number: product(str(number))))
    first = await client.catalogue_page(None)
    assert (len(first.items), first.cursor) == (1000, "2")
    last = await client.catalogue_page(first.cursor)
    assert (len(last.items), last.cursor) == (1, None)
    assert partner.query(1)["page"] == "2"


async def test_a_full_last_page_is_followed_by_an_empty_one() -> None:
    client, _ = connect(answer([], link='<https://x/?page=3>; rel="next"'))
    assert (await client.catalogue_page("2")).cursor is None


async def test_products_are_refreshed_one_by_one_and_missing_ones_are_gone() -> None:
    client, partner = connect(answer([product("1")]), answer([]), problem(404))
    found = await client.refresh(["1", "2", "2", "not-an-id", "3"])
    assert [item.key for item in found.items] == ["1"]
    assert found.gone == ("2", "not-an-id", "3")
    assert [partner.query(number)["product_id"] for number in range(3)] == ["1", "2", "3"]


async def test_a_refresh_that_the_budget_cuts_short_goes_on_behind_what_was_read() -> None:
    client, partner = connect(handler=lambda _: answer([product(partner.query(-1)["product_id"])]))
    keys = [str(number) for number in range(1, 21)]
    for _ in range(30):
        try:
            found = await client.refresh(keys)
        except RetryLater as error:
            partner.clock.advance(error.after)
        else:
            break
    assert [item.key for item in found.items] == keys
    assert len(partner.requests) == 20
    partner.clock.advance(10)
    await client.refresh(["1"])
    assert len(partner.requests) == 21  # what was answered once is asked anew


async def test_a_refresh_that_answers_for_another_product_is_refused() -> None:
    client, _ = connect(answer([product("9")]))
    with pytest.raises(Bug):
        await client.refresh(["1"])


# Lists of levels


async def test_changed_levels_are_walked_by_pages_and_then_by_windows() -> None:
    since = START - timedelta(days=45)
    client, partner = connect(
        answer([level("1", str(number)) for number in range(1, 1001)]), answer([level("2", "1001")]), answer([])
    )
    first = await client.changed_levels(since, START, None)
    assert len(first.levels) == 1000
    second = await client.changed_levels(since, START, first.cursor)
    third = await client.changed_levels(since, START, second.cursor)
    assert third.cursor is None
    asked = [partner.query(number) for number in range(3)]
    assert [query["page"] for query in asked] == ["1", "2", "1"]
    assert asked[0]["upd_date_time-from"] == "2025-11-26T12:00:00+09:00"
    assert asked[0]["upd_date_time-to"] == asked[2]["upd_date_time-from"] == "2025-12-26T12:00:00+09:00"
    assert {query["sort"] for query in asked} == {"productId,storeId"}


async def test_a_recent_window_ends_in_the_future_so_that_no_row_leaves_it_between_pages() -> None:
    client, partner = connect(answer([level("1")]))
    page = await client.changed_levels(START - timedelta(minutes=2), START, None)
    assert page.cursor is None
    assert datetime.fromisoformat(partner.query(0)["upd_date_time-to"]) > START


async def test_the_walk_lists_everything_and_leaves_out_what_cannot_be_read() -> None:
    client, partner = connect(
        answer([level("1", str(number)) for number in range(1, 1000)] + [level("?", "1000")]), answer([])
    )
    first = await client.walk_levels(None)
    assert (len(first.levels), first.cursor) == (999, "2")
    assert (await client.walk_levels(first.cursor)).cursor is None
    assert "upd_date_time-from" not in partner.query(0)


# History


async def test_the_history_of_today_and_yesterday_comes_oldest_first_with_our_ops_named() -> None:
    days = {
        "2026-01-09": [change("5", "-1", "2026-01-09T10:00:00+09:00"), change("9", "1", "2026-01-09T23:59:00+09:00")],
        "2026-01-10": [
            change("11", "-2", "2026-01-10T11:59:59+09:00", memo="is:shop1:01j9z8"),
            change("10", "-2", "2026-01-10T11:59:59+09:00"),
        ],
    }
    client, partner = connect(handler=lambda _: answer(days[partner.query(-1)["target_date"]]))
    rows = await client.history(CELL, datetime(2026, 1, 9, 14, 0, tzinfo=UTC))
    assert [row.id for row in rows] == ["9", "10", "11"]
    assert rows[-1].op == OP.op
    assert set(partner.paths) == {"/sb_abc123d4/pos/stock/changes/8000001/1"}


@pytest.mark.parametrize(
    ("now", "since", "days"),
    [
        ("2026-01-10T12:00:00+09:00", "2026-01-10T11:00:00+09:00", ["2026-01-10"]),
        ("2026-01-10T00:05:00+09:00", "2026-01-10T00:04:00+09:00", ["2026-01-09", "2026-01-10"]),
        ("2026-01-10T23:55:00+09:00", "2026-01-10T23:54:00+09:00", ["2026-01-10", "2026-01-11"]),
        ("2026-01-10T12:00:00+09:00", "2026-01-08T12:00:00+09:00", ["2026-01-08", "2026-01-09", "2026-01-10"]),
    ],
)
async def test_days_are_japans_and_the_neighbour_counts_near_midnight(now: str, since: str, days: list[str]) -> None:
    client, partner = connect(handler=lambda _: answer([]))
    partner.clock.now = datetime.fromisoformat(now).astimezone(UTC)
    await client.history(CELL, datetime.fromisoformat(since))
    assert [partner.query(number)["target_date"] for number in range(len(partner.requests))] == days


async def test_a_long_search_that_the_budget_cuts_short_goes_on_where_it_stopped() -> None:
    client, partner = connect(handler=lambda _: answer([change(str(len(partner.requests)))]))
    since = START - timedelta(days=20)
    rounds = 0
    while True:
        try:
            rows = await client.history(CELL, since)
        except RetryLater as error:
            rounds += 1
            assert rounds < 50
            partner.clock.advance(error.after)
        else:
            break
    asked = [partner.query(number)["target_date"] for number in range(len(partner.requests))]
    assert len(asked) == len(set(asked)) == 21
    assert len(rows) == 21
    read_so_far = len(partner.requests)
    partner.clock.advance(10)
    with pytest.raises(RetryLater):
        await client.history(CELL, since)
    assert len(partner.requests) > read_so_far  # a finished search keeps nothing


async def test_searches_that_keep_too_much_read_again_and_still_answer_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory_sync.systems.smaregi.client.DAYS_KEPT", 3)
    client, partner = connect(handler=lambda _: answer([change(str(len(partner.requests)))]), latency=0.1)
    assert len(await client.history(CELL, START - timedelta(days=20))) == 21


async def test_a_long_history_is_read_page_by_page() -> None:
    client, _ = connect(answer([change(str(number)) for number in range(1, 1001)]), answer([change("2000")]))
    assert len(await client.history(CELL, START - timedelta(hours=1))) == 1001


@pytest.mark.parametrize(("history", "memo"), [(False, True), (True, False), (False, False)])
async def test_a_history_that_is_switched_off_is_no_evidence(history: bool, memo: bool) -> None:
    client, partner = connect(history=history, memo=memo)
    with pytest.raises(Unreadable) as caught:
        await client.history(CELL, START)
    assert caught.value.code == "IS-SMR-040"
    assert partner.requests == []
    assert client.capabilities.evidence is EvidenceKind.NONE


@pytest.mark.parametrize(("status", "code"), [(403, "IS-SMR-041"), (404, "IS-SMR-020")])
async def test_a_history_that_may_not_be_read_is_no_evidence(status: int, code: str) -> None:
    client, _ = connect(problem(status))
    with pytest.raises(Unreadable) as caught:
        await client.history(CELL, START)
    assert caught.value.code == code


async def test_a_credential_that_broke_is_not_mistaken_for_missing_history() -> None:
    client, _ = connect(problem(401), problem(401))
    with pytest.raises(Broken) as caught:
        await client.history(CELL, START)
    assert caught.value.kind is BrokenKind.CREDENTIAL


async def test_a_throttled_read_holds_reads_back_and_not_writes() -> None:
    client, partner = connect(problem(429, retry_after="2"))
    with pytest.raises(RetryLater):
        await client.walk_levels(None)
    assert client.budget.wait("read", partner.clock()) == pytest.approx(2.0)
    assert client.budget.wait("write", partner.clock()) == 0


async def test_subscriptions_are_a_persons_work() -> None:
    client, partner = connect()
    assert await client.ensure_subscriptions("https://sync.example.test/webhooks/smaregi/pos") == SubscriptionReport()
    assert partner.requests == []


async def test_calls_at_once_share_one_token() -> None:
    client, partner = connect(handler=lambda _: answer([]))
    await asyncio.gather(*(client.walk_levels(None) for _ in range(5)))
    assert len(partner.token_requests) == 1


async def test_the_definition_makes_a_client_with_an_empty_budget() -> None:
    clock = Clock()
    context = ClientContext(Scripted(clock), Ambient(now=clock), "shop1")
    client = definition.make_client(settings(), context)
    assert client.budget.wait("write", START) > 0
    assert client.budget.available(START) == 0
    assert client.capabilities == definition.capabilities
