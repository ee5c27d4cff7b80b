"""The simulated Smaregi carries out the two single stock writes, in range or not, and remembers who asked."""

from __future__ import annotations

import pytest

from inventory_sync.sandbox.smaregi import SmaregiSimulator
from tests.sandbox.smaregi_support import START, Caller, after, contract_with, is_problem, write_body


def test_an_absolute_write_sets_the_number_and_names_its_history_row() -> None:
    simulator, [product] = contract_with(10)
    caller = Caller(simulator)
    answer = caller.put(product, 12, after(1.5), memo="is:1")
    identity = answer.body["stockHistory"]["id"]
    assert answer.status == 200
    assert answer.body == {
        "productId": product,
        "storeId": "1",
        "stockAmount": "12",
        "updDateTime": "2026-01-10T12:00:01+09:00",
        "stockHistory": {"id": identity, "memo": "is:1"},
    }
    [row] = caller.history(product, after(2))
    assert (row["id"], row["amount"], row["stockAmount"], row["memo"]) == (identity, "2", "12", "is:1")


def test_a_relative_write_changes_the_number_even_below_zero() -> None:
    simulator, [product] = contract_with(1)
    answer = Caller(simulator).add(product, -3, after(1))
    assert answer.body["stockAmount"] == "-2"
    assert answer.body["stockHistory"]["memo"] is None
    assert simulator.stock(product, "1") == -2


def test_the_answer_to_a_relative_write_may_carry_the_amount_sent() -> None:
    simulator, [product] = contract_with(10, add_answers="delta")
    caller = Caller(simulator)
    assert caller.add(product, -3).body["stockAmount"] == "-3"
    assert caller.put(product, 5).body["stockAmount"] == "5"


def test_a_repeated_relative_write_takes_effect_again() -> None:
    simulator, [product] = contract_with(10)
    caller = Caller(simulator)
    first, second = (caller.add(product, -1, memo="same").body["stockHistory"]["id"] for _ in range(2))
    assert int(second) > int(first)
    assert simulator.stock(product, "1") == 8


def test_a_write_makes_the_row_of_a_product_that_never_moved() -> None:
    simulator = SmaregiSimulator()
    ids = simulator.seed_catalogue(2, START, never_moved=2)
    caller = Caller(simulator)
    caller.add(ids[0], -2, after(1))
    caller.put(ids[1], 4, after(1))
    assert [row["stockAmount"] for row in caller.stock(after(1))] == ["-2", "4"]
    assert [(change.delta, change.after) for change in simulator.log.changes] == [(-2, -2), (4, 4)]


def test_our_own_writes_are_told_apart_from_those_of_another_app() -> None:
    simulator, [product] = contract_with(10)
    simulator.register_client("other-app", "other-secret")
    Caller(simulator).add(product, -1, after(1), memo="ours")
    Caller(simulator, client="other-app", secret="other-secret").add(product, -2, after(2), memo="theirs")
    assert [(change.actor, change.delta, change.cause, change.reference) for change in simulator.log.changes] == [
        ("client", -1, "api", "ours"),
        ("outside", -2, "api", "theirs"),
    ]


def test_a_write_that_changes_nothing_leaves_a_history_row_and_no_change() -> None:
    simulator, [product] = contract_with(10)
    caller = Caller(simulator)
    assert caller.put(product, 10, after(1)).status == 200
    assert caller.add(product, 0, after(2)).status == 200
    assert [row["amount"] for row in caller.history(product, after(3))] == ["0", "0"]
    assert simulator.log.changes == []


def test_an_unknown_store_is_400_and_an_unknown_product_404() -> None:
    simulator, [product] = contract_with(10)
    caller = Caller(simulator)
    for write in (caller.add, caller.put):
        refused = write(product, 1, store="9")
        assert is_problem(refused, 400, "Bad Request")
        assert refused.body["detail"] == "指定された店舗IDのリソースが見つかりません"
        missing = write("8999999", 1)
        assert is_problem(missing, 404, "NotFound")
        assert missing.body["detail"] == "指定されたIDのリソースが見つかりません"
    simulator.remove_product(product, after(1))
    assert caller.add(product, 1, after(2)).status == 404
    assert simulator.log.changes == []
    assert simulator.log.violations == []


