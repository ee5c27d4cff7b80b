"""The partners of a world: each a simulator's core with what the daemon knows of it, and what its chance decided."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from inventory_sync.sandbox.faults import FaultPlan, NoticePlan
from inventory_sync.sandbox.makeshop import MakeShopSimulator, MakeShopSwitches, WebhookSettings
from inventory_sync.sandbox.shopify import ShopifySimulator, ShopifySwitches
from inventory_sync.sandbox.smaregi import SmaregiSimulator, SmaregiSwitches
from inventory_sync.systems.makeshop import definition as MAKESHOP
from inventory_sync.systems.makeshop.notices import MakeShopNoticeParser
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.port import NoticeParser, SystemDefinition
from inventory_sync.systems.shopify import definition as SHOPIFY
from inventory_sync.systems.smaregi import definition as SMAREGI
from tests.simulation.kinds import Options
from tests.simulation.net import Wire

NOTICE_SECRET = "a-secret-of-sixteen-or-more"
CONTRACT = "sb_abc123d4"


@dataclass(slots=True)
class Partner:
    """A simulated partner, what the daemon knows of it, and the faults on the way to and from it.

    `level` is what the partner itself holds of an item at a location; `item_key` names its items as the daemon does.
    """

    name: str
    simulator: Any
    definition: SystemDefinition
    settings: Any
    parser: NoticeParser | None
    faults: FaultPlan
    notices: NoticePlan
    level: Callable[[str, str], int] = lambda item, place: 0
    calibration: Mapping[str, str] = field(default_factory=dict)
    item_key: Callable[[str], str] = str
    listens: str | None = None
    connection_id: int = 0
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.simulator, self.faults, lambda: None)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What partners are made with: the story's chance and clock. Every partner draws its own chance from it."""

    chance: random.Random
    now: Callable[[], datetime]
    options: Options

    def partner(self, name: str, simulator: Any, definition: SystemDefinition, settings: Any, **more: Any) -> Partner:
        """A partner with a plan of its own for what befalls its requests and notices."""
        if "parser" not in more:
            assert definition.make_notice_parser is not None
            more["parser"] = definition.make_notice_parser(settings)
        faults = FaultPlan(random.Random(self.chance.random()))
        notices = NoticePlan(chance=random.Random(self.chance.random()))
        return Partner(name, simulator, definition, settings, faults=faults, notices=notices, **more)

    def smaregi(self) -> Partner:
        """The contract that keeps the stock."""
        chance, (reads, writes) = self.chance, self.options.limits
        simulator = SmaregiSimulator(
            contract=CONTRACT,
            switches=SmaregiSwitches(
                reads_per_second=reads,
                writes_per_second=writes,
                stock_lag=chance.choice((0.0, 0.0, 0.8, 2.0)),
                memo_lag=chance.choice((0.0, 0.0, 1.5)),
            ),
            chance=random.Random(chance.random()),
            notice_delay=lambda rng: rng.uniform(0.05, 1.0),
        )
        simulator.configure_webhook(
            "https://sync.example.jp/webhooks/smaregi/pos", header="X-Inventory-Sync-Secret", secret=NOTICE_SECRET
        )
        settings = SMAREGI.settings(
            contract_id=CONTRACT,
            client_id="sim-client",
            client_secret="sim-secret",
            webhook_secret=NOTICE_SECRET,
            base_url="https://api.smaregi.dev",
            token_url="https://id.smaregi.dev",
            reads_per_second=reads,
            writes_per_second=writes,
            request_timeout_seconds=5,
        )
        return self.partner(
            "pos", simulator, SMAREGI, settings, level=lambda item, place: simulator.stock(item, place) or 0
        )

    def shopify(self, name: str) -> Partner:
        """A shop with two locations."""
        chance = self.chance
        domain = f"{name}-jp.myshopify.com"
        simulator = ShopifySimulator(
            domain=domain,
            client_secret=f"shpss_{name}_secret",
            locations=("Tokyo", "Osaka"),
            switches=ShopifySwitches(
                read_lag=chance.choice((0.0, 0.0, 1.0, 2.0)),
                webhook_delay=chance.choice((0.0, 0.3)),
                bucket_size=400.0,
                restore_rate=40.0,
            ),
        )
        settings = SHOPIFY.settings(
            shop=domain, client_id="sandbox-client", client_secret=f"shpss_{name}_secret", request_timeout_seconds=5
        )
        return self.partner(
            name,
            simulator,
            SHOPIFY,
            settings,
            level=lambda item, place: int(simulator.available(item, place)),
            listens=f"https://sync.example.jp/webhooks/shopify/{name}",
        )

    def makeshop(self, *, relative: bool) -> Partner:
        """A shop with one number per item, over the GraphQL API; `relative`: as a calibration found it."""
        chance = self.chance
        absolute_type = chance.choice((0, 1))
        holds = chance.random() < 0.75
        simulator = WatchedMakeShop(
            switches=MakeShopSwitches(
                calculation="absolute_first" if absolute_type == 0 else "relative_first",
                stock_lag=chance.choice((0.0, 0.0, 1.0, 2.0)),
                order_lag=chance.choice((0.0, 0.0, 2.0, 5.0)),
                provisional_holds=holds,
                provisional_code="9998",
                below_zero=chance.choice(("cut_off", "negative")),
                fail_result=chance.choice(("failed_only", "all_rows", "null_when_good")),
                update_body=chance.choice(("list", "single", "bare")),
            ),
        )
        simulator.configure_webhooks(WebhookSettings.told_apart("https://sync.example.jp/webhooks/makeshop/cart/t"))
        settings = MakeShopSettings(
            access_token=simulator.token,
            api_key=simulator.api_key,
            webhook_secret=simulator.secret,
            quantity_calculation={"absolute": absolute_type},
            provisional_counts=holds,
            provisional_payment_codes=("9998",),
            request_timeout_seconds=5,
        )
        numbers = random.Random(chance.random())
        found = {"absolute_type": str(absolute_type), "relative_type": str(1 - absolute_type)}
        return self.partner(
            "cart",
            simulator,
            MAKESHOP,
            settings,
            parser=MakeShopNoticeParser(settings, self.now, lambda: f"{numbers.getrandbits(128):032x}"),
            level=lambda item, place: simulator.stock(item) or 0,
            calibration=found if relative else {},
            item_key=_makeshop_key,
        )


def _makeshop_key(item: str) -> str:
    product, slash, variation = item.partition("/")
    return f"V:{product}:{variation}" if slash else f"P:{product}"


@dataclass(frozen=True, slots=True)
class Landing:
    """A number that a request of ours wrote. `index`: how many changes stood in the log before it."""

    at: datetime
    index: int
    item: str


@dataclass(frozen=True, slots=True)
class Look:
    """A reading of stock by us, as it was carried out."""

    at: datetime
    index: int


class WatchedMakeShop(MakeShopSimulator):
    """A shop that also keeps when its stock was read, and when each number of ours landed, equal ones too."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.landings: list[Landing] = []
        self.looks: list[Look] = []

    def put(self, item: str, number: int | None, occasion: Any) -> int:
        if occasion.by_client:
            self.landings.append(Landing(occasion.at, len(self.log.changes), item))
        return super().put(item, number, occasion)

    def run_root(self, name: str, asked: Any, call: Any) -> Any:
        if name == "searchProductQuantity":
            self.looks.append(Look(call.now, len(self.log.changes)))
        return super().run_root(name, asked, call)
