"""A book's levels as a file, in the columns of a profile, so that it can be read back as it was written.

Shift_JIS here is code page 932, which is what Japanese desktop programs mean by it. Its 0x8160 reads back as the
full-width tilde (U+FF5E). The wave dash (U+301C) looks the same and is another code, so it is refused, not replaced: a
SKU that comes back changed matches nothing, or something else.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from inventory_sync.ledger.files.problems import Language
from inventory_sync.ledger.files.profile import Delimiter, FileProfile

NEWLINE = "\r\n"


class ExportEncoding(StrEnum):
    """What an exported file may be written in. Both have CRLF; UTF-8 has a byte order mark, for spreadsheets."""

    UTF_8 = "utf-8"
    SHIFT_JIS = "shift_jis"

    @property
    def codec(self) -> str:
        return "utf-8-sig" if self is ExportEncoding.UTF_8 else "cp932"


# Characters that code page 932 lacks, and the one beside it that it has and that readers take it for.
_LOOKALIKES = {
    "\u301c": "\uff5e",  # wave dash, full-width tilde
    "\u2212": "\uff0d",  # minus sign, full-width hyphen-minus
    "\u2014": "\u2015",  # em dash, horizontal bar
    "\u2016": "\u2225",  # double vertical line, parallel to
    "\u00a2": "\uffe0",  # cent sign, full-width cent sign
    "\u00a3": "\uffe1",  # pound sign, full-width pound sign
    "\u00ac": "\uffe2",  # not sign, full-width not sign
}


class ExportRefused(Exception):
    """A character cannot be written in the chosen encoding. Nothing was written."""

    code = "IS-FIL-025"

    def __init__(self, sku: str, column: str, character: str) -> None:
        self.sku, self.column, self.character = sku, column, character
        super().__init__(self.text("en"))

    def text(self, language: Language) -> str:
        """What cannot be written where, and what would help."""
        like = _LOOKALIKES.get(self.character)
        shown = f"{self.character!r} (U+{ord(self.character):04X})"
        if language == "en":
            look = f" Shift_JIS only has {like!r} (U+{ord(like):04X}), which is another code." if like else ""
            return (
                f"SKU {self.sku!r}, column {self.column!r}: Shift_JIS cannot hold {shown}.{look} Nothing was written. "
                "Export as UTF-8, or change that code."
            )
        look = f"Shift_JISにあるのは別の文字 {like!r} (U+{ord(like):04X}) です。" if like else ""
        return (
            f"SKU {self.sku!r} の列 {self.column!r}: {shown} はShift_JISで表せません。{look}"
            "何も書き出していません。UTF-8で書き出すか、コードを変更してください。"
        )


@dataclass(frozen=True, slots=True)
class ExportLevel:
    """One level: `quantity` in units, what others are told."""

    sku: str
    location: str
    label: str
    quantity: int
    changed_at: datetime


def export(
    levels: Iterable[ExportLevel],
    profile: FileProfile,
    encoding: ExportEncoding = ExportEncoding.UTF_8,
    *,
    guard: bool = False,
) -> bytes:
    """The whole file: the profile's columns, CRLF, rows by location and SKU in code-point order.

    `guard` writes each SKU as ="SKU", so that a spreadsheet keeps its zeros; reading the file takes the guard off.
    Raises ExportRefused naming SKU and character where the encoding lacks one.
    """
    columns = profile.columns.named()
    _check([(name, name) for name in columns.values()], "", encoding)
    rows = [list(columns.values())]
    for level in sorted(levels, key=lambda each: (each.location, each.sku, each.label)):
        values = _values(level, list(columns), profile, guard=guard)
        _check(list(zip(columns.values(), values, strict=True)), level.sku, encoding)
        rows.append(values)
    return _text(rows, profile.delimiter).encode(encoding.codec)


def _text(rows: Sequence[Sequence[str]], delimiter: Delimiter) -> str:
    if delimiter is Delimiter.TSV:
        # The ledger has no code with a tab or a line break in it, so nothing needs quotes.
        return "".join("\t".join(row) + NEWLINE for row in rows)
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=NEWLINE).writerows(rows)
    return out.getvalue()


def _values(level: ExportLevel, wanted: Sequence[str], profile: FileProfile, *, guard: bool) -> list[str]:
    known = {
        "sku": f'="{level.sku}"' if guard and '"' not in level.sku else level.sku,
        "quantity": str(level.quantity),
        "location": level.location,
        "label": level.label,
        "updated_at": level.changed_at.astimezone(profile.timezone).isoformat(timespec="microseconds"),
        "mode": "set",
        "reference": "",
    }
    return [known[name] for name in wanted]


def _check(values: Sequence[tuple[str, str]], sku: str, encoding: ExportEncoding) -> None:
    """Make sure that the values come back as they are. Raises ExportRefused."""
    for column, value in values:
        for character in value if not value.isascii() else "":
            try:
                same = character.encode(encoding.codec).decode(encoding.codec) == character
            except UnicodeEncodeError:
                same = False
            if not same:
                raise ExportRefused(sku, column, character)
