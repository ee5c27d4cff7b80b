"""How the ledger says no. Whatever is raised here, nothing was changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inventory_sync.ledger.problems import KEY_CONFLICT, NO_BOOK, REFUSED, Problem


class LedgerError(Exception):
    """The ledger cannot do what it was asked. `problem` is the kind, `message` says it of this case."""

    def __init__(self, problem: Problem, message: str = "") -> None:
        super().__init__(message or problem.en)
        self.problem = problem
        self.message = message or problem.en

    @property
    def code(self) -> str:
        return self.problem.code


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one line (counted from 0), in which field, and what would be right."""

    line: int
    field: str
    problem: Problem
    message: str

    @property
    def code(self) -> str:
        return self.problem.code


class Refused(LedgerError):
    """Some lines cannot be booked, so none was. `faults` names them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(REFUSED, f"{REFUSED.en} Line {first.line + 1}, {first.field}: {first.message}{more}")


class KeyConflict(LedgerError):
    """The idempotency key was used before, for something else."""

    def __init__(self, key: str) -> None:
        super().__init__(KEY_CONFLICT, f"{KEY_CONFLICT.en} ({key})")


class NoSuchBook(LedgerError):
    """There is no book of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(NO_BOOK, f"{NO_BOOK.en} ({name})")
