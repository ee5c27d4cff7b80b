"""A daemon that is broken on purpose, to show that the demonstration's count finds it.

No other command and no setting leads here:

    python -m inventory_sync.cli.demonstration.planted double

`double`: a request whose answer was lost is simply sent again, to a partner with keys under a new one.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Mapping, Sequence

from inventory_sync.cli import shell
from inventory_sync.engine import settle
from inventory_sync.engine.lane import House, Lane
from inventory_sync.systems.port import PlannedOp, PreparedRequest


def plant_double() -> None:
    """Send every request in doubt once more, without asking what became of the first."""
    sound = settle.ask

    async def ask(house: House, lane: Lane, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> settle.Outcome:
        outcome = await sound(house, lane, prepared, ops)
        if not isinstance(outcome, settle.Doubtful) or not any(op.delta for op in ops):
            return outcome
        return await sound(house, lane, lane.client.compose(ops, str(uuid.uuid4())), ops)

    settle.ask = ask


PLANTS: Mapping[str, Callable[[], None]] = {"double": plant_double}


def main(name: str) -> None:
    """Plant the bug of this name and serve."""
    from inventory_sync import service

    PLANTS[name]()
    shell.run(lambda session: service.run_daemon(session.settings), logs=True)


if __name__ == "__main__":
    main(sys.argv[1])
