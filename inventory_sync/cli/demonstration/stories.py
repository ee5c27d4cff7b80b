"""What the partners' own event logs tell, number by number, from the moment all partners agreed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from inventory_sync.sandbox.kernel import StockChange

CLIENT = "client"


class Partner(StrEnum):
    """Who holds a number: the register that is the ledger, or one of the two shops that follow it."""

    POS = "pos"
    SHOP = "shop"
    CART = "cart"

    @property
    def label(self) -> str:
        return {"pos": "Smaregi", "shop": "Shopify", "cart": "MakeShop"}[self.value]


class Place(NamedTuple):
    """One stock number: its partner, and item and location as that partner's log names them."""

    partner: Partner
    item: str
    location: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A channel number and the ledger numbers whose sum it follows: one, or a pool. `name` is for people.

    What happens at the channel is booked at the first of them.
    """

    name: str
    channel: Place
    ledger: tuple[Place, ...]

    @property
    def intake(self) -> Place:
        return self.ledger[0]


@dataclass(frozen=True, slots=True)
class Outage:
    """A partner could not be heard of or told anything: the daemon was down or silent, until it worked again."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> timedelta:
        return self.until - self.since

    def touches(self, since: datetime, until: datetime) -> bool:
        """Whether it falls, in part, between two instants."""
        return self.since <= until and self.until >= since


class Books:
    """The logs of all partners since the moment they agreed, by number. `starts` are the numbers of that moment."""

    def __init__(
        self, pairs: Iterable[Pair], starts: Mapping[Place, int], logs: Mapping[Partner, Iterable[StockChange]]
    ) -> None:
        self.pairs = tuple(pairs)
        self._starts = starts
        self._changes: defaultdict[Place, list[StockChange]] = defaultdict(list)
        for partner, log in logs.items():
            for change in log:
                if change.delta:
                    self._changes[Place(partner, change.item, change.location)].append(change)
        self._fed_by: defaultdict[Place, list[Place]] = defaultdict(list)
        for pair in self.pairs:
            self._fed_by[pair.intake].append(pair.channel)
        self.ledger = tuple(dict.fromkeys(place for pair in self.pairs for place in pair.ledger))

    def start(self, place: Place) -> int:
        """The number a place began with."""
        return self._starts[place]

    def changes(self, place: Place) -> Sequence[StockChange]:
        """Everything that happened to a number, in order."""
        return self._changes.get(place, ())

    def others(self, place: Place) -> list[StockChange]:
        """What others than the product did to a number, in order."""
        return [change for change in self.changes(place) if change.actor != CLIENT]

    def end(self, place: Place) -> int:
        """The number as the log leaves it."""
        changes = self.changes(place)
        return changes[-1].after if changes else self.start(place)

    def fed_by(self, place: Place) -> Sequence[Place]:
        """The channel numbers whose changes are booked at a ledger number."""
        return self._fed_by.get(place, ())

    def expected(self, place: Place) -> int:
        """What a ledger number must be at rest: its start and what others did, there and at the channels, once each."""
        told = (self.others(place), *(self.others(channel) for channel in self.fed_by(place)))
        return self.start(place) + sum(change.delta for changes in told for change in changes)

    def truth(self, pair: Pair) -> int:
        """What the ledger numbers of a pair come to."""
        return sum(self.end(place) for place in pair.ledger)


def strays(pairs: Iterable[Pair], partner: Partner, changes: Iterable[StockChange]) -> list[StockChange]:
    """Client changes of a partner's numbers that belong to no pair; nobody may write those."""
    ours = {place for pair in pairs for place in (pair.channel, *pair.ledger)}
    return [c for c in changes if c.actor == CLIENT and Place(partner, c.item, c.location) not in ours]


def shows(number: int, truth: int) -> bool:
    """Whether a channel shows a ledger number: never below 0 by our doing, but a backorder stays as it stands.

    >>> shows(3, 3), shows(0, -2), shows(-1, 0), shows(-1, 2)
    (True, True, True, False)
    """
    return number == max(0, truth) or (number < 0 and truth <= 0)
