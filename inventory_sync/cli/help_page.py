"""A page of help in Japanese: its headings, and lines broken where Japanese may break, by the width of its signs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.cells import cell_len

WIDEST = 80
FIRST_COLUMN = 30

HEADINGS = {"Options": "オプション", "Arguments": "引数", "Commands": "コマンド"}
TYPES = {
    "<str>": "<文字列>",
    "<int>": "<整数>",
    "<int range>": "<整数>",
    "<float>": "<数値>",
    "<float range>": "<数値>",
    "<file>": "<ファイル>",
    "<dir>": "<フォルダー>",
    "<path>": "<パス>",
    "<list[str]>": "<文字列>",
    "<list[int]>": "<整数>",
    "<list[Path]>": "<ファイル>",
}
FIXED = {"Show this message and exit.": "この説明を表示して終了します。"}

_TYPE = re.compile("|".join(re.escape(each) for each in TYPES))
_EXTRA = re.compile(r"(?P<text>.*?)\s*\[(?P<extra>[^\[\]]*(?:default: |required|<=?x|x[<>]=?)[^\[\]]*)\]", re.DOTALL)
_PIECE = re.compile(r"[「『(]*(?:[!-'*-~]+|[^\s「『])[、。」』)]*")


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many cells: broken at spaces and between signs, never before a closing one.

    >>> wrapped("ルートを停止します。", 12)
    ['ルートを停止', 'します。']
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, end = "", 0
        for piece in _PIECE.finditer(paragraph):
            gap = " " if line and piece.start() > end else ""
            if line and cell_len(line + gap + piece[0]) > width:
                lines.append(line)
                line, gap = "", ""
            line, end = line + gap + piece[0], piece.end()
        lines.append(line)
    return lines


def meaning(text: str) -> str:
    """What stands beside an option, with the marks that follow it (`[default: 5; required]`) in Japanese.

    >>> meaning("件数。  [default: 50; required]")
    '件数。  [既定値: 50; 必須]'
    """
    found = _EXTRA.fullmatch(text)
    if found is None:
        return FIXED.get(text, text)
    marks = "; ".join(
        "必須" if each == "required" else each.replace("default: ", "既定値: ", 1)
        for each in found["extra"].split("; ")
    )
    return f"{found['text']}  [{marks}]".lstrip()


class Page:
    """Takes what a command says of itself, as typer hands it to a formatter of help."""

    def __init__(self) -> None:
        self.width = max(min(shutil.get_terminal_size().columns, WIDEST) - 2, 50)
        self._indent = 0
        self._text: list[str] = []

    def write(self, text: str) -> None:
        """As it stands."""
        self._text.append(text)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """How the command is written."""
        head = f"使い方: {prog} " if prefix is None else f"{prefix}{prog} "
        indent = cell_len(head) if cell_len(head) + 20 <= self.width else 4
        lines = wrapped(args, self.width - indent)
        self.write(head if indent > 4 else f"{head}\n{'':4}")
        self.write(f"\n{'':{indent}}".join(lines) + "\n")

    def write_paragraph(self) -> None:
        """An empty line, but not at the top."""
        if self._text:
            self.write("\n")

    def write_text(self, text: str) -> None:
        """Sentences, each paragraph and line of its own as it was given."""
        for line in wrapped(text, self.width - self._indent):
            self.write(f"{'':{self._indent}}{line}".rstrip() + "\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = FIRST_COLUMN, col_spacing: int = 2) -> None:
        """Names with what they mean beside them."""
        pairs = [(_TYPE.sub(lambda found: TYPES[found[0]], name), meaning(text)) for name, text in rows]
        column = min(max(cell_len(name) for name, _ in pairs), col_max) + col_spacing
        margin = f"\n{'':{self._indent + column}}"
        for name, text in pairs:
            fits = cell_len(name) <= column - col_spacing
            lines = wrapped(text, max(self.width - self._indent - column, 10))
            gap = " " * (column - cell_len(name)) if fits else margin
            self.write(f"{'':{self._indent}}{name}{gap}{margin.join(lines)}".rstrip() + "\n")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A heading; what is written inside stands further to the right."""
        self.write_paragraph()
        self.write(f"{'':{self._indent}}{HEADINGS.get(name, name)}:\n")
        with self.indentation():
            yield

    @contextmanager
    def indentation(self) -> Iterator[None]:
        """What is written inside stands further to the right."""
        self._indent += 2
        try:
            yield
        finally:
            self._indent -= 2

    def getvalue(self) -> str:
        """All that was written."""
        return "".join(self._text)
