"""What a pair of files makes one wonder about, though both can be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.systems.makeshop.classic import layouts
from inventory_sync.systems.makeshop.classic.table import Table

STALE_AFTER = timedelta(hours=1)  # two downloads of one pair are minutes apart
SHOWN = 5  # examples in a sentence

# upload_YYYYMMDDhhmmss.csv and option_YYYYMMDDhhmmss.csv: names seen in an order system's manual.
_STAMP = re.compile(r"(?<![0-9])(20[0-9]{12})(?![0-9])")
_CODE_COLUMNS = (layouts.OWN_CODE, layouts.OPTION_CODE, layouts.JAN)


@dataclass(frozen=True, slots=True)
class FileWarning:
    """One doubt about a file. `code`: stale_pair, unknown_parent, no_own_code, two_homes. `row` 0: the whole file."""

    code: str
    file: str
    row: int
    en: str
    ja: str


def stale_pair(product: str, option: str) -> Iterator[FileWarning]:
    """Names that tell of downloads far apart."""
    made = [_made_at(name) for name in (product, option)]
    if made[0] is None or made[1] is None or abs(made[0] - made[1]) <= STALE_AFTER:
        return
    older = product if made[0] < made[1] else option
    yield FileWarning(
        "stale_pair",
        older,
        0,
        f"The files are from {made[0]:%Y-%m-%d %H:%M} and {made[1]:%Y-%m-%d %H:%M}: download both again.",
        f"ファイルの日時が{made[0]:%Y-%m-%d %H:%M}と{made[1]:%Y-%m-%d %H:%M}で異なります。両方を取得し直してください。",
    )


def unknown_parents(options: Table, products: Set[str]) -> Iterator[FileWarning]:
    """Options of products that the product file does not know: one of the two is older."""
    unknown = [row for row in options.rows if row[layouts.SYSTEM_CODE] not in products]
    if unknown:
        names = _examples(row[layouts.SYSTEM_CODE] for row in unknown)
        yield FileWarning(
            "unknown_parent",
            options.file,
            unknown[0].number,
            f"{len(unknown)} options belong to products the product file does not hold ({names}): download both again.",
            f"商品CSVにない商品のオプションが{len(unknown)}件あります({names})。両方をダウンロードし直してください。",
        )


def nameless(options: Table) -> Iterator[FileWarning]:
    """Options without an own code, or sharing one within their product: nothing tells them apart."""
    times = Counter((row[layouts.SYSTEM_CODE], row[layouts.OPTION_CODE]) for row in options.rows)
    found = [
        row
        for row in options.rows
        if not row[layouts.OPTION_CODE] or times[row[layouts.SYSTEM_CODE], row[layouts.OPTION_CODE]] > 1
    ]
    if found:
        names = _examples(row[layouts.SYSTEM_CODE] for row in found)
        yield FileWarning(
            "no_own_code",
            options.file,
            found[0].number,
            f"{len(found)} options have no own code, or one that another option of their product has too ({names}): "
            "they are listed and never written.",
            f"オプション独自コードがない、または同じ商品内で重複するオプションが{len(found)}件あります({names})。"
            "一覧には表示しますが、在庫は更新しません。",
        )


def two_homes(table: Table) -> Iterator[FileWarning]:
    """Codes with a character that Unicode has twice, such as the tilde: another system may write the other one."""
    found = [
        (row, column)
        for row in table.rows
        for column in _CODE_COLUMNS
        if not layouts.TWO_HOMES.isdisjoint(row.get(column))
    ]
    if found:
        row, column = found[0]
        odd = next(mark for mark in row[column] if mark in layouts.TWO_HOMES)
        yield FileWarning(
            "two_homes",
            table.file,
            row.number,
            f"{len(found)} codes hold a character that has a twin which looks the same ({column}: {odd!r}, "
            f"U+{ord(odd):04X}). It is kept as it is, so it matches only the same character elsewhere.",
            f"見た目が同じ別の文字を持つ文字がコードに{len(found)}件あります({column}: 「{odd}」U+{ord(odd):04X})。"
            "そのまま扱うため、相手側も同じ文字の場合だけ一致します。",
        )


def _made_at(name: str) -> datetime | None:
    found = _STAMP.search(name)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], "%Y%m%d%H%M%S")  # noqa: DTZ007 - two stamps of one clock, only ever compared
    except ValueError:
        return None


def _examples(values: Iterator[str]) -> str:
    distinct = list(dict.fromkeys(values))
    return ", ".join(distinct[:SHOWN]) + (" …" if len(distinct) > SHOWN else "")
