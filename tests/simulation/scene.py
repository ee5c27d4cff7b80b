"""What belongs together in a world: its ledger cells, the listings of its channels, and the routes between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LEDGER = "pos"
"""The partner that keeps the stock, in every world."""

Key = tuple[str, str, str]
"""Partner, item and location, as the partner's own log names them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A ledger cell that a listing is made of. `intake`: what moves at the listing comes back here."""

    item: str
    location: str
    ratio: int = 1
    intake: bool = True

    @property
    def key(self) -> Key:
        return (LEDGER, self.item, self.location)


@dataclass(frozen=True, slots=True)
class Listing:
    """One channel cell. `shape`: it shows one ledger cell, a pool (their sum) or a set (the smallest quotient).
    `expects`: somebody else books its sales in the ledger."""

    partner: str
    item: str
    location: str
    code: str
    parts: tuple[Part, ...]
    shape: str = "single"
    expects: bool = False

    @property
    def key(self) -> Key:
        return (self.partner, self.item, self.location)

    def of(self, totals: Mapping[Key, int]) -> int:
        """What the listing's ledger cells come to, with these numbers in them; may be below 0."""
        if self.shape == "set":
            return min(totals[part.key] // part.ratio for part in self.parts)
        return sum(totals[part.key] for part in self.parts)


@dataclass(frozen=True, slots=True)
class Way:
    """A route: which ledger location goes to which place of the channel. `intake`: it is a pool, and movements come
    back to this location. `sets`: codes of listings that are made of others, with how many of each."""

    channel: str
    ledger_field: str
    channel_field: str
    places: tuple[tuple[str, str], ...]
    intake: str | None = None
    sets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    expects: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that people and monitors know of a world's stock."""

    stores: tuple[str, ...]
    products: Mapping[str, str]  # code → ledger item
    listings: tuple[Listing, ...]
    ways: tuple[Way, ...]

    @property
    def ledger(self) -> list[Key]:
        """Every ledger cell, in the order of codes and stores."""
        return [(LEDGER, item, store) for item in self.products.values() for store in self.stores]
