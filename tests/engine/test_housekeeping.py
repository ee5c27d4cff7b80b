"""Housekeeping: what a route that waits for a person leaves behind does not grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from inventory_sync.engine import housekeeping, overview, routes
from inventory_sync.engine.lane import House
from inventory_sync.store import db
from tests.engine.apply_support import PARTNERS, Desk, reset_partners


@pytest.fixture(autouse=True)
def _partners() -> Iterator[None]:
    reset_partners()
    yield
    PARTNERS.clear()


@pytest.fixture
def desk(pool: db.Pool) -> Desk:
    return Desk(pool)


async def _a_quarter_later(desk: Desk) -> None:
    """Another round, after the latest preview grew old."""
    await desk.pool.execute("update previews set made_at = made_at - interval '16 minutes'")
    await desk.pool.execute("update schedule set last_at = last_at - interval '16 minutes'")
    await housekeeping.keep_house(desk.house, retention=timedelta(days=30))


async def test_a_route_that_waits_for_weeks_keeps_a_few_previews_and_no_more(desk: Desk) -> None:
    await desk.prepare()
    for _ in range(housekeeping.PREVIEWS_KEPT + 5):
        await _a_quarter_later(desk)
    kept = await desk.pool.fetchval("select count(*) from previews")
    assert kept == housekeeping.PREVIEWS_KEPT
    assert await desk.pool.fetchval("select count(*) from preview_rows") == 2 * kept
    oldest = await desk.pool.fetchval("select id from previews order by made_at limit 1")
    done = await routes.start(desk.house, "pos-shop", preview_id=oldest, actor="tester")
    assert done["aligned"] == 2, "one that is kept can still be accepted"


async def test_what_a_person_accepted_keeps_its_summary_when_its_lines_go(desk: Desk) -> None:
    await desk.prepare()
    made = await routes.make_preview(desk.house, "pos-shop")
    await routes.start(desk.house, "pos-shop", preview_id=made.id, actor="tester")
    await _a_quarter_later(desk)
    assert await desk.pool.fetchval("select count(*) from preview_rows where preview_id = $1", made.id) == 2
    await desk.pool.execute("update previews set accepted_at = accepted_at - interval '2 days'")
    await _a_quarter_later(desk)
    assert await desk.pool.fetchval("select count(*) from preview_rows where preview_id = $1", made.id) == 0
    assert await desk.pool.fetchval("select summary ->> 'pairs' from previews where id = $1", made.id) == "2"
    assert await desk.pool.fetchval("select count(*) from run_rows") == 2


async def test_what_fails_keeps_nothing_else_from_being_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(house: House) -> int:
        raise RuntimeError("a defect")

    await desk.prepare()
    monkeypatch.setattr(housekeeping.matching, "match_again", fails)
    with pytest.raises(RuntimeError, match="a defect"):
        await housekeeping.keep_house(desk.house, retention=timedelta(days=30))
    assert await desk.pool.fetchval("select code from alerts where closed_at is null") == "preview_ready"


async def test_a_database_that_is_away_ends_the_round(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(house: House) -> int:
        raise ConnectionRefusedError

    await desk.prepare()
    monkeypatch.setattr(housekeeping.matching, "match_again", away)
    with pytest.raises(ConnectionRefusedError):
        await housekeeping.keep_house(desk.house, retention=timedelta(days=30))
    assert not await desk.pool.fetchval("select count(*) from previews")


async def test_what_nobody_can_count_any_more_is_told_for_a_day(desk: Desk) -> None:
    await desk.prepare()
    await desk.pool.execute("update pairs set uncertain = 2")
    await desk.pool.execute(
        "insert into alerts (code, subject, connection_id, detail, opened_at, seen_at) "
        "select 'uncertain', name, id, '{}', $1, $1 from connections where name = 'shop'",
        desk.house.now() - timedelta(days=2),
    )

    async def still_open() -> bool:
        await desk.pool.execute("update schedule set last_at = last_at - interval '1 minute'")
        await housekeeping.keep_house(desk.house, retention=timedelta(days=30))
        found = await desk.pool.fetchval("select closed_at is null from alerts where code = 'uncertain'")
        return bool(found)

    assert await still_open(), "there is something to count"
    await desk.pool.execute("update alerts set seen_at = $1 where code = 'uncertain'", desk.house.now())
    await desk.pool.execute("update pairs set uncertain = 0")
    assert await still_open(), "it is young"
    await desk.pool.execute("update alerts set seen_at = seen_at - interval '2 days' where code = 'uncertain'")
    assert not await still_open()


async def test_what_keeps_failing_is_alerted_until_it_works_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(house: House) -> int:
        raise RuntimeError("customer 1001")

    await desk.prepare()
    failures: Counter[str] = Counter()

    async def a_round() -> dict[str, object] | None:
        await desk.pool.execute("update schedule set last_at = last_at - interval '1 minute'")
        with suppress(RuntimeError):
            await housekeeping.keep_house(desk.house, retention=timedelta(days=30), failures=failures)
        found = await overview.alerts(desk.house)
        return next((alert for alert in found if alert["code"] == "housekeeping_failing"), None)

    with monkeypatch.context() as broken:
        broken.setattr(housekeeping.matching, "match_again", fails)
        assert [await a_round(), await a_round()] == [None, None]
        await a_round()
        alert = await a_round()
    assert alert is not None
    assert (alert["subject"], alert["detail"]) == ("matching", {"error": "RuntimeError", "failures": 4})
    assert alert["title"] == {"ja": "定期処理の失敗", "en": "housekeeping fails"}

    assert await a_round() is not None, "it worked once; it may fail again in a moment"
    await desk.pool.execute("update alerts set seen_at = seen_at - $1::interval", housekeeping.FAILING_STAYS)
    assert await a_round() is None
    assert not failures


async def test_failures_that_do_not_follow_each_other_are_not_alerted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = iter([True, True, False, True, True])

    async def fails_now_and_then(house: House) -> int:
        if next(turns):
            raise RuntimeError("a defect")
        return 0

    await desk.prepare()
    monkeypatch.setattr(housekeeping.matching, "match_again", fails_now_and_then)
    failures: Counter[str] = Counter()
    for _ in range(5):
        await desk.pool.execute("update schedule set last_at = last_at - interval '1 minute'")
        with suppress(RuntimeError):
            await housekeeping.keep_house(desk.house, retention=timedelta(days=30), failures=failures)
    assert failures == {"matching": 2}
    assert "housekeeping_failing" not in [alert["code"] for alert in await overview.alerts(desk.house)]
