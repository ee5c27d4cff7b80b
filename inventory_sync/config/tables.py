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
from inventory_sync.config.problems import not_readable, suggesting
from inventory_sync.ledger.files.profile import Delimiter
from inventory_sync.ledger.files.table import BrokenTable, Field, fields, unguarded
from inventory_sync.systems.problem import Problem

Line = TypeVar("Line")

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes of a code table or a file of sets: some hundred thousand lines, far beyond any catalogue's."""

LARGEST_RATIO = 1_000_000

CODE_COLUMNS = ("channel", "ledger")
SET_COLUMNS = ("set", "component", "ratio")
MOST_PROBLEMS = 50

NO_RATIO = Problem(
    ConfigCode.TABLE_LINE,
    "this is not a number of units",
    "個数として読み取れません",
    f"Write a whole number from 1 to {LARGEST_RATIO}, digits only.",
    f"1 から {LARGEST_RATIO} までの整数を、半角数字だけで書いてください。",
)
NO_VALUE = Problem(
    ConfigCode.TABLE_LINE,
    "there is no value",
    "値がありません",
    "Write one, or leave the line out.",
    "値を書くか、この行を削除してください。",
)
COLUMN_TWICE = Problem(
    ConfigCode.TABLE_COLUMN,
    "this column stands twice",
    "同じ列が二つあります",
    "Keep one.",
    "どちらか一つだけを残してください。",
)
NOT_UTF8 = Problem(
    ConfigCode.TABLE_FILE,
    "the file is not UTF-8 text from here on",
    "ここから先が UTF-8 のテキストではありません",
    "Save it as CSV UTF-8.",
    "CSV UTF-8 で保存し直してください。",
)
NO_END = Problem(
    ConfigCode.TABLE_FILE,
    "the last line has no end: the file may be cut",
    "最後の行に改行がありません(ファイルが途中で切れている可能性があります)",
    "End the last line with a line break.",
    "最後の行の末尾に改行を入れてください。",
)


def read_codes(reader: Reader, node: Node, path: str) -> tuple[tuple[str, str], ...] | None:
    """The code table that a value names: (channel code, ledger code) in the file's order; None if it is refused."""
    table = _open(reader, node, path, CODE_COLUMNS)
    if table is None:
        return None
    first: dict[str, int] = {}
    lines: list[tuple[str, str]] = []
    for line, (channel, ledger) in table.rows:
        if channel in first:
            problem = Problem(
                ConfigCode.TABLE_LINE,
                f"this channel code stands here and already on line {first[channel]}",
                f"この販売チャネルのコードは {first[channel]} 行目にもあります",
                "Keep one line for each channel code.",
                "販売チャネルのコードごとに 1 行だけを残してください。",
            )
            table.refuse(line, "channel", problem)
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
            problem = Problem(
                ConfigCode.TABLE_LINE,
                f"this component of this set stands here and already on line {first[value, component]}",
                f"このセットのこの構成品は {first[value, component]} 行目にもあります",
                "Write one line for each component, with the units of it as the ratio.",
                "構成品ごとに 1 行だけ書き、必要な個数を ratio に書いてください。",
            )
            table.refuse(line, "component", problem)
        first.setdefault((value, component), line)
        if not (ratio.isascii() and ratio.isdigit() and len(ratio) <= 7 and 1 <= int(ratio) <= LARGEST_RATIO):
            table.refuse(line, "ratio", NO_RATIO)
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

    def refuse(self, line: int, column: str, problem: Problem) -> None:
        place = self.headings.index(column) + 1
        _note(self.reader, self.file, line, place, column, problem)

    def whole(self, lines: list[Line]) -> tuple[Line, ...] | None:
        """What the file says, or None where something in it is wrong."""
        return tuple(lines) if len(self.reader.errors) == self.before else None


