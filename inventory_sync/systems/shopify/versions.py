"""The API versions this adapter speaks, and when each stops being served.

A version appears on the first day of a quarter and is supported for at least twelve months; a retired one falls forward
to the oldest that is left (shopify.dev/docs/api/usage/versioning). The end dates follow from that rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

NEWEST = "2026-10"
SUPPORTED_UNTIL: Mapping[str, datetime] = {
    "2026-04": datetime(2027, 4, 1, 17, tzinfo=UTC),
    "2026-07": datetime(2027, 7, 1, 17, tzinfo=UTC),
    "2026-10": datetime(2027, 10, 1, 17, tzinfo=UTC),
}
WARN_BEFORE = timedelta(days=60)


def endpoint(version: str) -> str:
    """The path of the GraphQL endpoint of a version."""
    return f"/admin/api/{version}/graphql.json"


def warnings(asked: str, served: str | None, deprecated: str | None, now: datetime) -> tuple[str, ...]:
    """What a person should know about the API version: about to retire, replaced, or used in a deprecated way."""
    found: list[str] = []
    until = SUPPORTED_UNTIL.get(asked)
    if until is not None and now >= until - WARN_BEFORE:
        found.append(
            f"API version {asked} may stop being served on {until:%Y-%m-%d}; set api_version to {NEWEST} "
            "after updating inventory-sync"
        )
    if served is not None and served != asked:
        found.append(f"Shopify served API version {served} instead of {asked}")
    if deprecated:
        found.append(f"Shopify calls a part of our request deprecated: {deprecated[:200]}")
    return tuple(found)
