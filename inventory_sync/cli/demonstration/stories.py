"""One pair as the partners' own event logs tell it, from the moment both sides agreed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from inventory_sync.sandbox.kernel import StockChange

CLIENT = "client"


class Side(StrEnum):
    """Which partner a number belongs to."""

    LEDGER = "ledger"
    CHANNEL = "channel"


class Place(NamedTuple):
    """One stock number at a partner: its item and location, as that partner's log names them."""

    item: str
    location: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A ledger number and the channel number that follows it. `name` is for people."""

    name: str
    ledger: Place
    channel: Place


@dataclass(frozen=True, slots=True)
class Outage:
    """The daemon was down, from its death until it worked again."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> timedelta:
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class Story:
    """One pair from the moment both sides agreed: the number at that moment, and everything since, in order."""

    pair: Pair
    start: int
    channel_start: int
    ledger: Sequence[StockChange] = ()
    channel: Sequence[StockChange] = ()

    @property
    def ledger_end(self) -> int:
        return self.ledger[-1].after if self.ledger else self.start

    @property
    def channel_end(self) -> int:
        return self.channel[-1].after if self.channel else self.channel_start

    @property
    def expected(self) -> int:
        """What the ledger must hold at rest: the start and what everybody else did on both sides, once each."""
        return self.start + sum(c.delta for c in (*self.ledger, *self.channel) if c.actor != CLIENT)


def stories(
    pairs: Iterable[Pair],
    starts: Mapping[Place, int],
    channel_starts: Mapping[Place, int],
    ledger: Iterable[StockChange],
    channel: Iterable[StockChange],
) -> list[Story]:
    """The logs since the start, told pair by pair."""
    at_ledger, at_channel = _by_place(ledger), _by_place(channel)
    return [
        Story(
            pair,
            starts[pair.ledger],
            channel_starts[pair.channel],
            at_ledger.get(pair.ledger, ()),
            at_channel.get(pair.channel, ()),
        )
        for pair in pairs
    ]


def strays(pairs: Iterable[Pair], side: Side, changes: Iterable[StockChange]) -> list[StockChange]:
    """Client changes of numbers that belong to no pair; nobody may write those."""
    mine = {pair.ledger if side is Side.LEDGER else pair.channel for pair in pairs}
    return [c for c in changes if c.actor == CLIENT and Place(c.item, c.location) not in mine]


def shows(number: int, truth: int) -> bool:
    """Whether a channel shows a ledger number: never below 0 by our doing, but a backorder stays as it stands.

    >>> shows(3, 3), shows(0, -2), shows(-1, 0), shows(-1, 2)
    (True, True, True, False)
    """
    return number == max(0, truth) or (number < 0 and truth <= 0)


def _by_place(changes: Iterable[StockChange]) -> dict[Place, list[StockChange]]:
    found: dict[Place, list[StockChange]] = defaultdict(list)
    for change in changes:
        if change.delta:
            found[Place(change.item, change.location)].append(change)
    return found
