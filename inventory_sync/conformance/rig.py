"""What a test bench offers the kit: an adapter's client, its partner, and a hand on everything between the two.

A rig is one partner with one connection, fresh for every behaviour. Everything the kit needs beyond the port is here,
so that a bench may be built around a simulator, a recorded partner or a partner's own sandbox. Bring a rig for your
system, run every behaviour of `inventory_sync.conformance.BEHAVIOURS` that applies, and the adapter keeps its promises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.port import (
    Calibration,
    CellRef,
    Client,
    Condition,
    FileCatalogue,
    NamedFile,
    NoticeKind,
    NoticeParser,
    OrderState,
    SystemDefinition,
)


class Door(StrEnum):
    """Which requests a trouble is meant for."""

    READ = "read"  # levels by key or list, as `Client.read` asks
    CATALOGUE = "catalogue"
    WRITE = "write"
    ORDERS = "orders"
    SIGN_IN = "sign_in"  # where the token, or the address to ask for levels at, comes from


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


class BelowZero(StrEnum):
    """What the partner does with a difference that would end below 0."""

    CARRIED_OUT = "carried_out"
    CUT_OFF = "cut_off"  # it ends at 0, and is told as carried out
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Mail:
    """A notice as it arrived over HTTP: header names in lower case, the raw body, and under `:method`, `:token` and
    `:query` what the address said (see `NoticeParser.parse`)."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Impossible:
    """What a rig answers where its partner cannot do what was asked, and why: the behaviour is not applicable."""

    why: str


class Rig(Protocol):
    """One partner and one connection to it. Durations are seconds of the rig's clock, which may be moved by hand."""

    @property
    def definition(self) -> SystemDefinition:
        """The system, with the capabilities of this very connection where they differ from the usual ones."""
        ...

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
        """Let time pass for both sides. At its end the partner knows of every caller that gave up."""
        ...

    # -- the connection ---

    def client(self, *, budget_full: bool = True, impatient: bool = False) -> Client:
        """A new client with credentials that work, talking to the partner over HTTP.

        `impatient`: its requests time out within half a second; otherwise after seconds that no test ever waits for.
        At a partner that takes one request at a time, as much time has passed by now as lies between two of them.
        """
        ...

    def clients_with_a_wrong_secret(self) -> Mapping[str, Callable[[], Client]]:
        """For each secret of the connection, by name, how to make a client for which this one alone is wrong."""
        ...

    def parser(self) -> NoticeParser: ...

    @property
    def identity_hint(self) -> str:
        """A part of the identity or the name by which the partner knows the connected shop."""
        ...

    @property
    def rights(self) -> Sequence[str] | Impossible:
        """Every right the adapter cannot work without, as the partner names it."""
        ...

    async def withdraw_right(self, right: str) -> None: ...

    async def grant_right(self, right: str) -> None: ...

    async def expire_tokens(self) -> bool:
        """End the life of every token given out so far. False where tokens of this connection do not expire."""
        ...

    async def revoke_credentials(self) -> None:
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

    @property
    def below_zero(self) -> BelowZero:
        """What the partner does with a difference that would end below 0."""
        ...

    async def stock(self, quantities: Sequence[int]) -> Sequence[CellRef]:
        """New tracked items with these numbers (negative ones too) at the usable location, as active cells that may
        share a request. Where items come in several shapes (product, variation), in all of them by turns."""
        ...

    async def add_item(self, code: str, field: str) -> ItemKey | Impossible:
        """A new item whose code in this match field is exactly this."""
        ...

    async def add_bundle(self) -> ItemKey | Impossible:
        """A new item whose stock is derived from others."""
        ...

    async def fill_catalogue(self) -> Sequence[ItemKey]:
        """More items than one page of the catalogue holds; returns every item there is afterwards."""
        ...

    async def odd_cell(self, condition: Condition) -> CellRef | Impossible:
        """A cell in this condition (any but ACTIVE)."""
        ...

    def hidden_quantity(self, cell: CellRef) -> int:
        """The number that will show once this cell is made active."""
        ...

    def unknown_cell(self) -> CellRef:
        """A well-formed cell of an item that never existed."""
        ...

    # -- what others do there ---

    async def change(self, cell: CellRef, delta: int) -> None:
        """Somebody else changes a number."""
        ...

    async def trade(self, cell: CellRef) -> Sequence[tuple[str, int]]:
        """Every kind of change the partner keeps a cause for, once each: (cause as the port words it, amount)."""
        ...

    # -- the partner's own truth ---

    async def truth(self, cell: CellRef) -> int | None:
        """The partner's own number of a cell; None where there is none."""
        ...

    async def all_levels(self) -> Mapping[CellRef, int]:
        """The number of every cell that a walk over all levels has to list."""
        ...

    async def effects(self, cell: CellRef) -> Sequence[int]:
        """What the clients of this rig changed in a cell, change by change, as differences."""
        ...

    @property
    def violations(self) -> Sequence[str]:
        """Limits of the partner that its clients overstepped."""
        ...

    # -- trouble on the way ---

    @property
    def unplayable(self) -> Mapping[tuple[Door, Trouble], str]:
        """Troubles that this partner cannot get into, or that nobody could notice there, each with the reason."""
        ...

    def trouble(self, door: Door, *troubles: Trouble) -> None:
        """The next requests through this door meet these, one each."""
        ...

    async def land(self) -> int:
        """Let requests that were never answered (LATE) be carried out now. Returns how many."""
        ...

    async def drop_idle_connections(self) -> int:
        """The partner closes every connection that is open and idle; returns how many, once the clients know of it."""
        ...

    # -- notices ---

    @property
    def notice_kind(self) -> NoticeKind:
        """What the partner's notices tell of: LEVELS, or ORDERS."""
        ...

    async def provoke_notice(self, cell: CellRef) -> None:
        """Let happen what the partner tells of (one unit of a cell leaves), and wait until it is told."""
        ...

    async def listen(self) -> str:
        """Begin to receive notices, doing at the partner what only a person can; returns the address for them."""
        ...

    async def mail(self) -> Mail:
        """The next notice of that kind that arrived, waiting for it."""
        ...

    def repeat_notices(self) -> None:
        """From now on the partner delivers every notice twice."""
        ...

    def signed(self, genuine: Mail, body: bytes) -> Mail | Impossible:
        """This notice with another body, and the partner's own proof of origin on it."""
        ...

    def forgeries(self, genuine: Mail) -> Mapping[str, Mail]:
        """What a stranger could send instead of this notice, by what is wrong with it; each must be refused."""
        ...


