"""What a line, an item or a name must look like before the ledger looks anything up. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from inventory_sync.ledger.errors import Fault, Refused
from inventory_sync.ledger.problems import BAD_VALUE
from inventory_sync.ledger.values import MOST, Adjust, Item, Kind, Label, Line, Location

NAME_LENGTH = 200
"""Most characters of a SKU, a location, a label, a reference, an actor or an idempotency key."""

TEXT_LENGTH = 500
"""Most characters of an item's or a location's name, and of a reason."""

AHEAD = timedelta(minutes=5)
"""How far ahead of ours the clock of a warehouse system may be; such a time counts as now."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing is told of times before this one; a clock that says so is not set."""

Said = tuple[str, str]
"""A field and what is wrong with it."""


def text_fault(value: str, most: int, *, empty: bool = False) -> str | None:
    """What is wrong with a text, or None. Blanks stay as they are: they are part of a code.

    >>> text_fault("A-1 ", 200), text_fault("", 200), text_fault("a\\tb", 200)
    (None, 'is empty', 'holds a control character')
    """
    if not value:
        return None if empty else "is empty"
    if len(value) > most:
        return f"has {len(value)} characters, {most} are the most"
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        return "holds a control character"
    if any(0xD800 <= ord(char) <= 0xDFFF for char in value):
        return "is not valid Unicode"
    return None


def check_lines(lines: Sequence[Line], *, now: datetime) -> None:
    """Raise Refused naming every line whose values cannot be."""
    _raise([(number, said) for number, line in enumerate(lines) for said in _line_faults(line, now)])


def check_items(items: Sequence[Item]) -> None:
    """Raise Refused naming every item whose values cannot be, or that stands twice."""
    found = [(n, said) for n, item in enumerate(items) for said in _item_faults(item)]
    _raise([*found, *_repeated("sku", [item.sku for item in items])])


def check_locations(locations: Sequence[Location]) -> None:
    """Raise Refused naming every location whose values cannot be, or that stands twice."""
    found = [(n, said) for n, place in enumerate(locations) for said in _location_faults(place)]
    _raise([*found, *_repeated("location", [place.key for place in locations])])


def check_labels(labels: Sequence[Label]) -> None:
    """Raise Refused naming every label whose name cannot be, or that stands twice."""
    found = [(n, said) for n, label in enumerate(labels) for said in _texts(("label", label.name, NAME_LENGTH, False))]
    _raise([*found, *_repeated("label", [label.name for label in labels])])


def check_name(field: str, value: str) -> None:
    """Raise Refused where a single name (of a key, a book, a request) cannot be."""
    _raise([(0, said) for said in _texts((field, value, NAME_LENGTH, False))])


def _line_faults(line: Line, now: datetime) -> Iterator[Said]:
    yield from _texts(
        ("sku", line.sku, NAME_LENGTH, False),
        ("location", line.location, NAME_LENGTH, False),
        ("label", line.label, NAME_LENGTH, False),
        ("reason", line.reason, TEXT_LENGTH, True),
        ("reference", line.reference, NAME_LENGTH, True),
    )
    if isinstance(line, Adjust):
        if line.delta == 0 or abs(line.delta) > MOST:
            yield "delta", f"must be a whole number other than 0, at most {MOST:,} either way"
        if line.kind is Kind.COUNT:
            yield "kind", "a count is a set, not an adjustment"
    elif abs(line.quantity) > MOST:
        yield "quantity", f"must be a whole number, at most {MOST:,} either way"
    if line.as_of is not None:
        if line.as_of.tzinfo is None:
            yield "as_of", "needs an offset, such as 2026-04-01T09:30:00+09:00"
        elif line.as_of > now + AHEAD:
            yield "as_of", "lies in the future; check the sender's clock"
        elif line.as_of < EARLIEST:
            yield "as_of", "lies before the year 2000; check the sender's clock"


def _item_faults(item: Item) -> Iterator[Said]:
    yield from _texts(
        ("sku", item.sku, NAME_LENGTH, False),
        ("name", item.name, TEXT_LENGTH, True),
        ("barcode", item.barcode, NAME_LENGTH, True),
    )


def _location_faults(place: Location) -> Iterator[Said]:
    yield from _texts(("location", place.key, NAME_LENGTH, False), ("name", place.name, TEXT_LENGTH, True))


def _texts(*fields: tuple[str, str, int, bool]) -> Iterator[Said]:
    for name, value, most, empty in fields:
        fault = text_fault(value, most, empty=empty)
        if fault is not None:
            yield name, fault


def _repeated(field: str, names: Sequence[str]) -> Iterator[tuple[int, Said]]:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            yield number, (field, "stands in this list twice")
        seen.add(name)


def _raise(found: Sequence[tuple[int, Said]]) -> None:
    if found:
        raise Refused([Fault(n, field, BAD_VALUE, f"{field} {said}.") for n, (field, said) in found])
