"""Japanese business days: what a partner's "one to three business days" means.

Public holidays, and the days from 31 December to 3 January on which banks and most offices are closed.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

JAPAN = ZoneInfo("Asia/Tokyo")
SATURDAY = 5


@lru_cache(maxsize=1)
def _closed() -> holidays.HolidayBase:
    return holidays.country_holidays("JP", categories=("public", "bank"))


def is_business_day(day: date) -> bool:
    """Whether offices in Japan are open.

    >>> is_business_day(date(2026, 11, 23)), is_business_day(date(2026, 11, 24))
    (False, True)
    """
    return day.weekday() < SATURDAY and day not in _closed()


def end_of_business_days(since: datetime, days: int) -> datetime:
    """The end of the n-th business day after the day of `since`, in Japan.

    >>> end_of_business_days(datetime(2026, 11, 20, 9, tzinfo=JAPAN), 3).isoformat()
    '2026-11-27T00:00:00+09:00'
    """
    day = since.astimezone(JAPAN).date()
    left = days
    while left > 0:
        day += timedelta(days=1)
        left -= is_business_day(day)
    return datetime.combine(day + timedelta(days=1), time(), JAPAN)
