"""Which files of a directory have arrived whole, judged by looking twice or by a marker. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from inventory_sync.ledger.files.guard import order_of
from inventory_sync.ledger.files.problems import FileRefused
from inventory_sync.ledger.files.profile import FileProfile
from inventory_sync.ledger.files.receipt import RECEIPT_SUFFIX

MARKER_SUFFIX = ".done"
UNFINISHED_SUFFIXES = (".tmp", ".part", ".filepart")
"""What upload programs call a file that they are still writing."""
SETTLE = timedelta(seconds=10)
"""How long a file must have kept its size and time to count as whole where no marker says so."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as a directory lists it: bytes, and its modification time in nanoseconds since 1970."""

    name: str
    size: int
    modified_ns: int

    @property
    def modified(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.modified_ns // 1000)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a look found: the file to take now, how many wait, and since when the oldest of them has been seen."""

    ready: Seen | None
    waiting: int
    oldest: datetime | None


@dataclass(slots=True)
class Arrivals:
    """What was seen at the last look. It may be forgotten: then a file waits once more and nothing is lost.

    `marker_required`: only a marker makes a file whole, for sources whose uploads may pause.
    """

    profile: FileProfile
    pattern: str = "*"
    marker_required: bool = False
    settle: timedelta = SETTLE
    _since: dict[Seen, datetime] = field(default_factory=dict)

    def look(self, listed: Iterable[Seen], now: datetime) -> Arrival:
        """The earliest file in the profile's order, if it is whole; a later one never overtakes it."""
        every = {seen.name: seen for seen in listed}
        files = [
            seen for name, seen in every.items() if is_stock_file(name) and fnmatch.fnmatchcase(name, self.pattern)
        ]
        self._since = {seen: self._since.get(seen, now) for seen in files}
        if not files:
            return Arrival(None, 0, None)
        first = min(files, key=self._place)
        ready = first if self._whole(first, every, now) else None
        return Arrival(ready, len(files), min(self._since.values()))

    def _place(self, seen: Seen) -> tuple[int, str]:
        try:
            return order_of(seen.name, seen.modified, self.profile).number, seen.name
        except FileRefused:
            # A name without a number is refused when the file is taken in, so it keeps nobody waiting.
            return -1, seen.name

    def _whole(self, seen: Seen, every: Mapping[str, Seen], now: datetime) -> bool:
        marker = every.get(seen.name + MARKER_SUFFIX)
        # A marker older than the file speaks of an earlier file of the same name.
        if marker is not None and marker.modified_ns >= seen.modified_ns:
            return True
        return not self.marker_required and now - self._since[seen] >= self.settle


def is_stock_file(name: str) -> bool:
    """Whether a name can be that of a file to take in: not hidden, not unfinished, no marker, no receipt of ours.

    >>> [name for name in ("a.csv", ".a.csv", "a.csv.tmp", "a.csv.done", "a.csv.result.csv") if is_stock_file(name)]
    ['a.csv']
    """
    return not name.startswith(".") and not name.endswith((*UNFINISHED_SUFFIXES, MARKER_SUFFIX, RECEIPT_SUFFIX))
