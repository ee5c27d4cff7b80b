"""Lines on their way to entries. Pure: what the database knows of their cells is handed in."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from inventory_sync.ledger.errors import Fault, Refused
from inventory_sync.ledger.problems import Problem
from inventory_sync.ledger.reckon import CellState, reckon, split
from inventory_sync.ledger.values import Adjust, Entry, Line

TICK = timedelta(microseconds=1)
"""Between two entries of a book, at least."""

CellKey = tuple[str, str, str]
"""SKU, location, label."""


def cell_of(line: Line) -> CellKey:
    """The cell a line is about."""
    return line.sku, line.location, line.label


def fingerprint(lines: Sequence[Line]) -> bytes:
    """SHA-256 of what lines say, the same for the same lines only."""
    return hashlib.sha256(orjson.dumps([[type(line).__name__, line] for line in lines])).digest()


@dataclass(slots=True)
class Draft:
    """Lines on their way to entries: the cells as they stand after each line, and what is wrong with which."""

    start: datetime
    sequence: int
    actor: str
    key: str | None
    states: dict[CellKey, CellState]
    negative: dict[str, bool]
    later: list[int]

    def book(self, lines: Sequence[Line]) -> list[Entry]:
        """The entries of all lines. Raises Refused."""
        faults: list[Fault] = []
        entries: list[Entry] = []
        moves: defaultdict[CellKey, list[tuple[datetime, int]]] = defaultdict(list)
        for number, line in enumerate(lines):
            booked_at = self.start + number * TICK
            as_of = booked_at if line.as_of is None else min(line.as_of.astimezone(UTC), booked_at)
            cell = cell_of(line)
            # What this request itself has booked for later times is not in the database yet.
            later = self.later[number] + sum(units for time, units in moves[cell] if time > as_of)
            step = reckon(self.states[cell], line, at=as_of, later=later, negative=self.negative[line.label])
            if isinstance(step, Problem):
                faults.append(_fault(number, line, step, self.states[cell]))
                continue
            self.states[cell] = step.state
            if step.delta:
                moves[cell].append((as_of, step.delta))
            _, owed = split(step.state.quantity, negative=self.negative[line.label])
            entries.append(
                Entry(
                    sequence=self.sequence + number + 1,
                    sku=line.sku,
                    location=line.location,
                    label=line.label,
                    kind=line.kind,
                    asked=line.delta if isinstance(line, Adjust) else line.quantity,
                    delta=step.delta,
                    quantity=step.state.quantity,
                    owed=owed,
                    outcome=step.outcome,
                    reason=line.reason,
                    actor=self.actor,
                    reference=line.reference,
                    key=self.key,
                    line=number,
                    as_of=as_of,
                    booked_at=booked_at,
                )
            )
        if faults:
            raise Refused(faults)
        return entries


def _fault(number: int, line: Line, problem: Problem, state: CellState) -> Fault:
    field = "delta" if isinstance(line, Adjust) else "quantity"
    there = f"{line.sku!r} at {line.location!r} ({line.label}) has {state.quantity}"
    return Fault(number, field, problem, f"{problem.en} {there}.")
