"""Order policy: what is made of orders that are not paid, or that name an item no route knows.

It applies where orders are the source of changes. Elsewhere the level has fallen already and was told on, and an order
is evidence only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House, Lane
from inventory_sync.engine.named import NoSuch
from inventory_sync.model.ids import CellId, ItemKey, LocationKey
from inventory_sync.model.order_policy import (
    Listed,
    OrderPolicy,
    Stand,
    UnknownSku,
    Unpaid,
    Weighed,
    expired,
    policy_of,
    weigh,
)
from inventory_sync.store import cells, db
from inventory_sync.store.db import Connection
from inventory_sync.systems.port import CellRef, ChangeSource, OrderLine, OrderState, Payment

KEPT = "orders_kept"
"""The alert about orders of items that no route knows."""

VOID = "unpaid_policy_void"
"""The alert about a policy that cannot be kept, because levels are the source of changes by now."""

BATCH = 200
SOME = 5
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OPEN = (OrderState.PROVISIONAL, OrderState.PLACED, OrderState.SHIPPED)


@dataclass(frozen=True, slots=True)
class _Place:
    cell: CellId
    paired: bool
    reached: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What a page of orders is weighed by. `keeps`: a new line of an unknown item is kept, or (`skips`) left out;
    neither where no route tells of orders yet, or what is listed was ordered before we looked."""

    policy: OrderPolicy
    provisional_counts: bool
    at: datetime
    keeps: bool
    skips: bool
    places: Mapping[CellRef, _Place]
    without_stock: frozenset[str]

    def cell_of(self, line: OrderLine) -> CellId | None:
        place = self.places.get(line.cell)
        return None if place is None else place.cell

    def unknown(self, line: OrderLine) -> bool:
        """Whether a line is for something that ought to be in a route and is not."""
        place = self.places.get(line.cell)
        wanted = line.state in OPEN and line.quantity > 0 and line.payment is not Payment.REFUNDED
        return wanted and (place is None or not place.paired) and line.cell.item not in self.without_stock

    def weigh(self, line: OrderLine, before: db.Record | None) -> tuple[Weighed, bool]:
        """What a line comes to, and whether it is kept for an item that no route knows."""
        place = self.places.get(line.cell)
        if before is None:
            kept = self.keeps and self.unknown(line)
        else:
            kept = before["kept"] and line.state in OPEN and not (place is not None and place.reached)
        stand = Stand()
        if before is not None:
            stand = Stand(before["counted"], before["parked"], before["live"], before["told"])
        late = before is not None and expired(before["first_seen_at"], self.policy, self.at)
        payment = "" if line.payment is None else line.payment.value
        listed = Listed(line.state.value, line.quantity, payment, not kept, late and line.payment is Payment.UNPAID)
        return weigh(listed, stand, self.policy, provisional_counts=self.provisional_counts), kept


async def rules(conn: Connection, lane: Lane, lines: Sequence[OrderLine], *, new: bool, at: datetime) -> Rules:
    """The rules for a page of lines asked for at a time. `new`: a whole list was read before, so what it did not show
    was ordered since."""
    able = lane.client.capabilities
    refs = sorted({line.cell for line in lines})
    found = await db.rows(
        conn,
        "cells_of_keys",
        connection_id=lane.connection_id,
        items=[ref.item for ref in refs],
        locations=[ref.location for ref in refs],
    )
    places = {
        CellRef(r["item_key"], r["location_key"]): _Place(CellId(r["id"]), r["paired"], r["reached"]) for r in found
    }
    if able.change_source is ChangeSource.LEVELS:
        return Rules(OrderPolicy(), able.provisional_counts, at, False, False, places, frozenset())
    state = await db.row(conn, "orders_state", connection_id=lane.connection_id)
    policy = policy_of(state["policy"] if state is not None else None)
    telling = new and state is not None and state["routed"]
    keeps = telling and policy.unknown is UnknownSku.KEEP
    strangers = sorted({ref.item for ref in refs if ref not in places or not places[ref].paired})
    without: frozenset[str] = frozenset()
    if telling and strangers:
        rows = await db.rows(conn, "items_without_stock", connection_id=lane.connection_id, items=strangers)
        without = frozenset(r["key"] for r in rows)
    return Rules(policy, able.provisional_counts, at, keeps, telling and not keeps, places, without)


async def lines_to_weigh(house: House, lane: Lane) -> list[OrderLine]:
    """Lines to be weighed again as they were listed last: their item is known now, or they are unpaid for too long."""
    state = await db.row(house.pool, "orders_state", connection_id=lane.connection_id)
    policy = policy_of(state["policy"] if state is not None else None)
    found = await db.rows(
        house.pool,
        "lines_to_weigh",
        connection_id=lane.connection_id,
        expire_before=LONG_AGO if policy.expires is None else house.now() - policy.expires,
        limit=BATCH,
    )
    return [
        OrderLine(
            r["order_id"],
            r["line"],
            CellRef(ItemKey(r["item_key"]), LocationKey(r["location_key"])),
            r["quantity"],
            OrderState(r["state"]),
            r["placed_at"],
            Payment(r["payment"]) if r["payment"] else None,
        )
        for r in found
    ]


