"""A problem that an adapter reports: a stable code, what is wrong and what to do, in English and Japanese."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem as a person reads it. Exceptions carry `code` and the English sentence plus particulars."""

    code: str
    en: str
    ja: str
    remedy_en: str
    remedy_ja: str

    def text(self, particulars: str = "") -> str:
        """The English sentence, with particulars behind a colon where there are any.

        No sentence has a colon of its own, so that the particulars can be told behind it in any language.
        """
        return f"{self.en}: {particulars}" if particulars else self.en

    def text_ja(self, particulars: str = "") -> str:
        """The Japanese sentence, in the same way."""
        return f"{self.ja}: {particulars}" if particulars else self.ja
