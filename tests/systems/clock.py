"""A clock that only tests move."""

from __future__ import annotations

from datetime import datetime, timedelta


class MovedClock:
    """Says the same instant until it is moved on."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
