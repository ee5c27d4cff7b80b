"""The list of behaviours: each has a name, a sentence, and what a system must be able to do for it to apply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from inventory_sync.conformance.rig import Rig
from inventory_sync.conformance.stage import Stage, Violated
from inventory_sync.systems.port import EvidenceKind, SystemDefinition, WriteMode

Show = Callable[[Stage], Awaitable[None]]


class Need(StrEnum):
    """What a system must declare for a behaviour to apply to it."""

    KEY = "repeats under a key"
    HISTORY = "a history that says what became of a write"
    LEVEL = "numbers that say what became of a write"
    ORDER_EVIDENCE = "numbers and orders that say together what became of a write"
    CAUSES = "a history with causes"
    RELATIVE = "writes of differences"
    ABSOLUTE = "writes of numbers"
    BATCH = "batches of more than one row"
    GROUPS = "batches of one group only"
    ACTIVATION = "activation"
    LOCATIONS = "locations"
    PAGES = "a catalogue that comes page by page"
    FILES = "a catalogue that comes in files"
    POLL = "a list of changed levels"
    NOTICES = "notices"
    ORDERS = "a list of orders"
    SERIAL = "one request at a time"
    CALIBRATION = "something that is found out on the spot"

    def met_by(self, definition: SystemDefinition) -> bool:
        """Whether a system declares this."""
        able = definition.capabilities
        return {
            Need.KEY: able.evidence is EvidenceKind.KEY,
            Need.HISTORY: able.evidence is EvidenceKind.HISTORY,
            Need.LEVEL: able.evidence is EvidenceKind.LEVEL,
            Need.ORDER_EVIDENCE: able.evidence is EvidenceKind.ORDERS,
            Need.CAUSES: able.history_causes,
            Need.RELATIVE: able.writes is WriteMode.RELATIVE,
            Need.ABSOLUTE: able.writes is WriteMode.ABSOLUTE,
            Need.BATCH: able.write_batch > 1,
            Need.GROUPS: able.grouped_writes,
            Need.ACTIVATION: able.activates,
            Need.LOCATIONS: able.has_locations,
            Need.PAGES: not able.catalogue_by_files,
            Need.FILES: able.catalogue_by_files,
            Need.POLL: able.polls_levels,
            Need.NOTICES: definition.make_notice_parser is not None,
            Need.ORDERS: able.has_orders,
            Need.SERIAL: able.serial,
            Need.CALIBRATION: definition.calibrate is not None,
        }[self]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One thing every adapter does; `show` raises Violated where it does not, NotApplicable where it cannot be seen."""

    name: str
    sentence: str
    show: Show
    chapter: str
    needs: tuple[Need, ...] = ()

    def missing(self, definition: SystemDefinition) -> tuple[Need, ...]:
        """The needs a system does not meet; empty where the behaviour applies."""
        return tuple(need for need in self.needs if not need.met_by(definition))


_entered: dict[str, Behaviour] = {}


def behaviour(sentence: str, *needs: Need) -> Callable[[Show], Show]:
    """Enter a function into the list under its own name, in the chapter of its module."""

    def enter(show: Show) -> Show:
        name = getattr(show, "__name__", "")
        if name in _entered:
            raise ValueError(f"two behaviours are named {name!r}")
        _entered[name] = Behaviour(name, sentence, show, show.__module__.rpartition(".")[2], needs)
        return show

    return enter


def entered(*chapters: str) -> tuple[Behaviour, ...]:
    """The behaviours entered by modules of these names, chapter by chapter in this order."""
    return tuple(each for chapter in chapters for each in _entered.values() if each.chapter == chapter)


async def prove(shown: Behaviour, rig: Rig) -> None:
    """Show one behaviour on a fresh rig. Whatever it is, the partner must have had no reason to complain, and the
    client must be able to do what the rig's definition declares."""
    stage = Stage(rig)
    declared, able = rig.definition, replace(rig.definition, capabilities=stage.capabilities)
    if any(need.met_by(declared) != need.met_by(able) for need in Need):
        raise Violated("a client can do other things than the rig's definition declares")
    await shown.show(stage)
    if rig.violations:
        raise Violated(f"the partner's limits were overstepped: {'; '.join(rig.violations[:3])}")
