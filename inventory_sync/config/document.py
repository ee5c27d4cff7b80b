"""A valid configuration file, as plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from inventory_sync.model.alignment import AlignPolicy
from inventory_sync.model.auto_buffer import DEFAULT_MOST
from inventory_sync.model.publish import PublishRule


class Direction(StrEnum):
    """Which way differences are carried."""

    TWO_WAY = "two_way"
    CHANNEL_TO_LEDGER = "channel_to_ledger"
    LEDGER_TO_CHANNEL = "ledger_to_channel"


class Sales(StrEnum):
    """Who books the channel's sales in the ledger."""

    POST = "post"
    EXPECT = "expect"


class Listings(StrEnum):
    """How many listings of the channel may show the stock of one ledger item."""

    ONE = "one"
    SAME = "same"


class RouteState(StrEnum):
    """The state that the file asks for."""

    STOPPED = "stopped"
    WATCHING = "watching"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class LocationPair:
    """A ledger location and the channel location it feeds, by the partners' own keys."""

    ledger: str
    channel: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Pool:
    """Ledger locations whose sum one channel location shows, by the partners' own keys.

    What comes back goes to `intake`, one of `ledger`. `channel` None: the only location that the channel has.
    """

    ledger: tuple[str, ...]
    intake: str
    channel: str | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SetLine:
    """One component of a set: `ratio` ≥ 1 units of a ledger code in each unit of a channel code."""

    value: str
    component: str
    ratio: int


@dataclass(frozen=True, slots=True)
class ConnectionDocument:
    """One connection. `settings` are the settings named in the file, checked and without secrets.

    `secrets` are the secrets named in the file, in clear; `stored` names the previously stored ones that stay in force.
    """

    name: str
    system: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    stored: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RouteDocument:
    """One route, every default filled in. `channel_fields` are in order of preference; `booked_within` is in seconds.

    `publish` is the route's own rule; with `auto_buffer` its buffer is the smallest, and `auto_most` the largest.
    `codes` are the (channel code, ledger code) lines of the code table. A route has `locations`, a `pool`, or neither.
    """

    name: str
    ledger: str
    channel: str
    direction: Direction
    sales: Sales
    booked_within: int
    intake: str
    ledger_quantity: str
    channel_quantity: str
    ledger_field: str
    channel_fields: tuple[str, ...]
    listings: Listings
    codes: tuple[tuple[str, str], ...]
    sets: tuple[SetLine, ...]
    locations: tuple[LocationPair, ...]
    pool: Pool | None
    publish: PublishRule
    align: AlignPolicy
    state: RouteState
    auto_buffer: bool = False
    auto_most: int = DEFAULT_MOST
    line: int = field(default=0, compare=False)

    @property
    def places(self) -> tuple[tuple[str, str | None], ...]:
        """Every ledger location with the channel location it feeds (None: the channel's only one)."""
        if self.pool is not None:
            return tuple((key, self.pool.channel) for key in self.pool.ledger)
        return tuple((pair.ledger, pair.channel) for pair in self.locations)


@dataclass(frozen=True, slots=True)
class ConfigDocument:
    """A whole valid file, in the order of the file."""

    connections: tuple[ConnectionDocument, ...]
    routes: tuple[RouteDocument, ...]
