"""The simulated Smaregi trades: every movement has its division, its log entry and its webhook."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from inventory_sync.sandbox.smaregi import OfflineSale, SmaregiSimulator, SmaregiSwitches
from tests.sandbox.smaregi_support import START, Caller, after, contract_with


def causes(simulator: SmaregiSimulator) -> list[tuple[str, int, int]]:
    return [(change.cause, change.delta, change.after) for change in simulator.log.changes]


def test_each_movement_has_its_division_and_cause() -> None:
    simulator, [product] = contract_with(10)
    simulator.sell(product, "1", 3, after(1), reference="receipt 1")
    simulator.return_goods(product, "1", 1, after(2))
    simulator.receive(product, "1", 20, after(3))
    simulator.adjust(product, "1", -2, after(4), memo="damaged box")
    simulator.lose(product, "1", 1, after(5), target=after(-86400))
    simulator.count(product, "1", 30, after(6))
    simulator.bulk_change([(product, "1", -5)], after(7))
    rows = Caller(simulator).history(product, after(8))
    assert [row["stockDivision"] for row in rows] == ["02", "12", "03", "09", "14", "08", "01"]
    assert causes(simulator) == [
        ("sale", -3, 7),
        ("return", 1, 8),
        ("receipt", 20, 28),
        ("adjustment", -2, 26),
        ("loss", -1, 25),
        ("count", 5, 30),
        ("correction", -5, 25),
    ]
    assert {change.actor for change in simulator.log.changes} == {"outside"}
    assert simulator.log.changes[0].reference == "receipt 1"
    assert simulator.log.changes[3].reference == rows[3]["memo"] == "damaged box"
    assert rows[4]["targetDateTime"] == "2026-01-09T12:00:00+09:00"


def test_the_log_adds_up_to_the_stock() -> None:
    simulator, ids = contract_with(10, 20, stores=("1", "2"))
    start = simulator.levels()
    chance = random.Random(7)
    caller = Caller(simulator)
    for step in range(200):
        product, store = chance.choice(ids), chance.choice(["1", "2"])
        kind = chance.randrange(5)
        now = after(step)
        if kind == 0:
            simulator.sell(product, store, chance.randint(1, 5), now)
        elif kind == 1:
            simulator.count(product, store, chance.randint(-3, 30), now)
        elif kind == 2:
            simulator.layaway(product, store, 1, now)
        elif kind == 3:
            caller.put(product, chance.randint(0, 9), now, store=store)
        else:
            moved = simulator.transfer(product, store, "1" if store == "2" else "2", 2, now)
            assert moved is not None
            simulator.receive_transfer(moved, now)
    for change in simulator.log.changes:
        start[change.item, change.location] += change.delta
        assert start[change.item, change.location] == change.after
    assert start == simulator.levels()


def test_laid_away_goods_leave_the_stock_or_stay_in_it_as_the_switch_says() -> None:
    simulator, [product] = contract_with(10)
    caller = Caller(simulator)
    simulator.layaway(product, "1", 3, after(1))
    [row] = caller.stock(after(1))
    assert (row["stockAmount"], row["layawayStockAmount"]) == ("7", "3")
    simulator.cancel_layaway(product, "1", 2, after(2))
    [row] = caller.stock(after(2))
    assert (row["stockAmount"], row["layawayStockAmount"]) == ("9", "1")
    assert [(r["stockDivision"], r["amount"], r["layawayStockAmount"]) for r in caller.history(product, after(3))] == [
        ("07", "-3", "3"),
        ("07", "2", "1"),
    ]
    with pytest.raises(ValueError, match="fewer units"):
        simulator.cancel_layaway(product, "1", 2, after(3))

    simulator, [product] = contract_with(10, layaway_reduces_stock=False)
    simulator.layaway(product, "1", 3, after(1))
    [row] = Caller(simulator).stock(after(1))
    assert (row["stockAmount"], row["layawayStockAmount"]) == ("10", "3")
    assert simulator.layaway_stock(product, "1") == 3
    assert causes(simulator) == [("layaway", 0, 10)]


def test_goods_in_transit_are_in_neither_store() -> None:
    simulator, [product] = contract_with(10, stores=("1", "2"))
    transfer = simulator.transfer(product, "1", "2", 4, after(1))
    assert transfer is not None
    assert (simulator.stock(product, "1"), simulator.stock(product, "2")) == (6, 10)
    simulator.receive_transfer(transfer, after(60))
    assert (simulator.stock(product, "1"), simulator.stock(product, "2")) == (6, 14)
    caller = Caller(simulator)
    [out] = caller.history(product, after(61), store="1")
    [arrived] = caller.history(product, after(61), store="2")
    assert (out["stockDivision"], out["amount"], out["fromStoreId"], out["toStoreId"]) == ("04", "-4", "1", "2")
    assert (arrived["stockDivision"], arrived["amount"]) == ("05", "4")
    assert caller.history(product, after(61), store="2", from_store_id="1", to_store_id="2") == [arrived]
    assert caller.history(product, after(61), store="2", from_store_id="2") == []


def test_an_offline_register_uploads_its_sales_at_once_under_their_own_times() -> None:
    simulator, [first, second] = contract_with(1, 5)
    sold = START - timedelta(hours=3)
    sales = [OfflineSale(first, "1", 2, sold), OfflineSale(second, "1", 1, sold + timedelta(minutes=1))]
    ids = simulator.offline_burst(sales, after(1))
    assert simulator.stock(first, "1") == -1
    [row] = Caller(simulator).history(first, after(2))
    assert (row["id"], row["updDateTime"], row["targetDateTime"]) == (
        ids[0],
        "2026-01-10T12:00:01+09:00",
        "2026-01-10T09:00:00+09:00",
    )
    assert [change.at for change in simulator.log.changes] == [after(1), after(1)]


def test_unmanaged_products_do_not_move() -> None:
    simulator, [product] = contract_with(5)
    simulator.set_stock_control(product, False, after(1))
    assert simulator.sell(product, "1", 1, after(2)) is None
    assert simulator.layaway(product, "1", 1, after(2)) is None
    assert simulator.transfer(product, "1", "1", 1, after(2)) is None
    assert simulator.offline_burst([OfflineSale(product, "1", 1, after(0))], after(2)) == []
    assert simulator.bulk_change([(product, "1", 3)], after(2)) == []
    assert simulator.stock(product, "1") == 5
    simulator.set_stock_control(product, True, after(3))
    assert simulator.sell(product, "1", 1, after(4)) is not None


def test_a_history_id_is_never_used_twice() -> None:
    simulator, [product] = contract_with(5, stores=("1", "2"))
    caller = Caller(simulator)
    ids = [
        simulator.sell(product, "1", 1, after(1)),
        caller.add(product, 1, after(1), store="2").body["stockHistory"]["id"],
        simulator.legacy_change(product, "1", -1, after(1)),
        simulator.foreign_api_change(product, "2", -1, after(1), memo="other"),
    ]
    assert [int(each or 0) for each in ids] == sorted({int(each or 0) for each in ids})


def test_nonsense_is_refused() -> None:
    simulator, [product] = contract_with(5)
    with pytest.raises(ValueError, match="above 0"):
        simulator.sell(product, "1", 0, START)
    with pytest.raises(KeyError, match="no product"):
        simulator.sell("1", "1", 1, START)
    with pytest.raises(KeyError, match="no store"):
        simulator.sell(product, "9", 1, START)
    with pytest.raises(ValueError, match="aware"):
        simulator.sell(product, "1", 1, START.replace(tzinfo=None))
    for code in ("", "x" * 21, "品番", "DEMO-000000"):
        with pytest.raises(ValueError, match="product code"):
            simulator.add_product(code, START)
    assert simulator.log.changes == []


def test_a_clock_that_steps_back_stands_still() -> None:
    simulator, [product] = contract_with(5)
    simulator.sell(product, "1", 1, after(10))
    simulator.sell(product, "1", 1, after(9))
    [row] = Caller(simulator).stock(after(10))
    assert (row["stockAmount"], row["updDateTime"]) == ("3", "2026-01-10T12:00:10+09:00")


def test_a_catalogue_may_be_renamed_recoded_and_cut() -> None:
    simulator, [first, second] = contract_with(5, 6)
    caller = Caller(simulator)
    simulator.rename_product(first, "Shirt", after(1))
    simulator.change_code(first, "SHIRT", after(2))
    simulator.remove_product(second, after(3))
    [row] = caller.get("/products", after(4)).body
    assert (row["productName"], row["productCode"], row["updDateTime"]) == (
        "Shirt",
        "SHIRT",
        "2026-01-10T12:00:02+09:00",
    )
    assert caller.get("/products", after(4), product_code="DEMO-000000").body == []
    assert [row["productId"] for row in caller.stock(after(4))] == [first]
    assert simulator.product_id("SHIRT") == first
    assert int(simulator.add_product("DEMO-000001", after(5))) > int(second)


def test_a_restored_backup_brings_numbers_times_and_history_back_and_says_nothing() -> None:
    simulator, [product] = contract_with(5)
    simulator.configure_webhook("http://127.0.0.1/hook", header="X-Secret", secret="s")
    caller = Caller(simulator)
    simulator.sell(product, "1", 1, after(10))
    backup = simulator.snapshot()
    caller.add(product, -2, after(20), memo="lost")
    late = simulator.add_product("LATE", after(21))
    simulator.sell(late, "1", 1, after(22))
    simulator.advance(after(30))
    before = int(Caller(simulator).history(product, after(30))[-1]["id"])
    simulator.restore_backup(backup, after(40))
    [row] = caller.stock(after(40))
    assert (row["stockAmount"], row["updDateTime"]) == ("4", "2026-01-10T12:00:10+09:00")
    assert [row["memo"] for row in caller.history(product, after(40))] == [None]
    assert caller.get(f"/products/{late}", after(40)).status == 404
    assert simulator.next_due() is None
    assert [(change.cause, change.delta, change.after) for change in simulator.log.changes[-2:]] == [
        ("restore", 2, 4),
        ("restore", 1, 0),
    ]
    assert int(simulator.sell(product, "1", 1, after(41)) or 0) > before
    [row] = caller.stock(after(41))
    assert row["stockAmount"] == "3"


def test_a_seeded_catalogue_has_the_codes_and_numbers_it_was_given() -> None:
    simulator = SmaregiSimulator(switches=SmaregiSwitches(stock_lag=5.0))
    ids = simulator.seed_catalogue(
        2,
        START,
        stores=("1", "2"),
        codes=["4900000000017", "A B"],
        initial=lambda number, store: number * 10 + int(store),
    )
    assert [simulator.product_id(code) for code in ("4900000000017", "A B")] == ids
    assert simulator.levels() == {(ids[0], "1"): 1, (ids[0], "2"): 2, (ids[1], "1"): 11, (ids[1], "2"): 12}
    assert len(Caller(simulator).stock()) == 4
    assert simulator.log.changes == []
