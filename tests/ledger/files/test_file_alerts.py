"""What a person is told of a ledger's files: refused, out of reach, overdue; and that it is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncssh
import pytest

from inventory_sync import sources
from inventory_sync.engine.lane import House
from inventory_sync.ledger.files.sftp import Puller, SftpError
from inventory_sync.loops import Step
from inventory_sync.model.ambient import Ambient
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.systems.builtin.settings import BuiltinSettings
from tests.ledger.files.files_support import HEADER, drop
from tests.ledger.ledger_support import Clock

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
SERVER = {"host": "files.example.jp", "username": "stock", "host_keys": [HOST_KEY], "directory": "/out"}


class Warehouse:
    """A connection to a ledger of our own with one watched folder, and what its lane does about it."""

    def __init__(self, pool: Pool, folder: Path, clock: Clock, connection_id: int, **declared: Any) -> None:
        self.pool, self.path, self.clock, self.connection_id = pool, folder, clock, connection_id
        profile = {
            "encoding": "utf-8",
            "columns": {"sku": "sku", "quantity": "quantity", "location": "location"},
            "unknown_items": "make",
            "folder": {"path": str(folder), "alarm_after_minutes": 60},
            **declared,
        }
        self.settings = BuiltinSettings(files={"nightly": profile}, sftp_password="correct horse")
        self.step = self.process()

    def process(self) -> Step:
        """The step of a process that starts now."""
        house = House(self.pool, Ambient(now=self.clock.now, new_id=self.clock.new_id), "test")
        [step] = sources.steps_of(house, self.connection_id, "warehouse", self.settings, "en")
        return step

    def deliver(self, name: str, *rows: str) -> None:
        """A file arrives now."""
        drop(self.path, name, HEADER + "".join(f"{row}\n" for row in rows), self.clock.now())

    async def look(self, minutes: float = 1, times: int = 2) -> None:
        for _ in range(times):
            self.clock.forward(minutes * 60)
            await self.step()

    async def open_alerts(self) -> dict[str, dict[str, Any]]:
        found = await self.pool.fetch("select * from alerts where closed_at is null order by id")
        assert {row["subject"] for row in found} <= {"warehouse/nightly"}
        return {row["code"]: row["detail"] for row in found}


@pytest.fixture
async def warehouse(pool: Pool, tmp_path: Path) -> Warehouse:
    return await furnish(pool, tmp_path)


async def furnish(pool: Pool, folder: Path, **declared: Any) -> Warehouse:
    clock = Clock()
    id_ = await db.value(
        pool, "insert_connection", name="warehouse", system="builtin", settings={}, secrets=None, now=clock.now()
    )
    return Warehouse(pool, folder, clock, id_, **declared)


async def test_a_refused_file_is_told_with_its_reasons_until_a_good_one_comes(warehouse: Warehouse) -> None:
    warehouse.deliver("stock.csv", "A,main,many")
    await warehouse.look(times=3)
    alert = (await warehouse.open_alerts())["ledger_file_refused"]
    assert alert["file"] == "stock.csv"
    assert alert["problems"]
    warehouse.deliver("stock2.csv", "A,main,3")
    await warehouse.look(times=3)
    assert await warehouse.open_alerts() == {}


async def test_files_that_stay_away_too_long_are_told_also_after_a_restart(warehouse: Warehouse) -> None:
    await warehouse.look(minutes=20, times=3)
    assert await warehouse.open_alerts() == {}
    await warehouse.look(minutes=20)
    assert set(await warehouse.open_alerts()) == {"ledger_files_overdue"}
    warehouse.step = warehouse.process()
    warehouse.deliver("stock.csv", "A,main,3")
    await warehouse.look(times=3)
    assert await warehouse.open_alerts() == {}, "whoever comes after the process that said it ends it"


async def test_a_server_out_of_reach_is_told_until_it_answers(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = await furnish(pool, tmp_path, sftp=SERVER)
    away = [True]

    async def pull(_: Puller, now: object) -> None:
        if away[0]:
            raise SftpError("IS-FIL-028", "away", "wait", retry=True)

    monkeypatch.setattr(Puller, "pull", pull)
    await warehouse.look()
    assert set(await warehouse.open_alerts()) == {"ledger_files_unreachable"}
    away[0] = False
    await warehouse.look()
    assert await warehouse.open_alerts() == {}
