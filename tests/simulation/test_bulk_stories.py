"""Stories in which the register takes most writes by bulk calls, live ones too, through faults and deaths."""

from __future__ import annotations

import pytest

from inventory_sync.store.db import Pool
from tests.simulation.bulk import wherever_two_wait
from tests.simulation.kinds import SHOPS, Options
from tests.simulation.story import tell

ROUGH = Options(changes=40, world=SHOPS, bulk=True)


async def _told(pool: Pool, seed: int) -> None:
    with wherever_two_wait():
        ending = await tell(pool, seed, ROUGH)
    assert not ending.violations
    calls = await pool.fetchval("select count(*) from batches where kind = 'bulk'")
    assert calls > 0, "no bulk call was made"


async def test_a_story_of_bulk_calls_ends_with_every_pair_equal(pool: Pool) -> None:
    await _told(pool, 4)


@pytest.mark.prove
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(11, 23))
async def test_more_stories_of_bulk_calls_end_well(pool: Pool, seed: int) -> None:
    with wherever_two_wait():
        ending = await tell(pool, seed, ROUGH)
    assert not ending.violations
