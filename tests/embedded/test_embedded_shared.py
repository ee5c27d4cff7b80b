"""One process serves the embedded database to the others: a command takes what is there, the daemon only its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from inventory_sync import database
from inventory_sync.database import open_database
from inventory_sync.embedded import EmbeddedInUse
from inventory_sync.settings import Settings, load_settings

OWNER = Path(__file__).with_name("owner.py")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"INVENTORY_SYNC_DATA_DIR": str(tmp_path)})


@pytest.fixture
def command(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A command of another terminal that holds the database until it ends; its first line tells that it does."""
    process = subprocess.Popen(
        [sys.executable, str(OWNER), str(tmp_path / "postgres")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    found: str = json.loads(process.stdout.readline())["dsn"]
    return found


async def test_a_command_takes_the_database_that_another_process_serves(
    settings: Settings, command: subprocess.Popen[str]
) -> None:
    served = told(command)
    async with open_database(settings, migrating=False) as dsn:
        assert dsn == served


async def test_a_daemon_waits_for_a_command_to_end_and_serves_a_database_of_its_own(
    settings: Settings, command: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, waits = told(command), asyncio.Event()

    class Log:
        def warning(self, event: str, *, reason: str, seconds: float) -> None:
            assert event == "database.awaited"
            assert f"process {command.pid}" in reason
            waits.set()

    async def serve() -> None:
        async with open_database(settings, migrating=False, lasting=True) as dsn:
            assert dsn != served, "it would be gone with the command"
            connection = await asyncpg.connect(dsn)
            assert await connection.fetchval("select count(*) from routes") == 0
            await connection.close()

    monkeypatch.setattr(database, "log", Log())
    serving = asyncio.create_task(serve())
    await asyncio.wait_for(waits.wait(), 60)
    command.terminate()
    await asyncio.to_thread(command.wait, 30)
    await asyncio.wait_for(serving, 120)


async def test_a_daemon_whose_database_another_one_holds_says_so_after_a_while(
    settings: Settings, command: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(command)
    monkeypatch.setattr(database, "OTHERS_END_WITHIN", 0.0)
    with pytest.raises(EmbeddedInUse, match=rf"process {command.pid}.*Stop it first"):
        async with open_database(settings, migrating=False, lasting=True):
            pass
