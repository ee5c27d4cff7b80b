"""Which item of the ledger is which item of the channel (the truth model's rule 3.12).

Codes match code point for code point: nothing is trimmed, folded or normalised. What almost matches is reported by
`inventory_sync.model.near_misses` and never acted upon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inventory_sync.model.ids import ItemId
from inventory_sync.model.near_misses import NearMisses, near_misses


@dataclass(frozen=True, slots=True)
class Candidate:
    """One code of one item. `value` is exact, blanks and all; "" means that the item has no such code.

    An item with several codes is given as several candidates, in the order of preference of its fields; `field` names
    the one that carries this code.
    """

    item: ItemId
    value: str
    label: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """Two items, each the only one on its side with this code; with `same` only the ledger's needs to be alone."""

    ledger: ItemId
    channel: ItemId
    value: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Items that share a code, or reach different partners by different codes: a person must say which is which.

    `on_ledger` and `on_channel` say on which side there is more than one; a side may be empty. `crossed`: the code by
    itself is clear, another code of one of the items says something else.
    """

    value: str
    ledger: tuple[ItemId, ...]
    channel: tuple[ItemId, ...]
    crossed: bool = False

    @property
    def on_ledger(self) -> bool:
        return len(self.ledger) > 1

    @property
    def on_channel(self) -> bool:
        return len(self.channel) > 1


@dataclass(frozen=True, slots=True)
class MatchReport:
    """The outcome for two catalogues, each part in the order of the input.

    An item with one code is in exactly one of the parts; one with several codes may be in several entries of
    `ambiguous`, and unmatched with each of its codes. An unmatched candidate with the value "" has no code to match by.
    """

    matched: tuple[Matched, ...]
    ambiguous: tuple[Ambiguous, ...]
    unmatched_ledger: tuple[Candidate, ...]
    unmatched_channel: tuple[Candidate, ...]
    near: NearMisses


def match(ledger: Iterable[Candidate], channel: Iterable[Candidate], *, same: bool = False) -> MatchReport:
    """Match two catalogues by equal codes; in time and memory linear in their sizes.

    `same`: several listings of the channel may show the stock of the one ledger item that has their code.

    >>> report = match([Candidate(ItemId(1), "A-1")], [Candidate(ItemId(8), "A-1"), Candidate(ItemId(9), "a-1")])
    >>> [(each.ledger, each.channel) for each in report.matched]
    [(1, 8)]
    >>> [each.item for each in report.unmatched_channel]
    [9]
    """
    ledger, channel = tuple(ledger), tuple(channel)
    by_value = _index(ledger), _index(channel)
    agreed, ambiguous = _by_value(*by_value, same=same)
    contested = [each for each in ambiguous if each.ledger and each.channel]
    matched, crossed = _without_crossings(agreed, contested, same=same)
    ambiguous += crossed
    settled_ledger = {pair.ledger for pair in matched} | {item for each in ambiguous for item in each.ledger}
    settled_channel = {pair.channel for pair in matched} | {item for each in ambiguous for item in each.channel}
    unmatched_ledger = _unmatched(ledger, settled_ledger)
    unmatched_channel = _unmatched(channel, settled_channel)
    return MatchReport(
        matched=tuple(matched),
        ambiguous=tuple(ambiguous),
        unmatched_ledger=unmatched_ledger,
        unmatched_channel=unmatched_channel,
        near=near_misses((each.value for each in unmatched_ledger), (each.value for each in unmatched_channel)),
    )


def _index(candidates: Iterable[Candidate]) -> dict[str, dict[ItemId, None]]:
    """Distinct items by code, in the order of the input."""
    found: dict[str, dict[ItemId, None]] = {}
    for each in candidates:
        if each.value:
            found.setdefault(each.value, {})[each.item] = None
    return found


def _by_value(
    ledger: Mapping[str, Mapping[ItemId, None]], channel: Mapping[str, Mapping[ItemId, None]], *, same: bool
) -> tuple[list[Matched], list[Ambiguous]]:
    matched: list[Matched] = []
    ambiguous: list[Ambiguous] = []
    for value in dict.fromkeys((*ledger, *channel)):
        here, there = tuple(ledger.get(value, ())), tuple(channel.get(value, ()))
        if len(here) > 1 or (len(there) > 1 and not same):
            ambiguous.append(Ambiguous(value, here, there))
        elif here:
            matched += [Matched(here[0], each, value) for each in there]
    return matched, ambiguous


def _without_crossings(
    agreed: Iterable[Matched], contested: Iterable[Ambiguous], *, same: bool
) -> tuple[list[Matched], list[Ambiguous]]:
    """Take out items that reach different partners by different codes; the same pair reached twice counts once."""
    pairs: dict[tuple[ItemId, ItemId], str] = {}
    of_ledger: dict[ItemId, dict[ItemId, None]] = {}
    of_channel: dict[ItemId, dict[ItemId, None]] = {}
    for each in agreed:
        pairs.setdefault((each.ledger, each.channel), each.value)
        of_ledger.setdefault(each.ledger, {})[each.channel] = None
        of_channel.setdefault(each.channel, {})[each.ledger] = None
    open_ledger: set[ItemId] = set()
    open_channel: set[ItemId] = set()
    for doubt in contested:
        open_ledger.update(doubt.ledger)
        open_channel.update(doubt.channel)
    matched: list[Matched] = []
    crossed: list[Ambiguous] = []
    for (here, there), value in pairs.items():
        channels = (there,) if same else tuple(of_ledger[here])
        ledgers = tuple(of_channel[there])
        alone = len(channels) == 1 and len(ledgers) == 1
        if alone and here not in open_ledger and there not in open_channel:
            matched.append(Matched(here, there, value))
        else:
            crossed.append(Ambiguous(value, ledgers, channels, crossed=True))
    return matched, crossed


def _unmatched(candidates: Iterable[Candidate], settled: set[ItemId]) -> tuple[Candidate, ...]:
    return tuple(each for each in candidates if each.item not in settled)
