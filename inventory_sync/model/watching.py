"""Watching: what a route that writes nothing would have told, beside what the tool in use came to tell.

Every look at a watched pair is compared with the one before. A change of what we would tell opens a span; the channel
showing that number ends it, and all that were open before it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watched:
    """The last look at a pair. `offset`: by how much the tool in use shows another number than we would tell when it is
    at rest (its own buffer, say). `committed` and `ordered`: units that orders had taken, by either way of counting."""

    wanted: int
    offset: int
    shown: int
    committed: int
    ordered: int

    @property
    def expected(self) -> int:
        """The number by which the channel has caught up, as the tool in use counts."""
        return max(0, self.wanted + self.offset)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look comes to. `opened`: what we would tell changed; `reached`: the channel shows it; `sold`: units."""

    now: Watched
    opened: bool
    reached: bool
    sold: int


def look(before: Watched | None, *, wanted: int, shown: int, committed: int, ordered: int) -> Looked:
    """Compare a look with the one before it. The first one is knowledge: it opens nothing.

    Units count as sold where the channel fell and orders took at least as many; any other fall is the tool's write. A
    channel that came to show exactly what we would tell has no offset of its own.

    >>> first = look(None, wanted=9, shown=10, committed=0, ordered=0).now
    >>> look(first, wanted=8, shown=10, committed=0, ordered=0).opened
    True
    """
    if before is None:
        return Looked(Watched(wanted, shown - wanted, shown, committed, ordered), False, False, 0)
    fell = max(0, before.shown - shown)
    taken = max(committed - before.committed, ordered - before.ordered, 0)
    came_to_it = shown == wanted and shown != before.shown
    now = Watched(wanted, 0 if came_to_it else before.offset, shown, committed, ordered)
    return Looked(now, wanted != before.wanted, came_to_it or shown == now.expected, min(fell, taken))


def still_more(now: Watched) -> bool:
    """Whether the channel shows more than it would if it had caught up, so that a sale may be one too many."""
    return now.shown > now.expected
