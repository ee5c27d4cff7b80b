"""Folds of an item code, each undoing one kind of damage; used to *report* near misses, never to match.

A code is folded by a set of kinds, always in one fixed order, so that two codes that are equal under every fold can be
asked which of them they needed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum


class DifferenceKind(StrEnum):
    """One way in which two codes that mean the same item differ."""

    BLANK = "blank"  # a space, tab, no-break space, ideographic space, zero-width or other invisible character
    COMPOSITION = "composition"  # か + combining mark against が
    WIDTH = "width"  # full-width against half-width, half-width katakana, wave dash against tilde
    DASH = "dash"  # another hyphen, dash, minus or prolonged sound mark
    WRAPPER = "wrapper"  # ="CODE"
    APOSTROPHE = "apostrophe"  # 'CODE
    CASE = "case"
    DECIMAL = "decimal"  # CODE.0
    HYPHEN = "hyphen"  # a hyphen is there or not
    LEADING_ZERO = "leading_zero"
    SCIENTIFIC = "scientific"  # 4.9E+12


FOLDS: tuple[DifferenceKind, ...] = tuple(kind for kind in DifferenceKind if kind is not DifferenceKind.SCIENTIFIC)
"""The kinds that a fold undoes, in the order in which they are undone."""

EVERY_FOLD = frozenset(FOLDS)

_BLANK_RANGES = (
    (0x0000, 0x0020), (0x007F, 0x00A0), (0x00AD, 0x00AD), (0x061C, 0x061C), (0x115F, 0x1160), (0x1680, 0x1680),
    (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x2800, 0x2800), (0x3000, 0x3000),
    (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
)  # fmt: skip
BLANKS = frozenset(chr(point) for first, last in _BLANK_RANGES for point in range(first, last + 1))
"""Characters that leave no mark on a screen: controls, spaces, fillers and zero-width marks."""

DASHES = frozenset("-\u02d7\u058a\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\u2500\u2501\u2796"
                   "\u2e3a\u2e3b\u30fc\ufe58\ufe63\uff0d\uff70")  # fmt: skip
"""Characters that people and keyboards write for a hyphen, the prolonged sound mark of katakana among them."""

_WIDE = re.compile("[\uff01-\uff9f\uffa1-\uffee]+")
_WAVE_DASH = "\u301c"
_WRAPPED = re.compile(r'="(.*)"', re.DOTALL)
_DECIMAL = re.compile(r"([0-9]+)\.0+")
_NO_BLANKS = dict.fromkeys(map(ord, BLANKS))
_NO_DASHES = dict.fromkeys(map(ord, DASHES))
_ONE_DASH = dict.fromkeys(map(ord, DASHES), "-")


def fold(value: str, kinds: frozenset[DifferenceKind] = EVERY_FOLD) -> str:
    """`value` with every difference of the given kinds undone.

    >>> fold(" ａｂｃ－０１ ")
    'abc01'
    >>> fold("ABC 01", frozenset({DifferenceKind.CASE}))
    'abc 01'
    """
    for kind, undo in _STEPS:
        if kind in kinds:
            value = undo(value)
    return value


def _without_blanks(value: str) -> str:
    return value.translate(_NO_BLANKS)


def _composed(value: str) -> str:
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _one_width(value: str) -> str:
    if value.isascii():
        return value
    narrow = _WIDE.sub(lambda run: unicodedata.normalize("NFKC", run[0]), value)
    return narrow.replace(_WAVE_DASH, "~")


def _one_dash(value: str) -> str:
    return value if value.isascii() else value.translate(_ONE_DASH)


def _unwrapped(value: str) -> str:
    found = _WRAPPED.fullmatch(value) if value.startswith("=") else None
    return found[1] if found else value


def _without_apostrophe(value: str) -> str:
    return value[1:] if value.startswith("'") and len(value) > 1 else value


def _without_decimal(value: str) -> str:
    found = _DECIMAL.fullmatch(value) if value.endswith("0") else None
    return found[1] if found else value


def _without_hyphens(value: str) -> str:
    return value.translate(_NO_DASHES) or value


def _without_leading_zeros(value: str) -> str:
    return value.lstrip("0") or value[-1:]


_STEPS: tuple[tuple[DifferenceKind, Callable[[str], str]], ...] = (
    (DifferenceKind.BLANK, _without_blanks),
    (DifferenceKind.COMPOSITION, _composed),
    (DifferenceKind.WIDTH, _one_width),
    (DifferenceKind.DASH, _one_dash),
    (DifferenceKind.WRAPPER, _unwrapped),
    (DifferenceKind.APOSTROPHE, _without_apostrophe),
    (DifferenceKind.CASE, str.casefold),
    (DifferenceKind.DECIMAL, _without_decimal),
    (DifferenceKind.HYPHEN, _without_hyphens),
    (DifferenceKind.LEADING_ZERO, _without_leading_zeros),
)


def differing_kinds(one: str, other: str) -> tuple[DifferenceKind, ...]:
    """The fewest kinds, all of them needed, under which two different codes with the same full fold are equal.

    Which of two kinds that could each explain a difference is named depends on nothing but the codes: a hyphen that is
    absent is preferred last, a difference of width first.

    >>> [kind.value for kind in differing_kinds("ABC-1 ", "abc1")]
    ['blank', 'case', 'hyphen']
    """
    needed = set(FOLDS)
    for kind in reversed(FOLDS):
        fewer = frozenset(needed - {kind})
        if fold(one, fewer) == fold(other, fewer):
            needed = set(fewer)
    return tuple(kind for kind in FOLDS if kind in needed)


SCIENTIFIC = re.compile(r"([0-9])(?:\.([0-9]+))?e\+?([0-9]{1,2})")
"""How a spreadsheet shows a long number; matched against a folded code (lower case, no hyphens)."""


def scientific_key(folded: str) -> tuple[str, int] | None:
    """The digits that a spreadsheet left of a number, and its exponent; None where the code is no such number.

    >>> scientific_key("4.9e+12")
    ('49', 12)
    """
    found = SCIENTIFIC.fullmatch(folded)
    if found is None or found[1] == "0":
        return None
    digits, exponent = found[1] + (found[2] or ""), int(found[3])
    return (digits, exponent) if len(digits) <= exponent + 1 else None


def rounded_key(folded: str, places: int) -> tuple[str, int] | None:
    """The digits and exponent that a spreadsheet would show of a whole number at so many significant digits.

    >>> rounded_key("4901234567894", 2)
    ('49', 12)
    >>> rounded_key("995", 2)
    ('10', 3)
    """
    if not (folded.isascii() and folded.isdigit()) or folded[0] == "0" or not places <= len(folded) <= 100:
        return None
    cut = len(folded) - places
    half = 5 * 10 ** (cut - 1) if cut else 0
    digits = str((int(folded) + half) // 10**cut)
    return digits[:places], len(folded) - 1 + len(digits) - places
