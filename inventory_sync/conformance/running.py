"""Running every behaviour against a set of rigs, without any test framework."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib import import_module

from inventory_sync.conformance.book import Behaviour, prove
from inventory_sync.conformance.rig import RigMaker
from inventory_sync.conformance.stage import NotApplicable, Violated
from inventory_sync.conformance.summary import Result, State, applying

LONGEST = 60.0  # seconds a behaviour may take before it counts as hanging

Rigs = Callable[[], AbstractAsyncContextManager[Mapping[str, RigMaker]]]
"""Opens whatever the rigs stand on (a database, say), and names how each is made."""


def rigs_named(where: str) -> Rigs:
    """The `Rigs` at `module:name`. Raises ValueError, ImportError or AttributeError where there are none."""
    module, colon, name = where.partition(":")
    if not (module and colon and name):
        raise ValueError(f"write module:name, such as tests.conformance.rigs:every_rig, not {where!r}")
    found: Rigs = getattr(import_module(module), name)
    return found


async def run(behaviours: Sequence[Behaviour], rigs: Rigs) -> dict[str, dict[str, Result]]:
    """What every rig proves: each behaviour that applies is shown on a fresh one."""
    results: dict[str, dict[str, Result]] = {}
    async with rigs() as makers:
        for name, make in makers.items():
            results[name] = applying(behaviours, make().definition)
            for each in behaviours:
                if results[name][each.name].state is State.APPLIES:
                    results[name][each.name] = await _show(each, make)
    return results


async def _show(shown: Behaviour, make: RigMaker) -> Result:
    try:
        async with asyncio.timeout(LONGEST), make() as rig:
            await prove(shown, rig)
    except NotApplicable as reason:
        return Result(State.NOT_APPLICABLE, str(reason))
    except (Violated, TimeoutError) as error:
        return Result(State.FAILED, str(error) or f"no end within {LONGEST:g} s")
    except Exception as error:  # an adapter may break in any way, and the list goes on behind it
        return Result(State.FAILED, f"{type(error).__name__}: {error}")
    return Result(State.PROVEN)
