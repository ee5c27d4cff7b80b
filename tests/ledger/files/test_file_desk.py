"""Files taken into a real book: one transaction with their record, on top of what happened later, never twice."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import reading
from inventory_sync.ledger.files.desk import LedgerDesk
from inventory_sync.ledger.files.export import export
from inventory_sync.ledger.files.folder import Folder
from inventory_sync.ledger.files.problems import Confirm, FileRefused
from inventory_sync.ledger.files.profile import FileProfile
from inventory_sync.ledger.files.receipt import Receipt, RowOutcome, Verdict
from inventory_sync.ledger.files.takein import Incoming, take_in
from inventory_sync.ledger.values import Adjust, Count, Item, Kind
from tests.ledger.files.files_support import ALL_COLUMNS, HEADER, MINUTE, drop, profile
from tests.ledger.files.memory_desk import names
from tests.ledger.ledger_support import START, Desk


async def take(
    desk: Desk,
    content: str,
    using: FileProfile | None = None,
    *,
    at: datetime = START,
    name: str = "stock.csv",
    **options: object,
) -> Receipt:
    """Take a file of time `at` in, at what the book's clock says."""
    where = LedgerDesk(desk.pool, desk.book, using or profile(), desk.clock.now)
    incoming = Incoming(name, content.encode(), at)
    return await take_in(where, incoming, now=desk.clock.now(), actor="tester", **options)  # type: ignore[arg-type]


async def refused(desk: Desk, content: str, using: FileProfile | None = None, **options: object) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        await take(desk, content, using, **options)  # type: ignore[arg-type]
    return caught.value


async def test_a_file_sets_levels_and_its_entries_name_it(desk: Desk) -> None:
    receipt = await take(desk, HEADER + "A,main,3\nB,back,4\n")
    assert receipt.counts == {"booked": 2}
    assert (await desk.quantity("A"), await desk.quantity("B", "back")) == (3, 4)
    entries = await reading.entries(desk.pool, desk.book)
    assert [(entry.reference, entry.actor, entry.kind) for entry in entries] == [
        ("stock.csv", "tester", Kind.COUNT)
    ] * 2


async def test_what_happened_after_the_file_was_made_stays_on_top(desk: Desk) -> None:
    await take(desk, HEADER + "A,main,10\n")
    desk.clock.forward(300)
    await desk.post(Adjust("A", "main", -2, kind=Kind.SALE))
    desk.clock.forward(300)
    await take(desk, HEADER + "A,main,9\n", at=START + MINUTE)
    assert await desk.quantity("A") == 7


async def test_a_row_with_its_own_time_speaks_of_that_time(desk: Desk) -> None:
    using = profile(columns=ALL_COLUMNS)
    header = "sku,location,quantity,label,updated_at,mode,reference\n"
    desk.clock.forward(300)
    await desk.post(Count("A", "main", 5))
    receipt = await take(
        desk, header + "A,main,9,,2026-04-01T00:01:00Z,,\nB,main,1,,,,N-7\n", using, at=desk.clock.now()
    )
    assert [row.outcome for row in receipt.rows] == [RowOutcome.SUPERSEDED, RowOutcome.BOOKED]
    assert await desk.quantity("A") == 5
    assert (await reading.entries(desk.pool, desk.book, sku="B"))[0].reference == "N-7"


async def test_differences_are_added_as_the_kind_the_source_declares(desk: Desk) -> None:
    using = profile(mode="add", negative=True, kind="sale")
    receipt = await take(desk, HEADER + "A,main,-3\nB,main,0\n", using)
    assert [row.outcome for row in receipt.rows] == [RowOutcome.BOOKED, RowOutcome.NOTHING]
    level = await desk.level("A")
    assert level is not None
    assert (level.quantity, level.owed) == (-3, 3)
    assert await desk.level("B") is None


async def test_a_sale_that_is_not_declared_as_one_may_not_go_below_zero(desk: Desk) -> None:
    found = await refused(desk, HEADER + "B,main,1\nA,main,-3\n", profile(mode="add", negative=True))
    assert [(problem.code, problem.row, problem.column) for problem in found.problems] == [
        ("IS-FIL-024", 3, "quantity")
    ]
    assert await desk.level("B") is None


async def test_one_unknown_code_refuses_the_file_and_the_nearly_right_one_is_named(desk: Desk) -> None:
    found = await refused(desk, HEADER + "B,main,1\nA ,main,3\n")
    (problem,) = found.problems
    assert (problem.code, problem.row, problem.sku, problem.column) == ("IS-FIL-024", 3, "A ", "sku")
    assert '"A␠" has a blank (U+0020) at the end' in problem.text("en")
    assert "空白" in problem.text("ja")
    assert await desk.level("B") is None


