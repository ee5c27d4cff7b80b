"""What counts as a reading, and which marks it clears (the truth model's rule 3.2).

A reading belongs to the instant it was asked. A stale replica would otherwise turn our own write into a movement that
nobody made, and that movement would feed on itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Refusal(StrEnum):
    """Why a reading did not count."""

    UNANSWERED_OP = "unanswered_op"
    VERSION_MOVED = "version_moved"
    TOO_SOON = "too_soon"


@dataclass(frozen=True, slots=True)
class CellTimes:
    """What is known of a cell's past when a reading comes in. Times are aware; None where it never happened.

    `settled_at` and `answered_at` are ours: the last settle, and the answer of the last reading that counted.
    `stamp` is the partner's own time at the later of both; None where one of them gave none.
    """

    version: int
    unanswered: bool
    settled_at: datetime | None
    answered_at: datetime | None
    stamp: datetime | None


def judge(
    times: CellTimes, *, asked_version: int, asked_at: datetime, stamp: datetime | None, read_lag: timedelta
) -> Refusal | None:
    """None if the reading counts, else why not.

    Only the partner's own stamp, strictly later than the one of our last settle and reading, shortens the wait.
    """
    if times.unanswered:
        return Refusal.UNANSWERED_OP
    if times.version != asked_version:
        return Refusal.VERSION_MOVED
    quiet_from = counts_from(times.settled_at, times.answered_at, read_lag)
    if quiet_from is None or asked_at >= quiet_from:
        return None
    if stamp is not None and times.stamp is not None and stamp > times.stamp:
        return None
    return Refusal.TOO_SOON


def counts_from(settled_at: datetime | None, answered_at: datetime | None, read_lag: timedelta) -> datetime | None:
    """The earliest instant at which a reading may be asked to count without a later stamp; None: at once."""
    known = [moment for moment in (settled_at, answered_at) if moment is not None]
    return max(known) + read_lag if known else None


def clears(marked_at: datetime, asked_at: datetime, read_lag: timedelta) -> bool:
    """Whether a reading that counted clears a mark: only marks set before it was asked, less the lag."""
    return marked_at <= asked_at - read_lag


def next_read(marked_at: datetime, answered_at: datetime, read_lag: timedelta) -> datetime:
    """When a mark that a counted reading did not clear should be read again."""
    return max(marked_at, answered_at) + read_lag
