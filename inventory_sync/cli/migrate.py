"""`migrate`: the database's schema."""

from __future__ import annotations

from inventory_sync.cli import shell
from inventory_sync.store import migrate as store


def migrate() -> None:
    """Bring the database to the schema this version needs. Safe to repeat."""
    shell.run(_migrate)


async def _migrate(session: shell.Session) -> None:
    from inventory_sync import service

    url = session.settings.database_url
    if url is None:
        async with service.open_database(session.settings, migrating=True) as dsn:
            report = await store.migrate(dsn)
    else:
        report = await store.migrate(url.get_secret_value())
    if report.applied:
        session.line(session.say("migrated", after=report.after, applied=", ".join(report.applied)))
    else:
        session.line(session.say("up_to_date", after=report.after))