async def test_the_tilde_of_a_shift_jis_file_is_the_full_width_one_and_no_other(desk: Desk) -> None:
    await ledger.put_items(desk.pool, desk.book, [Item("S〜M"), Item("L～X")], now=START)
    using = profile(encoding="cp932")
    where = LedgerDesk(desk.pool, desk.book, using, desk.clock.now)
    full_width = Incoming("a.csv", (HEADER + "L～X,main,1\n").encode("cp932"), START)
    assert (await take_in(where, full_width, now=START, actor="tester")).verdict is Verdict.APPLIED
    wave = Incoming("b.csv", HEADER.encode() + b"L\x81\x60X,main,1\nS\x81\x60M,main,1\n", START)
    with pytest.raises(FileRefused) as caught:
        await take_in(where, wave, now=START, actor="tester")
    assert [problem.sku for problem in caught.value.problems] == ["S～M"]
    assert "U+301C" in caught.value.problems[0].text("en")


@pytest.mark.parametrize(("row", "column"), [("A,nowhere,1", "location"), ("A,main,1,nolabel", "label")])
async def test_unknown_places_and_labels_are_named_by_their_column(desk: Desk, row: str, column: str) -> None:
    columns = {"sku": "sku", "location": "location", "quantity": "quantity", "label": "label"}
    found = await refused(
        desk, f"sku,location,quantity,label\n{row}{',' * (3 - row.count(','))}\n", profile(columns=columns)
    )
    assert [problem.column for problem in found.problems] == [column]


async def test_items_are_made_where_the_profile_says_so(desk: Desk) -> None:
    await take(desk, HEADER + "N-1,main,3\nA,main,1\n", profile(unknown_items="make"))
    assert await desk.quantity("N-1") == 3
    found = await refused(
        desk, HEADER + f"N-2,main,3\n{'x' * 201},main,1\n", profile(unknown_items="make"), at=START + MINUTE
    )
    assert len(found.problems) == 1
    assert [item.sku for item in await reading.items(desk.pool, desk.book)] == ["A", "B", "N-1"]


async def test_the_same_bytes_are_applied_once(desk: Desk) -> None:
    using = profile(mode="add")
    await take(desk, HEADER + "A,main,3\n", using)
    again = await take(desk, HEADER + "A,main,3\n", using, at=START + MINUTE, name="copy.csv")
    assert again.verdict is Verdict.ALREADY_APPLIED
    assert await desk.quantity("A") == 3


async def test_a_source_that_says_the_same_again_is_heard_of_though_nothing_is_booked(desk: Desk) -> None:
    where = LedgerDesk(desk.pool, desk.book, profile(), desk.clock.now)
    assert await where.heard_at() is None
    for minutes in (0, 60, 61):
        desk.clock.at = START + minutes * MINUTE
        if minutes < 61:
            await take(desk, HEADER + "A,main,3\n", at=START + minutes * MINUTE)
        else:
            await refused(desk, HEADER + "A,main,x\n", at=START + minutes * MINUTE)
    assert await where.heard_at() == START + 60 * MINUTE


async def test_two_at_once_book_the_file_once(desk: Desk) -> None:
    using = profile(mode="add")
    found = await asyncio.gather(*(take(desk, HEADER + "A,main,3\n", using) for _ in range(4)))
    assert sorted(receipt.verdict for receipt in found) == [Verdict.ALREADY_APPLIED] * 3 + [Verdict.APPLIED]
    assert await desk.quantity("A") == 3


async def test_quantities_that_return_to_an_earlier_state_are_applied(desk: Desk) -> None:
    for number, units in enumerate((5, 6, 5)):
        desk.clock.forward(60)
        await take(desk, HEADER + f"A,main,{units}\n", at=START + number * MINUTE)
    assert await desk.quantity("A") == 5


async def test_an_older_file_changes_nothing(desk: Desk) -> None:
    await take(desk, HEADER + "A,main,5\n", at=START)
    found = await refused(desk, HEADER + "A,main,9\n", at=START - MINUTE)
    assert [problem.code for problem in found.problems] == ["IS-FIL-021"]
    assert await desk.quantity("A") == 5


async def test_each_profile_and_each_book_has_its_own_last_file(desk: Desk) -> None:
    await take(desk, HEADER + "A,main,5\n", at=START)
    receipt = await take(desk, HEADER + "B,main,9\n", profile("other"), at=START - MINUTE)
    assert receipt.verdict is Verdict.APPLIED


