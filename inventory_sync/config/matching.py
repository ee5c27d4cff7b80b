"""How the items of a route are matched: fields, a code table, several listings, and sets."""

from __future__ import annotations

from dataclasses import dataclass

from ruamel.yaml.nodes import Node, SequenceNode

from inventory_sync.config.document import Listings, SetLine
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.nodes import Entry, nearest
from inventory_sync.config.part import RoutePart
from inventory_sync.config.tables import read_codes, read_sets


@dataclass(frozen=True, slots=True)
class Matching:
    """How items are matched. `ledger_field` None or no `channel_fields`: something was refused."""

    ledger_field: str | None
    channel_fields: tuple[str, ...]
    listings: Listings
    codes: tuple[tuple[str, str], ...]
    sets: tuple[SetLine, ...]


def read_matching(part: RoutePart, ledger: str | None, channel: str | None) -> Matching:
    """Everything about matching; a file that is refused counts as empty, and its problems are noted."""
    listings = part.choice("listings", Listings, Listings.ONE)
    sets = read_sets(part.reader, part.value("sets"), f"{part.path}.sets") or () if part.has("sets") else ()
    entries = part.group("match", ("ledger_field", "channel_field", "table"))
    if entries is None:
        return Matching(None, (), listings, (), sets)
    path = f"{part.path}.match"
    codes = read_codes(part.reader, entries["table"].value, f"{path}.table") or () if "table" in entries else ()
    _check_both(part, entries, codes, sets)
    known = [_match_fields(part, ledger), _match_fields(part, channel)]
    ledger_field, first = (fields[0] if fields else None for fields in known)
    if "ledger_field" in entries:
        ledger_field = _field(part, entries["ledger_field"].value, f"{path}.ledger_field", known[0])
    if "channel_field" not in entries:
        return Matching(ledger_field, () if first is None else (first,), listings, codes, sets)
    fields = _channel_fields(part, entries["channel_field"].value, f"{path}.channel_field", known[1])
    return Matching(ledger_field, fields, listings, codes, sets)


def _channel_fields(part: RoutePart, node: Node, path: str, known: tuple[str, ...]) -> tuple[str, ...]:
    nodes = part.reader.sequence(node, path) if isinstance(node, SequenceNode) else [node]
    if nodes is None:
        return ()
    if not nodes:
        part.reader.refuse(node, path, ConfigCode.MISSING, "the list is empty", "Name a field, or leave the line out.")
    fields: list[str] = []
    for each in nodes:
        name = _field(part, each, path, known)
        if name is not None and name in fields:
            message = "this field stands twice in the list"
            part.reader.refuse(each, path, ConfigCode.DUPLICATE_KEY, message, "Keep one of the two.")
        elif name is not None:
            fields.append(name)
    return tuple(fields)


def _check_both(
    part: RoutePart, entries: dict[str, Entry], codes: tuple[tuple[str, str], ...], sets: tuple[SetLine, ...]
) -> None:
    """A channel code that stands for a ledger code is no set as well."""
    values = {line.value for line in sets}
    both = [channel for channel, _ in codes if channel in values]
    if both:
        shown = ", ".join(repr(each) for each in both[:3])
        message = f"{len(both)} channel codes stand in the code table and name a set as well, such as {shown}"
        remedy = "Take them out of one of the two files."
        part.reader.refuse(entries["table"].value, f"{part.path}.match.table", ConfigCode.COMBINATION, message, remedy)


def _match_fields(part: RoutePart, connection: str | None) -> tuple[str, ...]:
    able = part.capabilities(connection)
    return able.match_fields if able is not None else ()


def _field(part: RoutePart, node: Node, path: str, known: tuple[str, ...]) -> str | None:
    name = part.reader.text(node, path)
    if name is None or not known or name in known:
        return name
    near = nearest(name, known)
    remedy = f"{f'Did you mean {near!r}? ' if near else ''}Fields of this system: {', '.join(known)}."
    part.reader.refuse(node, path, ConfigCode.MATCH_FIELD, "this system has no such field to match by", remedy)
    return None
