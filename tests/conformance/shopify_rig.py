"""The rig of the Shopify adapter: the simulated shop on loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from inventory_sync.conformance import Door, Impossible, Mail
from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.sandbox.shopify import (
    InactiveWrite,
    MissingLevelWrite,
    RepeatAfterRefusal,
    ShopifySimulator,
    ShopifySwitches,
    ThrottleAnswer,
)
from inventory_sync.systems.port import CellRef, Client, Condition
from inventory_sync.systems.shopify import definition
from tests.conformance.bench import START, SimulatorBench

DOMAIN = "demo-jp.myshopify.com"
CLIENT_ID, SECRET = "sandbox-client", "shpss_sandbox_secret"
STATIC_TOKEN = "shpat_sandbox_token"
SCOPES = ("read_products", "write_inventory", "read_locations")
HMAC = "x-shopify-hmac-sha256"


def _signature(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class ShopifyRig(SimulatorBench):
    """A shop with an app of the Dev Dashboard, switches as they are believed to be."""

    definition = definition
    doors: ClassVar[Mapping[Door, str]] = {
        Door.READ: "ReadLevels*",
        Door.CATALOGUE: "*Variants*",
        Door.WRITE: "inventoryAdjustQuantities",
        Door.SIGN_IN: "POST /admin/oauth/access_token",
    }
    identity_hint = "demo-jp"
    rights = SCOPES
    api_version = "2026-10"
    switches = ShopifySwitches(plain_http_webhooks=True)
    static_token: str | None = None

    def __init__(self) -> None:
        self.shop = ShopifySimulator(
            domain=DOMAIN,
            client_id=CLIENT_ID,
            client_secret=SECRET,
            static_token=self.static_token,
            scopes=SCOPES,
            locations=("Main street",),
            switches=self.switches,
            beginning=START,
        )
        super().__init__(self.shop)
        self.annex = self.shop.add_location("Annex", START)
        closed = self.shop.add_location("Closed", START)
        self.shop.set_location_active(closed, False, START)
        service = self.shop.add_location("Parcel service", START, fulfillment_service="Parcels")
        self.usable_location = LocationKey(self.shop.location_ids()[0])
        self.unusable_locations = (LocationKey(closed), LocationKey(service))
        self._hidden: dict[CellRef, int] = {}
        self._untracked: set[str] = set()

    # -- the connection ---

    def settings(self, **changes: Any) -> Any:
        given = {"client_id": CLIENT_ID, "client_secret": SECRET}
        if self.static_token is not None:
            given = {"access_token": self.static_token, "api_secret": SECRET}
        base = {"shop": "demo-jp", "base_url": self.wire.url or None, "api_version": self.api_version}
        return definition.settings(**(base | given | changes))

    def clients_with_a_wrong_secret(self) -> Mapping[str, Callable[[], Client]]:
        wrong = {"client_secret": "shpss_another"} if self.static_token is None else {"access_token": "shpat_another"}
        return {name: lambda: self.make_client(self.settings(**wrong)) for name in wrong}

    @property
    def fixed_secrets(self) -> Sequence[str]:
        return [SECRET] if self.static_token is None else [SECRET, self.static_token]

    async def withdraw_right(self, right: str) -> None:
        self.shop.grant_scopes([each for each in SCOPES if each != right], self.now())

    async def grant_right(self, right: str) -> None:
        self.shop.grant_scopes(SCOPES, self.now())

    async def expire_tokens(self) -> bool:
        self.shop.access.expire_tokens()
        return self.static_token is None

    async def revoke_credentials(self) -> None:
        self.shop.access.static_token = None
        self.shop.access.rotate_secret("shpss_the_next_one")
        self.shop.access.revoke_oldest_secret(self.now())

    # -- what the shop holds ---

    async def stock(self, quantities: Sequence[int]) -> Sequence[CellRef]:
        return [self._cell(self._add(stock=each), self.usable_location) for each in quantities]

    async def add_item(self, code: str, field: str) -> ItemKey | Impossible:
        return ItemKey(self._add(sku=code) if field == "sku" else self._add(barcodes=[code]))

    async def add_bundle(self) -> ItemKey | Impossible:
        return ItemKey(self._add(bundle=True))

    async def fill_catalogue(self) -> Sequence[ItemKey]:
        self.shop.seed_catalogue(260, self.now(), locations=[self.usable_location], stock=(0, 50))
        return [ItemKey(each) for each in self.shop.item_ids()]

    async def odd_cell(self, condition: Condition) -> CellRef | Impossible:
        if condition is Condition.UNREADABLE:
            return await super().odd_cell(condition)
        if condition is Condition.UNTRACKED:
            item = self._add(tracked=False)
            self._untracked.add(item)
            return self._cell(item, self.usable_location)
        item = self._add(stock=6, locations=[self.usable_location, self.annex])
        cell = self._cell(item, self.usable_location)
        match condition:
            case Condition.ABSENT:
                return self._cell(self._add(), self.annex)
            case Condition.INACTIVE:
                self.shop.deactivate_level(item, self.usable_location, self.now())
                self._hidden[cell] = 6
            case _:
                self.shop.delete_item(item, self.now())
        return cell

    def hidden_quantity(self, cell: CellRef) -> int:
        return self._hidden[cell]

    def unknown_cell(self) -> CellRef:
        return self._cell("gid://shopify/InventoryItem/99999999", self.usable_location)

    async def change(self, cell: CellRef, delta: int) -> None:
        if self.shell.act(lambda now: self.shop.adjust_by_person(cell.item, cell.location, delta, now)) is None:
            raise LookupError(f"{cell} has no level")

    async def truth(self, cell: CellRef) -> int | None:
        if not self.shop.is_active(cell.item, cell.location):
            return None
        return self.shop.available(cell.item, cell.location)

    async def all_levels(self) -> Mapping[CellRef, int]:
        return {
            self._cell(item, place): self.shop.available(item, place)
            for item in self.shop.item_ids()
            for place in self.shop.location_ids()
            if item not in self._untracked and self.shop.is_active(item, place)
        }

    # -- notices ---

    def is_awaited(self, mail: Mail) -> bool:
        return mail.headers.get("x-shopify-topic") == "inventory_levels/update"

    def signed(self, genuine: Mail, body: bytes) -> Mail:
        return Mail({**genuine.headers, HMAC: _signature(SECRET, body)}, body)

    def forgeries(self, genuine: Mail) -> Mapping[str, Mail]:
        stranger = _signature("shpss_stranger", genuine.body)
        unsigned = {name: value for name, value in genuine.headers.items() if name != HMAC}
        return {
            "another number in its body": Mail(
                genuine.headers, genuine.body.replace(b'"available":', b'"available":1')
            ),
            "a blank more in its body": Mail(genuine.headers, genuine.body + b" "),
            "a stranger's signature": Mail({**genuine.headers, HMAC: stranger}, genuine.body),
            "no signature": Mail(unsigned, genuine.body),
            "an empty signature": Mail({**unsigned, HMAC: ""}, genuine.body),
            "another shop's name": Mail(
                {**genuine.headers, "x-shopify-shop-domain": "other.myshopify.com"}, genuine.body
            ),
        }

    def _add(self, *, sku: str | None = None, locations: Sequence[str] | None = None, **given: Any) -> str:
        number = self.number()
        places = [self.usable_location] if locations is None else locations
        return self.shell.act(
            lambda now: self.shop.add_product(
                f"Product {number}", [f"KIT-{number:05d}" if sku is None else sku], now, locations=places, **given
            )
        )[0]

    @staticmethod
    def _cell(item: str, location: str) -> CellRef:
        return CellRef(ItemKey(item), LocationKey(location))


class OtherShopifyRig(ShopifyRig):
    """A shop with a custom app made before 2026, on the oldest API version; every open question answered otherwise."""

    static_token = STATIC_TOKEN
    api_version = "2026-04"
    switches = ShopifySwitches(
        plain_http_webhooks=True,
        throttle_answer=ThrottleAnswer.GRAPHQL,
        inactive_write=InactiveWrite.NO_OP,
        missing_level_write=MissingLevelWrite.NO_OP,
        repeat_after_refusal=RepeatAfterRefusal.PREVIOUS_FAILED,
        stale_field_named=False,
        read_lag=2.0,
        search_lag=2.0,
        mutation_seconds=1.5,
        other_states_move_updated_at=False,
        other_states_send_webhook=True,
        inactive_levels_send_webhook=True,
        one_event_per_action=False,
        webhook_id_stable=False,
        escape_slashes=False,
    )
