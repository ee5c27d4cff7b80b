"""Which systems there are: every package that registers a `SystemDefinition` under one entry-point group.

Ours are registered in this project's own metadata; a third party adds a system the same way and changes nothing here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import SystemDefinition

ENTRY_POINT_GROUP = "inventory_sync.systems"


@dataclass(frozen=True, slots=True)
class LoadProblem:
    """An entry point that gave no usable definition, and why; the other systems work without it."""

    entry_point: str
    reason: str


class Registry:
    """The known systems by name, in alphabetical order."""

    def __init__(self, definitions: Iterable[SystemDefinition] = (), problems: Iterable[LoadProblem] = ()) -> None:
        found: dict[str, SystemDefinition] = {}
        for definition in definitions:
            if definition.name in found:
                raise ValueError(f"two systems are named {definition.name!r}")
            found[definition.name] = definition
        self._definitions = dict(sorted(found.items()))
        self.problems = tuple(problems)

    def __iter__(self) -> Iterator[SystemDefinition]:
        return iter(self._definitions.values())

    def __len__(self) -> int:
        return len(self._definitions)

    def __contains__(self, name: object) -> bool:
        return name in self._definitions

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._definitions)

    def get(self, name: str) -> SystemDefinition:
        """The system of that name. Raises InvalidSettings (field `system`) naming the nearest known one."""
        definition = self._definitions.get(name)
        if definition is not None:
            return definition
        folded = {known.casefold(): known for known in self._definitions}
        near = difflib.get_close_matches(name.strip().casefold(), list(folded), n=1, cutoff=0.5)
        known = ", ".join(self._definitions)
        remedy = f"did you mean {folded[near[0]]!r}? " if near else ""
        remedy_ja = f"「{folded[near[0]]}」の間違いではありませんか。" if near else ""
        raise InvalidSettings(
            f"there is no system named {name!r}",
            field="system",
            remedy=f"{remedy}Known systems: {known or 'none is installed'}.",
            code="IS-CFG-002",
            message_ja=f"「{name}」という名前のシステムはありません。",
            remedy_ja=f"{remedy_ja}使えるシステム: {known or 'インストールされていません'}。",
        )


def load(points: Iterable[EntryPoint] | None = None) -> Registry:
    """Load every registered definition. One that fails to load is listed in `Registry.problems`, with the reason.

    `points` None reads the installed packages; where none registers anything the registry is empty.
    """
    definitions: list[SystemDefinition] = []
    problems: list[LoadProblem] = []
    names: dict[str, str] = {}
    chosen = entry_points(group=ENTRY_POINT_GROUP) if points is None else points
    for point in sorted(chosen, key=lambda each: (each.name, each.value)):
        try:
            loaded = point.load()
        except Exception as error:  # a third party's import may fail in any way, and must not take the others down
            problems.append(LoadProblem(point.name, f"{type(error).__name__}: {error}"))
            continue
        if not isinstance(loaded, SystemDefinition):
            problems.append(LoadProblem(point.name, f"{point.value} is not a SystemDefinition"))
        elif loaded.name in names:
            problems.append(LoadProblem(point.name, f"{point.value} repeats the system name {loaded.name!r}"))
        else:
            names[loaded.name] = point.name
            definitions.append(loaded)
    return Registry(definitions, problems)
