"""CSV files that a person supplies beside the configuration: a code table, and what sets are made of.

A file is UTF-8 with a heading line, comma-separated as RFC 4180 has it, and taken whole or not at all. Values are
exact: nothing is trimmed. `="CODE"`, with which spreadsheets keep a code from becoming a number, stands for CODE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ruamel.yaml.nodes import Node

from inventory_sync.config.document import SetLine
from inventory_sync.config.errors import ConfigCode, ConfigError
from inventory_sync.config.nodes import Reader, nearest
from inventory_sync.ledger.files.profile import Delimiter
from inventory_sync.ledger.files.table import BrokenTable, Field, fields, unguarded

Line = TypeVar("Line")

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes of a code table or a file of sets: some hundred thousand lines, far beyond any catalogue's."""

LARGEST_RATIO = 1_000_000

CODE_COLUMNS = ("channel", "ledger")
SET_COLUMNS = ("set", "component", "ratio")
MOST_PROBLEMS = 50


def read_codes(reader: Reader, node: Node, path: str) -> tuple[tuple[str, str], ...] | None:
    """The code table that a value names: (channel code, ledger code) in the file's order; None if it is refused."""
    table = _open(reader, node, path, CODE_COLUMNS)
    if table is None:
        return None
    first: dict[str, int] = {}
    lines: list[tuple[str, str]] = []
    for line, (channel, ledger) in table.rows:
        if channel in first:
            message = f"this channel code stands here and already on line {first[channel]}"
            table.refuse(line, "channel", ConfigCode.TABLE_LINE, message, "Keep one line for each channel code.")
        first.setdefault(channel, line)
        lines.append((channel, ledger))
    return table.whole(lines)


def read_sets(reader: Reader, node: Node, path: str) -> tuple[SetLine, ...] | None:
    """The components of sets that a value's file lists, in its order; None if the file is refused."""
    table = _open(reader, node, path, SET_COLUMNS)
    if table is None:
        return None
    first: dict[tuple[str, str], int] = {}
    lines: list[SetLine] = []
    for line, (value, component, ratio) in table.rows:
        if (value, component) in first:
            message = f"this component of this set stands here and already on line {first[value, component]}"
            remedy = "Write one line for each component, with the units of it as the ratio."
            table.refuse(line, "component", ConfigCode.TABLE_LINE, message, remedy)
        first.setdefault((value, component), line)
        if not (ratio.isascii() and ratio.isdigit() and len(ratio) <= 7 and 1 <= int(ratio) <= LARGEST_RATIO):
            remedy = f"Write a whole number from 1 to {LARGEST_RATIO}, digits only."
            table.refuse(line, "ratio", ConfigCode.TABLE_LINE, "this is not a number of units", remedy)
            continue
        lines.append(SetLine(value, component, int(ratio)))
    return table.whole(lines)


@dataclass(slots=True)
class _Table:
    """A file whose heading fits, with the problems found in it so far."""

    reader: Reader
    file: str
    headings: tuple[str, ...]
    rows: list[tuple[int, tuple[str, ...]]]
    before: int

    def refuse(self, line: int, column: str, code: ConfigCode, message: str, remedy: str) -> None:
        place = self.headings.index(column) + 1
        _note(self.reader, self.file, line, place, column, code, message, remedy)

    def whole(self, lines: list[Line]) -> tuple[Line, ...] | None:
        """What the file says, or None where something in it is wrong."""
        return tuple(lines) if len(self.reader.errors) == self.before else None


def _note(
    reader: Reader, file: str, line: int, column: int, name: str, code: ConfigCode, message: str, remedy: str
) -> None:
    reader.errors.append(ConfigError(file, line, column, name, message, remedy, code))


