"""What the stories about safety share: many codes at once, and what is held."""

from __future__ import annotations

from collections.abc import Iterable

from inventory_sync.sandbox.kernel import StockChange
from tests.engine.bench import Bench

TWELVE = tuple(f"A-{number:02}" for number in range(1, 13))


def set_ledger(bench: Bench, numbers: dict[str, int], store: str = "1") -> None:
    """Somebody, or something, sets many numbers of the ledger at once."""
    for code, number in numbers.items():
        bench.pos.count(bench.products[code], store, number, bench.agenda.now)
    bench.heard("pos")


def set_channel(bench: Bench, numbers: dict[str, int], shop: str = "shop") -> None:
    """Somebody types many numbers into a shop at once."""
    for code, number in numbers.items():
        item, place = bench.items[shop][code], bench.place(shop)
        bench.shop(shop).set_by_person(item, place, number, bench.agenda.now)
    bench.heard(shop)


async def held(bench: Bench) -> dict[str, int]:
    """Units that are held, by the code of the cell's item."""
    found = await bench.rows(
        "select i.codes, i.name, c.held_back from cells c join items i on i.id = c.item_id where c.held_back <> 0"
    )
    names = {r["name"].removeprefix("Product "): r["held_back"] for r in found}
    codes = {r["codes"].get("product_code") or r["codes"].get("sku"): r["held_back"] for r in found}
    return codes if None not in codes else names


async def sums_agree(bench: Bench) -> None:
    """What is held of each cell is the sum of its open holds."""
    wrong = await bench.rows(
        "select c.id from cells c left join (select cell_id, sum(units - taken_back) as units from holds "
        "where released_at is null group by cell_id) h on h.cell_id = c.id where c.held_back <> coalesce(h.units, 0)"
    )
    assert wrong == []


def highest_told(bench: Bench, codes: Iterable[str], shop: str = "shop") -> int:
    """The largest rise that we ever wrote at a shop for one of these codes."""
    items = {bench.items[shop][code] for code in codes}
    return max((change.delta for change in bench.ours(shop) if change.item in items), default=0)


def raised(bench: Bench) -> list[StockChange]:
    """Every rise that we ever wrote at any shop since the counting began, by the shops' own logs."""
    return [change for shop in bench.setup.shops for change in bench.ours(shop) if change.delta > 0]


def never_told_too_high(bench: Bench) -> None:
    """By the partners' own logs: no number that we wrote at a shop was above what the shop showed when the counting
    began, less what was sold there since. What a shop's own people typed in is theirs."""
    for shop in bench.setup.shops:
        log = bench.partners[shop].simulator.log.changes
        began = bench.began.get(shop, 0)
        most: dict[tuple[str, str], int] = {}
        for change in log[began:]:
            key = (change.item, change.location)
            most.setdefault(key, change.after - change.delta)
            if change.actor != "client":
                most[key] += change.delta
            else:
                assert change.after <= most[key], f"{shop} was told {change.after} at {change.at}: at most {most[key]}"
    assert raised(bench) == []
