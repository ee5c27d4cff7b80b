"""What truly happened, from the simulators' own logs: what others did at each cell, and what must have become of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from inventory_sync.sandbox.kernel import StockChange
from tests.simulation.scene import LEDGER, Key, Scene
from tests.simulation.watched import Landing, Watched

if TYPE_CHECKING:
    from tests.simulation.world import World


BEFORE, AFTER = timedelta(seconds=13), timedelta(seconds=30)
"""How far a reading may be behind, orders included; and within what time a reading should show a number of ours."""


NEAR = timedelta(seconds=60)
"""Two changes of a cell this close may lie between the same two readings."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a cell by others. `index`: its place in the partner's log."""

    index: int
    at: datetime
    delta: int
    cause: str
    reference: str

    @property
    def ordered(self) -> bool:
        """Whether it took units for an order: the list of orders tells of it, whatever the number shows."""
        return self.cause == "sale" or (self.cause == "edit" and self.delta < 0)


@dataclass(frozen=True, slots=True)
class Overwrite:
    """A number of ours that was set. What others did from `since` on, as far as the reading behind it did not show,
    is gone with it; `until` is its place in the log."""

    since_index: int
    since: datetime
    until: int

    def erased(self, change: Change) -> bool:
        return change.index < self.until and (change.index >= self.since_index or change.at > self.since)


@dataclass(frozen=True, slots=True)
class _Composed:
    """A number of ours, and when the reading it was composed from was asked; None: of a number nobody can read."""

    op: str
    asked_at: datetime | None
    at: datetime
    delta: int = 0


@dataclass(frozen=True, slots=True)
class _Cut:
    """A decrease of ours that the shop cut off at 0, by so many units, reckoned from a reading asked at that time."""

    units: int
    asked_at: datetime
    at: datetime


