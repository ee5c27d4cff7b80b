"""Monitors: the invariants, checked at every step where they can be, and at rest where they must be.

Everything is compared with the simulators' own logs. The database is read only for what the daemon believes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.engine.observer import Settled
from inventory_sync.systems.port import ChangeSource, WriteMode
from tests.simulation import journal, queries
from tests.simulation.kinds import RELATIVE
from tests.simulation.scene import Key, Listing, Scene
from tests.simulation.truth import Truth
from tests.simulation.world import World

READ_LAG = timedelta(seconds=3)

READ_WITHIN = 60.0
"""Seconds within which a marked cell is read for good, a death of the process and throttled partners included."""

DEATH_COSTS = 20.0
"""Seconds that each further death meanwhile may add: until a process is up again and the former one's lease ends."""

SERIAL_READ_WITHIN = 120.0
"""The same at a partner that takes one request a second, and where what no order explains is looked at twice, with the
order lag between (which comes on top)."""

BOOKED_WITHIN = timedelta(seconds=180)
"""A booking is found, and its cause learnt, within this time after the last fault."""

FRESH = timedelta(seconds=5)
"""A number that is set is composed from a reading asked no longer ago than this."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A cell as the database numbers it."""

    id: int
    key: Key


class Monitors:
    """Watches one world from the moment its routes run."""

    def __init__(self, world: World, scene: Scene, spots: list[Spot]) -> None:
        self.world, self.scene = world, scene
        self.spots = {spot.id: spot.key for spot in spots}
        self.ids = {spot.key: spot.id for spot in spots}
        self.truth = Truth(world, scene)
        self.listing = {self.ids[each.key]: each for each in scene.listings}
        self.worst_dirty = 0.0
        self.uncertain: Counter[Key] = Counter()
        self._held: dict[Key, int] = {}
        self._believed: list[Settled] = []
        self._explained: dict[int, datetime] = {}
        self._moves_seen = self._settles_seen = 0
        self._asked: dict[int, datetime] = {}
        self._excused: set[str] = set()
        self._cuts: dict[str, int] = {}
        self._source: dict[str, ChangeSource] = {}
        self._absolute: set[str] = set()
        for name in world.partners:
            able = world.lanes[name].client.capabilities
            self._source[name] = able.change_source
            if able.writes is WriteMode.ABSOLUTE:
                self._absolute.add(name)
        self._ordered = [id for id, key in self.spots.items() if self._source[key[0]] is ChangeSource.ORDERS]

    def fail(self, text: str) -> None:
        if text not in self.world.violations:
            self.world.violations.append(text)

    # -- at every step ---

    async def watch(self) -> None:
        self.truth.land()
        self._watch_moves()
        self._watch_doubts()
        if self.world.recorder.composed_now:
            await self._watch_composed()

    def _watch_moves(self) -> None:
        """I5: readings of a cell are counted in the order they were asked."""
        moves = self.world.recorder.moves
        for move in moves[self._moves_seen :]:
            before = self._asked.get(move.cell)
            if before is not None and move.asked_at < before and self._source[move.connection] is ChangeSource.LEVELS:
                self.fail(f"I5 cell {move.cell}: a reading asked at {move.asked_at} counted after one of {before}")
            self._asked[move.cell] = move.asked_at
        self._moves_seen = len(moves)

    def _watch_doubts(self) -> None:
        """I2: the lower number is believed only where nothing can tell, and never of more than what was written.

        That is so at a partner whose writes are relative and have no key, where orders fit both answers or somebody
        moved the number as well; and where a number is set, if somebody moved it between the reading and the write.
        """
        settles = self.world.recorder.settles
        for settled in settles[self._settles_seen :]:
            if settled.outcome == "applied" and settled.op in self._cuts:
                self._believed.append(settled)
            if settled.outcome == "lower_number":
                key = self.spots[settled.cell]
                if self.world.kind != RELATIVE and settled.op not in self._excused:
                    self.fail(f"I2 {key}: the lower number is believed of an op of {settled.delta}, without a cause")
                self.uncertain[key] += abs(settled.delta)
                self.world.lower_numbers += 1
        self._settles_seen = len(settles)

    async def _watch_composed(self) -> None:
        """I8: no batch is composed with a number above the target, nor above what there was since the last look."""
        composed, self.world.recorder.composed_now = self.world.recorder.composed_now, []
        for event in composed:
            if event.role != "channel":
                continue
            listing = self.listing[event.cell]
            if event.connection in self._absolute:
                await self._watch_set(listing, event)
            elif event.connection == "cart" and event.delta < 0:
                [row] = await self.world.pool.fetch(queries.OP, event.op)
                self.truth.sent(listing.key, event.op, event.delta, row["read_asked_at"], event.at)
            if event.delta <= 0 or event.known is None:
                continue
            told = event.known + event.delta
            own = await self._own_target(event.cell, listing)
            if own is None:
                self.fail(f"I8 {listing.key}: written without a pair")
                continue
            if told > max(0, own):
                self.fail(f"I8 {listing.key}: told {told} where the target was {own}")
            bound = await self._bound(listing)
            if told > max(0, bound):
                self.fail(f"I8 {listing.key}: told {told} although there were never more than {bound}")
            if listing.shape != "single" and told > 0:
                await self._watch_siblings(listing, event.at)

    async def _watch_set(self, listing: Listing, event: Any) -> None:
        """A number that is set follows a reading at once, or it would erase what others did since."""
        [row] = await self.world.pool.fetch(queries.OP, event.op)
        asked = row["read_asked_at"]
        self._cuts[event.op] = row["cut"]
        if row["condition"] == "unreadable":
            self.truth.composed(listing.key, event.op, None, event.at)
            return
        if event.at - asked > FRESH:
            self.fail(f"I8 {listing.key}: set at {event.at} from a reading asked at {asked}")
        self.truth.composed(listing.key, event.op, asked, event.at)
        window = [c for c in self.truth.all_outside(listing.key) if c.at > asked - READ_LAG and not c.ordered]
        if window:
            self._excused.add(event.op)

    async def _watch_siblings(self, listing: Listing, at: datetime) -> None:
        """After a difference in one ledger cell of a pool or set the others are read, before an increase is told: what
        came to one may have left another."""
        rows = await self.world.pool.fetch(queries.DIFFERENCES, [self.ids[part.key] for part in listing.parts])
        for row in rows:
            for other in rows:
                found = other["found_at"]
                if other["id"] != row["id"] and found is not None and row["read_asked_at"] < found:
                    self.fail(
                        f"I8 {listing.key}: raised at {at} after a difference found by a reading of {found}, "
                        f"and {self.spots[row['id']]} was last read at {row['read_asked_at']}"
                    )

    async def _own_target(self, cell: int, listing: Listing) -> int | None:
        rows = await self.world.pool.fetch(queries.TARGET, cell)
        if not rows:
            return None
        own = {self.spots[row["ledger_cell"]]: row["known"] + row["down"] + row["own_up"] for row in rows}
        held: int = rows[0]["held"]
        return listing.of(own) - held

    async def _bound(self, listing: Listing) -> int:
        rows = await self.world.pool.fetch(queries.LOOKED, list(self.spots))
        since = {
            self.spots[row["id"]]: self._explained.get(row["id"], row["since"]) if row["unexplained"] else row["since"]
            for row in rows
        }
        for key, asked in since.items():
            lag = READ_LAG
            if self._source[key[0]] is ChangeSource.ORDERS:
                lag = READ_LAG + self.world.partners[key[0]].definition.capabilities.order_lag
            since[key] = asked - lag
        return listing.of({part.key: self.truth.largest(part.key, since) for part in listing.parts})

    async def _watch_explained(self) -> None:
        """When a reading last left nothing unexplained: what it shows later counts only once it was seen twice."""
        for row in await self.world.pool.fetch(queries.EXPLAINED, self._ordered):
            self._explained[row["id"]] = row["since"]

    async def _watch_age(self) -> None:
        """I7: a cell that may be read is read within a bound, hot ones too; an unanswered op is waited for."""
        for row in await self.world.pool.fetch(queries.OLDEST_MARKS, self.world.agenda.now):
            self.worst_dirty = max(self.worst_dirty, row["age"])
            able = self.world.partners[row["name"]].definition.capabilities
            bound = SERIAL_READ_WITHIN + able.order_lag.total_seconds() if able.serial else READ_WITHIN
            deaths = sum(at > self.world.agenda.now - timedelta(seconds=row["age"]) for at in self.world.deaths)
            if row["age"] > bound + DEATH_COSTS * max(0, deaths - 1):
                self.fail(
                    f"I7 a cell of {row['name']} that was marked and may be read was not read for {row['age']:.0f} s"
                )

    # -- at rest ---

    async def resting(self) -> bool:
        """Nothing is heard, dirty, owed, due, in flight or in doubt; what was listed since the last change is in."""
        await self._watch_age()
        await self._watch_explained()
        if self.world.calm_since is None or not self.world.up:
            return False
        if not await self._booked():
            return False
        busy = await self.world.pool.fetchval(queries.BUSY, self.world.agenda.now, *self._sources())
        if busy or not await self._listed():
            return False
        await self._note_unsure()
        return not self._differences()

    async def _booked(self) -> bool:
        """Whether what was sold was booked where somebody else does it, and the bookings had the time to be found."""
        rows = await self.world.pool.fetch(queries.EXPECTED)
        self._held = {self.spots[row["ledger_cell"]]: row["units"] for row in rows}
        calm = self.world.calm_since
        found = not self._held or (calm is not None and self.world.agenda.now > calm + BOOKED_WITHIN)
        return found and not self.world.to_be_booked

    def _sources(self) -> tuple[list[int], list[int]]:
        """Connections whose changes are polled, and those that have orders."""
        able = {p.connection_id: p.definition.capabilities for p in self.world.partners.values()}
        return [c for c, each in able.items() if each.polls_levels], [c for c, each in able.items() if each.has_orders]

    async def _listed(self) -> bool:
        _, with_orders = self._sources()
        late = await self.world.pool.fetchval(queries.LISTED, with_orders, self.world.calm_since)
        return not late

    def _differences(self) -> list[str]:
        """I1: each ledger cell is what everybody did, once each; each listing shows its target. A ledger cell whose
        listings are uncertain may be lower by that much, never higher (but for what `slack` says)."""
        found = []
        totals = self.truth.totals()
        slack: Counter[Key] = Counter()
        for listing in self.scene.listings:
            for part in listing.parts:
                if part.intake:
                    slack[part.key] += part.ratio * self.uncertain[listing.key]
        levels = {key: self.truth.level(key) for key in totals}
        for key, total in totals.items():
            if not total - slack[key] - self.uncertain[key] <= levels[key] <= total + self.truth.slack(key):
                found.append(f"I1 {key}: the ledger holds {levels[key]}, everybody together did {total}")
        for listing in self.scene.listings:
            level, target = self.truth.level(listing.key), max(0, listing.of(levels))
            held = sum(self._held.get(part.key, 0) for part in listing.parts)
            if not target - held <= level <= target and not (level < 0 and target == 0):
                found.append(f"I1 {listing.key}: shows {level}, its target is {target}")
        return found

    async def _note_unsure(self) -> None:
        """A rise and an order before a decrease that was cut off at 0 cannot be told apart, nor what somebody did and
        an order in one reading before a number that is set: the lower is believed, by at most what rose there, or what
        orders took about then."""
        for row in await self.world.pool.fetch(queries.UNSURE):
            key = self.spots[row["channel_cell"]]
            unsure = min(row["uncertain"], self.truth.risen(key) + self.truth.mixed(key))
            self.uncertain[key] = max(self.uncertain[key], unsure)

    async def judge(self, rested: bool) -> None:
        """Check everything that holds at rest."""
        await self._note_unsure()
        uncertain = await self.world.pool.fetchval("select coalesce(sum(uncertain), 0) from pairs")
        quarantined = await self.world.pool.fetchval("select count(*) from quarantine")
        if (uncertain and not self.uncertain) or quarantined:
            self.fail(f"I2 {uncertain} units uncertain, {quarantined} cells quarantined, without a cause in this world")
        if self.uncertain and not await self.world.pool.fetchval(queries.ALERTED):
            self.fail("I2 the lower number is believed, and nobody was alerted")
        await self._booked()
        for difference in self._differences():
            self.fail(difference)
        for key in self._held:
            if not self.truth.masked(key):
                self.fail(f"I1 {key}: {self._held[key]} units are still to be booked, and were")
        if not rested:
            self.fail(f"I6 no rest {self.world.agenda.now}: {await self._why_busy()}")
        await self._judge_notices()
        await self._judge_journal()
        for name in self.world.partners:
            self._judge_limits(name)

    def _judge_limits(self, name: str) -> None:
        """I11: no limit of a partner is overstepped, restarts included."""
        partner = self.world.partners[name]
        for violation in partner.simulator.log.violations:
            late = any(timedelta(0) <= violation.at - at <= timedelta(seconds=1) for at in partner.wire.late)
            if late and not partner.definition.capabilities.serial:
                continue  # a request that a fault held back for seconds arrived on top of the others
            self.fail(f"I11 {name}: {violation.rule} at {violation.at}: {violation.detail}")

    async def _why_busy(self) -> str:
        rows = await self.world.pool.fetch(queries.WHY, self.world.agenda.now)
        return "; ".join(str(dict(row)) for row in rows[:3]) or f"listed: {await self._listed()}"

    async def _judge_notices(self) -> None:
        """I3: every notice that was kept has one end."""
        left = await self.world.pool.fetchval("select count(*) from inbox where state = 'new'")
        if left:
            self.fail(f"I3 {left} notices were answered and never handled")

    def _given(self) -> Counter[Key]:
        """Units that numbers of ours are said to have given back, besides orders that they erased. What was believed to
        be set may land later, so this is for the end. Where nothing is read, nothing else is believed."""
        given: Counter[Key] = Counter()
        for settled in self._believed:
            key = self.spots[settled.cell]
            missed = self.truth.may_be_read(key) and settled.op not in self.truth.landed
            given[key] += self._cuts[settled.op] - missed * settled.delta
        return given

    async def _judge_journal(self) -> None:
        """I4, cell by cell; where the lower number was believed, the journal makes up for it."""
        by_cell: dict[int, list[journal.Entry]] = defaultdict(list)
        for row in await self.world.pool.fetch(queries.JOURNAL):
            entry = journal.Entry(
                row["delta"], row["asked_at"], row["answered_at"], row["order"], row["kind"] == "effect"
            )
            by_cell[row["cell_id"]].append(entry)
        given = self._given()
        for cell, entries in by_cell.items():
            key = self.spots.get(cell)
            if (
                key is None
                or cell in self.world.recorder.compensations
                or self.uncertain[key]
                or self.truth.hidden(key)
            ):
                continue
            history = self.truth.outside(key)
            if self._source[key[0]] is ChangeSource.ORDERS:
                wrong = journal.judge_orders(entries, history, self.truth.overwrites[key], given[key])
            else:
                wrong = journal.judge_levels(entries, history)
            if wrong is not None:
                self.fail(f"I4 {key}: {wrong}")
