"""Bytes to lines, or a refusal of the whole file that names file, row, column and byte. Pure, and strict throughout.

Nothing is trimmed, folded or guessed: a file either says in its declared form what it means, or it is not taken in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from inventory_sync.ledger.files import problems
from inventory_sync.ledger.files.decode import Undecodable, WrongMark, bytes_of, decode
from inventory_sync.ledger.files.problems import FileRefused, Problem, Reason
from inventory_sync.ledger.files.profile import FileProfile, FinalNewline, Mode
from inventory_sync.ledger.files.table import BrokenTable, Field, fields, place_of_end, unguarded
from inventory_sync.ledger.files.values import BadValue, read_mode, read_quantity, read_time

MOST_BYTES = 64 * 1024 * 1024
"""Larger files are refused before they are read into memory as text."""
MOST_PROBLEMS = 1000
"""Problems after which a file's list is long enough; the file is refused whole in any case."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """One row: `quantity` is whole (SET) or a difference (ADD), in units; without `as_of`, as of the file's time."""

    row: int
    sku: str
    location: str
    label: str
    mode: Mode
    quantity: int
    as_of: datetime | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file that is well formed. `header` in the file's order; `sha256` of its bytes, in hex."""

    name: str
    sha256: str
    header: tuple[str, ...]
    lines: tuple[FileLine, ...]

    @property
    def adds(self) -> bool:
        """True if some row adds, so that taking the file in twice would count twice."""
        return any(line.mode is Mode.ADD for line in self.lines)

    @property
    def stated_rows(self) -> int:
        """Rows that state a whole quantity."""
        return sum(line.mode is Mode.SET for line in self.lines)

    @property
    def stated_units(self) -> int:
        """The sum of the whole quantities."""
        return sum(line.quantity for line in self.lines if line.mode is Mode.SET)


def parse(data: bytes, profile: FileProfile, *, name: str, not_after: datetime | None = None) -> ParsedFile:
    """The lines of a file as its profile declares it. `not_after`: the latest time a row may bear.

    Raises FileRefused, with every bad value of the file where its form is good, and nothing else.
    """
    return _Reading(data, profile, name, not_after).parse()


