"""Two invented systems with scripted partners, and what tests of the configuration ask of them and of the database."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from inventory_sync.config import ConfigDocument, load_document
from inventory_sync.engine import catalogue
from inventory_sync.engine.apply import apply
from inventory_sync.engine.apply_report import ApplyFailed, ApplyReport
from inventory_sync.engine.lane import House, Lane
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.engine.stored import unseal
from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.secrets import SecretBox
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, BrokenKind
from inventory_sync.systems.port import (
    Capabilities,
    CatalogueItem,
    CataloguePage,
    ClientContext,
    EvidenceKind,
    PartnerLocation,
    Role,
    SettingsModel,
    SystemDefinition,
    Verified,
)

KEY = "a key that is only for tests and long enough"
BOX = SecretBox([KEY])
TILL_SECRET = "till-secret-0123456789"
SHOP_SECRET = "stall-secret-0123456789"
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class DemoSettings(SettingsModel):
    account: str
    secret: SecretStr
    spare: SecretStr | None = None
    colour: str = "blue"
    base_url: str | None = None


@dataclass
class Partner:
    """One scripted account: who it is, what opens it, what it has, and how often it was asked."""

    identity: str
    secret: str
    places: list[PartnerLocation]
    codes: list[str] = field(default_factory=lambda: ["A-1", "A-2"])
    calls: int = 0
    on_verify: Any = None

    def place(self, key: str, name: str, **extra: Any) -> None:
        self.places.append(PartnerLocation(LocationKey(key), name, active=True, **extra))


PARTNERS: dict[str, Partner] = {}
"""Accounts by the name that settings give them."""


class _Plenty:
    def wait(self, kind: str, now: datetime) -> float:
        return 0.0

    def available(self, now: datetime) -> float:
        return 1.0


class ScriptedClient:
    """The few methods of a client that configuring and importing need."""

    def __init__(self, settings: DemoSettings, capabilities: Capabilities, field_name: str) -> None:
        self._settings = settings
        self._field = field_name
        self.capabilities = capabilities
        self.budget = _Plenty()

    @property
    def _partner(self) -> Partner:
        partner = PARTNERS[self._settings.account]
        partner.calls += 1
        if self._settings.secret.get_secret_value() != partner.secret:
            raise Broken(
                "The partner refused the credential.",
                kind=BrokenKind.CREDENTIAL,
                remedy="Copy the secret from the partner's console again.",
                code="IS-DMO-001",
            )
        return partner

    async def verify(self) -> Verified:
        partner = self._partner
        if partner.on_verify is not None:
            await partner.on_verify()
        return Verified(partner.identity, f"Shop {partner.identity}")

    async def locations(self) -> Sequence[PartnerLocation]:
        return tuple(self._partner.places)

    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        items = tuple(
            CatalogueItem(
                ItemKey(f"{self._field}:{code}"), {self._field: code, "other": f"x{code}"}, f"Item {code}", True
            )
            for code in self._partner.codes
        )
        return CataloguePage(items, None)


def _system(name: str, roles: set[Role], field_name: str) -> SystemDefinition:
    capabilities = Capabilities(
        roles=frozenset(roles),
        match_fields=(field_name, "other"),
        read_batch=10,
        write_batch=10,
        concurrent_writes=1,
        read_lag=timedelta(seconds=3),
        late_effect=timedelta(seconds=60),
        request_timeout=timedelta(seconds=10),
        evidence=EvidenceKind.NONE,
        bases=frozenset({"stock", "stock_minus_layaway", "on_hand"}),
        shows_committed=True,
    )

    def make_client(settings: DemoSettings, context: ClientContext) -> Any:
        return ScriptedClient(settings, capabilities, field_name)

    return SystemDefinition(
        name, name.title(), name, capabilities, DemoSettings, make_client, None, credential_fields=("secret",)
    )


TILL = _system("till", {Role.LEDGER, Role.CHANNEL}, "product_code")
STALL = _system("stall", {Role.CHANNEL, Role.LEDGER}, "sku")
SYSTEMS = {"till": TILL, "stall": STALL}

PARTNERS_OWN = ("IS-DMO-", "IS-MKS-", "IS-MKC-", "IS-GEN-", "IS-CON-002")
"""Codes whose Japanese is told by the code alone: those of systems, and that of a credential of another shop."""

CONNECTIONS = f"""\
connections:
  pos:
    system: till
    account: pos-account
    secret: {TILL_SECRET}
  shop:
    system: stall
    account: shop-account
    secret: {SHOP_SECRET}
"""
ROUTE = """\
routes:
  pos-shop:
    ledger: pos
    channel: shop
    locations:
      - {ledger: "1", channel: "L1"}
