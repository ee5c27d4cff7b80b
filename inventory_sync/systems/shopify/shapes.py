"""Reading JSON that somebody else wrote: each function returns the type its name says or raises UnexpectedAnswer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from inventory_sync.systems.shopify.classify import UnexpectedAnswer


def obj(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnexpectedAnswer("an object is missing")
    return value


def items(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise UnexpectedAnswer("a list is missing")
    return value


def objects(value: Any) -> Sequence[Mapping[str, Any]]:
    return [obj(each) for each in items(value)]


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnexpectedAnswer("a text is missing")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnexpectedAnswer("a yes or no is missing")
    return value


def whole(value: Any) -> int:
    """An integer, which Shopify writes as a number or, where it may exceed 53 bits, as a text of digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise UnexpectedAnswer("a whole number is missing")


def moment(value: Any) -> datetime | None:
    """A time with zone, or None for null or a text that is none. Fractions finer than a microsecond are cut off."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else None


def next_page(connection: Mapping[str, Any]) -> str | None:
    """The cursor of a connection's next page, or None where it ended."""
    info = obj(connection.get("pageInfo"))
    return text(info.get("endCursor")) if flag(info.get("hasNextPage")) else None
