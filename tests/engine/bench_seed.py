"""What the benches by hand start from: a PostgreSQL of its own, a ledger and a shop linked, every pair live."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from inventory_sync.embedded import EmbeddedPostgres
from inventory_sync.engine.lane import House
from inventory_sync.model.ambient import Ambient
from inventory_sync.store.db import Pool, open_pool
from inventory_sync.store.migrate import migrate

SEED = """
with made as (
  insert into connections (name, system, settings, state, state_since, catalogue_import)
  select u.name, u.system, '{}', 'linked', now(), 1
  from (values ('pos', 'smaregi'), ('shop', 'shopify')) as u (name, system) returning id),
places as (
  insert into locations (connection_id, key, name, active) select id, '1', 'Ginza', true from made
  returning id, connection_id),
things as (
  insert into items (connection_id, key, codes, name, tracked, bundle, import_id)
  select m.id, 'i' || n, jsonb_build_object('sku', 'C-' || lpad(n::text, 7, '0')), 'Product ' || n, true, false, 1
  from made m, generate_series(1, $1::int) n returning id, connection_id, key),
numbers as (
  insert into cells (connection_id, item_id, location_id, known, condition, had_row, read_asked_at, read_answered_at)
  select t.connection_id, t.id, p.id, case when t.connection_id = (select min(id) from made) then 1000 else 900 end,
         'active', true, now() - interval '5 minutes', now() - interval '5 minutes'
  from things t join places p on p.connection_id = t.connection_id returning id)
select count(*) from numbers
"""

PAIRS = """
with r as (
  insert into routes (name, ledger_id, channel_id, direction, ledger_field, channel_fields, state, ever_aligned,
                      matched_at)
  select 'pos-shop', min(id), max(id), 'two_way', 'sku', array['sku'], 'running', true, now() from connections
  returning id, ledger_id, channel_id),
p as (
  insert into location_pairs (route_id, ledger_id, channel_id, ledger_location, channel_location)
  select r.id, r.ledger_id, r.channel_id, g.id, h.id from r
  join locations g on g.connection_id = r.ledger_id join locations h on h.connection_id = r.channel_id),
made as (
  insert into pairs (route_id, channel_cell, value, phase, phase_since, made_at, kept)
  select r.id, c.id, i.codes ->> 'sku', 'live', now(), now(), -100 from r
  join items i on i.connection_id = r.channel_id join cells c on c.item_id = i.id returning id, value)
insert into components (pair_id, ledger_cell)
select made.id, c.id from made join items i on i.codes ->> 'sku' = made.value
join r on r.ledger_id = i.connection_id join cells c on c.item_id = i.id
"""


@asynccontextmanager
async def house_of(pairs: int) -> AsyncIterator[tuple[House, Path]]:
    """An engine over that many pairs, of 1,000 units at the ledger and 900 at the shop, and the folder it lives in."""
    path = Path(tempfile.mkdtemp(prefix="is-bench-"))
    path.chmod(0o711)
    server = EmbeddedPostgres(path / "postgres", fast=True)
    try:
        await server.start()
        connection = await asyncpg.connect(server.dsn_of("postgres"))
        await connection.execute("create database bench")
        await connection.close()
        await migrate(server.dsn_of("bench"))
        pool = await _seeded(server.dsn_of("bench"), pairs)
        yield House(pool, Ambient(now=lambda: datetime.now(UTC)), "bench", lease_seconds=60), path
        await pool.close()
    finally:
        await server.stop()
        shutil.rmtree(path, ignore_errors=True)


async def _seeded(dsn: str, pairs: int) -> Pool:
    pool = await open_pool(dsn, size=10)
    await pool.execute(SEED, pairs, timeout=600)
    await pool.execute("analyze")
    await pool.execute(PAIRS, timeout=600)
    await pool.execute("analyze")
    return pool