"""
STOPPED = CONNECTIONS + ROUTE
RUNNING = STOPPED + "    state: running\n"


def reset_partners() -> None:
    """The two accounts as every test finds them: two locations at the till, three at the stall."""
    PARTNERS.clear()
    PARTNERS["pos-account"] = Partner("till-7", TILL_SECRET, [])
    PARTNERS["shop-account"] = Partner("stall-9", SHOP_SECRET, [])
    for key, name in (("1", "Ginza"), ("2", "Osaka")):
        PARTNERS["pos-account"].place(key, name)
    for key, name in (("L1", "Online"), ("L2", "Depot"), ("L3", "Fair")):
        PARTNERS["shop-account"].place(key, name)


class Desk:
    """A person with a configuration file, and the daemon's steps when they are needed."""

    def __init__(self, pool: db.Pool, systems: Mapping[str, SystemDefinition] = SYSTEMS) -> None:
        self.systems = systems
        seconds = itertools.count()
        ids = itertools.count(1)
        ambient = Ambient(
            now=lambda: START + timedelta(seconds=next(seconds)), new_id=lambda: f"{next(ids):012x}" + "0" * 20
        )
        self.house = House(pool, ambient, "testhouse")
        self.pool = pool

    def client(self, name: str, definition: SystemDefinition, settings: SettingsModel) -> Any:
        return definition.make_client(settings, None)  # type: ignore[arg-type]

    async def read(self, text: str) -> ConfigDocument:
        secrets = {r["name"]: unseal(BOX, r["name"], r["secrets"]) for r in await db.rows(self.pool, "connections_all")}
        return load_document(
            text,
            {},
            self.systems,
            stored_secrets=lambda name: secrets.get(name, {}),
            known_connections={r["name"]: r["system"] for r in await db.rows(self.pool, "connections_all")},
        )

    async def apply(self, text: str | ConfigDocument, **options: Any) -> ApplyReport:
        document = await self.read(text) if isinstance(text, str) else text
        return await apply(
            self.house, document, systems=self.systems, make_client=self.client, box=BOX, actor="tester", **options
        )

    async def refusal(self, text: str | ConfigDocument, **options: Any) -> RefusedByRule:
        """The rule that refuses a file, which must have changed nothing."""
        before = await self.dump()
        with pytest.raises(RefusedByRule) as caught:
            await self.apply(text, **options)
        assert await self.dump() == before
        return caught.value

    async def failure(self, text: str | ConfigDocument) -> ApplyFailed:
        """Why a file fails, which must have changed nothing."""
        before = await self.dump()
        with pytest.raises(ApplyFailed) as caught:
            await self.apply(text)
        assert await self.dump() == before
        for problem in caught.value.problems:
            assert problem.subject_ja.startswith(("接続 ", "ルート ")), problem
            assert not problem.message_ja or not problem.message_ja.isascii(), problem
            assert bool(problem.message_ja) or problem.code.startswith(PARTNERS_OWN), problem
        return caught.value

    async def import_catalogues(self) -> None:
        """What the daemon's lanes do after an apply: import both catalogues, which matches the routes."""
        for record in await db.rows(self.pool, "connections_all"):
            settings = DemoSettings(
                **record["settings"],
                **unseal(BOX, record["name"], record["secrets"]),  # type: ignore[arg-type]
            )
            client = self.client(record["name"], SYSTEMS[record["system"]], settings)
            lane = Lane(record["id"], record["name"], client, 1)
            while (await catalogue.import_page(self.house, lane)).did:
                pass

    async def read_cells(self, quantity: int = 5) -> None:
        """Every cell is read: the ledger holds `quantity`, the channel one less."""
        await self.pool.execute(
            "update cells c set condition = 'active', dirty_since = null, marked_at = null, read_due = null, "
            "known = case when n.name = 'pos' then $1::int else $1::int - 1 end "
            "from connections n where n.id = c.connection_id and c.condition = 'unread'",
            quantity,
        )

    async def prepare(self, text: str = RUNNING) -> None:
        """Applied, imported, matched and read: only a person's look is missing."""
        await self.apply(text)
        await self.import_catalogues()
        await self.read_cells()

    async def route(self, name: str = "pos-shop") -> db.Record:
        found = await self.pool.fetchrow("select * from routes where name = $1", name)
        assert found is not None
        return found

    async def dump(self) -> dict[str, list[str]]:
        """Every row of every table as text."""
        tables = await self.pool.fetch(
            "select table_name as name from information_schema.tables where table_schema = 'public' order by 1"
        )
        return {
            table["name"]: sorted(
                [r["line"] for r in await self.pool.fetch(f'select t::text as line from "{table["name"]}" t')]  # noqa: S608
            )
            for table in tables
        }


def second_till(account: str = "other-account", identity: str = "till-8") -> None:
    """Another account of the till's system."""
    PARTNERS[account] = replace(PARTNERS["pos-account"], identity=identity, calls=0)
