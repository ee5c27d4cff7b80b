"""Reading JSON that somebody else wrote: each function returns the type its name says or raises UnexpectedAnswer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

JST = timezone(timedelta(hours=9))  # every time in MakeShop is Japan's, and none says so (observed)


class UnexpectedAnswer(Exception):
    """An answer that is JSON and has not the shape its document promises."""


def obj(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnexpectedAnswer(f"{what} is no object")
    return value


def objects(value: Any, what: str) -> Sequence[Mapping[str, Any]]:
    """A list of objects. Null counts as an empty list, as the server writes lists that are empty either way."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise UnexpectedAnswer(f"{what} is no list")
    return [obj(each, what) for each in value]


def identifier(value: Any, what: str) -> str:
    """A text that is not empty; a number is taken as its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise UnexpectedAnswer(f"{what} is missing")
    return value


def words(value: Any) -> str:
    """A text to the character; null and anything else count as empty."""
    return value if isinstance(value, str) else ""


def whole(value: Any) -> int | None:
    """A whole number, or None where there is none (null, which is "not limited" in a stock field, included)."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        return int(value) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def moment(value: Any) -> datetime | None:
    """A time written as `YYYY-MM-DD HH:MM:SS` in Japan's time, or None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=JST)
    except ValueError:
        return None


def stamp(at: datetime) -> str:
    """An instant as searches take it: `YYYYMMDDHHMMSS` in Japan's time; a part of a second is cut off."""
    return at.astimezone(JST).strftime("%Y%m%d%H%M%S")
