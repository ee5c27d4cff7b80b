"""What MakeShop can do over GraphQL, and what a calibration of one connection changes about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from inventory_sync.systems.makeshop.settings import (
    LATE_EFFECT,
    ORDER_LAG,
    READ_LAG,
    REQUEST_TIMEOUT,
    ROWS,
    MakeShopSettings,
)
from inventory_sync.systems.makeshop.writing import Calculation
from inventory_sync.systems.port import Capabilities, ChangeSource, EvidenceKind, Role, WriteMode

# What a calibration stores with the connection.
ABSOLUTE_TYPE, RELATIVE_TYPE, VARIATION_DETAILS = "absolute_type", "relative_type", "variation_details"
BELOW_ZERO = "below_zero"  # what a relative write below 0 does: allowed, cut_off, refused or unlimited

CAPABILITIES = Capabilities(
    roles=frozenset({Role.CHANNEL}),
    match_fields=("custom_code", "jan_code", "system_code"),
    read_batch=ROWS,
    write_batch=ROWS,
    concurrent_writes=1,
    read_lag=READ_LAG,
    late_effect=LATE_EFFECT,
    request_timeout=REQUEST_TIMEOUT,
    evidence=EvidenceKind.LEVEL,
    has_locations=False,
    polls_levels=False,  # no search knows "changed since" (none was ever seen): orders, walks and notices tell
    change_source=ChangeSource.ORDERS,
    writes=WriteMode.ABSOLUTE,
    has_orders=True,
    orders_every=timedelta(seconds=3),
    order_lag=ORDER_LAG,
    serial=True,
)
"""Until a calibration: absolute writes, with the orders as the source of changes."""


def calculation(settings: MakeShopSettings, found: Mapping[str, str]) -> Calculation:
    """How numbers are written: as a calibration found it; before one, absolute with the type the settings name."""
    relative, absolute = found.get(RELATIVE_TYPE), found.get(ABSOLUTE_TYPE)
    details = found.get(VARIATION_DETAILS, settings.variation_details)
    if relative is not None and (settings.relative_writes or absolute is None):
        return Calculation(WriteMode.RELATIVE, int(relative), details)
    chosen = settings.quantity_calculation.absolute if absolute is None else int(absolute)
    return Calculation(WriteMode.ABSOLUTE, chosen, details)


def effective_capabilities(settings: MakeShopSettings, found: Mapping[str, str]) -> Capabilities:
    """The capabilities of one connection; `found` is what its calibration stored."""
    relative = calculation(settings, found).mode is WriteMode.RELATIVE
    return replace(
        CAPABILITIES,
        write_batch=settings.write_rows if settings.mixed_writes else 1,
        read_lag=settings.read_lag,
        late_effect=settings.late_effect,
        request_timeout=settings.request_timeout,
        order_lag=settings.order_lag,
        provisional_counts=settings.provisional_counts,
        writes=WriteMode.RELATIVE if relative else WriteMode.ABSOLUTE,
        change_source=ChangeSource.LEVELS if relative else ChangeSource.ORDERS,
        evidence=EvidenceKind.ORDERS if relative else EvidenceKind.LEVEL,
        cuts_at_zero=relative and found.get(BELOW_ZERO, "cut_off") == "cut_off",
    )
