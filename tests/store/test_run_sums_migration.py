"""The migration that keeps what the rows of a run sum up to, over runs that ended before it."""

from __future__ import annotations

import shutil
from pathlib import Path

import asyncpg
import pytest

from inventory_sync.store.migrate import migrate, migrations_directory

# Four runs over three products: one that is over, one that was stopped, one without rows, one under way; and an import.
BEFORE = """
insert into connections (name, system, state, state_since) values
  ('register', 'smaregi', 'linked', now()), ('shop', 'shopify', 'linked', now());
insert into locations (connection_id, key, name, active) values (2, '1', 'shop', true);
insert into items (connection_id, key, codes, name, tracked, bundle, import_id)
  select 2, 'i' || n, '{}', 'item', true, false, 1 from generate_series(1, 3) n;
insert into cells (connection_id, item_id, location_id, known, condition) select 2, id, 1, 5, 'active' from items;
insert into routes (name, ledger_id, channel_id, direction, ledger_field, channel_fields, state)
  values ('one', 1, 2, 'two_way', 'productCode', '{sku}', 'running');
insert into pairs (route_id, channel_cell, value, phase, phase_since, made_at)
  select 1, id, 'A-' || id, 'live', now(), now() from cells;
insert into runs (kind, route_id, connection_id, state, started_at, updated_at, finished_at, done, total) values
  ('push', 1, null, 'done', now(), now(), now(), 3, 3), ('undo', 1, null, 'stopped', now(), now(), now(), 1, 3),
  ('push', 1, null, 'done', now(), now(), now(), 0, 0), ('publish', 1, null, 'running', now(), now(), null, 0, 3),
  ('import', null, 2, 'done', now(), now(), now(), 7, 7);
insert into run_rows (run_id, pair_id, cell_id, side, rank, action, moved, state, since)
  select u.run, u.cell, u.cell, 'channel', 1, 'write_channel', u.moved, u.state, now()
  from (values (1, 1, 4, 'done'), (1, 2, -6, 'done'), (1, 3, 0, 'failed'),
               (2, 1, 5, 'done'), (2, 2, null, 'proposed'), (2, 3, null, 'proposed'),
               (4, 1, null, 'confirmed')) as u (run, cell, moved, state);
"""


@pytest.fixture
def before_only(tmp_path: Path) -> Path:
    """The migrations before this one."""
    directory = tmp_path / "migrations"
    (directory / "versions").mkdir(parents=True)
    for path in sorted((migrations_directory() / "versions").glob("*.py")):
        if path.stem.endswith("_run_sums"):
            return directory
        shutil.copy(path, directory / "versions")
    raise AssertionError("there is no migration about the sums of runs")


async def test_runs_that_ended_before_have_their_sums_and_those_under_way_do_not(
    empty_database: str, before_only: Path
) -> None:
    await migrate(empty_database, directory=before_only)
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute(BEFORE)
        await migrate(empty_database)
        found = await connection.fetch(
            "select row_counts::text, units_up, units_down, done, lines from runs order by id"
        )
        assert [tuple(record) for record in found] == [
            ('{"done": 2, "failed": 1}', 4, -6, 3, "kept"),
            ('{"done": 1, "proposed": 2}', 5, 0, 1, "kept"),
            ("{}", 0, 0, 0, "kept"),
            (None, 0, 0, 0, "kept"),
            (None, 0, 0, 7, "kept"),
        ]
        assert await connection.fetchval("select count(*) from run_rows") == 7
    finally:
        await connection.close()