async def waive(conn: Connection, waived: Sequence[tuple[CellId | None, int]]) -> None:
    """Note what levels may yet do by themselves, because an order changed that nobody was told of."""
    told = [(cell, units) for cell, units in waived if cell is not None and units]
    if told:
        await db.run(conn, "waive", ids=[cell for cell, _ in told], units=[units for _, units in told])


async def adopt(conn: Connection, route_id: int) -> None:
    """Pairs of a route were made: orders kept for their items are held out of their targets from now on.

    Runs in the transaction that made them, so that none is aligned without.
    """
    await db.rows(conn, "adopt_kept", route_id=route_id)
    found = [CellId(r["channel_cell"]) for r in await db.rows(conn, "kept_cells", route_id=route_id)]
    if found:
        await db.rows(conn, "hold_orders", ids=found)


async def tell_kept(house: House, lane: Lane, conn: Connection) -> None:
    """Say how many orders are kept for items that no route knows, or that there are none any more."""
    await _tell_kept(house, conn, lane.connection_id, lane.name)


async def _tell_kept(house: House, conn: Connection, connection_id: int, name: str) -> None:
    found = await db.row(conn, "kept_summary", connection_id=connection_id)
    if found is None or not found["lines"]:
        await close_alerts(conn, KEPT, name, now=house.now())
        return
    await open_alert(
        conn,
        house.observer,
        KEPT,
        name,
        now=house.now(),
        connection_id=connection_id,
        problem="IS-ORD-002",
        lines=found["lines"],
        units=found["units"],
        since=found["since"].isoformat(),
        orders=found["orders"][:SOME],
        items=found["items"][:SOME],
    )


async def ask_for_items(house: House, lane: Lane, conn: Connection, lines: Sequence[OrderLine]) -> None:
    """Have items read that orders were just kept for and the catalogue does not hold, well before its next import."""
    keys = sorted({line.cell.item for line in lines})
    if keys:
        await db.run(
            conn,
            "insert_wishes",
            connections=[lane.connection_id] * len(keys),
            kinds=["refresh"] * len(keys),
            keys=keys,
            now=house.now(),
        )
        await db.notify(conn, f"connection:{lane.connection_id}")


async def note_skipped(house: House, lane: Lane, conn: Connection, by: Rules, fresh: Sequence[OrderLine]) -> None:
    """Lines of unknown items that policy leaves out stand in the audit log, each once."""
    for line in fresh:
        if by.skips and by.unknown(line):
            await write_audit(
                house,
                conn,
                "policy",
                "order.line_skipped",
                f"{lane.name}/{line.order}/{line.line}",
                before=None,
                after={"item": line.cell.item, "quantity": line.quantity, "orders.unknown_sku": "skip"},
            )


async def check_source(house: House, lane: Lane, conn: Connection) -> None:
    """Unpaid orders can only be held or ignored where orders are the source of changes; say so where they no longer
    are, because a calibration found that differences can be written."""
    state = await db.row(conn, "orders_state", connection_id=lane.connection_id)
    policy = policy_of(state["policy"] if state is not None else None)
    if policy.unpaid is Unpaid.RESERVE or lane.client.capabilities.change_source is ChangeSource.ORDERS:
        await close_alerts(conn, VOID, lane.name, now=house.now())
        return
    await open_alert(
        conn,
        house.observer,
        VOID,
        lane.name,
        now=house.now(),
        connection_id=lane.connection_id,
        problem="IS-ORD-003",
        unpaid=policy.unpaid.value,
    )


# -- for people ---


async def waiting(house: House, connection: str | None = None) -> list[db.Record]:
    """Order lines that do not count, oldest first: kept for an unknown item, held, or left out until paid."""
    return await db.rows(house.pool, "waiting_orders", connection=connection)


async def drop(house: House, connection: str, orders: Sequence[str], *, actor: str) -> list[db.Record]:
    """Stop keeping orders of unknown items: nobody is told of them any more. Raises NoSuch where one is not kept."""
    record = await db.row(house.pool, "connection_by_name", name=connection)
    if record is None:
        raise NoSuch(f"There is no connection {connection!r}.", f"接続「{connection}」はありません。")
    async with db.transaction(house.pool) as conn:
        gone = await db.rows(conn, "drop_kept", connection_id=record["id"], orders=sorted(set(orders)))
        missing = sorted(set(orders) - {r["order_id"] for r in gone})
        if missing:
            numbers = ", ".join(missing)
            raise NoSuch(
                f"No order of these numbers is kept: {numbers}. Nothing was changed.",
                f"次の番号の注文は保管していません: {numbers}。何も変更していません。",
            )
        for r in gone:
            await write_audit(
                house,
                conn,
                actor,
                "order.line_dropped",
                f"{connection}/{r['order_id']}/{r['line']}",
                before={"kept": r["quantity"], "item": r["item_key"]},
                after={"kept": 0},
            )
        touched = sorted({CellId(r["cell_id"]) for r in gone if r["cell_id"] is not None})
        if touched:
            await db.rows(conn, "hold_orders", ids=touched)
            await cells.put_due(conn, [(cell, None, None) for cell in touched])
            await db.notify(conn, "decide")
        await _tell_kept(house, conn, record["id"], connection)
    return gone
