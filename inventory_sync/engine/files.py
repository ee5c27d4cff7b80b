"""Catalogue files: a shop without a catalogue API hands its items in as a set of files, and a set counts whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inventory_sync.engine import catalogue
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.store import cells, db
from inventory_sync.store.cells import Hint
from inventory_sync.systems.errors import FileRefused
from inventory_sync.systems.port import Condition, FileCatalogue, FileGeneration, NamedFile


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What became of files that were handed in. `waiting_for`: kinds of the set that are still missing."""

    waiting_for: tuple[str, ...] = ()
    items: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Whose:
    connection_id: int
    name: str


async def hand_in(
    house: House, connection: db.Record, files: FileCatalogue, given: Sequence[NamedFile], *, confirm: bool, actor: str
) -> HandedIn:
    """Keep files, and take the catalogue in once the set is whole, all in one transaction.

    Raises FileRefused (a file cannot be read) or RefusedByRule (the catalogue is not believed); nothing changes then.
    """
    by_kind: dict[str, NamedFile] = {}
    for file in given:
        kind = files.kind_of(file)
        if kind in by_kind:
            raise FileRefused(
                f"{by_kind[kind].name} and {file.name} are both the {kind} file.",
                remedy="Hand in one file of each kind.",
                code="IS-CON-027",
            )
        by_kind[kind] = file
    async with db.transaction(house.pool) as conn:
        kept = await db.rows(conn, "lock_catalogue_files", connection_id=connection["id"])
        whole = {r["kind"]: NamedFile(r["name"], bytes(r["body"])) for r in kept} | by_kind
        missing = tuple(kind for kind in files.kinds if kind not in whole)
        if missing:
            await _keep(house, conn, connection["id"], by_kind)
            return HandedIn(waiting_for=missing)
        generation = files.read(whole, accepted=connection["calibration"], confirmed=confirm)
        await _take(house, conn, connection, generation, actor)
    return HandedIn(items=len(generation.items), warnings=generation.warnings)


async def _keep(house: House, conn: db.Connection, connection_id: int, given: dict[str, NamedFile]) -> None:
    for kind, file in given.items():
        await db.run(
            conn,
            "put_catalogue_file",
            connection_id=connection_id,
            kind=kind,
            name=file.name,
            body=file.body,
            now=house.now(),
        )


async def _take(
    house: House, conn: db.Connection, connection: db.Record, generation: FileGeneration, actor: str
) -> None:
    whose, now = _Whose(connection["id"], connection["name"]), house.now()
    if not await catalogue.take_whole(house, conn, whose, generation.items):
        raise RefusedByRule(
            "IS-CON-028",
            "Most of the known items are missing in these files, so they were not taken. "
            "Export the whole catalogue and hand both files in again.",
            "登録済みの商品の大半がファイルにないため、取り込みませんでした。"
            "商品をすべて書き出し、両方のファイルをもう一度渡してください。",
        )
    hints = [
        Hint(whose.connection_id, level.cell.item, level.cell.location, level.quantity, None, now)
        for level in generation.levels
        if level.condition is Condition.ACTIVE
    ]
    await cells.mark_hinted(conn, hints, now=now, soft_at=now, from_list=True)
    await db.run(conn, "save_calibration", id=whose.connection_id, calibration=dict(generation.accepted))
    await db.run(conn, "drop_catalogue_files", connection_id=whose.connection_id)
    after: dict[str, Any] = {"items": len(generation.items), "warnings": len(generation.warnings)}
    await write_audit(house, conn, actor, "connection.files_taken", whose.name, None, after, at=now)
    await db.notify(conn, "config")
    await db.notify(conn, "decide")
