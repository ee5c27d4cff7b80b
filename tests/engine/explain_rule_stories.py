"""Stories of causes that lie in what a person set: codes that match nothing, and publish rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from inventory_sync.engine.explain import Cause
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.explain_support import Story, aligned
from tests.engine.publish_support import imported


def only_in_the_ledger(bench: Any, code: str, **how: bool) -> None:
    """A product of the ledger, five of it."""
    bench.products[code] = bench.pos.add_product(code, bench.agenda.now, **how)
    bench.pos.receive(bench.products[code], "1", 5, bench.agenda.now)


def only_in_the_shop(bench: Any, code: str, **how: bool) -> None:
    """A listing of the shop, twenty of it."""
    [bench.items["shop"][code]] = bench.shop().add_product(
        f"Product {code}", [code], bench.agenda.now, stock=20, policy="CONTINUE", **how
    )


def odd_ones(bench: Any) -> None:
    """Items that cannot be matched, each for a reason of its own."""
    only_in_the_ledger(bench, "LONELY-1")
    only_in_the_shop(bench, "LONELY-2")
    only_in_the_ledger(bench, "ABC-1")
    only_in_the_shop(bench, "abc-1")
    only_in_the_ledger(bench, "UNMANAGED", managed=False)
    only_in_the_shop(bench, "UNMANAGED")
    only_in_the_ledger(bench, "UNTRACKED")
    only_in_the_shop(bench, "UNTRACKED", tracked=False)
    only_in_the_ledger(bench, "BUNDLE")
    only_in_the_shop(bench, "BUNDLE", bundle=True)
    only_in_the_ledger(bench, "TWICE")
    bench.shop().add_product("Twice", ["TWICE", "TWICE"], bench.agenda.now, stock=20, policy="CONTINUE")


async def _codes_that_do_not_match(furnished: Furnish) -> Bench:
    return await furnished(Setup(more=odd_ones))


def _published(**rule: int) -> Callable[[Furnish], Awaitable[Bench]]:
    async def happens(furnished: Furnish) -> Bench:
        return await aligned(furnished, Setup(ledger=40, route=rule))

    return happens


def _ruled(row: str) -> Callable[[Furnish], Awaitable[Bench]]:
    async def happens(furnished: Furnish) -> Bench:
        bench = await aligned(furnished, Setup(codes=("A-1", "B-2"), ledger=10))
        await imported(bench, f"code,{row}\n")
        await bench.rest()
        return bench

    return happens


RULE_STORIES = (
    Story(
        "unmatched",
        _codes_that_do_not_match,
        Cause.UNMATCHED,
        'shop has no item with the same code as "LONELY-1" of pos, so it is not matched.',
        "pos の「LONELY-1」と同じコードの商品が shop にない",
        code="LONELY-1",
    ),
    Story(
        "near miss, of which code",
        _codes_that_do_not_match,
        Cause.NEAR_MISS,
        'Nothing matches "ABC-1" of pos, but shop has almost the same code, "abc-1".',
        "shop にほぼ同じコード「abc-1」があります",
        code="ABC-1",
    ),
    Story(
        "ambiguous",
        _codes_that_do_not_match,
        Cause.AMBIGUOUS,
        'The code "TWICE" is ambiguous: several items of the channel have it',
        "販売チャネルの複数の商品にある",
        code="TWICE",
    ),
    Story(
        "untracked",
        _codes_that_do_not_match,
        Cause.UNTRACKED,
        "At shop, stock is not managed for",
        "shop の Product UNTRACKED は在庫管理がオフ",
        code="UNTRACKED",
    ),
    Story(
        "untracked",
        _codes_that_do_not_match,
        Cause.UNTRACKED,
        "At pos, stock is not managed for",
        "在庫管理がオフ",
        code="UNMANAGED",
    ),
    Story(
        "bundle",
        _codes_that_do_not_match,
        Cause.BUNDLE,
        "is the parent of a bundle",
        "組み合わせ商品の親",
        code="BUNDLE",
    ),
    Story("buffer", _published(buffer=3), Cause.BUFFER, "3 units are kept back as a buffer.", "安全在庫として 3 個"),
    Story("percent", _published(percent=50), Cause.PERCENT, "Only 50 percent of the stock", "在庫の 50 パーセント"),
    Story("cap", _published(maximum=15), Cause.CAP, "show 15 units at most", "最大 15 個"),
    Story("offset", _ruled("offset\nA-1,5"), Cause.OFFSET, "adds +5 units", "+5 個を加減", first=False),
    Story("end-when", _ruled("end_when\nA-1,12"), Cause.END_WHEN, "the channel is told 0", "12 個以下のため"),
    Story(
        "excluded from the route",
        _ruled("exclude\nA-1,yes"),
        Cause.NOT_PUBLISHED,
        "The publish rule of the route pos-shop leaves this item out.",
        "ルート pos-shop の公開設定で、この商品は対象外",
    ),
)
