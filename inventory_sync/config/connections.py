"""The `connections` part of the file: each checked by its system's own settings model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from inventory_sync.config.document import ConnectionDocument
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.nodes import Entry, Reader, is_null, joined, nearest
from inventory_sync.config.problems import suggesting
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import SettingsModel, SystemDefinition
from inventory_sync.systems.problem import Problem
from inventory_sync.systems.settings_words import words_of

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
NAME_REMEDY = (
    "Use 1 to 40 of a-z, 0-9, _ and -, beginning with a letter or digit.",
    "英小文字、数字、_、- を使い、1〜40 文字で書いてください。先頭は英小文字か数字です。",
)
"""What a name may be, in English and Japanese."""

NO_NAME = Problem(
    ConfigCode.NAME,
    "this is not a name that a connection can have",
    "接続の名前として使えません",
    *NAME_REMEDY,
)


@dataclass(frozen=True, slots=True)
class Connections:
    """What the routes need to know: valid connections, and the system (None: unusable) of every one that is named."""

    documents: tuple[ConnectionDocument, ...]
    systems: Mapping[str, SystemDefinition | None]


def read_connections(
    reader: Reader,
    node: Node | None,
    systems: Mapping[str, SystemDefinition],
    stored_secrets: Callable[[str], Mapping[str, str]],
    known: Mapping[str, str],
) -> Connections:
    """Read every connection; `known` maps stored connections to their systems, which never change."""
    found: dict[str, SystemDefinition | None] = {name: systems.get(system) for name, system in known.items()}
    documents: list[ConnectionDocument] = []
    for name, entry in (reader.mapping(node, "connections") or {} if node is not None else {}).items():
        path = joined("connections", name)
        if not NAME.fullmatch(name):
            reader.refuse(entry.key, path, NO_NAME)
        entries = reader.mapping(entry.value, path)
        definition = None if entries is None else _system(reader, entry, entries, path, systems, known.get(name))
        found[name] = definition
        if entries is not None and definition is not None:
            document = _Connection(reader, name, path, entry, entries, definition).read(stored_secrets)
            if document is not None:
                documents.append(document)
    return Connections(tuple(documents), found)


def _system(
    reader: Reader,
    entry: Entry,
    entries: Mapping[str, Entry],
    path: str,
    systems: Mapping[str, SystemDefinition],
    before: str | None,
) -> SystemDefinition | None:
    known = ", ".join(systems)
    if "system" not in entries:
        problem = Problem(
            ConfigCode.MISSING,
            "the system is not named",
            "システムが指定されていません",
            f"Add `system:` with one of: {known}.",
            f"`system:` の行を加え、次のいずれかを書いてください: {known}。",
        )
        reader.refuse(entry.key, f"{path}.system", problem)
        return None
    node = entries["system"].value
    name = reader.text(node, f"{path}.system")
    if name is None:
        return None
    if name not in systems:
        problem = Problem(
            ConfigCode.UNKNOWN_SYSTEM,
            "there is no system of this name",
            "この名前のシステムはありません",
            *suggesting(nearest(name, systems), f"Known systems: {known}.", f"使えるシステム: {known}。"),
        )
        reader.refuse(node, f"{path}.system", problem)
        return None
    if before is not None and before != name:
        problem = Problem(
            ConfigCode.SYSTEM_CHANGED,
            f"this connection belongs to the system {before!r}, and that never changes",
            f"この接続のシステムは「{before}」で、後から変えることはできません",
            f"Write {before!r}, or give the new connection a name of its own.",
            f"「{before}」と書くか、新しい接続に別の名前を付けてください。",
        )
        reader.refuse(node, f"{path}.system", problem)
        return None
    return systems[name]


def secret_fields(model: type[SettingsModel]) -> frozenset[str]:
    """The names, as the file writes them, of the settings that are stored encrypted."""
    return frozenset(key for key, name in _keys(model).items() if _is_secret(model.model_fields[name].annotation))


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(each) for each in get_args(annotation))


def _keys(model: type[SettingsModel]) -> dict[str, str]:
    """Field names by the keys that the file uses for them."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


