"""Whatever a safety rule refuses, and whatever is not there, is said in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import inventory_sync

ROOT = Path(inventory_sync.__file__).parent


SAID = {"RefusedByRule": 3, "NoSuch": 2}
"""What is said in both languages, and how many arguments that takes."""


def refusals() -> Iterator[tuple[str, ast.Call]]:
    """Every place that makes such an error, with its file and line."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and name_of(node) in SAID:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


FOUND = dict(refusals())


@pytest.mark.parametrize(("name", "least"), [("RefusedByRule", 50), ("NoSuch", 25)])
def test_there_are_refusals(name: str, least: int) -> None:
    assert sum(name_of(call) == name for call in FOUND.values()) >= least


@pytest.mark.parametrize("place", FOUND)
def test_a_refusal_has_a_japanese_message(place: str) -> None:
    call = FOUND[place]
    given = [*call.args, *(word.value for word in call.keywords)]
    spread = any(isinstance(each, ast.Starred) for each in given)
    assert spread or len(given) == SAID[name_of(call)], f"{place} refuses in English only"
    text = ast.unparse(given[-1])
    plain = isinstance(given[-1], ast.Constant | ast.JoinedStr)
    assert spread or not plain or not text.isascii(), f"{place}: {text}"
