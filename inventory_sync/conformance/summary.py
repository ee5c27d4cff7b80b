"""What each adapter proves, as a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from inventory_sync.conformance.book import Behaviour


class State(StrEnum):
    """What became of one behaviour at one adapter."""

    PROVEN = "proven"
    FAILED = "FAILED"
    APPLIES = "applies"  # not run
    NOT_APPLICABLE = "-"


def table(behaviours: Sequence[Behaviour], results: Mapping[str, Mapping[str, State]]) -> list[str]:
    """Lines of a table: a behaviour a row, an adapter a column. `results`: adapter → behaviour's name → state.

    A behaviour without a state does not apply. The last line counts what is proven of what applies.
    """
    width = max((len(name) for name in [*results, State.APPLIES]), default=0) + 2
    lines = ["".join(f"{name:<{width}}" for name in results) + "behaviour"]
    for each in behaviours:
        states = [found.get(each.name, State.NOT_APPLICABLE) for found in results.values()]
        lines.append("".join(f"{state:<{width}}" for state in states) + each.sentence)
    counts = [_count(found, behaviours) for found in results.values()]
    lines.append("".join(f"{count:<{width}}" for count in counts) + "proven, of those that apply")
    return lines


def _count(found: Mapping[str, State], behaviours: Sequence[Behaviour]) -> str:
    states = [found.get(each.name, State.NOT_APPLICABLE) for each in behaviours]
    applicable = [state for state in states if state is not State.NOT_APPLICABLE]
    return f"{applicable.count(State.PROVEN)}/{len(applicable)}"
