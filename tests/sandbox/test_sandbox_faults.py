"""Fault plans: queues for tests, chances for chaos, and the same faults again from the same seed."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from inventory_sync.sandbox.faults import Chaos, FaultPlan, NoticeFaults, NoticePlan, names_of
from inventory_sync.sandbox.kernel import NO_FAULT, Delivery, Fault, FaultKind, Request

DELIVERY = Delivery("1", "http://127.0.0.1/", {}, b"", datetime(2026, 11, 21, tzinfo=UTC))


def graphql(text: str, name: str | None = None) -> Request:
    body = json.dumps({"query": text, "operationName": name} if name else {"query": text}).encode()
    return Request("POST", "/admin/api/2026-10/graphql.json", "", {}, body)


def rest(method: str, path: str) -> Request:
    return Request(method, path, "", {}, b"")


def test_nothing_goes_wrong_unless_planned() -> None:
    plan = FaultPlan()
    assert [plan.decide(rest("GET", "/pos/stock")) for _ in range(100)] == [NO_FAULT] * 100


def test_queued_faults_meet_the_named_operation_in_order() -> None:
    plan = FaultPlan()
    plan.queue("inventoryAdjustQuantities", FaultKind.RESET_AFTER, NO_FAULT, Fault(FaultKind.DELAY, 0.2))
    adjust = graphql("mutation Push($i: X!) { inventoryAdjustQuantities(input: $i) { x } }")
    assert plan.decide(graphql("query Read { shop { id } }")) == NO_FAULT
    kinds = [plan.decide(adjust).kind for _ in range(4)]
    assert kinds == [FaultKind.RESET_AFTER, FaultKind.NONE, FaultKind.DELAY, FaultKind.NONE]
    assert plan.pending == 0


@pytest.mark.parametrize("pattern", ["PATCH /pos/stock/*", "PATCH *", "*stock*"])
def test_rest_requests_are_named_by_method_and_path(pattern: str) -> None:
    plan = FaultPlan()
    plan.queue(pattern, FaultKind.ERROR_BEFORE)
    assert plan.decide(rest("GET", "/pos/products")) == NO_FAULT
    assert plan.decide(rest("PATCH", "/pos/stock/12")).kind is FaultKind.ERROR_BEFORE


def test_graphql_requests_are_named_by_operation_and_root_field() -> None:
    request = graphql("# note\nmutation Push($i: X!) {\n  alias: inventoryActivate(i: $i) { x } }", "Push")
    assert {"Push", "inventoryActivate", "POST /admin/api/2026-10/graphql.json"} <= set(names_of(request))


def test_chaos_is_the_same_again_from_the_same_seed_and_as_frequent_as_asked() -> None:
    chaos = Chaos({FaultKind.RESET_AFTER: 0.2, FaultKind.DELAY: 0.1}, seconds=(0.1, 0.4))
    one, two = (FaultPlan(random.Random(7), chaos) for _ in range(2))
    drawn = [one.decide(rest("GET", "/")) for _ in range(2000)]
    assert drawn == [two.decide(rest("GET", "/")) for _ in range(2000)]
    counts = Counter(fault.kind for fault in drawn)
    assert 300 < counts[FaultKind.RESET_AFTER] < 500
    assert 130 < counts[FaultKind.DELAY] < 270
    assert all(0.1 <= fault.seconds <= 0.4 for fault in drawn if fault.kind is FaultKind.DELAY)
    assert one.decided == counts


def test_chaos_can_be_kept_to_some_operations_and_ended() -> None:
    plan = FaultPlan(chaos=Chaos({FaultKind.ERROR_AFTER: 1.0}, matching="PATCH *"))
    assert plan.decide(rest("GET", "/")) == NO_FAULT
    assert plan.decide(rest("PATCH", "/")).kind is FaultKind.ERROR_AFTER
    plan.clear()
    assert plan.decide(rest("PATCH", "/")) == NO_FAULT


def test_impossible_chances_are_refused() -> None:
    with pytest.raises(ValueError, match="add up"):
        Chaos({FaultKind.DELAY: 0.7, FaultKind.LATE: 0.7})
    with pytest.raises(ValueError, match="range"):
        Chaos({FaultKind.DELAY: 0.1}, seconds=(2.0, 1.0))


def test_webhooks_arrive_once_and_at_once_unless_planned() -> None:
    plan = NoticePlan()
    assert {plan.decide(DELIVERY).copies for _ in range(50)} == {(0.0,)}


def test_webhooks_are_lost_doubled_delayed_and_unanswered_as_often_as_asked() -> None:
    plan = NoticePlan(NoticeFaults(loss=0.2, answer_loss=0.3, duplication=0.5, delay=(1.0, 2.0)), random.Random(3))
    fates = [plan.decide(DELIVERY) for _ in range(2000)]
    arrived = [fate for fate in fates if not fate.lost]
    assert 300 < len(fates) - len(arrived) < 500
    assert 0.4 < sum(len(fate.copies) == 2 for fate in arrived) / len(arrived) < 0.6
    assert 0.2 < sum(not fate.answer_arrives for fate in arrived) / len(arrived) < 0.4
    assert all(1.0 <= seconds <= 2.0 for fate in arrived for seconds in fate.copies)
