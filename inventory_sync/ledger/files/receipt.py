"""What became of a file, row by row: the answer that goes back to whoever sent it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from inventory_sync.ledger.files.problems import FileRefused, Language, Problem

RECEIPT_SUFFIX = ".result.csv"
COLUMNS = ("row", "sku", "outcome", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Verdict(StrEnum):
    """What became of the file as a whole."""

    APPLIED = "applied"
    ALREADY_APPLIED = "already_applied"
    REFUSED = "refused"


class RowOutcome(StrEnum):
    """What became of one row."""

    BOOKED = "booked"
    SUPERSEDED = "superseded"  # a newer count of the same cell had counted it already
    NOTHING = "nothing"  # a difference of 0
    ZEROED = "zeroed"  # the snapshot left it out
    ALREADY_APPLIED = "already_applied"
    REFUSED = "refused"
    NOT_APPLIED = "not_applied"  # nothing is wrong with it, but the file was refused


_REASONS: dict[RowOutcome, tuple[str, str]] = {
    RowOutcome.BOOKED: ("", ""),
    RowOutcome.SUPERSEDED: ("A newer count had counted it already.", "より新しい棚卸で計上済みです。"),
    RowOutcome.NOTHING: ("It adds nothing.", "加算数が0です。"),
    RowOutcome.ZEROED: ("The snapshot does not name it.", "スナップショットにありません。"),
    RowOutcome.ALREADY_APPLIED: ("This content was applied before.", "同じ内容のファイルが適用済みです。"),
    RowOutcome.NOT_APPLIED: ("The file was refused as a whole.", "ファイル全体を受け付けませんでした。"),
}


@dataclass(frozen=True, slots=True)
class RowResult:
    """One line of a receipt. `row` None: it speaks of the file, or of what the file left out."""

    row: int | None
    sku: str
    outcome: RowOutcome
    reason_en: str = ""
    reason_ja: str = ""

    def reason(self, language: Language) -> str:
        return self.reason_en if language == "en" else self.reason_ja


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a file. `problems` is empty unless it was refused."""

    file: str
    verdict: Verdict
    rows: tuple[RowResult, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many rows had each outcome."""
        return dict(sorted(Counter(row.outcome.value for row in self.rows).items()))

    def content(self, language: Language = "en") -> bytes:
        """The receipt as CSV: UTF-8 with byte order mark, CRLF, codes guarded where a spreadsheet would compute."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            writer.writerow(
                ("" if row.row is None else row.row, guarded(row.sku), row.outcome.value, row.reason(language))
            )
        return out.getvalue().encode("utf-8-sig", errors="backslashreplace")


def guarded(code: str) -> str:
    """The code as it is, or with an apostrophe before it where a spreadsheet would take it for a formula.

    >>> guarded("A-1"), guarded("=1+1")
    ('A-1', "'=1+1")
    """
    return f"'{code}" if code.startswith(_FORMULA) else code


def row_result(row: int | None, sku: str, outcome: RowOutcome) -> RowResult:
    """A line whose reason follows from its outcome."""
    return RowResult(row, sku, outcome, *_REASONS[outcome])


def refused(file: str, refusal: FileRefused) -> Receipt:
    """The receipt of a refused file: every problem, and the other rows, which were not applied either."""
    found = [_problem_line(problem) for problem in refusal.problems]
    named = {line.row for line in found}
    rest = [row_result(row, sku, RowOutcome.NOT_APPLIED) for row, sku in refusal.rows if row not in named]
    lines = sorted(found + rest, key=lambda line: (line.row is not None, line.row or 0))
    return Receipt(file, Verdict.REFUSED, tuple(lines), refusal.problems)


def already_applied(file: str, rows: Iterable[tuple[int, str]]) -> Receipt:
    """The receipt of a file whose content was applied before."""
    lines = tuple(row_result(row, sku, RowOutcome.ALREADY_APPLIED) for row, sku in rows)
    return Receipt(file, Verdict.ALREADY_APPLIED, lines)


def _problem_line(problem: Problem) -> RowResult:
    english, japanese = (f"{problem.text(each)} ({problem.place(each)}) [{problem.code}]" for each in ("en", "ja"))
    return RowResult(problem.row, problem.sku, RowOutcome.REFUSED, english, japanese)
