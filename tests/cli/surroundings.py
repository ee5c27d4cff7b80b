"""Where the command line runs in these tests: invented systems, a clean environment, logging as it was afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from typer.testing import CliRunner, Result

from inventory_sync.cli.main import app
from inventory_sync.store import db
from inventory_sync.systems import registry
from tests.engine.apply_support import KEY, PARTNERS, RUNNING, Desk, reset_partners

DONE, FAILED, WRONG_USE, REFUSED = 0, 1, 2, 3


def invented_systems(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two invented systems in place of the installed ones while a test runs; the body of a fixture."""
    points = [
        EntryPoint(name, f"tests.engine.apply_support:{name.upper()}", registry.ENTRY_POINT_GROUP)
        for name in ("till", "stall")
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    for name in tuple(os.environ):
        if name.startswith("INVENTORY_SYNC_"):
            monkeypatch.delenv(name)
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    reset_partners()
    yield
    PARTNERS.clear()
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from invented_systems(monkeypatch)


class Terminal:
    """A person at a terminal, with a file, on one database. Everything printed is kept in `seen`."""

    def __init__(self, url: str, directory: Path) -> None:
        self.environ = {
            "INVENTORY_SYNC_DATABASE_URL": url,
            "INVENTORY_SYNC_SECRET_KEY": KEY,
            "INVENTORY_SYNC_LANGUAGE": "en",
        }
        self.url = url
        self.path = directory / "house.yaml"
        self.seen = ""

    def run(self, *arguments: str, expect: int = DONE, **environ: str) -> Result:
        found = CliRunner().invoke(app, list(arguments), env=self.environ | environ)
        self.seen += found.output
        assert found.exit_code == expect, (found.exit_code, found.output, found.exception)
        return found

    def json(self, *arguments: str) -> Any:
        return orjson.loads(self.run(*arguments, "--json").stdout)

    def apply(self, text: str, *options: str, expect: int = DONE) -> Result:
        self.path.write_text(text)
        return self.run("apply", str(self.path), *options, expect=expect)

    def behind(self, work: Any) -> Any:
        """What the daemon or somebody else does meanwhile, on a pool of its own."""

        async def carry_out() -> Any:
            pool = await db.open_pool(self.url, size=2)
            try:
                return await work(Desk(pool))
            finally:
                await pool.close()

        return asyncio.run(carry_out())

    def ready(self, text: str = RUNNING) -> None:
        """A route that only waits for its preview."""
        self.apply(text)

        async def work(desk: Desk) -> None:
            await desk.import_catalogues()
            await desk.read_cells()

        self.behind(work)


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    return Terminal(database, tmp_path)
