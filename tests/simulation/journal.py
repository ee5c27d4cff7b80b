"""I4: the journal of a cell is a monotone sampling of what others did there. The sums alone would hide phantoms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.simulation.truth import Change, Overwrite


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement as it was journalled. `order`: the one it was counted for; `effect`: our own write made it."""

    delta: int
    asked_at: datetime
    answered_at: datetime
    order: str | None
    effect: bool


def judge_levels(entries: Sequence[Entry], history: Sequence[Change]) -> str | None:
    """Where levels are the source: the running sum of the movements is, after each, what others had done by some
    instant, and these instants never run backwards. None if it is so, else what is wrong.

    What orders took, and a decrease of ours cut off at 0 had hidden, stands as two entries: what our write did not take
    (`effect`), and the fall. It may belong to the movement before, which showed only a part of it.
    """
    ways: list[list[tuple[int, datetime]]] = [[]]
    hidden = 0
    for each in entries:
        if each.effect:
            hidden += each.delta
            continue
        apart = [[*way, (each.delta, each.answered_at)] for way in ways]
        if hidden and each.delta == -hidden:
            apart += [[*way[:-1], (way[-1][0] + each.delta, way[-1][1])] for way in ways if way]
            hidden = 0
        ways = apart
    wrong = [_sample(way, history) for way in ways]
    return None if None in wrong else wrong[0]


def judge_orders(
    entries: Sequence[Entry], history: Sequence[Change], overwrites: Sequence[Overwrite], more: int
) -> str | None:
    """Where orders are the source there are three kinds of movements, and each must be true for itself.

    Those counted for an order: their sum is, after each, minus the most units that this order had taken by some instant
    before the list was answered (`history` has what it took, when); never more, and never the same units twice.

    Those found by the level: somebody else's doing. They are a monotone sampling, as above, of everything in `history`
    that took no units for an order (restocks, vanished orders, people); what was lost with a number of ours is not in
    `history` any more.

    Those of our own writes (`effect`): units that orders took and a number of ours gave back by erasing them. Their sum
    is never more than what was erased and `more`: what could not be set because it would lie below 0, and the
    differences of ops that were believed to be done, since nothing told the contrary, and never landed.
    """
    found = [(each.delta, each.answered_at) for each in entries if not each.effect and each.order is None]
    wrong = _sample(found, [each for each in history if not each.ordered])
    if wrong is not None:
        return wrong
    by_order: dict[str, list[Entry]] = defaultdict(list)
    for each in entries:
        if each.order is not None:
            by_order[each.order].append(each)
    for order, counted in by_order.items():
        wrong = _count(order, counted, [c for c in history if c.reference == order and c.ordered])
        if wrong is not None:
            return wrong
    erased = -sum(c.delta for c in history if c.ordered and any(write.erased(c) for write in overwrites))
    given = sum(each.delta for each in entries if each.effect)
    if given > erased + more:
        return f"writes of ours are said to have given back {given} units; they erased {erased}, and {more} more"
    return None


def _sample(moves: Iterable[tuple[int, datetime]], history: Sequence[Change]) -> str | None:
    sums = [0]
    for change in history:
        sums.append(sums[-1] + change.delta)
    at = counted = 0
    for delta, answered in moves:
        counted += delta
        upto = sum(1 for change in history if change.at <= answered)
        while at <= upto and sums[at] != counted:
            at += 1
        if at > upto:
            return f"a movement of {delta} at {answered} nobody made"
    return None


def _count(order: str, counted: Sequence[Entry], taken: Sequence[Change]) -> str | None:
    sums = [0]
    for change in taken:
        sums.append(sums[-1] - change.delta)
    total = 0
    for each in counted:
        total -= each.delta
        upto = sum(1 for change in taken if change.at <= each.answered_at)
        if each.delta >= 0 or total not in sums[: upto + 1]:
            return f"{-each.delta} units at {each.answered_at} for order {order}, which took {sums[upto]} by then"
    return None
