"""Tables that answer the partner's list calls without walking everything: by key, by store, by time of update."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from inventory_sync.sandbox.smaregi.records import Cell, StockRow

K = TypeVar("K")

Sort = tuple[tuple[str, bool], ...]  # (field, descending)


class UpdateIndex(Generic[K]):
    """Which keys were last updated in a span of seconds, in O(log n + changes in the span)."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._keys: list[K] = []
        self._place: dict[K, int] = {}

    def touch(self, key: K, at: int) -> None:
        """Note that `key` was updated at `at`; times never run backwards."""
        if self._times and at < self._times[-1]:
            raise ValueError("time runs backwards")
        self._place[key] = len(self._times)
        self._times.append(at)
        self._keys.append(key)
        if len(self._times) > 2 * len(self._place) + 1024:
            self._compact()

    def drop(self, key: K) -> None:
        """Forget `key`."""
        self._place.pop(key, None)

    def between(self, first: int, last: int) -> Iterator[K]:
        """Keys last updated from `first` to `last`, both included, oldest first."""
        for place in range(bisect_left(self._times, first), bisect_right(self._times, last)):
            key = self._keys[place]
            if self._place.get(key) == place:
                yield key

    def _compact(self) -> None:
        kept = [(self._times[place], key) for key, place in sorted(self._place.items(), key=lambda item: item[1])]
        self._times = [at for at, _ in kept]
        self._keys = [key for _, key in kept]
        self._place = {key: place for place, key in enumerate(self._keys)}


class StockTable:
    """Stock rows as one reader sees them, selectable by product, store and time of update."""

    def __init__(self, rows: Iterable[StockRow] = ()) -> None:
        self._rows: dict[Cell, StockRow] = {}
        self._cells: list[Cell] = []
        self._by_store: dict[int, list[Cell]] = {}
        self._by_product: dict[int, list[Cell]] = {}
        self._updates: UpdateIndex[Cell] = UpdateIndex()
        self._revision = 0
        self._remembered: tuple[object, Sequence[Cell]] | None = None
        for row in sorted(rows, key=lambda row: (row.updated, row.cell)):
            self.put(row)

    def __getitem__(self, cell: Cell) -> StockRow:
        return self._rows[cell]

    def put(self, row: StockRow) -> None:
        """Add a row or replace it."""
        cell = row.cell
        if cell not in self._rows:
            insort(self._cells, cell)
            insort(self._by_store.setdefault(cell.store, []), cell)
            insort(self._by_product.setdefault(cell.product, []), cell)
        self._rows[cell] = row
        self._updates.touch(cell, row.updated)
        self._revision += 1

    def remove(self, cell: Cell) -> None:
        """Remove a row, if there is one."""
        if self._rows.pop(cell, None) is None:
            return
        for cells in (self._cells, self._by_store[cell.store], self._by_product[cell.product]):
            del cells[bisect_left(cells, cell)]
        self._updates.drop(cell)
        self._revision += 1

    def select(
        self, *, product: int | None, store: int | None, window: tuple[int, int] | None, sort: Sort
    ) -> Sequence[Cell]:
        """Cells that match, in the order asked for. Paging through an unchanged table selects and sorts only once."""
        asked = (self._revision, product, store, window, sort)
        if self._remembered is None or self._remembered[0] != asked:
            self._remembered = (asked, self._ordered(self._matching(product, store, window), sort))
        return self._remembered[1]

    def _matching(self, product: int | None, store: int | None, window: tuple[int, int] | None) -> Sequence[Cell]:
        """Matching cells by product, then store."""
        if product is not None:
            return [
                cell
                for cell in self._by_product.get(product, ())
                if (store is None or cell.store == store)
                and (window is None or window[0] <= self._rows[cell].updated <= window[1])
            ]
        if window is not None:
            return sorted(cell for cell in self._updates.between(*window) if store is None or cell.store == store)
        return self._cells.copy() if store is None else self._by_store.get(store, []).copy()

    @staticmethod
    def _ordered(cells: Sequence[Cell], sort: Sort) -> Sequence[Cell]:
        """Sort cells that come sorted by product and store, ascending."""
        natural: Sort = (("productId", False), ("storeId", False))
        if sort == natural[: len(sort)]:
            return cells
        ordered = list(cells)
        for field, descending in reversed(sort):
            if field == "productId":
                ordered.sort(key=lambda cell: cell.product, reverse=descending)
            else:
                ordered.sort(key=lambda cell: cell.store, reverse=descending)
        return ordered


class LaggingStock:
    """The stock rows as written, and as a reader sees them `lag` seconds later."""

    def __init__(self, rows: Iterable[StockRow] = ()) -> None:
        shown = list(rows)
        self.written: dict[Cell, StockRow] = {row.cell: row for row in shown}
        self._shown = StockTable(shown)
        self._coming: deque[tuple[datetime, Cell, StockRow | None]] = deque()

    def put(self, row: StockRow, now: datetime) -> None:
        """Write a row at `now`."""
        self.written[row.cell] = row
        self._coming.append((now, row.cell, row))

    def remove(self, cell: Cell, now: datetime) -> None:
        """Remove a row at `now`, if there is one."""
        if self.written.pop(cell, None) is not None:
            self._coming.append((now, cell, None))

    def shown(self, now: datetime, lag: float) -> StockTable:
        """The table a reader sees at `now`."""
        horizon = now - timedelta(seconds=lag)
        while self._coming and self._coming[0][0] <= horizon:
            _, cell, row = self._coming.popleft()
            if row is None:
                self._shown.remove(cell)
            else:
                self._shown.put(row)
        return self._shown
