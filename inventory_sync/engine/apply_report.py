"""What applying a configuration did, or would do, and why it did nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MASK = "•••"
"""What is shown in a secret's place."""


class What(StrEnum):
    """What became of one connection or route."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, before and after; a secret shows as MASK, or None where there is none."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one connection or route. `state` is its state afterwards."""

    name: str
    what: What
    state: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for people: a next step, or something to know. `code` is stable."""

    code: str
    en: str
    ja: str


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What was done; with `dry_run`, what would have been. `started` are routes that were set running."""

    dry_run: bool
    connections: tuple[Change, ...]
    routes: tuple[Change, ...]
    started: tuple[str, ...] = ()
    next_steps: tuple[Note, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def changed(self) -> bool:
        """True if anything is other than before."""
        return bool(self.started) or any(c.what is not What.UNCHANGED for c in (*self.connections, *self.routes))

    @property
    def removed(self) -> tuple[str, ...]:
        """What goes, as `connection NAME` and `route NAME`."""
        return tuple(
            f"{kind} {change.name}"
            for kind, changes in (("route", self.routes), ("connection", self.connections))
            for change in changes
            if change.what is What.REMOVED
        )

    def as_dict(self) -> dict[str, Any]:
        """The report with stable keys."""
        return asdict(self) | {"changed": self.changed}


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why nothing was changed: what it is about, what is wrong, what to do, and a stable code.

    `subject_ja`, `message_ja` and `remedy_ja` are the same in Japanese. An empty `message_ja` is a partner's problem,
    which its system names in Japanese by the code.
    """

    subject: str
    message: str
    remedy: str
    code: str
    subject_ja: str
    message_ja: str
    remedy_ja: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message} {self.remedy} [{self.code}]"


class ApplyFailed(Exception):
    """The configuration cannot be applied, and nothing was changed; what was in force before still is."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
