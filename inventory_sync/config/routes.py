"""The `routes` part of the file: one route at a time. What concerns several routes is in `links`."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.config.booking import read_booking
from inventory_sync.config.connections import NAME, NAME_REMEDY
from inventory_sync.config.document import Direction, Listings, Pool, RouteDocument, RouteState
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.matching import Matching, read_matching
from inventory_sync.config.nodes import Entry, Reader, is_null, joined, nearest
from inventory_sync.config.part import RoutePart
from inventory_sync.config.places import read_places
from inventory_sync.model.alignment import AlignPolicy, check_policy
from inventory_sync.model.auto_buffer import DEFAULT_MOST
from inventory_sync.model.publish import LARGEST_UNITS, PublishRule
from inventory_sync.systems.port import Role, SystemDefinition

ROUTE_KEYS = (
    "ledger",
    "channel",
    "direction",
    "sales",
    "booked_within",
    "quantity",
    "match",
    "listings",
    "sets",
    "locations",
    "pool",
    "intake",
    "publish",
    "align",
    "state",
)


def read_route(
    reader: Reader, name: str, entry: Entry, systems: Mapping[str, SystemDefinition | None]
) -> RouteDocument | None:
    """One route, or None after noting what is wrong."""
    path = joined("routes", name)
    before = len(reader.errors)
    if not NAME.fullmatch(name):
        reader.refuse(entry.key, path, ConfigCode.NAME, "this is not a name that a route can have", NAME_REMEDY)
    entries = reader.mapping(entry.value, path)
    if entries is None:
        return None
    reader.only(entries, path, ROUTE_KEYS)
    route = _read(RoutePart(reader, path, entry, entries, systems), name)
    return route if len(reader.errors) == before else None


def _read(part: RoutePart, name: str) -> RouteDocument | None:
    ledger, channel = _connection(part, "ledger", Role.LEDGER), _connection(part, "channel", Role.CHANNEL)
    if ledger is not None and ledger == channel:
        message = f"{ledger!r} is both the ledger and the channel of this route"
        part.refuse("channel", ConfigCode.SAME_CONNECTION, message, "Name two different connections.")
    direction = part.choice("direction", Direction, Direction.TWO_WAY)
    booking = read_booking(part, ledger, channel, direction)
    state = part.choice("state", RouteState, RouteState.STOPPED)
    matching = read_matching(part, ledger, channel)
    locations, pool = read_places(part, channel, state)
    rule, auto = _publish(part)
    align = _align(part, direction, rule, matching, auto=auto is not None)
    _check_sets(part, matching, pool)
    if ledger is None or channel is None or matching.ledger_field is None or not matching.channel_fields:
        return None
    return RouteDocument(
        name=name,
        ledger=ledger,
        channel=channel,
        direction=direction,
        sales=booking.sales,
        booked_within=booking.booked_within,
        intake=booking.intake,
        ledger_quantity=booking.ledger_quantity,
        channel_quantity=booking.channel_quantity,
        ledger_field=matching.ledger_field,
        channel_fields=matching.channel_fields,
        listings=matching.listings,
        codes=matching.codes,
        sets=matching.sets,
        locations=locations,
        pool=pool,
        publish=rule,
        auto_buffer=auto is not None,
        auto_most=DEFAULT_MOST if auto is None else auto,
        align=align,
        state=state,
        line=part.entry.line,
    )


def _connection(part: RoutePart, key: str, role: Role) -> str | None:
    if not part.has(key):
        part.refuse(key, ConfigCode.MISSING, f"the {key} is not named", f"Add `{key}:` with the name of a connection.")
        return None
    name = part.reader.text(part.value(key), f"{part.path}.{key}")
    if name is None:
        return None
    if name not in part.systems:
        near = nearest(name, part.systems)
        known = ", ".join(part.systems) or "none"
        remedy = f"{f'Did you mean {near!r}? ' if near else ''}Known connections: {known}."
        part.refuse(key, ConfigCode.UNKNOWN_CONNECTION, "there is no connection of this name", remedy)
        return None
    definition = part.systems[name]
    if definition is not None and role not in definition.capabilities.roles:
        able = " or ".join(sorted(definition.capabilities.roles))
        message = f"{definition.title_en} cannot be the {role} of a route"
        part.refuse(key, ConfigCode.ROLE, message, f"It can be a {able}: name another connection here.")
    return name


def _publish(part: RoutePart) -> tuple[PublishRule, int | None]:
    """The route's own rule, and the largest automatic buffer where `buffer: auto` asks for one; the smallest is the
    rule's."""
    entries = part.group("publish", ("buffer", "buffer_min", "buffer_max", "percent", "max", "end_when")) or {}
    path = f"{part.path}.publish"
    auto = "buffer" in entries and part.reader.text(entries["buffer"].value, f"{path}.buffer") == "auto"
    numbers: dict[str, int] = {}
    for key, name, largest in (
        ("buffer_min" if auto else "buffer", "buffer", LARGEST_UNITS),
        ("buffer_max", "most", LARGEST_UNITS),
        ("percent", "percent", 100),
        ("max", "maximum", LARGEST_UNITS),
        ("end_when", "end_when", LARGEST_UNITS),
    ):
        if key not in entries or (key == "max" and is_null(entries[key].value)):
            continue
        number = part.reader.whole(entries[key].value, f"{path}.{key}", largest)
        if number is not None:
            numbers[name] = number
    for key in ("buffer_min", "buffer_max"):
        if key in entries and not auto:
            message = f"{key} has no meaning without `buffer: auto`"
            part.reader.refuse(
                entries[key].key,
                f"{path}.{key}",
                ConfigCode.COMBINATION,
                message,
                "Write `buffer: auto`, or take it out.",
            )
    most = numbers.pop("most", DEFAULT_MOST)
    rule = PublishRule(
        buffer=numbers.get("buffer", 0),
        percent=numbers.get("percent", 100),
        maximum=numbers.get("maximum"),
        end_when=numbers.get("end_when", 0),
    )
    return rule, max(most, rule.buffer) if auto else None


