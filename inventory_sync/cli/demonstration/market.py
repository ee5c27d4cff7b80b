"""The partners of the demonstration: a register with two stores, a shop with two mapped locations, and a shop with one
number for each item.

Next to the ordinary items stand a few that must never be written, as every real catalogue has them.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from inventory_sync.cli.demonstration import accounts, partners
from inventory_sync.cli.demonstration.arrivals import Disturbances, Unheard
from inventory_sync.cli.demonstration.notices import CountingNotices, unheard
from inventory_sync.cli.demonstration.requests import CartRequests, Requests
from inventory_sync.cli.demonstration.stories import CLIENT, Books, Outage, Pair, Partner, Place, shows
from inventory_sync.sandbox.faults import Chaos, NoticeFaults
from inventory_sync.sandbox.kernel import EventLog, FaultKind, Request, StockChange, Violation
from inventory_sync.sandbox.makeshop import LOCATION, PATH, MakeShopSimulator, MakeShopSwitches
from inventory_sync.sandbox.shell import SandboxShell
from inventory_sync.sandbox.shopify import ShopifySimulator
from inventory_sync.sandbox.shopify.switches import ShopifySwitches
from inventory_sync.sandbox.smaregi import SmaregiSimulator

CART_SKUS = 40
"""So many of the items are for sale at MakeShop too: what they need to come to rest fits into one request a second."""

TIMEOUT = 5.0
"""Seconds the daemon waits for an answer, in the configuration it is given. Faults delay less than that."""

LATE_EFFECT = 10.0
"""Seconds after which a request without an answer cannot land any more; the partners here are never later."""

POLL = 20.0
"""Seconds after which the shop's changes are listed although notices arrive; a lost notice is found by that."""

CART_TIMEOUT, CART_LATE_EFFECT, CART_READ_LAG, CART_ORDER_LAG = 2.0, 5.0, 1.0, 3.0
"""The same of MakeShop, and how far its numbers and lists of orders may be behind. The time-out is short because after
a kill -9 a strictly serial partner is left alone until lease and time-out have passed."""

CART_STOCK_LAG, CART_LISTED_AFTER = 0.5, 1.0
"""How far they really are."""

LATENCY = {Partner.POS: 0.03, Partner.SHOP: 0.08, Partner.CART: 0.1}
"""Seconds each partner takes for a request."""

REQUEST_FAULTS = Chaos(
    {
        FaultKind.DELAY: 0.02,
        FaultKind.RESET_BEFORE: 0.01,
        FaultKind.RESET_AFTER: 0.01,
        FaultKind.ERROR_BEFORE: 0.01,
        FaultKind.ERROR_AFTER: 0.01,
    },
    seconds=(0.05, 1.0),
)
NOTICE_FAULTS = NoticeFaults(loss=0.03, answer_loss=0.02, duplication=0.05, delay=(0.0, 0.4))

ADD = "POST */add"
ADJUST = "inventoryAdjustQuantities"
"""The partners' relative writes, as faults name them."""


@dataclass(slots=True)
class Oddities:
    """Items that must never be written, with why. They are traded like any other, those of MakeShop excepted."""

    ledger: dict[str, str] = field(default_factory=dict)
    shop: dict[str, str] = field(default_factory=dict)
    cart: dict[str, str] = field(default_factory=dict)


