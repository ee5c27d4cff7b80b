"""Tell stories from the command line: `python -m tests.simulation --seed 7`, or `--seeds 300 --jobs 2`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.kinds import KINDS, Options
from tests.simulation.plants import PLANTS
from tests.simulation.running import tell_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="tell one story")
    parser.add_argument("--seeds", type=int, default=300, help="tell this many")
    parser.add_argument("--from", type=int, default=1, dest="start")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--world", choices=sorted(KINDS), help="tell every story in this world")
    parser.add_argument("--plant", choices=sorted(PLANTS), help="break the daemon in this way")
    parser.add_argument("--log", action="store_true", help="show the daemon's log")
    parser.add_argument("--first", action="store_true", help="stop at the first bad ending")
    given = parser.parse_args()
    options = Options(changes=given.changes, world=given.world)
    began = time.monotonic()
    every = [given.seed] if given.seed is not None else list(range(given.start, given.start + given.seeds))
    failed = tell_all(every, options, jobs=given.jobs, plant=given.plant, first=given.first, log=given.log)
    total = len(every)
    print(f"{total - failed} of {total} stories ended well, in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
