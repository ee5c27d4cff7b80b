from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inventory_sync.engine.lane import House
from inventory_sync.engine.observer import Composed, Moved, Settled
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.web.directory import NoticeEvent
from inventory_sync.web.gauges import MetricsPage
from inventory_sync.web.metrics import MOST_TOPICS, Metrics, MetricsObserver
from tests.web.web_support import make_connection

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
BOUNDS = ["0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "60.0", "300.0", "600.0", "+Inf"]


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


class Page:
    """A metrics page and what it shows, as Prometheus' own parser reads it."""

    def __init__(self, house: House, **options: Any) -> None:
        self.metrics = Metrics("1.2.3")
        self.observer = MetricsObserver(self.metrics)
        self.page = MetricsPage(house, self.metrics, self.observer, **options)

    async def samples(self) -> dict[tuple[str, ...], float]:
        """Values by name and label values, the labels in alphabetical order."""
        text = (await self.page.render()).decode()
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


def settled(
    op: str = "op1", *, connection: str = "shop", cell: int = 1, outcome: str = "applied", **more: Any
) -> Settled:
    times = {"heard_at": ago(2), "stamp": ago(4), "composed_at": None, **more}
    return Settled(connection, cell, op, times.pop("delta", -1), outcome, **times, settled_at=NOW)


async def make_route(pool: Pool, name: str, ledger: int, channel: int) -> int:
    id_: int = await db.value(
        pool, "insert_route", name=name, ledger_id=ledger, channel_id=channel, direction="two_way", sales="post",
        ledger_field="code", channel_fields=["sku"], buffer=0, percent=100, maximum=None, align="ledger_wins",
    )  # fmt: skip
    return id_


async def make_cell(pool: Pool, connection: int, known: int | None = None) -> int:
    item = await pool.fetchval(
        """insert into items (connection_id, key, codes, name, tracked, bundle, import_id)
           values ($1, 'item', '{}', 'item', true, false, 1) returning id""",
        connection,
    )
    location = await pool.fetchval(
        "insert into locations (connection_id, key, name, active) values ($1, '1', 'one', true) returning id",
        connection,
    )
    id_: int = await pool.fetchval(
        "insert into cells (connection_id, item_id, location_id, known) values ($1, $2, $3, $4) returning id",
        connection,
        item,
        location,
        known,
    )
    return id_


async def make_pair(pool: Pool, route: int, channel_cell: int, ledger_cell: int, **columns: int) -> int:
    pair: int = await pool.fetchval(
        """insert into pairs (route_id, channel_cell, value, phase, phase_since, made_at, uncertain)
           values ($1, $2, 'A', 'live', now(), now(), $3) returning id""",
        route,
        channel_cell,
        columns.get("uncertain", 0),
    )
    await pool.execute(
        "insert into components (pair_id, ledger_cell, owed_down) values ($1, $2, $3)",
        pair,
        ledger_cell,
        columns.get("owed_down", 0),
    )
    return pair


async def make_op(pool: Pool, op: str, connection: int, cell: int, pair: int) -> None:
    """An op to a ledger cell that carries a unit of a pair, under a lease of the owner `me`."""
    await pool.execute(
        """insert into leases values ($1, 'me', 0, 1, inventory_clock() + interval '1 hour') on conflict do nothing""",
        connection,
    )
    await pool.execute(
        """insert into batches (id, connection_id, lane_token, kind, direction, method, path, request, key, api_version,
                                composed_at) values ($1, $2, 1, 'adjust', -1, 'POST', '/', '', $1, '', now())""",
        f"batch-{op}",
        connection,
    )
    await pool.execute(
        """insert into ops (id, batch_id, connection_id, cell_id, delta, cause, rule_version, state, composed_at)
           values ($1, $2, $3, $4, -1, 'live', 1, 'in_doubt', now())""",
        op,
        f"batch-{op}",
        connection,
        cell,
    )
    await pool.execute("insert into op_parts (op_id, pair_id, units) values ($1, $2, -1)", op, pair)


async def test_the_page_is_what_prometheus_reads(house: House, shop: int) -> None:
    samples = await Page(house).samples()
    assert samples["inventory_sync_build_info", "1.2.3"] == 1
    assert samples["inventory_sync_database_up",] == 1
    assert all(name.startswith("inventory_sync_") for name, *_ in samples)


async def test_a_metric_that_nothing_feeds_is_absent(house: House, shop: int) -> None:
    names = {name for name, *_ in await Page(house).samples()}
    for absent in ("held_by_brake_cells", "drift_units", "lease_held", "rate_budget_available"):
        assert f"inventory_sync_{absent}" not in names


async def test_deliveries_are_counted_by_what_became_of_them(house: House, shop: int) -> None:
    page = Page(house)
    page.metrics.notice(NoticeEvent("shop", "stock", "kept", 0.2))
    page.metrics.notice(NoticeEvent("shop", "stock", "kept", -3.0))
    page.metrics.notice(NoticeEvent("", "", "unauthorized"))
    samples = await page.samples()
    assert samples["inventory_sync_notices_received_total", "shop", "kept", "stock"] == 2
    assert samples["inventory_sync_notices_received_total", "", "unauthorized", ""] == 1
    assert samples["inventory_sync_notice_delay_seconds_bucket", "shop", "0.1"] == 1
    assert samples["inventory_sync_notice_delay_seconds_bucket", "shop", "0.25"] == 2


async def test_made_up_topics_do_not_multiply_the_series(house: House, shop: int) -> None:
    page = Page(house)
    for number in range(MOST_TOPICS + 50):
        page.metrics.notice(NoticeEvent("shop", f"topic{number}", "kept"))
    samples = await page.samples()
    counted = {key: value for key, value in samples.items() if key[0] == "inventory_sync_notices_received_total"}
    assert len(counted) == MOST_TOPICS + 1
    assert samples["inventory_sync_notices_received_total", "shop", "kept", "other"] == 50


async def test_histograms_have_the_published_bounds(pool: Pool, house: House, shop: int) -> None:
    await make_route(pool, "pos-shop", await make_connection(pool, house, "pos"), shop)
    page = Page(house)
    await page.samples()
    page.observer.settled(settled(composed_at=ago(1)))
    page.metrics.notice(NoticeEvent("shop", "stock", "kept", 1.0))
    samples = await page.samples()
    for name in ("change_age_seconds", "change_lag_seconds", "push_seconds", "notice_delay_seconds"):
        shown = [set(key[1:]) - {"shop", "pos-shop"} for key in samples if key[0] == f"inventory_sync_{name}_bucket"]
        assert shown == [{bound} for bound in BOUNDS]


async def test_what_the_engine_says_is_counted(house: House, shop: int) -> None:
    page = Page(house)
    page.observer.settled(settled(outcome="rejected"))
    page.observer.settled(settled(outcome="rejected"))
    page.observer.moved(Moved("shop", 1, -2, NOW, NOW, None, "outside"))
    page.observer.refused("shop", "version")
    page.observer.compensated("shop", 1, 2)
    page.observer.doubted("shop", "waiting")
    page.observer.doubted("shop", "found")
    samples = await page.samples()
    assert samples["inventory_sync_ops_total", "shop", "rejected"] == 2
    assert samples["inventory_sync_movements_total", "outside", "shop"] == 1
    assert samples["inventory_sync_refused_readings_total", "shop"] == 1
    assert samples["inventory_sync_compensations_total", "shop"] == 1
    assert samples["inventory_sync_doubt_resolved_total", "shop", "found"] == 1
    assert ("inventory_sync_doubt_resolved_total", "shop", "waiting") not in samples


async def test_a_push_is_measured_from_when_it_was_composed(house: House, shop: int) -> None:
    page = Page(house)
    page.observer.composed(Composed("shop", 1, "op1", -1, 5, 4, "channel", ago(3)))
    page.observer.settled(settled("op1"))
    page.observer.settled(settled("op2"))
    samples = await page.samples()
    assert samples["inventory_sync_push_seconds_sum", "shop"] == 3
    assert samples["inventory_sync_push_seconds_count", "shop"] == 1


async def test_a_change_is_measured_by_its_route(pool: Pool, house: House, shop: int) -> None:
    await make_route(pool, "pos-shop", await make_connection(pool, house, "pos"), shop)
    page = Page(house)
    await page.samples()
    page.observer.settled(settled())
    samples = await page.samples()
    assert samples["inventory_sync_change_age_seconds_sum", "pos-shop"] == 4
    assert samples["inventory_sync_change_lag_seconds_sum", "pos-shop"] == 2


@pytest.mark.parametrize(
    "event",
    [
        settled(outcome="not_applied"),
        settled(outcome="lower_number"),
        settled(delta=0),
        settled(heard_at=None, stamp=None),
    ],
    ids=["not applied", "never known", "activation", "no change behind it"],
)
async def test_only_changes_that_arrived_are_measured(pool: Pool, house: House, shop: int, event: Settled) -> None:
    await make_route(pool, "pos-shop", await make_connection(pool, house, "pos"), shop)
    page = Page(house)
    await page.samples()
    page.observer.settled(event)
    names = {name for name, *_ in await page.samples()}
    assert "inventory_sync_change_age_seconds_count" not in names


async def test_a_partners_clock_ahead_of_ours_counts_as_no_time(pool: Pool, house: House, shop: int) -> None:
    await make_route(pool, "pos-shop", await make_connection(pool, house, "pos"), shop)
    page = Page(house)
    await page.samples()
    page.observer.settled(settled(stamp=ago(-5)))
    assert (await page.samples())["inventory_sync_change_age_seconds_sum", "pos-shop"] == 0


async def test_changes_of_a_connection_with_two_routes_find_the_right_one(pool: Pool, house: House, shop: int) -> None:
    ledger, cart = await make_connection(pool, house, "pos"), await make_connection(pool, house, "cart")
    ledger_cell, shop_cell, cart_cell = [await make_cell(pool, each) for each in (ledger, shop, cart)]
    first = await make_pair(pool, await make_route(pool, "pos-shop", ledger, shop), shop_cell, ledger_cell)
    second = await make_pair(pool, await make_route(pool, "pos-cart", ledger, cart), cart_cell, ledger_cell)
    await make_op(pool, "op-cart", ledger, ledger_cell, second)
    page = Page(house, kept_for=0, clock=lambda: 0.0)
    await page.samples()
    page.observer.settled(settled("op-cart", connection="pos", cell=ledger_cell))
    page.observer.settled(settled("op-shop", connection="shop", cell=shop_cell, heard_at=ago(7)))
    samples = await page.samples()
    assert samples["inventory_sync_change_lag_seconds_sum", "pos-cart"] == 2
    assert samples["inventory_sync_change_lag_seconds_sum", "pos-shop"] == 7
    assert first != second
    assert (await page.samples())["inventory_sync_change_lag_seconds_count", "pos-cart"] == 1


async def test_changes_before_the_first_scrape_are_not_lost(pool: Pool, house: House, shop: int) -> None:
    ledger = await make_connection(pool, house, "pos")
    shop_cell = await make_cell(pool, shop)
    await make_pair(pool, await make_route(pool, "pos-shop", ledger, shop), shop_cell, await make_cell(pool, ledger))
    page = Page(house)
    page.observer.settled(settled(cell=shop_cell))
    assert (await page.samples())["inventory_sync_change_age_seconds_count", "pos-shop"] == 1


async def test_gauges_show_what_stands_in_the_database(pool: Pool, house: House, shop: int) -> None:
    ledger = await make_connection(pool, house, "pos")
    shop_cell, ledger_cell = await make_cell(pool, shop, 3), await make_cell(pool, ledger, 3)
    route = await make_route(pool, "pos-shop", ledger, shop)
    pair = await make_pair(pool, route, shop_cell, ledger_cell, uncertain=2, owed_down=-5)
    await make_op(pool, "op1", ledger, ledger_cell, pair)
    await pool.execute(
        "update cells set gap = -1, gap_since = now() - interval '90 seconds', quarantined = true where id = $1",
        shop_cell,
    )
    await pool.execute("update cells set read_answered_at = now() - interval '1 hour' where id = $1", shop_cell)
    await pool.execute("update connections set heard_at = $1, credential_expires_at = $1 where id = $2", NOW, shop)
    await pool.execute(
        """update routes set state = 'running', reconciled_at = $1, matched_at = $1, match_report =
           '{"ledger_unmatched_count": 2, "channel_unmatched_count": 3, "ambiguous_count": 1}'""",
        NOW,
    )
    samples = await Page(house, owner="me", budgets=lambda: {"shop": 1900.0}).samples()

    def shown(name: str, label: str) -> float | None:
        return samples.get((f"inventory_sync_{name}", label))

    assert (shown("pending_ops", "shop"), shown("pending_ops", "pos")) == (1, 0)
    assert shown("oldest_pending_seconds", "shop") == pytest.approx(90, abs=30)
    assert shown("level_age_seconds_max", "shop") == pytest.approx(3600, abs=30)
    assert (shown("in_doubt_ops", "pos"), shown("quarantined_items", "shop")) == (1, 1)
    assert shown("last_notice_timestamp_seconds", "shop") == NOW.timestamp()
    assert shown("credential_expiry_timestamp_seconds", "shop") == NOW.timestamp()
    assert shown("credential_expiry_timestamp_seconds", "pos") is None
    assert (shown("uncertain_units", "pos-shop"), shown("unmatched_items", "pos-shop")) == (2, 6)
    assert shown("reconcile_last_success_timestamp_seconds", "pos-shop") == NOW.timestamp()
    assert shown("oversold_cells", "pos-shop") == 1
    assert (shown("lease_held", "pos"), shown("lease_held", "shop")) == (1, 0)
    assert shown("rate_budget_available", "shop") == 1900


async def make_sale(pool: Pool, pair: int, channel_cell: int, open_units: int, state: str) -> None:
    """A sale of two units that somebody else books; `open_units` of them are still to be booked."""
    await pool.execute(
        """with m as (insert into movements (cell_id, delta, before, after, asked_at, answered_at)
                      values ($2, -2, 5, 3, now(), now()) returning id)
           insert into expected (pair_id, movement_id, units, open, state, opened_at, due_at)
           select $1, m.id, 2, $3, $4, now(), now() from m""",
        pair,
        channel_cell,
        open_units,
        state,
    )


async def test_sales_that_somebody_else_is_still_to_book_are_counted_by_route(
    pool: Pool, house: House, shop: int
) -> None:
    ledger, cart = await make_connection(pool, house, "pos"), await make_connection(pool, house, "cart")
    shop_cell, ledger_cell = await make_cell(pool, shop, 3), await make_cell(pool, ledger, 3)
    pair = await make_pair(pool, await make_route(pool, "pos-shop", ledger, shop), shop_cell, ledger_cell)
    await make_route(pool, "pos-cart", ledger, cart)
    for open_units, state in ((2, "open"), (1, "overdue"), (0, "booked"), (0, "taken_back")):
        await make_sale(pool, pair, shop_cell, open_units, state)
    samples = await Page(house).samples()
    assert samples["inventory_sync_expected_movements", "pos-shop"] == 2
    assert samples["inventory_sync_expected_movements", "pos-cart"] == 0


async def test_scraping_again_and_again_asks_the_database_once(pool: Pool, house: House, shop: int) -> None:
    now = [0.0]
    page = Page(house, kept_for=5, clock=lambda: now[0])
    await page.samples()
    await make_connection(pool, house, "new")
    now[0] = 4.9
    assert ("inventory_sync_pending_ops", "new") not in await page.samples()
    now[0] = 5.0
    assert ("inventory_sync_pending_ops", "new") in await page.samples()


async def test_own_numbers_are_shown_while_the_database_is_away(pool: Pool, house: House, shop: int) -> None:
    page = Page(house, kept_for=0, clock=lambda: 0.0)
    await page.samples()
    page.observer.settled(settled())
    await pool.close()
    samples = await page.samples()
    assert samples["inventory_sync_database_up",] == 0
    assert samples["inventory_sync_ops_total", "shop", "applied"] == 1
    assert ("inventory_sync_pending_ops", "shop") not in samples
