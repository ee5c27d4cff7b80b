"""The rigs of the MakeShop adapter over GraphQL: a simulated shop on loopback, before and after a calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from inventory_sync.conformance import BelowZero, Door, Impossible, Mail
from inventory_sync.model.ids import ItemKey
from inventory_sync.sandbox.makeshop import (
    ALL_SCOPES,
    NOTICE_CYCLE,
    PATH,
    Event,
    MakeShopSimulator,
    MakeShopSwitches,
    WebhookSettings,
    sign,
)
from inventory_sync.systems.makeshop import definition
from inventory_sync.systems.makeshop.calibrate import calibrate
from inventory_sync.systems.makeshop.capabilities import effective_capabilities
from inventory_sync.systems.makeshop.notices import MakeShopNoticeParser
from inventory_sync.systems.port import (
    Calibration,
    CellRef,
    Client,
    Condition,
    NoticeParser,
    OrderState,
    SystemDefinition,
)
from tests.conformance.bench import PATIENT
from tests.conformance.makeshop_shop import SHOP, MakeShopBench

TOKEN = "PAT." + "0123456789abcdef" * 4
API_KEY = "fedcba9876543210" * 4
SECRET = "00112233445566778899aabbccddeeff"
SIGNATURE, TIMESTAMP = "x-makeshop-signature", "x-makeshop-request-timestamp"
GIVEN = {"access_token": TOKEN, "api_key": API_KEY, "webhook_secret": SECRET, "shop_id": SHOP}


def calibrated(found: Mapping[str, str], given: Mapping[str, Any]) -> SystemDefinition:
    """The definition of a connection with these settings and these findings."""
    settings = definition.settings(**GIVEN, **given)
    return replace(definition, capabilities=effective_capabilities(settings, found))


class MakeShopRig(MakeShopBench):
    """A shop nobody has calibrated yet, switches as they are believed to be: numbers are set, 200 rows a page."""

    given: ClassVar[Mapping[str, Any]] = {}
    found: ClassVar[Mapping[str, str]] = {}
    calibration: ClassVar[Mapping[str, str]] = {"absolute_type": "0", "relative_type": "1", "below_zero": "cut_off"}
    definition = calibrated({}, {})
    switches = MakeShopSwitches()
    doors: ClassVar[Mapping[Door, str]] = {
        Door.READ: "quantities",
        Door.CATALOGUE: "products",
        Door.WRITE: "stock",
        Door.ORDERS: "orders",
    }
    rights = tuple(sorted(ALL_SCOPES - {"cancelOrder"}))
    below_zero = BelowZero.CUT_OFF
    provisional_shows: OrderState | None = OrderState.PLACED  # nobody said how provisional orders are told
    shapes = ("product", "variation")
    catalogue_size = 230

    def __init__(self) -> None:
        self.trader = self.office = self.simulator = MakeShopSimulator(
            shop=SHOP, token=TOKEN, api_key=API_KEY, secret=SECRET, switches=self.switches
        )
        super().__init__(self.simulator)

    # -- the connection ---

    def settings(self, **changes: Any) -> Any:
        base = {"base_url": f"{self.wire.url}{PATH}" if self.wire.url else None}
        return definition.settings(**(GIVEN | base | dict(self.given) | changes))

    def make_client(self, settings: Any, *, full: bool = True, found: Mapping[str, str] | None = None) -> Client:
        return super().make_client(settings, full=full, found=self.found if found is None else found)

    def clients_with_a_wrong_secret(self) -> Mapping[str, Callable[[], Client]]:
        return {
            "access_token": lambda: self.make_client(self.settings(access_token="PAT." + "0" * 64)),
            "api_key": lambda: self.make_client(self.settings(api_key="0" * 64)),
        }

    def client_with_order_pages_of(self, orders: int) -> Client:
        return self.make_client(self.settings(order_page_size=orders, request_timeout_seconds=PATIENT))

    def parser(self) -> NoticeParser:
        return MakeShopNoticeParser(self.settings(), now=self.now)

    @property
    def fixed_secrets(self) -> Sequence[str]:
        return [TOKEN, API_KEY, SECRET]

    async def withdraw_right(self, right: str) -> None:
        self.simulator.remove_scope(right)

    async def grant_right(self, right: str) -> None:
        self.simulator.approve_scope(right)

    async def revoke_credentials(self) -> None:
        self.simulator.revoke_token()

    # -- what the shop holds ---

    async def stock(self, quantities: Sequence[int]) -> Sequence[CellRef]:
        return [
            self.add_product(stock=each)
            if self.shapes[place % len(self.shapes)] == "product"
            else self.add_variation(f"KIT-{self.number():05d}", stock=each)
            for place, each in enumerate(quantities)
        ]

    async def add_item(self, code: str, field: str) -> ItemKey | Impossible:
        if field == "system_code":
            return Impossible("MakeShop makes system codes up itself")
        given = {"code" if field == "custom_code" else "jan": code}
        if self.shapes[self.number() % len(self.shapes)] == "product":
            return self.add_product(**given).item
        own = given.pop("code", f"KIT-{self.number():05d}")
        return self.add_variation(own, **given).item

    async def fill_catalogue(self) -> Sequence[ItemKey]:
        self.simulator.seed_catalogue(self.catalogue_size, self.now(), variations_every=7)
        parents = {product.system for product in self.simulator.products.values() if product.variations}
        return [self.cell(item).item for item in self.simulator.cells if item not in parents]

    async def odd_cell(self, condition: Condition) -> CellRef | Impossible:
        match condition:
            case Condition.UNTRACKED:
                return self.add_product(stock=None)
            case Condition.GONE:
                cell = self.add_variation("KIT-GONE", stock=6)
                await self.remove(cell)
                return cell
            case _:
                return await super().odd_cell(condition)

    async def all_levels(self) -> Mapping[CellRef, int]:
        parents = {product.system for product in self.simulator.products.values() if product.variations}
        return {self.cell(item): number for item, number in self.simulator.levels().items() if item not in parents}

    def order_at_next_write(self, cell: CellRef, quantity: int) -> None:
        operation = "updateVariationQuantity" if cell.item.startswith("V:") else "updateProductQuantity"
        item = self.item(cell)
        self.simulator.on_next(operation, lambda now: self.simulator.sell(item, quantity, now), before=True)

    # -- calibration ---

    async def hidden_item(self) -> CellRef:
        return self.add_product(stock=10, displayed=False)

    async def unfit_items(self) -> Mapping[str, CellRef]:
        return {
            "on sale": self.add_product(stock=10),
            "a variation on sale": self.add_variation("KIT-SHOWN", stock=10),
            "not limited": self.add_product(stock=None, displayed=False),
            "sold out": self.add_product(stock=0, displayed=False),
            "not there": self.unknown_cell(),
        }

    async def calibrate(self, cell: CellRef) -> Calibration:
        return await calibrate(self.settings(), self.context(), cell.item, pause=self.pause)

    def calibrated_client(self, found: Mapping[str, str]) -> Client:
        return self.make_client(self.settings(), found=found)

    # -- notices ---

    async def provoke_notice(self, cell: CellRef) -> None:
        await super().provoke_notice(cell)
        await self.pause(NOTICE_CYCLE)

    def open_webhooks(self, url: str) -> None:
        self.simulator.configure_webhooks(WebhookSettings.told_apart(url))

    def is_awaited(self, mail: Mail) -> bool:
        return mail.headers[":query"] == f"event={Event.ORDER}"

    def signed(self, genuine: Mail, body: bytes) -> Mail:
        return self._signed(genuine, body, SECRET, genuine.headers[TIMESTAMP])

    def _signed(self, genuine: Mail, body: bytes, secret: str, told: str) -> Mail:
        headers = {TIMESTAMP: told, SIGNATURE: sign(secret, told, body, self.switches)}
        return Mail({**genuine.headers, **headers}, body)

    def forgeries(self, genuine: Mail) -> Mapping[str, Mail]:
        headers, body, told = genuine.headers, genuine.body, genuine.headers[TIMESTAMP]
        unsigned = {name: value for name, value in headers.items() if name != SIGNATURE}
        timeless = {name: value for name, value in headers.items() if name != TIMESTAMP}
        an_hour_ago = str(int(told) - 3600)
        forged = {
            "a stranger's signature": self._signed(genuine, body, "of-a-stranger", told),
            "no signature": Mail(unsigned, body),
            "an empty signature": Mail({**unsigned, SIGNATURE: ""}, body),
            "half a signature": Mail({**unsigned, SIGNATURE: headers[SIGNATURE][:32]}, body),
            "a time long ago": self._signed(genuine, body, SECRET, an_hour_ago),
            "another shop's name": self.signed(genuine, body.replace(SHOP.encode(), b"othershop")),
        }
        if self.switches.signature_over != "timestamp":
            forged["another body"] = Mail(headers, body + b" ")
        if self.switches.signature_over != "body":
            forged["another time"] = Mail({**headers, TIMESTAMP: str(int(told) + 1)}, body)
            forged["no time"] = Mail(timeless, body)
        return forged


class OtherMakeShopRig(MakeShopRig):
    """A shop nobody has calibrated yet, with every open question answered otherwise, and only variations for sale."""

    given: ClassVar[Mapping[str, Any]] = {
        "quantity_calculation": {"absolute": 1},
        "variation_details": "object",
        "page_limit": 1000,
        "order_page_size": 1000,
        "provisional_counts": False,
        "provisional_payment_codes": ("9998",),
        "signature_recipe": "body",
        "signature_encoding": "base64",
        "read_lag_seconds": 4,
        "order_lag_seconds": 15,
    }
    calibration: ClassVar[Mapping[str, str]] = {"absolute_type": "1", "relative_type": "0", "below_zero": "refused"}
    definition = calibrated({}, given)
    switches = MakeShopSwitches(
        auth_status=200,
        auth_code="UNAUTHORIZED",
        forbidden_status=403,
        code_place="error",
        over_rate="refused",
        retry_after=7,
        details="object",
        product_page_cap=50,
        stock_page_cap=30,
        order_page_cap=7,
        limit_told="used",
        past_end="last_page",
        stock_lag=3.0,
        order_lag=12.0,
        parent_quantity="own",
        missing_code="null",
        calculation="relative_first",
        fail_result="all_rows",
        below_zero="refused",
        negative_set="unlimited",
        null_set="unlimited",
        unlimited_set="refused",
        unlimited_add="refused",
        duplicate_code="refused",
        provisional_holds=False,
        provisional_code="9998",
        cancel_shows="payment",
        states_default="without_cancelled",
        sort_default="ASC",
        edit_to_zero="kept",
        signature_over="body",
        signature_encoding="base64",
        update_body="single",
        event_named=True,
    )
    provisional_shows = OrderState.PROVISIONAL
    shapes = ("variation",)
    catalogue_size = 120


class RelativeMakeShopRig(MakeShopRig):
    """A shop whose calibration proved that differences can be written."""

    found: ClassVar[Mapping[str, str]] = MakeShopRig.calibration
    definition = calibrated(found, {})


class OtherRelativeMakeShopRig(MakeShopRig):
    """The same with the types the other way round, one operation a request, and stock that is told by code only."""

    given: ClassVar[Mapping[str, Any]] = {
        "mixed_writes": False,
        "orders_at_once": False,
        "order_filter": "both",
        "trust_searched_count": False,
        "stock_list": "by_code",
        "page_limit": 40,
        "order_page_size": 6,
        "probe_writes": False,
        "signature_recipe": "timestamp",
    }
    calibration: ClassVar[Mapping[str, str]] = {"absolute_type": "1", "relative_type": "0", "below_zero": "allowed"}
    found: ClassVar[Mapping[str, str]] = calibration
    definition = calibrated(found, given)
    switches = MakeShopSwitches(
        operations_max=1,
        auth_status=403,
        auth_code="UNAUTHENTICATED",
        over_rate="refused",
        batch_max=1,
        product_page_cap=25,
        stock_page_cap=25,
        order_page_cap=5,
        calculation="relative_first",
        fail_result="null_when_good",
        below_zero="negative",
        negative_set="negative",
        unlimited_add="from_zero",
        duplicate_code="all",
        provisional_listed=False,
        cancel_shows="delivery",
        signature_over="timestamp",
        update_body="bare",
    )
    below_zero = BelowZero.CARRIED_OUT
    provisional_shows = None
    rights = ("getShop", "searchOrder", "searchProduct", "searchProductQuantity")
    catalogue_size = 60
