"""What the engine says it did, kept for the monitors."""

from __future__ import annotations

from inventory_sync.engine.observer import Composed, Moved, Observer, Settled


class Recorder(Observer):
    """What the engine says it did, for the monitors."""

    def __init__(self) -> None:
        self.moves: list[Moved] = []
        self.settles: list[Settled] = []
        self.composed_now: list[Composed] = []
        self.compensations: set[int] = set()
        self.refusals = 0
        self.doubts: dict[str, int] = {}

    def moved(self, event: Moved) -> None:
        self.moves.append(event)

    def settled(self, event: Settled) -> None:
        self.settles.append(event)

    def composed(self, event: Composed) -> None:
        self.composed_now.append(event)

    def refused(self, connection: str, reason: str) -> None:
        self.refusals += 1

    def doubted(self, connection: str, result: str) -> None:
        self.doubts[result] = self.doubts.get(result, 0) + 1

    def compensated(self, connection: str, cell: int, units: int) -> None:
        self.compensations.add(cell)
