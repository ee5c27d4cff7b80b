"""The two partners of the demonstration: a register with two stores, and a shop with two mapped locations.

Next to the ordinary items stand a few that must never be written, as every real catalogue has them.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inventory_sync.cli.demonstration.arrivals import Unheard
from inventory_sync.cli.demonstration.stories import CLIENT, Pair, Place, Side, Story, shows, stories
from inventory_sync.sandbox.faults import Chaos, FaultPlan, NoticeFate, NoticeFaults, NoticePlan
from inventory_sync.sandbox.kernel import Delivery, FaultKind, Request, StockChange
from inventory_sync.sandbox.shell import SandboxShell
from inventory_sync.sandbox.shopify import ShopifySimulator
from inventory_sync.sandbox.shopify.switches import ShopifySwitches
from inventory_sync.sandbox.smaregi import SmaregiSimulator

CONTRACT = "demo0001"
DOMAIN = "demo-jp.myshopify.com"
CLIENT_ID = "demo-client"
LEDGER_SECRET = "demo-ledger-secret"  # noqa: S105 - opens nothing but the simulator
NOTICE_SECRET = "demo-notice-secret"  # noqa: S105
SHOP_SECRET = "shpss_demo_secret"  # noqa: S105
NOTICE_HEADER = "X-Inventory-Sync-Secret"
STORES = ("1", "2")
LOCATIONS = ("Main shop", "Warehouse", "Pop-up")
CONNECTIONS = {Side.LEDGER: "pos", Side.CHANNEL: "shop"}
ROUTE = "pos-shop"

TIMEOUT = 5.0
"""Seconds the daemon waits for an answer, in the configuration it is given. Faults delay less than that."""

LATE_EFFECT = 10.0
"""Seconds after which a request without an answer cannot land any more; the partners here are never later."""

POLL = 20.0
"""Seconds after which the shop's changes are listed although notices arrive; a lost notice is found by that."""

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

_CONFIG = f"""\
connections:
  pos:
    system: smaregi
    contract_id: {CONTRACT}
    client_id: {CLIENT_ID}
    client_secret: ${{DEMO_LEDGER_SECRET}}
    webhook_secret: ${{DEMO_NOTICE_SECRET}}
    webhook_header: {NOTICE_HEADER}
    base_url: %(smaregi)s
    request_timeout_seconds: {TIMEOUT}
    late_effect_seconds: {LATE_EFFECT}
  shop:
    system: shopify
    shop: {DOMAIN}
    client_id: {CLIENT_ID}
    client_secret: ${{DEMO_SHOP_SECRET}}
    base_url: %(shopify)s
    request_timeout_seconds: {TIMEOUT}
    poll_every_seconds: {POLL}
routes:
  {ROUTE}:
    ledger: pos
    channel: shop
    direction: two_way
    sales: post
    match: {{ledger_field: product_code, channel_field: [sku]}}
    locations:
%(locations)s
    align: ledger_wins
    state: running
"""

SECRETS = {
    "DEMO_LEDGER_SECRET": LEDGER_SECRET,
    "DEMO_NOTICE_SECRET": NOTICE_SECRET,
    "DEMO_SHOP_SECRET": SHOP_SECRET,
}
"""What the configuration file expects in the environment."""


