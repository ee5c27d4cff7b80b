"""One route while it is read: its keys, its two systems, and the ways in which something is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ruamel.yaml.nodes import Node

from inventory_sync.config.nodes import Choice, Entry, Reader, is_null
from inventory_sync.systems.port import Capabilities, SystemDefinition
from inventory_sync.systems.problem import Problem


@dataclass(frozen=True, slots=True)
class RoutePart:
    """The lines of one route. `path` is where it stands, as `routes.pos-shop`."""

    reader: Reader
    path: str
    entry: Entry
    entries: Mapping[str, Entry]
    systems: Mapping[str, SystemDefinition | None]

    def has(self, key: str) -> bool:
        return key in self.entries

    def written(self, key: str) -> bool:
        """Whether a key is there with something behind it."""
        return key in self.entries and not is_null(self.entries[key].value)

    def value(self, key: str) -> Node:
        return self.entries[key].value

    def node(self, key: str) -> Node:
        """Where a problem with a key is shown: its value, or the route's name where the key is not there."""
        return self.entries[key].value if key in self.entries else self.entry.key

    def refuse(self, key: str, problem: Problem) -> None:
        self.reader.refuse(self.node(key), f"{self.path}.{key}", problem)

    def choice(self, key: str, allowed: type[Choice], default: Choice) -> Choice:
        if key not in self.entries:
            return default
        return self.reader.choice(self.entries[key].value, f"{self.path}.{key}", allowed) or default

    def group(self, key: str, known: Iterable[str]) -> dict[str, Entry] | None:
        """The keys below a key, unknown ones noted; empty where the key is not there, None where it is no group."""
        if key not in self.entries:
            return {}
        entries = self.reader.mapping(self.entries[key].value, f"{self.path}.{key}")
        if entries is not None:
            self.reader.only(entries, f"{self.path}.{key}", known)
        return entries

    def definition(self, connection: str | None) -> SystemDefinition | None:
        return self.systems.get(connection) if connection is not None else None

    def capabilities(self, connection: str | None) -> Capabilities | None:
        definition = self.definition(connection)
        return definition.capabilities if definition is not None else None
