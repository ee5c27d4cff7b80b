"""What the demonstration shows while it runs: a live table at a terminal, plain lines anywhere else."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from inventory_sync.cli.demonstration.market import Market
from inventory_sync.cli.demonstration.stories import CLIENT, Pair, Partner, Place, shows
from inventory_sync.cli.texts import Words
from inventory_sync.sandbox.kernel import StockChange

ROWS = 14
RECENT_LAGS = 400
LINE_EVERY = 5.0
"""Seconds between two plain lines."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One change, and what the partners held right after it; None where a partner has no number for it.

    A change at MakeShop is shown beside the sum of the stores that it follows.
    """

    place: Place
    name: str
    change: StockChange
    numbers: Mapping[Partner, int | None]
    equal: bool


class Watcher:
    """Reads the partners' logs as they grow: the last changes, and how long pairs took to be equal again."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._read = {partner: len(market.log(partner).changes) for partner in Partner}
        self._pairs: defaultdict[Place, list[Pair]] = defaultdict(list)
        for pair in market.pairs:
            for place in (pair.channel, *pair.ledger):
                self._pairs[place].append(pair)
        self._numbers = {place: market.number(place) for place in self._pairs}
        self._unequal: dict[str, datetime] = {}
        self.last: deque[Seen] = deque(maxlen=ROWS)
        self.lags: deque[float] = deque(maxlen=RECENT_LAGS)
        self.outside = self.ours = 0

    def advance(self) -> None:
        """Take in what was logged since the last time."""
        fresh: list[list[tuple[datetime, int, Place, StockChange]]] = []
        for order, partner in enumerate(Partner):
            changes = self._market.log(partner).changes
            places = [(c.at, order, Place(partner, c.item, c.location), c) for c in changes[self._read[partner] :]]
            fresh.append(places)
            self._read[partner] = len(changes)
        for at, _, place, change in merge(*fresh, key=lambda each: each[:2]):
            if place in self._numbers:
                self._take(at, place, change)

    def _take(self, at: datetime, place: Place, change: StockChange) -> None:
        self._numbers[place] = change.after
        pairs = self._pairs[place]
        for pair in pairs:
            if not self._is_equal(pair):
                self._unequal.setdefault(pair.name, at)
            elif pair.name in self._unequal:
                self.lags.append((at - self._unequal.pop(pair.name)).total_seconds())
        self.last.appendleft(self._seen(place, pairs, change))
        if change.actor == CLIENT:
            self.ours += 1
        else:
            self.outside += 1

    def _seen(self, place: Place, pairs: Sequence[Pair], change: StockChange) -> Seen:
        near = pairs
        if place.partner is Partner.SHOP:
            near = [pair for each in pairs[0].ledger for pair in self._pairs[each]]
        numbers: dict[Partner, int | None] = dict.fromkeys(Partner)
        numbers[Partner.POS] = sum(self._numbers[each] for each in near[0].ledger)
        for pair in near:
            numbers[pair.channel.partner] = self._numbers[pair.channel]
        return Seen(place, near[0].name, change, numbers, all(self._is_equal(pair) for pair in near))

    def _is_equal(self, pair: Pair) -> bool:
        return shows(self._numbers[pair.channel], sum(self._numbers[each] for each in pair.ledger))

    @property
    def equal(self) -> int:
        return len(self._market.pairs) - len(self._unequal)

    def lag(self, share: float) -> float:
        """A percentile of the last lags; 0 while there is none."""
        ordered = sorted(self.lags)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


class Screen:
    """Shows progress: `line` for what is said once, `show` as often as there is something new."""

    def __init__(self, console: Console, say: Words, pages: Sequence[str]) -> None:
        self.console, self._say, self._pages = console, say, pages
        self._live: Live | None = None
        self._next_line = 0.0

    def line(self, text: str) -> None:
        """One line that stays."""
        self.console.print(text, soft_wrap=True)

    def begin(self) -> None:
        """From here on there is something to watch."""
        if self.console.is_terminal:
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()

    def end(self) -> None:
        """Nothing to watch any more. Safe to repeat."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, market: Market, watcher: Watcher, state: str, elapsed: float) -> None:
        """Show how things stand, `elapsed` seconds after the beginning."""
        watcher.advance()
        if self._live is not None:
            self._live.update(
                Group(self._table(watcher), Text(self._summary(market, watcher, state, elapsed))), refresh=True
            )
        elif elapsed >= self._next_line:
            self._next_line = elapsed + LINE_EVERY
            self.line(self._summary(market, watcher, state, elapsed).replace("\n", " · "))

    def _summary(self, market: Market, watcher: Watcher, state: str, elapsed: float) -> str:
        noticed, faults = market.noticed(), sum(market.faulted().values())
        pairs = len(market.pairs)
        slow, usual = watcher.lag(0.99), watcher.lag(0.5)
        lines = (
            self._say.either(
                f"{elapsed:5.0f} 秒 {state} · 一致 {watcher.equal}/{pairs} 組 · 外部の変更 {watcher.outside} 件 · "
                f"反映 {watcher.ours} 件 · 一致に戻るまで p50 {usual:.1f} 秒 p99 {slow:.1f} 秒",
                f"{elapsed:5.0f} s {state} · equal {watcher.equal}/{pairs} pairs · changes by others "
                f"{watcher.outside} · written {watcher.ours} · equal again after p50 {usual:.1f} s p99 {slow:.1f} s",
            ),
            self._say.either(
                f"通知: 消失 {noticed['lost']}・重複 {noticed['duplicated']} · 障害を受けた要求 {faults}",
                f"notices lost {noticed['lost']}, duplicated {noticed['duplicated']} · requests faulted {faults}",
            ),
        )
        pages = self._pages if self._live is not None else ()
        return "\n".join((*lines, *pages))

    def _table(self, watcher: Watcher) -> Table:
        say = self._say.either
        table = Table(box=None, header_style="bold", expand=False)
        headings = (
            say("時刻", "Time"),
            say("場所", "Where"),
            say("商品", "Item"),
            say("出来事", "What"),
            say("増減", "Change"),
            *(partner.label for partner in Partner),
            "",
        )
        for heading in headings:
            table.add_column(heading, no_wrap=True)
        for seen in watcher.last:
            table.add_row(*_row(seen))
        return table


def _row(seen: Seen) -> tuple[str, ...]:
    change = seen.change
    return (
        change.at.astimezone().strftime("%H:%M:%S.%f")[:-4],
        seen.place.partner.label,
        seen.name,
        "inventory-sync" if change.actor == CLIENT else change.cause,
        f"{change.delta:+d}",
        *("" if number is None else str(number) for number in seen.numbers.values()),
        "=" if seen.equal else "≠",
    )
