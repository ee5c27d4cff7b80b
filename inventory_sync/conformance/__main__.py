"""`python -m inventory_sync.conformance [MODULE:RIGS]`: what adapters prove.

Without rigs: which behaviours apply to the systems that are installed. With them (see `running.Rigs`) every behaviour
is shown, and the answer is 1 where one failed.
"""

from __future__ import annotations

import asyncio
import sys

from inventory_sync.conformance import BEHAVIOURS, State, applying, rigs_named, run, table
from inventory_sync.systems import registry


def main(arguments: list[str] | None = None) -> int:
    """Print the table and the reasons; 1 where a system could not be loaded or a behaviour failed."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) > 1 or any(each.startswith("-") for each in given):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    if given:
        results = asyncio.run(run(BEHAVIOURS, rigs_named(given[0])))
        sys.stdout.write("\n".join(table(BEHAVIOURS, results)) + "\n")
        return 1 if any(each.state is State.FAILED for found in results.values() for each in found.values()) else 0
    known = registry.load()
    listed = {definition.name: applying(BEHAVIOURS, definition) for definition in known}
    sys.stdout.write("\n".join(table(BEHAVIOURS, listed)) + "\n")
    for problem in known.problems:
        sys.stderr.write(f"{problem.entry_point}: {problem.reason}\n")
    return 1 if known.problems else 0


if __name__ == "__main__":
    sys.exit(main())
