"""What stories of bulk writes furnish and ask: a push of sixteen rows, what was sent, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inventory_sync.engine import bulk, previews
from inventory_sync.engine.runs import control, pushes
from tests.engine.bench import Bench, Setup
from tests.engine.bench_house import SMAREGI_SWITCHES

ROWS = 16
CODES = tuple(f"C-{number:02}" for number in range(ROWS))
PUBLIC = "https://sync.example.jp"
TOKEN = "a-part-of-the-address-that-nobody-guesses"
ANY_BULK = "POST /*/pos/stock/add/bulk"
SOON = {"bulk_callback_seconds": 30, "bulk_late_effect_seconds": 150}
"""Declared times so short that a story of what comes after them is short."""


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows are worth a bulk write that a story of sixteen has one or two."""
    monkeypatch.setattr(bulk, "LEAST", 5)


def setup(public: str | None = PUBLIC, pos: dict[str, Any] | None = None, **switches: Any) -> Setup:
    """Sixteen products of which the ledger has 20 each and the shop 5, kept apart until a person pushes."""
    return Setup(
        codes=CODES,
        ledger=20,
        channel=5,
        route={"align": "keep_difference"},
        smaregi=replace(SMAREGI_SWITCHES, **switches),
        pos={"callback_token": TOKEN, **(pos or {})},
        public_url=public,
    )


async def push(bench: Bench) -> int:
    """A person pushes the shop's numbers to the ledger."""
    made = await previews.make_preview(bench.house, "pos-shop", source="channel")
    started = await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")
    bench.wake()
    return started.run


async def sent(bench: Bench) -> None:
    await bench.until(lambda: bulks(bench))


async def over(bench: Bench, run: int, *, seconds: float = 300) -> control.RunView:
    async def ended() -> bool:
        return (await control.show(bench.house, run)).state != "running"

    await bench.until(ended, seconds=seconds)
    await bench.rest(seconds=seconds)
    return await control.show(bench.house, run)


def bulks(bench: Bench) -> list[Any]:
    return bench.requests("pos", "/add/bulk")


def singles(bench: Bench) -> list[Any]:
    return bench.requests("pos", "/add")


def callbacks(bench: Bench) -> int:
    return int(bench.pos.log.requests.get("callback.200", 0))


def numbers(bench: Bench) -> list[tuple[int, int]]:
    return [(bench.ledger(code), bench.channel(code)) for code in CODES]


async def trouble(bench: Bench) -> list[str]:
    """What a person would see of it: ops in doubt, and alerts."""
    doubts = await bench.rows("select id from ops where state = 'in_doubt'")
    return [str(r["id"]) for r in doubts] + [
        r["code"] for r in await bench.rows("select code from alerts where closed_at is null")
    ]
