"""The `routes` part of the file: one route at a time. What concerns several routes is in `links`."""

from __future__ import annotations

from collections.abc import Mapping

from ruamel.yaml.nodes import Node, SequenceNode

from inventory_sync.config.connections import NAME, NAME_REMEDY
from inventory_sync.config.document import Direction, LocationPair, RouteDocument, RouteState, Sales
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.nodes import Choice, Entry, Reader, is_null, joined, line_of, nearest
from inventory_sync.model.alignment import AlignPolicy, check_policy
from inventory_sync.model.publish import LARGEST_UNITS, PublishRule
from inventory_sync.systems.port import Role, SystemDefinition

ROUTE_KEYS = (
    "ledger",
    "channel",
    "direction",
    "sales",
    "quantity",
    "match",
    "locations",
    "publish",
    "align",
    "state",
)

EXPECT_REASON = "this version books channel sales in the ledger by itself and cannot yet wait for another to do it"

ABSENT_KEYS = {
    "booked_within": ("it belongs to `sales: expect`, which this version does not have", "Leave it out."),
    "pool": (
        "this version cannot sum several ledger locations for one channel location",
        "Name pairs under `locations:`, one ledger location for one channel location.",
    ),
    "intake": ("it belongs to a pool, which this version does not have", "Leave it out."),
}
"""Keys of the outward contract that this version does not have, with the reason and what to do."""

LEDGER_QUANTITIES = {
    "stock": None,
    "stock_minus_layaway": "this version reads a ledger's stock and no layaway numbers",
    "on_hand": "a ledger that counts ordered goods needs the channel's committed number, which is not read yet",
    "free": "this version reads a ledger's stock and not what it calls free",
}
"""The words for a ledger's number, each with the reason why this version refuses it (None: accepted)."""

CHANNEL_QUANTITIES = {
    "available": None,
    "on_hand": "writing a channel's on-hand number would sell ordered goods twice; only what is available is written",
}
"""The same for the channel's number."""


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
    route = _Route(reader, path, entry, entries, systems).read(name)
    return route if len(reader.errors) == before else None


