"""The kit itself: adapters that break a promise are found out, by the behaviour that states it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from inventory_sync.conformance import (
    BEHAVIOURS,
    Impossible,
    Result,
    State,
    Violated,
    prove,
    rigs_named,
    run,
    table,
)
from inventory_sync.conformance.__main__ import main
from inventory_sync.systems.port import Condition
from tests.conformance.makeshop_rig import MakeShopRig, RelativeMakeShopRig
from tests.conformance.plots import PLOTS, Plot, sabotaged
from tests.conformance.rigs import every_rig
from tests.conformance.smaregi_rig import SmaregiRig

BY_NAME = {each.name: each for each in BEHAVIOURS}


@pytest.mark.parametrize(
    ("plot", "name"),
    [pytest.param(plot, name, id=f"{title}-{name}") for title, plot in PLOTS.items() for name in plot.caught_by],
)
async def test_a_broken_adapter_is_found_out(plot: Plot, name: str) -> None:
    async with asyncio.timeout(30.0), sabotaged(plot) as rig:
        with pytest.raises(Violated):
            await prove(BY_NAME[name], rig)


async def test_a_partner_that_complains_spoils_any_behaviour() -> None:
    async with SmaregiRig() as rig:
        await prove(BY_NAME["a_read_tells_the_truth"], rig)
        rig.office.violate("rate.read", "one too many", rig.now())
        with pytest.raises(Violated, match="one too many"):
            await prove(BY_NAME["a_read_tells_the_truth"], rig)


async def test_a_client_that_can_do_other_things_than_declared_is_found_out() -> None:
    class Undeclared(MakeShopRig):
        definition = RelativeMakeShopRig.definition

    async with Undeclared() as rig:
        with pytest.raises(Violated, match="declares"):
            await prove(BY_NAME["a_read_tells_the_truth"], rig)


def test_every_behaviour_is_told_in_a_sentence() -> None:
    assert len(BY_NAME) == len(BEHAVIOURS) >= 85
    for each in BEHAVIOURS:
        assert each.sentence[0].isupper() or each.sentence[0].isdigit(), each.name
        assert each.sentence.endswith("."), each.name


def test_the_table_counts_what_is_proven_and_says_what_is_not() -> None:
    first, second, third = BEHAVIOURS[:3]
    results = {
        "one": {first.name: Result(State.PROVEN), second.name: Result(State.FAILED, "it lies")},
        "two": {third.name: Result(State.PROVEN), first.name: Result(State.NOT_APPLICABLE, "it has no tokens")},
    }
    lines = table([first, second, third], results)
    assert lines[:2] == ["A: one", "B: two"]
    assert [line.split()[:2] for line in lines[2:7]] == [
        ["A", "B"],
        ["proven", "-"],
        ["FAILED", "-"],
        ["-", "proven"],
        ["1/2", "1/1"],
    ]
    assert lines[3].endswith(first.sentence)
    assert lines[7:] == [
        f"failed A: it lies: {second.name}",
        f"does not apply to B: it has no tokens: {first.name}",
    ]


def test_the_list_of_behaviours_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert all(each.sentence in printed for each in BEHAVIOURS)
    assert (
        "does not apply to B D: it does not declare 'repeats under a key': a_key_makes_a_repeat_harmless, " in printed
    )


async def test_behaviours_run_without_a_test_framework() -> None:
    @asynccontextmanager
    async def two_rigs() -> AsyncIterator[Mapping[str, Any]]:
        yield {"good": SmaregiRig, "bad": lambda: sabotaged(PLOTS["knows no debts"])}

    shown = [BY_NAME[name] for name in ("a_read_tells_the_truth", "bundles_are_marked", "a_key_outlives_trade")]
    results = await run(shown, two_rigs)
    assert [each.state for each in results["good"].values()] == [
        State.PROVEN,
        State.NOT_APPLICABLE,
        State.NOT_APPLICABLE,
    ]
    assert results["good"]["a_key_outlives_trade"].why == "it does not declare 'repeats under a key'"
    failed = results["bad"]["a_read_tells_the_truth"]
    assert failed.state is State.FAILED
    assert "the numbers read: expected [0, 1, 12, -3, 98765]" in failed.why


def test_rigs_are_named_by_module_and_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert rigs_named("tests.conformance.rigs:every_rig") is every_rig
    for wrong in ("tests.conformance.rigs", ":every_rig", "tests.conformance.rigs:"):
        with pytest.raises(ValueError, match="module:name"):
            rigs_named(wrong)
    assert main(["--help"]) == 2
    assert "MODULE:RIGS" in capsys.readouterr().err


async def test_a_rig_says_why_something_is_impossible() -> None:
    assert "no cell that is inactive" in str(await SmaregiRig().odd_cell(Condition.INACTIVE))
    assert isinstance(await SmaregiRig().add_item("日本語", "product_code"), Impossible)