def _note(reader: Reader, file: str, line: int, column: int, name: str, problem: Problem) -> None:
    reader.errors.append(ConfigError(file, line, column, name, problem))


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
        _note(reader, file, line, broken.column, "", _broken(broken))
        return None
    if not rows:
        _note(reader, file, 1, 1, "", _nothing("the file is empty", "ファイルが空です", columns))
        return None
    headings = tuple(field.value for field in rows[0])
    if not _headings(reader, file, headings, columns):
        return None
    table = _Table(reader, file, headings, [], before)
    _fill(table, text, rows[1:], columns)
    if not table.rows and len(reader.errors) == before:
        english = "there is nothing below the heading line: the file may be cut"
        japanese = "見出し行の下に行がありません(ファイルが途中で切れている可能性があります)"
        _note(reader, file, 1, 1, "", _nothing(english, japanese, columns))
    return table


def _nothing(english: str, japanese: str, columns: tuple[str, ...]) -> Problem:
    """There is no line in the file, and why."""
    heading = ",".join(columns)
    return Problem(
        ConfigCode.TABLE_FILE,
        english,
        japanese,
        f"Write the heading line {heading} and a line for each code, or do not name the file.",
        f"見出し行 {heading} とコードごとの行を書くか、このファイルの指定をやめてください。",
    )


def _broken(broken: BrokenTable) -> Problem:
    said = (
        (
            f"there is a character that does not belong here: {broken.found_en}",
            f"ここでは使えない文字があります: {broken.found_ja}",
        )
        if broken.found_en
        else (
            "the file is cut here, or a quote is not closed",
            "ファイルがここで切れているか、引用符が閉じていません",
        )
    )
    return Problem(
        ConfigCode.TABLE_FILE,
        *said,
        "Save the file again as CSV with all of its lines; a quote inside a value is written twice.",
        "すべての行を含めて CSV で保存し直してください。値の中の引用符は二つ重ねて書きます。",
    )


def _text(reader: Reader, node: Node, path: str, name: str) -> str | None:
    """The text of the file, relative to the configuration file; None after noting why it cannot be read."""
    try:
        file = reader.directory / name
        if not file.is_file():
            said = ("there is no such file", "このファイルはありません")
        elif file.stat().st_size > LARGEST_FILE:
            limit = LARGEST_FILE // 1024 // 1024
            said = (f"the file is larger than {limit} MiB", f"ファイルが {limit} MiB を超えています")
        else:
            return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        _note(reader, str(reader.directory / name), line, 1, "", NOT_UTF8)
        return None
    except OSError as error:
        said = not_readable(error)
    except ValueError:
        said = ("the file cannot be read: this is not a path", "ファイルのパスとして使えません")
    remedy = (
        "Name a CSV file by its path from the configuration file.",
        "設定ファイルから見た CSV ファイルのパスを書いてください。",
    )
    reader.refuse(node, path, Problem(ConfigCode.TABLE_FILE, *said, *remedy))
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
            listed = ", ".join(columns)
            remedy = suggesting(nearest(name, columns), f"The columns are {listed}.", f"使える列: {listed}。")
            unknown = ("this column is not known", "この列はここでは使えません")
            _note(reader, file, 1, place, name[:40], Problem(ConfigCode.TABLE_COLUMN, *unknown, *remedy))
        elif name in found[: place - 1]:
            _note(reader, file, 1, place, name, COLUMN_TWICE)
    for name in columns:
        if name not in found:
            heading = ",".join(columns)
            remedy = (f"The heading line is {heading}.", f"見出し行は {heading} と書いてください。")
            missing = ("this column is missing", "この列がありません")
            _note(reader, file, 1, 1, name, Problem(ConfigCode.TABLE_COLUMN, *missing, *remedy))
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
            _note(table.reader, table.file, line, len(row), "", _wrong_length(len(row), len(table.headings)))
            continue
        values = tuple(unguarded(row[place].value) for place in order)
        for name, value in zip(columns, values, strict=True):
            if not value:
                table.refuse(line, name, NO_VALUE)
        if all(values):
            table.rows.append((line, values))
    if not text.endswith("\n"):
        _note(table.reader, table.file, text.count("\n") + 1, 1, "", NO_END)


def _wrong_length(found: int, wanted: int) -> Problem:
    return Problem(
        ConfigCode.TABLE_FILE,
        f"this line has {found} values where the heading has {wanted}: it may be cut",
        f"見出しが {wanted} 列なのに、この行には値が {found} 個あります(途中で切れている可能性があります)",
        "Save the file again with all of its columns on every line.",
        "どの行にもすべての列がある状態で保存し直してください。",
    )
