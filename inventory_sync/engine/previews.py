"""Previews: every cell an alignment or a push would touch, before, after and why, worked out and stored in portions.

Nothing of a preview is ever held in memory as a whole, however large the catalogue is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from inventory_sync.engine import long_stops
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule, route_named
from inventory_sync.model.alignment import (
    AlignPolicy,
    BaseSide,
    CellCondition,
    PreviewAction,
    PreviewRow,
    check_policy,
    preview,
    unreadable_backwards,
)
from inventory_sync.model.components import Part, explained
from inventory_sync.model.publish import PublishRule
from inventory_sync.store import db, pairs
from inventory_sync.store.db import Connection

CHUNK = 5000

PHASES = {"route": ("new", "waiting"), "ledger": ("new", "waiting", "live"), "channel": ("new", "waiting", "live")}
"""Which pairs a preview is about: those an alignment has to confirm, or, for a push, those that live as well."""

_POLICIES = {"ledger": AlignPolicy.LEDGER_WINS, "channel": AlignPolicy.CHANNEL_WINS}

_CONDITIONS = {each.value: each for each in CellCondition} | {"unread": CellCondition.ACTIVE}

_COLUMNS = ("preview_id", "position", "pair_id", "action", "before", "after", "gap", "why_en", "why_ja")


class PreviewLine(NamedTuple):
    """One cell of a preview: before, after and why; `phase` and `kept` are its pair's, before anything is confirmed."""

    pair: int
    value: str
    name: str
    location: str
    row: PreviewRow
    phase: str = "new"
    kept: int = 0
    rose: int = 0
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """A stored preview. `summary` counts lines by action; `unread` pairs still lack a base reading, and
    `oldest_reading` is when the oldest number in it was read."""

    id: str
    route: str
    made_at: datetime
    summary: dict[str, Any]


@dataclass(slots=True)
class _Sum:
    """What a preview comes to, line by line."""

    lines: int = 0
    up: int = 0
    down: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None

    def add(self, records: Sequence[db.Record], lines: Sequence[PreviewLine]) -> None:
        self.lines += len(lines)
        self.actions.update([line.row.action for line in lines])
        self.up += sum([line.row.delta for line in lines if line.row.delta > 0])
        self.down += sum([line.row.delta for line in lines if line.row.delta < 0])
        read = [r["read_at"] for r in records if r["read_at"] is not None]
        self.oldest = min(read + ([self.oldest] if self.oldest is not None else []), default=None)

    def summary(self, unread: int, source: str) -> dict[str, Any]:
        return {
            "pairs": self.lines,
            "unread": unread,
            **{action.value: self.actions[action.value] for action in PreviewAction},
            "units_up": self.up,
            "units_down": self.down,
            "source": source,
            "oldest_reading": self.oldest.isoformat() if self.oldest is not None else None,
        }


Tell = Callable[["Preview", Sequence[PreviewLine]], None]
"""Hears the lines of a preview as they are worked out, a portion at a time; the summary is not there yet."""


async def make_preview(house: House, name: str, *, source: str = "route", tell: Tell | None = None) -> Preview:
    """Write down every cell that has to be confirmed: before, after, why; and how many were not read yet.

    `source`: `route` for an alignment by the route's own rule, `ledger` or `channel` for a push from that side.
    Raises NoSuch, and RefusedByRule where a push from that side has no meaning for the route.
    """
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        _check_source(route, source)
        await long_stops.note(house, conn, route)
        now, preview_id = house.now(), house.ambient.new_id()[:12]
        await db.run(conn, "open_preview", id=preview_id, route_id=route["id"], made_at=now, source=source, undoes=None)
        total, growing = _Sum(), Preview(preview_id, name, now, {})
        await conn.execute("set local work_mem = '32MB'")
        async for records in db.pages(conn, "preview_lines", CHUNK, route_id=route["id"], phases=list(PHASES[source])):
            lines = await _lines(conn, route, records, source)
            await _keep(conn, preview_id, total.lines, lines)
            total.add(records, lines)
            if tell is not None:
                tell(growing, lines)
        unread = await db.value(conn, "count_unread", route_id=route["id"])
        summary = total.summary(unread, source)
        await db.run(conn, "sum_up_preview", id=preview_id, summary=summary)
    return Preview(preview_id, name, now, summary)


def _check_source(route: db.Record, source: str) -> None:
    writes = {"ledger": "channel_to_ledger", "channel": "ledger_to_channel"}
    if source in writes and route["direction"] == writes[source]:
        raise RefusedByRule(
            "IS-RUN-001",
            f"The route {route['name']} is {route['direction']}: nothing is ever written that way. "
            f"Push from the other side, or change the route's direction.",
            f"ルート {route['name']} は {route['direction']} のため、その向きには書き込みません。"
            "反対側から反映するか、ルートの方向を変更してください。",
        )
    if source == "channel" and not (rule_of(route).plain):
        raise RefusedByRule(
            "IS-RUN-002",
            f"The route {route['name']} publishes a share or a capped number, which does not say how much stock there "
            "is: a push from the channel needs percent 100 and no maximum.",
            f"ルート {route['name']} は割合または上限を付けて公開しているため、"
            "販売チャネルの数から在庫を求められません。販売チャネルからの反映には、"
            "割合 100・上限なしが必要です。",
        )


