"""Search filters and pages of connections.

Filters: https://shopify.dev/docs/api/usage/search-syntax. A field that a connection does not know is ignored and only
reported in `extensions.search`, as recorded.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from inventory_sync.sandbox.shopify.texts import ONE_OF_FIRST_LAST, FieldFault

Node = TypeVar("Node")
PAGE_LIMIT = 250
_TERM = re.compile(r"""(?:(\w+):)?(>=|<=|>|<)?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s]+)""")
_RANGES = {">=": "gte", "<=": "lte", ">": "gt", "<": "lt"}


class Term(NamedTuple):
    """One condition of a filter; `field` None searches the text."""

    field: str | None
    comparison: str
    value: str


def parse_terms(query: str) -> list[Term]:
    """The conditions of a filter, all of which must hold.

    >>> parse_terms("updated_at:>='2026-11-21T00:00:00Z'")
    [Term(field='updated_at', comparison='>=', value='2026-11-21T00:00:00Z')]
    """
    terms = []
    for field, comparison, value in _TERM.findall(query):
        if not field and value in ("AND", "and"):
            continue
        bare = value[1:-1] if value[:1] in "'\"" and value[-1:] == value[:1] and len(value) > 1 else value
        terms.append(Term(field or None, comparison or "=", re.sub(r"\\(.)", r"\1", bare)))
    return terms


#: How a connection reads one field of a node: numbers, times and texts compare in their own way.
Reader = Callable[[Any], Any]


def select(
    nodes: Sequence[Node],
    query: str | None,
    readers: dict[str, Reader],
    report: Callable[[dict[str, Any]], None],
) -> Sequence[Node]:
    """The nodes a filter lets through; a condition that cannot be understood is reported and ignored."""
    terms = parse_terms(query) if query else []
    warnings = []
    for term in terms:
        if term.field is not None and term.field not in readers:
            message, code = "Invalid search field for this query.", "invalid_field"
        elif term.field in ("updated_at", "created_at") and _time(term.value) is None:
            message, code = f"Input `{term.value}` is not an accepted date format.", "invalid_value"
        else:
            nodes = [node for node in nodes if _holds(term, node, readers)]
            continue
        warnings.append({"field": term.field, "message": message, "code": code})
    if warnings:
        report({"query": query, "parsed": _parsed(terms), "warnings": warnings})
    return nodes


def matches(values: dict[str, Any], query: str) -> bool:
    """Whether a flat record fulfils a filter; a field it does not have fulfils nothing."""
    readers: dict[str, Reader] = {name: itemgetter(name) for name in values}
    return all(term.field in readers and _holds(term, values, readers) for term in parse_terms(query))


def _parsed(terms: list[Term]) -> dict[str, Any]:
    parsed = []
    for term in terms:
        entry: dict[str, Any] = {"field": term.field} if term.field else {}
        ranged = _RANGES.get(term.comparison)
        parsed.append(entry | ({"range": {ranged: term.value}} if ranged else {"match_all": term.value}))
    return parsed[0] if len(parsed) == 1 else {"and": parsed}


def _holds(term: Term, node: Any, readers: dict[str, Reader]) -> bool:
    if term.field is None:
        text = readers.get("")
        return text is None or _text_matches(text(node), term.value)
    actual = readers[term.field](node)
    if isinstance(actual, datetime):
        wanted: Any = _time(term.value)
        return _compare(actual, term.comparison, wanted)
    if isinstance(actual, int) and not isinstance(actual, bool):
        number = re.search(r"(-?\d+)\Z", term.value)
        return number is not None and _compare(actual, term.comparison, int(number.group(1)))
    if isinstance(actual, bool):
        return actual is (term.value.lower() == "true")
    return _text_matches(actual, term.value)


def _text_matches(actual: str | None, wanted: str) -> bool:
    """Search, not equality: case does not matter, and one word of the value is enough."""
    folded, value = (actual or "").casefold(), wanted.casefold()
    if value.endswith("*"):
        return folded.startswith(value[:-1])
    return folded == value or value in re.split(r"[\s\-_/.]+", folded)


def _compare(actual: Any, comparison: str, wanted: Any) -> bool:
    match comparison:
        case ">=":
            return bool(actual >= wanted)
        case "<=":
            return bool(actual <= wanted)
        case ">":
            return bool(actual > wanted)
        case "<":
            return bool(actual < wanted)
        case _:
            return bool(actual == wanted)


def _time(text: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page(Generic[Node]):
    """A window of a connection."""

    nodes: Sequence[Node]
    has_next: bool
    has_previous: bool
    number_of: Callable[[Node], int]

    def cursor(self, node: Node) -> str:
        number = self.number_of(node)
        text = json.dumps({"last_id": number, "last_value": str(number)}, separators=(",", ":"))
        return base64.b64encode(text.encode()).decode()

    @property
    def start_cursor(self) -> str | None:
        return self.cursor(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        return self.cursor(self.nodes[-1]) if self.nodes else None


EVERYTHING = "everything"
"""Stands among the arguments of a connection that a bulk operation reads whole."""


def page(
    nodes: Sequence[Node], arguments: Any, number_of: Callable[[Node], int], *, by_number: bool = True
) -> Page[Node]:
    """The window the arguments ask for. `by_number` says that `nodes` rise by their number."""
    if arguments.get(EVERYTHING):
        return Page(nodes, False, False, number_of)
    first, last = arguments.get("first"), arguments.get("last")
    if (first is None) == (last is None):
        raise FieldFault(ONE_OF_FIRST_LAST, "BAD_REQUEST")
    size: int = first if first is not None else last
    if not 0 <= size <= PAGE_LIMIT:
        name = "first" if first is not None else "last"
        raise FieldFault(f"{name} must be between 0 and {PAGE_LIMIT}", "BAD_REQUEST")
    reverse = bool(arguments.get("reverse"))
    if reverse:
        nodes = list(reversed(nodes))
    place = _Place(nodes, number_of, by_number and not reverse)
    low = place.after(arguments["after"]) if arguments.get("after") else 0
    high = place.before(arguments["before"]) if arguments.get("before") else len(nodes)
    if first is not None:
        end = min(high, low + size)
        return Page(nodes[low:end], end < high, low > 0, number_of)
    start = max(low, high - size)
    return Page(nodes[start:high], high < len(nodes), start > low, number_of)


class _Place:
    """Finds where a cursor points in a list, also if the node it was made for is gone."""

    def __init__(self, nodes: Sequence[Any], number_of: Callable[[Any], int], rising: bool) -> None:
        self._nodes, self._number_of, self._rising = nodes, number_of, rising

    def after(self, cursor: str) -> int:
        number = _cursor_number(cursor)
        if self._rising:
            return bisect_right(self._nodes, number, key=self._number_of)
        return self._index(number) + 1

    def before(self, cursor: str) -> int:
        number = _cursor_number(cursor)
        if self._rising:
            return bisect_right(self._nodes, number - 1, key=self._number_of)
        return self._index(number)

    def _index(self, number: int) -> int:
        for index, node in enumerate(self._nodes):
            if self._number_of(node) == number:
                return index
        raise FieldFault("Invalid cursor for current pagination sort.", "BAD_REQUEST")


def _cursor_number(cursor: str) -> int:
    try:
        return int(json.loads(base64.b64decode(cursor, validate=True))["last_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise FieldFault("Invalid cursor for current pagination sort.", "BAD_REQUEST") from error
