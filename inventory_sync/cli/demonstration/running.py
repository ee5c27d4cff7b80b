"""The demonstration as a story: set up by commands a person uses, aligned, traded, killed in the middle, counted."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inventory_sync.cli.demonstration import accounts
from inventory_sync.cli.demonstration.counting import Count, Windows, count
from inventory_sync.cli.demonstration.market import ADD, ADJUST, CART_SKUS, Market
from inventory_sync.cli.demonstration.process import COMMAND, Daemon, DaemonFailed
from inventory_sync.cli.demonstration.report import Report
from inventory_sync.cli.demonstration.requests import STOCK
from inventory_sync.cli.demonstration.screen import Screen, Watcher
from inventory_sync.cli.demonstration.stories import Outage, Partner, strays
from inventory_sync.cli.demonstration.trade import Trade
from inventory_sync.cli.texts import Words
from inventory_sync.sandbox.kernel import NO_FAULT, Fault, FaultKind

STALENESS = {
    Partner.POS: timedelta(seconds=20),
    Partner.SHOP: timedelta(seconds=25),
    Partner.CART: timedelta(seconds=15),
}
"""How old what is known of each partner may be when a shop is told more. The register is polled every 15 s, because
changes over its older API and lost notices are found by polling only; the shop every 20 s; either reading takes its
turn. A list of MakeShop's newest orders is asked for every 3 s at one request a second, is behind by the order lag, and
may have to be asked for again; the time that faults or a restart kept it away is added."""

ROUTES = (accounts.POS_SHOP, accounts.POS_CART)

SETTLE_WITHIN = 150.0
"""Seconds after the end of trade and faults within which everything must be equal. The shop is polled once a minute. A
cancel at MakeShop is found by the sliding window over its orders, which begins once a minute, and believed after two
readings."""

STILL = 5.0
"""Seconds without a write after which what is equal counts as settled."""

WRONG_AND_STILL = 10.0
"""Seconds without a write after which sides that are equal and yet wrong are not going to be repaired."""

SET_UP_WITHIN = 90.0
ALIGN_WITHIN = 120.0
FIRST_KILL, NEXT_KILLS = 15.0, 60.0
# Seconds a kill waits for a request to each partner, and at most, on a slow machine, for one that is under way.
MEETING, LATEST_KILL = 2.6, 10.0
"""Seconds of trade before the first kill, and between kills, where a run has no end."""

DEAD_FOR = 1.0
REFRESH = 0.5
SAMPLE = 6

RETRIED = ("IS-RTE-030", "IS-RTE-031", "IS-RTE-032")
"""What `route preview` says while the catalogues are still coming in."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. `seconds` None: until Ctrl-C."""

    seconds: float | None
    skus: int
    seed: int
    kill: bool = True
    plant: str | None = None