async def lines_of(conn: Connection, route: db.Record, pairs: Sequence[int], source: str) -> dict[int, PreviewLine]:
    """The lines of some pairs as they are now; none for a pair that such a preview is not about."""
    records = await db.rows(conn, "preview_lines_of", pairs=sorted(pairs), phases=list(PHASES[source]))
    return {line.pair: line for line in await _lines(conn, route, records, source)}


async def _lines(conn: Connection, route: db.Record, records: Sequence[db.Record], source: str) -> list[PreviewLine]:
    made: dict[int, list[Part]] = {}
    composed = [r["id"] for r in records if r["shape"] != "single"]
    for r in await db.rows(conn, "parts_of_pairs", pairs=composed) if composed else ():
        part = Part(r["location"], r["code"], r["ratio"], r["effective"], r["intake"])
        made.setdefault(r["pair_id"], []).append(part)
    moved = await long_stops.moved(conn, [r["id"] for r in records if r["phase"] == "waiting"])
    policy = _POLICIES.get(source) or AlignPolicy(route["align"])
    return [
        PreviewLine(
            r["id"],
            r["value"],
            r["name"],
            r["location"],
            long_stops.told(_row(policy, r, made.get(r["id"], ())), moved.get(r["id"])),
            r["phase"],
            r["kept"],
            r["channel_up"],
            r["channel_condition"] == "unreadable",
        )
        for r in records
    ]


def _row(policy: AlignPolicy, pair: db.Record, parts: Sequence[Part]) -> PreviewRow:
    dropped = pair["channel_up"] if pair["phase"] == "waiting" and policy is AlignPolicy.LEDGER_WINS else 0
    readable = pair["ledger_readable"] and pair["ledger_known"] is not None
    ledger = BaseSide(
        CellCondition.ACTIVE if readable else CellCondition.ABSENT,
        pair["ledger_known"] - dropped if readable else None,
    )
    channel = BaseSide(_CONDITIONS[pair["channel_condition"]], pair["channel_known"], True)
    rule = pairs.rule_of(pair)
    if not rule.excluded and check_policy(policy, rule) is not None:  # its own rule; the route's was refused before
        return unreadable_backwards(channel)
    row = preview(ledger, channel, rule, policy, held=pair["held"])
    return explained(row, pair["shape"], parts)


def rule_of(route: db.Record) -> PublishRule:
    """A route's publish rule, before anything was set otherwise for single codes."""
    keys = ("buffer", "percent", "maximum", "end_when")
    return PublishRule(**{key: route[key] for key in keys})


async def _keep(conn: Connection, preview_id: str, position: int, lines: Iterable[PreviewLine]) -> None:
    records = [
        (
            preview_id,
            position + number,
            line.pair,
            line.row.action.value,
            line.row.before,
            line.row.after,
            gap_of(line.row),
            line.row.why_en,
            line.row.why_ja,
        )
        for number, line in enumerate(lines, start=1)
    ]
    await conn.copy_records_to_table("preview_rows", records=records, columns=_COLUMNS)


def gap_of(row: PreviewRow) -> int:
    """The gap a person confirms, in one number: what is written, owed or kept."""
    return row.owed or row.kept or row.delta


async def stored(house: House, preview_id: str) -> AsyncIterator[dict[str, Any]]:
    """Every line of a stored preview, in its order, a portion in memory at a time."""
    after = 0
    while True:
        page = await db.rows(house.pool, "preview_page", id=preview_id, after=after, limit=CHUNK)
        for record in page:
            yield dict(record)
        if len(page) < CHUNK:
            return
        after = page[-1]["position"]


async def ask_fresh(house: House, name: str) -> datetime:
    """Ask for every cell of a route to be read; `not_read_since` says how many are still to come."""
    async with db.transaction(house.pool) as conn:
        route = await route_named(conn, name)
        now = house.now()
        await db.run(conn, "mark_pairs_of_route", route_id=route["id"], now=now)
        for end in ("ledger_id", "channel_id"):
            await db.notify(conn, f"connection:{route[end]}")
    return now


async def not_read_since(house: House, name: str, since: datetime) -> int:
    """Cells of a route that were not read since a time."""
    route = await route_named(house.pool, name)
    return int(await db.value(house.pool, "not_read_since", route_id=route["id"], since=since))


async def preview_of(conn: Connection, preview_id: str) -> db.Record:
    """The stored preview of that id. Raises NoSuch."""
    kept = await db.row(conn, "preview_kept", id=preview_id)
    if kept is None:
        raise NoSuch(f"There is no preview {preview_id!r}.", f"プレビュー「{preview_id}」はありません。")
    return kept


def refuse_used(kept: db.Record) -> None:
    """A stored preview is accepted once. Raises RefusedByRule."""
    if kept["accepted_at"] is not None:
        raise RefusedByRule(
            "IS-RTE-003",
            f"The preview {kept['id']} was accepted before; make a new one.",
            f"プレビュー {kept['id']} は承認済みです。新しく作成してください。",
        )