class Market:
    """All partners with their shells, in this process. `skus` ordinary items; the first of them at MakeShop too."""

    def __init__(self, skus: int, chance: random.Random) -> None:
        self.chance = chance
        now = datetime.now(UTC)
        self.smaregi = partners.smaregi()
        self.shopify = partners.shopify(now, ShopifySwitches(plain_http_webhooks=True))
        self.makeshop = partners.makeshop(
            random.Random(chance.random()), MakeShopSwitches(stock_lag=CART_STOCK_LAG, order_lag=CART_LISTED_AFTER)
        )
        self.simulators: dict[Partner, SmaregiSimulator | ShopifySimulator | MakeShopSimulator] = {
            Partner.POS: self.smaregi,
            Partner.SHOP: self.shopify,
            Partner.CART: self.makeshop,
        }
        self.oddities = Oddities()
        self.places = self.shopify.location_ids()[: len(accounts.STORES)]
        self.shop_pairs, self.cart_pairs = self._seed(skus, now)
        self.pairs = [*self.shop_pairs, *self.cart_pairs]
        self._seed_oddities(now)
        self.notices = {partner: CountingNotices(random.Random(chance.random())) for partner in Partner}
        self.cart_requests = CartRequests(random.Random(chance.random()), self.makeshop)
        self.faults: dict[Partner, Requests] = {
            Partner.POS: Requests(random.Random(chance.random())),
            Partner.SHOP: Requests(random.Random(chance.random())),
            Partner.CART: self.cart_requests,
        }
        self.shells = {partner: self._shell(partner) for partner in Partner}
        self._since = dict.fromkeys(Partner, 0)
        self._starts: dict[Place, int] = {}

    def _shell(self, partner: Partner) -> SandboxShell:
        def took(_request: Request) -> float:
            return LATENCY[partner]

        return SandboxShell(
            self.simulators[partner], faults=self.faults[partner], notices=self.notices[partner], latency=took
        )

    async def open(self, public_url: str) -> None:
        """Serve on loopback; the ledger's notices go to the daemon's address, as a person enters it there."""
        partners.notify(self.smaregi, public_url)
        for shell in self.shells.values():
            await shell.start()

    async def close(self) -> None:
        for shell in self.shells.values():
            await shell.stop()

    def config(self) -> str:
        """The configuration file that connects the daemon to all of them."""
        urls = {partner: shell.base_url for partner, shell in self.shells.items()}
        pos = accounts.pos(urls[Partner.POS]) | {
            "request_timeout_seconds": TIMEOUT,
            "late_effect_seconds": LATE_EFFECT,
        }
        shop = accounts.shop(urls[Partner.SHOP]) | {"request_timeout_seconds": TIMEOUT, "poll_every_seconds": POLL}
        cart = accounts.cart(urls[Partner.CART] + PATH) | {
            "request_timeout_seconds": CART_TIMEOUT,
            "late_effect_seconds": CART_LATE_EFFECT,
            "read_lag_seconds": CART_READ_LAG,
            "order_lag_seconds": CART_ORDER_LAG,
        }
        return accounts.configuration(
            {accounts.POS: pos, accounts.SHOP: shop, accounts.CART: cart},
            {
                accounts.POS_SHOP: accounts.paired_route(self.places),
                accounts.POS_CART: accounts.pooled_route(accounts.CART),
            },
        )

    # -- catalogue ---

    def _seed(self, skus: int, now: datetime) -> tuple[list[Pair], list[Pair]]:
        chance = self.chance
        items = self.shopify.seed_catalogue(skus, now, stock=(0, 40), chance=chance, prefix="DEMO-")
        place_of = dict(zip(accounts.STORES, self.places, strict=True))

        def differing(shown: int) -> int:
            return shown if chance.random() < 0.6 else max(0, shown + chance.randint(-8, 12))

        def counted(number: int, store: str) -> int:
            return differing(self.shopify.available(items[number], place_of[store]))

        products = partners.stock_register(self.smaregi, skus, now, counted)
        ledger = {
            (number, store): Place(Partner.POS, products[number], store)
            for number in range(skus)
            for store in accounts.STORES
        }
        shop_pairs = [
            Pair(f"{accounts.sku(number)}@{store}", Place(Partner.SHOP, items[number], place_of[store]), (place,))
            for (number, store), place in ledger.items()
        ]

        def summed(number: int) -> int:
            stock = [self.smaregi.stock(products[number], store) or 0 for store in accounts.STORES]
            return differing(max(0, sum(stock)))

        cart_items = partners.stock_cart(self.makeshop, min(CART_SKUS, skus), now, summed)
        cart_pairs = [
            Pair(
                f"{accounts.sku(number)}@MakeShop",
                Place(Partner.CART, item, LOCATION),
                tuple(ledger[number, store] for store in accounts.STORES),
            )
            for number, item in enumerate(cart_items)
        ]
        return shop_pairs, cart_pairs

    def _seed_oddities(self, now: datetime) -> None:
        self._odd("stock not managed at the shop", "ODD-UNTRACKED-1", ["ODD-UNTRACKED-1"], now, tracked=False)
        self._odd("stock not managed at the shop", "ODD-UNTRACKED-2", ["ODD-UNTRACKED-2"], now, tracked=False)
        self._odd("stock not managed at the register", "ODD-UNMANAGED", ["ODD-UNMANAGED"], now, managed=False)
        self._odd("bundle", "ODD-BUNDLE", ["ODD-BUNDLE"], now, bundle=True)
        self._odd("one SKU, two listings", "ODD-TWICE", ["ODD-TWICE", "ODD-TWICE"], now)
        self._odd("almost the same SKU (blank)", "ODD-BLANK", ["ODD-BLANK "], now)
        self._odd("almost the same SKU (case)", "ODD-CASE", ["odd-case"], now)
        self._odd("only at the shop", None, ["ODD-SHOP-ONLY"], now)
        self._odd("only at the register", "ODD-POS-ONLY", [], now)
        self._odd("unlimited at MakeShop", "ODD-UNLIMITED", [], now)
        self.oddities.cart = self.makeshop.seed_oddities(now)

    def _odd(
        self,
        why: str,
        code: str | None,
        skus: list[str],
        now: datetime,
        *,
        tracked: bool = True,
        bundle: bool = False,
        managed: bool = True,
    ) -> None:
        for sku in skus:
            [item] = self.shopify.add_product(
                f"Odd {sku}", [sku], now, locations=self.places, stock=7, tracked=tracked, bundle=bundle
            )
            self.oddities.shop[item] = why
        if code is not None:
            product = self.smaregi.add_product(code, now, managed=managed)
            self.oddities.ledger[product] = why
            for store in accounts.STORES:
                self.smaregi.receive(product, store, 9, now)

    # -- the logs ---

    def log(self, partner: Partner) -> EventLog:
        """The partner's own log."""
        return self.simulators[partner].log

    def number(self, place: Place) -> int:
        """What the partner itself holds now."""
        match place.partner:
            case Partner.POS:
                return self.smaregi.stock(place.item, place.location) or 0
            case Partner.SHOP:
                return self.shopify.available(place.item, place.location)
            case Partner.CART:
                return self.makeshop.stock(place.item) or 0

    def unequal(self) -> list[Pair]:
        """The pairs whose sides differ at this moment."""
        return [p for p in self.pairs if not shows(self.number(p.channel), sum(map(self.number, p.ledger)))]

    def last_write(self) -> datetime | None:
        """When the daemon last changed a number at any partner."""
        found = [c.at for partner in Partner if (c := _last_by_client(self.log(partner).changes)) is not None]
        return max(found, default=None)

    def begin(self) -> None:
        """From here on is counted: note all numbers and how far the logs are."""
        self._since = {partner: len(self.log(partner).changes) for partner in Partner}
        self._starts = {place: self.number(place) for pair in self.pairs for place in (pair.channel, *pair.ledger)}

    def since(self, partner: Partner) -> list[StockChange]:
        """The partner's own log since the beginning."""
        return self.log(partner).changes[self._since[partner] :]

    def books(self) -> Books:
        """All logs since the beginning."""
        return Books(self.pairs, self._starts, {partner: self.since(partner) for partner in Partner})

    def violations(self) -> list[Violation]:
        """Limits of partners that were overstepped, ever."""
        return [each for partner in Partner for each in self.log(partner).violations]

    def unheard(self) -> set[Unheard]:
        """Changes since the beginning that no notice told of: lost on the way, or made over the older API."""
        found = {
            Unheard(Place(Partner.POS, c.item, c.location), c.at)
            for c in self.since(Partner.POS)
            if c.cause == "api" and c.actor != CLIENT
        }
        for partner in (Partner.POS, Partner.SHOP):
            found |= unheard(partner, self.since(partner), self.notices[partner])
        return found

    def outages(self, down: Sequence[Outage]) -> dict[Partner, Sequence[Outage]]:
        """The times at which partners could not be heard of. `down`: when the daemon was."""
        deaf = self.cart_requests.deaf([outage.since for outage in down])
        return {Partner.POS: down, Partner.SHOP: down, Partner.CART: deaf}

    def disturbances(self, down: Sequence[Outage]) -> Disturbances:
        """All that may have held changes up."""
        doubts = self.cart_requests.doubts(CART_LATE_EFFECT + 3 * CART_ORDER_LAG)
        places = {Place(Partner.CART, item, LOCATION): times for item, times in doubts.items()}
        return Disturbances(self.unheard(), self.outages(down), places)

    def write_logs(self, directory: Path) -> None:
        """Keep all event logs, one JSON object a line."""
        for partner in Partner:
            with (directory / f"{partner.value}.jsonl").open("w", encoding="utf-8") as file:
                for c in self.log(partner).changes:
                    values = (c.at.isoformat(), c.item, c.location, c.delta, c.after, c.actor, c.cause, c.reference)
                    keys = ("at", "item", "location", "delta", "after", "actor", "cause", "reference")
                    file.write(json.dumps(dict(zip(keys, values, strict=True))) + "\n")

    # -- what goes wrong ---

    def disturb(self, on: bool) -> None:
        """Begin or end the faults of requests and notices; what was queued is dropped with them."""
        for partner in Partner:
            self.faults[partner].clear()
            self.faults[partner].set_chaos(REQUEST_FAULTS if on else None)
            self.notices[partner].faults = NOTICE_FAULTS if on else NoticeFaults()

    def faulted(self) -> Counter[FaultKind]:
        """Requests that something befell, by kind."""
        found: Counter[FaultKind] = Counter()
        for plan in self.faults.values():
            found.update({kind: number for kind, number in plan.decided.items() if kind is not FaultKind.NONE})
        return found

    def noticed(self) -> Counter[str]:
        """Notices that were sent, lost, duplicated, or delivered without the answer getting back."""
        return sum((plan.counts for plan in self.notices.values()), Counter())

    @contextmanager
    def now(self) -> Iterator[datetime]:
        """The time at which something is done at the partners, whose notices then go out."""
        yield max(shell.now() for shell in self.shells.values())
        for shell in self.shells.values():
            shell.poke()


def _last_by_client(changes: list[StockChange]) -> StockChange | None:
    return next((c for c in reversed(changes) if c.actor == CLIENT), None)
