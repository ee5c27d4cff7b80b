"""The partners of a world: each a simulator's core with what the daemon knows of it, and what its chance decided."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.sandbox.faults import FaultPlan, NoticePlan
from inventory_sync.sandbox.makeshop import MakeShopSwitches, WebhookSettings
from inventory_sync.sandbox.makeshop_classic import ClassicSwitches
from inventory_sync.sandbox.shopify import ShopifySimulator, ShopifySwitches
from inventory_sync.sandbox.smaregi import SmaregiSimulator, SmaregiSwitches
from inventory_sync.store.db import Pool
from inventory_sync.systems.builtin import definition as BUILTIN
from inventory_sync.systems.makeshop import definition as MAKESHOP
from inventory_sync.systems.makeshop.classic import (
    NOTICE_TEMPLATE,
    ClassicNoticeParser,
    effective_capabilities,
    make_classic_client,
)
from inventory_sync.systems.makeshop.classic.switches import ClassicSwitches as Reading
from inventory_sync.systems.makeshop.notices import MakeShopNoticeParser
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.port import NoticeParser, SystemDefinition
from inventory_sync.systems.shopify import definition as SHOPIFY
from inventory_sync.systems.smaregi import definition as SMAREGI
from tests.simulation import kinds
from tests.simulation.bulk import bulk_calls
from tests.simulation.kinds import Options
from tests.simulation.net import Wire
from tests.simulation.warehouse import ELSEWHERE, Warehouse
from tests.simulation.watched import WatchedClassic, WatchedMakeShop, item_key

NOTICE_SECRET = "a-secret-of-sixteen-or-more"
CONTRACT = "sb_abc123d4"
PASSWORD = "secret-12345"
NOTIFY = "an-address-that-nobody-can-guess"


@dataclass(slots=True)
class Partner:
    """A simulated partner, what the daemon knows of it, and the faults on the way to and from it.

    `level` is what the partner itself holds of an item at a location; `item_key` names its items as the daemon does;
    `kept` are those of its settings that the database has to know.
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
    kept: Mapping[str, str] = field(default_factory=dict)
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

    def all_of(self, kind: str, pool: Pool) -> dict[str, Partner]:
        """The partners of a world by their names, the ledger first."""
        made = [self.builtin(pool, below_zero=kind == kinds.EXPECT) if kind in kinds.BOOKS else self.smaregi()]
        made.append(self.shopify("shop"))
        if kind == kinds.CLASSIC:
            made.append(self.classic())
        elif kind in kinds.MAKESHOP:
            made.append(self.makeshop(relative=kind == kinds.RELATIVE))
        else:
            made.append(self.shopify("mall"))
        return {partner.name: partner for partner in made}

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
            **(bulk_calls(simulator, random.Random(chance.random())) if self.options.bulk else {}),
        )
        return self.partner(
            "pos", simulator, SMAREGI, settings, level=lambda item, place: simulator.stock(item, place) or 0
        )

    def builtin(self, pool: Pool, *, below_zero: bool) -> Partner:
        """The built-in ledger instead, of this installation or of another one. `below_zero`: its stock may go there."""
        elsewhere = self.chance.random() < 0.5
        book = "another" if elsewhere else "pos"
        chance = random.Random(self.chance.random())
        warehouse = Warehouse(pool, book, chance, elsewhere=elsewhere, below_zero=below_zero)
        kept = {"base_url": ELSEWHERE} if elsewhere else {}
        settings = BUILTIN.settings(**kept, **({"api_key": "made-when-it-opens"} if elsewhere else {}))
        return self.partner("pos", warehouse, BUILTIN, settings, parser=None, level=warehouse.stock, kept=kept)

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
            item_key=item_key,
        )

    def classic(self) -> Partner:
        """The same shop over the older API: lists of orders that may end in the past, uploads that may take their time,
        answers that say more or less, files in either encoding."""
        chance = self.chance
        holds = chance.random() < 0.75
        encoding = chance.choice(("shift_jis", "utf-8"))
        simulator = WatchedClassic(
            switches=MakeShopSwitches(provisional_holds=holds),
            classic=ClassicSwitches(
                order_window=chance.choice(("both", "start", "neither")),
                xml_encoding=chance.choice(("utf-8", "euc-jp")),
                lines_under=chance.choice(("orderdetail", "delivery")),
                access_uses=chance.choice((0, 0, 1)),
                numbers_as_text=chance.random() < 0.5,
                upload_report=chance.choice(("codes", "rows", "silent")),
                first_row=chance.choice(("header", "data")),
                upload_lag=chance.choice((0.0, 0.0, 2.0, 6.0)),
                notice_fields=chance.random() < 0.5,
            ),
            password=PASSWORD,
        )
        simulator.enter_notice_url(f"https://sync.example.jp/webhooks/makeshop/cart/{NOTIFY}{NOTICE_TEMPLATE}")
        settings = MakeShopSettings(
            api="classic",
            shop_id=simulator.shop,
            order_auth_code=simulator.credentials.order_code,
            product_auth_code=simulator.credentials.product_code,
            admin_id=simulator.credentials.main,
            admin_password=PASSWORD,
            notify_token=NOTIFY,
            csv_encoding=encoding,
            provisional_counts=holds,
            request_timeout_seconds=5,
        )
        reading = Reading(order_end_lag=timedelta(seconds=chance.choice((0, 10, 120))))
        definition = replace(
            MAKESHOP,
            capabilities=effective_capabilities(settings, reading),
            make_client=lambda given, context: make_classic_client(given, context, reading),
        )
        return self.partner(
            "cart",
            simulator,
            definition,
            settings,
            parser=ClassicNoticeParser(settings, self.now),
            level=lambda item, place: simulator.stock(item) or 0,
            item_key=item_key,
        )
