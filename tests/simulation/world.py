"""The simulated world: a ledger and channels, one daemon that may die, and people who trade."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from inventory_sync.engine import connections, intake, poll
from inventory_sync.engine.decide import decide
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
from inventory_sync.model.ambient import Ambient
from inventory_sync.sandbox.faults import Chaos, NoticeFaults
from inventory_sync.sandbox.kernel import Delivery, FaultKind
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, RetryLater
from inventory_sync.systems.port import CallbackParser, Client, ClientContext, SystemDefinition
from inventory_sync.web.directory import callback_address
from tests.simulation.clock import Agenda
from tests.simulation.kinds import Options, kind_of
from tests.simulation.net import SimulatedTransport
from tests.simulation.partners import CONTRACT as CONTRACT
from tests.simulation.partners import NOTICE_SECRET as NOTICE_SECRET
from tests.simulation.partners import Partner as Partner
from tests.simulation.partners import Workshop
from tests.simulation.recorder import Recorder
from tests.simulation.scene import Scene
from tests.simulation.steps import BUSY_STEPS, PASSING, WAKES, Step, steps_of
from tests.simulation.tasks import Tasks
from tests.simulation.warehouse import Warehouse

T = TypeVar("T")

INSTALLATION = "simulated0"
PUBLIC_URL = "https://sync.example.jp"
CODES = ("A-1", "B-2", "C-3")


@dataclass
class World:
    """Everything of one run. `calm_since`: when faults and trade ended."""

    seed: int
    pool: db.Pool
    options: Options = field(default_factory=Options)
    budget_full: bool = False

    def __post_init__(self) -> None:
        self.kind = kind_of(self.seed, self.options)
        self.chance = random.Random(self.seed)
        self.agenda = Agenda(self.chance)
        self.recorder = Recorder()
        self.calm_since: datetime | None = None
        self.incarnation = 0
        self.up = False
        self.deaths: list[datetime] = []
        self.violations: list[str] = []
        self.after_event: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.lanes: dict[str, Lane] = {}
        self._planned: dict[str, datetime] = {}
        self.tasks = Tasks()
        self.house = self._house()
        self.late: list[datetime] = []
        self.partners = self._partners()
        for partner in self.partners.values():
            partner.wire.notify = partial(self._collect, partner)
        self.scene = Scene((), {}, (), ())
        self.handled: set[str] = set()
        self.booked: set[str] = set()
        self.to_be_booked = 0
        self.worst_dirty = 0.0
        self.lower_numbers = 0
        self.lost = 0
        self._started = 0

    # -- building ---

    def _house(self) -> House:
        numbers = random.Random(self.chance.random())
        ambient = Ambient(
            now=lambda: self.agenda.now, new_id=lambda: f"{numbers.getrandbits(128):032x}", chance=numbers
        )
        return House(self.pool, ambient, INSTALLATION, self.recorder)

    def _partners(self) -> dict[str, Partner]:
        return Workshop(self.chance, lambda: self.agenda.now, self.options).all_of(self.kind, self.pool)

    def _partner(self, name: str, simulator: Any, definition: SystemDefinition, settings: Any) -> Partner:
        return Workshop(self.chance, lambda: self.agenda.now, self.options).partner(
            name, simulator, definition, settings
        )

    # -- faults ---

    def rough(self) -> None:
        """Faults begin."""
        share = self.options.fault_chance / 7
        kinds = (
            FaultKind.DELAY,
            FaultKind.RESET_BEFORE,
            FaultKind.RESET_AFTER,
            FaultKind.LATE,
            FaultKind.ERROR_AFTER,
            FaultKind.ERROR_BEFORE,
            FaultKind.THROTTLE,
        )
        for partner in self.partners.values():
            partner.faults.set_chaos(Chaos(dict.fromkeys(kinds, share), (0.5, 30.0)))
            partner.notices.faults = NoticeFaults(loss=0.15, duplication=0.15, delay=(0.0, 6.0))

    def smooth(self) -> None:
        """Faults end. Where no list says what changed lately, the walk over all levels that comes every few hours comes
        now: by it, what a lost notice told is found."""
        self.calm_since = self.agenda.now
        for partner in self.partners.values():
            partner.faults.clear()
            partner.notices.faults = NoticeFaults()
            if partner.definition.capabilities.has_orders:
                self.agenda.after(10.0, partial(self._walk, partner.connection_id))

    async def _walk(self, connection_id: int) -> None:
        """Start the walk, after the one that is under way: what that one has read may be older."""
        if not await poll.start_reconcile(self.house, connection_id):
            self.agenda.after(10.0, partial(self._walk, connection_id))

    # -- the daemon's life ---

    def client(self, partner: Partner) -> Client:
        transport = SimulatedTransport(self.agenda, self.tasks, partner.wire)
        context = ClientContext(
            transport,
            self.house.ambient,
            INSTALLATION,
            self.budget_full,
            calibration=partner.calibration,
            callback_url=callback_address(PUBLIC_URL, partner.definition, partner.name, partner.settings),
        )
        client: Client = partner.definition.make_client(partner.settings, context)
        return client

    def boot(self) -> None:
        """A process starts: nothing of the former one is left but the database."""
        self.incarnation += 1
        self.tasks = Tasks()
        self.lanes = {}
        self._planned = {}
        self.up = True
        for name in self.partners:
            self._schedule(f"lease:{name}", 0.0, 0.1)
        for name in ("intake", "decide"):
            self._schedule(name, 0.0, 0.3)

    async def crash(self) -> None:
        """The process dies, and another starts a little later."""
        self.up = False
        self.deaths.append(self.agenda.now)
        await self.tasks.kill()
        await warm(self.pool)
        self.agenda.soon(0.2, 4.0, self.boot)

    def _steps(self, name: str) -> dict[str, Step]:
        return steps_of(self.house, self.lanes[name])

    def _schedule(self, key: str, low: float, high: float) -> None:
        """Start a step within these seconds, unless it is to start sooner anyway."""
        moment = self.agenda.now + timedelta(seconds=self.chance.uniform(low, high))
        planned = self._planned.get(key)
        if planned is not None and planned <= moment:
            return
        self._planned[key] = moment
        incarnation = self.incarnation

        def live() -> bool:
            return self.up and self.incarnation == incarnation and self._planned.get(key) == moment

        def go() -> None:
            del self._planned[key]
            if self.tasks.busy(key):
                self._schedule(key, 0.02, 0.1)
            else:
                self._start(key)

        self.agenda.at(moment, go, live)

    def _start(self, key: str) -> None:
        step, _, name = key.partition(":")
        if step == "lease":
            self.tasks.start(key, self._lease(name), lambda _: None)
            return
        if step in ("intake", "decide"):
            work = self._guarded("", lambda: intake.intake(self.house) if step == "intake" else decide(self.house))
        elif name in self.lanes:
            work = self._guarded(name, self._steps(name)[step])
        else:
            return
        self.tasks.start(key, work, lambda progress: self._again(key, progress))

    async def _guarded(self, name: str, step: Callable[[], Coroutine[Any, Any, Progress]]) -> Progress:
        try:
            return await step()
        except PASSING:
            return Progress(0, self.agenda.now + timedelta(seconds=1))
        except LeaseLost:
            self.lanes.pop(name, None)
            return Progress(0)
        except Broken as error:
            partner = self.partners[name]
            await connections.mark_broken(self.house, partner.connection_id, name, error)
            self.violations.append(f"the connection {name} broke: {error.message}")
            return Progress(0)

    def _again(self, key: str, progress: Progress) -> None:
        step, _, name = key.partition(":")
        if progress.did:
            for other in WAKES.get(step, ()):
                for each in self._targets(other, name):
                    self._schedule(each, 0.0, 0.08)
            self._schedule(key, 0.0, 0.05)
            return
        idle = 4.0 if step in BUSY_STEPS else 15.0
        due = (progress.due - self.agenda.now).total_seconds() if progress.due is not None else idle
        seconds = max(0.001, min(due, idle))
        self._schedule(key, seconds, seconds + 0.05)

    def _targets(self, step: str, name: str) -> list[str]:
        if step in ("intake", "decide"):
            return [step]
        names = [name] if name else list(self.lanes)
        return [f"{step}:{each}" for each in names if each in self.lanes and step in self._steps(each)]

    async def _lease(self, name: str) -> None:
        partner = self.partners[name]
        incarnation = self.incarnation
        try:
            held = await take_lease(self.house, partner.connection_id, owner=f"process-{incarnation}", owner_key=0)
        except PASSING:
            held = None
        entering = f"enter:{name}"
        if held is not None and name not in self.lanes and not self.tasks.busy(entering):
            self.tasks.start(entering, self._enter(name, held), lambda _: None)
        self._schedule(f"lease:{name}", 1.0, 4.0)

    async def _enter(self, name: str, held: Held) -> None:
        """Begin a lane that was just leased. The lease is renewed meanwhile: a partner may take its time."""
        partner = self.partners[name]
        lane = Lane(partner.connection_id, name, self.client(partner), held.token, notices_work=name != "pos")
        await self.patiently(lane.client.verify)  # one token for all steps: none of them waits for another one's
        seen = await self.pool.fetchval("select lane_seen_at from connections where id = $1", lane.connection_id)
        try:
            await adopt(self.house, lane, held.former_seconds_left)
            await catch_up_after_outage(self.house, lane, seen)
        except PASSING:
            return  # with the next renewal it begins anew
        self.lanes[name] = lane
        for step in self._steps(name):
            self._schedule(f"{step}:{name}", 0.0, 0.5)

    async def patiently(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Do something as soon as the partner lets us."""
        while True:
            try:
                await work()
            except RetryLater as error:
                await self.pause(error.after)
            else:
                return

    async def pause(self, seconds: float) -> None:
        """A step lets virtual time pass."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tasks = self.tasks

        def go() -> None:
            if not waiting.done():
                tasks.resume(waiting)
                waiting.set_result(None)

        self.agenda.after(max(seconds, 0.05), go)
        await tasks.wait(waiting)

    # -- webhooks ---

    def _collect(self, partner: Partner) -> None:
        """Webhooks that are due now are on their way; later ones are looked for when they are due. What our own ledger
        tells lies in the inbox."""
        if isinstance(partner.simulator, Warehouse):
            self.wake("intake")
        for delivery in partner.simulator.advance(self.agenda.now):
            fate = partner.notices.decide(delivery)
            if fate.lost:
                partner.simulator.delivered(delivery, 200, self.agenda.now)
            for seconds in fate.copies:
                self._deliver(partner, delivery, seconds)
        due = partner.simulator.next_due()
        if due is not None:
            self.agenda.at(max(due, self.agenda.now + timedelta(milliseconds=10)), lambda: self._collect(partner))

    def _deliver(self, partner: Partner, delivery: Delivery, seconds: float) -> None:
        def arrive() -> None:
            if not self.up:
                partner.simulator.delivered(delivery, None, self.agenda.now)
                return
            assert partner.parser is not None
            headers = _headers(delivery)
            called_back = urlsplit(delivery.url).path.startswith("/callbacks/")
            parse = cast(CallbackParser, partner.parser).parse_callback if called_back else partner.parser.parse
            notice = parse(headers, delivery.body)
            arrival = intake.Arrival(partner.connection_id, notice, self.agenda.now)

            def kept(durable: bool) -> None:
                partner.simulator.delivered(delivery, 200 if durable else 503, self.agenda.now)
                self._schedule("intake", 0.0, 0.05)

            async def keep() -> bool:
                try:
                    await intake.keep(self.house, [arrival])
                except PASSING:
                    return False
                return True

            self.tasks.start(f"notice:{self.number()}", keep(), kept)

        self.agenda.after(seconds, arrive)

    def heard(self, name: str) -> None:
        """Somebody changed something at a partner: its webhooks may be due."""
        self._collect(self.partners[name])

    def number(self) -> int:
        """A number of its own for something that is started once."""
        self._started += 1
        return self._started

    def wake(self, step: str) -> None:
        """A step has something to do, if the process is up."""
        if self.up:
            for key in self._targets(step, ""):
                self._schedule(key, 0.0, 0.05)

    async def again(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What a command does is done once more if somebody else held the same rows."""
        while True:
            try:
                return await work()
            except PASSING:
                await self.pause(0.2)

    # -- running ---

    async def run_until(self, done: Callable[[], Coroutine[Any, Any, bool]], *, seconds: float) -> bool:
        """Let events happen until `done`, at most that many virtual seconds. Says whether it was done."""
        end = self.agenda.now + timedelta(seconds=seconds)
        check_at = self.agenda.now
        await self.tasks.settle(self.pool)
        while self.agenda.now < end:
            act = self.agenda.next()
            if act is None:
                return False
            if not self.agenda.asked:
                await self.agenda.tell_database(self.pool)
            happening = act()
            if inspect.isawaitable(happening):
                await happening
            await self.tasks.settle(self.pool)
            if self.tasks.errors:
                raise self.tasks.errors[0]
            if self.tasks.dead and self.up:
                await self.crash()
            for watch in self.after_event:
                await watch()
            if self.agenda.now >= check_at:
                check_at = self.agenda.now + timedelta(seconds=2)
                if await done():
                    return True
        return False


def _headers(delivery: Delivery) -> dict[str, str]:
    """What the web layer passes on of a notice: its headers, and what its address says."""
    parts = urlsplit(delivery.url)
    own = {":method": "POST", ":token": parts.path.rpartition("/")[2], ":query": parts.query}
    return {name.lower(): value for name, value in delivery.headers.items()} | own


async def warm(pool: db.Pool) -> None:
    """Open every connection of the pool, so that none is opened in the middle of a story."""
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    for connection in held:
        await pool.release(connection)


@asynccontextmanager
async def mortal(world: World) -> Any:
    """While this holds, the process may die before any transaction."""
    original = db.transaction

    @asynccontextmanager
    async def transaction(pool: db.Pool) -> Any:
        world.tasks.may_die()
        async with original(pool) as conn:
            yield conn

    db.transaction = transaction  # type: ignore[assignment]
    try:
        yield
    finally:
        db.transaction = original