async def test_new_columns_and_a_shrunken_file_wait_for_a_person_and_are_then_the_measure(desk: Desk) -> None:
    await take(desk, HEADER + "A,main,50\nB,main,50\n")
    wider = "sku,location,quantity,price\nA,main,51,9\nB,main,50,9\n"
    assert (await refused(desk, wider, at=START + MINUTE)).confirm == {Confirm.COLUMNS}
    await take(desk, wider, at=START + MINUTE, confirmed=[Confirm.COLUMNS])
    assert (await refused(desk, HEADER + "A,main,51\nB,main,49\n", at=START + 2 * MINUTE)).confirm == {Confirm.COLUMNS}
    smaller = "sku,location,quantity,price\nA,main,5,9\n"
    assert (await refused(desk, smaller, at=START + 2 * MINUTE)).confirm == {Confirm.SHRINK}
    await take(desk, smaller, at=START + 2 * MINUTE, confirmed=[Confirm.SHRINK])
    again = await take(desk, smaller.replace("5,9", "4,9"), at=START + 3 * MINUTE)
    assert again.verdict is Verdict.APPLIED


async def test_what_a_file_leaves_out_is_not_zero(desk: Desk) -> None:
    await take(desk, HEADER + "A,main,50\nB,main,1\n")
    await take(desk, HEADER + "A,main,50\n", profile(shrink_percent=100), at=START + MINUTE)
    assert await desk.quantity("B") == 1


async def test_what_a_snapshot_leaves_out_is_zero_at_the_places_it_names_only(desk: Desk) -> None:
    await desk.post(
        Count("A", "main", 5), Count("B", "main", 6), Count("B", "back", 7), Count("B", "main", 8, label="loose")
    )
    desk.clock.forward(120)
    await desk.post(Adjust("B", "main", 2))
    desk.clock.forward(60)
    receipt = await take(desk, HEADER + "A,main,50\n", profile(snapshot=True), at=START + MINUTE)
    assert [(row.row, row.sku, row.outcome) for row in receipt.rows] == [
        (2, "A", RowOutcome.BOOKED),
        (None, "B", RowOutcome.ZEROED),
    ]
    assert await desk.quantity("A") == 50
    assert await desk.quantity("B") == 2, "what came after the snapshot stays on top of its zero"
    assert await desk.quantity("B", "back") == 7
    assert await desk.quantity("B", label="loose") == 8


async def test_a_dry_run_says_all_and_leaves_nothing(desk: Desk) -> None:
    receipt = await take(desk, HEADER + "A,main,3\n", dry_run=True)
    assert receipt.counts == {"booked": 1}
    assert await desk.level("A") is None
    assert (await take(desk, HEADER + "A,main,3\n")).verdict is Verdict.APPLIED


async def test_a_files_clock_that_runs_ahead_does_not_hold_it_up(desk: Desk) -> None:
    receipt = await take(desk, HEADER + "A,main,3\n", at=START + 600 * MINUTE)
    assert receipt.counts == {"booked": 1}
    assert await desk.quantity("A") == 3


async def test_levels_go_out_and_come_back_unchanged(desk: Desk) -> None:
    await desk.post(Count("A", "main", 5), Count("B", "back", 7), Count("B", "main", 8, label="loose"))
    desk.clock.forward(60)
    using = profile(encoding="utf-8-sig")
    where = LedgerDesk(desk.pool, desk.book, using, desk.clock.now)
    data = export(await where.levels(), using)
    assert data.decode("utf-8-sig").splitlines() == ["sku,location,quantity", "B,back,7", "A,main,5"]
    await desk.post(Adjust("A", "main", 1))
    incoming = Incoming("back.csv", data, desk.clock.now())
    await take_in(where, incoming, now=desk.clock.now(), actor="tester")
    assert await desk.quantity("B", "back") == 7


async def test_a_watched_folder_books_into_a_real_book(desk: Desk, tmp_path: Path) -> None:
    folder = Folder(LedgerDesk(desk.pool, desk.book, profile(), desk.clock.now), tmp_path)
    drop(tmp_path, "good.csv", HEADER + "A,main,3\n", START)
    drop(tmp_path, "half.csv", HEADER + "A,main,4\nB,main,", START + MINUTE)
    for _ in range(4):
        await folder.look(desk.clock.forward(60))
    assert (await desk.quantity("A"), await desk.level("B")) == (3, None)
    assert names(tmp_path / "done") == ["good.csv", "good.csv.result.csv"]
    assert names(tmp_path / "quarantine") == ["half.csv", "half.csv.result.csv"]


async def test_ten_thousand_rows_are_one_transaction(desk: Desk) -> None:
    content = HEADER + "".join(f"S{number},main,{number}\n" for number in range(10_000))
    receipt = await take(desk, content, profile(unknown_items="make"))
    assert receipt.counts == {"booked": 10_000}
    assert await desk.quantity("S9999") == 9_999
    spoilt = content.replace("S5000,main,5000", "S5000,nowhere,5000")
    assert len((await refused(desk, spoilt, at=START + MINUTE)).problems) == 1
