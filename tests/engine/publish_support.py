"""What the stories about publish rules share: a file a person imports, and what it led to."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from inventory_sync.engine.publishing import overrides
from inventory_sync.engine.publishing.overrides import Imported
from inventory_sync.engine.publishing.table import Override, parse
from inventory_sync.engine.runs import control
from tests.engine.bench import Bench

TOKYO = ZoneInfo("Asia/Tokyo")


async def imported(
    bench: Bench,
    given: str | list[Override],
    *,
    confirmed: bool = True,
    shop: str = "shop",
    whole: bool = False,
    dry_run: bool = False,
) -> Imported:
    """A person imports a file, or its rows, for a route."""
    rows = parse(given.encode(), name="rules.csv", zone=TOKYO) if isinstance(given, str) else given
    done = await overrides.import_overrides(
        bench.house,
        f"pos-{shop}",
        rows,
        file="rules.csv",
        actor="person",
        confirmed=confirmed,
        whole=whole,
        dry_run=dry_run,
    )
    bench.wake()
    return done


async def told(bench: Bench, given: str | list[Override], **more: bool) -> control.RunView:
    """A person imports a file that changes numbers; says the run, once it is over."""
    done = await imported(bench, given, **more)
    run = done.run
    assert run is not None

    async def ended() -> bool:
        return (await control.show(bench.house, run)).state != "running"

    await bench.until(ended, seconds=300)
    await bench.rest()
    return await control.show(bench.house, run)
