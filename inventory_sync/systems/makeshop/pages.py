"""Turning pages of lists that are shortened without a word (observed: 200 rows where 1,000 were asked for).

A list ends at an empty page, or at one that begins like the page before; a short page means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """The page to ask for, and the first row of the page before it."""

    number: int = 1
    before: str = ""

    @classmethod
    def at(cls, cursor: str | None) -> Page:
        """The page a cursor stands for; the first one without a cursor."""
        if cursor is None:
            return cls()
        number, _, before = cursor.partition("|")
        return cls(int(number), before)

    def ends(self, rows: Sequence[str]) -> bool:
        """Whether the list ended before these rows: they are none, or the page before once more."""
        return not rows or (self.number > 1 and rows[0] == self.before)

    def following(self, rows: Sequence[str]) -> str:
        """The cursor of the page behind these rows.

        >>> Page.at(Page().following(["a", "b"]))
        Page(number=2, before='a')
        """
        return f"{self.number + 1}|{rows[0]}"