class _Connection:
    """One connection while it is read."""

    def __init__(
        self,
        reader: Reader,
        name: str,
        path: str,
        entry: Entry,
        entries: Mapping[str, Entry],
        definition: SystemDefinition,
    ) -> None:
        self.reader, self.name, self.path, self.entry, self.definition = reader, name, path, entry, definition
        self.keys = _keys(definition.settings)
        self.secret_names = secret_fields(definition.settings)
        self.entries = {key: each for key, each in entries.items() if key in self.keys}
        if "orders" in entries and "orders" not in self.keys:
            problem = Problem(
                ConfigCode.NOT_OFFERED,
                f"{definition.title_en} tells of changes by its stock levels: what is unpaid has fallen there already",
                f"{definition.title_ja}の変更は在庫数から読み取るため、未入金の注文の分もすでに減っています",
                "Leave `orders` out.",
                "`orders` を削除してください。",
            )
            reader.refuse(entries["orders"].key, f"{path}.orders", problem)
            entries = {key: each for key, each in entries.items() if key != "orders"}
        reader.only(entries, path, ("system", *self.keys))

    def read(self, stored_secrets: Callable[[str], Mapping[str, str]]) -> ConnectionDocument | None:
        """The document, or None after noting what is wrong."""
        before = len(self.reader.errors)
        plain, secrets = self._values()
        stored = {
            key: value
            for key, value in stored_secrets(self.name).items()
            if key in self.secret_names and key not in secrets
        }
        self.reader.hidden.update(secrets.values(), stored.values())
        if len(self.reader.errors) > before:
            self._validate({**plain, **stored, **secrets}, only_present=True)
            return None
        settings = self._validate({**plain, **stored, **secrets})
        if settings is None and stored:
            # stored secrets of another way to sign in must not stand in the way of a file that is complete by itself
            noted = self.reader.errors[before:]
            del self.reader.errors[before:]
            stored = {}
            settings = self._validate({**plain, **secrets})
            if settings is None:
                self.reader.errors[before:] = noted
        if settings is None:
            return None
        dumped = settings.model_dump(mode="json", by_alias=True)
        return ConnectionDocument(
            name=self.name,
            system=self.definition.name,
            settings={key: dumped[key] for key in plain},
            secrets=secrets,
            stored=tuple(sorted(stored)),
            line=self.entry.line,
        )

    def _values(self) -> tuple[dict[str, Any], dict[str, str]]:
        plain: dict[str, Any] = {}
        secrets: dict[str, str] = {}
        for key, entry in self.entries.items():
            path = f"{self.path}.{key}"
            if key not in self.secret_names:
                before = len(self.reader.errors)
                value = self.reader.data(entry.value, path)
                if len(self.reader.errors) == before:
                    plain[key] = value
            elif not is_null(entry.value):
                secret = self.reader.text(entry.value, path)
                if secret is not None:
                    secrets[key] = secret
        return plain, secrets

    def _validate(self, values: Mapping[str, Any], *, only_present: bool = False) -> SettingsModel | None:
        """Ask the system's model, and map what it says to places in the file.

        `only_present` leaves out what is missing or concerns several settings, for a file in which some could not be
        read.
        """
        try:
            return self.definition.settings.model_validate(dict(values))
        except ValidationError as refusal:
            for error in refusal.errors(include_url=False, include_input=False):
                if not only_present or (error["type"] != "missing" and error["loc"]):
                    self._refused(error)
        except InvalidSettings as refusal:
            if not only_present:
                node, path = self._place((refusal.field,))
                said = refusal.message, refusal.message_ja.rstrip("。"), refusal.remedy, refusal.remedy_ja
                self.reader.refuse(node, path, Problem(refusal.code, *map(self.reader.concealed, said)))
        return None

    def _refused(self, error: ErrorDetails) -> None:
        key = str(error["loc"][0]) if error["loc"] else ""
        if error["type"] == "missing" and len(error["loc"]) == 1:
            self._missing(key)
            return
        node, path = self._place(error["loc"])
        english, japanese = words_of(error)
        problem = Problem(
            ConfigCode.SETTINGS,
            self.reader.concealed(english),
            self.reader.concealed(japanese),
            f"Run `inventory-sync systems --json` to see what {self.definition.name} needs.",
            f"{self.definition.title_ja}の設定は `inventory-sync systems --json` で確認できます。",
        )
        self.reader.refuse(node, path, problem)

    def _missing(self, key: str) -> None:
        variable = f"{self.name}_{key}".upper().replace("-", "_")
        problem = Problem(
            ConfigCode.MISSING,
            f"{key} is missing",
            f"{key} がありません",
            f"Add `{key}:` with its value.",
            f"`{key}:` の行を加え、値を書いてください。",
        )
        if key in self.secret_names:
            problem = Problem(
                ConfigCode.SECRET_MISSING,
                f"{key} is missing, and none is stored for this connection",
                f"{key} がなく、この接続には保存もされていません",
                f"Add `{key}: ${{{variable}}}`.",
                f"`{key}: ${{{variable}}}` の行を加え、環境変数に値を設定してください。",
            )
        self.reader.refuse(self.entry.key, joined(self.path, key), problem)

    def _place(self, location: tuple[int | str, ...]) -> tuple[Node, str]:
        """The node that an error of the settings model is about, as deep as the file goes, and its path."""
        node, path = self.entry.key, self.path
        steps: Iterator[int | str] = iter(location)
        first = next(steps, None)
        if first is None or str(first) not in self.entries:
            return node, path if first is None or str(first) not in self.keys else f"{path}.{first}"
        node, path = self.entries[str(first)].value, f"{path}.{first}"
        for step in steps:
            below = _below(node, step)
            if below is None:
                break
            node, path = below, f"{path}[{step}]" if isinstance(step, int) else joined(path, step)
        return node, path


def _below(node: Node, step: int | str) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        element: Node = node.value[step]
        return element
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == step:
                found: Node = value
                return found
    return None
