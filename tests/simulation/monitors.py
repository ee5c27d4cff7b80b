"""Monitors: the invariants, checked at every step where they can be, and at rest where they must be.

Everything is compared with the simulators' own logs. The database is read only for what the daemon believes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.simulation.trade import Place
from tests.simulation.world import World

READ_LAG = timedelta(seconds=3)

READ_WITHIN = 60.0
"""Seconds within which a marked cell is read for good, deaths of the process and throttled partners included."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A cell as the database numbers it."""

    id: int
    partner: str
    item: str
    location: str


@dataclass(slots=True)
class Base:
    """A cell's number when it was first known, and when."""

    at: datetime
    level: int


class Monitors:
    """Watches one world from the moment its routes run."""

    def __init__(self, world: World, places: list[Place], spots: list[Spot]) -> None:
        self.world = world
        self.places = places
        self.spots = {spot.id: spot for spot in spots}
        self.by_key = {(s.partner, s.item, s.location): s for s in spots}
        self.began = {name: len(p.simulator.log.changes) for name, p in world.partners.items()}
        self.start = {spot.id: self.level(spot) for spot in spots}
        self.place_of: dict[int, Place] = {}
        for place in places:
            self.place_of[self.by_key["pos", place.product, place.store].id] = place
            for shop in place.shops:
                self.place_of[self.by_key[shop].id] = place
        self.worst_dirty = 0.0
        self._moves_seen = 0
        self._asked: dict[int, datetime] = {}

    def level(self, spot: Spot) -> int:
        """What the partner itself holds."""
        simulator = self.world.partners[spot.partner].simulator
        if spot.partner == "pos":
            return simulator.stock(spot.item, spot.location) or 0
        return int(simulator.available(spot.item, spot.location))

    def outside(self, spot: Spot) -> list[tuple[datetime, int]]:
        """What others did to a cell since the routes run, in order."""
        log = self.world.partners[spot.partner].simulator.log
        return [
            (c.at, c.delta)
            for c in log.changes[self.began[spot.partner] :]
            if c.actor == "outside" and self.by_key.get((spot.partner, c.item, c.location)) is spot
        ]

    def fail(self, text: str) -> None:
        if text not in self.world.violations:
            self.world.violations.append(text)

    # -- at every step ---

    async def watch(self) -> None:
        self._watch_moves()
        if self.world.recorder.composed_now:
            await self._watch_composed()

    def _watch_moves(self) -> None:
        """I5: readings of a cell are counted in the order they were asked."""
        moves = self.world.recorder.moves
        for move in moves[self._moves_seen :]:
            before = self._asked.get(move.cell)
            if before is not None and move.asked_at < before:
                self.fail(f"I5 cell {move.cell}: a reading asked at {move.asked_at} counted after one of {before}")
            self._asked[move.cell] = move.asked_at
        self._moves_seen = len(moves)

    async def _watch_composed(self) -> None:
        """I8: no batch is composed with a number above the target, nor above what there was since the last look."""
        composed, self.world.recorder.composed_now = self.world.recorder.composed_now, []
        for event in composed:
            if event.role != "channel" or event.known is None:
                continue
            told = event.known + event.delta
            record = await self.world.pool.fetchrow(_TARGET, event.cell)
            if record is None:
                self.fail(f"I8 cell {event.cell}: written without a pair")
                continue
            own = max(0, record["known"] + record["down"] + record["own_up"])
            if event.delta > 0 and told > own:
                self.fail(f"I8 cell {event.cell}: told {told} where the target was {own}")
            bound = await self._largest_total(self.place_of[event.cell])
            if event.delta > 0 and told > max(0, bound) and not record["uncertain"]:
                self.fail(f"I8 cell {event.cell}: told {told} although there were never more than {bound}")

    def _cells(self, place: Place) -> list[int]:
        return [self.by_key["pos", place.product, place.store].id, *(self.by_key[shop].id for shop in place.shops)]

    async def _largest_total(self, place: Place) -> int:
        """The most that may be believed of a place: what there was, and the largest sum of what others did at each of
        its cells since that cell was last read. Cells are read at different times, so each has a window of its own."""
        cells = self._cells(place)
        rows = await self.world.pool.fetch("select id, read_asked_at from cells where id = any($1::bigint[])", cells)
        total = self.start[cells[0]]
        for row in rows:
            since = row["read_asked_at"] - READ_LAG
            changes = self.outside(self.spots[row["id"]])
            running = sum(delta for at, delta in changes if at <= since)
            best = running
            for at, delta in changes:
                if at > since:
                    running += delta
                    best = max(best, running)
            total += best
        return total

    async def _watch_age(self) -> None:
        """I7: a cell that may be read is read within a bound, hot ones too; an unanswered op is waited for."""
        age = await self.world.pool.fetchval(_OLDEST_MARK, self.world.agenda.now)
        self.worst_dirty = max(self.worst_dirty, age or 0.0)
        if self.worst_dirty > READ_WITHIN:
            self.fail(f"I7 a cell that was marked and may be read was not read for {self.worst_dirty:.0f} s")

    # -- at rest ---

    async def resting(self) -> bool:
        """Nothing is heard, dirty, owed, due, in flight or in doubt."""
        await self._watch_age()
        if not self.world.calm or not self.world.up:
            return False
        busy = await self.world.pool.fetchval(_BUSY, self.world.agenda.now)
        if busy:
            return False
        return all(not self._differs(place) for place in self.places)

    def _differs(self, place: Place) -> str | None:
        """I1: the ledger is what everybody did, once each; each shop shows its target."""
        ledger = self.by_key["pos", place.product, place.store]
        spots = [ledger, *(self.by_key[shop] for shop in place.shops)]
        total = self.start[ledger.id] + sum(delta for spot in spots for _, delta in self.outside(spot))
        if self.level(ledger) != total:
            return (
                f"I1 {place.code}@{place.store}: the ledger holds {self.level(ledger)}, everybody together did {total}"
            )
        for shop in place.shops:
            level, target = self.level(self.by_key[shop]), max(0, total)
            if level != target and not (level < 0 and target == 0):
                return f"I1 {place.code}@{place.store}: {shop[0]} shows {level}, its target is {target}"
        return None

    async def judge(self, rested: bool) -> None:
        """Check everything that holds at rest."""
        uncertain = await self.world.pool.fetchval("select count(*) from pairs where uncertain > 0")
        quarantined = await self.world.pool.fetchval("select count(*) from quarantine")
        if uncertain or quarantined:
            self.fail(f"I2 {uncertain} pairs uncertain, {quarantined} cells quarantined, without a cause in this world")
        for place in self.places:
            difference = self._differs(place)
            if difference is not None:
                self.fail(difference)
        if not rested:
            self.fail(f"I6 no rest {self.world.agenda.now}: {await self._why_busy()}")
        await self._judge_notices()
        await self._judge_journal()
        for name, partner in self.world.partners.items():
            for violation in partner.simulator.log.violations:
                if any(timedelta(0) <= violation.at - at <= timedelta(seconds=1) for at in self.world.late):
                    continue  # a request that a fault held back for seconds arrived on top of the others
                self.fail(f"I11 {name}: {violation.rule} at {violation.at}: {violation.detail}")

    async def _why_busy(self) -> str:
        rows = await self.world.pool.fetch(_WHY, self.world.agenda.now)
        return "; ".join(str(dict(row)) for row in rows[:3])

    async def _judge_notices(self) -> None:
        """I3: every notice that was kept has one end."""
        left = await self.world.pool.fetchval("select count(*) from inbox where state = 'new'")
        if left:
            self.fail(f"I3 {left} notices were answered and never handled")

    async def _judge_journal(self) -> None:
        """I4: the journal of a cell is a monotone sampling of what others did there."""
        found = await self.world.pool.fetch(_JOURNAL)
        by_cell: dict[int, list[tuple[int, datetime, datetime]]] = defaultdict(list)
        for row in found:
            by_cell[row["cell_id"]].append((row["delta"], row["asked_at"], row["answered_at"]))
        for cell, moves in by_cell.items():
            spot = self.spots.get(cell)
            if spot is None or cell in self.world.recorder.compensations:
                continue
            self._sample(spot, moves)

    def _sample(self, spot: Spot, moves: list[tuple[int, datetime, datetime]]) -> None:
        history = self.outside(spot)
        sums = [0]
        for _, delta in history:
            sums.append(sums[-1] + delta)
        at, counted = 0, 0
        for delta, _, answered in moves:
            counted += delta
            upto = sum(1 for when, _ in history if when <= answered)
            while at <= upto and sums[at] != counted:
                at += 1
            if at > upto:
                self.fail(
                    f"I4 {spot.partner} {spot.item}@{spot.location}: a movement of {delta} at {answered} nobody made"
                )
                return


