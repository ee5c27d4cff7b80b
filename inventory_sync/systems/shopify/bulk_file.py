"""The file of a bulk operation on its way and at rest: JSON lines on disk, of which only a page is ever in memory.

Lines come in no order that may be relied on: a child names its parent and may stand before or far behind it
(shopify.dev/docs/api/usage/bulk-operations/queries).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson

from inventory_sync.systems.shopify.classify import UnexpectedAnswer
from inventory_sync.systems.shopify.shapes import obj

T = TypeVar("T")

ROWS = 1_000
"""Lines that are handed over at a time."""

LARGEST = 4 * 1024**3
LONGEST_LINE = 1024**2
"""Bytes of a file, and of a line, beyond which it is no list of ours."""

PARENT = "__parentId"


class CutOff(Exception):
    """The file is not whole."""


class BulkFile:
    """One result file, in a temporary file without a name."""

    def __init__(self, operation: str, read: Callable[[Mapping[str, Any]], object]) -> None:
        self.operation = operation
        self._read = read
        self._file = tempfile.TemporaryFile(prefix="inventory-sync-")  # noqa: SIM115 - closed by `close`
        self._rest = b""
        self._size = 0
        self._roots = 0

    def take(self, piece: bytes) -> None:
        """Keep a piece of the body, and see that every line in it is one that can be read. Raises UnexpectedAnswer."""
        self._file.write(piece)
        self._size += len(piece)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._look(line)
        if self._size > LARGEST or len(self._rest) > LONGEST_LINE:
            raise UnexpectedAnswer(f"{self._size} bytes, a line of {len(self._rest)}")

    def check(self, roots: int, size: int | None) -> None:
        """See that the file is whole: the objects at its root, and its bytes where they can be compared.

        Raises CutOff, or UnexpectedAnswer.
        """
        rest, self._rest = self._rest, b""
        try:
            self._look(rest)
        except UnexpectedAnswer as error:
            raise CutOff("the last line is not whole") from error
        if self._roots != roots or (size is not None and self._size != size):
            raise CutOff(f"{self._roots} of {roots} objects, {self._size} of {size} bytes")

    def _look(self, line: bytes) -> None:
        if not line.strip():
            return
        found = _parsed(line)
        self._roots += PARENT not in found
        self._read(found)

    def rows(self, offset: int, read: Callable[[Mapping[str, Any]], T | None]) -> tuple[list[T], int | None]:
        """Rows from a place on, and the place behind them; None at the end."""
        self._file.seek(offset)
        rows: list[T] = []
        for _ in range(ROWS):
            line = self._file.readline()
            if not line:
                return rows, None
            row = read(_parsed(line)) if line.strip() else None
            if row is not None:
                rows.append(row)
        return rows, self._file.tell()

    def close(self) -> None:
        """Let go of the disk space."""
        self._file.close()


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        return obj(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise UnexpectedAnswer("a line that is not JSON") from error
