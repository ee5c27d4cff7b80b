"""Publish rules of single codes as CSV: strict to read, and written so that a spreadsheet leaves the codes alone.

A field that is empty means: as the route does. A row in which all fields are empty takes what was set back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from inventory_sync.engine.publishing import problems
from inventory_sync.ledger.files import problems as files
from inventory_sync.ledger.files.decode import Undecodable, WrongMark, decode
from inventory_sync.ledger.files.export import ExportEncoding
from inventory_sync.ledger.files.parse import MOST_BYTES, MOST_PROBLEMS
from inventory_sync.ledger.files.problems import FileRefused, Problem, Reason
from inventory_sync.ledger.files.profile import Delimiter, Encoding
from inventory_sync.ledger.files.table import BrokenTable, Field, fields, place_of_end, unguarded
from inventory_sync.ledger.files.values import BadValue, read_quantity
from inventory_sync.model.publish import LARGEST_UNITS

COLUMNS = ("code", "buffer", "percent", "max", "end_when", "offset", "until", "exclude")
AUTO, NONE, YES = "auto", "none", "yes"
NEWLINE = "\r\n"

_DAY = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})", re.ASCII)
_FORMULA = ("=", "+", "-", "@")
_SPOILT = re.compile(r"[0-9.]+(?:[eE][+-]?[0-9]+)?|[0-9]{1,4}[-/][0-9]{1,2}(?:[-/][0-9]{1,4})?", re.ASCII)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Override:
    """What is set otherwise for one code; None: as the route does. `unlimited`: no maximum. `until`: the instant at
    which the offset ends. `row`: where it stands in its file."""

    code: str
    buffer: int | None = None
    auto: bool = False
    percent: int | None = None
    maximum: int | None = None
    unlimited: bool = False
    end_when: int | None = None
    offset: int = 0
    until: datetime | None = None
    excluded: bool = False
    row: int = field(default=0, compare=False)

    @property
    def empty(self) -> bool:
        """True where nothing is set otherwise."""
        return self == Override(self.code)

    @property
    def plain(self) -> bool:
        """True where the channel's number goes on saying how much stock there is."""
        return self.percent in (None, 100) and self.maximum is None and not (self.end_when or self.excluded)


def last_day(until: datetime, zone: tzinfo) -> date:
    """The last day on which an offset counts that ends at `until`.

    >>> last_day(datetime(2026, 12, 31, 15, 0, tzinfo=UTC), ZoneInfo("Asia/Tokyo")).isoformat()
    '2026-12-31'
    """
    return (until.astimezone(zone) - timedelta(microseconds=1)).date()


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day is over there.

    >>> end_of(date(2026, 12, 31), ZoneInfo("Asia/Tokyo")).isoformat()
    '2026-12-31T15:00:00+00:00'
    """
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)


def parse(
    data: bytes, *, name: str, zone: ZoneInfo, encoding: ExportEncoding = ExportEncoding.UTF_8
) -> tuple[Override, ...]:
    """Every row of a file. Raises FileRefused with everything that is wrong, each with its row and column."""
    return _Reading(name, zone).parse(_text(data, name, encoding))


def render(overrides: Iterable[Override], *, zone: ZoneInfo, encoding: ExportEncoding = ExportEncoding.UTF_8) -> bytes:
    """The rows as a file that `parse` reads back as they were. Codes that a spreadsheet would spoil are guarded.

    Raises UnicodeEncodeError where the encoding lacks a character.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=NEWLINE)
    writer.writerow(COLUMNS)
    for each in overrides:
        writer.writerow(
            (
                _guarded(each.code),
                AUTO if each.auto else _number(each.buffer),
                _number(each.percent),
                NONE if each.unlimited else _number(each.maximum),
                _number(each.end_when),
                each.offset or "",
                "" if each.until is None else last_day(each.until, zone).isoformat(),
                YES if each.excluded else "",
            )
        )
    return out.getvalue().encode(encoding.codec)


def looks_like_formula(code: str) -> bool:
    """Whether a spreadsheet would work a code out instead of showing it."""
    return code.startswith(_FORMULA)


def _guarded(code: str) -> str:
    spoilt = looks_like_formula(code) or _SPOILT.fullmatch(code) is not None
    return f'="{code}"' if spoilt and '"' not in code else code


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _text(data: bytes, name: str, encoding: ExportEncoding) -> str:
    if len(data) > MOST_BYTES:
        raise FileRefused((Problem(files.TOO_BIG, name, values={"limit": MOST_BYTES}),))
    marked = data.startswith(b"\xef\xbb\xbf")
    utf_8 = Encoding.UTF_8_SIG if marked else Encoding.UTF_8
    values: dict[str, object] = {"encoding": "UTF-8" if encoding is ExportEncoding.UTF_8 else "Shift_JIS"}
    try:
        return decode(data, utf_8 if encoding is ExportEncoding.UTF_8 else Encoding.CP932)
    except WrongMark:
        shown = " ".join(f"{byte:02X}" for byte in data[:3])
        problem = Problem(problems.UNDECODABLE, name, 1, "1", 0, values=values | {"bytes": shown})
    except Undecodable as error:
        row, column = place_of_end(error.before, Delimiter.CSV)
        problem = Problem(
            problems.UNDECODABLE, name, row, str(column), error.offset, values=values | {"bytes": error.shown}
        )
    raise FileRefused((problem,))


