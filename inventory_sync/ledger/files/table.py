"""Text to rows of fields, each with its place. CSV as RFC 4180 has it and nothing looser; TSV without quotes.

The standard library's reader accepts stray quotes and cannot say where a file breaks; a refusal must name the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from inventory_sync.ledger.files.problems import (
    NO_FINAL_NEWLINE,
    STRAY_CHARACTER,
    UNTERMINATED,
    Reason,
)
from inventory_sync.ledger.files.profile import Delimiter

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe]")
_PATTERNS = {
    Delimiter.CSV: re.compile(
        r'(?:"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"'
        r'|(?P<guarded>="[^",\r\n]*+")'
        r'|(?P<bare>[^",\r\n]*+))(?P<end>,|\r\n|\n|\Z)'
    ),
    Delimiter.TSV: re.compile(r"(?P<bare>[^\t\r\n]*+)(?P<end>\t|\r\n|\n|\Z)"),
}
_STOPS = {Delimiter.CSV: re.compile(r'[",\r\n]'), Delimiter.TSV: re.compile(r"[\t\r\n]")}
_CLOSED = re.compile(r'"[^"]*+(?:""[^"]*+)*+"')
_GUARD = re.compile(r'="([^"]*)"')
_NAMES = {
    '"': ("A quote", "引用符"),
    "\r": ("A carriage return without a line feed", "単独の復帰文字(CR)"),
}


class Field(NamedTuple):
    """One field: row and column from 1, the character of the text it begins at, and its value."""

    row: int
    column: int
    start: int
    value: str
    ends_row: bool


@dataclass(eq=False)
class BrokenTable(Exception):
    """The text is not a table. `start` is the character of the text where that shows."""

    reason: Reason
    row: int
    column: int
    start: int
    found_en: str = ""
    found_ja: str = ""


def fields(text: str, delimiter: Delimiter) -> Iterator[Field]:
    """Every field in order, quotes removed. Raises BrokenTable where the text is cut or is not a table.

    >>> [field.value for field in fields('a,"b ""x"" c"\\n', Delimiter.CSV)]
    ['a', 'b "x" c']
    """
    pattern = _PATTERNS[delimiter]
    position, row, column, length = 0, 1, 1, len(text)
    control = _CONTROL.search(text)
    limit = control.start() if control is not None else length
    while position < length:
        found = pattern.match(text, position)
        if found is None:
            raise _why(text, position, row, column, delimiter)
        if found.end() > limit:
            raise _stray(text, limit, row, column)
        end = found["end"]
        ends_row = end in ("\r\n", "\n", "")
        yield Field(row, column, position, _value(found), ends_row)
        position = found.end()
        if not ends_row:
            column += 1
            if position == length:
                yield Field(row, column, position, "", True)
        else:
            row, column = row + 1, 1


def place_of_end(text: str, delimiter: Delimiter) -> tuple[int, int]:
    """Row and column that the next character would belong to."""
    row, column = 1, 1
    try:
        for field in fields(text, delimiter):
            row, column = field.row, field.column
    except BrokenTable as broken:
        return broken.row, broken.column
    return (row + 1, 1) if text.endswith("\n") else (row, column)


def unguarded(value: str) -> str:
    """The code inside ="CODE", which keeps spreadsheets from taking a code for a number; anything else as it is.

    >>> unguarded('="0049"'), unguarded('=1+1'), unguarded(' ="0049"')
    ('0049', '=1+1', ' ="0049"')
    """
    found = _GUARD.fullmatch(value)
    return value if found is None else found[1]


def _value(found: re.Match[str]) -> str:
    groups = found.groupdict()
    quoted = groups.get("quoted")
    if quoted is not None:
        return quoted.replace('""', '"') if '"' in quoted else quoted
    guarded = groups.get("guarded")
    if guarded is not None:
        return guarded
    return groups["bare"] or ""


def _why(text: str, position: int, row: int, column: int, delimiter: Delimiter) -> BrokenTable:
    """What is wrong with the field that begins here and fits no pattern."""
    if delimiter is Delimiter.CSV and text[position] == '"':
        closed = _CLOSED.match(text, position)
        if closed is None:
            return BrokenTable(UNTERMINATED, row, column, position)
        return _after(text, closed.end(), row, column)
    if delimiter is Delimiter.CSV and text.startswith('="', position):
        stop = _STOPS[delimiter].search(text, position + 2)
        if stop is None:
            return BrokenTable(UNTERMINATED, row, column, position)
        return _after(text, stop.end() if stop[0] == '"' else position + 1, row, column)
    stop = _STOPS[delimiter].search(text, position)
    return _after(text, len(text) if stop is None else stop.start(), row, column)


def _after(text: str, position: int, row: int, column: int) -> BrokenTable:
    """The character at `position` cannot follow, or the text ends before it was complete."""
    if position >= len(text) or (text[position] == "\r" and position + 1 == len(text)):
        return BrokenTable(NO_FINAL_NEWLINE, row, column, min(position, len(text)))
    return _stray(text, position, row, column)


def _stray(text: str, position: int, row: int, column: int) -> BrokenTable:
    character = text[position]
    english, japanese = _NAMES.get(character, (f"{character!r} (U+{ord(character):04X})",) * 2)
    return BrokenTable(STRAY_CHARACTER, row, column, position, english, japanese)
