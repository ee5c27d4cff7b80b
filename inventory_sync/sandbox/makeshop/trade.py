"""What customers order, and what the shop's person then does with an order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from inventory_sync.sandbox.makeshop.notices import Event
from inventory_sync.sandbox.makeshop.records import DeliveryState, Goods, Line, Order, Parcel
from inventory_sync.sandbox.makeshop.world import MakeShopWorld, Occasion

#: Orders are numbered `P` and 18 digits (observed).
_FIRST_NUMBER = 180_000_000_000_000_000
_STEP = 7_919_630_271

Basket = Sequence[tuple[str, int]]
"""What is bought: items and how many of each (1 or more)."""


class MakeShopTrade(MakeShopWorld):
    """Trade at a shop. Orders are named by number; every method of an unknown number raises KeyError."""

    # -- customers ---

    def place_order(
        self,
        lines: Basket,
        now: datetime,
        *,
        provisional: bool = False,
        paid: bool = True,
        on_delivery: bool = False,
    ) -> str | None:
        """A customer orders to one address; the stock falls at once. None (nothing happened): not enough stock.

        `provisional`: the settlement is not finished, and `settle_order` or `vanish_order` follows. `paid` False: a
        bank transfer that is still to come. `on_delivery`: cash on delivery.
        """
        return self.place_split_order([lines], now, provisional=provisional, paid=paid, on_delivery=on_delivery)

    def place_split_order(
        self,
        deliveries: Sequence[Basket],
        now: datetime,
        *,
        provisional: bool = False,
        paid: bool = True,
        on_delivery: bool = False,
    ) -> str | None:
        """A customer orders to several addresses, each with its own lines; otherwise as `place_order`."""
        holds = not provisional or self.switches.provisional_holds
        if not self._enough(deliveries):
            return None
        self.last_order += 1
        number = f"P{_FIRST_NUMBER + self.last_order * _STEP:018d}"
        parcels = [
            Parcel(str(place), [Line(item, amount, self._goods(item)) for item, amount in lines])
            for place, lines in enumerate(deliveries, 1)
        ]
        at = self.instant(now)
        settled = paid and not provisional and not on_delivery
        method = "代金引換" if on_delivery else "クレジットカード" if paid else "銀行振込"
        order = Order(number, at, parcels, provisional, holds, at if settled else None, method, on_delivery)
        self.orders[number] = order
        if holds:
            self._take(order, Occasion(at, "outside", "sale", number))
        self.announce(Event.ORDER, number, at)
        return number

    def sell(self, item: str, quantity: int, now: datetime) -> str | None:
        """A customer orders one item; None: not enough stock."""
        return self.place_order([(item, quantity)], now)

    def settle_order(self, number: str, now: datetime, *, paid: bool = True) -> None:
        """A provisional order becomes a normal one; it takes its stock now where it held none."""
        order = self._provisional(number)
        order.provisional = False
        order.paid_at = self.instant(now) if paid else None
        if not order.holds:
            order.holds = True
            self._take(order, Occasion(now, "outside", "sale", number))
        self.announce(Event.ORDER, number, now)

    def vanish_order(self, number: str, now: datetime) -> None:
        """The settlement of a provisional order fails: MakeShop deletes it and gives back the stock it held."""
        order = self._provisional(number)
        del self.orders[number]
        if order.holds:
            self._give_back(order.parcels, Occasion(now, "outside", "vanished", number))
        if self.switches.vanish_notice:
            self.announce(Event.ORDER, number, now)

    # -- the shop's person ---

    def pay_order(self, number: str, now: datetime) -> None:
        """The transfer arrives."""
        self.orders[number].paid_at = self.instant(now)
        self.announce(Event.ORDER, number, now)

    def cancel_order(self, number: str, now: datetime, *, restock: bool = True, delivery: str | None = None) -> int:
        """Cancel what was not shipped (of one delivery, if named), with or without restock; returns the units."""
        return self.cancel_units(number, Occasion(now, "outside", "cancellation", number), restock, delivery)

    def ship_order(self, number: str, now: datetime, *, delivery: str | None = None) -> int:
        """Ship what is open (of one delivery, if named); returns the units. The stock fell when it was ordered."""
        parcels = self._parcels(number, delivery, DeliveryState.NOT_YET)
        for parcel in parcels:
            parcel.state, parcel.shipped_at = DeliveryState.SHIPPED, self.instant(now)
        self.announce(Event.ORDER, number, now)
        return _units(parcels)

    def take_back_order(self, number: str, now: datetime, *, restock: bool, delivery: str | None = None) -> int:
        """Goods that were shipped come back, and into the stock or not; returns the units."""
        parcels = self._parcels(number, delivery, DeliveryState.SHIPPED)
        for parcel in parcels:
            parcel.state = DeliveryState.RETURNED
        if restock:
            self._give_back(parcels, Occasion(now, "outside", "return", number))
        self.announce(Event.ORDER, number, now)
        return _units(parcels)

    def edit_order(self, number: str, item: str, amount: int, now: datetime) -> bool:
        """A person changes how many of an item an open delivery has. False (nothing happened): not enough stock.

        Raises KeyError where no open delivery has the item.
        """
        if amount < 0:
            raise ValueError("an order has no amount below 0")
        order = self.orders[number]
        parcel, line = next(
            (
                (parcel, line)
                for parcel in self._parcels(number, None, DeliveryState.NOT_YET)
                for line in parcel.lines
                if line.item == item
            ),
            (None, None),
        )
        if parcel is None or line is None:
            raise KeyError(item)
        more = amount - line.amount
        moves = order.holds and self.switches.edit_moves_stock and item in self.cells
        if moves and more > 0 and not self._enough([[(item, more)]]):
            return False
        line.amount = amount
        if amount == 0 and self.switches.edit_to_zero == "removed":
            parcel.lines.remove(line)
        if moves:
            self.move(item, -more, Occasion(now, "outside", "edit", number))
        self.announce(Event.ORDER, number, now)
        return True

    # -- what both they and the API do ---

    def cancel_units(self, number: str, occasion: Occasion, restock: bool, delivery: str | None) -> int:
        """Cancel the open deliveries of an order, or one of them; returns the units."""
        order = self.orders[number]
        parcels = self._parcels(number, delivery, DeliveryState.NOT_YET)
        for parcel in parcels:
            parcel.state = DeliveryState.CANCELLED
        if restock and order.holds:
            self._give_back(parcels, occasion)
        self.announce(Event.ORDER, number, occasion.at)
        return _units(parcels)

    def open_orders(self) -> list[str]:
        """Numbers of normal orders with something to ship, oldest first."""
        return [
            number
            for number, order in self.orders.items()
            if not order.provisional and any(each.state is DeliveryState.NOT_YET for each in order.parcels)
        ]

    def provisional_orders(self) -> list[str]:
        """Numbers of orders whose settlement is not finished, oldest first."""
        return [number for number, order in self.orders.items() if order.provisional]

    def _enough(self, deliveries: Sequence[Basket]) -> bool:
        wanted: Counter[str] = Counter()
        for item, amount in (each for lines in deliveries for each in lines):
            if amount < 1:
                raise ValueError("a quantity is above 0")
            wanted[item] += amount
        if not wanted:
            raise ValueError("an order has lines")
        shown = {item: self.stock(item) for item in wanted}
        return all(number is None or number >= wanted[item] for item, number in shown.items())

    def _goods(self, item: str) -> Goods:
        product, variation = self.product_of(item), self.variation_of(item)
        selects = tuple((title, choices[0]) for title, choices in product.groups if choices)
        if variation is None:
            return Goods(product.system, product.code, "", product.jan, product.name, "", product.price, selects)
        chosen = f"{product.axes[0]} : {variation.first} {product.axes[1]} : {variation.second}"
        return Goods(
            product.system,
            product.code,
            variation.code,
            variation.jan,
            product.name,
            chosen,
            product.price,
            selects,
        )

    def _take(self, order: Order, occasion: Occasion) -> None:
        for line in order.lines():
            if line.item in self.cells:
                self.move(line.item, -line.amount, occasion, below_zero=True)

    def _give_back(self, parcels: Sequence[Parcel], occasion: Occasion) -> None:
        for line in (line for parcel in parcels for line in parcel.lines):
            if line.item in self.cells:
                self.move(line.item, line.amount, occasion)

    def _parcels(self, number: str, delivery: str | None, state: DeliveryState) -> list[Parcel]:
        parcels = self.orders[number].parcels
        return [each for each in parcels if each.state is state and delivery in (None, each.id)]

    def _provisional(self, number: str) -> Order:
        order = self.orders[number]
        if not order.provisional:
            raise ValueError("the order is settled already")
        return order


def _units(parcels: Sequence[Parcel]) -> int:
    return sum(line.amount for parcel in parcels for line in parcel.lines)
