"""What stories about `explain` ask: the causes of one code, in order, and what is said of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from inventory_sync.engine.explain import Cause, Event, Explanation, Line, explain
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish


@dataclass(frozen=True, slots=True)
class Story:
    """How a cause comes about, and what has to be said of it then. `first`: it is the first thing that is said."""

    named: str
    happens: Callable[[Furnish], Awaitable[Bench]]
    cause: Cause
    en: str
    ja: str
    code: str = "A-1"
    first: bool = True


async def aligned(furnished: Furnish, setup: Setup | None = None) -> Bench:
    """A bench of a route that was aligned and runs."""
    bench = await furnished(setup)
    await bench.align()
    return bench


async def ask(bench: Bench, code: str = "A-1", **options: Any) -> Explanation:
    """What is said of a code now."""
    return await explain(bench.house, code, **options)


async def line(bench: Bench, code: str = "A-1", shop: str = "shop") -> Line:
    """What is said of the first number of a code at a shop."""
    found = await ask(bench, code, route=f"pos-{shop}")
    return found.lines[0]


async def causes(bench: Bench, code: str = "A-1", shop: str = "shop") -> list[Cause]:
    """The causes of a code's first number at a shop, in order of importance."""
    return [each.cause for each in (await line(bench, code, shop)).findings]


async def unpaired(bench: Bench, code: str) -> dict[str, tuple[Cause, str]]:
    """Why the items of a code are not matched, by side: the cause and its English sentence."""
    found = await ask(bench, code)
    assert found.lines == ()

    return {each.side: (said.cause, said.en) for each, said in found.unpaired}


def told(events: tuple[Event, ...], kind: str, place: str = "") -> list[tuple[int | None, int | None, str]]:
    """Before, after and cause of each event of a kind at a partner, oldest first."""
    return [
        (each.before, each.after, each.cause) for each in events if each.kind == kind and each.place.startswith(place)
    ]