class CountingNotices(NoticePlan):
    """A notice plan that counts what it does, and remembers the stock notices that never went out."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance=chance)
        self.counts: Counter[str] = Counter()
        self.lost: list[tuple[datetime, bytes]] = []

    def decide(self, delivery: Delivery) -> NoticeFate:
        fate = super().decide(delivery)
        self.counts["sent"] += 1
        self.counts["lost"] += fate.lost
        self.counts["duplicated"] += len(fate.copies) > 1
        self.counts["unanswered"] += not fate.lost and not fate.answer_arrives
        if fate.lost:
            self.lost.append((delivery.due, delivery.body))
        return fate


@dataclass(slots=True)
class Oddities:
    """Items that must never be written, at each partner, with why. They are traded like any other."""

    ledger: dict[str, str] = field(default_factory=dict)
    channel: dict[str, str] = field(default_factory=dict)


class Market:
    """Both partners with their shells, in this process. `skus` ordinary items at two locations each."""

    def __init__(self, skus: int, chance: random.Random) -> None:
        self.chance = chance
        now = datetime.now(UTC)
        self.smaregi = SmaregiSimulator(contract=CONTRACT, client_id=CLIENT_ID, client_secret=LEDGER_SECRET)
        self.shopify = ShopifySimulator(
            domain=DOMAIN,
            client_id=CLIENT_ID,
            client_secret=SHOP_SECRET,
            locations=LOCATIONS,
            switches=ShopifySwitches(plain_http_webhooks=True),
            beginning=now,
        )
        self.oddities = Oddities()
        self.places = self.shopify.location_ids()[: len(STORES)]
        self.pairs = self._seed(skus, now)
        self._seed_oddities(now)
        self.notices = {side: CountingNotices(random.Random(chance.random())) for side in Side}
        self.faults = {side: FaultPlan(random.Random(chance.random())) for side in Side}
        self.shells = {
            Side.LEDGER: self._shell(Side.LEDGER, self.smaregi, 0.03),
            Side.CHANNEL: self._shell(Side.CHANNEL, self.shopify, 0.08),
        }
        self._since = dict.fromkeys(Side, 0)
        self._starts: dict[Side, dict[Place, int]] = {side: {} for side in Side}

    def _shell(self, side: Side, simulator: SmaregiSimulator | ShopifySimulator, latency: float) -> SandboxShell:
        def took(_request: Request) -> float:
            return latency

        return SandboxShell(simulator, faults=self.faults[side], notices=self.notices[side], latency=took)

    async def open(self, public_url: str) -> None:
        """Serve on loopback; the ledger's notices go to the daemon's address, as a person enters it there."""
        url = f"{public_url}/webhooks/smaregi/{CONNECTIONS[Side.LEDGER]}"
        self.smaregi.configure_webhook(url, header=NOTICE_HEADER, secret=NOTICE_SECRET)
        for shell in self.shells.values():
            await shell.start()

    async def close(self) -> None:
        for shell in self.shells.values():
            await shell.stop()

    def config(self) -> str:
        """The configuration file that connects the daemon to both."""
        return _CONFIG % {
            "smaregi": self.shells[Side.LEDGER].base_url,
            "shopify": self.shells[Side.CHANNEL].base_url,
            "locations": "\n".join(
                f'      - {{ledger: "{store}", channel: "{place}"}}'
                for store, place in zip(STORES, self.places, strict=True)
            ),
        }

    # -- catalogue ---

    def _seed(self, skus: int, now: datetime) -> list[Pair]:
        chance = self.chance
        items = self.shopify.seed_catalogue(skus, now, stock=(0, 40), chance=chance, prefix="DEMO-")
        place_of = dict(zip(STORES, self.places, strict=True))

        def counted(number: int, store: str) -> int:
            shown = self.shopify.available(items[number], place_of[store])
            return shown if chance.random() < 0.6 else max(0, shown + chance.randint(-8, 12))

        products = self.smaregi.seed_catalogue(
            skus, now, stores=STORES, codes=lambda number: f"DEMO-{number + 1:06d}", initial=counted
        )
        return [
            Pair(
                f"DEMO-{number + 1:06d}@{store}", Place(products[number], store), Place(items[number], place_of[store])
            )
            for number in range(skus)
            for store in STORES
        ]

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
            self.oddities.channel[item] = why
        if code is not None:
            product = self.smaregi.add_product(code, now, managed=managed)
            self.oddities.ledger[product] = why
            for store in STORES:
                self.smaregi.receive(product, store, 9, now)

    # -- the logs ---

    def changes(self, side: Side) -> list[StockChange]:
        """The partner's own log, whole."""
        return self.smaregi.log.changes if side is Side.LEDGER else self.shopify.log.changes

    def number(self, pair: Pair, side: Side) -> int:
        """What the partner itself holds now."""
        if side is Side.LEDGER:
            return self.smaregi.stock(pair.ledger.item, pair.ledger.location) or 0
        return self.shopify.available(pair.channel.item, pair.channel.location)

    def unequal(self) -> list[Pair]:
        """The pairs whose sides differ at this moment."""
        return [p for p in self.pairs if not shows(self.number(p, Side.CHANNEL), self.number(p, Side.LEDGER))]

    def last_write(self) -> datetime | None:
        """When the daemon last changed a number at either partner."""
        found = [c.at for side in Side if (c := _last_by_client(self.changes(side))) is not None]
        return max(found, default=None)

    def begin(self) -> None:
        """From here on is counted: note both sides' numbers and how far their logs are."""
        self._since = {side: len(self.changes(side)) for side in Side}
        self._starts = {
            Side.LEDGER: {pair.ledger: self.number(pair, Side.LEDGER) for pair in self.pairs},
            Side.CHANNEL: {pair.channel: self.number(pair, Side.CHANNEL) for pair in self.pairs},
        }

    def since(self, side: Side) -> list[StockChange]:
        """The partner's own log since the beginning."""
        return self.changes(side)[self._since[side] :]

    def stories(self) -> list[Story]:
        """Both logs since the beginning, pair by pair."""
        starts = self._starts
        return stories(
            self.pairs, starts[Side.LEDGER], starts[Side.CHANNEL], self.since(Side.LEDGER), self.since(Side.CHANNEL)
        )

    def unheard(self) -> set[Unheard]:
        """Changes since the beginning that no notice told of: lost on the way, or made over the older API."""
        found = {
            Unheard(Side.LEDGER, Place(c.item, c.location), c.at)
            for c in self.since(Side.LEDGER)
            if c.cause == "api" and c.actor != CLIENT
        }
        for side in Side:
            latest = _Latest(self.since(side))
            for due, body in sorted(self.notices[side].lost):
                for place in _told_of(side, body):
                    change = latest.before(place, due)
                    if change is not None:
                        found.add(Unheard(side, place, change.at))
        return found

    def write_logs(self, directory: Path) -> None:
        """Keep both event logs, one JSON object a line."""
        for side in Side:
            with (directory / f"{side.value}.jsonl").open("w", encoding="utf-8") as file:
                for c in self.changes(side):
                    values = (c.at.isoformat(), c.item, c.location, c.delta, c.after, c.actor, c.cause, c.reference)
                    keys = ("at", "item", "location", "delta", "after", "actor", "cause", "reference")
                    file.write(json.dumps(dict(zip(keys, values, strict=True))) + "\n")

    # -- what goes wrong ---

    def disturb(self, on: bool) -> None:
        """Begin or end the faults of requests and notices; what was queued is dropped with them."""
        for side in Side:
            self.faults[side].clear()
            self.faults[side].set_chaos(REQUEST_FAULTS if on else None)
            self.notices[side].faults = NOTICE_FAULTS if on else NoticeFaults()

    def faulted(self) -> Counter[FaultKind]:
        """Requests that something befell, by kind."""
        found: Counter[FaultKind] = Counter()
        for plan in self.faults.values():
            found.update({kind: number for kind, number in plan.decided.items() if kind is not FaultKind.NONE})
        return found

    def noticed(self) -> Counter[str]:
        """Notices that were sent, lost, duplicated, or delivered without the answer getting back."""
        return self.notices[Side.LEDGER].counts + self.notices[Side.CHANNEL].counts

    @contextmanager
    def now(self) -> Iterator[datetime]:
        """The time at which something is done at both partners, whose notices then go out."""
        yield max(shell.now() for shell in self.shells.values())
        for shell in self.shells.values():
            shell.poke()


class _Latest:
    """Finds the change of others that a notice was about."""

    def __init__(self, changes: list[StockChange]) -> None:
        self._by_place: dict[Place, list[StockChange]] = {}
        for change in changes:
            if change.actor != CLIENT:
                self._by_place.setdefault(Place(change.item, change.location), []).append(change)

    def before(self, place: Place, due: datetime) -> StockChange | None:
        """The last change at a place within the few seconds that a notice waits."""
        known = [c for c in self._by_place.get(place, ()) if due - timedelta(seconds=2) <= c.at <= due]
        return known[-1] if known else None


def _last_by_client(changes: list[StockChange]) -> StockChange | None:
    return next((c for c in reversed(changes) if c.actor == CLIENT), None)


def _told_of(side: Side, body: bytes) -> list[Place]:
    """The stock numbers a notice is about, in the words of the partner's log."""
    found = json.loads(body)
    if side is Side.LEDGER:
        return [Place(each["productId"], each["storeId"]) for each in found.get("ids", ()) if "storeId" in each]
    if "inventory_item_id" not in found or "location_id" not in found:
        return []
    item, location = found["inventory_item_id"], found["location_id"]
    return [Place(f"gid://shopify/InventoryItem/{item}", f"gid://shopify/Location/{location}")]