class _Reading:
    """One file on its way from bytes to lines."""

    def __init__(self, data: bytes, profile: FileProfile, name: str, not_after: datetime | None) -> None:
        self.data = data
        self.profile = profile
        self.name = name
        self.not_after = not_after
        self.header: list[str] = []
        self.problems: list[Problem] = []
        self.cells: dict[tuple[str, str, str], int] = {}
        self.parts: set[tuple[str, str, str, str]] = set()

    def parse(self) -> ParsedFile:
        if len(self.data) > MOST_BYTES:
            raise self._refused(Problem(problems.TOO_BIG, self.name, values={"limit": MOST_BYTES}))
        text = self._text()
        rows = self._rows(text)
        if not rows:
            raise self._refused(Problem(problems.NOTHING, self.name))
        self._read_header(rows[0])
        self._check_shape(text, rows)
        lines = self._lines(rows[1:])
        if self.problems:
            position = self._positions().get("sku", 0)
            skus = tuple((row[0].row, unguarded(row[position].value)) for row in rows[1:])
            raise self._refused(*self.problems, rows=skus)
        return ParsedFile(self.name, hashlib.sha256(self.data).hexdigest(), tuple(self.header), tuple(lines))

    def _refused(self, *found: Problem, rows: tuple[tuple[int, str], ...] = ()) -> FileRefused:
        """The refusal, the characters that problems were found at turned into bytes."""
        at = {problem.offset for problem in found if problem.offset is not None}
        offsets = bytes_of(self.data, self.profile.encoding, at)
        return FileRefused(tuple(p if p.offset is None else replace(p, offset=offsets[p.offset]) for p in found), rows)

    def _text(self) -> str:
        encoding, delimiter = self.profile.encoding, self.profile.delimiter
        try:
            return decode(self.data, encoding)
        except WrongMark as wrong:
            values = {
                "found": wrong.found_en,
                "found_ja": wrong.found_ja,
                "encoding": encoding.value,
                "instead": str(wrong.instead),
            }
            raise FileRefused((Problem(problems.WRONG_MARK, self.name, offset=0, values=values),)) from None
        except Undecodable as error:
            row, column = place_of_end(error.before, delimiter)
            values = {"encoding": encoding.value, "bytes": error.shown}
            place = (row, str(column), error.offset)
            raise FileRefused((Problem(problems.UNDECODABLE, self.name, *place, values=values),)) from None

    def _rows(self, text: str) -> list[list[Field]]:
        rows: list[list[Field]] = []
        row: list[Field] = []
        try:
            for field in fields(text, self.profile.delimiter):
                row.append(field)
                if field.ends_row:
                    rows.append(row)
                    row = []
        except BrokenTable as broken:
            values = {"found": broken.found_en, "found_ja": broken.found_ja}
            place = (broken.row, str(broken.column), broken.start)
            raise self._refused(Problem(broken.reason, self.name, *place, values=values)) from None
        while rows and len(rows[-1]) == 1 and not rows[-1][0].value:
            rows.pop()
        return rows

    def _read_header(self, row: Sequence[Field]) -> None:
        self.header = [field.value for field in row]
        for index, field in enumerate(row):
            if field.value in self.header[:index]:
                raise self._refused(
                    self._problem(problems.HEADER_TWICE, field, number=True, values={"name": field.value})
                )
        for wanted in self.profile.columns.named().values():
            if wanted not in self.header:
                values = {"name": wanted, "found": ", ".join(self.header)}
                raise self._refused(Problem(problems.HEADER_MISSING, self.name, 1, values=values))

    def _check_shape(self, text: str, rows: Sequence[Sequence[Field]]) -> None:
        expected = len(self.header)
        for row in rows:
            if len(row) == expected:
                continue
            last = row is rows[-1]
            reason = problems.SHORT_LAST_ROW if last and len(row) < expected else problems.WRONG_FIELD_COUNT
            values = {"found": len(row), "expected": expected}
            raise self._refused(self._problem(reason, row[-1], number=True, values=values))
        if not text.endswith("\n") and self.profile.final_newline is FinalNewline.REQUIRED:
            raise self._refused(self._problem(problems.NO_FINAL_NEWLINE, rows[-1][-1]))

    def _positions(self) -> dict[str, int]:
        return {ours: self.header.index(header) for ours, header in self.profile.columns.named().items()}

    def _lines(self, rows: Sequence[Sequence[Field]]) -> list[FileLine]:
        positions = self._positions()
        lines = []
        for row in rows:
            if len(self.problems) >= MOST_PROBLEMS:
                break
            found = {ours: row[index] for ours, index in positions.items()}
            line = self._line(found)
            if line is not None:
                self._once(line, found["sku"])
                lines.append(line)
        return lines

    def _line(self, found: dict[str, Field]) -> FileLine | None:
        values = {ours: unguarded(field.value) for ours, field in found.items()}
        before, profile, sku = len(self.problems), self.profile, values["sku"]
        quantity, mode, as_of = 0, profile.mode, None
        if not sku:
            self._note(problems.NO_SKU, found["sku"])
        if "location" in found and not values["location"]:
            self._note(problems.NO_LOCATION, found["location"], sku)
        try:
            quantity = read_quantity(values["quantity"], negative=profile.negative)
        except BadValue as bad:
            self._note(bad.reason, found["quantity"], sku, **bad.values)
        try:
            mode = read_mode(values.get("mode", ""), profile)
        except BadValue as bad:
            self._note(bad.reason, found["mode"], sku, **bad.values)
        try:
            as_of = read_time(values.get("updated_at", ""), profile.timezone, not_after=self.not_after)
        except BadValue as bad:
            self._note(bad.reason, found["updated_at"], sku, **bad.values)
        if len(self.problems) > before:
            return None
        return FileLine(
            row=found["sku"].row,
            sku=sku,
            location=values.get("location", profile.location),
            label=values.get("label", "") or profile.label,
            mode=mode,
            quantity=quantity,
            as_of=as_of,
            reference=values.get("reference", ""),
        )

    def _once(self, line: FileLine, field: Field) -> None:
        """A cell stands in a file once; only differences that bear different references may share one."""
        cell = (line.sku, line.location, line.label)
        first = self.cells.setdefault(cell, line.row)
        told_apart = line.mode is Mode.ADD and line.reference != ""
        own = (*cell, line.reference if told_apart else "")
        if first != line.row and (not told_apart or own in self.parts or (*cell, "") in self.parts):
            self._note(problems.TWICE, field, line.sku, first=first)
        self.parts.add(own)

    def _note(self, reason: Reason, field: Field, sku: str = "", **values: object) -> None:
        self.problems.append(self._problem(reason, field, sku=sku, values=values))

    def _problem(
        self,
        reason: Reason,
        field: Field,
        *,
        number: bool = False,
        sku: str = "",
        values: Mapping[str, object] | None = None,
    ) -> Problem:
        named = not number and field.column <= len(self.header)
        column = self.header[field.column - 1] if named else str(field.column)
        return Problem(reason, self.name, field.row, column, field.start, sku, values or {})
