"""Explain: why a number is what it is, or why nothing happened, for one code, in words for people.

`find` says what a code names, `gather` reads its state in one snapshot, `timeline` what happened to it, `arithmetic`
how a number comes about, and `verdict` judges (`unwritten`: why nothing happens, `unpaired`: why there is no number).
Reads only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from inventory_sync.engine.explain.arithmetic import Step, line, steps
from inventory_sync.engine.explain.causes import Cause
from inventory_sync.engine.explain.finding import Clock, Finding
from inventory_sync.engine.explain.gather import gather
from inventory_sync.engine.explain.state import Event, Item, Kind, Lack, Nearest, Number, Unpaired
from inventory_sync.engine.explain.timeline import timeline
from inventory_sync.engine.explain.unpaired import judge_unpaired, unknown_code
from inventory_sync.engine.explain.verdict import headline, judge
from inventory_sync.engine.lane import House

SINCE = timedelta(hours=24)
LIMIT = 200
MOST = 5_000

__all__ = [
    "LIMIT",
    "MOST",
    "SINCE",
    "Cause",
    "Event",
    "Explanation",
    "Finding",
    "Kind",
    "Lack",
    "Line",
    "Step",
    "explain",
]


@dataclass(frozen=True, slots=True)
class Line:
    """One channel number, explained: its headline, its causes in order of importance, and its arithmetic. `cell` is
    what `quarantine` calls it by."""

    route: str
    cell: int
    place: str
    value: str
    shows: int | None
    target: int | None
    ja: str
    en: str
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    sum_ja: str
    sum_en: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is said about one code. `left_out`: events before the first that is shown, at least so many."""

    code: str
    at: datetime
    since: datetime
    ja: str
    en: str
    items: tuple[Item, ...]
    lines: tuple[Line, ...]
    unpaired: tuple[tuple[Unpaired, Finding], ...]
    nearest: tuple[Nearest, ...]
    events: tuple[Event, ...]
    left_out: int

    @property
    def causes(self) -> frozenset[Cause]:
        """Every cause that was found, of whatever number."""
        found = {each.cause for made in self.lines for each in made.findings}
        found |= {each.cause for _, each in self.unpaired}
        return frozenset(found or {Cause.UNKNOWN_CODE})


async def explain(
    house: House,
    code: str,
    *,
    route: str | None = None,
    since: timedelta = SINCE,
    limit: int = LIMIT,
    zone: tzinfo = UTC,
    problems: Mapping[str, tuple[str, str]] | None = None,
) -> Explanation:
    """Explain every number that a code names, in one snapshot of the database. Raises NoSuch for an unknown route.

    `since` and `limit` bound the timeline (at most MOST events); `zone`: in which times are told in sentences;
    `problems`: partners' problems by their code, each a sentence and a remedy in Japanese.
    """
    clock = Clock(house.now(), zone, problems or {})
    begin = clock.now - since
    async with house.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        found = await gather(house, conn, code, route)
        events, left_out = await timeline(conn, found, since=begin, limit=min(limit, MOST), problems=clock.problems)
    lines = tuple(_line(number, clock) for number in found.numbers)
    unpaired = tuple((each, judge_unpaired(each)) for each in found.unpaired)
    first = [made for made in lines if not unpaired or made.findings[0].cause is not Cause.SUSPENDED]
    if first:
        ja, en = first[0].ja, first[0].en
    elif unpaired:
        ja, en = unpaired[0][1].ja, unpaired[0][1].en
    elif found.items:
        ja, en = _in_no_route(found.items[0])
    else:
        said = unknown_code(code, found.nearest)
        ja, en = said.ja, said.en
    return Explanation(code, clock.now, begin, ja, en, found.items, lines, unpaired, found.nearest, events, left_out)


def _in_no_route(item: Item) -> tuple[str, str]:
    return (
        f"{item.connection} に {item.name} がありますが、その接続を使うルートがありません。",
        f"{item.connection} has {item.name}, but no route uses that connection.",
    )


def _line(number: Number, clock: Clock) -> Line:
    findings, made = judge(number, clock), steps(number)
    ja, en = headline(number, findings)
    sums = line(made)
    return Line(
        number.route.name,
        number.cell.id,
        number.cell.place,
        number.value,
        number.cell.known,
        number.decision.target,
        ja,
        en,
        findings,
        made,
        *sums,
    )
