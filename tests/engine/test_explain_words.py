"""The words of a timeline: whatever the audit log can hold is said in Japanese too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import inventory_sync
from inventory_sync.engine.apply_report import What
from inventory_sync.engine.explain.words import DONE

ROOT = Path(inventory_sync.__file__).parent
ACTION = re.compile(r"[a-z]+\.[a-z_]+")


def actions() -> Iterator[str]:
    """Every action that a call writes into the audit log."""
    for path in sorted(ROOT.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and _writes(call):
                for given in (*call.args, *(word.value for word in call.keywords if word.arg == "action")):
                    parts = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
                    yield from (each for part in parts if (each := _text(part)) and ACTION.fullmatch(each))


def _writes(call: ast.Call) -> bool:
    return ast.unparse(call.func).endswith("audit") or "write_audit" in [_text(each) for each in call.args]


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_whatever_people_did_is_said_in_japanese() -> None:
    found = set(actions()) | {f"connection.{what.value}" for what in What if what is not What.UNCHANGED}
    assert len(found) > 30
    assert sorted(found - set(DONE)) == []
    assert all(not said.isascii() for said in DONE.values())
