"""How the items of a route are matched: fields, a code table, several listings, and sets."""

from __future__ import annotations

from dataclasses import dataclass

from ruamel.yaml.nodes import Node, SequenceNode

from inventory_sync.config.document import Listings, SetLine
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.nodes import Entry, nearest
from inventory_sync.config.part import RoutePart
from inventory_sync.config.problems import empty_list, suggesting
from inventory_sync.config.tables import read_codes, read_sets
from inventory_sync.systems.problem import Problem


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
        remedy = ("Name a field, or leave the line out.", "照合項目を書くか、この行を削除してください。")
        part.reader.refuse(node, path, empty_list(*remedy))
    fields: list[str] = []
    for each in nodes:
        name = _field(part, each, path, known)
        if name is not None and name in fields:
            problem = Problem(
                ConfigCode.DUPLICATE_KEY,
                "this field stands twice in the list",
                "同じ照合項目が一覧に二つあります",
                "Keep one of the two.",
                "どちらか一つだけを残してください。",
            )
            part.reader.refuse(each, path, problem)
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
        problem = Problem(
            ConfigCode.COMBINATION,
            f"{len(both)} channel codes stand in the code table and name a set as well, such as {shown}",
            f"販売チャネルのコード {len(both)} 件が、対応表とセットの両方にあります(例: {shown})",
            "Take them out of one of the two files.",
            "どちらか一方のファイルから削除してください。",
        )
        part.reader.refuse(entries["table"].value, f"{part.path}.match.table", problem)


def _match_fields(part: RoutePart, connection: str | None) -> tuple[str, ...]:
    able = part.capabilities(connection)
    return able.match_fields if able is not None else ()


def _field(part: RoutePart, node: Node, path: str, known: tuple[str, ...]) -> str | None:
    name = part.reader.text(node, path)
    if name is None or not known or name in known:
        return name
    fields = ", ".join(known)
    problem = Problem(
        ConfigCode.MATCH_FIELD,
        "this system has no such field to match by",
        "このシステムにその照合項目はありません",
        *suggesting(nearest(name, known), f"Fields of this system: {fields}.", f"このシステムの照合項目: {fields}。"),
    )
    part.reader.refuse(node, path, problem)
    return None
