"""The configuration file: read, checked as a whole, and explained where it is wrong. Changes nothing by itself."""

from inventory_sync.config.document import (
    ConfigDocument,
    ConnectionDocument,
    Direction,
    Listings,
    LocationPair,
    Pool,
    RouteDocument,
    RouteState,
    Sales,
    SetLine,
)
from inventory_sync.config.errors import ConfigCode, ConfigError, ConfigErrors
from inventory_sync.config.loader import load_document

__all__ = [
    "ConfigCode",
    "ConfigDocument",
    "ConfigError",
    "ConfigErrors",
    "ConnectionDocument",
    "Direction",
    "Listings",
    "LocationPair",
    "Pool",
    "RouteDocument",
    "RouteState",
    "Sales",
    "SetLine",
    "load_document",
]
