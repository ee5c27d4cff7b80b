"""Every rig there is, by the name under which its adapter is proven.

`python -m inventory_sync.conformance tests.conformance.rigs:every_rig` shows every behaviour on each of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from inventory_sync.conformance import RigMaker
from inventory_sync.embedded import EmbeddedPostgres
from inventory_sync.store.migrate import migrate
from tests.conformance.builtin_rig import BuiltinRig, OtherBuiltinRig
from tests.conformance.makeshop_classic_rig import ClassicRig, OtherClassicRig
from tests.conformance.makeshop_rig import (
    MakeShopRig,
    OtherMakeShopRig,
    OtherRelativeMakeShopRig,
    RelativeMakeShopRig,
)
from tests.conformance.shopify_rig import OtherShopifyRig, ShopifyRig
from tests.conformance.smaregi_rig import OtherSmaregiRig, SmaregiRig

RIGS: Mapping[str, type[Any]] = {
    "builtin": BuiltinRig,
    "builtin-otherwise": OtherBuiltinRig,
    "makeshop": MakeShopRig,
    "makeshop-classic": ClassicRig,
    "makeshop-classic-otherwise": OtherClassicRig,
    "makeshop-otherwise": OtherMakeShopRig,
    "makeshop-relative": RelativeMakeShopRig,
    "makeshop-relative-otherwise": OtherRelativeMakeShopRig,
    "shopify": ShopifyRig,
    "shopify-otherwise": OtherShopifyRig,
    "smaregi": SmaregiRig,
    "smaregi-otherwise": OtherSmaregiRig,
}


async def new_database(server: EmbeddedPostgres, name: str) -> None:
    """Make a database with the newest schema and no rows."""
    connection = await asyncpg.connect(server.dsn_of("postgres"))
    try:
        await connection.execute(f"create database {name}")
    finally:
        await connection.close()
    await migrate(server.dsn_of(name))


@asynccontextmanager
async def every_rig() -> AsyncIterator[Mapping[str, RigMaker]]:
    """How each rig is made, while the database that some of them stand on is there."""
    with tempfile.TemporaryDirectory(prefix="is-kit-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o711)
        server = EmbeddedPostgres(Path(place) / "postgres", fast=True)
        await server.start()
        try:
            await new_database(server, "kit")
            url = server.dsn_of("kit")
            yield {name: partial(rig, url) if rig.on_database else rig for name, rig in RIGS.items()}
        finally:
            await server.stop()
