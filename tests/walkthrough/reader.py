"""A reader of the walk-through: three terminals, and hands that type what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

import orjson

from tests.walkthrough.page import Command

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0
"""Seconds within which anything the page promises is there, on a slow machine too."""

_PREVIEW = re.compile(r"(?:プレビュー|[Pp]review) ([0-9a-f]{12})")
_STARTED = re.compile(r"(?:実行 (\d+) を開始|run (\d+) has started)")


class Terminal:
    """A terminal whose last command goes on. `seen` is what it printed."""

    def __init__(self, command: str, directory: Path, environ: dict[str, str]) -> None:
        self.seen: list[str] = []
        self._told = threading.Condition()
        self._process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        self._reading = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reading.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._told:
                self.seen.append(line)
                self._told.notify_all()
        with self._told:
            self.seen.append("")
            self._told.notify_all()

    def shows(self, text: str) -> None:
        """Wait until it has printed this."""
        with self._told:
            shown = self._told.wait_for(lambda: any(text in line for line in self.seen) or "" in self.seen, PATIENCE)
        assert shown, f"no {text!r} within {PATIENCE:.0f} s"
        assert any(text in line for line in self.seen), "".join(self.seen)

    def end(self) -> int:
        """Ctrl-C, as a reader ends it; its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(60)
        finally:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait(20)
            self._reading.join(20)


class Reader:
    """Types the commands of a page in order. Numbers written in capitals are those that were printed last."""

    def __init__(self, page: list[Command], directory: Path, environ: dict[str, str], stack: ExitStack) -> None:
        self._page = list(page)
        self.directory = directory
        programs = directory / "bin"
        programs.mkdir()
        program = programs / "inventory-sync"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m inventory_sync.cli.main "$@"\n')
        program.chmod(0o755)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("INVENTORY_SYNC_", "SANDBOX_"))
        }
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self._environ = kept | {"PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | environ
        self._stack = stack
        self._sourced: dict[int, list[str]] = {}
        self.numbers: dict[str, str] = {}

    @property
    def left(self) -> int:
        """How many commands of the page were not typed yet."""
        return len(self._page)

    def opens(self, expected: str) -> Terminal:
        """Type the next command, which goes on, in its own terminal."""
        command = self._next(expected)
        terminal = Terminal(self._line(command.terminal, f"exec {command.text}"), self.directory, self._environ)
        self._stack.callback(terminal.end)
        return terminal

    def types(self, expected: str) -> str:
        """Type the next command, which begins like this. What it printed; the exit code is the one the page says."""
        command = self._next(expected)
        text = command.text
        for name, value in self.numbers.items():
            text = re.sub(rf"\b{name}\b", value, text)
        if text.startswith(". "):
            self._sourced.setdefault(command.terminal, []).append(text)
        done = self._run(command.terminal, text)
        printed = done.stdout + done.stderr
        print(f"$ {text}\n{printed}")  # what a failure is understood from
        assert done.returncode == command.exit_code, f"{text}: exit code {done.returncode}\n{printed}"
        self._remember(text, printed)
        return printed

    def json(self, arguments: str) -> Any:
        """A command beside the page, to look at what is true."""
        done = self._run(3, f"inventory-sync {arguments} --json")
        assert done.returncode == 0, done.stdout + done.stderr
        return orjson.loads(done.stdout)

    def until(self, arguments: str, holds: Callable[[Any], bool]) -> Any:
        """Look again and again until something holds."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.json(arguments)
            if holds(found):
                return found
            assert time.monotonic() < deadline, f"{arguments}: {found}"

    def partner(self, path: str) -> Any:
        """What the sandbox's desk says of the simulators, without a command of ours between."""
        [address] = re.findall(r"SANDBOX_DESK=(\S+)", (self.directory / "sandbox.env").read_text())
        with urllib.request.urlopen(f"{address}/{path}", timeout=30) as answer:  # noqa: S310 - a loopback address
            return orjson.loads(answer.read())

    def arrives(self, code: str, expected: list[int]) -> None:
        """Wait until the simulators show these numbers of an item."""
        deadline, found = time.monotonic() + PATIENCE, []
        while found != expected:
            assert time.monotonic() < deadline, f"{code}: {found}"
            found = [row["stock"] for row in self.partner(f"stock?code={code}")["stock"]]

    def english(self, arguments: str) -> str:
        """The same command as an English reader sees it."""
        done = self._run(3, f"INVENTORY_SYNC_LANGUAGE=en inventory-sync {arguments}")
        return done.stdout + done.stderr

    def _next(self, expected: str) -> Command:
        command = self._page.pop(0)
        assert command.text.startswith(expected), f"the page goes on with {command.text!r}"
        return command

    def _line(self, terminal: int, text: str) -> str:
        return " && ".join([*self._sourced.get(terminal, ()), text])

    def _run(self, terminal: int, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", self._line(terminal, text)],
            cwd=self.directory,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def _remember(self, text: str, printed: str) -> None:
        for preview in _PREVIEW.findall(printed):
            self.numbers["PREVIEW"] = preview
        for run in _STARTED.findall(printed):
            self.numbers["UNDO" if "route undo" in text else "RUN"] = run[0] or run[1]
