"""The second migration, over a database in which the first version had worked: nothing owed is forgotten."""

from __future__ import annotations

import shutil
from pathlib import Path

import asyncpg
import pytest

from inventory_sync.store.migrate import migrate, migrations_directory

# A register and a shop with one place and one item each: 7 and 5, two sales still to be told, a return on its way.
BEFORE = """
insert into connections (name, system, state, state_since) values
  ('register', 'smaregi', 'linked', now()), ('shop', 'shopify', 'linked', now());
insert into locations (connection_id, key, name, active) values (1, '1', 'store', true), (2, '1', 'shop', true);
insert into items (connection_id, key, codes, name, tracked, bundle, import_id)
  select n, 'i', '{}', 'item', true, false, 1 from generate_series(1, 2) n;
insert into cells (connection_id, item_id, location_id, known, condition)
  values (1, 1, 1, 7, 'active'), (2, 2, 2, 5, 'active');
insert into routes (name, ledger_id, channel_id, direction, ledger_field, channel_field, state)
  values ('one', 1, 2, 'two_way', 'productCode', 'sku', 'running');
insert into location_pairs values (1, 1, 2, 1, 2);
insert into pairs (route_id, channel_cell, value, phase, phase_since, made_at, owed_down, sent_up)
  values (1, 2, 'A-1', 'live', now(), now(), -2, 1);
insert into components (pair_id, ledger_cell) values (1, 1);
"""


@pytest.fixture
def first_only(tmp_path: Path) -> Path:
    """The migrations of the first version."""
    directory = tmp_path / "migrations"
    (directory / "versions").mkdir(parents=True)
    shutil.copy(migrations_directory() / "versions" / "0001_the_first_house.py", directory / "versions")
    return directory


async def test_units_owed_move_to_the_component_and_the_field_becomes_a_list(
    empty_database: str, first_only: Path
) -> None:
    await migrate(empty_database, directory=first_only)
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute(BEFORE)
        report = await migrate(empty_database)
        assert report.before == "0001"
        component = await connection.fetchrow(
            "select owed_down, owed_up, sent_down, sent_up, expected, intake from components"
        )
        assert tuple(component) == (-2, 0, 0, 1, 0, True)
        route = await connection.fetchrow("select channel_fields, listings, ledger_basis, intake, pooled from routes")
        assert tuple(route) == (["sku"], "one", "stock", "adjustment", False)
        assert await connection.fetchval("select shape from pairs") == "single"
        assert await connection.fetchval("select effective from pair_effective") == 7 - 2 + 1
    finally:
        await connection.close()


async def test_the_first_version_can_write_no_pair_afterwards(empty_database: str, first_only: Path) -> None:
    await migrate(empty_database, directory=first_only)
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute(BEFORE)
        await migrate(empty_database)
        with pytest.raises(asyncpg.UndefinedColumnError):
            await connection.execute("update pairs set owed_down = owed_down - 1")
    finally:
        await connection.close()
