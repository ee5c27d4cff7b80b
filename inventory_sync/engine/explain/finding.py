"""What is said about a number: one cause in words of both languages, and how times and units are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from inventory_sync.engine.explain.causes import Cause
from inventory_sync.engine.explain.state import WaitingOrder
from inventory_sync.engine.explain.texts import say

MOST_ORDERS = 3
"""So many orders are named where there are more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, as a sentence in both languages."""

    cause: Cause
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class Clock:
    """The instant of the question, the zone in which times are told, and partners' problems by their code: a sentence
    and a remedy in Japanese."""

    now: datetime
    zone: tzinfo = UTC
    problems: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def tell(self, at: datetime) -> str:
        """A time of today without its date.

        >>> Clock(datetime(2026, 11, 21, 9, 0, tzinfo=UTC)).tell(datetime(2026, 11, 20, 8, 5, tzinfo=UTC))
        '11-20 08:05:00'
        """
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone).date()
        return local.strftime("%H:%M:%S" if local.date() == today else "%m-%d %H:%M:%S")


def finding(cause: Cause, **values: tuple[str, str] | str | int | None) -> Finding:
    """A cause in words; a value that differs by language is given as both."""
    ja, en = say(cause, **values)
    return Finding(cause, ja, en)


def order_names(orders: Sequence[WaitingOrder]) -> str:
    """The numbers of orders, the first few of them."""
    return ", ".join(each.order for each in orders[:MOST_ORDERS]) + (" ..." if len(orders) > MOST_ORDERS else "")


def signed(units: int) -> str:
    """Units with their sign, as a person reads them."""
    return f"{units:+d}".replace("-", "−")


def sentence(text: str, end: str = ".") -> str:
    """A text that ends as a sentence does."""
    return text if not text or text[-1] in ".。!?" else f"{text}{end}"


def duration(span: timedelta) -> tuple[str, str]:
    """A span of time as people say it, in Japanese and English.

    >>> duration(timedelta(minutes=95))
    ('1 時間 35 分', '1 h 35 min')
    """
    seconds = max(0, round(span.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    parts = ((days, "日", "d"), (hours, "時間", "h"), (minutes, "分", "min"), (seconds % 60, "秒", "s"))
    first = next((at for at, part in enumerate(parts) if part[0]), len(parts) - 1)
    told = parts[first : first + 2] if first < 2 else parts[first : first + 1]
    told = tuple(part for at, part in enumerate(told) if part[0] or at == 0)
    return " ".join(f"{n} {ja}" for n, ja, _ in told), " ".join(f"{n} {en}" for n, _, en in told)
