"""Who the simulated partners know, and the configuration file that connects the daemon to them.

Shared by `sandbox` and `demo`. Needs no simulator, and so no optional package.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML

POS, SHOP, CART, CLASSIC = "pos", "shop", "cart", "classic"
"""The connections: a register (Smaregi), a shop at Shopify, one at MakeShop, and one with MakeShop's classic API."""

POS_SHOP, POS_CART, POS_CLASSIC = "pos-shop", "pos-cart", "pos-classic"
"""The routes."""

CONTRACT = "sandbox1"
DOMAIN = "sandbox-jp.myshopify.com"
CART_SHOP, CLASSIC_SHOP = "sandbox-cart", "sandbox-classic"
CLIENT_ID = "sandbox-client"
LEDGER_SECRET = "sandbox-ledger-secret"  # noqa: S105 - these open nothing but the simulators
NOTICE_SECRET = "sandbox-notice-secret"  # noqa: S105
SHOP_SECRET = "shpss_sandbox_secret"  # noqa: S105
CART_TOKEN = "PAT.sandbox-cart-token"  # noqa: S105
CART_KEY = "sandbox-cart-api-key"
CART_SECRET = "sandbox-cart-secret"  # noqa: S105
ORDER_CODE = "sandbox-order-code"
PRODUCT_CODE = "sandbox-product-code"
ADMIN = "sandbox-admin"
PASSWORD = "sandbox-pass"  # noqa: S105
NOTICE_HEADER = "X-Inventory-Sync-Secret"

STORES = ("1", "2")
PLACES = ("Main shop", "Warehouse", "Pop-up")
"""Locations at Shopify; the register's stores are mapped to the first of them."""

SECRETS = {
    "SANDBOX_LEDGER_SECRET": LEDGER_SECRET,
    "SANDBOX_NOTICE_SECRET": NOTICE_SECRET,
    "SANDBOX_SHOP_SECRET": SHOP_SECRET,
    "SANDBOX_CART_TOKEN": CART_TOKEN,
    "SANDBOX_CART_KEY": CART_KEY,
    "SANDBOX_CART_SECRET": CART_SECRET,
    "SANDBOX_ORDER_CODE": ORDER_CODE,
    "SANDBOX_PRODUCT_CODE": PRODUCT_CODE,
    "SANDBOX_PASSWORD": PASSWORD,
}
"""What the configuration expects in the environment."""

Part = dict[str, Any]


def sku(number: int) -> str:
    """The code of an ordinary item, from its number from 0.

    >>> sku(0)
    'DEMO-000001'
    """
    return f"DEMO-{number + 1:06d}"


def pos(address: str) -> Part:
    """The register's connection."""
    return {
        "system": "smaregi",
        "contract_id": CONTRACT,
        "client_id": CLIENT_ID,
        "client_secret": "${SANDBOX_LEDGER_SECRET}",
        "webhook_secret": "${SANDBOX_NOTICE_SECRET}",
        "webhook_header": NOTICE_HEADER,
        "base_url": address,
    }


def shop(address: str) -> Part:
    """Shopify's connection."""
    return {
        "system": "shopify",
        "shop": DOMAIN,
        "client_id": CLIENT_ID,
        "client_secret": "${SANDBOX_SHOP_SECRET}",
        "base_url": address,
    }


def cart(address: str) -> Part:
    """MakeShop's connection over the GraphQL API; `address` is the whole endpoint.

    It says which calculation type sets a number, as a person does who knows, and so needs no calibration: numbers are
    set outright, and orders are the source of changes, which is the harder of the two ways.
    """
    return {
        "system": "makeshop",
        "api": "graphql",
        "shop_id": CART_SHOP,
        "access_token": "${SANDBOX_CART_TOKEN}",
        "api_key": "${SANDBOX_CART_KEY}",
        "webhook_secret": "${SANDBOX_CART_SECRET}",
        "quantity_calculation": {"absolute": 0},
        "base_url": address,
    }


def classic(address: str) -> Part:
    """The connection of a shop with MakeShop's classic API."""
    return {
        "system": "makeshop",
        "api": "classic",
        "shop_id": CLASSIC_SHOP,
        "order_auth_code": "${SANDBOX_ORDER_CODE}",
        "product_auth_code": "${SANDBOX_PRODUCT_CODE}",
        "admin_id": ADMIN,
        "admin_password": "${SANDBOX_PASSWORD}",
        "base_url": address,
    }


def paired_route(places: Sequence[str], state: str = "running") -> Part:
    """The register's stores, each with a location of the shop."""
    return {
        "ledger": POS,
        "channel": SHOP,
        "direction": "two_way",
        "sales": "post",
        "match": {"ledger_field": "product_code", "channel_field": ["sku"]},
        "locations": [{"ledger": store, "channel": place} for store, place in zip(STORES, places, strict=False)],
        "align": "ledger_wins",
        "state": state,
    }


def pooled_route(channel: str, state: str = "running") -> Part:
    """The register's stores, summed for a shop that knows one number for each item."""
    return {
        "ledger": POS,
        "channel": channel,
        "direction": "two_way",
        "sales": "post",
        "match": {"ledger_field": "product_code", "channel_field": ["jan_code", "custom_code"]},
        "pool": {"ledger": list(STORES), "intake": STORES[0]},
        "align": "ledger_wins",
        "state": state,
    }


def answers(register: str, shop_address: str, places: Sequence[str]) -> str:
    """Answers to `setup`, as YAML: the register, the shop at Shopify, and which places belong together."""
    ledger = {"system": "smaregi", "name": POS} | {k: v for k, v in pos(register).items() if k != "system"}
    channel = {"system": "shopify", "name": SHOP} | {k: v for k, v in shop(shop_address).items() if k != "system"}
    locations = dict(zip(STORES, places, strict=False))
    return _yaml({"ledger": ledger, "channel": channel, "route": {"name": POS_SHOP, "locations": locations}})


def configuration(connections: Mapping[str, Part], routes: Mapping[str, Part]) -> str:
    """The file, as YAML."""
    return _yaml({"connections": dict(connections), "routes": dict(routes)})


def _yaml(document: Part) -> str:
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    writer.dump(document, text)
    return text.getvalue()
