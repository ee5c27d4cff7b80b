"""How long a push will take where a partner takes rows singly or in bulk, and which of the two it will be, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inventory_sync.cli import partners, shell
from inventory_sync.engine.bulk import LEAST
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import route_named
from inventory_sync.engine.previews import Preview
from inventory_sync.engine.stored import open_settings
from inventory_sync.secrets import SecretsError
from inventory_sync.store import db
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import WritePace


@dataclass(frozen=True, slots=True)
class Expected:
    """What a preview's rows at one connection will take."""

    connection: str
    title: str
    rows: int
    pace: WritePace

    @property
    def singly(self) -> int:
        """Whole seconds by single calls."""
        return math.ceil(self.rows / self.pace.singles)

    @property
    def in_bulk(self) -> int:
        """Whole seconds by bulk calls, every row of them looked up; the partner's own time comes to it."""
        return math.ceil(self.rows / self.pace.bulk)

    @property
    def way(self) -> str:
        """`bulk` or `single`: which of the two it will be."""
        return "bulk" if self.pace.usable and self.rows >= LEAST else "single"

    def document(self) -> dict[str, Any]:
        """The same for a program."""
        why_en, why_ja = _why(self)
        return {
            "connection": self.connection,
            "rows": self.rows,
            "single_seconds": self.singly,
            "bulk_seconds": self.in_bulk,
            "way": self.way,
            "why_en": why_en,
            "why_ja": why_ja,
        }


async def expected(session: shell.Session, house: House, made: Preview) -> list[Expected]:
    """For each side of a preview that has rows to write and a choice of how: what they will take."""
    route = await route_named(house.pool, made.route)
    records = {r["name"]: r for r in await db.rows(house.pool, "connections_all")}
    systems = partners.installed_systems()
    found: list[Expected] = []
    for side, rows in (("ledger", made.summary["write_ledger"]), ("channel", made.summary["write_channel"])):
        record = records[route[side]]
        definition = systems.get(record["system"])
        if not rows or definition is None or definition.pace is None:
            continue
        try:
            settings = open_settings(definition, record, partners.secret_box(session.settings))
        except (SecretsError, InvalidSettings):
            continue
        pace = definition.pace(settings, session.settings.public_url is not None)
        title = session.say.either(definition.title_ja, definition.title_en)
        found.append(Expected(record["name"], title, rows, pace))
    return found


def lines(session: shell.Session, found: Sequence[Expected]) -> list[str]:
    """It in words: both times, which way it goes, and why."""
    told: list[str] = []
    for each in found:
        pace = each.pace
        told.append(
            session.say.either(
                f"{each.connection} ({each.title}): {each.rows} 件の書き込みにかかる時間の目安: "
                f"1件ずつ 約 {duration(each.singly)} (毎秒 {pace.singles:.1f} 件)、"
                f"一括 ({pace.rows} 件ずつ) 約 {duration(each.in_bulk)} + 先方の処理時間 "
                f"(実行後に1行ずつ確認、毎秒 {pace.bulk:.1f} 件)",
                f"{each.connection} ({each.title}): {each.rows} rows take about {duration(each.singly)} singly "
                f"({pace.singles:.1f} a second); by bulk calls of {pace.rows}, about {duration(each.in_bulk)} and the "
                f"time the partner takes (each row is looked up afterwards, {pace.bulk:.1f} a second).",
            )
        )
        why_en, why_ja = _why(each)
        way = (
            ("一括で書き込みます", "It will go by bulk")
            if each.way == "bulk"
            else ("1件ずつ書き込みます", "It will go singly")
        )
        told.append(session.say.either(f"  {way[0]}: {why_ja}", f"  {way[1]}: {why_en}."))
    return told


def _why(each: Expected) -> tuple[str, str]:
    pace = each.pace
    if not pace.usable:
        return pace.why_en, pace.why_ja
    if each.rows < LEAST:
        return (
            f"for fewer than {LEAST} rows a callback is not worth waiting for",
            f"{LEAST} 件未満では一括の完了を待つより早く終わります",
        )
    return (
        "callbacks reach us and each row can be looked up; live changes, and what is left over, go singly beside it",
        "コールバックを受信でき、各行の結果を確認できます。通常の変更と端数は並行して1件ずつ書き込みます",
    )


def duration(seconds: int) -> str:
    """A time as people read it.

    >>> duration(59), duration(61), duration(7200)
    ('59 s', '1 min 1 s', '2 h 0 min')
    """
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
