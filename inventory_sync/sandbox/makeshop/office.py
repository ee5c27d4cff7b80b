"""What the merchant and the vendor do besides trade: catalogue, approvals, installation, webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from inventory_sync.sandbox.makeshop.notices import Event, WebhookSettings
from inventory_sync.sandbox.makeshop.records import Cell, Product, Variation
from inventory_sync.sandbox.makeshop.switches import ALL_SCOPES, CODE_MAX
from inventory_sync.sandbox.makeshop.world import MakeShopWorld, Occasion

#: Number and names of the app, as installs tell them.
APP = {"app_id": 100, "app_name": "inventory-sync"}
PLAN = 1


class MakeShopOffice(MakeShopWorld):
    """Everything that can be set at a shop."""

    # -- catalogue ---

    def add_product(
        self,
        now: datetime,
        *,
        code: str = "",
        jan: str = "",
        name: str | None = None,
        stock: int | None = 0,
        displayed: bool = True,
        groups: Sequence[tuple[str, Sequence[str]]] = (),
    ) -> str:
        """Add a product without variations and return its item; `stock` None is unlimited.

        `groups` are option groups (name, choices): chosen freely by the customer, without stock. An own code may
        occur twice: MakeShop was never seen to refuse that.
        """
        product = self._create(now, code, jan, name, displayed)
        product.cell = self._cell(product, product.system, stock)
        product.groups = tuple((title, tuple(choices)) for title, choices in groups)
        self.announce(Event.PRODUCT, product.system, now)
        return product.cell.item

    def add_variations(
        self,
        now: datetime,
        codes: Sequence[str],
        *,
        stock: Sequence[int | None],
        code: str = "",
        jans: Sequence[str] | None = None,
        name: str | None = None,
        displayed: bool = True,
    ) -> list[str]:
        """Add a product with a variation for each own code (`""`: none) and return their items in order.

        `code` is the product's own code. JAN codes are the own codes unless given.
        """
        product = self._create(now, code, "", name, displayed)
        items: list[str] = []
        for number, own in enumerate(codes, 1):
            item = f"{product.system}/{own}" if own else ""
            if not item or item in self.cells:
                item = f"{product.system}/~{number}"
            jan = own.strip() if jans is None else jans[number - 1]
            cell = self._cell(product, item, stock[number - 1])
            variation = Variation(f"色{number}", "F", number, 1, own, jan, cell)
            product.variations = (*product.variations, variation)
            items.append(item)
        self.announce(Event.PRODUCT, product.system, now)
        return items

    def remove_product(self, system: str, now: datetime) -> None:
        """Delete a product with its variations. Orders keep what they say of it."""
        product = self.products.pop(system)
        for cell in [product.cell, *product.cells()]:
            self.cells.pop(cell.item, None)
            self.owner.pop(cell.item, None)
        self._unlist(product)
        self.announce(Event.PRODUCT, system, now)

    def change_code(self, item: str, code: str, now: datetime) -> None:
        """A person gives a product or variation another own code; the item keeps its name here."""
        product, variation = self.product_of(item), self.variation_of(item)
        if variation is not None:
            variation.code = code
        else:
            self._unlist(product)
            product.code = code
            self._list(product)
        product.updated = self.instant(now)
        self.announce(Event.PRODUCT, product.system, now)

    def show_product(self, system: str, now: datetime, *, displayed: bool = True) -> None:
        """A person shows a product in the shop, or hides it."""
        product = self.products[system]
        product.displayed, product.updated = displayed, self.instant(now)
        self.announce(Event.PRODUCT, system, now)

    def seed_catalogue(
        self,
        count: int,
        now: datetime,
        *,
        codes: Sequence[str] | Callable[[int], str] = lambda number: f"DEMO-{number + 1:06d}",
        initial: int | Callable[[int], int] = 10,
        variations_every: int = 0,
    ) -> list[str]:
        """Fill a shop before the story starts and return `count` items in the order of their codes; nothing is told of.

        `codes` lists own codes or makes one of a number from 0, `initial` likewise the stock. With
        `variations_every` n, every n-th product has two variations, which take two codes.
        """

        def code_of(number: int) -> str:
            return codes(number) if callable(codes) else codes[number]

        def stock_of(number: int) -> int:
            return initial(number) if callable(initial) else initial

        items: list[str] = []
        made = 0
        with self.outbox.silence():
            while len(items) < count:
                number, made = len(items), made + 1
                if variations_every and made % variations_every == 0 and number + 1 < count:
                    both = [code_of(number), code_of(number + 1)]
                    items += self.add_variations(now, both, stock=[stock_of(number), stock_of(number + 1)])
                else:
                    items.append(self.add_product(now, code=code_of(number), stock=stock_of(number)))
        return items

    def seed_oddities(self, now: datetime) -> dict[str, str]:
        """Add what every real catalogue has and no client may trip over; returns why, by item. Nothing is told of."""
        with self.outbox.silence():
            return self._odd_products(now) | self._odd_variations(now)

    def _odd_products(self, now: datetime) -> dict[str, str]:
        choices = [("のし", ("なし", "あり"))]
        return {
            self.add_product(now, code="ODD-UNLIMITED", stock=None): "unlimited",
            self.add_product(now, code="ODD-TWICE", stock=4): "own code occurs twice",
            self.add_product(now, code="ODD-TWICE", stock=5): "own code occurs twice",
            self.add_product(now, code="ODD-BLANK ", stock=6): "trailing blank",
            self.add_product(now, code="#ODD-HASH", stock=6): "prefix #",
            self.add_product(now, code=" ", stock=3): "own code is one blank",
            self.add_product(now, stock=3): "no code at all",
            self.add_product(now, code="ODD-HIDDEN", stock=2, displayed=False): "hidden",
            self.add_product(now, code="ODD-OPTIONS", stock=9, groups=choices): "option group",
        }

    def _odd_variations(self, now: datetime) -> dict[str, str]:
        codes = ["4900000000017 ", "#4900000000024", "4900000000031", "", "4900000000048"]
        whys = ["trailing blank", "prefix #", "unlimited", "no code at all", "own code occurs twice"]
        items = self.add_variations(now, codes, stock=[5, 3, None, 2, 1], code="ODD-VARIATIONS")
        items += self.add_variations(now, ["4900000000048"], stock=[1], code="ODD-TWIN")
        return dict(zip(items, [*whys, "own code occurs twice"], strict=True))

    def _create(self, now: datetime, code: str, jan: str, name: str | None, displayed: bool) -> Product:
        if len(code) > CODE_MAX:
            raise ValueError(f"an own code has at most {CODE_MAX} characters")
        self.last_code += 1
        at, system = self.instant(now), f"{self.last_code:012d}"
        title = name or f"商品 {code or system}"
        product = Product(
            100_000 + self.last_code, system, code, jan, title, 3300, at, at, Cell(system, 0), displayed=displayed
        )
        self.products[system] = product
        self._list(product)
        return product

    def _cell(self, product: Product, item: str, stock: int | None) -> Cell:
        cell = self.cells[item] = Cell(item, stock or 0, stock is None)
        self.owner[item] = product.system
        return cell

    def _list(self, product: Product) -> None:
        self.by_code.setdefault(product.code, []).append(product.system)

    def _unlist(self, product: Product) -> None:
        self.by_code[product.code].remove(product.system)

    # -- approvals and installation ---

    def configure_webhooks(self, target: str | WebhookSettings) -> None:
        """Declare where webhooks go, as in the application for the app: one address, or one for each event."""
        self.outbox.settings = WebhookSettings.everything_to(target) if isinstance(target, str) else target
        self.outbox.ended = self._notice_ended

    def approve_scope(self, operation: str, token: str | None = None) -> None:
        """Approve an operation for a token (the product's own if none is named); nothing is told of."""
        self.access.scopes(token).add(operation)

    def remove_scope(self, operation: str, token: str | None = None) -> None:
        """Withdraw an operation from a token."""
        self.access.scopes(token).discard(operation)

    def consent_again(self, operations: Iterable[str], now: datetime) -> None:
        """The shop agrees to operations the app added; the app is told."""
        self.access.scopes().update(operations)
        self.outbox.post(Event.CONSENT, {**APP, "shop_id": self.shop}, now)

    def revoke_token(self) -> None:
        """Make the product's own token invalid, saying nothing."""
        self.access.revoke()

    def change_api_key(self, api_key: str) -> None:
        """Replace the API key; the old one is refused at once."""
        self.access.api_key = api_key

    def register_app(self, scopes: Iterable[str] = ALL_SCOPES) -> str:
        """Another app of the shop: returns its token. What it writes is an outside change."""
        return self.access.issue(scopes, own=False)

    def uninstall(self, now: datetime) -> None:
        """The shop removes the app: the token dies for good, updates that were not sent are dropped."""
        self.access.revoke()
        self.installed = False
        self.outbox.drop_updates()
        self.outbox.post(Event.UNINSTALL, {**APP, "shop_id": self.shop}, now)

    def install(self, now: datetime, scopes: Iterable[str] = ALL_SCOPES) -> str:
        """The shop installs the app: a new token, sent in the install webhook.

        Any answer but 200 makes the install fail, and the token dies.
        """
        token = self.access.issue(scopes)
        self.installed = True
        body = {"app_id": APP["app_id"], "plan_id": PLAN, "app_name": APP["app_name"]}
        self.outbox.post(Event.INSTALL, {**body, "shop_id": self.shop, "token": token}, now)
        return token

    def _notice_ended(self, event: Event, accepted: bool) -> None:
        if event is Event.INSTALL and not accepted:
            self.access.revoke()
            self.installed = False

    # -- people at the stock ---

    def set_stock(self, item: str, number: int | None, now: datetime) -> int:
        """A person types a number over the one there is (None: unlimited); returns the difference."""
        if number is not None and number < 0:
            raise ValueError("a person cannot type a number below 0")
        return self.put(item, number, Occasion(now, "outside", "count"))

    def adjust(self, item: str, delta: int, now: datetime) -> int:
        """A person changes the number by a difference, cut off at 0; returns what it changed by."""
        return self.move(item, delta, Occasion(now, "outside", "adjustment"))

    def foreign_change(self, item: str, delta: int, now: datetime) -> int:
        """Another tool changes the number by a difference, cut off at 0; returns what it changed by."""
        return self.move(item, delta, Occasion(now, "outside", "api"))
