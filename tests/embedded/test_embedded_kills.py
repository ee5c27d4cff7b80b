"""Part of the bounded proof: an owner killed at any instant loses no committed row and blocks no later start."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from inventory_sync.embedded import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
ROUNDS = 60 if os.environ.get("FULL") else 12

WRITER = """
import asyncio, sys
from pathlib import Path
import asyncpg
from inventory_sync.embedded import EmbeddedPostgres

async def main():
    print("up", flush=True)
    connection = await asyncpg.connect(await EmbeddedPostgres(Path(sys.argv[1])).start())
    await connection.execute("create table if not exists counted (n int)")
    start = await connection.fetchval("select coalesce(max(n), 0) from counted")
    for number in range(start + 1, start + 1000000):
        await connection.execute("insert into counted values ($1)", number)
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.prove
async def test_no_kill_loses_a_committed_row(short_directory: Path) -> None:
    chance = random.Random(20)
    acknowledged = 0
    for _ in range(ROUNDS):
        writer = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            WRITER,
            str(short_directory / "pg"),
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert writer.stdout is not None
        # From before the cluster exists to well into writing.
        for _ in range(chance.choice([1, 1, 2, 5, 40, 200])):
            await writer.stdout.readline()
        if chance.random() < 0.3:
            await asyncio.wait([asyncio.ensure_future(writer.wait())], timeout=chance.random())
        writer.kill()
        rest = (await writer.stdout.read()).split()
        await writer.wait()
        acknowledged = max([acknowledged, *(int(word) for word in rest if word.isdigit())])
        server = EmbeddedPostgres(short_directory / "pg")
        connection = await asyncpg.connect(await server.start())
        await connection.execute("create table if not exists counted (n int)")
        numbers = [row["n"] for row in await connection.fetch("select n from counted order by n")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= acknowledged
        await connection.close()
        await server.stop()
    assert acknowledged > 0
