"""Simulated MakeShop: the GraphQL API of one shop, its trade, and the webhooks that tell of it."""

from inventory_sync.sandbox.makeshop.notices import Event, WebhookSettings, sign
from inventory_sync.sandbox.makeshop.records import DeliveryState
from inventory_sync.sandbox.makeshop.simulator import MakeShopSimulator
from inventory_sync.sandbox.makeshop.switches import (
    ALL_SCOPES,
    JST,
    LOCATION,
    NOTICE_CYCLE,
    PATH,
    MakeShopSwitches,
)

__all__ = [
    "ALL_SCOPES",
    "JST",
    "LOCATION",
    "NOTICE_CYCLE",
    "PATH",
    "DeliveryState",
    "Event",
    "MakeShopSimulator",
    "MakeShopSwitches",
    "WebhookSettings",
    "sign",
]
