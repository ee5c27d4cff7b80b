"""The pages of the walk-through as steps that can be typed: commands, the terminal of each, and its exit code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
JAPANESE, ENGLISH = DOCS / "walkthrough.ja.md", DOCS / "walkthrough.md"

_BLOCK = re.compile(r"^(?:<!-- (\w+) (\d) -->\n)?```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """One line that a reader types: in which terminal, and the exit code the page announces."""

    text: str
    terminal: int = 3
    exit_code: int = 0


def commands(page: Path) -> list[Command]:
    """Every command of a page, in order."""
    found = []
    for note, value, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        said = {note: int(value)} if note else {}
        found += [Command(line, said.get("terminal", 3), said.get("exit", 0)) for line in block.splitlines()]
    return found
