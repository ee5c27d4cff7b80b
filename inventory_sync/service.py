"""Composition root: what is built, in which order it starts, and how it ends. Only this module knows everything."""

from __future__ import annotations

import asyncio
import contextlib
import secrets as chance
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import aiohttp
import asyncpg
import structlog

from inventory_sync import __version__, sources
from inventory_sync.database import CannotStart as CannotStart
from inventory_sync.database import open_database as open_database
from inventory_sync.engine import housekeeping, installation
from inventory_sync.engine.calibration import CALIBRATING, LONGEST_CALIBRATION
from inventory_sync.engine.decide import decide
from inventory_sync.engine.intake import intake
from inventory_sync.engine.lane import House, Progress
from inventory_sync.engine.observer import NO_OBSERVER, Observer
from inventory_sync.engine.stored import REMOVED, open_settings
from inventory_sync.lanes import LaneRunner, LaneSpec
from inventory_sync.ledger import hooks
from inventory_sync.ledger.transport import transport_to
from inventory_sync.loops import Wakes, turn
from inventory_sync.model.ambient import Ambient
from inventory_sync.secrets import SecretBox, SecretsError
from inventory_sync.settings import Settings, secret_keys
from inventory_sync.store import db
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.http import AiohttpTransport, Transport
from inventory_sync.systems.port import CallbackParser, Client, ClientContext, SettingsModel, SystemDefinition
from inventory_sync.systems.registry import Registry, load
from inventory_sync.upstreams import check_upstreams
from inventory_sync.web.admin import admin_app
from inventory_sync.web.collector import NoticeCollector
from inventory_sync.web.directory import Door, callback_address
from inventory_sync.web.gauges import MetricsPage
from inventory_sync.web.metrics import Metrics, MetricsObserver
from inventory_sync.web.public import public_app
from inventory_sync.web.readiness import Readiness
from inventory_sync.web.serving import Listener

log = structlog.get_logger()

CONFIG_CHECK = 15.0
"""Seconds after which connections are looked at even if nobody said they changed."""


@asynccontextmanager
async def open_house(
    settings: Settings, *, observer: Observer = NO_OBSERVER, migrating: bool = False, lasting: bool = False
) -> AsyncIterator[House]:
    """A database with a pool on it, ready for steps and for the service layer."""
    async with open_database(settings, migrating=migrating, lasting=lasting) as dsn:
        pool = await db.open_pool(dsn, size=settings.database_pool)
        try:
            name = await installation.installation_name(pool)
            yield House(pool, Ambient(), name, observer, settings.lease_seconds)
        finally:
            await _close(pool)


async def _close(pool: db.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), 5)
    except TimeoutError:
        pool.terminate()


def secret_box(settings: Settings) -> SecretBox:
    """The box that connection secrets are kept in."""
    return SecretBox(secret_keys(settings))


