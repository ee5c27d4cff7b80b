"""A Shopify shop to test against: Admin GraphQL API, webhooks, orders, and every doubtful behaviour as a switch."""

from inventory_sync.sandbox.shopify.simulator import ShopifySimulator, ShopStatus
from inventory_sync.sandbox.shopify.switches import (
    BatchMode,
    InactiveWrite,
    MissingLevelWrite,
    RepeatAfterRefusal,
    ShopifySwitches,
    ThrottleAnswer,
)
from inventory_sync.sandbox.shopify.trade import Order, StockSnapshot

__all__ = [
    "BatchMode",
    "InactiveWrite",
    "MissingLevelWrite",
    "Order",
    "RepeatAfterRefusal",
    "ShopStatus",
    "ShopifySimulator",
    "ShopifySwitches",
    "StockSnapshot",
    "ThrottleAnswer",
]
