"""Which number a route publishes, who books its sales, and how what the channel moved is booked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inventory_sync.config.document import Direction, Sales
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.part import RoutePart

DEFAULT_BOOKED_WITHIN = 3600
"""Seconds within which somebody else books a sale, where the file does not say."""

LONGEST_BOOKED_WITHIN = 90 * 86_400
_DURATION = re.compile(r"([0-9]{1,7})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

LEDGER_QUANTITIES = ("stock", "stock_minus_layaway", "on_hand", "free")

CHANNEL_QUANTITIES = {
    "available": None,
    "on_hand": "writing a channel's on-hand number would sell ordered goods twice; only what is available is written",
}
"""The words for the channel's number, each with the reason why this version refuses it (None: accepted)."""

INTAKES = ("adjustment", "shipment")


@dataclass(frozen=True, slots=True)
class Booking:
    """Who books sales within how many seconds, which numbers count, and how channel movements are booked."""

    sales: Sales
    booked_within: int
    ledger_quantity: str
    channel_quantity: str
    intake: str


def read_booking(part: RoutePart, ledger: str | None, channel: str | None, direction: Direction) -> Booking:
    """Everything about booking, with defaults where a line is missing or was refused."""
    sales = _sales(part, direction)
    return Booking(sales, _booked_within(part, sales), *_quantity(part, ledger, channel), _intake(part, ledger))


def _sales(part: RoutePart, direction: Direction) -> Sales:
    one_way = direction is Direction.LEDGER_TO_CHANNEL
    sales = part.choice("sales", Sales, Sales.EXPECT if one_way else Sales.POST)
    if one_way and sales is Sales.POST:
        part.refuse(
            "sales",
            ConfigCode.COMBINATION,
            "ledger_to_channel never writes the ledger, so it cannot book the channel's sales there",
            "Write `sales: expect` or leave it out; to have sales booked, write `direction: two_way`.",
        )
    if direction is Direction.CHANNEL_TO_LEDGER and sales is Sales.EXPECT:
        part.refuse(
            "sales",
            ConfigCode.COMBINATION,
            "channel_to_ledger only books what the channel moved, and `expect` leaves that to somebody else",
            "Write `sales: post` or leave it out; where somebody else books, write `direction: ledger_to_channel`.",
        )
    return sales


def _booked_within(part: RoutePart, sales: Sales) -> int:
    if not part.has("booked_within"):
        return DEFAULT_BOOKED_WITHIN
    node, path = part.value("booked_within"), f"{part.path}.booked_within"
    if sales is not Sales.EXPECT:
        message, remedy = "it belongs to `sales: expect`: nobody else books this route's sales", "Leave it out."
        part.reader.refuse(node, path, ConfigCode.COMBINATION, message, remedy)
        return DEFAULT_BOOKED_WITHIN
    written = part.reader.text(node, path)
    if written is None:
        return DEFAULT_BOOKED_WITHIN
    found = _DURATION.fullmatch(written)
    if found is None:
        message, remedy = "this is not a length of time", "Write a number and s, m, h or d, as 90s, 60m, 24h or 3d."
        part.reader.refuse(node, path, ConfigCode.WRONG_TYPE, message, remedy)
        return DEFAULT_BOOKED_WITHIN
    seconds = int(found[1]) * _SECONDS[found[2]]
    if not 1 <= seconds <= LONGEST_BOOKED_WITHIN:
        message, remedy = "this length of time is out of range", "Write a time from 1s to 90d."
        part.reader.refuse(node, path, ConfigCode.OUT_OF_RANGE, message, remedy)
        return DEFAULT_BOOKED_WITHIN
    return seconds


def _quantity(part: RoutePart, ledger: str | None, channel: str | None) -> tuple[str, str]:
    """The words for both numbers. Without a word it is the ledger's stock, or the only number that the ledger has."""
    entries = part.group("quantity", ("ledger", "channel")) or {}
    able = part.definition(ledger)
    bases = able.capabilities.bases if able is not None else frozenset({"stock"})
    word = "stock" if "stock" in bases else sorted(bases)[0]
    if "ledger" in entries:
        node, path = entries["ledger"].value, f"{part.path}.quantity.ledger"
        written = part.reader.word(node, path, LEDGER_QUANTITIES)
        if written is not None and able is not None and written not in bases:
            message = f"{able.title_en} does not give this number"
            remedy = f"Write {' or '.join(f'`{each}`' for each in sorted(bases))}."
            part.reader.refuse(node, path, ConfigCode.NOT_OFFERED, message, remedy)
        elif written is not None:
            word = written
    _needs_committed(part, word, channel)
    if "channel" in entries:
        node, path = entries["channel"].value, f"{part.path}.quantity.channel"
        other = part.reader.word(node, path, CHANNEL_QUANTITIES)
        reason = CHANNEL_QUANTITIES[other] if other is not None else None
        if reason is not None:
            part.reader.refuse(node, path, ConfigCode.NOT_IN_THIS_VERSION, reason, "Write `available`.")
    return word, "available"


def _needs_committed(part: RoutePart, word: str, channel: str | None) -> None:
    """A ledger that counts what is physically there counts ordered goods, which the channel must be able to name."""
    other = part.definition(channel)
    if word == "on_hand" and other is not None and not other.capabilities.shows_committed:
        part.refuse(
            "quantity",
            ConfigCode.NOT_OFFERED,
            f"a ledger that counts ordered goods needs the number of goods that orders have taken, and "
            f"{other.title_en} does not show it",
            "Let the ledger give a number without ordered goods, or take the channel out of this ledger's routes.",
        )


def _intake(part: RoutePart, ledger: str | None) -> str:
    if not part.has("intake"):
        return INTAKES[0]
    node, path = part.value("intake"), f"{part.path}.intake"
    word = part.reader.word(node, path, INTAKES)
    able = part.definition(ledger)
    if word is None:
        return INTAKES[0]
    if able is not None and word not in able.capabilities.adjustable_intake:
        ways = " or ".join(f"`{each}`" for each in able.capabilities.adjustable_intake)
        message = (
            f"nothing can be booked at {able.title_en} as {word} (出荷): the form of that request is not confirmed"
            if word == "shipment"
            else f"nothing can be booked at {able.title_en} as {word}"
        )
        part.reader.refuse(node, path, ConfigCode.NOT_OFFERED, message, f"Write {ways}, or leave it out.")
    return word