class _Reading:
    """One file on its way from text to overrides."""

    def __init__(self, name: str, zone: ZoneInfo) -> None:
        self.name, self.zone = name, zone
        self.header: list[str] = []
        self.problems: list[Problem] = []
        self.rows: dict[str, int] = {}

    def parse(self, text: str) -> tuple[Override, ...]:
        rows = self._table(text)
        if not rows:
            raise FileRefused((Problem(files.NOTHING, self.name),))
        self._read_header(rows[0])
        found = [each for each in map(self._row, rows[1:]) if each is not None]
        if self.problems:
            raise FileRefused(tuple(self.problems[:MOST_PROBLEMS]))
        return tuple(found)

    def _table(self, text: str) -> list[list[Field]]:
        rows: list[list[Field]] = [[]]
        try:
            for each in fields(text, Delimiter.CSV):
                rows[-1].append(each)
                if each.ends_row:
                    rows.append([])
        except BrokenTable as broken:
            values = {"found": broken.found_en, "found_ja": broken.found_ja}
            problem = Problem(broken.reason, self.name, broken.row, str(broken.column), values=values)
            raise FileRefused((problem,)) from None
        return [row for row in rows if row and not (len(row) == 1 and not row[0].value)]

    def _read_header(self, row: Sequence[Field]) -> None:
        self.header = [each.value for each in row]
        for number, each in enumerate(row):
            if each.value in self.header[:number]:
                self._note(files.HEADER_TWICE, each, name=each.value)
            elif each.value not in COLUMNS:
                self._note(problems.UNKNOWN_COLUMN, each, name=each.value[:_SHOWN], columns=", ".join(COLUMNS))
        if "code" not in self.header:
            found = ", ".join(self.header)
            self.problems.append(
                Problem(files.HEADER_MISSING, self.name, 1, values={"name": "code", "found": found[:200]})
            )
        if self.problems:
            raise FileRefused(tuple(self.problems))

    def _row(self, row: Sequence[Field]) -> Override | None:
        if len(row) != len(self.header):
            values = {"found": len(row), "expected": len(self.header)}
            self.problems.append(Problem(files.WRONG_FIELD_COUNT, self.name, row[-1].row, values=values))
            return None
        found = dict(zip(self.header, row, strict=True))
        before, code = len(self.problems), unguarded(found["code"].value)
        if not code:
            self._note(files.NO_SKU, found["code"])
        first = self.rows.setdefault(code, row[0].row)
        if code and first != row[0].row:
            self._note(problems.TWICE, found["code"], code, first=first)
        words = {column: unguarded(each.value) for column, each in found.items()}
        offset = self._whole(found, code, "offset", LARGEST_UNITS, least=-LARGEST_UNITS)
        until = self._day(found, code)
        if until is not None and not offset:
            self._note(problems.ALONE, found["until"], code)
        made = Override(
            code=code,
            buffer=None if words.get("buffer") == AUTO else self._whole(found, code, "buffer", LARGEST_UNITS),
            auto=words.get("buffer") == AUTO,
            percent=self._whole(found, code, "percent", 100),
            maximum=None if words.get("max") == NONE else self._whole(found, code, "max", LARGEST_UNITS),
            unlimited=words.get("max") == NONE,
            end_when=self._whole(found, code, "end_when", LARGEST_UNITS),
            offset=offset or 0,
            until=until,
            excluded=self._excluded(found, code),
            row=row[0].row,
        )
        return made if len(self.problems) == before else None

    def _whole(self, found: Mapping[str, Field], code: str, name: str, most: int, least: int = 0) -> int | None:
        """A whole number, or None where nothing is written; one that is wrong is noted."""
        each = found.get(name)
        text = "" if each is None else unguarded(each.value)
        if each is None or not text:
            return None
        try:
            number = read_quantity(text, negative=True)
        except BadValue as bad:
            self._note(bad.reason, each, code, **bad.values)
            return None
        if not least <= number <= most:
            self._note(problems.OUT_OF_RANGE, each, code, value=number, least=least, most=most)
            return None
        return number

    def _day(self, found: Mapping[str, Field], code: str) -> datetime | None:
        each = found.get("until")
        text = "" if each is None else unguarded(each.value)
        if each is None or not text:
            return None
        parts = _DAY.fullmatch(text)
        try:
            if parts is not None:
                return end_of(date(int(parts[1]), int(parts[3]), int(parts[4])), self.zone)
        except (ValueError, OverflowError):
            pass
        self._note(problems.BAD_DATE, each, code, value=text[:_SHOWN])
        return None

    def _excluded(self, found: Mapping[str, Field], code: str) -> bool:
        each = found.get("exclude")
        text = "" if each is None else unguarded(each.value)
        if each is not None and text not in ("", YES):
            self._note(problems.BAD_EXCLUDE, each, code, value=text[:_SHOWN])
        return text == YES

    def _note(self, reason: Reason, each: Field, code: str = "", **values: object) -> None:
        column = self.header[each.column - 1] if each.column <= len(self.header) else str(each.column)
        self.problems.append(Problem(reason, self.name, each.row, column, sku=code, values=values))
