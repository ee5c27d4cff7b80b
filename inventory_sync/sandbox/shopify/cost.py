"""What a request costs in points, and the bucket the points come from.

The formula reproduces costs recorded from live shops (API 2026-04): an object is 1, a list of objects 1 and its
children, a connection `2 + max(1, floor(2 ln first))` times one node, a count 10, a mutation 10 (its payload's own
objects free). Bucket rules: https://shopify.dev/docs/api/usage/limits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from inventory_sync.sandbox.shopify.plan import BoundField, BoundSelection, Shape

MUTATION = 10
COUNT = 10


def connection_size(first: int) -> int:
    """How many nodes a connection of `first` is charged for.

    >>> [connection_size(n) for n in (1, 5, 10, 20, 50, 100, 250)]
    [1, 3, 4, 5, 7, 9, 11]
    """
    return max(1, math.floor(2 * math.log(first))) if first > 0 else 1


def requested_cost(roots: Sequence[BoundField], mutation: bool) -> int:
    """Points a request must find in the bucket before it is carried out."""
    if mutation:
        return sum(MUTATION + _free_children(field) for field in roots)
    return sum(_field_cost(field) for field in roots)


def _free_children(field: BoundField) -> int:
    children = field.sub.all_fields() if field.sub else ()
    return sum(_selection_cost(child.sub) for child in children if child.sub and child.name != "userErrors")


def _selection_cost(selection: BoundSelection | None) -> int:
    if selection is None:
        return 0
    return max((sum(map(_field_cost, fields)) for fields in selection.by_type.values()), default=0)


def _field_cost(field: BoundField) -> int:
    if field.shape is Shape.LEAF:
        return 0
    if field.type_name == "Count":
        return COUNT
    if field.shape is Shape.CONNECTION:
        return 2 + connection_size(_wanted(field)) * _nodes_cost(field)
    return 1 + _selection_cost(field.sub)


def _wanted(field: BoundField) -> int:
    return field.arguments.get("first") or field.arguments.get("last") or 1


def _nodes_cost(field: BoundField) -> int:
    cost = 0
    for child in field.sub.all_fields() if field.sub else ():
        if child.name == "nodes":
            cost += 1 + _selection_cost(child.sub)
        elif child.name == "edges" and child.sub:
            cost += sum(1 + _selection_cost(node.sub) for node in child.sub.all_fields() if node.name == "node")
    return cost


def actual_cost(roots: Sequence[BoundField], data: dict[str, Any] | None, mutation: bool) -> int:
    """Points a request used, from what it returned; never more than requested."""
    if data is None:
        return 0
    if not mutation:
        return sum(_used(field, data.get(field.key)) for field in roots)
    used = 0
    for field in roots:
        used += MUTATION
        payload = data.get(field.key)
        for child in field.sub.all_fields() if field.sub else ():
            if payload and child.sub and child.name != "userErrors" and payload.get(child.key):
                used += _used_below(child, payload[child.key])
    return used


def _used(field: BoundField, value: Any) -> int:
    if field.shape is Shape.LEAF or value is None:
        return 0
    if field.type_name == "Count":
        return COUNT
    if field.shape is Shape.CONNECTION:
        return 2 + _nodes_used(field, value)
    return 1 + _used_below(field, value)


def _used_below(field: BoundField, value: Any) -> int:
    if field.sub is None:
        return 0
    if isinstance(value, list):
        present = [entry for entry in value if entry is not None]
        if not field.sub.has_connection:
            present = present[:1]
        return max((_used_in(field.sub, entry) for entry in present), default=0)
    return _used_in(field.sub, value)


def _used_in(selection: BoundSelection, value: dict[str, Any]) -> int:
    seen = {child.key: child for fields in selection.by_type.values() for child in fields if child.key in value}
    return sum(_used(child, value[child.key]) for child in seen.values())


def _nodes_used(field: BoundField, value: dict[str, Any]) -> int:
    limit, used = connection_size(_wanted(field)), 0
    for child in field.sub.all_fields() if field.sub else ():
        entries = value.get(child.key)
        if child.name == "nodes" and entries:
            used += min(limit, len(entries)) * (1 + _used_below(child, entries))
        elif child.name == "edges" and entries and child.sub:
            for node in child.sub.all_fields():
                if node.name == "node":
                    used += min(limit, len(entries)) * (1 + _used_below(node, [edge[node.key] for edge in entries]))
    return used


class Bucket:
    """Points of one app at one shop: `size` at most, restored at `rate` a second."""

    def __init__(self, size: float, rate: float) -> None:
        self.size, self.rate = size, rate
        self._level = size
        self._at: datetime | None = None

    def level(self, now: datetime) -> float:
        """Points available now."""
        if self._at is not None:
            self._level = min(self.size, self._level + self.rate * max(0.0, (now - self._at).total_seconds()))
        self._at = now
        return self._level

    def take(self, points: float, now: datetime) -> None:
        """Use points, which may leave the bucket below 0 only if more is taken than it holds."""
        self._level = self.level(now) - points

    def status(self, now: datetime) -> dict[str, Any]:
        return {
            "maximumAvailable": _plain(self.size),
            "currentlyAvailable": max(0, math.floor(self.level(now))),
            "restoreRate": _plain(self.rate),
        }


def _plain(number: float) -> int | float:
    return int(number) if float(number).is_integer() else number
