"""Codes that almost match: found by folding, in linear time, and spelt out for a person in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nsmallest

from inventory_sync.model.difference import Difference, explain
from inventory_sync.model.folding import (
    EVERY_FOLD,
    DifferenceKind,
    differing_kinds,
    fold,
    rounded_key,
    scientific_key,
)

LISTED_PAIRS = 2_000
"""Pairs after which the report is full; the rest is counted. More than a person reads, little enough to keep."""

LISTED_PER_CODE = 3
"""Codes of each side that are listed where many share one fold, so that a group never grows with its square."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Two codes that are not equal and look as if they were meant to be."""

    ledger: str
    channel: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class NearMisses:
    """The listed pairs, and how many more were found and left out of the list."""

    listed: tuple[NearMiss, ...]
    left_out: int


def near_misses(
    ledger_values: Iterable[str], channel_values: Iterable[str], *, limit: int = LISTED_PAIRS
) -> NearMisses:
    """Pairs that differ only by blanks, width, dashes, case, leading zeros, hyphens or a spreadsheet's damage.

    Codes that are equal, empty, or nothing but blanks are no near misses. Whole groups are listed until `limit` pairs
    are reached. The outcome does not depend on the order of the input; while nothing is left out, swapping the sides
    swaps the pairs and changes nothing else.

    >>> [each.difference.explanation_en for each in near_misses(["ABC "], ["ABC"]).listed]
    ['"ABC␠" has a blank (U+0020) at the end; "ABC" has none.']
    """
    ledger, channel = _by_fold(ledger_values), _by_fold(channel_values)
    listed: list[NearMiss] = []
    found = 0
    for here, there, scientific in _groups(ledger, channel):
        found += len(here) * len(there) - len(set(here).intersection(there))
        if len(listed) >= limit:
            continue
        for one in nsmallest(LISTED_PER_CODE, here):
            for other in nsmallest(LISTED_PER_CODE, there):
                if one != other:
                    kinds = (DifferenceKind.SCIENTIFIC,) if scientific else differing_kinds(one, other)
                    listed.append(NearMiss(one, other, explain(one, other, kinds)))
    return NearMisses(tuple(listed), found - len(listed))


def _by_fold(values: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for value in dict.fromkeys(values):
        key = fold(value)
        if key:
            found.setdefault(key, []).append(value)
    return found


def _groups(ledger: dict[str, list[str]], channel: dict[str, list[str]]) -> Iterator[tuple[list[str], list[str], bool]]:
    """Groups of codes of both sides that share a fold, then those where one is what a spreadsheet made of another."""
    for key in sorted(ledger.keys() & channel.keys()):
        yield ledger[key], channel[key], False
    for damaged, whole in _scientific(ledger, channel):
        yield damaged, whole, True
    for damaged, whole in _scientific(channel, ledger):
        yield whole, damaged, True


def _scientific(damaged: dict[str, list[str]], whole: dict[str, list[str]]) -> Iterator[tuple[list[str], list[str]]]:
    """Codes such as 4.9E+12 on one side, each with the whole numbers of the other that would be shown like that."""
    wanted: dict[tuple[str, int], list[str]] = {}
    for key, values in damaged.items():
        short = scientific_key(key)
        if short is not None:
            plus = [each for each in values if scientific_key(fold(each, _KEEPING_HYPHENS))]
            wanted.setdefault(short, []).extend(plus)
    fitting: dict[tuple[str, int], list[str]] = {}
    for places in sorted({len(digits) for digits, _ in wanted}):
        for key, values in whole.items():
            shown = rounded_key(key, places)
            if shown is not None and wanted.get(shown):
                fitting.setdefault(shown, []).extend(values)
    for short in sorted(fitting):
        yield wanted[short], fitting[short]


_KEEPING_HYPHENS = EVERY_FOLD - {DifferenceKind.HYPHEN}
