"""Running many stories, each on a database of its own."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import asyncpg
import structlog

from inventory_sync.embedded import EmbeddedPostgres
from inventory_sync.store.db import open_pool
from inventory_sync.store.migrate import migrate
from tests.simulation.kinds import KINDS, Options
from tests.simulation.plants import PLANTS, ROUGHER
from tests.simulation.story import Ending, tell


async def run_seeds(seeds: list[int], options: Options, plant: str | None, *, first: bool = False) -> list[Ending]:
    """Tell each seed's story on a fresh database of one embedded server. `first`: stop at the first bad ending."""
    with tempfile.TemporaryDirectory(prefix="is-sim-") as name:
        Path(name).chmod(0o711)
        server = EmbeddedPostgres(Path(name) / "postgres", fast=True)
        await server.start()
        try:
            admin = await asyncpg.connect(server.dsn_of("postgres"))
            # Nothing runs but the story: what the server does on its own takes locks at moments no seed knows of.
            await admin.execute("alter system set autovacuum = off")
            await admin.execute("select pg_reload_conf()")
            await admin.execute("create database story_template")
            await migrate(server.dsn_of("story_template"))
            endings = []
            for seed in seeds:
                await admin.execute(f"create database story_{seed} template story_template")
                await admin.execute(f"alter database story_{seed} set lock_timeout = '20ms'")
                # More than all pushes at once: where a planted bug holds them while it waits, the clock still goes.
                pool = await open_pool(server.dsn_of(f"story_{seed}"), size=8, reset=_leave)
                planted = PLANTS[plant]() if plant else None
                try:
                    if planted is None:
                        ending = await tell(pool, seed, options)
                    else:
                        with planted as put:
                            ending = await tell(pool, seed, ROUGHER.get(plant or "", options), plant=put)
                finally:
                    pool.terminate()
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
        f"{word} seed {ending.seed} {ending.world}: {ending.movements} movements, {ending.ops} ops, "
        f"{ending.crashes} deaths, "
        f"{ending.refused_readings} readings refused, doubts {ending.doubts}, {ending.compensations} compensated, "
        f"{ending.lower_numbers} never known, {ending.lost} lost by setting numbers, "
        f"marks read within {ending.oldest_mark_s:.0f} s",
        flush=True,
    )
    for violation in ending.violations[:5]:
        print(f"     {violation}", flush=True)
    if ending.violations:
        planted = f" --plant {plant}" if plant else ""
        print(f"     repeat with: python -m tests.simulation --seed {ending.seed}{planted}", flush=True)


async def _leave(_: object) -> None:
    """Stories leave nothing behind on a connection; putting it in order each time would double their statements."""


def quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def job(arguments: tuple[list[int], Options, str | None, bool]) -> int:
    seeds, options, plant, first = arguments
    return sum(1 for ending in asyncio.run(run_seeds(seeds, options, plant, first=first)) if ending.violations)


def tell_all(
    seeds: list[int],
    options: Options,
    *,
    jobs: int = 2,
    plant: str | None = None,
    first: bool = False,
    log: bool = False,
) -> int:
    """Tell many stories in processes of their own, where even the order of sets is fixed; says how many ended badly."""
    os.environ["PYTHONHASHSEED"] = "0"
    # Worlds take turns with the seeds, and jobs too: every job gets its share of every world.
    turn = 1 if len(KINDS) % jobs == 0 else 0
    which = [(number + turn * (number // len(KINDS))) % jobs for number in range(len(seeds))]
    parts = [[seed for seed, each in zip(seeds, which, strict=True) if each == number] for number in range(jobs)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_noop if log else quiet) as pool:
        return sum(pool.map(job, [(part, options, plant, first) for part in parts if part]))


def _noop() -> None:
    """The daemon's log is shown."""
