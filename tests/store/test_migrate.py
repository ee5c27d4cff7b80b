"""Migrations: whole or not at all, any number of processes at once, and inside the wheel too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from inventory_sync.store.migrate import MigrationError, MigrationReport, SchemaStatus, migrate, schema_status

HEADER = 'from alembic import op\nrevision = "{name}"\ndown_revision = {before}\n\ndef upgrade():\n'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    return tmp_path


def write(directory: Path, name: str, before: str | None, *statements: str) -> None:
    body = "".join(f"    op.execute({statement!r})\n" for statement in statements)
    text = HEADER.format(name=name, before=repr(before)) + body
    (directory / "versions" / f"{name}.py").write_text(text)


async def tables(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public' order by 1")
        return [row["tablename"] for row in rows]
    finally:
        await connection.close()


async def test_an_empty_database_gets_every_migration_in_order(empty_database: str, directory: Path) -> None:
    write(directory, "0001", None, "create table first (n int)")
    write(directory, "0002", "0001", "alter table first rename to renamed", "create table second ()")
    assert await schema_status(empty_database, directory=directory) == SchemaStatus(None, "0002", ("0001", "0002"))
    assert await migrate(empty_database, directory=directory) == MigrationReport(None, ("0001", "0002"), "0002")
    assert await tables(empty_database) == ["alembic_version", "renamed", "second"]
    assert (await schema_status(empty_database, directory=directory)).ready
    assert await migrate(empty_database, directory=directory) == MigrationReport("0002", (), "0002")


async def test_a_failed_migration_leaves_nothing_and_keeps_the_ones_before(
    empty_database: str, directory: Path
) -> None:
    write(directory, "0001", None, "create table first ()")
    write(directory, "0002", "0001", "create table second ()", "select 1 / 0")
    with pytest.raises(MigrationError, match="Migration 0002 .* was undone: division by zero"):
        await migrate(empty_database, directory=directory)
    assert await tables(empty_database) == ["alembic_version", "first"]
    assert await schema_status(empty_database, directory=directory) == SchemaStatus("0001", "0002", ("0002",))


async def test_many_processes_that_start_at_once_migrate_once(empty_database: str, directory: Path) -> None:
    for number in range(1, 6):
        before = f"000{number - 1}" if number > 1 else None
        write(directory, f"000{number}", before, f"create table t{number} ()")
    reports = await asyncio.gather(*(migrate(empty_database, directory=directory) for _ in range(6)))
    assert sorted(name for report in reports for name in report.applied) == [f"000{n}" for n in range(1, 6)]
    assert {report.after for report in reports} == {"0005"}


async def test_a_database_of_a_newer_program_is_left_alone(empty_database: str, directory: Path) -> None:
    write(directory, "0001", None, "create table first ()")
    write(directory, "0002", "0001", "create table second ()")
    await migrate(empty_database, directory=directory)
    (directory / "versions" / "0002.py").unlink()
    status = await schema_status(empty_database, directory=directory)
    assert status.unknown
    assert not status.ready
    with pytest.raises(MigrationError, match="revision 0002.*newer inventory-sync"):
        await migrate(empty_database, directory=directory)


async def test_statements_reach_the_database_as_they_were_written(empty_database: str, directory: Path) -> None:
    function = "create function share() returns text language plpgsql as $$ begin return '5 %; 100 %%'::text; end $$"
    write(directory, "0001", None, function)
    await migrate(empty_database, directory=directory)
    connection = await asyncpg.connect(empty_database)
    try:
        assert await connection.fetchval("select share()") == "5 %; 100 %%"
    finally:
        await connection.close()


async def test_the_program_finds_its_own_migrations(empty_database: str) -> None:
    report = await migrate(empty_database)
    assert report.applied[0] == "0001"
    assert await schema_status(empty_database) == SchemaStatus(report.after, report.after, ())