_TARGET = """
select l.known, p.uncertain > 0 as uncertain,
       k.owed_up + k.sent_up as own_up,
       (select coalesce(sum(k2.owed_down + k2.sent_down), 0) from components k2 where k2.ledger_cell = l.id)
         + least(l.compensate, 0) + least(l.compensate_sent, 0) as down
from pairs p join components k on k.pair_id = p.id join cells l on l.id = k.ledger_cell
where p.channel_cell = $1
"""

_OLDEST_MARK = """
select max(extract(epoch from $1::timestamptz - greatest(dirty_since, settled_at)))::float8 from cells
where dirty_since is not null and op_id is null
"""

_BUSY = """
select exists (select 1 from inbox where state = 'new')
    or exists (select 1 from due)
    or exists (select 1 from cells where marked_at is not null or op_id is not null or gap <> 0 or compensate <> 0)
    or exists (select 1 from batches where state <> 'settled')
    or exists (select 1 from components where owed_down <> 0 or owed_up <> 0)
    or exists (select 1 from pairs where phase <> 'live')
    or exists (select 1 from connections
               where polled_until is null or polled_until < $1::timestamptz - interval '70 seconds')
"""

_WHY = """
select c.id, n.name, c.known, c.gap, c.blocked, c.marked_at, c.read_due, c.op_id, c.compensate, c.quarantined,
       p.phase, k.owed_down, k.owed_up, b.state as batch, b.due_at, b.attempts, b.reason, $1::timestamptz as now
from cells c join connections n on n.id = c.connection_id left join pairs p on p.channel_cell = c.id
left join components k on k.pair_id = p.id left join ops o on o.id = c.op_id left join batches b on b.id = o.batch_id
where c.marked_at is not null or c.op_id is not null or c.gap <> 0 or c.compensate <> 0 or k.owed_down <> 0
   or k.owed_up <> 0 or p.phase <> 'live'
order by c.id
"""

_JOURNAL = "select cell_id, delta, asked_at, answered_at from movements where kind = 'outside' order by cell_id, id"
