"""Brings a database to the schema this program needs: Alembic writes the SQL, asyncpg executes it.

Every migration is one transaction that takes an advisory lock, looks again which revision the database has, executes
the SQL and notes the new revision. So it is done whole or not at all, any number of processes may start at once, and
it works through a transaction pooler too (docs/decisions/0002-migrations-by-offline-sql.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from alembic.script import Script

# Alembic is imported where it works: it takes as long to load as a whole command beside a running service.

# Identifies this program's migrations among the advisory locks of a shared server ("inventry" as 64 bits).
LOCK_KEY = int.from_bytes(b"inventry")

_CREATE_VERSION_TABLE = "create table if not exists alembic_version (version_num varchar(32) primary key)"


class MigrationError(Exception):
    """The schema cannot be brought to what this program needs. The message says what to do."""


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Where a database stands: `current` is None before the first migration, `pending` is in order of execution.

    `unknown` is true if the database has a revision that this program does not know: it was migrated by a newer one.
    """

    current: str | None
    head: str
    pending: tuple[str, ...]
    unknown: bool = False

    @property
    def ready(self) -> bool:
        """True if this program can work with the database as it is."""
        return self.current == self.head


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What `migrate` did: the revision found (None: an empty database), those applied, and where it stands now."""

    before: str | None
    applied: tuple[str, ...]
    after: str


def migrations_directory() -> Path:
    """The migrations inside the installed package, or those of the source tree it runs from."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_migrations", package.parent / "migrations"):
        if (candidate / "versions").is_dir():
            return candidate
    raise MigrationError(f"The program is incomplete: no migrations beside {package}. Install it again.")


async def migrate(dsn: str, *, directory: Path | None = None) -> MigrationReport:
    """Apply every pending migration, each in a transaction of its own.

    Raises MigrationError if the database was migrated by a newer program, or a migration fails; what was applied before
    stays, the failed one leaves nothing.
    """
    revisions = _revisions(directory or migrations_directory())
    connection = await _connect(dsn)
    try:
        before: str | None = None
        applied: list[str] = []
        while True:
            found, done = await _apply_next(connection, revisions)
            if not applied:
                before = found
            if done is None:
                return MigrationReport(before, tuple(applied), revisions[-1].revision)
            applied.append(done)
    finally:
        await connection.close()


async def schema_status(dsn: str, *, directory: Path | None = None) -> SchemaStatus:
    """Compare the database with the migrations of this program. Changes nothing."""
    connection = await _connect(dsn)
    try:
        return await schema_status_on(connection, directory=directory)
    finally:
        await connection.close()


async def schema_status_on(connection: asyncpg.Connection, *, directory: Path | None = None) -> SchemaStatus:
    """As `schema_status`, over a connection that is open already."""
    revisions = _revisions(directory or migrations_directory())
    current = await _current(connection)
    names = tuple(script.revision for script in revisions)
    position = _position(names, current)
    return SchemaStatus(current, names[-1], () if position is None else names[position:], unknown=position is None)


async def _connect(dsn: str) -> asyncpg.Connection:
    return await asyncpg.connect(dsn, server_settings={"application_name": "inventory-sync migrate"})


def _revisions(directory: Path) -> list[Script]:
    """Every revision, oldest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(directory))
    heads = scripts.get_heads()
    if len(heads) != 1:
        raise MigrationError(f"Migrations in {directory} must form one line, but they end in {len(heads)} revisions.")
    return list(reversed(list(scripts.walk_revisions())))


def _position(names: tuple[str, ...], current: str | None) -> int | None:
    """How many of the revisions the database has, or None if it has one that is not among them."""
    if current is None:
        return 0
    return names.index(current) + 1 if current in names else None


async def _current(connection: asyncpg.Connection) -> str | None:
    if await connection.fetchval("select to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("select version_num from alembic_version order by version_num")
    return revision


async def _apply_next(connection: asyncpg.Connection, revisions: list[Script]) -> tuple[str | None, str | None]:
    """Apply the first pending migration. Returns the revision found and the one applied (None: nothing was pending)."""
    names = tuple(script.revision for script in revisions)
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
        current = await _current(connection)
        position = _position(names, current)
        if position is None:
            raise MigrationError(
                f"The database has revision {current}, which this program does not know (its newest is {names[-1]}). "
                "It was migrated by a newer inventory-sync: start that version, or restore a backup made before."
            )
        if position == len(revisions):
            return current, None
        script = revisions[position]
        try:
            await connection.execute(_CREATE_VERSION_TABLE)
            if statements := offline_sql(script):
                await connection.execute(statements)
            await connection.execute("delete from alembic_version")
            await connection.execute("insert into alembic_version (version_num) values ($1)", script.revision)
        except asyncpg.PostgresError as error:
            raise MigrationError(
                f"Migration {script.revision} ({script.doc}) failed and was undone: {error}. "
                "The role of the database URL must own the schema; otherwise report this message."
            ) from error
        return current, script.revision


def offline_sql(script: Script) -> str:
    """The SQL that a revision's `upgrade()` stands for, one string that may hold many statements."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from sqlalchemy.dialects import postgresql

    text = StringIO()
    # Named parameters, since the default style writes every % twice.
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": text})
    with Operations.context(context):
        script.module.upgrade()
    return text.getvalue()
