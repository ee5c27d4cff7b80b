"""The house of the engine's stories: the simulation's world without chance, one ledger, one or two shops, one daemon.

Time is virtual, the adapters' protocol code talks to the simulators' cores, the SQL is real, and nothing goes wrong
unless a test queues it.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg

from inventory_sync.engine import apply_made, catalogue, connections, housekeeping, intake, routes
from inventory_sync.engine.apply_made import Made
from inventory_sync.engine.decide import decide
from inventory_sync.engine.lane import Lane, LeaseLost, Progress, adopt, catch_up_after_outage, take_lease
from inventory_sync.sandbox.faults import names_of
from inventory_sync.sandbox.kernel import Request
from inventory_sync.sandbox.shopify import ShopifySimulator, ShopifySwitches
from inventory_sync.sandbox.smaregi import SmaregiSimulator, SmaregiSwitches
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse, Transport
from inventory_sync.systems.port import Client, ClientContext
from inventory_sync.systems.shopify import definition as SHOPIFY
from inventory_sync.systems.smaregi import definition as SMAREGI
from inventory_sync.web.directory import callback_address
from tests.simulation.clock import CLOCK_IN_SQL
from tests.simulation.net import Network
from tests.simulation.world import CONTRACT, INSTALLATION, NOTICE_SECRET, Partner, World, warm

T = TypeVar("T")

IDLE = 30.0
"""Seconds after which a step looks by itself, where nobody woke it."""

TIMEOUT = 5.0
"""Seconds the adapters wait for an answer."""

SMAREGI_SWITCHES = SmaregiSwitches(reads_per_second=50, writes_per_second=20)
SHOPIFY_SWITCHES = ShopifySwitches(bucket_size=20_000.0, restore_rate=1_000.0)


@dataclass(frozen=True, slots=True)
class Setup:
    """What there is before a story starts. `ledger` and `channel` are the numbers of every cell, or of each code.

    `pool`: the store that takes what comes back, where each shop's one location shows the sum of all stores. `sets`
    and `code_table` are what a person supplied.
    """

    codes: tuple[str, ...] = ("A-1",)
    stores: tuple[str, ...] = ("1",)
    shops: tuple[str, ...] = ("shop",)
    ledger: int | Mapping[str, int] = 10
    channel: int | Mapping[str, int] | None = None  # None: as the ledger
    route: Mapping[str, Any] = field(default_factory=dict)
    terms: Mapping[str, Any] = field(default_factory=dict)  # listings, ledger_basis, booked_within, intake
    pool: str | None = None
    sets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    code_table: Mapping[str, str] = field(default_factory=dict)
    smaregi: SmaregiSwitches = SMAREGI_SWITCHES
    shopify: ShopifySwitches = SHOPIFY_SWITCHES
    pos: Mapping[str, Any] = field(default_factory=dict)  # settings of the ledger's connection
    public_url: str | None = None  # where callbacks reach us
    shop: Mapping[str, Any] = field(default_factory=dict)  # settings of the shops' connections
    more: Callable[[Any], object] | None = None  # fills the partners of a bench further


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it left."""

    at: datetime
    partner: str
    names: tuple[str, ...]
    body: bytes


class _Recording:
    """A transport that keeps what went through it."""

    def __init__(self, bench: FurnishedHouse, partner: str, inner: Transport) -> None:
        self._bench, self._partner, self._inner = bench, partner, inner

    async def send(self, request: HttpRequest) -> HttpResponse:
        path = "/" + request.url.split("://", 1)[1].partition("/")[2].partition("?")[0]
        names = names_of(Request(request.method, path, "", {}, request.body))
        self._bench.sent.append(Sent(self._bench.agenda.now, self._partner, names, request.body))
        return await self._inner.send(request)


class _DoneError(Exception):
    """What a story waited for is there."""


