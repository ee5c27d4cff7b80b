"""What a test bench offers the kit: an adapter's client, its partner, and a hand on everything between the two.

A rig is one partner with one connection, fresh for every behaviour. Everything the kit needs beyond the port is here,
so that a bench may be built around a simulator, a recorded partner or a partner's own sandbox. Bring a rig for your
system, run every behaviour of `inventory_sync.conformance.BEHAVIOURS` that applies, and the adapter keeps its promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.port import CellRef, Client, Condition, NoticeParser, SystemDefinition


class Door(StrEnum):
    """Which requests a trouble is meant for."""

    READ = "read"  # levels by key or list, as `Client.read` asks
    CATALOGUE = "catalogue"
    WRITE = "write"
    SIGN_IN = "sign_in"  # where the token comes from


class Trouble(StrEnum):
    """What can happen to the next request through a door."""

    LOST_BEFORE = "lost_before"  # the connection is reset, nothing was carried out
    LOST_AFTER = "lost_after"  # carried out, then the connection is reset
    LATE = "late"  # never answered; carried out when the rig is told to `land`
    ERROR_BEFORE = "error_before"  # HTTP 503, nothing was carried out
    ERROR_AFTER = "error_after"  # carried out, HTTP 503
    THROTTLE = "throttle"  # refused in the partner's own way of throttling, nothing was carried out
    HTML = "html"  # carried out, answered with a web page and status 200
    CUT = "cut"  # carried out, answered with status 200 and the first half of the body
    BROKEN_OFF = "broken_off"  # carried out, the connection ends before the announced length of the body


@dataclass(frozen=True, slots=True)
class Mail:
    """A notice as it arrived over HTTP: header names in lower case, and the raw body."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Impossible:
    """What a rig answers where its partner cannot do what was asked, and why: the behaviour is not applicable."""

    why: str


class Rig(Protocol):
    """One partner and one connection to it. Durations are seconds of the rig's clock, which may be moved by hand."""

    @property
    def definition(self) -> SystemDefinition: ...

    @property
    def installation(self) -> str:
        """The installation identifier every client of this rig is made with."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """Every secret of the connection there is now, tokens included."""
        ...

    # -- time ---

    def now(self) -> datetime:
        """The time of clients and partner alike."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let time pass for both sides."""
        ...

    # -- the connection ---

    def client(self, *, budget_full: bool = True, impatient: bool = False) -> Client:
        """A new client with credentials that work, talking to the partner over HTTP.

        `impatient`: its requests time out within half a second; otherwise after seconds that no test ever waits for.
        """
        ...

    def client_with_wrong_secret(self) -> Client: ...

    def parser(self) -> NoticeParser: ...

    @property
    def identity_hint(self) -> str:
        """A part of the identity or the name by which the partner knows the connected shop."""
        ...

    @property
    def rights(self) -> Sequence[str]:
        """Every right the adapter cannot work without, as the partner names it."""
        ...

    def withdraw_right(self, right: str) -> None: ...

    def grant_right(self, right: str) -> None: ...

    def expire_tokens(self) -> bool:
        """End the life of every token given out so far. False where tokens of this connection do not expire."""
        ...

    def revoke_credentials(self) -> None:
        """End the credentials themselves: no new token, and the old ones do not work any more."""
        ...

    @property
    def tokens_issued(self) -> int: ...

    # -- what the partner holds ---

    @property
    def usable_location(self) -> LocationKey: ...

    @property
    def unusable_locations(self) -> Sequence[LocationKey]:
        """Locations that exist and must not get a number: closed, paused, or run by somebody else."""
        ...

    def stock(self, quantities: Sequence[int]) -> Sequence[CellRef]:
        """New tracked items with these numbers (negative ones too) at the usable location, as active cells."""
        ...

    def add_item(self, code: str) -> ItemKey | Impossible:
        """A new item whose code, in the adapter's default match field, is exactly this."""
        ...

    def add_bundle(self) -> ItemKey | Impossible:
        """A new item whose stock is derived from others."""
        ...

    def fill_catalogue(self) -> Sequence[ItemKey]:
        """More items than one page of the catalogue holds; returns every item there is afterwards."""
        ...

    def odd_cell(self, condition: Condition) -> CellRef | Impossible:
        """A cell in this condition (any but ACTIVE)."""
        ...

    def hidden_quantity(self, cell: CellRef) -> int:
        """The number that will show once this cell is made active."""
        ...

    def unknown_cell(self) -> CellRef:
        """A well-formed cell of an item that never existed."""
        ...

    # -- what others do there ---

    def change(self, cell: CellRef, delta: int) -> None:
        """Somebody else changes a number."""
        ...

    def trade(self, cell: CellRef) -> Sequence[tuple[str, int]]:
        """Every kind of change the partner keeps a cause for, once each: (cause as the port words it, amount)."""
        ...

    # -- the partner's own truth ---

    def truth(self, cell: CellRef) -> int | None:
        """The partner's own number of a cell; None where there is none."""
        ...

    def all_levels(self) -> Mapping[CellRef, int]:
        """The number of every active cell."""
        ...

    def effects(self, cell: CellRef) -> Sequence[int]:
        """What the clients of this rig changed in a cell, change by change."""
        ...

    @property
    def violations(self) -> Sequence[str]:
        """Limits of the partner that its clients overstepped."""
        ...

    # -- trouble on the way ---

    def trouble(self, door: Door, *troubles: Trouble) -> None:
        """The next requests through this door meet these, one each."""
        ...

    def land(self) -> int:
        """Let requests that were never answered (LATE) be carried out now. Returns how many."""
        ...

    async def drop_idle_connections(self) -> int:
        """The partner closes every connection that is open and idle; returns how many, once the clients know of it."""
        ...

    # -- notices ---

    async def listen(self) -> str:
        """Begin to receive notices, doing at the partner what only a person can; returns the address for them."""
        ...

    async def mail(self) -> Mail:
        """The next notice of a level that arrived, waiting for it."""
        ...

    def repeat_notices(self) -> None:
        """From now on the partner delivers every notice twice."""
        ...

    def signed(self, genuine: Mail, body: bytes) -> Mail:
        """This notice with another body, and the partner's own proof of origin on it."""
        ...

    def forgeries(self, genuine: Mail) -> Mapping[str, Mail]:
        """What a stranger could send instead of this notice, by what is wrong with it; each must be refused."""
        ...
