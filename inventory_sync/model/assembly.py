"""What a person says of codes beside the two catalogues, and what the pairs are made of (the truth model's rule 3.12).

A code table says which ledger code a channel code stands for. A set or pack says of which ledger codes, and how many
units of each, one listing is made. Both are exact, and neither is ever believed in half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from inventory_sync.model.ids import ItemId
from inventory_sync.model.matching import Ambiguous, Candidate, MatchReport, match
from inventory_sync.model.near_misses import near_misses


class Why(StrEnum):
    """Why a code is ambiguous."""

    TWICE_IN_LEDGER = "twice_in_ledger"
    TWICE_IN_CHANNEL = "twice_in_channel"
    TWICE_ON_BOTH = "twice_on_both"
    FIELDS_DISAGREE = "fields_disagree"
    SET_AND_ITEM = "set_and_item"


class Trouble(StrEnum):
    """What is wrong with a line of a code table or with a set."""

    NO_SUCH_LEDGER_CODE = "no_such_ledger_code"
    NO_SUCH_CHANNEL_CODE = "no_such_channel_code"
    UNKNOWN_COMPONENT = "unknown_component"
    AMBIGUOUS_COMPONENT = "ambiguous_component"
    NO_SUCH_LISTING = "no_such_listing"


@dataclass(frozen=True, slots=True)
class Sayings:
    """What a person supplied: ledger codes by channel code, and of each set the units by component's ledger code.

    `same`: several listings of the channel may share one ledger item, or one set.
    """

    codes: Mapping[str, str]
    sets: Mapping[str, Mapping[str, int]]
    same: bool = False


@dataclass(frozen=True, slots=True)
class Assigned:
    """A channel item and what its stock is made of: ledger items, each with its ratio ≥ 1. `value` names it."""

    channel: ItemId
    value: str
    parts: tuple[tuple[ItemId, int], ...]
    is_set: bool


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """A code that matches nothing before a person decides, with the labels of the items on both sides."""

    value: str
    why: Why
    ledger: tuple[str, ...]
    channel: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong with what a person supplied. `value` is the channel's code or the set's, `other` the ledger's.

    `hint_en`, `hint_ja`: how a code of the ledger almost is the one that was named, where one is.
    """

    trouble: Trouble
    value: str
    other: str = ""
    hint_en: str = ""
    hint_ja: str = ""


@dataclass(frozen=True, slots=True)
class Assembly:
    """What is to be paired, and all that is not. `report` lists no set on the ledger's side."""

    assigned: tuple[Assigned, ...]
    ambiguous: tuple[Ambiguity, ...]
    complaints: tuple[Complaint, ...]
    report: MatchReport


def assemble(ledger: Iterable[Candidate], channel: Iterable[Candidate], said: Sayings) -> Assembly:
    """Match two catalogues by equal codes, with a person's code table and sets; in time linear in their sizes.

    The code table goes before the fields: an item with a code that the table names is matched by the table alone. A
    code that names a set and is an item's code as well is ambiguous.

    >>> made = assemble(
    ...     [Candidate(ItemId(1), "A"), Candidate(ItemId(2), "B")],
    ...     [Candidate(ItemId(8), "A+2B")],
    ...     Sayings({}, {"A+2B": {"A": 1, "B": 2}}),
    ... )
    >>> [(each.channel, each.parts) for each in made.assigned]
    [(8, ((1, 1), (2, 2)))]
    """
    ledger, channel = tuple(ledger), tuple(channel)
    by_code: dict[str, dict[ItemId, None]] = {}
    for each in ledger:
        if each.value:
            by_code.setdefault(each.value, {})[each.item] = None
    sets = {ItemId(-number): value for number, value in enumerate(said.sets, 1)}
    targets = (*ledger, *(Candidate(item, value, value) for item, value in sets.items()))
    found = match(targets, _translated(channel, said.codes), same=said.same)
    parts, broken = _parts(said.sets, by_code)
    listed = {sets[each.ledger] for each in found.matched if each.ledger in sets}
    labels = {each.item: each.label for each in (*targets, *channel)}
    assigned = tuple(
        Assigned(each.channel, each.value, parts[each.value], True)
        if each.ledger in sets
        else Assigned(each.channel, each.value, ((each.ledger, 1),), False)
        for each in found.matched
        if each.ledger not in sets or each.value in parts
    )
    ambiguous = tuple(_ambiguity(each, sets, labels) for each in found.ambiguous)
    contested = {each.value for each in ambiguous}
    unlisted = [
        Complaint(Trouble.NO_SUCH_LISTING, value)
        for value in said.sets
        if value not in listed and value not in contested
    ]
    complaints = (*_of_codes(said, by_code, channel), *broken, *unlisted)
    report = _report(found, ledger, channel, assigned, sets)
    return Assembly(assigned, ambiguous, tuple(_with_hints(complaints, by_code)), report)


