"""How the numbers of one code come about by its publish rule, for `publish show`."""

from __future__ import annotations

from dataclasses import dataclass

from inventory_sync.engine.explain.arithmetic import line, steps
from inventory_sync.engine.explain.gather import gather
from inventory_sync.engine.explain.ruled import spelt
from inventory_sync.engine.explain.state import Number
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import route_named


@dataclass(frozen=True, slots=True)
class Shown:
    """One channel number under its rule. `sum_*`: every step to the target; `auto_*`: how an automatic buffer was
    reckoned, empty where there is none."""

    code: str
    place: str
    shows: int | None
    target: int | None
    effective: int | None
    buffer: int
    percent: int
    maximum: int | None
    end_when: int
    offset: int
    excluded: bool
    own: tuple[str, ...]
    automatic: bool
    sum_ja: str
    sum_en: str
    auto_ja: str
    auto_en: str


async def show_code(house: House, name: str, code: str) -> list[Shown]:
    """Every number of a route whose pair goes by this code. Raises NoSuch for an unknown route."""
    await route_named(house.pool, name)
    async with house.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        found = await gather(house, conn, code, name)
    return [_shown(each) for each in found.numbers if each.value == code]


def _shown(number: Number) -> Shown:
    rule, own = number.rule, number.ruled
    sums = line(steps(number))
    if not own.automatic:
        auto = ("", "")
    elif own.auto is None:
        auto = (
            f"最近ほかで売れていないため、最小の {rule.buffer}",
            f"nothing sold elsewhere lately, so the smallest: {rule.buffer}",
        )
    else:
        auto = spelt(own.auto)
    return Shown(
        number.value,
        number.cell.place,
        number.cell.known,
        None if rule.excluded else number.decision.target,
        number.effective,
        rule.buffer,
        rule.percent,
        rule.maximum,
        rule.end_when,
        rule.offset,
        rule.excluded,
        own.own,
        own.automatic,
        *sums,
        *auto,
    )
