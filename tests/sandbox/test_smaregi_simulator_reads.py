"""The simulated Smaregi answers reads as Smaregi would: strings, absent rows, pages, windows, signed history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory_sync.sandbox.smaregi import OfflineSale, SmaregiSimulator
from tests.sandbox.smaregi_support import START, Caller, after, contract_with, is_problem


def window(first: float, last: float) -> dict[str, str]:
    return {
        "upd_date_time-from": after(first).isoformat(timespec="seconds"),
        "upd_date_time-to": after(last).isoformat(timespec="seconds"),
    }


def test_a_stock_row_is_made_of_strings_with_japanese_time_in_whole_seconds() -> None:
    simulator, [product] = contract_with(12)
    simulator.sell(product, "1", 2, after(5.7))
    assert Caller(simulator).stock(after(6)) == [
        {
            "storeId": "1",
            "productId": product,
            "stockAmount": "10",
            "layawayStockAmount": "0",
            "updDateTime": "2026-01-10T12:00:05+09:00",
        }
    ]


def test_a_product_has_no_row_until_it_moves() -> None:
    simulator = SmaregiSimulator()
    moved, still, unmanaged = simulator.seed_catalogue(3, START, never_moved=1, unmanaged=1)
    caller = Caller(simulator)
    assert [row["productId"] for row in caller.stock()] == [moved]
    assert simulator.stock(still, "1") is None
    simulator.sell(still, "1", 1, after(1))
    assert [(row["productId"], row["stockAmount"]) for row in caller.stock(after(1))] == [(moved, "10"), (still, "-1")]
    assert simulator.sell(unmanaged, "1", 1, after(2)) is None
    assert simulator.stock(unmanaged, "1") is None


def test_stock_is_filtered_by_store_and_product() -> None:
    simulator, ids = contract_with(1, 2, stores=("1", "2"))
    caller = Caller(simulator)
    assert len(caller.stock()) == 4
    assert {row["storeId"] for row in caller.stock(query={"store_id": "2"})} == {"2"}
    assert [row["storeId"] for row in caller.stock(query={"product_id": ids[1]})] == ["1", "2"]
    assert [row["stockAmount"] for row in caller.stock(query={"product_id": ids[1], "store_id": "2"})] == ["2"]
    assert caller.stock(query={"product_id": "999"}) == []


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["1/1", "1/2", "2/1", "2/2"]),
        ("productId,storeId", ["1/1", "1/2", "2/1", "2/2"]),
        ("productId:desc", ["2/1", "2/2", "1/1", "1/2"]),
        ("storeId,productId:desc", ["2/1", "1/1", "2/2", "1/2"]),
        ("productId:desc,storeId:desc", ["2/2", "2/1", "1/2", "1/1"]),
    ],
)
def test_stock_is_sorted_by_product_and_store(sort: str, expected: list[str]) -> None:
    simulator, ids = contract_with(1, 2, stores=("1", "2"))
    rows = Caller(simulator).stock(query={"sort": sort} if sort else {})
    assert [f"{ids.index(row['productId']) + 1}/{row['storeId']}" for row in rows] == expected


def test_pages_hold_a_hundred_rows_unless_asked_and_never_more_than_a_thousand() -> None:
    simulator, ids = contract_with(*range(250))
    caller = Caller(simulator)
    assert len(caller.stock()) == 100
    pages = [caller.stock(query={"limit": "120", "page": page}) for page in ("1", "2", "3", "4")]
    assert [len(page) for page in pages] == [120, 120, 10, 0]
    assert [row["productId"] for page in pages for row in page] == ids
    assert caller.get("/stock", limit="1000").status == 200
    refused = caller.get("/stock", limit="1001")
    assert is_problem(refused, 400, "Bad Request")
    assert [violation.rule for violation in simulator.log.violations] == ["page_size"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "x"},
        {"page": "0"},
        {"page": "-1"},
        {"store_id": "one"},
        {"sort": "updDateTime"},
        {"sort": "productId:up"},
        {"fields": "productCode"},
        {"product_code": "DEMO-000001"},
        {"upd_date_time-from": "2026-01-10", "upd_date_time-to": "2026-01-11"},
        {"upd_date_time-from": "2026-01-10T00:00:00", "upd_date_time-to": "2026-01-10T01:00:00"},
        {"upd_date_time-from": "2026-13-10T00:00:00Z", "upd_date_time-to": "2026-01-10T01:00:00Z"},
        {"upd_date_time-from": "2026-01-10T02:00:00Z", "upd_date_time-to": "2026-01-10T01:00:00Z"},
    ],
)
def test_queries_smaregi_does_not_know_are_400(query: dict[str, str]) -> None:
    simulator, _ = contract_with(1)
    assert is_problem(Caller(simulator).get("/stock", **query), 400, "Bad Request")


def test_a_plus_sign_that_was_not_escaped_is_a_blank_and_400() -> None:
    simulator, _ = contract_with(1)
    query = "upd_date_time-from=2026-01-10T00:00:00+09:00&upd_date_time-to=2026-01-10T13:00:00+09:00"
    assert Caller(simulator).call("GET", "/stock", query=query).status == 400
    assert Caller(simulator).call("GET", "/stock", query=query.replace("+", "%2B")).status == 200


def test_unknown_parameters_may_also_be_ignored() -> None:
    simulator, _ = contract_with(1, 2, unknown_query="ignored")
    assert len(Caller(simulator).stock(query={"product_code": "DEMO-000001"})) == 2


def test_fields_cut_rows_down() -> None:
    simulator, [product] = contract_with(3)
    assert Caller(simulator).stock(query={"fields": "productId,stockAmount"}) == [
        {"productId": product, "stockAmount": "3"}
    ]


def test_an_update_window_finds_what_was_last_changed_in_it_ends_included() -> None:
    simulator, ids = contract_with(5, 5, 5)
    simulator.sell(ids[2], "1", 1, after(10))
    simulator.sell(ids[0], "1", 1, after(20.9))
    simulator.sell(ids[2], "1", 1, after(30))
    caller = Caller(simulator)

    def found(first: float, last: float) -> list[str]:
        return [row["productId"] for row in caller.stock(after(60), window(first, last))]

    assert found(10, 20) == [ids[0]]
    assert found(20, 30) == [ids[0], ids[2]]
    assert found(21, 29) == []
    assert found(0, 0) == [ids[1]]
    one_store = {**window(0, 40), "store_id": "2"}
    assert caller.stock(after(60), one_store) == []
    assert len(caller.stock(after(60), {**window(0, 40), "product_id": ids[1]})) == 1
    assert caller.stock(after(60), {**window(5, 40), "product_id": ids[1]}) == []


def test_an_update_window_is_at_most_31_days() -> None:
    simulator, _ = contract_with(5)
    caller = Caller(simulator)
    days = timedelta(days=31).total_seconds()
    assert caller.get("/stock", **window(-days, 0)).status == 200
    for path in ("/stock", "/products", "/stores"):
        assert is_problem(caller.get(path, **window(-days - 1, 0)), 400, "Bad Request")
    assert [violation.rule for violation in simulator.log.violations] == ["window"] * 3


def test_half_a_window_is_refused_or_accepted_as_the_switch_says() -> None:
    half = {"upd_date_time-from": "2026-01-10T00:00:00+09:00"}
    assert Caller(contract_with(5)[0]).get("/stock", **half).status == 400
    assert len(Caller(contract_with(5, half_open_window=True)[0]).stock(query=half)) == 1


def test_stock_reads_may_lag_behind_writes_in_numbers_rows_and_times() -> None:
    simulator, [product, other] = contract_with(5, 5, stock_lag=2.0)
    simulator.seed_catalogue(1, START, codes=["NEW"], never_moved=1)
    new = simulator.product_id("NEW")
    caller = Caller(simulator)
    caller.add(product, -1, after(10))
    simulator.sell(new, "1", 1, after(10))
    simulator.remove_product(other, after(10))
    assert simulator.stock(product, "1") == 4
    early = {row["productId"]: row["stockAmount"] for row in caller.stock(after(11.9))}
    assert early == {product: "5", other: "5"}
    assert caller.stock(after(11.9), window(10, 11)) == []
    late = {row["productId"]: row["stockAmount"] for row in caller.stock(after(12))}
    assert late == {product: "4", new: "-1"}
    assert [row["productId"] for row in caller.stock(after(12), window(10, 11))] == [product, new]


def test_a_link_to_the_next_page_comes_only_where_the_switch_says_so() -> None:
    simulator, _ = contract_with(1, 2, 3)
    assert "link" not in Caller(simulator).get("/stock", limit="2").headers
    simulator, _ = contract_with(1, 2, 3, link_header=True)
    caller = Caller(simulator)
    first = caller.call("GET", "/stock", query={"limit": "2", "page": "1"}, host="127.0.0.1:8000")
    assert first.headers["link"] == '<http://127.0.0.1:8000/sb_abc123d4/pos/stock?limit=2&page=2>; rel="next"'
    assert "link" not in caller.get("/stock", limit="2", page="2").headers
    assert "link" not in caller.get("/stock", limit="3").headers
    official = caller.call("GET", "/stores", query={"limit": "1"}, host="api.smaregi.dev")
    assert "link" not in official.headers
    official = caller.call("GET", "/products", query={"limit": "1"}, host="api.smaregi.dev")
    assert official.headers["link"].startswith("<https://api.smaregi.dev/sb_abc123d4/pos/products?")


def test_products_show_codes_exactly_and_are_found_by_them() -> None:
    simulator = SmaregiSimulator()
    plain = simulator.add_product("TS-01 ", START, group="TS", supplier_no="TS-1")
    service = simulator.add_product("ts-01", after(5), managed=False)
    caller = Caller(simulator)
    rows = caller.get("/products").body
    assert [(row["productId"], row["productCode"]) for row in rows] == [(plain, "TS-01 "), (service, "ts-01")]
    assert (rows[0]["stockControlDivision"], rows[1]["stockControlDivision"]) == ("0", "1")
    assert all(value is None or isinstance(value, str) for row in rows for value in row.values())

    def found(**query: str) -> list[str]:
        return [row["productId"] for row in caller.get("/products", **query).body]

    assert found(product_code="TS-01 ") == [plain]
    assert found(product_code="TS-01") == []
    assert found(product_id=service) == [service]
    assert found(product_id=service, product_code="TS-01 ") == []
    assert found(stock_control_division="1") == [service]
    assert found(group_code="TS", supplier_product_no="TS-1") == [plain]
    assert found(sort="productId:desc") == [service, plain]
    assert found(limit="1", page="2") == [service]
    assert found(**window(5, 6)) == [service]
    assert found(**window(5, 6), product_code="TS-01 ") == []
    assert caller.get("/products", fields="productCode", limit="1").body == [{"productCode": "TS-01 "}]


def test_one_product_is_read_by_id() -> None:
    simulator, [product] = contract_with(1)
    caller = Caller(simulator)
    assert caller.get(f"/products/{product}").body["productCode"] == "DEMO-000000"
    assert caller.get(f"/products/{product}", fields="productId").body == {"productId": product}
    for unknown in ("1", "abc", "9" * 5000):
        assert is_problem(caller.get(f"/products/{unknown}"), 404, "NotFound")


def test_stores_show_kind_and_whether_they_are_paused() -> None:
    simulator = SmaregiSimulator()
    simulator.add_store("10", "Warehouse", START, warehouse=True)
    simulator.add_store("2", "Shop", START)
    caller = Caller(simulator)
    simulator.pause_store("2", after(1))
    rows = caller.get("/stores").body
    assert [(row["storeId"], row["division"], row["pauseFlag"]) for row in rows] == [("2", "1", "1"), ("10", "2", "0")]
    simulator.pause_store("2", after(2), paused=False)
    assert caller.get("/stores", limit="1").body[0]["pauseFlag"] == "0"
    assert [row["storeId"] for row in caller.get("/stores", sort="storeId:desc").body] == ["10", "2"]
    assert [row["storeId"] for row in caller.get("/stores", **window(1, 3)).body] == ["2"]


def test_history_rows_are_signed_numbered_and_carry_the_number_after() -> None:
    simulator, [product] = contract_with(10, stores=("1", "2"))
    caller = Caller(simulator)
    simulator.sell(product, "1", 12, after(1))
    simulator.return_goods(product, "1", 1, after(2))
    added = caller.add(product, 4, after(3), memo="is:abc:1").body
    simulator.sell(product, "2", 1, after(4))
    rows = caller.history(product, after(5))
    assert [(row["stockDivision"], row["amount"], row["stockAmount"]) for row in rows] == [
        ("02", "-12", "-2"),
        ("12", "1", "-1"),
        ("15", "4", "3"),
    ]
    assert [int(row["id"]) for row in rows] == sorted({int(row["id"]) for row in rows})
    assert (rows[2]["id"], rows[2]["memo"]) == (added["stockHistory"]["id"], "is:abc:1")
    assert rows[0]["memo"] is None
    assert rows[0]["updDateTime"] == rows[0]["targetDateTime"] == "2026-01-10T12:00:01+09:00"
    assert caller.history(product, after(5), id=rows[1]["id"]) == [rows[1]]
    assert caller.history(product, after(5), stock_division="12") == [rows[1]]
    assert caller.history(product, after(5), stock_amount="3") == [rows[2]]
    assert caller.history(product, after(5), limit="2", page="2") == [rows[2]]
    assert caller.history(product, after(5), fields="id", limit="1") == [{"id": rows[0]["id"]}]


def test_target_date_is_the_business_day_in_japan_not_the_day_of_writing() -> None:
    simulator, [product] = contract_with(10)
    caller = Caller(simulator)
    simulator.sell(product, "1", 1, after(1))
    simulator.count(product, "1", 7, after(2), target=START - timedelta(days=1))
    simulator.offline_burst([OfflineSale(product, "1", 1, START - timedelta(days=2))], after(3))
    today = caller.history(product, after(5), target_date="2026-01-10")
    assert [row["stockDivision"] for row in today] == ["02"]
    [counted] = caller.history(product, after(5), target_date="2026-01-09")
    assert counted["updDateTime"] == "2026-01-10T12:00:02+09:00"
    assert counted["targetDateTime"] == "2026-01-09T12:00:00+09:00"
    assert (counted["amount"], counted["stockAmount"]) == ("-2", "7")
    assert len(caller.history(product, after(5), target_date="2026-01-08")) == 1
    assert caller.get(f"/stock/changes/{product}/1", target_date="10 Jan").status == 400


def test_history_of_unknown_products_and_stores_is_404() -> None:
    simulator, [product] = contract_with(10)
    caller = Caller(simulator)
    assert caller.history(product) == []
    for path in ("1/1", f"{product}/9", "x/1", f"{product}/x"):
        assert is_problem(caller.get(f"/stock/changes/{path}"), 404, "NotFound")


def test_history_may_be_unreadable() -> None:
    simulator, [product] = contract_with(10, history_readable=False)
    assert is_problem(Caller(simulator).get(f"/stock/changes/{product}/1"), 403, "Forbidden")


def test_history_may_hide_memos_or_show_them_late_or_show_rows_late() -> None:
    def seen(seconds: float, **switches: object) -> list[str | None]:
        simulator, [product] = contract_with(10, **switches)
        caller = Caller(simulator)
        caller.add(product, 1, after(10), memo="op")
        return [row["memo"] for row in caller.history(product, after(seconds))]

    assert seen(10) == ["op"]
    assert seen(99, history_has_memo=False) == [None]
    assert seen(14.9, memo_lag=5.0) == [None]
    assert seen(15, memo_lag=5.0) == ["op"]
    assert seen(14.9, history_lag=5.0) == []
    assert seen(15, history_lag=5.0) == ["op"]


def test_history_order_is_a_switch() -> None:
    for newest_first, expected in ((False, ["-1", "-2"]), (True, ["-2", "-1"])):
        simulator, [product] = contract_with(10, history_newest_first=newest_first)
        simulator.sell(product, "1", 1, after(1))
        simulator.sell(product, "1", 2, after(2))
        assert [row["amount"] for row in Caller(simulator).history(product, after(3))] == expected


def test_a_window_stays_right_through_very_many_updates_of_few_rows() -> None:
    simulator, ids = contract_with(*[0] * 5)
    caller = Caller(simulator)
    for step in range(8000):
        simulator.adjust(ids[step % 4], "1", 1, after(1 + step // 4))
        if step % 1000 == 0:
            caller.stock(after(1 + step // 4))
    rows = caller.stock(after(3000), window(1, 3000))
    assert [(row["productId"], row["stockAmount"]) for row in rows] == [(product, "2000") for product in ids[:4]]
    assert [row["productId"] for row in caller.stock(after(3000), window(0, 1999))] == [ids[4]]


def test_a_removed_product_is_in_no_window() -> None:
    simulator, [kept, removed] = contract_with(1, 1)
    for product in (kept, removed):
        simulator.sell(product, "1", 1, after(1))
        simulator.rename_product(product, "Shirt", after(1))
    simulator.remove_product(removed, after(2))
    caller = Caller(simulator)
    assert [row["productId"] for row in caller.stock(after(3), window(0, 3))] == [kept]
    assert [row["productId"] for row in caller.get("/products", after(3), **window(0, 3)).body] == [kept]
    assert caller.stock(after(3), {"product_id": removed}) == []
    assert [row["productId"] for row in caller.stock(after(3), {"store_id": "1"})] == [kept]
