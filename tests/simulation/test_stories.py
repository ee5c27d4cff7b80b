"""Stories of the simulation: a few before every commit, many in the proof, and every planted bug caught."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import structlog

from inventory_sync.store.db import Pool
from tests.simulation.kinds import KINDS, Options
from tests.simulation.plants import PLANTS
from tests.simulation.running import quiet, tell_all
from tests.simulation.story import Ending, tell

SEEDS = int(os.environ.get("SEEDS", "2000" if os.environ.get("FULL") else "300"))
CATCH_WITHIN = 16
"""Stories within which a planted bug must be seen at the latest."""


@pytest.fixture(autouse=True)
def _quietly() -> Iterator[None]:
    quiet()
    yield
    structlog.reset_defaults()


async def _tell(pool: Pool, seed: int, changes: int) -> Ending:
    return await tell(pool, seed, Options(changes=changes))


@pytest.mark.parametrize("seed", range(1001, 1001 + len(KINDS)))
async def test_a_story_of_faults_and_deaths_ends_with_every_pair_equal(pool: Pool, seed: int) -> None:
    ending = await _tell(pool, seed, 40)
    assert not ending.violations, f"repeat with: python -m tests.simulation --seed {seed} --changes 40"
    assert ending.movements > 0
    assert ending.ops > 0


def _say(*arguments: str) -> str:
    """What the command line prints, without the time it took."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--jobs", "1", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    return "\n".join(line for line in told.stdout.splitlines() if "ended well" not in line)


@pytest.mark.prove
def test_the_same_seed_tells_the_same_story() -> None:
    first, second = _say("--seed", "3"), _say("--seed", "3")
    assert first == second
    assert "seed 3 " in first


@pytest.mark.prove
@pytest.mark.timeout(20 * SEEDS + 600)
def test_many_stories_end_well() -> None:
    assert tell_all(list(range(1, SEEDS + 1)), Options(changes=60)) == 0


@pytest.fixture(scope="module")
def told_of(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[str]]]:
    """What stories with each planted bug came to: two at a time."""
    wanted = [item.callspec.params.get("plant") for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(2) as pool:
        yield {
            plant: pool.submit(_say, "--seeds", str(CATCH_WITHIN), "--plant", plant, "--first")
            for plant in sorted(PLANTS)
            if plant in wanted
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.prove
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_a_planted_bug_is_seen_and_its_seed_printed_with_the_command_that_repeats_it(
    plant: str, told_of: dict[str, Future[str]]
) -> None:
    told = told_of[plant].result()
    assert "FAIL seed" in told, f"{plant} was not seen within {CATCH_WITHIN} stories"
    assert f"--plant {plant}" in told
