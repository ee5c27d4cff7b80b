"""A process that owns an embedded server: starts it, prints its pid and URL, and waits to be ended.

python owner.py DIRECTORY [STATEMENT…]
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import asyncpg

from inventory_sync.embedded import EmbeddedPostgres


async def main(directory: str, *statements: str) -> None:
    server = EmbeddedPostgres(Path(directory))
    dsn = await server.start()
    connection = await asyncpg.connect(dsn)
    for statement in statements:
        await connection.execute(statement)
    print(json.dumps({"pid": server.pid, "dsn": dsn}), flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
