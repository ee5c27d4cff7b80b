"""The rigs of the MakeShop adapter over the classic API: a simulated shop on loopback, and its two files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from inventory_sync.conformance import Door, Impossible, Mail, Trouble
from inventory_sync.model.ids import ItemKey
from inventory_sync.sandbox.makeshop import MakeShopSwitches
from inventory_sync.sandbox.makeshop_classic import PRODUCT_COLUMNS, ClassicMakeShopSimulator, ClassicSwitches
from inventory_sync.systems.makeshop import definition
from inventory_sync.systems.makeshop.classic import (
    NOTICE_TEMPLATE,
    ClassicNoticeParser,
    effective_capabilities,
    make_classic_client,
)
from inventory_sync.systems.makeshop.classic.switches import ClassicSwitches as Reading
from inventory_sync.systems.port import (
    CellRef,
    Client,
    Condition,
    FileCatalogue,
    NamedFile,
    NoticeParser,
    OrderState,
    SystemDefinition,
)
from tests.conformance.bench import PATIENT
from tests.conformance.makeshop_shop import SHOP, MakeShopBench

ORDER_CODE, PRODUCT_CODE = "order-code-0001", "product-code-0001"
ADMIN, PASSWORD = "shop-admin", "secret-12345"
NOTIFY = "an-address-that-nobody-can-guess"
GIVEN = {
    "api": "classic",
    "shop_id": SHOP,
    "order_auth_code": ORDER_CODE,
    "product_auth_code": PRODUCT_CODE,
    "admin_id": ADMIN,
    "admin_password": PASSWORD,
    "notify_token": NOTIFY,
}
SEARCH, UPLOAD = "POST /api/product/search/", "POST /api/webftp/upload.html"
NO_END_MARK = "an upload is answered in plain words, and nothing tells where they end"


def classic(**given: Any) -> SystemDefinition:
    """The definition of a connection with these settings: another transport, and nothing to calibrate."""
    able = effective_capabilities(definition.settings(**GIVEN, **given))
    return replace(definition, capabilities=able, calibrate=None)


class ClassicRig(MakeShopBench):
    """A shop that still has the classic API, files in Shift_JIS, switches as they are believed to be."""

    encoding: ClassVar[Literal["shift_jis", "utf-8", "utf-8-sig"]] = "shift_jis"
    definition = classic(csv_encoding=encoding)
    classic = ClassicSwitches()
    switches = MakeShopSwitches()
    doors: ClassVar[Mapping[Door, str]] = {
        Door.READ: SEARCH,
        Door.WRITE: UPLOAD,
        Door.ORDERS: "GET /api/orderinfo/index.html",
        Door.SIGN_IN: "POST /api/product/auth/",
    }
    unplayable: ClassVar[Mapping[tuple[Door, Trouble], str]] = {
        (Door.WRITE, Trouble.CUT): NO_END_MARK,
        (Door.WRITE, Trouble.THROTTLE): "over the rate this partner blocks the shop for a while, and refuses no call",
    }
    rights = Impossible("a code that may not be used is refused in the words of a wrong one")
    provisional_shows = OrderState.PROVISIONAL
    guarded = True

    def __init__(self) -> None:
        self.trader = self.office = self.simulator = ClassicMakeShopSimulator(
            shop=SHOP,
            order_code=ORDER_CODE,
            product_code=PRODUCT_CODE,
            admin=ADMIN,
            password=PASSWORD,
            classic=self.classic,
            switches=self.switches,
        )
        super().__init__(self.simulator)

    # -- the connection ---

    def settings(self, **changes: Any) -> Any:
        base = {"base_url": self.wire.url or None, "csv_encoding": self.encoding}
        return definition.settings(**(GIVEN | base | changes))

    def clients_with_a_wrong_secret(self) -> Mapping[str, Callable[[], Client]]:
        wrong = {"order_auth_code": "another", "product_auth_code": "another", "admin_password": "another-one"}
        return {
            name: lambda given=given: self.make_client(self.settings(**given))  # type: ignore[misc]
            for name, given in ((name, {name: value}) for name, value in wrong.items())
        }

    def client_with_order_pages_of(self, orders: int) -> Client:
        settings = self.settings(request_timeout_seconds=PATIENT)
        return make_classic_client(settings, self.context(), Reading(order_cap=orders))

    def parser(self) -> NoticeParser:
        return ClassicNoticeParser(self.settings(), now=self.now)

    @property
    def fixed_secrets(self) -> Sequence[str]:
        return [ORDER_CODE, PRODUCT_CODE, PASSWORD, NOTIFY]

    @property
    def tokens_issued(self) -> int:
        return sum(self.simulator.log.requests.get(name, 0) for name in ("product.auth", "upload.auth"))

    async def expire_tokens(self) -> bool:
        await self.pause(301.0)  # access addresses live for 300 s
        return True

    async def revoke_credentials(self) -> None:
        access = self.simulator.credentials
        access.order_code, access.product_code = "the-next-one", "the-next-one"
        access.administrators = {ADMIN: "the-next-one"}
        access.revoke()

    # -- what the shop holds ---

    async def stock(self, quantities: Sequence[int]) -> Sequence[CellRef]:
        return [self.add_product(stock=each) for each in quantities]

    def more_cells(self) -> Sequence[CellRef]:
        return [self.add_variation("4900000000017 ", stock=500)]

    async def add_item(self, code: str, field: str) -> ItemKey | Impossible:
        if field == "system_code":
            return Impossible("MakeShop makes system codes up itself")
        codec = "cp932" if self.encoding == "shift_jis" else self.encoding
        if code.encode(codec, "replace").decode(codec) != code:
            return Impossible(f"a file in {self.encoding} cannot hold {code!r}")
        given = {"code" if field == "custom_code" else "jan": code}
        if self.number() % 2:
            return self.add_product(**given).item
        own = given.pop("code", f"KIT-{self.number():05d}")
        return self.add_variation(own, **given).item

    async def fill_catalogue(self) -> Sequence[ItemKey]:
        self.simulator.seed_catalogue(120, self.now(), variations_every=7)
        parents = {product.system for product in self.simulator.products.values() if product.variations}
        return [self.cell(item).item for item in self.simulator.cells if item not in parents]

    async def odd_cell(self, condition: Condition) -> CellRef | Impossible:
        match condition:
            case Condition.UNTRACKED:
                return self.add_product(stock=None)
            case Condition.GONE:
                cell = self.add_product(stock=6)
                await self.remove(cell)
                return cell
            case Condition.UNREADABLE:
                return self.add_variation("4900000000017", stock=6)
            case _:
                return await super().odd_cell(condition)

    async def cells_of_each_group(self) -> Sequence[CellRef]:
        return [self.add_product(stock=10), self.add_variation("4900000000017", stock=10)]

    async def truth(self, cell: CellRef) -> int | None:
        parent = self.simulator.products.get(cell.item.removeprefix("P:"))
        return await super().truth(cell) if parent is None else parent.cell.shown

    async def all_levels(self) -> Mapping[CellRef, int]:
        """What the product search shows: every product, with a number of its own even where it has options."""
        return {
            CellRef(ItemKey(f"P:{product.system}"), self.usable_location): product.cell.number
            for product in self.simulator.products.values()
            if product.cell.shown is not None
        }

    # -- files ---

    def file_catalogue(self) -> FileCatalogue:
        assert definition.file_catalogue is not None
        found = definition.file_catalogue(self.settings())
        assert found is not None
        return found

    async def catalogue_files(self, *, another_layout: bool = False) -> Sequence[NamedFile]:
        if another_layout:
            self.simulator.registrar.columns["1"] = (*PRODUCT_COLUMNS, "新しい項目")
        files = self.shell.act(lambda now: self.simulator.export(now, self.encoding, guarded=self.guarded))
        return [NamedFile(file.name, file.content) for file in files]

    # -- orders ---

    def order_at_next_write(self, cell: CellRef, quantity: int) -> None:
        item = self.item(cell)
        self.simulator.on_next("upload.product", lambda now: self.simulator.sell(item, quantity, now), before=True)

    # -- notices ---

    async def provoke_notice(self, cell: CellRef) -> None:
        await super().provoke_notice(cell)
        await self.pause(1.0)

    def open_webhooks(self, url: str) -> None:
        self.simulator.enter_notice_url(f"{url}/{NOTIFY}{NOTICE_TEMPLATE}")

    def signed(self, genuine: Mail, body: bytes) -> Mail | Impossible:
        return Impossible("a call to the address proves itself by the address: nothing in its body is relied upon")

    def forgeries(self, genuine: Mail) -> Mapping[str, Mail]:
        tokens = {
            "another address": "an-address-that-somebody-guesses",
            "the beginning of the address": NOTIFY[:-1],
            "more than the address": f"{NOTIFY}x",
            "another case of the address": NOTIFY.upper(),
            "no address": "",
        }
        return {wrong: Mail({**genuine.headers, ":token": token}, genuine.body) for wrong, token in tokens.items()}


class OtherClassicRig(ClassicRig):
    """The same with files in UTF-8, and every open question answered otherwise."""

    encoding = "utf-8"
    definition = classic(csv_encoding=encoding)
    guarded = False
    classic = ClassicSwitches(
        over_rate="recorded",
        order_cap_keeps="newest",
        order_window="neither",
        order_listed_after=100.0,
        order_refusal="status",
        xml_encoding="euc-jp",
        date_form="%Y-%m-%d %H:%M:%S",
        lines_under="delivery",
        access_uses=1,
        numbers_as_text=False,
        upload_report="rows",
        first_row="data",
        upload_lag=6.0,
        notice_fields=False,
    )
    switches = MakeShopSwitches(provisional_holds=True, edit_to_zero="kept")
