"""Every reason for which a stock file is refused: a stable code, and sentences in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Language = Literal["ja", "en"]


class Confirm(StrEnum):
    """What a person can confirm so that a refused file is taken in after all."""

    COLUMNS = "columns"
    SHRINK = "shrink"


@dataclass(frozen=True, slots=True)
class Reason:
    """One kind of refusal. The sentences are templates; `confirm` names what overrules it, if anything does."""

    code: str
    en: str
    ja: str
    confirm: Confirm | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal in one file: row and column count from 1 (the header is row 1), `offset` is in bytes from 0.

    `column` is the header's name where the header could be read, else the field's number.
    """

    reason: Reason
    file: str
    row: int | None = None
    column: str = ""
    offset: int | None = None
    sku: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return self.reason.code

    def text(self, language: Language = "en") -> str:
        """The sentence without the place."""
        return (self.reason.en if language == "en" else self.reason.ja).format_map(self.values)

    def place(self, language: Language = "en") -> str:
        """Where it is: file, row, column, byte."""
        row, column, byte = ("row", "column", "byte") if language == "en" else ("行", "列", "バイト")
        parts = [self.file]
        parts += [f"{row} {self.row}"] if self.row is not None else []
        parts += [f"{column} {self.column}"] if self.column else []
        parts += [f"{byte} {self.offset}"] if self.offset is not None else []
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.place()}: {self.text()} [{self.code}]"


class FileRefused(Exception):
    """A file is refused as a whole, for every problem named. `rows`: number and SKU of the rows that could be read."""

    def __init__(self, problems: tuple[Problem, ...], rows: tuple[tuple[int, str], ...] = ()) -> None:
        super().__init__("\n".join(map(str, problems[:5])))
        self.problems = problems
        self.rows = rows

    @property
    def confirm(self) -> frozenset[Confirm] | None:
        """What a person would have to confirm; None where confirming cannot help."""
        wanted = {problem.reason.confirm for problem in self.problems}
        found = frozenset(each for each in wanted if each is not None)
        return None if None in wanted else found


