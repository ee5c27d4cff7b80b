"""Tell stories from the command line: `python -m tests.simulation --seed 7`, or `--seeds 300 --jobs 2`."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

from inventory_sync.embedded import EmbeddedPostgres
from inventory_sync.store.db import open_pool
from inventory_sync.store.migrate import migrate
from tests.simulation.plants import PLANTS
from tests.simulation.story import Ending, tell
from tests.simulation.world import Options


async def run_seeds(seeds: list[int], options: Options, plant: str | None, *, first: bool = False) -> list[Ending]:
    """Tell each seed's story on a fresh database of one embedded server. `first`: stop at the first bad ending."""
    with tempfile.TemporaryDirectory(prefix="is-sim-") as name:
        Path(name).chmod(0o711)
        server = EmbeddedPostgres(Path(name) / "postgres", fast=True)
        await server.start()
        try:
            admin = await asyncpg.connect(server.dsn_of("postgres"))
            await admin.execute("create database story_template")
            await migrate(server.dsn_of("story_template"))
            endings = []
            for seed in seeds:
                await admin.execute(f"create database story_{seed} template story_template")
                pool = await open_pool(server.dsn_of(f"story_{seed}"), size=4)
                planted = PLANTS[plant]() if plant else None
                try:
                    if planted is None:
                        ending = await tell(pool, seed, options)
                    else:
                        with planted as put:
                            ending = await tell(pool, seed, options, plant=put)
                finally:
                    await pool.close()
                    await admin.execute(f"drop database story_{seed} with (force)")
                endings.append(ending)
                _show(ending, plant)
                if first and ending.violations:
                    break
            await admin.close()
            return endings
        finally:
            await server.stop()


def _show(ending: Ending, plant: str | None) -> None:
    word = "ok  " if not ending.violations else "FAIL"
    print(
        f"{word} seed {ending.seed}: {ending.movements} movements, {ending.ops} ops, {ending.crashes} deaths, "
        f"{ending.refused_readings} readings refused, doubts {ending.doubts}, {ending.compensations} compensated",
        flush=True,
    )
    for violation in ending.violations[:5]:
        print(f"     {violation}", flush=True)
    if ending.violations:
        planted = f" --plant {plant}" if plant else ""
        print(f"     repeat with: python -m tests.simulation --seed {ending.seed}{planted}", flush=True)


def _job(arguments: tuple[list[int], Options, str | None, bool]) -> int:
    seeds, options, plant, first = arguments
    return sum(1 for ending in asyncio.run(run_seeds(seeds, options, plant, first=first)) if ending.violations)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="tell one story")
    parser.add_argument("--seeds", type=int, default=300, help="tell this many")
    parser.add_argument("--from", type=int, default=1, dest="start")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--plant", choices=sorted(PLANTS), help="break the daemon in this way")
    parser.add_argument("--first", action="store_true", help="stop at the first bad ending")
    given = parser.parse_args()
    options = Options(changes=given.changes)
    began = time.monotonic()
    if given.seed is not None:
        failed = _job(([given.seed], options, given.plant, given.first))
        total = 1
    else:
        every = list(range(given.start, given.start + given.seeds))
        parts = [every[number :: given.jobs] for number in range(given.jobs)]
        with multiprocessing.get_context("spawn").Pool(given.jobs) as jobs:
            failed = sum(jobs.map(_job, [(part, options, given.plant, given.first) for part in parts if part]))
        total = len(every)
    print(f"{total - failed} of {total} stories ended well, in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
