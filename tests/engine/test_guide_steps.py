"""The steps of a guide follow what really happens at the partner: real systems, each against its simulator's core."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from inventory_sync.config import load_document
from inventory_sync.engine import connections_care as care
from inventory_sync.engine.apply import apply
from inventory_sync.engine.apply_report import ApplyFailed
from inventory_sync.engine.connections import mark_broken
from inventory_sync.engine.connections_care import Desk as CareDesk
from inventory_sync.engine.lane import House
from inventory_sync.engine.setup.steps import guide
from inventory_sync.model.ambient import Ambient
from inventory_sync.sandbox.kernel import Request
from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator
from inventory_sync.sandbox.shopify import ShopifySimulator
from inventory_sync.sandbox.smaregi import SmaregiSimulator
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, BrokenKind, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.port import ClientContext
from inventory_sync.systems.registry import load
from tests.engine.apply_support import BOX, START

SYSTEMS = {definition.name: definition for definition in load()}
FOUR = ("read_products", "read_inventory", "write_inventory", "read_locations")
TOKEN, API_SECRET = "shpat_an_older_token", "shpss_sandbox_secret"


class Core:
    """`Transport` straight into a simulator's core, at the office's time."""

    def __init__(self, office: Office, simulator: Any) -> None:
        self._office, self._simulator = office, simulator

    async def send(self, request: HttpRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()} | {"host": parts.netloc}
        asked = Request(request.method, parts.path, parts.query, headers, request.body)
        self._office.asked.append(asked)
        answer = self._simulator.handle(asked, self._office.now)
        return HttpResponse(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.body)


class Office:
    """A house with a clock of its own, and one simulated partner."""

    def __init__(self, pool: db.Pool, simulator: Any) -> None:
        self.now = START
        self.asked: list[Request] = []
        numbers = iter(range(1, 10_000))
        ambient = Ambient(now=lambda: self.now, new_id=lambda: f"{next(numbers):012x}" + "0" * 20)
        self.house = House(pool, ambient, "testhouse")
        self.pool, self.simulator = pool, simulator

    def client(self, name: str, definition: Any, settings: Any) -> Any:
        context = ClientContext(Core(self, self.simulator), self.house.ambient, "testhouse", budget_full=True)
        return Patient(self, definition.make_client(settings, context))

    @property
    def desk(self) -> CareDesk:
        return CareDesk(SYSTEMS, self.client, BOX, "tester")

    async def apply(self, system: str, **settings: str) -> None:
        lines = "".join(f'    {key}: "{value}"\n' for key, value in settings.items())
        document = load_document(f"connections:\n  it:\n    system: {system}\n{lines}", {}, SYSTEMS)
        await apply(self.house, document, systems=SYSTEMS, make_client=self.client, box=BOX, actor="tester")

    async def refused(self, work: Any) -> None:
        """Somebody tries something that the partner refuses; what broke is noted as the lane does."""
        with pytest.raises((Broken, ApplyFailed)) as caught:
            await work
        if isinstance(caught.value, ApplyFailed):
            [problem] = caught.value.problems
            await self.pool.execute(
                "update connections set state_code = $1, state_reason = $2 where name = 'it'",
                problem.code,
                problem.message,
            )

    async def states(self, system: str, *, public_url: str | None = "https://sync.example.jp") -> Mapping[str, str]:
        views = await guide(self.house, SYSTEMS[system], connection="it", public_url=public_url, box=BOX)
        return {view.step.key: view.state.value for view in views if view.state is not None}

    async def of(self, system: str, *keys: str) -> list[str]:
        found = await self.states(system)
        return [found[key] for key in keys]

    async def number(self) -> int:
        found: int = await self.pool.fetchval("select id from connections where name = 'it'")
        return found


class Patient:
    """Asks again when the pace asks for it, while time passes."""

    def __init__(self, office: Office, inner: Any) -> None:
        self._office, self._inner = office, inner

    async def verify(self) -> Any:
        return await self._ask(self._inner.verify)

    async def locations(self) -> Any:
        return await self._ask(self._inner.locations)

    async def _ask(self, question: Callable[[], Any]) -> Any:
        for _ in range(50):
            try:
                return await question()
            except RetryLater as error:
                self._office.now += timedelta(seconds=max(0.05, error.after))
        raise AssertionError("never answered")


def a_shop(**given: Any) -> ShopifySimulator:
    return ShopifySimulator(domain="demo-jp.myshopify.com", locations=("Tokyo", "Osaka"), **given)


async def shopify_office(pool: db.Pool, **given: Any) -> Office:
    office = Office(pool, a_shop(**given))
    await care.add(office.house, "it", SYSTEMS["shopify"], actor="tester")
    return office


APP = {"shop": "demo-jp", "client_id": "sandbox-client", "client_secret": "shpss_sandbox_secret"}
CUSTOM = {"shop": "demo-jp", "access_token": TOKEN, "api_secret": API_SECRET}


@pytest.mark.row("S1-42", "S1-43", "S1-47", "S1-50", "S1-51")
async def test_the_step_of_the_older_app_is_done_once_the_shop_accepts_it(pool: db.Pool) -> None:
    office = await shopify_office(pool, static_token=TOKEN)
    assert await office.of("shopify", "custom_app", "custom_token", "shop") == ["not_ready"] * 3
    await office.apply("shopify", **CUSTOM)
    assert await office.of("shopify", "custom_app", "custom_token", "shop") == ["done"] * 3
    assert "create_app" not in await office.states("shopify"), "the other way is not shown"


@pytest.mark.row("S1-54", "S1-57")
async def test_the_scopes_step_is_done_once_all_four_are_granted_and_open_again_when_one_is_taken_away(
    pool: db.Pool,
) -> None:
    office = await shopify_office(pool, static_token=TOKEN, scopes=FOUR[:3])
    await office.refused(office.apply("shopify", **CUSTOM))
    assert await office.of("shopify", "custom_scopes") == ["not_ready"]
    office.simulator.grant_scopes(FOUR, office.now)
    await office.apply("shopify", **CUSTOM)
    assert await office.of("shopify", "custom_scopes", "custom_install") == ["done", "done"]
    office.simulator.grant_scopes(FOUR[:3], office.now)
    await office.refused(care.verify(office.house, "it", office.desk))
    assert await office.of("shopify", "custom_scopes", "custom_install") == ["not_ready", "done"]


@pytest.mark.row("S1-58", "S1-59", "S1-60")
async def test_the_install_step_and_the_token_that_is_shown_once_open_again_when_the_token_dies(pool: db.Pool) -> None:
    office = await shopify_office(pool, static_token=TOKEN)
    await office.apply("shopify", **CUSTOM)
    assert await office.of("shopify", "custom_install", "custom_token") == ["done", "done"]
    office.simulator.access.static_token = "shpat_made_by_a_new_install"
    await office.refused(care.verify(office.house, "it", office.desk))
    assert await office.of("shopify", "custom_install", "custom_token") == ["not_ready", "not_ready"]
    await care.renew(office.house, "it", {"access_token": "shpat_made_by_a_new_install"}, office.desk)
    assert await office.of("shopify", "custom_install", "custom_token") == ["done", "done"]
    shown = care.shown(await care.connection_named(pool, "it"), SYSTEMS["shopify"], BOX)
    assert "shpat_" not in repr(shown)


async def test_an_app_of_the_dev_dashboard_is_followed_from_its_values_to_the_webhooks(pool: db.Pool) -> None:
    office = await shopify_office(pool)
    await office.apply("shopify", **APP)
    keys = ("create_app", "scopes", "install", "credentials", "locations")
    assert await office.of("shopify", *keys) == ["done"] * 5
    assert await office.of("shopify", "notices", "catalogue") == ["not_ready", "not_ready"]
    assert (await office.states("shopify", public_url=None))["notices"] == "not_checkable"
    await pool.execute("update connections set heard_at = $1, catalogue_import = 1", office.now)
    assert await office.of("shopify", "notices", "catalogue") == ["done", "done"]
    office.simulator.uninstall(office.now)
    await office.refused(care.verify(office.house, "it", office.desk))
    assert await office.of("shopify", "create_app", "install", "catalogue") == ["done", "not_ready", "done"]
    code = (await care.connection_named(pool, "it"))["state_code"]
    removed = Broken("The app was removed.", kind=BrokenKind.UNINSTALLED, remedy="Install it again.", code=code)
    await mark_broken(office.house, await office.number(), "it", removed)
    assert await office.of("shopify", "create_app", "install", "catalogue") == ["done", "not_ready", "not_ready"]


@pytest.mark.row("S0-55")
async def test_a_shop_grants_four_scopes_and_nothing_of_orders_or_customers_is_asked_or_listed(pool: db.Pool) -> None:
    office = await shopify_office(pool)
    await office.apply("shopify", **APP)
    shown = care.shown(await care.connection_named(pool, "it"), SYSTEMS["shopify"], BOX)
    assert set(shown["granted"]) <= set(FOUR)
    assert shown["granted"]
    assert shown["reads"]["en"]
    for word in ("order", "customer", "address", "mail"):
        assert word not in " ".join(shown["reads"]["en"]).lower()
        assert all(word not in request.body.decode().lower() for request in office.asked if b"query" in request.body)


@pytest.mark.row("S1-49")
async def test_a_shop_is_kept_by_its_canonical_name_and_only_under_the_credential_of_that_very_shop(
    pool: db.Pool,
) -> None:
    office = await shopify_office(pool)
    await office.apply("shopify", **APP | {"shop": "https://admin.shopify.com/store/demo-jp/products"})
    shown = care.shown(await care.connection_named(pool, "it"), SYSTEMS["shopify"], BOX)
    assert shown["settings"]["shop"] == "demo-jp.myshopify.com"
    office.simulator = ShopifySimulator(domain="other-jp.myshopify.com")
    before = shown["settings"]
    with pytest.raises((Broken, ApplyFailed)):
        await care.renew(office.house, "it", {"client_secret": "shpss_sandbox_secret"}, office.desk)
    assert care.shown(await care.connection_named(pool, "it"), SYSTEMS["shopify"], BOX)["settings"] == before


async def test_a_smaregi_contract_waits_for_the_approval_of_a_scope_and_is_done_when_it_comes(pool: db.Pool) -> None:
    simulator = SmaregiSimulator(contract="sb_test1", chance=random.Random(1))
    simulator.seed_catalogue(1, START, stores=("1",), codes=["A-1"], initial=lambda number, store: 1)
    office = Office(pool, simulator)
    await care.add(office.house, "it", SYSTEMS["smaregi"], actor="tester")
    given = {
        "contract_id": "sb_test1",
        "client_id": "sim-client",
        "client_secret": "sim-secret",
        "base_url": "https://api.smaregi.dev",
        "token_url": "https://id.smaregi.dev",
    }
    simulator.remove_scope("pos.stock:write")
    await office.refused(office.apply("smaregi", **given))
    assert await office.of("smaregi", "app", "scopes", "contract") == ["not_ready"] * 3
    simulator.approve_scope("pos.stock:write")
    await office.apply("smaregi", **given)
    keys = ("app", "scopes", "history", "contract", "credentials", "stores")
    assert await office.of("smaregi", *keys) == ["done"] * 6
    assert await office.of("smaregi", "webhook_secret", "webhook") == ["not_ready", "not_ready"]
    error = Broken("scope", kind=BrokenKind.SCOPE, remedy="-", code="IS-SMR-003")
    await mark_broken(office.house, await office.number(), "it", error)
    assert await office.of("smaregi", "app", "scopes") == ["done", "not_ready"]


CLASSIC = {
    "api": "classic",
    "shop_id": "cart-shop",
    "order_auth_code": "order-code-0001",
    "product_auth_code": "product-code-0001",
    "admin_password": "secret-12345",
}


def a_classic_shop() -> ClassicMakeShopSimulator:
    return ClassicMakeShopSimulator(
        shop="cart-shop",
        order_code=CLASSIC["order_auth_code"],
        product_code=CLASSIC["product_auth_code"],
        admin="cart-shop",
        password=CLASSIC["admin_password"],
    )


@pytest.mark.row("S0-23", "S0-24", "S0-25")
async def test_the_steps_of_the_classic_codes_follow_what_is_given_and_what_the_shop_accepts(pool: db.Pool) -> None:
    office = Office(pool, a_classic_shop())
    await care.add(office.house, "it", SYSTEMS["makeshop"], actor="tester")
    assert await office.of("makeshop", "product_code", "shop_id", "apply_codes") == ["not_ready"] * 3
    await office.apply("makeshop", **CLASSIC)
    keys = ("product_code", "order_code", "shop_id", "administrator", "apply_codes")
    assert await office.of("makeshop", *keys) == ["done"] * 5
    assert await office.of("makeshop", "catalogue") == ["not_ready"]


@pytest.mark.row("S0-27", "S0-28")
async def test_linking_a_shop_verifies_saves_and_asks_for_its_first_import_all_or_nothing(pool: db.Pool) -> None:
    from inventory_sync.sandbox.makeshop import MakeShopSimulator

    simulator = MakeShopSimulator(shop="cart-shop", token="PAT.cart", api_key="cart-key")
    office = Office(pool, simulator)
    given = {"access_token": "PAT.cart", "api_key": "cart-key"}
    with pytest.raises(ApplyFailed):
        await office.apply("makeshop", **given | {"access_token": "PAT.other"})
    assert await pool.fetchval("select count(*) from connections") == 0
    assert await pool.fetchval("select count(*) from runs") == 0
    await office.apply("makeshop", **given)
    row = await pool.fetchrow(
        "select n.state, u.kind, u.state as run from connections n join runs u on u.connection_id = n.id"
    )
    assert tuple(row) == ("linked", "import", "running")
    assert await office.of("makeshop", "credentials", "operations", "apply", "calibrate") == [
        "done",
        "done",
        "done",
        "not_ready",
    ]
