"""What can be wrong in a configuration file, each with its place, its reason and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from inventory_sync.systems.problem import Problem


class ConfigCode(StrEnum):
    """Stable codes of problems in the configuration file."""

    SETTINGS = "IS-CFG-001"  # a system refuses its settings
    UNKNOWN_SYSTEM = "IS-CFG-002"
    UNREADABLE = "IS-CFG-010"  # the file itself cannot be opened or decoded
    NOT_YAML = "IS-CFG-011"
    TAB = "IS-CFG-012"
    DUPLICATE_KEY = "IS-CFG-013"
    YAML_FEATURE = "IS-CFG-014"  # anchors, aliases, merge keys, tags
    UNKNOWN_KEY = "IS-CFG-015"
    WRONG_TYPE = "IS-CFG-016"
    MISSING = "IS-CFG-017"
    NOT_ALLOWED = "IS-CFG-018"
    ENVIRONMENT = "IS-CFG-019"
    NAME = "IS-CFG-020"
    SECRET_MISSING = "IS-CFG-021"  # noqa: S105 - a code, not a secret
    UNKNOWN_CONNECTION = "IS-CFG-022"
    ROLE = "IS-CFG-023"
    SAME_CONNECTION = "IS-CFG-024"
    CYCLE = "IS-CFG-025"
    NOT_IN_THIS_VERSION = "IS-CFG-026"
    MATCH_FIELD = "IS-CFG-027"
    LOCATION_TWICE = "IS-CFG-028"
    OUT_OF_RANGE = "IS-CFG-029"
    ALIGN = "IS-CFG-030"
    SYSTEM_CHANGED = "IS-CFG-031"
    COMBINATION = "IS-CFG-032"  # two settings of a route that have no meaning together
    NOT_OFFERED = "IS-CFG-033"  # the system has no such number, or no such way to book
    TABLE_FILE = "IS-CFG-034"  # a CSV file cannot be read, or is cut
    TABLE_COLUMN = "IS-CFG-035"
    TABLE_LINE = "IS-CFG-036"


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One problem. `line` and `column` count from 1; `field` is a path such as `connections.pos.client_secret`, or ""
    for the file as a whole; in a CSV file it is the column's name. No text of `problem` ever holds a secret or an
    expanded variable."""

    file: str
    line: int
    column: int
    field: str
    problem: Problem

    @property
    def code(self) -> str:
        return str(self.problem.code)

    @property
    def message(self) -> str:
        return self.problem.en

    @property
    def remedy(self) -> str:
        return self.problem.remedy_en

    @property
    def place(self) -> str:
        """Where it is, in the same form in every language."""
        return f"{self.file}:{self.line}:{self.column}: {f'{self.field}: ' if self.field else ''}"

    @property
    def japanese(self) -> str:
        """The same as `str` says, in Japanese."""
        return f"{self.place}{self.problem.ja}。{self.problem.remedy_ja} [{self.code}]"

    def __str__(self) -> str:
        return f"{self.place}{self.message}. {self.remedy} [{self.code}]"


class ConfigErrors(Exception):
    """The configuration file is not valid, and nothing of it was taken over. `japanese` is the same message in
    Japanese."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(sorted(set(errors), key=_order))
        super().__init__("\n".join(map(str, self.errors)))

    @property
    def japanese(self) -> str:
        return "\n".join(each.japanese for each in self.errors)


def _order(error: ConfigError) -> tuple[str, int, int, str, str, str]:
    return error.file, error.line, error.column, error.field, error.message, error.remedy