def _translated(channel: Sequence[Candidate], codes: Mapping[str, str]) -> tuple[Candidate, ...]:
    """The channel's candidates with the ledger's codes that the table gives them, in place of all their own."""
    if not codes:
        return tuple(channel)
    named = {each.item for each in channel if each.value in codes}
    return tuple(
        replace(each, value=codes[each.value]) if each.item in named else each
        for each in channel
        if each.item not in named or each.value in codes
    )


def _parts(
    sets: Mapping[str, Mapping[str, int]], by_code: Mapping[str, Mapping[ItemId, None]]
) -> tuple[dict[str, tuple[tuple[ItemId, int], ...]], list[Complaint]]:
    """The ledger items of every set that is whole, and what is wrong with the others."""
    whole: dict[str, tuple[tuple[ItemId, int], ...]] = {}
    complaints: list[Complaint] = []
    for value, components in sets.items():
        troubles: list[Complaint] = []
        parts: list[tuple[ItemId, int]] = []
        for code, ratio in components.items():
            items = tuple(by_code.get(code, ()))
            if len(items) == 1:
                parts.append((items[0], ratio))
            else:
                trouble = Trouble.AMBIGUOUS_COMPONENT if items else Trouble.UNKNOWN_COMPONENT
                troubles.append(Complaint(trouble, value, code))
        complaints += troubles
        if not troubles:
            whole[value] = tuple(parts)
    return whole, complaints


def _of_codes(
    said: Sayings, by_code: Mapping[str, Mapping[ItemId, None]], channel: Sequence[Candidate]
) -> list[Complaint]:
    """Lines of the code table that lead nowhere, or come from nowhere. A line may also lead to a set."""
    theirs = {each.value for each in channel} if said.codes else set()
    found: list[Complaint] = []
    for value, other in said.codes.items():
        if other not in by_code and other not in said.sets:
            found.append(Complaint(Trouble.NO_SUCH_LEDGER_CODE, value, other))
        elif value not in theirs:
            found.append(Complaint(Trouble.NO_SUCH_CHANNEL_CODE, value, other))
    return found


def _with_hints(complaints: Iterable[Complaint], by_code: Mapping[str, object]) -> list[Complaint]:
    """The complaints, those about codes that the ledger does not have with the codes it has almost."""
    complaints = tuple(complaints)
    lacking = (Trouble.NO_SUCH_LEDGER_CODE, Trouble.UNKNOWN_COMPONENT)
    asked = {each.other for each in complaints if each.trouble in lacking}
    near = {miss.channel: miss.difference for miss in near_misses(by_code, asked).listed} if asked else {}
    return [
        replace(each, hint_en=near[each.other].explanation_en, hint_ja=near[each.other].explanation_ja)
        if each.trouble in lacking and each.other in near
        else each
        for each in complaints
    ]


def _ambiguity(found: Ambiguous, sets: Mapping[ItemId, str], labels: Mapping[ItemId, str]) -> Ambiguity:
    if found.crossed:
        why = Why.FIELDS_DISAGREE
    elif found.on_ledger and any(item in sets for item in found.ledger):
        why = Why.SET_AND_ITEM
    elif found.on_ledger:
        why = Why.TWICE_ON_BOTH if found.on_channel else Why.TWICE_IN_LEDGER
    else:
        why = Why.TWICE_IN_CHANNEL
    return Ambiguity(
        found.value,
        why,
        tuple(labels[item] for item in found.ledger),
        tuple(labels[item] for item in found.channel),
    )


def _report(
    found: MatchReport,
    ledger: Sequence[Candidate],
    channel: Sequence[Candidate],
    assigned: Sequence[Assigned],
    sets: Mapping[ItemId, str],
) -> MatchReport:
    """The report in terms of the catalogues: codes as the items carry them, and no set among the ledger's items."""
    used = {item for each in assigned for item, _ in each.parts}
    paired = {each.channel for each in assigned}
    open_channel = {item for each in found.ambiguous for item in each.channel}
    matched = tuple(each for each in found.matched if each.channel in paired)
    open_ledger = {item for each in found.ambiguous for item in each.ledger}
    return MatchReport(
        matched=matched,
        ambiguous=found.ambiguous,
        unmatched_ledger=tuple(each for each in ledger if each.item not in used and each.item not in open_ledger),
        unmatched_channel=tuple(each for each in channel if each.item not in paired and each.item not in open_channel),
        near=found.near,
    )