@dataclass(slots=True)
class Demonstration:
    """One run between a market and a daemon. Who wants the trade to end sets `ending`."""

    plan: Plan
    market: Market
    daemon: Daemon
    screen: Screen
    say: Words
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    trading: bool = False
    outages: list[Outage] = field(default_factory=list)
    in_flight: int = 0
    state: str = ""
    dealers: Trade | None = None
    daemon_died: bool = False

    # -- set up ---

    def introduce(self, directory: Path, pages: Sequence[str]) -> None:
        """Say what runs where."""
        say, line, plan = self.say.either, self.screen.line, self.plan
        line(
            say(
                f"取引先シミュレーター: レジ (スマレジ)、ショップ (Shopify)、カート (MakeShop)。"
                f"{plan.skus} 商品 × 2 店舗、うち {CART_SKUS} 商品は MakeShop にも (2 店舗の合計)、seed {plan.seed}",
                f"Simulated partners: a register (Smaregi) with 2 stores, a shop (Shopify) with a location for each, "
                f"and a shop at MakeShop that shows their sum; {plan.skus} SKUs, {CART_SKUS} of them at MakeShop too; "
                f"seed {plan.seed}",
            )
        )
        line("  " + "  ".join(f"{p.label} {self.market.shells[p].base_url}" for p in Partner))
        line(say("ページ: ", "Pages: ") + "  ".join(pages))
        line(say(f"作業場所: {directory}", f"Working in {directory}"))

    async def set_up(self, config: Path) -> None:
        """Everything a person does before the first sale: start, apply, preview, accept. Raises DaemonFailed."""
        say, line = self.say.either, self.screen.line
        await self.daemon.start()
        line(say("デーモンが起動しました (組み込み PostgreSQL)。", "The daemon runs, with its embedded PostgreSQL."))
        await asyncio.to_thread(config.write_text, self.market.config(), encoding="utf-8")
        report = await self._json("apply", str(config), "--json")
        states = ", ".join(f"{each['name']}={each['state']}" for each in (*report["connections"], *report["routes"]))
        line(say(f"設定を適用しました: {states}", f"Configuration applied: {states}"))
        await self._matched()
        for route in ROUTES:
            preview = await self._preview(route)
            self._show_match(route, (await self._json("route", "show", route, "--json"))["match"])
            self._show_preview(route, preview)
            await self._json("route", "start", route, "--accept", preview["preview"], "--json")
            # Weeks of deliveries and returns in a minute: a person who expects that keeps the brake off.
            await self._json("brake", "release", route, "--for", "24h", "--json")
        await self._aligned()
        line(say("初回の整合が終わり、すべて一致しました。", "Aligned: all partners are equal everywhere."))

    async def _json(self, *arguments: str) -> Any:
        code, printed = await self.daemon.command(*arguments)
        if code != 0:
            raise DaemonFailed(f"inventory-sync {' '.join(arguments)}\n{printed}\n{self.daemon.last_words()}")
        return json.loads(printed)

    async def _matched(self) -> None:
        """Wait until the daemon has read both catalogues and matched them."""
        wanted = len(self.market.pairs)
        async with _within(SET_UP_WITHIN, "the catalogues were not matched"):
            while True:
                found = (await self.daemon.status()).get("routes") or []
                matched = [each.get("pairs", 0) for each in found if each.get("matched_at")]
                if len(matched) == len(ROUTES) and sum(matched) >= wanted:
                    return
                await asyncio.sleep(0.3)

    async def _preview(self, route: str) -> Any:
        async with _within(SET_UP_WITHIN, "there was no preview"):
            while True:
                code, printed = await self.daemon.command("route", "preview", route, "--json")
                if code == 0:
                    return json.loads(printed)
                if not any(each in printed for each in RETRIED):
                    raise DaemonFailed(printed)
                await asyncio.sleep(0.3)

    def _show_match(self, route: str, match: dict[str, Any]) -> None:
        say, line = self.say.either, self.screen.line
        apart = sum(match["excluded_count"].values())
        line(
            say(
                f"{route} の紐付け: 一致 {match['matched']}、対象外 {apart}、あいまい {match['ambiguous_count']}、"
                f"惜しい {match['near_misses_count']} (一致以外には書き込みません)",
                f"{route}, match: {match['matched']} items, excluded {apart}, ambiguous {match['ambiguous_count']}, "
                f"near misses {match['near_misses_count']}; only what matched is ever written",
            )
        )

    def _show_preview(self, route: str, preview: dict[str, Any]) -> None:
        say, line, summary = self.say.either, self.screen.line, preview["summary"]
        up, down = summary["units_up"], -summary["units_down"]
        line(
            say(
                f"プレビュー {preview['preview']}: ショップに書き込むセル {summary['write_channel']}、そのまま "
                f"{summary['nothing'] + summary['keep']}、増 {up} 個、減 {down} 個。まだ何も書き込んでいません。例:",
                f"Preview {preview['preview']}: {summary['write_channel']} cells to write at the shop, "
                f"{summary['nothing'] + summary['keep']} left, units up {up}, down {down}. "
                "Nothing is written yet. For example:",
            )
        )
        for row in [r for r in preview["rows"] if r["action"] == "write_channel"][:SAMPLE]:
            why = say(row["why_ja"], row["why_en"])
            line(f"  {row['value']}  {row['location']}  {row['before']} → {row['after']}  {why}")
        command = f"inventory-sync route start {route} --accept {preview['preview']}"
        line(say(f"承認します: {command}", f"Accepting it: {command}"))

    async def _aligned(self) -> None:
        async with _within(ALIGN_WITHIN, "the two sides did not become equal"):
            while True:
                if not self.market.unequal() and self._still(2.0):
                    return
                await asyncio.sleep(0.2)

    def _still(self, seconds: float) -> bool:
        last = self.market.last_write()
        return last is None or datetime.now(UTC) - last >= timedelta(seconds=seconds)

    # -- trade ---

    async def trade(self) -> Report:
        """Let both sides trade under faults, settle, and count."""
        market, chance = self.market, random.Random(f"trade {self.plan.seed}")
        market.begin()
        watcher = Watcher(market)
        self.state = self.say.either("取引中", "trading")
        market.disturb(True)
        for answer_lost in (FaultKind.RESET_AFTER, FaultKind.ERROR_AFTER, FaultKind.RESET_AFTER):
            market.faults[Partner.POS].queue(ADD, answer_lost, *[NO_FAULT] * 3)
            market.faults[Partner.SHOP].queue(ADJUST, answer_lost, *[NO_FAULT] * 2)
        market.faults[Partner.CART].queue(STOCK, NO_FAULT, FaultKind.RESET_AFTER)
        self.trading, began = True, time.monotonic()
        self.screen.begin()
        trade = self.dealers = Trade(market, chance)
        work = (trade.run(self.ending), self._kill_sometimes(), self._show(watcher, began))
        tasks = [asyncio.create_task(each) for each in work]
        for task in tasks:
            task.add_done_callback(self._end_if_failed)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), self.plan.seconds)
            self.ending.set()
            traded = time.monotonic() - began
            await asyncio.gather(*tasks[:2])
            rested, settled_in = await self._settle()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.screen.end()
        return self._report(rested, traded, settled_in)

    def _end_if_failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.ending.set()

    async def _show(self, watcher: Watcher, began: float) -> None:
        while True:
            self.screen.show(self.market, watcher, self.state, time.monotonic() - began)
            await asyncio.sleep(REFRESH)

    # -- kill ---

    async def _kill_sometimes(self) -> None:
        """Kill the daemon in the middle of the run; of a run without an end, again and again."""
        if not self.plan.kill:
            return
        wait = FIRST_KILL if self.plan.seconds is None else self.plan.seconds / 2
        while not await self._ended_within(wait):
            await self._kill()
            if self.plan.seconds is not None:
                return
            wait = NEXT_KILLS

    async def _ended_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.ending.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _kill(self) -> None:
        """kill -9 while requests are under way: carried out and unanswered, one landing after its sender died."""
        faults = self.market.faults
        faults[Partner.POS].queue(ADD, Fault(FaultKind.DELAY, 3.0), Fault(FaultKind.LATE, 0.5))
        faults[Partner.SHOP].queue(ADJUST, Fault(FaultKind.DELAY, 3.0))
        faults[Partner.CART].queue(STOCK, Fault(FaultKind.DELAY, 1.8))
        began = time.monotonic()
        while any(plan.pending for plan in faults.values()) and (waited := time.monotonic() - began) < LATEST_KILL:
            if waited > MEETING and self._under_way():
                break
            await asyncio.sleep(0.02)
        died = datetime.now(UTC)
        self.in_flight += self._under_way()
        self.market.cart_requests.forget(died)
        self.state = self.say.either("kill -9 → 再起動中", "killed (-9), starting again")
        await self.daemon.kill()
        self.market.disturb(not self.ending.is_set())
        await asyncio.sleep(DEAD_FOR)
        await self.daemon.start()
        self.outages.append(Outage(died, datetime.now(UTC)))
        self.state = self.say.either("取引中", "trading")

    def _under_way(self) -> int:
        now = datetime.now(UTC)
        return sum(plan.under_way(now) for plan in self.market.faults.values())

    # -- settle and count ---

    async def _settle(self) -> tuple[bool, float]:
        """End the faults and wait until everything is equal and still: whether it came to that, and after how long."""
        self.state = self.say.either("取引終了、落ち着くのを待つ", "trade has ended, settling")
        self.market.disturb(False)
        began = time.monotonic()
        while True:
            elapsed = time.monotonic() - began
            equal = not self.market.unequal()
            if equal and self._still(STILL) and (self._count().good or self._still(WRONG_AND_STILL)):
                return True, max(0.0, elapsed - STILL)
            self.daemon_died = not self.daemon.running
            if elapsed > SETTLE_WITHIN or self.daemon_died:
                return False, elapsed
            await asyncio.sleep(REFRESH)

    def _count(self) -> Count:
        market = self.market
        stray = [each for partner in Partner for each in strays(market.pairs, partner, market.since(partner))]
        windows = Windows(STALENESS, market.outages(self.outages))
        return count(market.books(), windows, stray=stray, disturbances=market.disturbances(self.outages))

    def _report(self, rested: bool, traded: float, settled_in: float) -> Report:
        market = self.market
        deaf = market.cart_requests.deaf([outage.since for outage in self.outages])
        return Report(
            count=self._count(),
            skus=self.plan.skus,
            cart_skus=len(market.cart_pairs),
            traded=traded,
            settled_in=settled_in,
            rested=rested,
            windows={partner: window.total_seconds() for partner, window in STALENESS.items()},
            between=self.dealers.customers.between if self.dealers is not None else 0,
            kills=self.daemon.kills,
            in_flight_at_kills=self.in_flight,
            down=sum(outage.seconds.total_seconds() for outage in self.outages),
            silent=max((outage.seconds.total_seconds() for outage in deaf), default=0.0),
            notices=dict(market.noticed()),
            faulted={kind.value: number for kind, number in market.faulted().items()},
            violations=market.violations(),
            daemon_died=self.daemon_died,
        )


@asynccontextmanager
async def _within(seconds: float, what: str) -> AsyncIterator[None]:
    """A time limit whose end says what was waited for."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DaemonFailed(f"{what} within {seconds:.0f} s") from None


def program_of(plant: str | None) -> Sequence[str]:
    """The interpreter's arguments that start the daemon: the product's own command, or a planted bug."""
    if plant is None:
        return (*COMMAND, "serve")
    return ("-m", "inventory_sync.cli.demonstration.planted", plant)