UNDECODABLE = Reason(
    "IS-FIL-001",
    "These bytes are not {encoding}: {bytes}. The file is damaged, or has another encoding than declared.",
    "{encoding}として読めないバイトです({bytes})。ファイルの破損か、宣言した文字コードの誤りです。",
)
WRONG_MARK = Reason(
    "IS-FIL-002",
    "{found}, but the profile declares {encoding}. Declare {instead}, or have the file made as declared.",
    "プロファイルの宣言は{encoding}ですが、{found_ja}。{instead}を宣言するか、宣言どおりのファイルにしてください。",
)
UNTERMINATED = Reason(
    "IS-FIL-003",
    "A quote is opened here and never closed: the file is cut, or a quote is not doubled.",
    "ここで始まる引用符が閉じていません。ファイルが途中で切れているか、引用符が二重になっていません。",
)
SHORT_LAST_ROW = Reason(
    "IS-FIL-004",
    "The last row has {found} fields and the header {expected}: the file is cut.",
    "最終行の項目数が{found}で、見出しの{expected}と合いません。ファイルが途中で切れています。",
)
NO_FINAL_NEWLINE = Reason(
    "IS-FIL-005",
    "The file does not end with a line break, so its last number may be cut. If the source never writes one, declare "
    "`final_newline: optional`.",
    "ファイルが改行で終わっていないため、最後の数値が切れている可能性があります。出力元が末尾の改行を付けない場合は "
    "`final_newline: optional` を宣言してください。",
)
WRONG_FIELD_COUNT = Reason(
    "IS-FIL-006",
    "This row has {found} fields and the header {expected}.",
    "この行の項目数は{found}で、見出しの{expected}と合いません。",
)
STRAY_CHARACTER = Reason(
    "IS-FIL-007",
    "{found} cannot stand here.",
    "{found_ja}は、ここでは使えません。",
)
HEADER_MISSING = Reason(
    "IS-FIL-008",
    "The header has no column {name!r} (it has: {found}).",
    "見出しに列 {name!r} がありません(ある列: {found})。",
)
HEADER_TWICE = Reason(
    "IS-FIL-009",
    "The header names column {name!r} twice.",
    "見出しに列 {name!r} が2回あります。",
)
COLUMNS_CHANGED = Reason(
    "IS-FIL-010",
    "The columns are not those of the last accepted file: new {added}, gone {removed}. Confirm the new layout with "
    "`inventory-sync ledger import FILE --confirm-columns`.",
    "前回受け付けたファイルと列が異なります(追加 {added}、なくなった列 {removed})。新しい列でよければ "
    "`inventory-sync ledger import FILE --confirm-columns` で確認してください。",
    Confirm.COLUMNS,
)
EMPTY = Reason(
    "IS-FIL-011",
    "The file holds no rows. If that is meant, confirm with `inventory-sync ledger import FILE --confirm-shrink`.",
    "ファイルに明細がありません。意図したものなら "
    "`inventory-sync ledger import FILE --confirm-shrink` で確認してください。",
    Confirm.SHRINK,
)
SHRUNK = Reason(
    "IS-FIL-012",
    "{what} fell from {before} to {after}, by more than {percent} %. If that is meant, confirm with "
    "`inventory-sync ledger import FILE --confirm-shrink`.",
    "{what_ja}が{before}から{after}へ、{percent}%を超えて減りました。意図したものなら "
    "`inventory-sync ledger import FILE --confirm-shrink` で確認してください。",
    Confirm.SHRINK,
)
NOT_A_NUMBER = Reason(
    "IS-FIL-013",
    "{value!r} is not a plain whole number. {hint}",
    "{value!r}は半角の整数ではありません。{hint_ja}",
)
NEGATIVE = Reason(
    "IS-FIL-014",
    "{value} is below zero. If this source may do that, declare `negative: true`.",
    "{value}はマイナスです。出力元にマイナスがあり得る場合は `negative: true` を宣言してください。",
)
TOO_LARGE = Reason(
    "IS-FIL-015",
    "{value} is beyond what a stock number can be ({limit}).",
    "{value}は在庫数の上限({limit})を超えています。",
)
NO_SKU = Reason(
    "IS-FIL-016",
    "The SKU is empty.",
    "SKUが空です。",
)
NO_LOCATION = Reason(
    "IS-FIL-017",
    "The location is empty.",
    "ロケーションが空です。",
)
BAD_TIME = Reason(
    "IS-FIL-018",
    "{value!r} is not a time such as 2026-01-31 09:05:00 or 2026-01-31T09:05:00+09:00, or lies in the future.",
    "{value!r}は 2026-01-31 09:05:00 または 2026-01-31T09:05:00+09:00 の形の日時でないか、未来の日時です。",
)
BAD_MODE = Reason(
    "IS-FIL-019",
    "{value!r} is not a mode; write set or add.",
    "{value!r}は指定できません。set または add と書いてください。",
)
TWICE = Reason(
    "IS-FIL-020",
    "This SKU and location stand in row {first} already.",
    "同じSKUとロケーションが{first}行目にあります。",
)
OLDER = Reason(
    "IS-FIL-021",
    "This file ({this}) is older than {last_name!r} ({last}), which was applied.",
    "このファイル({this})は、適用済みの {last_name!r}({last})より古いものです。",
)
NO_SEQUENCE = Reason(
    "IS-FIL-022",
    "The file's name holds no number as the profile's `sequence` {pattern!r} describes it.",
    "ファイル名に、プロファイルの `sequence` {pattern!r} が示す番号がありません。",
)
TOO_BIG = Reason(
    "IS-FIL-023",
    "The file is larger than {limit} bytes, the most that is read. Have it made in parts.",
    "ファイルが上限の{limit}バイトを超えています。分割してください。",
)
NOT_BOOKED = Reason(
    "IS-FIL-024",
    "The ledger refuses this row: {reason}",
    "台帳がこの行を受け付けません: {reason_ja}",
)
NOT_READABLE = Reason(
    "IS-FIL-032",
    "The file cannot be opened: the service's account may not read it.",
    "サービスの実行アカウントに読み取り権限がないため、ファイルを開けません。",
)
NOTHING = Reason(
    "IS-FIL-031",
    "The file is empty: it has not even a header.",
    "ファイルが空です。見出しもありません。",
)
SAME_SEQUENCE = Reason(
    "IS-FIL-029",
    "A file with the same number and other content was applied ({last_name!r}).",
    "同じ番号で内容の異なるファイルが適用済みです({last_name!r})。",
)
