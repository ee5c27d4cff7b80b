"""Named queries and the code that asks them belong together: none is missing, none is left over."""

from __future__ import annotations

import re
from pathlib import Path

import inventory_sync

PACKAGE = Path(inventory_sync.__file__).parent
NAMED = re.compile(r"^-- name: (\w+)", re.MULTILINE)
ASKED = re.compile(r"""\bdb\.(?:rows|row|value|run|pages)\(\s*[\w.]+,\s*"(\w+)\"""")


def named() -> list[str]:
    return [name for page in sorted(PACKAGE.rglob("*.sql")) for name in NAMED.findall(page.read_text("utf-8"))]


def code() -> str:
    return "".join(page.read_text("utf-8") for page in sorted(PACKAGE.rglob("*.py")))


def test_every_query_that_is_asked_exists() -> None:
    asked = set(ASKED.findall(code()))
    assert len(asked) > 100
    assert asked <= set(named())


def test_no_query_has_two_meanings() -> None:
    assert len(named()) == len(set(named()))


def test_every_query_is_asked_somewhere() -> None:
    text = code()
    for side in ("ledger", "channel"):  # asked for by the name of the side
        for what in ("cells_turned", "cells_of_route"):
            assert f'f"{{side}}_{what}"' in text
            text += f'"{side}_{what}"'
    assert [name for name in named() if f'"{name}"' not in text] == []
