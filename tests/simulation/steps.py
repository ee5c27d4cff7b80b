"""The steps of a lane as the simulation runs them: which there are, which look by themselves often, and which wake
which."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg

from inventory_sync.engine import catalogue, causes, doubt, evidence, observe, orders, overdue, poll, push
from inventory_sync.engine.lane import House, Lane, Progress

Step = Callable[[], Coroutine[Any, Any, Progress]]

BUSY_STEPS = ("intake", "decide", "observe", "push", "push2", "doubt", "poll", "orders")
"""Steps that look by themselves every few seconds; the others wait longer to be woken."""

PASSING = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
"""Conflicts that only delay a step."""

WAKES = {
    "intake": ("observe", "wishes", "orders"),
    "observe": ("decide",),
    "decide": ("push", "push2"),
    "push": ("decide", "doubt"),
    "push2": ("decide", "doubt"),
    "doubt": ("decide",),
    "watch": ("observe",),
    "poll": ("observe",),
    "reconcile": ("observe",),
    "orders": ("decide", "observe"),
    "wishes": ("reconcile",),
}
"""Which steps have something to do after a step did something."""


def steps_of(house: House, lane: Lane) -> dict[str, Step]:
    """Every step of a lane, by its name."""
    steps: dict[str, Step] = {
        "observe": lambda: observe.observe(house, lane),
        "push": lambda: push.push(house, lane),
        "push2": lambda: push.push(house, lane),
        "doubt": lambda: doubt.doubt(house, lane),
        "watch": lambda: evidence.watch(house, lane),
        "poll": lambda: poll.poll(house, lane),
        "reconcile": lambda: poll.reconcile(house, lane),
        "wishes": lambda: catalogue.grant_wishes(house, lane),
        "causes": lambda: causes.attribute(house, lane),
        "overdue": lambda: overdue.release(house, lane),
    }
    if lane.client.capabilities.has_orders:
        steps["orders"] = lambda: orders.orders(house, lane)
    return steps