@asynccontextmanager
async def http_session() -> AsyncIterator[aiohttp.ClientSession]:
    """The session through which partners are called."""
    connector = aiohttp.TCPConnector(limit=100, keepalive_timeout=30)
    headers = {"User-Agent": f"inventory-sync/{__version__}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        yield session


@dataclass(slots=True)
class Directory:
    """Which connections notices may come in for. Replaced whole when the configuration changes."""

    doors: dict[tuple[str, str], Door] = field(default_factory=dict)
    contracts: dict[tuple[str, str], Door] = field(default_factory=dict)

    def find(self, system: str, name: str) -> Door | None:
        return self.doors.get((system, name))

    def find_by_contract(self, system: str, headers: Mapping[str, str]) -> Door | None:
        contract = headers.get(f"{system}-contract-id", "")
        return self.contracts.get((system, contract))


class Daemon:
    """The long-running service on an open house."""

    def __init__(
        self, settings: Settings, house: House, session: aiohttp.ClientSession, observer: MetricsObserver
    ) -> None:
        self.settings = settings
        self.observer = observer
        self.house = house
        self.wakes = Wakes()
        self.directory = Directory()
        self.draining = asyncio.Event()
        self._session = session
        self._registry: Registry = load()
        self._box = secret_box(settings)
        self.owner = uuid.uuid4().hex
        self._owner_key = chance.randbelow(2**62) + 1
        self._lanes: dict[int, tuple[int, LaneRunner, asyncio.Task[None]]] = {}
        self._unusable: dict[int, int] = {}
        self._failures: Counter[str] = Counter()

    async def run(self) -> None:
        """Run until `draining` is set, then let answers come in and go."""
        await installation.check(self.house)
        listener = asyncio.create_task(self._listen())
        steps = [
            ("intake", lambda: intake(self.house), ("intake",)),
            ("decide", lambda: decide(self.house), ("decide",)),
            ("housekeeping", self._keep_house, ("config",)),
            ("hooks", self._tell_hooks, ("ledger",)),
        ]
        tasks = [
            asyncio.create_task(
                turn(step, name=name, wake=self.wakes.listen(*names), now=self.house.now, resilient=True), name=name
            )
            for name, step, names in steps
        ]
        tasks.append(asyncio.create_task(self._supervise(), name="lanes"))
        drained = asyncio.create_task(self.draining.wait())
        done, _ = await asyncio.wait({listener, drained, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        await self._drain()
        for task in (listener, drained, *tasks):
            task.cancel()
        await asyncio.gather(listener, drained, *tasks, return_exceptions=True)
        for task in done - {drained}:
            task.result()

    def budgets(self) -> Mapping[str, float]:
        """What is left of the rate budget of each connection whose lane this process holds, in the partner's unit."""
        now = self.house.now()
        held = [runner.lane for _, runner, _ in self._lanes.values() if runner.lane is not None]
        return {lane.name: lane.client.budget.available(now) for lane in held}

    async def _keep_house(self) -> Any:
        kept = timedelta(days=self.settings.retention_days)
        progress = await housekeeping.keep_house(self.house, retention=kept, failures=self._failures)
        if progress.did:
            await hooks.drop_old(self.house.pool, now=self.house.now())
        return progress

    async def _listen(self) -> None:
        """Hear what other connections to the database tell, and hold the session lock that says we live."""
        while True:
            try:
                await self._listen_once()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("database.listen_lost", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        closed = asyncio.Event()
        async with self._session_of_ours() as connection:
            await connection.execute("select pg_advisory_lock($1)", self._owner_key)
            connection.add_termination_listener(lambda _: closed.set())
            await connection.add_listener(db.CHANNEL, self._heard)
            self.wakes.call_all()
            try:
                await closed.wait()
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(db.CHANNEL, self._heard)

    def _heard(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        name = str(payload)
        self.wakes.call("ledger" if name.startswith("ledger:") else name)

    @asynccontextmanager
    async def _session_of_ours(self) -> AsyncIterator[asyncpg.Connection]:
        """A session that lasts: a connection of the pool, or, where a pooler stands before it, one past the pooler."""
        url = self.settings.database_listen_url
        if url is None:
            async with self.house.pool.acquire() as held:
                yield cast(asyncpg.Connection, held)
            return
        connection = await asyncpg.connect(url.get_secret_value())
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    async def _supervise(self) -> None:
        """Keep one runner per connection that can work, and start it anew when its configuration changed."""
        wake = self.wakes.listen("config")
        while True:
            wake.clear()
            try:
                await self._look_at_connections()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("database.away", step="lanes", error=f"{type(error).__name__}: {error}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), min(CONFIG_CHECK, 2.0 if self._anything_ended() else CONFIG_CHECK))

    def _anything_ended(self) -> bool:
        return any(task.done() for _, _, task in self._lanes.values())

    async def _look_at_connections(self) -> None:
        now = self.house.now()
        records = await db.rows(self.house.pool, "connections_all")
        doors: dict[tuple[str, str], Door] = {}
        contracts: dict[tuple[str, str], Door] = {}
        for record in records:
            aside = record["state_code"] == CALIBRATING and record["state_since"] > now - LONGEST_CALIBRATION
            opened = None if aside or _not_served(record) else self._open(record)
            if opened is None:
                if record["id"] in self._lanes:
                    await self._end_lane(record["id"])
                continue
            definition, settings = opened
            if definition.make_notice_parser is not None:
                parser = definition.make_notice_parser(settings)
                callbacks = cast(CallbackParser, parser) if definition.callback_field else None
                door = Door(record["id"], record["name"], parser, definition.notice_response_empty, callbacks)
                doors[record["system"], record["name"]] = door
                if record["identity"]:
                    contracts[record["system"], record["identity"]] = door
            known = self._lanes.get(record["id"])
            if known is not None and known[0] == record["version"] and not known[2].done():
                continue
            if known is not None:
                await self._end_lane(record["id"])
            due = record["retry_at"] is not None and record["retry_at"] <= now
            changed = known is not None and known[0] != record["version"]
            if record["state"] == "linked" or due or changed:
                self._start_lane(record, definition, settings)
        self.directory.doors, self.directory.contracts = doors, contracts

    def _open(self, record: Any) -> tuple[SystemDefinition, SettingsModel] | None:
        try:
            definition = self._registry.get(record["system"])
            settings = open_settings(definition, record, self._box)
            check_upstreams(settings, allow_insecure=self.settings.allow_insecure_upstreams)
        except (SecretsError, InvalidSettings) as error:
            if self._unusable.get(record["id"]) != record["version"]:
                self._unusable[record["id"]] = record["version"]
                log.error("connection.unusable", connection=record["name"], reason=str(error))
            return None
        return definition, settings

    def _way_to(self, settings: SettingsModel, name: str) -> Transport:
        """How requests of a connection travel: over HTTP, or to our own ledger in this process."""
        ambient = self.house.ambient
        return transport_to(
            settings,
            name,
            AiohttpTransport(self._session),
            pool=self.house.pool,
            now=ambient.now,
            new_id=ambient.new_id,
        )

    async def _tell_hooks(self) -> Progress:
        """Deliver what the built-in ledgers' webhooks are behind with."""
        ambient = self.house.ambient
        sent = await hooks.deliver(
            self.house.pool, AiohttpTransport(self._session), self._box, now=ambient.now, new_id=ambient.new_id
        )
        return Progress(sent.did, sent.due)

    def _start_lane(self, record: Any, definition: SystemDefinition, settings: SettingsModel) -> None:
        def make_client() -> Client:
            context = ClientContext(
                self._way_to(settings, record["name"]),
                self.house.ambient,
                self.house.installation,
                calibration=record["calibration"],
                callback_url=callback_address(self.settings.public_url, definition, record["name"], settings),
            )
            return definition.make_client(settings, context)

        url = None
        if self.settings.public_url is not None and definition.make_notice_parser is not None:
            base = self.settings.public_url.rstrip("/")
            url = f"{base}/webhooks/{record['system']}/{record['name']}"
        language = self.settings.language
        files = sources.steps_of(self.house, record["id"], record["name"], settings, language)
        spec = LaneSpec(record["id"], record["name"], make_client, url, record["lane_seen_at"], tuple(files))
        runner = LaneRunner(self.house, spec, self.wakes, owner=self.owner, owner_key=self._owner_key)
        task = asyncio.create_task(runner.run(), name=f"lane.{record['name']}")
        self._lanes[record["id"]] = (record["version"], runner, task)

    async def _end_lane(self, connection_id: int) -> None:
        _, runner, task = self._lanes.pop(connection_id)
        runner.draining.set()
        done, _ = await asyncio.wait({task}, timeout=self.settings.drain_seconds)
        if not done:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _drain(self) -> None:
        """Compose nothing more, wait for answers under way, let go of the lanes."""
        for _, runner, _ in self._lanes.values():
            runner.draining.set()
        tasks = {task for _, _, task in self._lanes.values()}
        if tasks:
            await asyncio.wait(tasks, timeout=self.settings.drain_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _not_served(record: Any) -> bool:
    """Whether a connection is left alone: it was taken away, unlinked, or never linked yet."""
    return record["state_code"] == REMOVED or record["state"] == "unlinked" or record["identity"] is None


@asynccontextmanager
async def _web(settings: Settings, house: House, daemon: Daemon, metrics: Metrics) -> AsyncIterator[None]:
    """The public and the admin port, open while this holds. The public one closes first and keeps what it answered."""
    collector = NoticeCollector(house)
    await collector.start()
    readiness = Readiness(house.pool, draining=daemon.draining.is_set)
    page = MetricsPage(house, metrics, daemon.observer, owner=daemon.owner, budgets=daemon.budgets)
    token = settings.admin_token.get_secret_value() if settings.admin_token is not None else None
    public = Listener(
        public_app(house, collector, daemon.directory, readiness, listener=metrics.notice),
        settings.http_host,
        settings.http_port,
    )
    admin = Listener(admin_app(house, page, token=token), settings.admin_host, settings.admin_port)
    try:
        try:
            public_port = await public.start()
            admin_port = await admin.start()
        except OSError as error:
            raise CannotStart(
                f"A port is taken or not allowed: {error.strerror or error}. Choose others with "
                "INVENTORY_SYNC_HTTP_PORT and INVENTORY_SYNC_ADMIN_PORT."
            ) from error
        log.info("service.listening", public=public_port, admin=admin_port)
        yield
    finally:
        await public.stop()
        await collector.stop()
        await admin.stop()


async def run_daemon(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics = Metrics(__version__)
    observer = MetricsObserver(metrics)
    async with open_house(settings, observer=observer, lasting=True) as house, http_session() as session:
        daemon = Daemon(settings, house, session, observer)
        async with _web(settings, house, daemon, metrics):
            log.info("service.started", version=__version__, installation=house.installation)
            running = asyncio.create_task(daemon.run())
            waiting = asyncio.create_task(stop.wait())
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            daemon.draining.set()
            waiting.cancel()
            await running
    log.info("service.stopped")
    return 0
