"""The locations of a route: paired one to one, or several of the ledger summed for one of the channel."""

from __future__ import annotations

from ruamel.yaml.nodes import Node

from inventory_sync.config.document import LocationPair, Pool, RouteState
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.nodes import is_null, line_of
from inventory_sync.config.part import RoutePart

POOL_KEYS = ("ledger", "intake", "channel")


def read_places(
    part: RoutePart, channel: str | None, state: RouteState
) -> tuple[tuple[LocationPair, ...], Pool | None]:
    """The location pairs of a route, or its pool."""
    if part.has("pool") and part.written("locations"):
        part.refuse(
            "pool",
            ConfigCode.COMBINATION,
            "a route has pairs of locations or a pool, not both",
            "Keep `pool:` where the channel shows a sum, or `locations:` where each location has its own number.",
        )
        return (), None
    if part.has("pool"):
        return (), _pool(part, channel)
    return _locations(part, state), None


def _locations(part: RoutePart, state: RouteState) -> tuple[LocationPair, ...]:
    path = f"{part.path}.locations"
    nodes = part.reader.sequence(part.value("locations"), path) if part.written("locations") else []
    if nodes is None:
        return ()
    if not nodes and state is not RouteState.STOPPED:
        message = f"a route cannot {'run' if state is RouteState.RUNNING else 'watch'} without locations"
        part.refuse("locations", ConfigCode.MISSING, message, "Add `- {ledger: …, channel: …}` for each pair.")
    pairs: list[LocationPair] = []
    first: dict[tuple[str, str], int] = {}
    for place, node in enumerate(nodes):
        pair = _location(part, node, f"{path}[{place}]", first)
        if pair is not None:
            pairs.append(pair)
    return tuple(pairs)


def _location(part: RoutePart, node: Node, path: str, first: dict[tuple[str, str], int]) -> LocationPair | None:
    reader = part.reader
    entries = reader.mapping(node, path)
    if entries is None:
        return None
    reader.only(entries, path, ("ledger", "channel"))
    keys: list[str] = []
    for side in ("ledger", "channel"):
        if side not in entries:
            message, remedy = f"the {side}'s location is not named", f"Add `{side}:` with the location's key."
            reader.refuse(node, f"{path}.{side}", ConfigCode.MISSING, message, remedy)
            continue
        value = entries[side].value
        key = reader.text(value, f"{path}.{side}")
        if key is None:
            continue
        keys.append(key)
        if (side, key) in first:
            message = f"this {side} location stands here and already on line {first[side, key]}"
            remedy = "Locations are paired one to one: keep one of the two."
            reader.refuse(value, f"{path}.{side}", ConfigCode.LOCATION_TWICE, message, remedy)
        first.setdefault((side, key), line_of(value))
    return LocationPair(keys[0], keys[1], line_of(node)) if len(keys) == 2 else None


def _pool(part: RoutePart, channel: str | None) -> Pool | None:
    path = f"{part.path}.pool"
    entries = part.group("pool", POOL_KEYS)
    if entries is None:
        return None
    reader, node = part.reader, part.value("pool")
    for key, remedy in (
        ("ledger", "Add `ledger: [one, two]` with the keys of the locations that are summed."),
        ("intake", "Add `intake:` with the location of the ledger that takes what comes back from the channel."),
    ):
        if key not in entries:
            reader.refuse(node, f"{path}.{key}", ConfigCode.MISSING, f"{key} is missing", remedy)
    keys = _summed(part, entries["ledger"].value, f"{path}.ledger") if "ledger" in entries else None
    intake = reader.text(entries["intake"].value, f"{path}.intake") if "intake" in entries else None
    if keys and intake is not None and intake not in keys:
        message = "the location that takes what comes back is not one of those that are summed"
        remedy = f"Write one of {', '.join(keys)}, or add it under `ledger:`."
        reader.refuse(entries["intake"].value, f"{path}.intake", ConfigCode.NOT_ALLOWED, message, remedy)
    place = None
    if "channel" in entries and not is_null(entries["channel"].value):
        place = _channel(part, entries["channel"].value, f"{path}.channel", channel)
    return Pool(keys, intake, place, line_of(node)) if keys and intake is not None else None


def _summed(part: RoutePart, node: Node, path: str) -> tuple[str, ...] | None:
    nodes = part.reader.sequence(node, path)
    if nodes is None:
        return None
    if not nodes:
        remedy = "Name the locations of the ledger that are summed."
        part.reader.refuse(node, path, ConfigCode.MISSING, "the list is empty", remedy)
    lines: dict[str, int] = {}
    for place, each in enumerate(nodes):
        key = part.reader.text(each, f"{path}[{place}]")
        if key is None:
            continue
        if key in lines:
            message = f"this ledger location stands here and already on line {lines[key]}"
            part.reader.refuse(each, f"{path}[{place}]", ConfigCode.LOCATION_TWICE, message, "Keep one of the two.")
        lines.setdefault(key, line_of(each))
    return tuple(lines)


def _channel(part: RoutePart, node: Node, path: str, channel: str | None) -> str | None:
    able = part.definition(channel)
    if able is not None and not able.capabilities.has_locations:
        message = f"{able.title_en} has one number for each item and no locations to choose from"
        part.reader.refuse(node, path, ConfigCode.COMBINATION, message, "Leave it out.")
        return None
    return part.reader.text(node, path)
