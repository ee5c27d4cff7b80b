"""How dirty cells are read: by one short list of what changed lately where that pays, the rest by key.

A list counts as a reading only if it was made faster than the read lag, so it is cut after a few pages. Reads by key
are bounded per call, by the budget first; a cell that no answer covers is left out and stays dirty. Nothing is begun
that the budget could not finish (a list and then a key, a key and then its product), or a small one would never get on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from inventory_sync.systems.errors import Bug, RetryLater
from inventory_sync.systems.http import HttpResponse
from inventory_sync.systems.port import CellRef, Condition, LevelReading
from inventory_sync.systems.smaregi import answers, protocol

DIRECT_READS = 3  # so few cells are cheaper by key than by list
LIST_REACH = timedelta(days=1)  # marks older than this would list too much
LIST_MARGIN = timedelta(minutes=5)  # the clock that set the mark is ours, the clock of the list is theirs
LIST_PAGES = 3
KEY_CALLS = 24  # products asked by key in one call, at once
KEY_READS = 2  # requests that one product may take: its stock row, and where there is none, the product

_log = structlog.get_logger(__name__)

Ask = Callable[[protocol.Call], Awaitable[HttpResponse]]
Room = Callable[[int], None]


class LevelReader:
    """Reads the cells of one contract.

    `ask` sends a read and returns a 200, or raises RetryLater, Broken or Bug; `room` raises RetryLater unless the
    budget has that many reads left.
    """

    def __init__(self, contract: str, ask: Ask, room: Room, now: Callable[[], datetime], read_lag: timedelta) -> None:
        self._contract = contract
        self._ask = ask
        self._room = room
        self._now = now
        self._read_lag = read_lag

    async def read(self, cells: Sequence[CellRef], changed_since: datetime | None) -> list[LevelReading]:
        """The readings that could be made, in the order asked. Raises the first error only where nothing was read."""
        wanted = list(dict.fromkeys(cells))
        found: dict[CellRef, LevelReading] = {}
        if len(wanted) > DIRECT_READS and changed_since is not None and self._now() - changed_since <= LIST_REACH:
            found = await self._by_list(set(wanted), changed_since)
        found.update(await self._by_key([cell for cell in wanted if cell not in found], raising=not found))
        return [found[cell] for cell in wanted if cell in found]

    async def _by_list(self, wanted: set[CellRef], changed_since: datetime) -> dict[CellRef, LevelReading]:
        asked_at = self._now()
        found: dict[CellRef, LevelReading] = {}
        for page in range(1, LIST_PAGES + 1):
            call = protocol.levels(self._contract, page, since=changed_since - LIST_MARGIN)
            try:
                self._room(1 + KEY_READS)
                response = await self._ask(call)
            except RetryLater:
                if page == 1:
                    raise
                break
            rows = answers.rows(response, str(call))
            if self._now() - asked_at >= self._read_lag:
                return {}  # made too slowly to be a reading
            found.update(_named(answers.levels(rows, str(call)), wanted))
            if not answers.has_more(response, len(rows)):
                break
        return found

    async def _by_key(self, cells: Sequence[CellRef], *, raising: bool) -> dict[CellRef, LevelReading]:
        products: dict[str, list[CellRef]] = {}
        for cell in cells:
            products.setdefault(cell.item, []).append(cell)
        chosen = list(products.values())[:KEY_CALLS]
        results = await asyncio.gather(*(self._product(group) for group in chosen), return_exceptions=True)
        found: dict[CellRef, LevelReading] = {}
        failures: list[BaseException] = []
        for group, result in zip(chosen, results, strict=True):
            if isinstance(result, BaseException):
                failures.append(result)
                if isinstance(result, Bug):
                    _log.error("smaregi.cell_unreadable", item=group[0].item, code=result.code, error=result.message)
            else:
                found.update(result)
        for failure in failures:
            if not isinstance(failure, (RetryLater, Bug)) or (raising and not found):
                raise failure
        return found

    async def _product(self, cells: Sequence[CellRef]) -> dict[CellRef, LevelReading]:
        """The cells of one product: its row at the one store asked for, or its rows at all stores."""
        self._room(KEY_READS)
        item = cells[0].item
        location = cells[0].location if len(cells) == 1 else None
        call = protocol.level_by_key(self._contract, item, location)
        response = await self._ask(call)
        rows = answers.rows(response, str(call))
        listed = answers.levels(rows, str(call))
        answered = [reading.cell for reading in listed.readings] + list(listed.unreadable)
        if any(cell.item != item or location not in (None, cell.location) for cell in answered):
            raise answers.unknown_shape(f"{call} answered for cells that were not asked")
        found = _named(listed, set(cells))
        missing = [cell for cell in cells if cell not in answered]
        if missing and not answers.has_more(response, len(rows)):
            condition = await self._without_row(cells[0])
            found.update({cell: LevelReading(cell, condition, None) for cell in missing})
        for cell in set(cells).intersection(listed.unreadable):
            _log.error("smaregi.number_unreadable", item=cell.item, location=cell.location)
        return found

    async def _without_row(self, cell: CellRef) -> Condition:
        """Why a product has no row: never moved at the store, not managed, or gone."""
        call = protocol.product(self._contract, cell.item)
        items = [answers.item(row) for row in answers.rows(await self._ask(call), str(call))]
        same = [item for item in items if item.key == cell.item]
        if not same:
            if items:
                raise answers.unknown_shape(f"{call} answered for a product that was not asked")
            return Condition.GONE
        return Condition.ABSENT if same[0].tracked else Condition.UNTRACKED


def _named(levels: answers.Levels, wanted: set[CellRef]) -> dict[CellRef, LevelReading]:
    return {reading.cell: reading for reading in levels.readings if reading.cell in wanted}


def hints(rows: Iterable[Mapping[str, object]], what: str) -> tuple[LevelReading, ...]:
    """The levels of a list page as hints; rows whose number cannot be read are logged and left out."""
    listed = answers.levels(list(rows), what)
    for cell in listed.unreadable:
        _log.error("smaregi.number_unreadable", item=cell.item, location=cell.location)
    return listed.readings
