"""What a partner said of a write: told by `explain`, `run show` and `quarantine list` in the reader's language."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from inventory_sync.cli.partners import problems_in_japanese
from inventory_sync.engine import previews
from inventory_sync.engine.explain import Event, Kind
from inventory_sync.engine.runs import control, pushes
from inventory_sync.sandbox.faults import NoticeFaults
from inventory_sync.sandbox.kernel import Fault, FaultKind
from inventory_sync.store.db import Pool
from tests.cli.surroundings import Terminal, clean_environment
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.bench_cart import PROVEN, SWITCHES, furnish_cart
from tests.engine.bench_house import SMAREGI_SWITCHES
from tests.engine.conftest import Furnish
from tests.engine.explain_support import ask

Ask = Callable[..., Awaitable[str]]


@pytest.fixture
def _outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from clean_environment(monkeypatch)


@pytest.fixture
def shown(database: str, tmp_path: Path, _outside: None) -> Ask:
    """What a command prints to a person at a terminal, beside the bench."""
    terminal = Terminal(database, tmp_path)

    async def run(*words: str, language: str = "ja") -> str:
        return (await asyncio.to_thread(terminal.run, *words, language=language)).stdout

    return run


async def refused(bench: Bench, place: str, code: str = "A-1") -> Event:
    """The newest write at a partner that did not take effect."""
    found = await ask(bench, code, problems=problems_in_japanese())
    return [each for each in found.events if each.kind is Kind.WRITE and each.place.startswith(place)][-1]


async def quarantined(bench: Bench) -> None:
    await bench.until(lambda: bench.alerts("quarantined"), seconds=120)


async def loses_its_item(bench: Bench) -> None:
    """Somebody deletes a product at the shop, and no notice of it arrives."""
    bench.notices("shop").faults = NoticeFaults(loss=1.0)
    assert bench.shop().delete_item(bench.items["shop"]["A-1"], bench.agenda.now)
    bench.heard("shop")


async def test_a_row_of_a_run_that_shopify_refused_is_told_in_both_languages(running: Furnish, shown: Ask) -> None:
    setup = Setup(codes=("A-1", "A-2"), ledger=20, channel=5, route={"align": "keep_difference"})
    bench = await running(setup)
    await loses_its_item(bench)
    made = await previews.make_preview(bench.house, "pos-shop", source="ledger")
    run = (await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")).run
    bench.wake()
    await quarantined(bench)
    await bench.run(5)

    [row] = [line async for line in control.lines(bench.house, run, "failed")]
    assert (row["value"], row["reason_code"]) == ("A-1", "IS-SHP-050")
    told = orjson.loads(await shown("run", "show", str(run), "--json"))["not_written"]
    assert [(each["value"], each["reason"], each["reason_code"]) for each in told] == [
        ("A-1", row["reason"], "IS-SHP-050")
    ]
    words = row["reason"].removeprefix("Shopify does not know the item: ")
    assert words != row["reason"], "Shopify's own words stand behind the sentence"
    for command in (("run", "show", str(run)), ("quarantine", "list"), ("explain", "A-1", "--since", "9999d")):
        in_japanese, in_english = await shown(*command), await shown(*command, language="en")
        assert f"商品が Shopify に存在しません({words})" in in_japanese
        assert "Shopify does not know" not in in_japanese
        assert row["reason"] in in_english
    event = await refused(bench, "shop")
    assert event.ja == f"当方の書き込み +15、拒否: 商品が Shopify に存在しません({words})"
    assert event.en == f"we wrote +15, rejected: {row['reason']}"
    assert event.reason_code == "IS-SHP-050"


async def test_a_change_that_smaregi_refused_is_told_in_both_languages(running: Furnish, shown: Ask) -> None:
    bench = await running(Setup(smaregi=replace(SMAREGI_SWITCHES, paused_store_write="refused")))
    bench.pos.pause_store("1", bench.agenda.now)
    bench.move_channel("A-1", -2)
    await quarantined(bench)

    event = await refused(bench, "pos")
    assert event.ja.startswith("当方の書き込み -2、拒否: スマレジが在庫変更を拒否しました(POST ")
    assert "HTTP 400" in event.ja
    assert "指定された店舗は停止中です" in event.ja
    assert event.en.startswith("we wrote -2, rejected: Smaregi refused the stock change: POST ")
    assert event.reason_code == "IS-SMR-021"
    assert "スマレジが在庫変更を拒否しました(POST " in await shown("explain", "A-1", "--since", "9999d")


async def test_a_write_that_had_to_wait_for_smaregi_is_told_in_both_languages(running: Furnish) -> None:
    bench = await running()
    bench.faults("pos").queue("POST */add", Fault(FaultKind.THROTTLE))
    bench.move_channel("A-1", -2)
    await bench.rest()

    [op] = [op for op in await bench.ops("pos") if op["state"] == "not_applied"]
    found = await ask(bench, problems=problems_in_japanese())
    [event] = [each for each in found.events if each.reference == op["id"]]
    assert event.ja.startswith("当方の書き込み -2、反映されず: スマレジのリクエスト上限に達しました(")
    assert "Smaregi asked" not in event.ja
    assert event.en.startswith("we wrote -2, not applied: Smaregi asked us to slow down: ")
    assert (bench.ledger(), event.reason_code) == (8, "IS-SMR-005")


async def test_a_row_that_makeshop_refused_is_told_in_both_languages(pool: Pool, shown: Ask) -> None:
    bench = await furnish_cart(pool, calibration=dict(PROVEN), cart_switches=replace(SWITCHES, quantity_max=12))
    bench.move_ledger("A-1", 3)
    await quarantined(bench)
    await bench.tasks.kill()

    event = await refused(bench, "cart")
    assert event.ja.startswith("当方の書き込み +3、拒否: MakeShopがこの商品の在庫更新を拒否しました(")
    assert "MakeShop refused" not in event.ja
    assert event.en.startswith("we wrote +3, rejected: MakeShop refused the stock change of this product: ")
    assert event.reason_code == "IS-MKS-020"
    assert "MakeShopがこの商品の在庫更新を拒否しました(" in await shown("quarantine", "list")


async def test_a_lost_answer_and_what_we_say_ourselves_are_told_in_japanese_too(running: Furnish) -> None:
    bench = await running()
    bench.faults("shop").queue(ADJUST, *[Fault(FaultKind.RESET_BEFORE)] * 6)
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.rows("select 1 from ops where state = 'in_doubt'"))
    event = await refused(bench, "shop")
    assert event.ja.startswith("当方の書き込み -3、結果を確認中、2 回送信: Shopify から時間内に応答がありません(")
    assert event.reason_code == "IS-SHP-002"

    await bench.pool.execute("update ops set reason = 'owner changed', reason_code = null where state = 'in_doubt'")
    assert (await refused(bench, "shop")).ja.endswith(": 担当するプロセスが替わりました")


async def test_a_reason_of_before_its_code_was_kept_stands_as_it_was_stored(running: Furnish, shown: Ask) -> None:
    bench = await running()
    await loses_its_item(bench)
    bench.move_ledger("A-1", -3)
    await quarantined(bench)
    await bench.pool.execute("update ops set reason_code = null")

    event = await refused(bench, "shop")
    assert event.ja.startswith("当方の書き込み -3、拒否: Shopify does not know the item: ")
    assert event.reason_code is None
    [write] = [e for e in _writes(await shown("explain", "A-1", "--since", "9999d", "--json")) if "does not" in e["en"]]
    assert write["reason_code"] is None


def _writes(document: str) -> list[dict[str, Any]]:
    return [each for each in orjson.loads(document)["timeline"] if each["kind"] == "write"]
