"""The simulated partners that `sandbox` and `demo` start, each with its catalogue.

Importing this needs graphql-core.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from inventory_sync.cli.demonstration import accounts
from inventory_sync.sandbox.makeshop import MakeShopSimulator, MakeShopSwitches
from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator
from inventory_sync.sandbox.shopify import ShopifySimulator
from inventory_sync.sandbox.shopify.switches import ShopifySwitches
from inventory_sync.sandbox.smaregi import SmaregiSimulator

VARIATIONS_EVERY = 5
"""Every so many products of a MakeShop shop have two variations."""


def smaregi() -> SmaregiSimulator:
    """The register, empty."""
    return SmaregiSimulator(
        contract=accounts.CONTRACT, client_id=accounts.CLIENT_ID, client_secret=accounts.LEDGER_SECRET
    )


def notify(register: SmaregiSimulator, public_url: str) -> None:
    """Let the register's notices go to the daemon's public address, as a person enters it there."""
    url = f"{public_url.rstrip('/')}/webhooks/smaregi/{accounts.POS}"
    register.configure_webhook(url, header=accounts.NOTICE_HEADER, secret=accounts.NOTICE_SECRET)


def shopify(now: datetime, switches: ShopifySwitches | None = None) -> ShopifySimulator:
    """The shop at Shopify, empty."""
    return ShopifySimulator(
        domain=accounts.DOMAIN,
        client_id=accounts.CLIENT_ID,
        client_secret=accounts.SHOP_SECRET,
        locations=accounts.PLACES,
        switches=switches,
        beginning=now,
    )


def makeshop(chance: random.Random, switches: MakeShopSwitches | None = None) -> MakeShopSimulator:
    """The shop at MakeShop, empty."""
    return MakeShopSimulator(
        shop=accounts.CART_SHOP,
        token=accounts.CART_TOKEN,
        api_key=accounts.CART_KEY,
        secret=accounts.CART_SECRET,
        switches=switches,
        chance=chance,
    )


def makeshop_classic(chance: random.Random) -> ClassicMakeShopSimulator:
    """The shop with MakeShop's classic API, empty."""
    return ClassicMakeShopSimulator(
        shop=accounts.CLASSIC_SHOP,
        order_code=accounts.ORDER_CODE,
        product_code=accounts.PRODUCT_CODE,
        admin=accounts.ADMIN,
        password=accounts.PASSWORD,
        chance=chance,
    )


def stock_register(
    register: SmaregiSimulator, items: int, now: datetime, initial: int | Callable[[int, str], int] = 10
) -> list[str]:
    """Fill the register with ordinary items, `initial` units of a number and store; returns its products."""
    return register.seed_catalogue(items, now, stores=accounts.STORES, codes=accounts.sku, initial=initial)


def stock_cart(
    shop: MakeShopSimulator | ClassicMakeShopSimulator, items: int, now: datetime, initial: int | Callable[[int], int]
) -> list[str]:
    """Fill a MakeShop shop with the first of the ordinary items; returns its items in the order of their codes."""
    return shop.seed_catalogue(items, now, codes=accounts.sku, initial=initial, variations_every=VARIATIONS_EVERY)
