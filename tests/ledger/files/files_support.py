"""Stock files as a warehouse would make them, and short words for taking them apart."""

from __future__ import annotations

import csv
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory_sync.ledger.files.parse import FileLine, ParsedFile, parse
from inventory_sync.ledger.files.problems import FileRefused, Problem
from inventory_sync.ledger.files.profile import FileProfile, Mode, ProfileSettings

NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEADER = "sku,location,quantity\n"
ALL_COLUMNS = {
    "sku": "sku",
    "quantity": "quantity",
    "location": "location",
    "label": "label",
    "updated_at": "updated_at",
    "mode": "mode",
    "reference": "reference",
}


def profile(name: str = "nightly", **declared: Any) -> FileProfile:
    """A profile with columns sku, location and quantity in UTF-8, changed by what is declared."""
    columns = {"sku": "sku", "quantity": "quantity", "location": "location"}
    settings = {"encoding": "utf-8", "columns": columns} | declared
    return ProfileSettings.model_validate(settings).profile(name)


def read(data: bytes | str, using: FileProfile | None = None, **options: Any) -> ParsedFile:
    content = data.encode() if isinstance(data, str) else data
    return parse(content, using or profile(), name="stock.csv", **options)


def lines(data: bytes | str, using: FileProfile | None = None) -> list[tuple[str, str, int]]:
    return [(line.sku, line.location, line.quantity) for line in read(data, using).lines]


def refusal(data: bytes | str, using: FileProfile | None = None, **options: Any) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(data, using, **options)
    return caught.value


def problem(data: bytes | str, using: FileProfile | None = None, **options: Any) -> Problem:
    found = refusal(data, using, **options)
    assert len(found.problems) == 1, found.problems
    return found.problems[0]


def line(sku: str, quantity: int, location: str = "main", **values: Any) -> FileLine:
    return FileLine(
        row=values.pop("row", 2),
        sku=sku,
        location=location,
        label=values.pop("label", "stock"),
        mode=values.pop("mode", Mode.SET),
        quantity=quantity,
        **values,
    )


def drop(folder: Path, name: str, content: str | bytes, modified: datetime = NOON) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (modified.timestamp(), modified.timestamp()))
    return path


def receipt_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
