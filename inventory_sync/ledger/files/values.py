"""The values of a row: whole numbers in plain ASCII, a mode, a time. What is nearly right is refused with a hint."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from inventory_sync.ledger.files import problems
from inventory_sync.ledger.files.problems import Reason
from inventory_sync.ledger.files.profile import FileProfile, Mode
from inventory_sync.ledger.values import MOST

_MOST_SHOWN = 40

_PLAIN = re.compile(r"-?[0-9]+", re.ASCII)
_MOST_DIGITS = 30
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]*", re.ASCII)
_PLUS = re.compile(r"\+[0-9]+", re.ASCII)
_MINUS_SIGNS = "\u2212\u2010\u2011\u2012\u2013\u2014\u2015\uff0d\u30fc\u25b2\u25b3"
_TIME = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


class BadValue(Exception):
    """One value cannot be used. `values` fill the reason's sentences."""

    def __init__(self, reason: Reason, **values: object) -> None:
        super().__init__(reason.code)
        self.reason = reason
        self.values = values


def read_quantity(text: str, *, negative: bool) -> int:
    """A plain ASCII whole number. Raises BadValue with a hint at what was probably meant.

    >>> read_quantity("12", negative=False)
    12
    """
    if not _PLAIN.fullmatch(text):
        english, japanese = _hint(text)
        raise BadValue(problems.NOT_A_NUMBER, value=text[:_MOST_SHOWN], hint=english, hint_ja=japanese)
    if len(text) > _MOST_DIGITS or abs(int(text)) > MOST:
        raise BadValue(problems.TOO_LARGE, value=text[:_MOST_SHOWN], limit=MOST)
    number = int(text)
    if number < 0 and not negative:
        raise BadValue(problems.NEGATIVE, value=number)
    return number


def _hint(text: str) -> tuple[str, str]:
    if not text:
        return "An empty field is not zero.", "空欄はゼロとして扱いません。"
    if text != text.strip():
        return "There is a blank around it.", "前後に空白があります。"
    if _GROUPED.fullmatch(text):
        whole = text.replace(",", "")
        return f"Write {whole}, without separators.", f"桁区切りなしで {whole} と書いてください。"
    if _DECIMAL.fullmatch(text):
        return "Write no decimals.", "小数は使えません。"
    if _PLUS.fullmatch(text):
        return f"Write {text[1:]}, without the plus sign.", f"プラス記号なしで {text[1:]} と書いてください。"
    if text[0] in _MINUS_SIGNS and _PLAIN.fullmatch(text[1:]):
        return f"Write -{text[1:]}, with a hyphen-minus (U+002D).", f"半角ハイフンで -{text[1:]} と書いてください。"
    narrow = unicodedata.normalize("NFKC", text)
    if _PLAIN.fullmatch(narrow):
        return f"These are full-width digits: write {narrow}.", f"全角数字です。半角で {narrow} と書いてください。"
    return "Write digits 0 to 9 only.", "半角数字だけで書いてください。"


def read_mode(text: str, profile: FileProfile) -> Mode:
    """The row's mode; empty means the profile's. Raises BadValue."""
    try:
        return Mode(text) if text else profile.mode
    except ValueError:
        raise BadValue(problems.BAD_MODE, value=text[:_MOST_SHOWN]) from None


def read_time(text: str, zone: ZoneInfo, *, not_after: datetime | None = None) -> datetime | None:
    """The instant in UTC; without an offset it is meant in `zone`; empty is None. Raises BadValue.

    >>> read_time("2026/1/31 9:05", ZoneInfo("Asia/Tokyo")).isoformat()
    '2026-01-31T00:05:00+00:00'
    """
    if not text:
        return None
    bad = BadValue(problems.BAD_TIME, value=text[:_MOST_SHOWN])
    found = _TIME.fullmatch(text)
    if found is None:
        raise bad
    year, _, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        local = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            int((fraction or "").ljust(6, "0")),
            tzinfo=_zone(offset, zone),
        )
        instant = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad from None
    if not_after is not None and instant > not_after:
        raise bad
    return instant


def _zone(offset: str | None, zone: ZoneInfo) -> tzinfo:
    if offset is None:
        return zone
    if offset == "Z":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
