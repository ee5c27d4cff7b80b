"""The worlds there are. A story's seed chooses one of them, unless it is named."""

from __future__ import annotations

from dataclasses import dataclass

SHOPS = "shops"  # one Smaregi contract, two Shopify shops
ABSOLUTE = "absolute"  # and a MakeShop shop nobody calibrated: numbers are set, orders are the movements; a pool
RELATIVE = "relative"  # and a calibrated MakeShop shop: numbers are changed by differences, without any key; a pool
BUILTIN = "builtin"  # the built-in ledger instead of Smaregi
SETS = "sets"  # listings at Shopify that are made of several ledger items, or of several of one
CLASSIC = "classic"  # and a MakeShop shop over its older API: some numbers cannot be read back
EXPECT = "expect"  # the built-in ledger, and a mall whose sales an order system books there, sooner or later

KINDS = (SHOPS, ABSOLUTE, RELATIVE, BUILTIN, SETS, CLASSIC, EXPECT)
BOOKS = frozenset({BUILTIN, EXPECT})
MAKESHOP = frozenset({ABSOLUTE, RELATIVE, CLASSIC})


@dataclass(slots=True)
class Options:
    """How rough the world is, and which one it is (None: the seed chooses)."""

    changes: int = 60
    fault_chance: float = 0.12
    crash_every: float = 25.0
    limits: tuple[int, int] = (8, 4)
    world: str | None = None
    bulk: bool = False  # what several cells of the register wait for goes by bulk calls, live changes too


def kind_of(seed: int, options: Options) -> str:
    """The world of a story."""
    return options.world or KINDS[seed % len(KINDS)]