class Truth:
    """The logs of one world from the moment its routes run. Monitors ask it and nobody else for what there should be.

    At a shop where numbers are set, a change that no order is, and that falls between a reading of ours and the landing
    of the number composed from it, is lost (the truth model's rule 3.8): it is no part of what there should be. Which
    changes those are is seen from the shop's log alone, once the number has landed. A number that cannot be read is
    ours alone: of what happens to it, nothing counts but orders.
    """

    def __init__(self, world: World, scene: Scene) -> None:
        self.world, self.scene = world, scene
        self.keys = {*scene.ledger, *(each.key for each in scene.listings)}
        self._seen = {name: len(p.simulator.log.changes) for name, p in world.partners.items()}
        self._changes: dict[Key, list[Change]] = defaultdict(list)
        self._composed: dict[Key, list[_Composed]] = defaultdict(list)
        self._landed = 0
        self.overwrites: dict[Key, list[Overwrite]] = defaultdict(list)
        self.lost: set[tuple[Key, int]] = set()
        self.landed: set[str] = set()
        """Ops whose number landed, whether anybody knows it or not."""
        self._sent: dict[Key, list[_Composed]] = defaultdict(list)
        self._cuts: dict[Key, list[_Cut]] = defaultdict(list)
        self.start = {key: self.level(key) for key in self.keys}

    def level(self, key: Key) -> int:
        """What the partner itself holds."""
        partner, item, location = key
        return self.world.partners[partner].level(item, location)

    def all_outside(self, key: Key) -> list[Change]:
        """What others did to a cell since the routes run, in order, lost or not."""
        self._absorb(key[0])
        return self._changes[key]

    def effective(self, key: Key) -> list[Change]:
        """The same without the bookings of orders in the ledger: what they book was sold before, at a channel."""
        booked = self.world.booked if key[0] == LEDGER else ()
        return [each for each in self.outside(key) if each.reference not in booked]

    def outside(self, key: Key) -> list[Change]:
        """What others did to a cell and what must not be lost."""
        found = self.all_outside(key)
        return [each for each in found if (key, each.index) not in self.lost] if self.lost else found

    def masked(self, key: Key) -> bool:
        """Whether a rise came so close to a booking at a ledger cell that one reading may have shown both as less, or
        as nothing: then the booking has no movement of its own, and its sale waits for a person, on the safe side."""
        changes = self.outside(key)
        booked = [each for each in changes if each.reference in self.world.booked]
        return any(other.delta > 0 and abs(other.at - each.at) < NEAR for each in booked for other in changes)

    def totals(self) -> dict[Key, int]:
        """What each ledger cell should hold: what it held, and what others did there and at listings that feed it."""
        sums = {key: sum(each.delta for each in self.effective(key)) for key in self.keys}
        totals = {key: self.start[key] + sums[key] for key in self.scene.ledger}
        for listing in self.scene.listings:
            for part in listing.parts:
                if part.intake:
                    totals[part.key] += part.ratio * sums[listing.key]
        return totals

    def slack(self, key: Key) -> int:
        """By how much a ledger cell may be too high, for what nobody could know."""
        feeding = [(each, part) for each in self.scene.listings for part in each.parts if part.key == key]
        return sum(part.ratio * self.hidden(each.key) for each, part in feeding if part.intake)

    def largest(self, key: Key, since: Mapping[Key, datetime]) -> int:
        """The most that may be believed of a ledger cell: what there was, and the largest sum of what others did at
        each of the cells that move it since that cell was last read. Cells are read at different times, so each has a
        window of its own."""
        most = self.start[key] + self._best(key, since[key]) + self.slack(key)
        for listing in self.scene.listings:
            for part in listing.parts:
                if part.intake and part.key == key:
                    most += part.ratio * self._best(listing.key, since[listing.key])
        return most

    def _best(self, key: Key, since: datetime) -> int:
        changes = self.effective(key)
        best = running = sum(each.delta for each in changes if each.at <= since)
        for each in changes:
            if each.at > since:
                running += each.delta
                best = max(best, running)
        return best

    # -- numbers that are set ---

    def composed(self, key: Key, op: str, asked_at: datetime | None, at: datetime) -> None:
        """A number was composed from a reading asked at that time, or from none."""
        self._composed[key].append(_Composed(op, asked_at, at))

    def land(self) -> None:
        """Find out what the numbers that landed lately have erased."""
        for name, partner in self.world.partners.items():
            shop = partner.simulator
            if not isinstance(shop, Watched):
                continue
            for landing in shop.landings[self._landed :]:
                key = next((k for k in self.keys if k[:2] == (name, landing.item)), None)
                if key is not None and self._sent[key]:
                    self._cut(key, shop, landing)
                if key is not None and self._composed[key]:
                    self._erase(key, shop, landing.at, landing.index)
            self._landed = len(shop.landings)

    # -- differences that a shop cut off ---

    def sent(self, key: Key, op: str, delta: int, asked_at: datetime, at: datetime) -> None:
        """A difference was composed, reckoned from a reading asked at that time."""
        self._sent[key].append(_Composed(op, asked_at, at, delta))

    def risen(self, key: Key) -> int:
        """Units by which others raised a cell, whatever else they did there."""
        return sum(max(0, each.delta) for each in self.all_outside(key))

    def mixed(self, key: Key) -> int:
        """Units that orders took so close to what others did by hand that one reading may have shown both."""
        changes = self.all_outside(key)
        by_hand = [each for each in changes if not each.ordered]
        near = [each for each in changes if each.ordered and any(abs(each.at - other.at) < NEAR for other in by_hand)]
        return -sum(each.delta for each in near)

    def hidden(self, key: Key) -> int:
        """Units that a shop cut off from decreases of ours while somebody changed the number by hand: the level shows
        neither, and no order tells of it. What was cut off because of orders alone must be found."""
        found = 0
        for cut in self._cuts[key]:
            window = (cut.asked_at - BEFORE, cut.at + AFTER)
            if any(window[0] < each.at < window[1] and not each.ordered for each in self.all_outside(key)):
                found += cut.units
        return found

    def _cut(self, key: Key, shop: Watched, landing: Landing) -> None:
        op = next((each for each in reversed(self._sent[key]) if each.at <= landing.at), None)
        if op is None or op.asked_at is None:
            return
        changes = shop.log.changes[landing.index : landing.index + 1]
        done = changes[0].delta if changes and (changes[0].item, changes[0].actor) == (key[1], "client") else 0
        if op.delta < done:
            self._cuts[key].append(_Cut(done - op.delta, op.asked_at, landing.at))

    def _erase(self, key: Key, shop: Watched, at: datetime, index: int) -> None:
        op = next(each for each in reversed(self._composed[key]) if each.at <= at)
        self.landed.add(op.op)
        if op.asked_at is None:
            return
        look = next(each for each in shop.looks if each.at >= op.asked_at and each.shows(key[1]))
        write = Overwrite(look.index, look.at - timedelta(seconds=shop.read_lag), index)
        self.overwrites[key].append(write)
        for change in self.all_outside(key):
            if write.erased(change) and not change.ordered:
                self.lost.add((key, change.index))

    def may_be_read(self, key: Key) -> bool:
        """Whether the number of a cell can be read at all."""
        shop = self.world.partners[key[0]].simulator
        return not isinstance(shop, Watched) or shop.may_be_read(key[1])

    def _absorb(self, name: str) -> None:
        changes = self.world.partners[name].simulator.log.changes
        for index in range(self._seen[name], len(changes)):
            change: StockChange = changes[index]
            key = (name, change.item, change.location)
            if change.actor == "outside" and key in self.keys:
                made = Change(index, change.at, change.delta, change.cause, change.reference)
                self._changes[key].append(made)
                if not made.ordered and not self.may_be_read(key):
                    self.lost.add((key, index))
        self._seen[name] = len(changes)
