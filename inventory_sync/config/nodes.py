"""YAML read as nodes, so that every value keeps its place in the file and its exact text.

Values are taken from the nodes' text and not from YAML's own idea of a type: an unquoted code such as 0123 stays as it
was written.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.composer import ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.parser import ParserError
from ruamel.yaml.scanner import ScannerError

from inventory_sync.config import problems
from inventory_sync.config.errors import ConfigError, ConfigErrors
from inventory_sync.config.problems import HARMLESS_KEY
from inventory_sync.systems.problem import Problem

Choice = TypeVar("Choice", bound=StrEnum)

_CORE = "tag:yaml.org,2002:"
_TAGS = frozenset(_CORE + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq"))
_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_TABBED = re.compile(r"^ *\t[ \t]*[^\s#]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    key: Node
    value: Node

    @property
    def line(self) -> int:
        return line_of(self.key)


def line_of(node: Node) -> int:
    """The line of a node, counted from 1."""
    return int(node.start_mark.line) + 1


def is_null(node: Node) -> bool:
    """True for `null`, `~` and a key with nothing behind it."""
    return isinstance(node, ScalarNode) and str(node.tag) == _CORE + "null"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `word`, or None where none does.

    >>> nearest("Client-Secret", ["client_id", "client_secret"])
    'client_secret'
    """
    folded = {each.casefold().replace("-", "_"): each for each in known}
    found = difflib.get_close_matches(word.casefold().replace("-", "_"), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def joined(path: str, key: str) -> str:
    """The path of a key below `path`; the path itself where the key does not look like one."""
    return f"{path}.{key}".lstrip(".") if HARMLESS_KEY.fullmatch(key) else path


def compose(text: str, file: str) -> Node | None:
    """The root node of a YAML text, None if there is nothing in it. Raises ConfigErrors with the place of the fault."""
    tabs = [
        ConfigError(
            file,
            text.count("\n", 0, found.start()) + 1,
            text.index("\t", found.start()) - found.start() + 1,
            "",
            problems.TAB,
        )
        for found in _TABBED.finditer(text)
    ]
    if tabs:
        raise ConfigErrors(tabs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning would show lines of the file; anchors are refused anyway
            root: Node | None = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise _not_yaml(
            file, line, column, _QUOTED.sub("…", error.problem or "it cannot be read"), _in_japanese(error)
        ) from None
    except RecursionError:
        raise _not_yaml(file, 1, 1, "it is nested too deeply", "入れ子が深すぎます") from None
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, AssertionError):
        # the library lets plain Python errors through on some broken input; all of them mean the same to a reader
        english = "it has a character or directive that YAML does not allow"
        raise _not_yaml(file, 1, 1, english, "YAML で使えない文字または指示があります") from None
    return root


def _not_yaml(file: str, line: int, column: int, english: str, japanese: str) -> ConfigErrors:
    return ConfigErrors([ConfigError(file, line, column, "", problems.not_yaml(english, japanese))])


def _in_japanese(error: MarkedYAMLError) -> str:
    """What the library found wrong, by the step at which it did: its own words are English only."""
    if isinstance(error, ScannerError):
        return "ここで使えない文字があるか、引用符が閉じていないか、コロンの位置が違います"
    if isinstance(error, ParserError):
        return "字下げがそろっていないか、かっこが閉じていないか、`-` や `:` の位置が違います"
    if isinstance(error, ComposerError):
        return "一つのファイルに複数の文書があるか、ないものを `*` で指しています"
    return "ここから先を読み取れません"


@dataclass(slots=True)
class Reader:
    """Reads values from nodes and collects what is wrong; a method that found something wrong returns None."""

    file: str
    environ: Mapping[str, str]
    directory: Path = field(default_factory=Path)  # what the paths of further files are relative to
    errors: list[ConfigError] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set, repr=False)  # expanded variables and secrets: never in a message

    def refuse(self, node: Node, path: str, problem: Problem) -> None:
        """Note a problem at a node."""
        mark = node.start_mark
        self.errors.append(ConfigError(self.file, mark.line + 1, mark.column + 1, path, problem))

    def concealed(self, message: str) -> str:
        """A message of somebody else's making without the values that must not be shown."""
        for value in sorted(self.hidden, key=lambda each: (-len(each), each)):
            if len(value) >= 4:
                message = message.replace(value, "…")
        return message

    def _usable(self, node: Node, path: str) -> bool:
        if node.anchor:
            self.refuse(node, path, problems.ANCHOR)
            return False
        if str(node.tag) not in _TAGS:
            self.refuse(node, path, problems.TAG)
            return False
        return True

    def mapping(self, node: Node, path: str) -> dict[str, Entry] | None:
        """The entries of a mapping; one without anything in it may also be left empty."""
        if not self._usable(node, path):
            return None
        if is_null(node):
            return {}
        if not isinstance(node, MappingNode):
            self.refuse(node, path, problems.NOT_A_GROUP)
            return None
        entries: dict[str, Entry] = {}
        for key, value in node.value:
            if not self._usable(key, path):
                continue
            if not isinstance(key, ScalarNode):
                self.refuse(key, path, problems.NOT_A_KEY)
            elif key.value in entries:
                self.refuse(key, joined(path, key.value), problems.key_stands_twice(key.value, entries[key.value].line))
            else:
                entries[key.value] = Entry(key, value)
        return entries

    def only(self, entries: Mapping[str, Entry], path: str, known: Iterable[str]) -> None:
        """Note every key that is not known, with the nearest known one."""
        known = tuple(known)
        for key, entry in entries.items():
            if key not in known:
                self.refuse(entry.key, joined(path, key), problems.unknown_key(key, nearest(key, known), known))

    def sequence(self, node: Node, path: str) -> list[Node] | None:
        """The elements of a list."""
        if not self._usable(node, path):
            return None
        if not isinstance(node, SequenceNode):
            self.refuse(node, path, problems.NOT_A_LIST)
            return None
        return list(node.value)

    def text(self, node: Node, path: str) -> str | None:
        """The text of a value as it is written, with variables expanded. Empty is refused."""
        if not self._usable(node, path):
            return None
        if not isinstance(node, ScalarNode):
            self.refuse(node, path, problems.NOT_ONE_VALUE)
            return None
        value = None if is_null(node) else self._expanded(node, path)
        if value == "" or is_null(node):
            self.refuse(node, path, problems.NO_VALUE)
            return None
        return value

    def _expanded(self, node: ScalarNode, path: str) -> str | None:
        failed = False

        def expand(found: re.Match[str]) -> str:
            nonlocal failed
            if found[0] == "$${":
                return "${"
            name = found[1]
            if not found[2] or not _VARIABLE.fullmatch(name):
                failed = True
                self.refuse(node, path, problems.NOT_A_VARIABLE)
                return ""
            if name not in self.environ:
                failed = True
                self.refuse(node, path, problems.variable_not_set(name, nearest(name, self.environ)))
                return ""
            self.hidden.add(self.environ[name])
            return self.environ[name]

        value = _REFERENCE.sub(expand, node.value)
        return None if failed else value

    def whole(self, node: Node, path: str, largest: int) -> int | None:
        """A whole number from 0 to `largest`."""
        value = self.text(node, path)
        if value is None:
            return None
        if not _WHOLE.fullmatch(value):
            self.refuse(node, path, problems.not_whole(largest))
            return None
        if not 0 <= int(value) <= largest:
            self.refuse(node, path, problems.out_of_range(largest))
            return None
        return int(value)

    def choice(self, node: Node, path: str, allowed: type[Choice]) -> Choice | None:
        """One of the words of an enumeration."""
        word = self.word(node, path, [each.value for each in allowed])
        return None if word is None else allowed(word)

    def word(self, node: Node, path: str, allowed: Iterable[str]) -> str | None:
        """One of the allowed words."""
        value = self.text(node, path)
        allowed = tuple(allowed)
        if value is None or value in allowed:
            return value
        self.refuse(node, path, problems.unknown_word(str(node.value), nearest(value, allowed), allowed))
        return None

    def data(self, node: Node, path: str) -> Any:
        """A value of any shape with texts as its leaves, as a system's settings model takes it; `null` is None."""
        if isinstance(node, MappingNode):
            entries = self.mapping(node, path) or {}
            return {key: self.data(entry.value, joined(path, key)) for key, entry in entries.items()}
        if isinstance(node, SequenceNode):
            return [self.data(each, f"{path}[{place}]") for place, each in enumerate(self.sequence(node, path) or ())]
        if not self._usable(node, path) or is_null(node):
            return None
        return self._expanded(node, path) if isinstance(node, ScalarNode) else None
