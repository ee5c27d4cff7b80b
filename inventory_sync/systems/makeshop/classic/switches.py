"""What no document of the classic API settles, as one object; tests play it both ways."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ClassicSwitches:
    """Times and readings that are second-hand or guessed. The defaults are what is most likely safe."""

    order_end_lag: timedelta = timedelta(minutes=2)
    """How far before now an order list ends. A shipping service's client asks that way; nothing says what would happen
    without. Zero lists up to now."""
    order_cap: int = 100
    """Orders that one list holds at most (seen in a client); a list this long is asked again in two halves."""
    read_lag: timedelta = timedelta(seconds=10)
    """How long an upload may be missing from reads: nothing says that a file is worked off before the answer."""
    late_effect: timedelta = timedelta(seconds=120)
    """How long an unanswered upload may still be worked off."""
    access_used_for: timedelta = timedelta(minutes=4)
    """How long an access address is used: a minute less than the 5 minutes it lives (apidoc.makeshop.jp/about)."""
    paid_later: tuple[str, ...] = ("R", "N", "A", "M", "B1")
    """Ways to pay whose money comes at the door or after the goods (cash on delivery and four deferred payments, seen
    in a client): such an order is unpaid for long, and nobody waits for it."""
    product_auth_path: str = "/api/product/auth/"
    """Where an access address of the product API is asked for (seen in a client's configuration)."""


DEFAULT = ClassicSwitches()