class FilingRig(Rig, Protocol):
    """A rig whose capabilities say `catalogue_by_files`."""

    def file_catalogue(self) -> FileCatalogue:
        """The reader of the files of this connection."""
        ...

    async def catalogue_files(self, *, another_layout: bool = False) -> Sequence[NamedFile]:
        """The whole set as a person downloads it now; `another_layout`: after the partner added a column."""
        ...


class GroupingRig(Rig, Protocol):
    """A rig whose capabilities say `grouped_writes`."""

    async def cells_of_each_group(self) -> Sequence[CellRef]:
        """New cells that never share a request, each with 10 units."""
        ...


class OrderingRig(Rig, Protocol):
    """A rig whose capabilities say `has_orders`: what customers do there, and the shop's person with their orders."""

    def client_with_order_pages_of(self, orders: int) -> Client:
        """A client whose lists of orders come in pages of so many at most."""
        ...

    @property
    def provisional_shows(self) -> OrderState | None:
        """How an order that is not settled yet is listed; None: not at all."""
        ...

    async def order(self, lines: Mapping[CellRef, int], *, provisional: bool = False, paid: bool = True) -> str:
        """A customer orders, now; returns the order's number as `OrderLine.order` has it. Not `paid`: the money is
        still to come (a bank transfer)."""
        ...

    async def fill_orders(self, count: int) -> None:
        """So many orders, seconds apart, of every form the partner knows: several lines, several deliveries."""
        ...

    async def settle_order(self, order: str) -> None:
        """A provisional order becomes a normal one."""
        ...

    async def vanish_order(self, order: str) -> None:
        """A provisional order fails: the partner deletes it and gives back what it held."""
        ...

    async def pay_order(self, order: str) -> None:
        """The money for an order arrives."""
        ...

    async def cancel_order(self, order: str, *, restock: bool) -> None: ...

    async def ship_order(self, order: str) -> None: ...

    async def edit_order(self, order: str, cell: CellRef, quantity: int) -> None:
        """The shop's person changes how many units of a cell an order has; the stock moves by the difference."""
        ...

    def order_at_next_write(self, cell: CellRef, quantity: int) -> None:
        """A customer orders at the very instant before the next write is carried out."""
        ...

    async def held_orders(self) -> Mapping[str, Mapping[CellRef, int]]:
        """Every order there is, with its units by cell."""
        ...


class CalibratingRig(Rig, Protocol):
    """A rig whose definition has `calibrate`."""

    @property
    def calibration(self) -> Mapping[str, str]:
        """What a calibration has to find at this partner (it may find more)."""
        ...

    async def hidden_item(self) -> CellRef:
        """A new item that may be tried on, with some units."""
        ...

    async def unfit_items(self) -> Mapping[str, CellRef]:
        """New items that a calibration has to refuse, by the reason."""
        ...

    async def calibrate(self, cell: CellRef) -> Calibration:
        """Run the definition's `calibrate`; the time it waits for passes at once."""
        ...

    def calibrated_client(self, found: Mapping[str, str]) -> Client:
        """A client of the connection once `found` is stored with it."""
        ...


class OpenableRig(Rig, AbstractAsyncContextManager["OpenableRig"], Protocol):
    """A rig as a bench makes it: `definition` can be asked at once, the rest once it was entered."""


RigMaker = Callable[[], OpenableRig]
