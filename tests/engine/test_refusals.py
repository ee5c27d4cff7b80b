"""Whatever a safety rule refuses is said in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import inventory_sync

ROOT = Path(inventory_sync.__file__).parent


def refusals() -> Iterator[tuple[str, ast.Call]]:
    """Every place that makes a refusal, with its file and line."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "RefusedByRule":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


FOUND = dict(refusals())


def test_there_are_refusals() -> None:
    assert len(FOUND) > 50


@pytest.mark.parametrize("place", FOUND)
def test_a_refusal_has_a_japanese_message(place: str) -> None:
    call = FOUND[place]
    given = [*call.args, *(word.value for word in call.keywords)]
    spread = any(isinstance(each, ast.Starred) for each in given)
    assert spread or len(given) == 3, f"{place} refuses in English only"
    text = ast.unparse(given[-1])
    plain = isinstance(given[-1], ast.Constant | ast.JoinedStr)
    assert spread or not plain or not text.isascii(), f"{place}: {text}"
