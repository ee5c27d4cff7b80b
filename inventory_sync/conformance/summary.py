"""What each adapter proves, as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_uppercase

from inventory_sync.conformance.book import Behaviour
from inventory_sync.systems.port import SystemDefinition

WIDTH = 8  # characters of a column


class State(StrEnum):
    """What became of one behaviour at one adapter."""

    PROVEN = "proven"
    FAILED = "FAILED"
    APPLIES = "applies"  # not run
    NOT_APPLICABLE = "-"


@dataclass(frozen=True, slots=True)
class Result:
    """The state, and why: what is wrong where it failed, the reason where it does not apply."""

    state: State
    why: str = ""


Results = Mapping[str, Mapping[str, Result]]
"""Adapter → behaviour's name → result. A behaviour that is missing does not apply."""


def applying(behaviours: Sequence[Behaviour], definition: SystemDefinition) -> dict[str, Result]:
    """What can be said of an adapter without a rig: which behaviours apply, and what it lacks for the others."""
    found = {}
    for each in behaviours:
        lacking = each.missing(definition)
        why = f"it does not declare {' and '.join(map(repr, map(str, lacking)))}"
        found[each.name] = Result(State.NOT_APPLICABLE, why) if lacking else Result(State.APPLIES)
    return found


def table(behaviours: Sequence[Behaviour], results: Results) -> list[str]:
    """Lines for people: the adapters by letter, then a table with a behaviour a row and an adapter a column.

    Its last row counts what is proven of what applies. Below it stands what failed and how, and what does not apply to
    which adapters and why.
    """
    letters = dict(zip(results, ascii_uppercase, strict=False))
    lines = [f"{letter}: {name}" for name, letter in letters.items()]
    lines.append(_row(letters.values(), "behaviour"))
    lines += [_row((_state(found, each) for found in results.values()), each.sentence) for each in behaviours]
    lines.append(_row((_count(found, behaviours) for found in results.values()), "proven, of those that apply"))
    for state, title in ((State.FAILED, "failed"), (State.NOT_APPLICABLE, "does not apply to")):
        lines += [
            f"{title} {' '.join(adapters)}: {why}: {', '.join(names)}"
            for (adapters, why), names in _reasons(behaviours, results, letters, state).items()
        ]
    return lines


def _row(cells: Iterable[str], text: str) -> str:
    return "".join(f"{cell:<{WIDTH}}" for cell in cells) + text


def _reasons(
    behaviours: Sequence[Behaviour], results: Results, letters: Mapping[str, str], state: State
) -> dict[tuple[tuple[str, ...], str], list[str]]:
    """(adapters, reason) → the behaviours that are in this state at all of these adapters for it."""
    grouped: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for each in behaviours:
        by_reason: dict[str, list[str]] = {}
        for name, found in results.items():
            result = found.get(each.name)
            if result is not None and result.state is state:
                by_reason.setdefault(result.why, []).append(letters[name])
        for why, adapters in by_reason.items():
            grouped.setdefault((tuple(adapters), why), []).append(each.name)
    return grouped


def _state(found: Mapping[str, Result], each: Behaviour) -> State:
    return found[each.name].state if each.name in found else State.NOT_APPLICABLE


def _count(found: Mapping[str, Result], behaviours: Sequence[Behaviour]) -> str:
    states = [_state(found, each) for each in behaviours]
    applicable = [state for state in states if state is not State.NOT_APPLICABLE]
    return f"{applicable.count(State.PROVEN)}/{len(applicable)}"
