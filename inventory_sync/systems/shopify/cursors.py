"""Where a long list was left off, as the text the engine keeps between calls.

Shopify ends a paginated list at 25,000 objects without a word (shopify.dev/docs/api/usage/limits). Long lists are
therefore read in windows: shortly before the end a new list starts behind the highest id seen so far, by the documented
filter `id:>=`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from inventory_sync.systems.errors import Bug
from inventory_sync.systems.shopify.classify import bug
from inventory_sync.systems.shopify.documents import LIST_ENDS_AT, PAGE


@dataclass(frozen=True, slots=True)
class ListCursor:
    """A place in a list. `pages` read in this window, which holds ids from `floor` on (0: all); `top`: highest id seen.

    `ordered`: every id so far was above the one before it, without which no window can follow another.
    """

    after: str | None = None
    pages: int = 0
    floor: int = 0
    top: int = 0
    ordered: bool = True

    @property
    def query(self) -> str | None:
        """The filter of the window."""
        return f"id:>={self.floor}" if self.floor else None

    def behind(self, ids: Sequence[int], after: str | None) -> ListCursor | None:
        """The place behind a page of these ids whose next page starts at `after`; None where the list ended.

        Raises Bug where the filter was not kept, or a list too long for one window is not in the order of its ids.
        """
        if ids and min(ids) < self.floor:
            raise bug("IS-SHP-032", "a list shows ids outside its window")
        ordered = self.ordered and list(ids) == sorted(ids) and (not ids or ids[0] > self.top)
        top = max([self.top, *ids])
        if after is None:
            return None
        if (self.pages + 2) * PAGE < LIST_ENDS_AT:
            return replace(self, after=after, pages=self.pages + 1, top=top, ordered=ordered)
        if not ordered:
            raise bug("IS-SHP-032", f"a list of more than {LIST_ENDS_AT} objects is not in the order of its ids")
        return ListCursor(floor=top + 1, top=top)


@dataclass(frozen=True, slots=True)
class ChangesCursor:
    """A place in the changed levels: the location being read, those still to read, or the walk that replaces them."""

    locations: tuple[str, ...] = ()
    after: str | None = None
    pages: int = 0
    walk: ListCursor | None = None

    def behind(self, after: str | None) -> ChangesCursor | None:
        """The place behind a page of the first location whose next page starts at `after`; None after the last one."""
        if after is None:
            return ChangesCursor(self.locations[1:]) if len(self.locations) > 1 else None
        if (self.pages + 2) * PAGE >= LIST_ENDS_AT:
            return ChangesCursor(walk=ListCursor())
        return replace(self, after=after, pages=self.pages + 1)


@dataclass(frozen=True, slots=True)
class BulkCursor:
    """A place in a list that Shopify makes as a file: the operation, and how far its file was taken in.

    `since`: when it was asked for, in seconds of our clock; `tries`: downloads that failed; `offset`: bytes.
    """

    operation: str
    since: float
    tries: int = 0
    offset: int = 0


def write(cursor: ListCursor | ChangesCursor | BulkCursor | None) -> str | None:
    """A cursor as text."""
    return None if cursor is None else orjson.dumps(asdict(cursor)).decode()


def read_list(written: str | None) -> ListCursor:
    """A list's cursor from text; the start where there is none. Raises Bug for a text that is no cursor of ours."""
    return ListCursor() if written is None else _list(_load(written))


def read_place(written: str | None) -> ListCursor | BulkCursor | None:
    """A place in a list from text, None at its start. Raises Bug for a text that is no cursor of ours."""
    if written is None:
        return None
    found = _load(written)
    if not isinstance(found, dict) or "operation" not in found:
        return _list(found)
    try:
        return BulkCursor(**found)
    except TypeError as error:
        raise _foreign() from error


def read_changes(written: str) -> ChangesCursor:
    """A changed-levels cursor from text. Raises Bug for a text that is no cursor of ours."""
    found = _load(written)
    try:
        walk = found["walk"]
        return ChangesCursor(
            tuple(found["locations"]), found["after"], found["pages"], None if walk is None else _list(walk)
        )
    except (KeyError, TypeError) as error:
        raise _foreign() from error


def _list(found: Any) -> ListCursor:
    try:
        return ListCursor(**found)
    except TypeError as error:
        raise _foreign() from error


def _load(written: str) -> Any:
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError as error:
        raise _foreign() from error


def _foreign() -> Bug:
    return bug("IS-SHP-030", "a cursor that is not ours")