def _align(part: RoutePart, direction: Direction, rule: PublishRule, matching: Matching, *, auto: bool) -> AlignPolicy:
    policy = part.choice("align", AlignPolicy, AlignPolicy.LEDGER_WINS)
    objection = check_policy(policy, rule)
    if objection is not None:
        remedy = "Write `ledger_wins` or `keep_difference`, or publish everything and align first."
        part.refuse("align", ConfigCode.ALIGN, objection, remedy)
    if policy is AlignPolicy.CHANNEL_WINS:
        _check_channel_wins(part, direction, matching)
    if direction is Direction.CHANNEL_TO_LEDGER:
        if policy is AlignPolicy.LEDGER_WINS:
            message = "channel_to_ledger never writes the channel, so the ledger cannot win"
            part.refuse("align", ConfigCode.ALIGN, message, "Write `align: channel_wins` or `keep_difference`.")
        if rule != PublishRule() or auto:
            message = "channel_to_ledger never writes the channel, so there is nothing to publish"
            part.refuse("publish", ConfigCode.ALIGN, message, "Leave `publish` out.")
    return policy


def _check_channel_wins(part: RoutePart, direction: Direction, matching: Matching) -> None:
    """The channel can win only where its one number says how much of one ledger item there is."""
    if direction is Direction.LEDGER_TO_CHANNEL:
        message = "ledger_to_channel never writes the ledger, so the channel cannot win"
    elif part.has("sets"):
        message = "channel_wins has no meaning with sets: how many sets there are does not say how much of each part"
    elif matching.listings is Listings.SAME:
        message = "channel_wins needs one listing for each item: several listings may each say something else"
    else:
        return
    part.refuse("align", ConfigCode.ALIGN, message, "Write `align: ledger_wins` or `keep_difference`.")


def _check_sets(part: RoutePart, matching: Matching, pool: Pool | None) -> None:
    if part.has("sets") and pool is not None:
        part.refuse(
            "sets",
            ConfigCode.COMBINATION,
            "a pool cannot have sets: which store a part of a set was taken from cannot be said",
            "Pair the locations one to one under `locations:`, or take the sets out.",
        )
