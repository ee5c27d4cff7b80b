"""Lanes as they run: a lease is taken and renewed, and while it holds, the steps of that lane turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from inventory_sync.engine import (
    catalogue,
    causes,
    connections,
    doubt,
    evidence,
    observe,
    orders,
    overdue,
    poll,
    push,
    schedule,
)
from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.lane import (
    Held,
    House,
    Lane,
    LeaseLost,
    Progress,
    adopt,
    catch_up_after_outage,
    take_lease,
)
from inventory_sync.loops import Step, Wakes, turn
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, Bug, RetryLater
from inventory_sync.systems.port import Client

log = structlog.get_logger()

FIRST_RETRY = 0.5
LONGEST_RETRY = 30.0


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """What a lane needs from the composition root. `webhook_url` is None where no notices can arrive; `more_steps` are
    of this connection alone, such as watching the folders of its files."""

    connection_id: int
    name: str
    make_client: Callable[[], Client]
    webhook_url: str | None
    last_seen: datetime | None
    more_steps: tuple[Step, ...] = ()


class LaneRunner:
    """One connection's lane: waits for the lease, holds it, runs the steps, lets go."""

    def __init__(self, house: House, spec: LaneSpec, wakes: Wakes, *, owner: str, owner_key: int) -> None:
        self._house = house
        self._spec = spec
        self._wakes = wakes
        self._owner = owner
        self._owner_key = owner_key
        self.draining = asyncio.Event()
        self.lane: Lane | None = None

    async def run(self) -> None:
        """Hold the lane whenever it is free, until cancelled or until the connection does not work (returns then)."""
        retry = FIRST_RETRY
        broken = False
        while not broken and not self.draining.is_set():
            held = await self._try_lease()
            if held is None:
                await asyncio.sleep(min(2.0, self._house.lease_seconds / 4))
                continue
            try:
                await self._hold(held)
                retry = FIRST_RETRY
            except* LeaseLost:
                log.warning("lane.lost", connection=self._spec.name)
            except* Broken as group:
                await connections.mark_broken(
                    self._house, self._spec.connection_id, self._spec.name, _first_broken(group)
                )
                broken = True
            except* RetryLater as group:
                log.info("lane.retry", connection=self._spec.name, error=str(group.exceptions[0]))
            except* Exception as group:
                log.exception("lane.failed", connection=self._spec.name, exc_info=group)
            finally:
                self.lane = None
            await asyncio.sleep(retry)
            retry = min(LONGEST_RETRY, retry * 2)

    async def _try_lease(self) -> Held | None:
        try:
            return await take_lease(self._house, self._spec.connection_id, owner=self._owner, owner_key=self._owner_key)
        except Exception as error:
            log.warning("lane.lease_failed", connection=self._spec.name, error=f"{type(error).__name__}: {error}")
            return None

    async def _hold(self, held: Held) -> None:
        client = self._spec.make_client()
        lane = Lane(self._spec.connection_id, self._spec.name, client, held.token)
        lane.notices_work = self._spec.webhook_url is not None
        await adopt(self._house, lane, held.former_seconds_left)
        await catch_up_after_outage(self._house, lane, self._spec.last_seen)
        self._spec = replace(self._spec, last_seen=None)
        self.lane = lane
        log.info("lane.held", connection=lane.name, fencing_token=lane.token)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew(lane))
                for name, step, names in self._steps(lane):
                    group.create_task(self._turn(name, step, names))
                for number in range(client.capabilities.concurrent_writes):
                    group.create_task(self._push(lane, number))
                group.create_task(self._end_when_draining(lane))
        finally:
            await _release(self._house, lane)

    def _steps(self, lane: Lane) -> list[tuple[str, Step, tuple[str, ...]]]:
        house, here = self._house, f"connection:{lane.connection_id}"
        return [
            ("observe", lambda: observe.observe(house, lane), (here,)),
            ("doubt", lambda: doubt.doubt(house, lane), (f"doubt:{lane.connection_id}",)),
            ("watch", lambda: evidence.watch(house, lane), ()),
            ("poll", lambda: poll.poll(house, lane), ()),
            ("orders", lambda: orders.orders(house, lane), (here,)),
            ("reconcile", lambda: poll.reconcile(house, lane), (here,)),
            ("import", lambda: catalogue.import_page(house, lane), (here, "config")),
            ("wishes", lambda: catalogue.grant_wishes(house, lane), (here, "config")),
            ("causes", lambda: causes.attribute(house, lane), ()),
            ("overdue", lambda: overdue.release(house, lane), ()),
            ("greet", lambda: self._greet(lane), ("config",)),
            *((f"more.{number}", step, ()) for number, step in enumerate(self._spec.more_steps)),
        ]

    async def _turn(self, name: str, step: Step, names: tuple[str, ...]) -> None:
        wake = self._wakes.listen(*names)
        try:
            await turn(step, name=f"{self._spec.name}.{name}", wake=wake, now=self._house.now, stop=self.draining)
        finally:
            self._wakes.forget(wake)

    async def _push(self, lane: Lane, number: int) -> None:
        await self._turn(f"push.{number}", lambda: push.push(self._house, lane), (f"push:{lane.connection_id}",))

    async def _greet(self, lane: Lane) -> Progress:
        """Once at the start and then hourly: the credential still works, and our notices are still subscribed to."""
        house = self._house
        taken, again = await schedule.claim(house, f"greet:{lane.connection_id}:{lane.token}", schedule.SUBSCRIPTIONS)
        if not taken:
            return Progress(0, again)
        try:
            verified = await lane.client.verify()
            async with db.transaction(house.pool) as conn:
                await connections.link(house, conn, lane.connection_id, lane.name, verified)
            if self._spec.webhook_url is not None:
                await self._subscribe(lane, self._spec.webhook_url)
        except RetryLater as error:
            await db.run(house.pool, "forget_run", name=f"greet:{lane.connection_id}:{lane.token}")
            return Progress(0, house.now() + timedelta(seconds=error.after))
        except Bug as error:
            async with db.transaction(house.pool) as conn:
                await open_alert(
                    conn,
                    house.observer,
                    "bug",
                    lane.name,
                    now=house.now(),
                    connection_id=lane.connection_id,
                    problem=error.code,
                    message=error.message,
                )
        return Progress(1, again)

    async def _subscribe(self, lane: Lane, url: str) -> None:
        report = await lane.client.ensure_subscriptions(url)
        if report.created or report.removed:
            log.info("lane.subscribed", connection=lane.name, created=report.created, removed=report.removed)
        if report.gap:
            await db.run(
                self._house.pool,
                "insert_wishes",
                connections=[lane.connection_id],
                kinds=["reconcile"],
                keys=[""],
                now=self._house.now(),
            )

    async def _renew(self, lane: Lane) -> None:
        """Renew the lease at a third of its life; a lane that cannot be renewed is let go of."""
        while True:
            await asyncio.sleep(self._house.lease_seconds / 3)
            held = await self._try_lease()
            if held is not None and held.token != lane.token:
                raise LeaseLost(lane.name)
            if held is None:
                left = await self._seconds_left(lane)
                if left <= 0:
                    raise LeaseLost(lane.name)

    async def _seconds_left(self, lane: Lane) -> float:
        try:
            found = await db.row(self._house.pool, "lease_of", connection_id=lane.connection_id)
        except Exception:
            return 1.0
        return float(found["seconds_left"]) if found is not None and found["token"] == lane.token else 0.0

    async def _end_when_draining(self, lane: Lane) -> None:
        """A drained lane ends once the answers it still waits for are in."""
        await self.draining.wait()
        while lane.flying:  # noqa: ASYNC110 - answers come in when partners give them
            await asyncio.sleep(0.05)
        raise LeaseLost("draining")


async def _release(house: House, lane: Lane) -> None:
    try:
        await db.run(house.pool, "release_lease", connection_id=lane.connection_id, token=lane.token)
    except Exception as error:
        log.warning("lane.release_failed", connection=lane.name, error=f"{type(error).__name__}: {error}")


def _first_broken(group: BaseExceptionGroup[BaseException]) -> Broken:
    for error in group.exceptions:
        if isinstance(error, Broken):
            return error
        if isinstance(error, BaseExceptionGroup):
            return _first_broken(error)
    raise group
