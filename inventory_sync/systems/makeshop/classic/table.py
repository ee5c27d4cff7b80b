"""One CSV file of MakeShop as a table: bytes in, checked rows out, or a refusal with file, row and column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from inventory_sync.systems.errors import PartnerError
from inventory_sync.systems.makeshop.classic import layouts, problems
from inventory_sync.systems.makeshop.classic.layouts import Encoding, is_system_code

UTF_8_MARK = b"\xef\xbb\xbf"
UNLIMITED_WORDS = frozenset({"", "NULL"})  # an empty number is no limit; NULL is how the manual writes "nothing"

# Long descriptions and prices are nobody's business here, and a big shop's would fill the memory.
KEPT_COLUMNS = frozenset(
    (
        *layouts.PRODUCT_NEEDED,
        *layouts.OPTION_NEEDED,
        layouts.NAME,
        layouts.DISPLAY,
        layouts.OPTION_ITEM_1,
        layouts.OPTION_ITEM_2,
    )
)

_GUARD = re.compile(r'="([^"]*)"')
_NUMBER = re.compile(r"-?[0-9]{1,9}")
# What Windows' code page leaves undefined, and Python decodes all the same.
_NOT_SHIFT_JIS = re.compile("[\u0080\u00a0\uf8f0-\uf8f3]")


class Kind(StrEnum):
    """Which of the two files."""

    PRODUCT = "product"
    OPTION = "option"

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns that must be there."""
        return layouts.PRODUCT_NEEDED if self is Kind.PRODUCT else layouts.OPTION_NEEDED


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file as it was uploaded: its name and its bytes."""

    name: str
    content: bytes


class GenerationRefused(PartnerError):
    """The pair of files cannot be used and nothing of it was. `row` counts lines from 1; 0: the file as a whole.

    `offset`: of the byte that cannot be read, counted from 0, where that is the reason.
    """

    def __init__(
        self, message: str, *, file: str, row: int, column: str, code: str, remedy: str, offset: int | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.file = file
        self.row = row
        self.column = column
        self.remedy = remedy
        self.offset = offset


class ColumnsChanged(GenerationRefused):
    """A file has other columns than the accepted ones: read it again with `found`, once a person has confirmed them."""

    def __init__(self, file: str, accepted: tuple[str, ...], found: tuple[str, ...]) -> None:
        added = [name for name in found if name not in accepted]
        removed = [name for name in accepted if name not in found]
        changes = [f"new: {', '.join(added)}"] * bool(added) + [f"gone: {', '.join(removed)}"] * bool(removed)
        what = "; ".join(changes) or "the same columns in another order"
        problem = problems.COLUMNS_CHANGED
        super().__init__(
            problem.text(f"{file}: {what}"), file=file, row=1, column="", code=problem.code, remedy=problem.remedy_en
        )
        self.accepted = accepted
        self.found = found


@dataclass(frozen=True, slots=True)
class Row:
    """One row by column names, with the guard of spreadsheets taken off. `number`: its first line, from 1."""

    number: int
    values: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def get(self, column: str) -> str:
        """The value, or nothing where the file has no such column."""
        return self.values.get(column, "")


@dataclass(frozen=True, slots=True)
class Table:
    """One file, read whole. Every row has a system code and a quantity that can be understood."""

    file: str
    kind: Kind
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def quantity(self, row: Row) -> int | None:
        """The number of a row; None: not limited."""
        text = row[layouts.QUANTITY]
        return None if text in UNLIMITED_WORDS else int(text)


def refused(file: str, row: int, column: str, what: str, *, offset: int | None = None) -> GenerationRefused:
    """The refusal that names a place and what is wrong there."""
    place = f"{file}, row {row}" if row else file
    where = f"{place}, {column}" if column else place
    problem = problems.FILE_REFUSED
    text = problem.text(f"{where}: {what}")
    return GenerationRefused(
        text, file=file, row=row, column=column, code=problem.code, remedy=problem.remedy_en, offset=offset
    )


def read_table(file: NamedFile, kind: Kind, encoding: Encoding, *, allow_missing_end: bool = False) -> Table:
    """The table of a file. Raises GenerationRefused for anything in it that is not as it must be."""
    text = _decode(file, encoding)
    _check_end(file.name, text, allow_missing_end)
    records = _records(file.name, text)
    number, columns = next(records, (0, ()))
    _check_header(file.name, kind, columns)
    rows = []
    for number, record in records:
        if len(record) != len(columns):
            what = f"{len(record)} columns where the header has {len(columns)}; the file is cut or a quote is missing"
            raise refused(file.name, number, "", what)
        values = zip(columns, record, strict=True)
        row = Row(number, {name: _unguarded(value) for name, value in values if name in KEPT_COLUMNS})
        _check_row(file.name, row)
        rows.append(row)
    if kind is Kind.PRODUCT and not rows:
        raise refused(file.name, 0, "", "it holds no product; an empty shop is more likely an empty file")
    return Table(file.name, kind, columns, tuple(rows))


def columns_of(file: NamedFile, encoding: Encoding) -> tuple[str, ...]:
    """The column names of a file. Raises GenerationRefused where its text cannot be read."""
    _, columns = next(_records(file.name, _decode(file, encoding)), (0, ()))
    return columns


def kind_of(columns: Sequence[str]) -> Kind | None:
    """Which of the two files has these columns, or None."""
    if set(layouts.OPTION_NEEDED) <= set(columns):
        return Kind.OPTION
    return Kind.PRODUCT if set(layouts.PRODUCT_NEEDED) <= set(columns) else None


def _decode(file: NamedFile, encoding: Encoding) -> str:
    content = file.content
    marked = content.startswith(UTF_8_MARK)
    if encoding is Encoding.SHIFT_JIS:
        if marked:
            raise refused(file.name, 1, "", "declared as Shift_JIS, but it begins with the mark of UTF-8", offset=0)
        shift = 0
    else:
        shift = len(UTF_8_MARK) if marked else 0
    try:
        text = content[shift:].decode("cp932" if encoding is Encoding.SHIFT_JIS else "utf-8")
    except UnicodeDecodeError as error:
        raise _undecodable(file, encoding, shift + error.start) from error
    if encoding is Encoding.SHIFT_JIS and (odd := _NOT_SHIFT_JIS.search(text)):
        raise _undecodable(file, encoding, len(text[: odd.start()].encode("cp932")))
    if "\0" in text:
        raise _undecodable(file, encoding, content.index(b"\0"))
    return text


def _undecodable(file: NamedFile, encoding: Encoding, offset: int) -> GenerationRefused:
    before = file.content[:offset]
    row = before.count(b"\n") + 1
    in_row = offset - (before.rfind(b"\n") + 1)
    what = f"byte {offset} of the file ({in_row} of its line) is no character of {encoding.value}"
    return refused(file.name, row, "", what, offset=offset)


def _check_end(name: str, text: str, allow_missing_end: bool) -> None:
    """The last line of a file that was cut has no end, even where every column is there."""
    if text and not text.endswith(("\n", "\r")) and not allow_missing_end:
        raise refused(name, text.count("\n") + 1, "", "the last line has no line end; the file may be cut")


def _records(name: str, text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Records with the number of their first line; empty lines at the end are none."""
    reader = csv.reader(io.StringIO(text.rstrip("\r\n") + "\n" if text else "", newline=""), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            what = "a quote is not closed" if "unexpected end" in str(error) else str(error)
            raise refused(name, number, "", f"{what}; the file is cut or damaged") from error
        if record is None:
            return
        yield number, tuple(record)


def _check_header(name: str, kind: Kind, columns: Sequence[str]) -> None:
    if not columns:
        raise refused(name, 0, "", "the file is empty")
    lacking = [column for column in kind.needed if column not in columns]
    if lacking or kind_of(columns) is not kind:
        other = kind_of(columns)
        if other is not None and other is not kind:
            raise refused(name, 1, "", f"this is the {other} file, where the {kind} file belongs")
        what = f"no column {', '.join(lacking)}; is it the {kind} file, and is its encoding the declared one?"
        raise refused(name, 1, "", what)
    twice = [column for column in kind.needed if list(columns).count(column) > 1]
    if twice:
        raise refused(name, 1, twice[0], "the column stands in the header twice")


def _check_row(name: str, row: Row) -> None:
    code = row[layouts.SYSTEM_CODE]
    if not is_system_code(code):
        hint = "; leading zeros were lost in a spreadsheet" if code.isascii() and code.isdigit() else ""
        raise refused(name, row.number, layouts.SYSTEM_CODE, f"{code[:40]!r} has not 12 digits{hint}")
    quantity = row[layouts.QUANTITY]
    if quantity not in UNLIMITED_WORDS and not _NUMBER.fullmatch(quantity):
        what = f"{quantity[:40]!r} is no whole number in plain digits"
        raise refused(name, row.number, layouts.QUANTITY, what)


def _unguarded(value: str) -> str:
    found = _GUARD.fullmatch(value)
    return found[1] if found else value
