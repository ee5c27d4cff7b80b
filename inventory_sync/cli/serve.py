"""`serve`: the daemon."""

from __future__ import annotations

from inventory_sync.cli import shell


def serve() -> None:
    """Run the service until it is told to end (SIGTERM, Ctrl-C)."""
    shell.run(_serve, logs=True)


async def _serve(session: shell.Session) -> int:
    from inventory_sync import service

    return await service.run_daemon(session.settings)