class _Route:
    """One route while it is read."""

    def __init__(
        self,
        reader: Reader,
        path: str,
        entry: Entry,
        entries: Mapping[str, Entry],
        systems: Mapping[str, SystemDefinition | None],
    ) -> None:
        self.reader, self.path, self.entry, self.systems = reader, path, entry, systems
        self.entries = {key: each for key, each in entries.items() if key not in ABSENT_KEYS}
        for key, (reason, remedy) in ABSENT_KEYS.items():
            if key in entries:
                self._not_yet(entries[key].key, f"{path}.{key}", f"{key} is not available: {reason}", remedy)
        reader.only(self.entries, path, ROUTE_KEYS)

    def read(self, name: str) -> RouteDocument | None:
        ledger, channel = self._connection("ledger", Role.LEDGER), self._connection("channel", Role.CHANNEL)
        if ledger is not None and ledger == channel:
            message = f"{ledger!r} is both the ledger and the channel of this route"
            self._refuse("channel", ConfigCode.SAME_CONNECTION, message, "Name two different connections.")
        direction = self._choice("direction", Direction, Direction.TWO_WAY)
        sales = self._choice("sales", Sales, Sales.POST)
        self._expects(direction, sales)
        state = self._choice("state", RouteState, RouteState.STOPPED)
        if state is RouteState.WATCHING:
            remedy = "Write `stopped` or `running`; a preview shows what a start would do."
            self._not_yet(
                self._node("state"), f"{self.path}.state", "this version cannot watch without writing", remedy
            )
        ledger_quantity, channel_quantity = self._quantity()
        ledger_field, channel_fields = self._match(ledger, channel)
        locations = self._locations(state)
        rule = self._publish()
        align = self._align(direction, rule)
        if ledger is None or channel is None or ledger_field is None or not channel_fields:
            return None
        return RouteDocument(
            name=name,
            ledger=ledger,
            channel=channel,
            direction=direction,
            sales=sales,
            ledger_quantity=ledger_quantity,
            channel_quantity=channel_quantity,
            ledger_field=ledger_field,
            channel_fields=channel_fields,
            locations=locations,
            publish=rule,
            align=align,
            state=state,
            line=self.entry.line,
        )

    def _node(self, key: str) -> Node:
        """Where a problem with a key is shown: its value, or the route's name where the key is not there."""
        return self.entries[key].value if key in self.entries else self.entry.key

    def _refuse(self, key: str, code: ConfigCode, message: str, remedy: str) -> None:
        self.reader.refuse(self._node(key), f"{self.path}.{key}", code, message, remedy)

    def _not_yet(self, node: Node, path: str, message: str, remedy: str) -> None:
        self.reader.refuse(node, path, ConfigCode.NOT_IN_THIS_VERSION, message, remedy)

    def _choice(self, key: str, allowed: type[Choice], default: Choice) -> Choice:
        if key not in self.entries:
            return default
        return self.reader.choice(self.entries[key].value, f"{self.path}.{key}", allowed) or default

    def _connection(self, key: str, role: Role) -> str | None:
        if key not in self.entries:
            remedy = f"Add `{key}:` with the name of a connection."
            self._refuse(key, ConfigCode.MISSING, f"the {key} is not named", remedy)
            return None
        name = self.reader.text(self.entries[key].value, f"{self.path}.{key}")
        if name is None:
            return None
        if name not in self.systems:
            near = nearest(name, self.systems)
            known = ", ".join(self.systems) or "none"
            remedy = f"{f'Did you mean {near!r}? ' if near else ''}Known connections: {known}."
            self._refuse(key, ConfigCode.UNKNOWN_CONNECTION, "there is no connection of this name", remedy)
            return None
        definition = self.systems[name]
        if definition is not None and role not in definition.capabilities.roles:
            able = " or ".join(sorted(definition.capabilities.roles))
            message = f"{definition.title_en} cannot be the {role} of a route"
            self._refuse(key, ConfigCode.ROLE, message, f"It can be a {able}: name another connection here.")
        return name

    def _expects(self, direction: Direction, sales: Sales) -> None:
        if direction is Direction.LEDGER_TO_CHANNEL:
            self._not_yet(
                self._node("direction"),
                f"{self.path}.direction",
                f"ledger_to_channel means that somebody else books the sales, and {EXPECT_REASON}",
                "Write `two_way`.",
            )
        if sales is Sales.EXPECT:
            self._not_yet(self._node("sales"), f"{self.path}.sales", EXPECT_REASON, "Write `post`, or leave it out.")

    def _quantity(self) -> tuple[str, str]:
        ledger, channel = "stock", "available"
        if "quantity" not in self.entries:
            return ledger, channel
        path = f"{self.path}.quantity"
        entries = self.reader.mapping(self.entries["quantity"].value, path) or {}
        self.reader.only(entries, path, ("ledger", "channel"))
        for key, words in (("ledger", LEDGER_QUANTITIES), ("channel", CHANNEL_QUANTITIES)):
            if key not in entries:
                continue
            word = self.reader.word(entries[key].value, f"{path}.{key}", words)
            reason = words[word] if word is not None else None
            if reason is not None:
                accepted = " or ".join(f"`{each}`" for each, why in words.items() if why is None)
                self._not_yet(entries[key].value, f"{path}.{key}", reason, f"Write {accepted}.")
        return ledger, channel

    def _match(self, ledger: str | None, channel: str | None) -> tuple[str | None, tuple[str, ...]]:
        path = f"{self.path}.match"
        entries = self.reader.mapping(self.entries["match"].value, path) if "match" in self.entries else {}
        if entries is None:
            return None, ()
        self.reader.only(entries, path, ("ledger_field", "channel_field"))
        known = [self._match_fields(ledger), self._match_fields(channel)]
        ledger_field, channel_field = (fields[0] if fields else None for fields in known)
        if "ledger_field" in entries:
            ledger_field = self._field(entries["ledger_field"].value, f"{path}.ledger_field", known[0])
        if "channel_field" not in entries:
            return ledger_field, () if channel_field is None else (channel_field,)
        node, path = entries["channel_field"].value, f"{path}.channel_field"
        nodes = self.reader.sequence(node, path) if isinstance(node, SequenceNode) else [node]
        if nodes is None:
            return ledger_field, ()
        if not nodes:
            remedy = "Name one field, or leave the line out."
            self.reader.refuse(node, path, ConfigCode.MISSING, "the list is empty", remedy)
        if len(nodes) > 1:
            message = "this version matches by one field of the channel and cannot yet try several in order"
            self._not_yet(nodes[1], path, message, "Name the one field that carries the ledger's code.")
        fields = [self._field(each, path, known[1]) for each in nodes]
        return ledger_field, tuple(each for each in fields if each is not None)

    def _match_fields(self, connection: str | None) -> tuple[str, ...]:
        definition = self.systems.get(connection) if connection is not None else None
        return definition.capabilities.match_fields if definition is not None else ()

    def _field(self, node: Node, path: str, known: tuple[str, ...]) -> str | None:
        name = self.reader.text(node, path)
        if name is None or not known or name in known:
            return name
        near = nearest(name, known)
        remedy = f"{f'Did you mean {near!r}? ' if near else ''}Fields of this system: {', '.join(known)}."
        self.reader.refuse(node, path, ConfigCode.MATCH_FIELD, "this system has no such field to match by", remedy)
        return None

    def _locations(self, state: RouteState) -> tuple[LocationPair, ...]:
        path = f"{self.path}.locations"
        absent = "locations" not in self.entries or is_null(self.entries["locations"].value)
        nodes = [] if absent else self.reader.sequence(self.entries["locations"].value, path)
        if nodes is None:
            return ()
        if not nodes and state is RouteState.RUNNING:
            message = "a route cannot run without locations"
            self._refuse("locations", ConfigCode.MISSING, message, "Add `- {ledger: …, channel: …}` for each pair.")
        pairs: list[LocationPair] = []
        first: dict[tuple[str, str], int] = {}
        for place, node in enumerate(nodes):
            pair = self._location(node, f"{path}[{place}]", first)
            if pair is not None:
                pairs.append(pair)
        return tuple(pairs)

    def _location(self, node: Node, path: str, first: dict[tuple[str, str], int]) -> LocationPair | None:
        entries = self.reader.mapping(node, path)
        if entries is None:
            return None
        self.reader.only(entries, path, ("ledger", "channel"))
        keys: list[str] = []
        for side in ("ledger", "channel"):
            if side not in entries:
                message, remedy = f"the {side}'s location is not named", f"Add `{side}:` with the location's key."
                self.reader.refuse(node, f"{path}.{side}", ConfigCode.MISSING, message, remedy)
                continue
            value = entries[side].value
            key = self.reader.text(value, f"{path}.{side}")
            if key is None:
                continue
            keys.append(key)
            if (side, key) in first:
                message = f"this {side} location stands here and already on line {first[side, key]}"
                remedy = "Locations are paired one to one: keep one of the two."
                self.reader.refuse(value, f"{path}.{side}", ConfigCode.LOCATION_TWICE, message, remedy)
            first.setdefault((side, key), line_of(value))
        return LocationPair(keys[0], keys[1], line_of(node)) if len(keys) == 2 else None

    def _publish(self) -> PublishRule:
        if "publish" not in self.entries:
            return PublishRule()
        path = f"{self.path}.publish"
        entries = self.reader.mapping(self.entries["publish"].value, path) or {}
        self.reader.only(entries, path, ("buffer", "percent", "max"))
        numbers: dict[str, int] = {}
        for key, name, largest in (
            ("buffer", "buffer", LARGEST_UNITS),
            ("percent", "percent", 100),
            ("max", "maximum", LARGEST_UNITS),
        ):
            if key not in entries or (key == "max" and is_null(entries[key].value)):
                continue
            number = self.reader.whole(entries[key].value, f"{path}.{key}", largest)
            if number is not None:
                numbers[name] = number
        return PublishRule(**numbers)

    def _align(self, direction: Direction, rule: PublishRule) -> AlignPolicy:
        policy = self._choice("align", AlignPolicy, AlignPolicy.LEDGER_WINS)
        objection = check_policy(policy, rule)
        if objection is not None:
            remedy = "Write `ledger_wins` or `keep_difference`, or publish everything and align first."
            self._refuse("align", ConfigCode.ALIGN, objection, remedy)
        if direction is Direction.CHANNEL_TO_LEDGER:
            if policy is AlignPolicy.LEDGER_WINS:
                message = "channel_to_ledger never writes the channel, so the ledger cannot win"
                self._refuse("align", ConfigCode.ALIGN, message, "Write `align: channel_wins` or `keep_difference`.")
            if rule != PublishRule():
                message = "channel_to_ledger never writes the channel, so there is nothing to publish"
                self._refuse("publish", ConfigCode.ALIGN, message, "Leave `publish` out.")
        return policy
