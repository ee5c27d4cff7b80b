"""Whether a well-formed file may be applied, seen against what was applied before it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from inventory_sync.ledger.files import problems
from inventory_sync.ledger.files.parse import ParsedFile
from inventory_sync.ledger.files.problems import Confirm, FileRefused, Problem
from inventory_sync.ledger.files.profile import LONGEST_SEQUENCE, FileProfile

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = re.compile("[0-9]+", re.ASCII)


GUARD_CODES = frozenset(
    reason.code
    for reason in (
        problems.COLUMNS_CHANGED,
        problems.EMPTY,
        problems.SHRUNK,
        problems.OLDER,
        problems.SAME_SEQUENCE,
    )
)
"""What a well-formed file is refused for by this module: rules of safety, not faults of the file."""


class OrderedBy(StrEnum):
    """What puts the files of a profile in order."""

    TIME = "time"
    SEQUENCE = "sequence"


@dataclass(frozen=True, slots=True)
class FileOrder:
    """A file's place among those of its profile: microseconds since 1970 (TIME), or the number in its name."""

    by: OrderedBy
    number: int

    def __str__(self) -> str:
        if self.by is OrderedBy.SEQUENCE:
            return str(self.number)
        return (_EPOCH + self.number * _MICROSECOND).isoformat(sep=" ", timespec="seconds")


@dataclass(frozen=True, slots=True)
class Applied:
    """A file that was applied. `rows` and `units` are those of the last file that stated whole quantities."""

    name: str
    sha256: str
    order: FileOrder
    header: tuple[str, ...]
    rows: int
    units: int
    applied_at: datetime


def order_of(name: str, modified: datetime, profile: FileProfile) -> FileOrder:
    """The file's place in the order that its profile declares. Raises FileRefused where the name holds no number.

    >>> str(order_of("a.csv", datetime(2026, 1, 2, tzinfo=UTC), FileProfile()))
    '2026-01-02 00:00:00+00:00'
    """
    if profile.sequence is None:
        return FileOrder(OrderedBy.TIME, (modified.astimezone(UTC) - _EPOCH) // _MICROSECOND)
    found = profile.sequence.fullmatch(name)
    digits = found[1] if found is not None else None
    if digits is None or not _DIGITS.fullmatch(digits) or len(digits) > LONGEST_SEQUENCE:
        raise FileRefused((Problem(problems.NO_SEQUENCE, name, values={"pattern": profile.sequence.pattern}),))
    return FileOrder(OrderedBy.SEQUENCE, int(digits))


def is_repeat(
    file: ParsedFile, order: FileOrder, profile: FileProfile, *, last: Applied | None, same: Collection[FileOrder]
) -> bool:
    """Whether this content was applied already, so that nothing is to be done. `same`: orders it was applied under.

    What adds must never count twice, so any earlier file of the same bytes is meant. What states whole quantities may
    return to an earlier state, so there only the last file is, and the very same one.
    """
    if order in same:
        return True
    if profile.repeats or not same:
        return False
    return file.adds or (last is not None and last.sha256 == file.sha256)


def check(
    file: ParsedFile,
    order: FileOrder,
    profile: FileProfile,
    *,
    last: Applied | None,
    confirmed: Collection[Confirm] = (),
) -> None:
    """Raise FileRefused, naming everything that speaks against applying the file now.

    A file must be newer than the last one, have its columns, and not have shrunk by more than the profile allows;
    a person may confirm new columns and a shrunken or empty file, never an older one.
    """
    found = [*_order_problems(file, order, last), *_column_problems(file, last), *_shrink_problems(file, profile, last)]
    found = [problem for problem in found if problem.reason.confirm is None or problem.reason.confirm not in confirmed]
    if found:
        raise FileRefused(tuple(found), tuple((line.row, line.sku) for line in file.lines))


def _order_problems(file: ParsedFile, order: FileOrder, last: Applied | None) -> list[Problem]:
    if last is None or last.order.by is not order.by:
        return []
    if order.number < last.order.number:
        values = {"this": order, "last": last.order, "last_name": last.name}
        return [Problem(problems.OLDER, file.name, values=values)]
    if order.number == last.order.number and order.by is OrderedBy.SEQUENCE and file.sha256 != last.sha256:
        return [Problem(problems.SAME_SEQUENCE, file.name, values={"last_name": last.name})]
    return []


def _column_problems(file: ParsedFile, last: Applied | None) -> list[Problem]:
    if last is None or set(file.header) == set(last.header):
        return []
    added = [name for name in file.header if name not in last.header]
    removed = [name for name in last.header if name not in file.header]
    values = {"added": ", ".join(map(repr, added)) or "-", "removed": ", ".join(map(repr, removed)) or "-"}
    return [Problem(problems.COLUMNS_CHANGED, file.name, 1, values=values)]


def _shrink_problems(file: ParsedFile, profile: FileProfile, last: Applied | None) -> list[Problem]:
    if not file.lines:
        return [Problem(problems.EMPTY, file.name)]
    if last is None or not file.stated_rows or profile.shrink_percent >= 100:
        return []
    compared = (
        ("The rows", "行数", last.rows, file.stated_rows),
        ("The units", "在庫数の合計", last.units, file.stated_units),
    )
    return [
        Problem(
            problems.SHRUNK,
            file.name,
            values={
                "what": what,
                "what_ja": what_ja,
                "before": before,
                "after": after,
                "percent": profile.shrink_percent,
            },
        )
        for what, what_ja, before, after in compared
        if before > 0 and (before - after) * 100 > before * profile.shrink_percent
    ]