def test_numbers_stay_within_nine_digits() -> None:
    simulator, [product] = contract_with(0)
    caller = Caller(simulator)
    assert caller.put(product, 999_999_999).status == 200
    above = caller.add(product, 1)
    assert is_problem(above, 400, "Bad Request")
    assert above.body["detail"] == "更新後の在庫数は[999999999]以下である必要があります"
    assert caller.add(product, -1_999_999_998).status == 200
    assert simulator.stock(product, "1") == -999_999_999
    assert is_problem(caller.add(product, -1), 400, "Bad Request")
    assert simulator.log.violations == []
    assert caller.put(product, 1_000_000_000).status == 400
    assert caller.add(product, 1_999_999_999).status == 400
    assert [violation.rule for violation in simulator.log.violations] == ["stock_range"] * 2
    assert simulator.stock(product, "1") == -999_999_999


def test_a_memo_holds_a_hundred_characters() -> None:
    simulator, [product] = contract_with(0)
    caller = Caller(simulator)
    assert caller.add(product, 1, memo="在" * 100).body["stockHistory"]["memo"] == "在" * 100
    assert is_problem(caller.add(product, 1, memo="在" * 101), 400, "Bad Request")
    assert [violation.rule for violation in simulator.log.violations] == ["memo_length"]
    assert simulator.stock(product, "1") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        [],
        {},
        {"storeId": "1"},
        {"stockAmount": "1"},
        {"storeId": 1, "stockAmount": "1"},
        {"storeId": "1", "stockAmount": 1},
        {"storeId": "one", "stockAmount": "1"},
        {"storeId": "1", "stockAmount": "1.5"},
        {"storeId": "1", "stockAmount": "１"},
        {"storeId": "1", "stockAmount": "1", "stockHistory": "memo"},
        {"storeId": "1", "stockAmount": "1", "stockHistory": {"memo": 5}},
    ],
)
def test_a_body_of_another_form_is_400_and_changes_nothing(body: object) -> None:
    simulator, [product] = contract_with(7)
    caller = Caller(simulator)
    assert is_problem(caller.call("PATCH", f"/stock/{product}", body=body), 400, "Bad Request")
    assert is_problem(caller.call("POST", f"/stock/{product}/add", body=body), 400, "Bad Request")
    assert simulator.stock(product, "1") == 7


def test_a_write_to_a_product_without_stock_control_follows_the_switch() -> None:
    def write(outcome: str) -> tuple[int, int | None, int]:
        simulator = SmaregiSimulator()
        [product] = simulator.seed_catalogue(1, START, unmanaged=1)
        simulator.switches = type(simulator.switches)(unmanaged_write=outcome)  # type: ignore[arg-type]
        answer = Caller(simulator).add(product, 3)
        return answer.status, simulator.stock(product, "1"), len(simulator.log.changes)

    assert write("accepted") == (200, 3, 1)
    assert write("ignored") == (200, None, 0)
    assert write("refused") == (400, None, 0)


def test_an_ignored_write_answers_the_number_that_stands() -> None:
    simulator, [product] = contract_with(7, unmanaged_write="ignored")
    simulator.set_stock_control(product, False, after(1))
    body = Caller(simulator).add(product, 3, after(2)).body
    assert (body["stockAmount"], body["stockHistory"]) == ("7", None)


def test_a_write_to_a_paused_store_follows_the_switch() -> None:
    for outcome, status in (("accepted", 200), ("refused", 400)):
        simulator, [product] = contract_with(7, paused_store_write=outcome)
        simulator.pause_store("1", after(1))
        assert Caller(simulator).add(product, 1, after(2)).status == status


def test_numbers_may_be_cut_off_at_zero() -> None:
    simulator, [product] = contract_with(2, clamp_at_zero=True)
    caller = Caller(simulator)
    assert caller.add(product, -5, after(1)).body["stockAmount"] == "0"
    assert caller.put(product, -5, after(2)).body["stockAmount"] == "0"
    simulator.sell(product, "1", 1, after(3))
    assert simulator.stock(product, "1") == 0
    assert [change.delta for change in simulator.log.changes] == [-2]
    assert [row["amount"] for row in caller.history(product, after(4))] == ["-2", "0", "0"]


def test_a_cut_off_does_not_lift_a_number_that_is_below_zero_already() -> None:
    simulator, [product] = contract_with(-3, clamp_at_zero=True)
    simulator.sell(product, "1", 1, after(1))
    assert simulator.stock(product, "1") == -3
    simulator.receive(product, "1", 1, after(2))
    assert simulator.stock(product, "1") == -2


def test_bulk_paths_are_not_products() -> None:
    simulator, _ = contract_with(2)
    assert Caller(simulator).call("PATCH", "/stock/bulk", body=write_body("1", 1, None)).status == 404
