"""What Shopify can do, as the engine needs to know it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from inventory_sync.systems.port import Capabilities, EvidenceKind, Role
from inventory_sync.systems.shopify.documents import PAGE
from inventory_sync.systems.shopify.settings import ShopifySettings

CAPABILITIES = Capabilities(
    roles=frozenset({Role.CHANNEL, Role.LEDGER}),
    match_fields=("sku", "barcode"),
    read_batch=PAGE,  # ids in one `nodes(ids:)` (shopify.dev/docs/api/usage/limits)
    write_batch=PAGE,
    concurrent_writes=2,  # not published; more than this gains nothing, since rows of one shop are locked
    read_lag=timedelta(seconds=3),  # not published; the setting read_lag_seconds replaces it
    late_effect=timedelta(seconds=60),  # not published; the setting late_effect_seconds replaces it
    request_timeout=timedelta(seconds=10),
    evidence=EvidenceKind.KEY,
    key_lifetime=timedelta(hours=20),  # Shopify keeps a key for 24 hours (docs/api/usage/idempotent-requests)
    absent_is_zero=False,
    activates=True,
    poll_every=timedelta(seconds=60),
    poll_alone_every=timedelta(seconds=10),
    shows_committed=True,
)


def for_settings(settings: ShopifySettings) -> Capabilities:
    """The capabilities with what the settings replace, given in seconds."""
    given = {
        "read_lag": settings.read_lag_seconds,
        "late_effect": settings.late_effect_seconds,
        "request_timeout": settings.request_timeout_seconds,
        "poll_every": settings.poll_every_seconds,
    }
    changed = {name: timedelta(seconds=value) for name, value in given.items() if value is not None}
    return replace(CAPABILITIES, **changed)  # type: ignore[arg-type]
