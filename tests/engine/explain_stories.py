"""Stories that each bring about one cause which `explain` has to name, by the engine and simulated partners.

`STORIES` has one or more for every cause of `NAMED`. A story furnishes a bench, lets the cause happen, says nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from inventory_sync.engine import stocktake, watching
from inventory_sync.engine.explain import Cause
from inventory_sync.sandbox.faults import NoticeFaults
from inventory_sync.sandbox.kernel import Fault, FaultKind
from inventory_sync.sandbox.shopify.simulator import ShopStatus
from inventory_sync.sandbox.smaregi.trade import OfflineSale
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.bench_house import SHOPIFY_SWITCHES
from tests.engine.conftest import Furnish
from tests.engine.explain_rule_stories import RULE_STORIES
from tests.engine.explain_support import Story, aligned
from tests.engine.sales_support import trading

NAMED = (
    "unmatched",
    "near miss, of which code",
    "ambiguous",
    "untracked",
    "bundle",
    "stopped",
    "watching",
    "connection broken",
    "quarantined",
    "buffer",
    "percent",
    "cap",
    "offset",
    "end-when",
    "excluded from the route",
    "held by the brake",
    "held by a stock-take",
    "in doubt",
    "sale expected",
    "sale not booked",
    "count at the ledger",
    "return at the ledger",
    "transfer at the ledger",
    "second writer",
    "the partner's reading was older",
    "level inactive",
    "late offline POS sale",
    "another app booked it too",
)
"""What a person who asks why must at least be told apart."""

ONE_WAY = {"direction": "ledger_to_channel", "sales": "expect"}
TWO_STORES = Setup(stores=("1", "2"))


async def somebody_sets(bench: Bench, codes: tuple[str, ...], number: int) -> None:
    """Another tool sets its own number again and again, as soon as ours is there."""
    for _ in range(8):
        for code in codes:
            bench.shop().set_by_person(bench.items["shop"][code], bench.place(), number, bench.agenda.now)
        bench.heard("shop")
        await bench.run(12)


async def _a_person_stops_the_route(furnished: Furnish) -> Bench:
    bench = await aligned(furnished)
    await bench.stop()
    bench.move_ledger("A-1", -4)
    await bench.rest()
    return bench


async def _the_route_only_watches(furnished: Furnish) -> Bench:
    bench = await furnished()
    await bench.preview()
    await watching.watch(bench.house, "pos-shop", actor="person")
    bench.wake()
    bench.move_ledger("A-1", -4)
    await bench.run(30)
    assert bench.ours("shop") == []
    return bench


async def _the_shop_is_frozen(furnished: Furnish) -> Bench:
    bench = await aligned(furnished)
    bench.shop().status = ShopStatus.FROZEN
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    await bench.run(2)
    return bench


async def _the_shop_refuses_the_item(furnished: Furnish) -> Bench:
    bench = await aligned(furnished)
    bench.notices("shop").faults = NoticeFaults(loss=1.0)
    assert bench.shop().delete_item(bench.items["shop"]["A-1"], bench.agenda.now)
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.alerts("quarantined"), seconds=90)
    return bench


async def _a_rise_without_example(furnished: Furnish) -> Bench:
    bench = await aligned(furnished)
    bench.move_ledger("A-1", 5000)
    await bench.rest()
    assert bench.channel() == 10
    return bench


async def _more_is_counted_in_a_stock_take(furnished: Furnish) -> Bench:
    bench = await aligned(furnished)
    await stocktake.start(bench.house, "pos-shop", actor="person")
    bench.pos.count(bench.products["A-1"], "1", 13, bench.agenda.now)
    bench.heard("pos")
    await bench.rest()
    assert bench.channel() == 10
    return bench


async def _answers_are_lost(furnished: Furnish) -> Bench:
    bench = await aligned(furnished)
    bench.faults("shop").queue(ADJUST, *[Fault(FaultKind.RESET_BEFORE)] * 6)
    bench.move_ledger("A-1", -3)

    async def doubted() -> bool:
        return bool(await bench.rows("select 1 from ops where state = 'in_doubt'"))

    await bench.until(doubted)
    return bench


async def _a_sale_waits_to_be_booked(furnished: Furnish) -> Bench:
    trade = await trading(furnished)
    trade.order(2)
    await trade.rest()
    return trade.bench


async def _nobody_books_a_sale(furnished: Furnish) -> Bench:
    trade = await trading(furnished)
    trade.order(2)
    await trade.rest()
    await trade.later(minutes=10)
    return trade.bench


def _at_the_ledger(act: Callable[[Bench], object]) -> Callable[[Furnish], Awaitable[Bench]]:
    async def happens(furnished: Furnish) -> Bench:
        bench = await aligned(furnished, TWO_STORES)
        act(bench)
        bench.heard("pos")
        await bench.rest()
        await bench.run(40)  # the ledger's history is asked for the cause
        assert bench.channel() == bench.ledger()
        return bench

    return happens


async def _another_tool_fights_over_three_items(furnished: Furnish) -> Bench:
    codes = ("A-1", "B-2", "C-3")
    bench = await aligned(furnished, Setup(codes=codes, ledger=10, route=ONE_WAY))
    await somebody_sets(bench, codes, 14)
    return bench


async def _the_shop_shows_an_old_number(furnished: Furnish) -> Bench:
    bench = await aligned(furnished, Setup(shopify=replace(SHOPIFY_SWITCHES, read_lag=2.0)))
    bench.move_channel("A-1", -2)

    async def looked() -> bool:
        return bool(await bench.rows("select 1 from cells where read_answered_at >= marked_at"))

    await bench.until(looked)
    assert bench.channel() == 8
    return bench


async def _a_level_is_switched_off(furnished: Furnish) -> Bench:
    def switched_off(bench: Bench) -> None:
        assert bench.shop().deactivate_level(bench.items["shop"]["A-1"], bench.place(), bench.agenda.now)

    bench = await furnished(Setup(codes=("A-1", "B-2"), ledger={"A-1": 0, "B-2": 9}, channel=9, more=switched_off))
    await bench.start(preview_id=(await bench.preview()).id)
    await bench.run(60)
    return bench


async def _a_register_comes_back(furnished: Furnish) -> Bench:
    bench = await aligned(furnished)
    sold_at = bench.agenda.now - timedelta(hours=2)
    bench.pos.offline_burst([OfflineSale(bench.products["A-1"], "1", 3, sold_at)], bench.agenda.now)
    bench.heard("pos")
    await bench.rest()
    await bench.run(40)
    return bench


async def _an_importer_books_what_we_booked(furnished: Furnish) -> Bench:
    trade = await trading(furnished, route={"sales": "post"}, ledger=50)
    trade.order()
    await trade.rest()
    trade.book()
    await trade.rest()
    await trade.bench.run(30)
    return trade.bench


STORIES = (
    *RULE_STORIES,
    Story(
        "stopped",
        _a_person_stops_the_route,
        Cause.ROUTE_STOPPED,
        "The route pos-shop is stopped, and nothing is written while it is.",
        "ルート pos-shop は停止中です。",
    ),
    Story("watching", _the_route_only_watches, Cause.WATCHING, "pos-shop is only watching", "pos-shop は見守り中です"),
    Story(
        "connection broken",
        _the_shop_is_frozen,
        Cause.CONNECTION_BROKEN,
        "The connection shop does not work.",
        "接続 shop が使えません。",
    ),
    Story("quarantined", _the_shop_refuses_the_item, Cause.QUARANTINED, "shop / Tokyo is in quarantine", "隔離中です"),
    Story(
        "held by the brake",
        _a_rise_without_example,
        Cause.HELD_BY_BRAKE,
        "A change of +5000 at pos / Store 1 is held by the brake",
        "pos / Store 1 の +5000 の変動は普段と違うため、ブレーキが保留しています",
    ),
    Story(
        "held by a stock-take",
        _more_is_counted_in_a_stock_take,
        Cause.HELD_BY_STOCKTAKE,
        "A change of +3 at pos / Store 1 is held because a stock-take is going on",
        "+3 の増加は棚卸中のため保留しています",
    ),
    Story(
        "in doubt",
        _answers_are_lost,
        Cause.IN_DOUBT,
        "A write of −3 to shop / Tokyo was never answered",
        "shop / Tokyo への −3 の書き込みの応答がなく",
    ),
    Story(
        "sale expected",
        _a_sale_waits_to_be_booked,
        Cause.SALE_EXPECTED,
        "2 units were sold and are expected to be booked in the ledger",
        "売れた 2 個が台帳に計上されるのを待っています",
    ),
    Story(
        "sale not booked",
        _nobody_books_a_sale,
        Cause.SALE_NOT_BOOKED,
        "2 units that were sold are overdue: not in the ledger",
        "売れた 2 個が期限を過ぎても台帳に計上されていない",
    ),
    Story(
        "count at the ledger",
        _at_the_ledger(lambda b: b.pos.count(b.products["A-1"], "1", 7, b.agenda.now)),
        Cause.COUNTED,
        "10 became 7",
        "棚卸があり、10 から 7 になりました",
    ),
    Story(
        "return at the ledger",
        _at_the_ledger(lambda b: b.pos.return_goods(b.products["A-1"], "1", 2, b.agenda.now)),
        Cause.RETURNED,
        "10 became 12",
        "返品があり、10 から 12 になりました",
    ),
    Story(
        "transfer at the ledger",
        _at_the_ledger(lambda b: b.pos.transfer(b.products["A-1"], "1", "2", 2, b.agenda.now)),
        Cause.TRANSFERRED,
        "10 became 8",
        "店舗間の移動があり、10 から 8 になりました",
    ),
    Story(
        "second writer",
        _another_tool_fights_over_three_items,
        Cause.SECOND_WRITER,
        "At shop, a second writer keeps undoing what we write.",
        "shop で、別のプログラムがこちらの書き込みを元に戻しています",
    ),
    Story(
        "the partner's reading was older",
        _the_shop_shows_an_old_number,
        Cause.OLDER_READING,
        "the partner's reading may be older than it",
        "変更より古い可能性があります",
    ),
    Story(
        "level inactive",
        _a_level_is_switched_off,
        Cause.INACTIVE,
        "At shop / Tokyo, the level of this item is inactive",
        "この商品の在庫がこの場所で有効になっていません",
    ),
    Story(
        "late offline POS sale",
        _a_register_comes_back,
        Cause.LATE_SALE,
        "arrived 2 h late: the register was offline",
        "2 時間遅れて届きました",
    ),
    Story(
        "another app booked it too",
        _an_importer_books_what_we_booked,
        Cause.BOOKED_TOO,
        "At pos / Store 1, another app booked −1 too",
        "別のアプリも同じ数を計上しています",
    ),
)
