"""How the effective quantity of a pool or a set comes about, in words (the truth model's rule 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inventory_sync.model.alignment import PreviewAction, PreviewRow

SPELT_OUT = 6
"""Components that a sentence spells out; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a pair: its location, the ledger's code, its ratio, and its own effective units.

    `effective` is None while it cannot be read; `intake`: what comes back from the channel goes here.
    """

    location: str
    code: str
    ratio: int
    effective: int | None
    intake: bool


def explained(row: PreviewRow, shape: str, parts: Sequence[Part]) -> PreviewRow:
    """A preview's line with what the ledger's number is made of. A pair with one ledger cell keeps its own words.

    >>> row = PreviewRow(PreviewAction.NOTHING, 7, 7, 0, "both sides agree already", "一致しています")
    >>> explained(row, "pool", [Part("Ginza", "A", 1, 3, True), Part("Osaka", "A", 1, 4, False)]).why_en
    'both sides agree already (the sum of Ginza 3 + Osaka 4)'
    >>> explained(row, "set", [Part("Ginza", "A", 2, 15, True), Part("Ginza", "B", 1, 9, True)]).why_en
    'both sides agree already (the smallest of A 15÷2=7, B 9÷1=9)'
    """
    if shape == "single" or not parts:
        return row
    listed = parts[:SPELT_OUT]
    rest = len(parts) - len(listed)
    if shape == "pool":
        summed = " + ".join(f"{each.location} {_number(each.effective)}" for each in listed)
        english = f"the sum of {summed}{f' + {rest} more' if rest else ''}"
        japanese = f"合計: {summed}{f' ほか{rest}か所' if rest else ''}"
        if row.action is PreviewAction.WRITE_LEDGER:
            intake = next((each.location for each in parts if each.intake), "")
            english += f"; the difference goes to {intake}"
            japanese += f"。差は{intake}に計上します"
    else:
        quotients = ", ".join(_quotient(each) for each in listed)
        english = f"the smallest of {quotients}{f' and {rest} more' if rest else ''}"
        japanese = f"最小: {quotients}{f' ほか{rest}点' if rest else ''}"
    return row._replace(why_en=f"{row.why_en} ({english})", why_ja=f"{row.why_ja} ({japanese})")


def _number(units: int | None) -> str:
    return "–" if units is None else str(units)


def _quotient(part: Part) -> str:
    whole = "–" if part.effective is None else str(part.effective // part.ratio)
    return f"{part.code} {_number(part.effective)}÷{part.ratio}={whole}"
