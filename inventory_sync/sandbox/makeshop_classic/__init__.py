"""Simulated MakeShop with its classic API: orders, product search, CSV uploads and exports, update notifications."""

from inventory_sync.sandbox.makeshop_classic.layouts import OPTION_COLUMNS, PRODUCT_COLUMNS, ExportedFile
from inventory_sync.sandbox.makeshop_classic.simulator import ClassicMakeShopSimulator
from inventory_sync.sandbox.makeshop_classic.switches import ACCESS_LIFE, PASSWORD_MAX, PRODUCT_PAGE, ClassicSwitches

__all__ = [
    "ACCESS_LIFE",
    "OPTION_COLUMNS",
    "PASSWORD_MAX",
    "PRODUCT_COLUMNS",
    "PRODUCT_PAGE",
    "ClassicMakeShopSimulator",
    "ClassicSwitches",
    "ExportedFile",
]
