from __future__ import annotations

from inventory_sync.store.db import Pool, open_pool
from inventory_sync.web.readiness import Readiness


def looking(pool: Pool, **options: float) -> Readiness:
    return Readiness(pool, draining=lambda: False, **{"kept_for": 0, **options})  # type: ignore[arg-type]


async def test_a_migrated_database_is_ready(pool: Pool) -> None:
    readiness = looking(pool)
    assert await readiness.reasons() == ()
    assert await readiness.reasons() == ()


async def test_an_empty_database_lacks_migrations(empty_database: str) -> None:
    async with await open_pool(empty_database, size=2) as pool:
        (reason,) = await looking(pool).reasons()
    assert "lacks" in reason
    assert "0001" in reason


async def test_a_database_of_a_newer_program_is_refused_at_first_sight(pool: Pool) -> None:
    await pool.execute("update alembic_version set version_num = '9999'")
    (reason,) = await looking(pool).reasons()
    assert "newer" in reason
    assert "9999" in reason


async def test_a_migration_by_a_newer_program_does_not_take_the_running_one_out(pool: Pool) -> None:
    readiness = looking(pool)
    assert await readiness.reasons() == ()
    await pool.execute("update alembic_version set version_num = '9999'")
    assert await readiness.reasons() == ()


async def test_a_schema_that_vanished_is_noticed(pool: Pool) -> None:
    readiness = looking(pool)
    assert await readiness.reasons() == ()
    await pool.execute("drop table alembic_version")
    (reason,) = await readiness.reasons()
    assert "lacks" in reason


async def test_a_database_that_hangs_is_not_ready(pool: Pool) -> None:
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("lock table alembic_version in access exclusive mode")
        assert await looking(pool, within=0.1).reasons() == ("the database does not answer",)


async def test_a_finding_is_kept_for_a_moment_and_draining_is_not(pool: Pool) -> None:
    now, draining = [0.0], [False]
    readiness = Readiness(pool, draining=lambda: draining[0], kept_for=1, clock=lambda: now[0])
    assert await readiness.reasons() == ()
    await pool.execute("drop table alembic_version")
    draining[0] = True
    assert await readiness.reasons() == ("draining",)
    now[0] = 1.0
    assert len(await readiness.reasons()) == 2
