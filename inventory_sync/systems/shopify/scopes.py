"""Access scopes: what we need, and what a grant covers (shopify.dev/docs/api/usage/access-scopes)."""

from __future__ import annotations

from collections.abc import Iterable

REQUIRED = ("read_products", "read_inventory", "write_inventory", "read_locations")


def covered(granted: Iterable[str]) -> frozenset[str]:
    """The scopes a grant covers: a write scope includes the read scope of the same name.

    >>> sorted(covered(["write_inventory"]))
    ['read_inventory', 'write_inventory']
    """
    given = {each.strip() for each in granted if each.strip()}
    return frozenset(given | {"read_" + each.removeprefix("write_") for each in given if each.startswith("write_")})


def missing(granted: Iterable[str]) -> tuple[str, ...]:
    """The required scopes a grant does not cover, in the order we list them."""
    have = covered(granted)
    return tuple(each for each in REQUIRED if each not in have)


def excess(granted: Iterable[str]) -> tuple[str, ...]:
    """Scopes that were granted and are of no use to us, in alphabetical order."""
    return tuple(sorted(covered(granted) - set(REQUIRED)))