@dataclass
class FurnishedHouse(World):
    """Partners and a daemon, and time that passes."""

    setup: Setup = field(default_factory=Setup)

    def __post_init__(self) -> None:
        self.sent: list[Sent] = []
        self.off: set[str] = set()  # steps that do not run, as "poll" or "push:shop"
        self.owner, self.owner_key = "replica-a", 0
        self.products: dict[str, str] = {}
        self.items: dict[str, dict[str, str]] = {}
        self.began: dict[str, int] = {}
        self._people = 0
        super().__post_init__()

    # -- building ---

    def _partners(self) -> dict[str, Partner]:
        made = {"pos": self._ledger_partner()}
        for name in self.setup.shops:
            domain, secret = f"{name}-jp.myshopify.com", f"shpss_{name}_secret"
            places = ("Tokyo", "Osaka")[: len(self.setup.stores) if self.setup.pool is None else 1]
            simulator = ShopifySimulator(
                domain=domain, client_secret=secret, locations=places, switches=self.setup.shopify
            )
            settings_of: Any = SHOPIFY.settings
            settings = settings_of(
                shop=domain,
                client_id="sandbox-client",
                client_secret=secret,
                request_timeout_seconds=TIMEOUT,
                **self.setup.shop,
            )
            made[name] = self._partner(name, simulator, SHOPIFY, settings)
        return made

    def _ledger_partner(self) -> Partner:
        simulator = SmaregiSimulator(
            contract=CONTRACT, switches=self.setup.smaregi, chance=random.Random(1), notice_delay=0.2
        )
        simulator.configure_webhook(
            "https://sync.example.jp/webhooks/smaregi/pos", header="X-Inventory-Sync-Secret", secret=NOTICE_SECRET
        )
        settings = SMAREGI.settings(
            **{
                "contract_id": CONTRACT,
                "client_id": "sim-client",
                "client_secret": "sim-secret",
                "webhook_secret": NOTICE_SECRET,
                "base_url": "https://api.smaregi.dev",
                "token_url": "https://id.smaregi.dev",
                "reads_per_second": self.setup.smaregi.reads_per_second,
                "writes_per_second": self.setup.smaregi.writes_per_second,
                "request_timeout_seconds": TIMEOUT,
                **self.setup.pos,
            }
        )
        return self._partner("pos", simulator, SMAREGI, settings)

    def client(self, partner: Partner) -> Client:
        carried = Network(self.agenda, self.tasks, self.late).transport(
            partner.simulator, partner.faults, lambda: self._collect(partner)
        )
        context = ClientContext(
            _Recording(self, partner.name, carried),
            self.house.ambient,
            INSTALLATION,
            self.budget_full,
            callback_url=callback_address(self.setup.public_url, partner.definition, partner.name, partner.settings),
        )
        made: Client = partner.definition.make_client(partner.settings, context)
        return made

    def _seed(self) -> None:
        now, setup = self.agenda.now, self.setup
        ledger = _numbers(setup.ledger, setup.codes)
        stores = 1 if setup.pool is None else len(setup.stores)
        channel = {code: units * stores for code, units in ledger.items()}
        if setup.channel is not None:
            channel = _numbers(setup.channel, setup.codes)
        ids = self.partners["pos"].simulator.seed_catalogue(
            len(setup.codes),
            now,
            stores=setup.stores,
            codes=list(setup.codes),
            initial=lambda number, store: ledger[setup.codes[number]],
        )
        self.products = dict(zip(setup.codes, ids, strict=True))
        for name in setup.shops:
            shop = self.partners[name].simulator
            places = shop.location_ids()
            self.items[name] = {}
            for code in setup.codes:
                [self.items[name][code]] = shop.add_product(
                    f"Product {code}", [code], now, locations=places, stock=channel[code], policy="CONTINUE"
                )
        if setup.more is not None:
            setup.more(self)
        for partner in self.partners.values():
            partner.simulator.log.changes.clear()

    async def move_in(self) -> None:
        """Connections, catalogues, a route for each shop, and its pairs; then the daemon starts."""
        await self.pool.execute(CLOCK_IN_SQL)
        await warm(self.pool)
        self._seed()
        for name, partner in self.partners.items():
            partner.connection_id = await db.value(
                self.pool,
                "insert_connection",
                name=name,
                system=partner.definition.name,
                settings={},
                secrets=None,
                now=self.agenda.now,
            )
            await self.person(self._bring_in(name))
        for name in self.setup.shops:
            await self._make_route(name)
        self.boot()

    async def _bring_in(self, name: str) -> None:
        partner = self.partners[name]
        held = await take_lease(self.house, partner.connection_id, owner=self.owner, owner_key=0)
        assert held is not None
        lane = Lane(partner.connection_id, name, self.client(partner), held.token)
        await self.patiently(lambda: self._greet(lane))
        await self.patiently(lambda: catalogue.import_locations(self.house, lane))
        await catalogue.start_import(self.house, lane.connection_id)
        while await db.row(self.pool, "running_run", kind="import", connection_id=lane.connection_id) is not None:
            await catalogue.import_page(self.house, lane)
            await self.pause(0.1)
        if name != "pos":
            url = f"https://sync.example.jp/webhooks/shopify/{name}"
            await self.patiently(lambda: lane.client.ensure_subscriptions(url))

    async def _make_route(self, name: str) -> None:
        given = {
            "direction": "two_way",
            "sales": "post",
            "ledger_field": "product_code",
            "channel_fields": ["sku"],
            "buffer": 0,
            "percent": 100,
            "maximum": None,
            "align": "ledger_wins",
            **self.setup.route,
        }
        ids = {"ledger_id": self.partners["pos"].connection_id, "channel_id": self.partners[name].connection_id}
        async with db.transaction(self.pool) as conn:
            await db.value(conn, "insert_route", name=f"pos-{name}", **ids, **given)
            route = await routes.route_named(conn, f"pos-{name}")
            terms = {"listings": "one", "ledger_basis": "stock", "booked_within": 3600, "intake": "adjustment"}
            pooled = self.setup.pool is not None
            await db.run(conn, "set_route_terms", id=route["id"], pooled=pooled, **{**terms, **self.setup.terms})
            places = self.partners[name].simulator.location_ids()
            pooled_places = tuple((store, places[0], store == self.setup.pool) for store in self.setup.stores)
            made = Made(
                () if pooled else tuple(zip(self.setup.stores, places, strict=True)),
                pooled_places if pooled else (),
                self.setup.code_table,
                {(value, code): ratio for value, each in self.setup.sets.items() for code, ratio in each.items()},
            )
            await apply_made.map_places(conn, route, made)
            await apply_made.put_tables(conn, route["id"], made)
            await catalogue.match_route(self.house, conn, await routes.route_named(conn, f"pos-{name}"))

    # -- the daemon's life ---

    def boot(self) -> None:
        super().boot()
        self._schedule("housekeeping", 0.0, 0.3)

    def wake(self) -> None:
        """Let every step look at once, as after a person's command."""
        for key in ("intake", "decide", "housekeeping"):
            self._schedule(key, 0.0, 0.1)
        for name in self.lanes:
            for step in self._steps(name):
                self._schedule(f"{step}:{name}", 0.0, 0.2)

    def _steps(self, name: str) -> dict[str, Callable[[], Coroutine[Any, Any, Progress]]]:
        lane, steps = self.lanes[name], super()._steps(name)
        del steps["push2"]  # one writer a lane tells these stories, and one request at a time reads easier
        return steps | {"greet": lambda: self._greet(lane)}

    def _start(self, key: str) -> None:
        step, _, name = key.partition(":")
        lost = name and step != "lease" and name not in self.lanes
        if step == "push2" or lost:
            return
        if key in self.off or step in self.off:
            self._schedule(key, 1.0, 1.0)
        elif step == "lease":
            self.tasks.start(key, self._lease(name), lambda _: None)
        else:
            common: dict[str, Callable[[], Coroutine[Any, Any, Progress]]] = {
                "intake": lambda: intake.intake(self.house),
                "decide": lambda: decide(self.house),
                "housekeeping": lambda: housekeeping.keep_house(self.house, retention=timedelta(days=30)),
            }
            work = self._guarded(name, self._steps(name)[step] if name else common[step])
            self.tasks.start(key, work, lambda progress: self._again(key, progress))

    def _again(self, key: str, progress: Progress) -> None:
        if progress.did:
            super()._again(key, progress)
            return
        due = (progress.due - self.agenda.now).total_seconds() if progress.due is not None else IDLE
        seconds = max(0.001, min(due, IDLE))
        self._schedule(key, seconds, seconds + 0.05)

    async def _guarded(self, name: str, step: Callable[[], Coroutine[Any, Any, Progress]]) -> Progress:
        try:
            return await step()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            return Progress(0, self.agenda.now)
        except LeaseLost:
            self.lanes.pop(name, None)
        except Broken as error:
            lane = self.lanes.pop(name, None)
            if lane is not None:
                await connections.mark_broken(self.house, lane.connection_id, name, error)
                await db.run(self.pool, "release_lease", connection_id=lane.connection_id, token=lane.token)
        return Progress(0)

    async def _lease(self, name: str) -> None:
        """Hold the lane of a connection that works, or whose time to be tried again has come."""
        partner, owner = self.partners[name], self.owner
        record = await db.row(self.pool, "connection_by_name", name=name)
        assert record is not None
        tried_again = record["retry_at"] is not None and record["retry_at"] <= self.agenda.now
        if record["state"] == "linked" or tried_again:
            held = await take_lease(self.house, partner.connection_id, owner=owner, owner_key=self.owner_key)
            if held is not None and (name not in self.lanes or self.lanes[name].token != held.token):
                lane = Lane(partner.connection_id, name, self.client(partner), held.token, notices_work=True)
                await adopt(self.house, lane, held.former_seconds_left)
                await catch_up_after_outage(self.house, lane, record["lane_seen_at"])
                self.lanes[name] = lane
                for step in self._steps(name):
                    self._schedule(f"{step}:{name}", 0.0, 0.2)
        self._schedule(f"lease:{name}", 4.5, 5.0)

    async def _greet(self, lane: Lane) -> Progress:
        try:
            verified = await lane.client.verify()
        except RetryLater as error:
            return Progress(0, self.agenda.now + timedelta(seconds=error.after))
        verified = replace(verified, identity=f"{lane.name}: {verified.identity}")  # simulated shops share one id
        async with db.transaction(self.pool) as conn:
            await connections.link(self.house, conn, lane.connection_id, lane.name, verified)
        return Progress(0, self.agenda.now + timedelta(hours=1))

    # -- running ---

    async def run(self, seconds: float) -> None:
        """Let that many seconds pass."""
        end = self.agenda.now + timedelta(seconds=seconds)
        self.agenda.at(end, lambda: None)

        async def over() -> bool:
            return self.agenda.now >= end

        await self.run_until(over, seconds=seconds + 0.001)

    async def until(self, done: Callable[[], Any], *, seconds: float = 60) -> None:
        """Let time pass until `done` says so, looking after every event; fails after so many seconds.

        Where `done` is a coroutine function (it asks the database), it is asked every other second.
        """
        self.agenda.after(seconds, lambda: None)

        async def asked() -> bool:
            answer = done()
            return bool(await answer if inspect.isawaitable(answer) else answer)

        async def look() -> None:
            if done():
                raise _DoneError

        looks = [] if inspect.isawaitable(answer := done()) else [look]
        if inspect.iscoroutine(answer):
            answer.close()
        self.after_event += looks
        try:
            over = await asked() or await self.run_until(asked, seconds=seconds)
        except _DoneError:
            over = True
        finally:
            self.after_event = [each for each in self.after_event if each not in looks]
        assert over, f"not within {seconds} s"

    async def person(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something that talks to a partner, while time passes."""
        answers: list[T] = []
        self._people += 1
        self.tasks.start(f"person:{self._people}", work, answers.append)
        await self.until(lambda: answers, seconds=600)
        return answers[0]


def _numbers(given: int | Mapping[str, int], codes: tuple[str, ...]) -> dict[str, int]:
    return {code: given if isinstance(given, int) else given[code] for code in codes}