def _open(reader: Reader, node: Node, path: str, columns: tuple[str, ...]) -> _Table | None:
    name = reader.text(node, path)
    text = None if name is None else _text(reader, node, path, name)
    if name is None or text is None:
        return None
    before = len(reader.errors)
    file = str(reader.directory / name)
    try:
        rows = _rows(text)
    except BrokenTable as broken:
        line = text.count("\n", 0, broken.start) + 1
        message = "the file is cut here, or a quote is not closed" if not broken.found_en else _stray(broken)
        remedy = "Save the file again as CSV with all of its lines; a quote inside a value is written twice."
        _note(reader, file, line, broken.column, "", ConfigCode.TABLE_FILE, message, remedy)
        return None
    remedy = f"Write the heading line {','.join(columns)} and a line for each code, or do not name the file."
    if not rows:
        _note(reader, file, 1, 1, "", ConfigCode.TABLE_FILE, "the file is empty", remedy)
        return None
    headings = tuple(field.value for field in rows[0])
    if not _headings(reader, file, headings, columns):
        return None
    table = _Table(reader, file, headings, [], before)
    _fill(table, text, rows[1:], columns)
    if not table.rows and len(reader.errors) == before:
        message = "there is nothing below the heading line: the file may be cut"
        _note(reader, file, 1, 1, "", ConfigCode.TABLE_FILE, message, remedy)
    return table


def _stray(broken: BrokenTable) -> str:
    return f"there is a character that does not belong here: {broken.found_en}"


def _text(reader: Reader, node: Node, path: str, name: str) -> str | None:
    """The text of the file, relative to the configuration file; None after noting why it cannot be read."""
    try:
        file = reader.directory / name
        if not file.is_file():
            reason = "there is no such file"
        elif file.stat().st_size > LARGEST_FILE:
            reason = f"the file is larger than {LARGEST_FILE // 1024 // 1024} MiB"
        else:
            return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        remedy = "Save it as CSV UTF-8."
        message = "the file is not UTF-8 text from here on"
        _note(reader, str(reader.directory / name), line, 1, "", ConfigCode.TABLE_FILE, message, remedy)
        return None
    except (OSError, ValueError) as error:
        reason = f"the file cannot be read: {getattr(error, 'strerror', None) or 'this is not a path'}"
    remedy = "Name a CSV file by its path from the configuration file."
    reader.refuse(node, path, ConfigCode.TABLE_FILE, reason, remedy)
    return None


def _rows(text: str) -> list[list[Field]]:
    rows: list[list[Field]] = []
    for field in fields(text, Delimiter.CSV):
        if field.row > len(rows):
            rows.append([])
        rows[-1].append(field)
    return rows


def _headings(reader: Reader, file: str, found: Sequence[str], columns: Sequence[str]) -> bool:
    before = len(reader.errors)
    for place, name in enumerate(found, 1):
        if name not in columns:
            near = nearest(name, columns)
            remedy = f"{f'Did you mean {near!r}? ' if near else ''}The columns are {', '.join(columns)}."
            message = "this column is not known"
            _note(reader, file, 1, place, name[:40], ConfigCode.TABLE_COLUMN, message, remedy)
        elif name in found[: place - 1]:
            _note(reader, file, 1, place, name, ConfigCode.TABLE_COLUMN, "this column stands twice", "Keep one.")
    for name in columns:
        if name not in found:
            remedy = f"The heading line is {','.join(columns)}."
            _note(reader, file, 1, 1, name, ConfigCode.TABLE_COLUMN, "this column is missing", remedy)
    return len(reader.errors) == before


def _fill(table: _Table, text: str, rows: Sequence[Sequence[Field]], columns: Sequence[str]) -> None:
    """Take the lines as values in the order of `columns`, or note what is wrong with them."""
    order = [table.headings.index(name) for name in columns]
    line, position = 1, 0
    for row in rows:
        if len(table.reader.errors) - table.before >= MOST_PROBLEMS:
            return
        line += text.count("\n", position, row[0].start)
        position = row[0].start
        if len(row) == 1 and not row[0].value:
            continue  # a blank line
        if len(row) != len(table.headings):
            message = f"this line has {len(row)} values where the heading has {len(table.headings)}: it may be cut"
            remedy = "Save the file again with all of its columns on every line."
            _note(table.reader, table.file, line, len(row), "", ConfigCode.TABLE_FILE, message, remedy)
            continue
        values = tuple(unguarded(row[place].value) for place in order)
        for name, value in zip(columns, values, strict=True):
            if not value:
                remedy = "Write one, or leave the line out."
                table.refuse(line, name, ConfigCode.TABLE_LINE, "there is no value", remedy)
        if all(values):
            table.rows.append((line, values))
    if not text.endswith("\n"):
        message, remedy = "the last line has no end: the file may be cut", "End the last line with a line break."
        _note(table.reader, table.file, text.count("\n") + 1, 1, "", ConfigCode.TABLE_FILE, message, remedy)
