"""Steps of setting up a connection: what a person does at the partner, where each value stands, and how we can tell
that a step is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class StepProof(StrEnum):
    """What shows that a step is done."""

    ANSWERS = "answers"  # the settings in `fields` are given
    VERIFIED = "verified"  # the partner accepted our credential
    SCOPES = "scopes"  # the partner says that every one of `scopes` was granted
    LOCATIONS = "locations"  # the partner listed locations that can be mapped
    NOTICES = "notices"  # a notice was heard
    APPROVAL = "approval"  # the partner takes days: applied for, then granted
    CALIBRATION = "calibration"  # nothing is left to be found out
    CATALOGUE = "catalogue"  # a whole catalogue is in
    PERSON = "person"  # only a person can say so
    NONE = "none"  # nobody can tell from here


class StepState(StrEnum):
    """How far a step is at one connection."""

    DONE = "done"
    NOT_READY = "not_ready"
    WAITING = "waiting"  # applied for; the partner has not granted it yet
    ASK = "ask"  # a person has to say
    NOT_CHECKABLE = "not_checkable"


def _as_given(scopes: Iterable[str]) -> frozenset[str]:
    return frozenset(scopes)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a set-up guide. `{webhook_url}` in a text stands for the connection's own address.

    `fields` are settings that this step yields, `more_fields` such as may stay empty; `ways`: only where the account is
    connected in one of these ways (empty: always); `problems`: codes that say this very step is not done;
    `business_days`: how long an approval takes at most.
    """

    key: str
    title_en: str
    title_ja: str
    where_en: str
    where_ja: str
    proof: StepProof
    fields: tuple[str, ...] = ()
    more_fields: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    business_days: int | None = None
    optional: bool = False
    covers: Callable[[Iterable[str]], frozenset[str]] = _as_given  # scopes that a grant covers


CATALOGUE_BY_ITSELF = Step(
    "catalogue",
    "The catalogue is in",
    "商品を取り込む",
    "It is imported by itself while `inventory-sync serve` runs.",
    "`inventory-sync serve` が動いている間に自動で取り込みます。",
    StepProof.CATALOGUE,
)
"""The step of a system whose catalogue is imported without a person."""


@dataclass(frozen=True, slots=True)
class Way:
    """One of several ways to connect to a system. `sign` names settings only this way has; `given` those it implies."""

    key: str
    title_en: str
    title_ja: str
    sign: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] = ()
