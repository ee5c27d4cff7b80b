"""`python -m inventory_sync.conformance`: which behaviours apply to the systems that are installed."""

from __future__ import annotations

import sys

from inventory_sync.conformance import BEHAVIOURS, State, table
from inventory_sync.systems import registry


def main() -> int:
    """Print the list; 1 where a system could not be loaded."""
    known = registry.load()
    results = {
        definition.name: {each.name: State.APPLIES for each in BEHAVIOURS if not each.missing(definition)}
        for definition in known
    }
    sys.stdout.write("\n".join(table(BEHAVIOURS, results)) + "\n")
    for problem in known.problems:
        sys.stderr.write(f"{problem.entry_point}: {problem.reason}\n")
    return 1 if known.problems else 0


if __name__ == "__main__":
    sys.exit(main())
