"""Where the command line runs in these tests: invented systems, a clean environment, logging as it was afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest
import structlog
from typer.testing import CliRunner, Result

from inventory_sync.cli.main import app
from inventory_sync.store import db
from inventory_sync.store.db import Pool, Record
from inventory_sync.systems import registry
from tests.engine.apply_support import KEY, PARTNERS, RUNNING, Desk, reset_partners

T = TypeVar("T")
DONE, FAILED, WRONG_USE, REFUSED = 0, 1, 2, 3


def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings from outside while a test runs, and logging as it was afterwards; the body of a fixture."""
    for name in tuple(os.environ):
        if name.startswith("INVENTORY_SYNC_"):
            monkeypatch.delenv(name)
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def invented_systems(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two invented systems in place of the installed ones as well; the body of a fixture."""
    points = [
        EntryPoint(name, f"tests.engine.apply_support:{name.upper()}", registry.ENTRY_POINT_GROUP)
        for name in ("till", "stall")
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    reset_partners()
    yield from clean_environment(monkeypatch)
    PARTNERS.clear()


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from clean_environment(monkeypatch)


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from invented_systems(monkeypatch)


class Terminal:
    """A person at a terminal, with a file, on one database. Everything printed is kept in `seen`.

    Every command begins with `words`.
    """

    def __init__(self, url: str, directory: Path, *words: str) -> None:
        self.environ = {
            "INVENTORY_SYNC_DATABASE_URL": url,
            "INVENTORY_SYNC_SECRET_KEY": KEY,
            "INVENTORY_SYNC_LANGUAGE": "en",
        }
        self.url = url
        self.words = words
        self.path = directory / "house.yaml"
        self.seen = ""

    def run(
        self, *arguments: str, expect: int = DONE, language: str | None = None, said: str = "", **environ: str
    ) -> Result:
        """What comes of a command; `said` is what the person types when asked."""
        given = self.environ | environ | ({"INVENTORY_SYNC_LANGUAGE": language} if language else {})
        found = CliRunner().invoke(app, [*self.words, *arguments], env=given, input=said)
        self.seen += found.output
        assert found.exit_code == expect, (found.exit_code, found.output, found.exception)
        return found

    def json(self, *arguments: str, expect: int = DONE) -> Any:
        return orjson.loads(self.run(*arguments, "--json", expect=expect).stdout)

    def apply(self, text: str, *options: str, expect: int = DONE) -> Result:
        self.path.write_text(text)
        return self.run("apply", str(self.path), *options, expect=expect)

    def on_pool(self, work: Callable[[Pool], Awaitable[T]]) -> T:
        """What happens beside the commands, on a pool of its own."""

        async def carry_out() -> T:
            async with await db.open_pool(self.url, size=4) as pool:
                return await work(pool)

        return asyncio.run(carry_out())

    def rows(self, query: str) -> list[Record]:
        """The rows of a statement."""
        return list(self.on_pool(lambda pool: pool.fetch(query)))

    def behind(self, work: Callable[[Desk], Awaitable[T]]) -> T:
        """What the daemon or somebody else does meanwhile."""
        return self.on_pool(lambda pool: work(Desk(pool)))

    def imported(self) -> None:
        """The daemon imports every catalogue and reads every cell."""

        async def work(desk: Desk) -> None:
            await desk.import_catalogues()
            await desk.read_cells()

        self.behind(work)

    def ready(self, text: str = RUNNING) -> None:
        """A route that only waits for its preview."""
        self.apply(text)
        self.imported()

    def started(self) -> None:
        """A route that was aligned and runs; nobody serves it."""
        self.ready()
        self.run("route", "start", "pos-shop", "--yes")


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    return Terminal(database, tmp_path)
