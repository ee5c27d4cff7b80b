"""The watched folder: what it takes and when, and what lies where afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from inventory_sync.ledger.files.disk import Disk
from inventory_sync.ledger.files.folder import Folder
from inventory_sync.ledger.files.profile import FileProfile
from inventory_sync.ledger.files.receipt import Receipt, RowOutcome, Verdict
from tests.ledger.files.files_support import HEADER, MINUTE, NOON, drop, profile, receipt_rows
from tests.ledger.files.memory_desk import MemoryDesk, names


async def looks(folder: Folder, start: datetime = NOON + MINUTE, times: int = 2) -> list[Receipt]:
    """Looks a minute apart; the receipts they gave."""
    found = [await folder.look(start + number * MINUTE) for number in range(times)]
    return [look.receipt for look in found if look.receipt is not None]


def watched(tmp_path: Path, using: FileProfile | None = None, **options: object) -> tuple[MemoryDesk, Folder]:
    desk = MemoryDesk(using or profile())
    return desk, Folder(desk, tmp_path, **options)  # type: ignore[arg-type]


async def test_a_whole_file_is_applied_once_and_lies_in_done_with_its_receipt(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\nB,main,0\n")
    (receipt,) = await looks(folder, times=4)
    assert receipt.verdict is Verdict.APPLIED
    assert (desk.quantity("A"), desk.quantity("B"), desk.shelf.booked) == (3, 0, ["stock.csv"])
    assert names(tmp_path) == ["done", "quarantine", "working"]
    assert names(tmp_path / "done") == ["stock.csv", "stock.csv.result.csv"]
    assert receipt_rows(tmp_path / "done/stock.csv.result.csv") == [
        {"row": "2", "sku": "A", "outcome": "booked", "reason": ""},
        {"row": "3", "sku": "B", "outcome": "booked", "reason": ""},
    ]


async def test_one_look_is_not_enough_to_take_a_file_for_whole(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\n")
    look = await folder.look(NOON)
    assert (look.did, look.waiting, look.oldest) == (0, 1, NOON)
    assert look.due == NOON + timedelta(seconds=10)
    assert (await folder.look(NOON + timedelta(seconds=9))).did == 0
    assert (await folder.look(NOON + timedelta(seconds=10))).did == 1
    assert desk.quantity("A") == 3


async def test_a_file_that_still_grows_waits(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path)
    drop(tmp_path, "stock.csv", HEADER)
    await folder.look(NOON)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\n")
    assert (await folder.look(NOON + MINUTE)).did == 0
    drop(tmp_path, "stock.csv", HEADER + "A,main,4\n", NOON + MINUTE)
    assert (await folder.look(NOON + 2 * MINUTE)).did == 0
    assert (await folder.look(NOON + 3 * MINUTE)).did == 1
    assert desk.quantity("A") == 4


async def test_a_marker_makes_a_file_whole_at_once(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\n")
    drop(tmp_path, "stock.csv.done", "")
    assert (await folder.look(NOON)).did == 1
    assert desk.quantity("A") == 3
    assert names(tmp_path) == ["done", "quarantine", "working"]
    assert names(tmp_path / "working") == []


async def test_a_marker_older_than_the_file_vouches_for_nothing(tmp_path: Path) -> None:
    _, folder = watched(tmp_path, marker_required=True)
    drop(tmp_path, "stock.csv.done", "", NOON - MINUTE)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\n")
    assert await looks(folder, times=3) == []
    drop(tmp_path, "stock.csv.done", "", NOON)
    assert len(await looks(folder, times=1)) == 1


async def test_unfinished_hidden_and_foreign_files_are_left_alone(tmp_path: Path) -> None:
    _, folder = watched(tmp_path, pattern="stock*.csv")
    left = ["stock.csv.tmp", ".stock.csv", "stock.csv.part", "stock.csv.filepart", "prices.csv", "stock.csv.result.csv"]
    for name in left:
        drop(tmp_path, name, HEADER + "A,main,3\n")
    (tmp_path / "stock-directory.csv").mkdir()
    (tmp_path / "stock-link.csv").symlink_to(tmp_path / "prices.csv")
    assert await looks(folder, times=3) == []
    assert set(left) <= set(names(tmp_path))


async def test_a_bad_file_goes_whole_to_quarantine_and_its_receipt_says_why(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path, language="ja")
    content = HEADER + "A,main,3\nB,main,１２\n"
    drop(tmp_path, "stock.csv", content)
    (receipt,) = await looks(folder)
    assert receipt.verdict is Verdict.REFUSED
    assert desk.shelf.levels == {}
    assert names(tmp_path / "quarantine") == ["stock.csv", "stock.csv.result.csv"]
    assert (tmp_path / "quarantine/stock.csv").read_text() == content
    first, second = receipt_rows(tmp_path / "quarantine/stock.csv.result.csv")
    assert (first["row"], first["sku"], first["outcome"]) == ("2", "A", "not_applied")
    assert (second["row"], second["sku"], second["outcome"]) == ("3", "B", "refused")
    assert "全角数字" in second["reason"]
    assert "IS-FIL-013" in second["reason"]


async def test_one_row_the_ledger_refuses_refuses_the_file_and_a_near_code_is_named(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path)
    desk.shelf.items = {"A", "B"}
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\nB ,main,1\n")
    (receipt,) = await looks(folder)
    assert desk.shelf.levels == {}
    assert [(row.row, row.outcome) for row in receipt.rows] == [(2, RowOutcome.NOT_APPLIED), (3, RowOutcome.REFUSED)]
    assert "Nearly B." in receipt.rows[1].reason("en")
    assert receipt.problems[0].column == "sku"


async def test_the_same_content_again_is_no_second_booking(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path, profile(mode="add"))
    drop(tmp_path, "a.csv", HEADER + "A,main,3\n")
    await looks(folder)
    drop(tmp_path, "b.csv", HEADER + "A,main,3\n", NOON + MINUTE)
    (receipt,) = await looks(folder)
    assert receipt.verdict is Verdict.ALREADY_APPLIED
    assert (desk.quantity("A"), desk.shelf.booked) == (3, ["a.csv"])
    assert receipt_rows(tmp_path / "done/b.csv.result.csv")[0]["outcome"] == "already_applied"


async def test_files_are_taken_in_their_order_and_an_older_one_is_refused(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path, profile(sequence=r"stock_(\d+)\.csv"))
    drop(tmp_path, "stock_10.csv", HEADER + "A,main,10\n", NOON)
    drop(tmp_path, "stock_9.csv", HEADER + "A,main,9\n", NOON + MINUTE)
    await looks(folder, times=3)
    assert desk.shelf.booked == ["stock_9.csv", "stock_10.csv"]
    drop(tmp_path, "stock_8.csv", HEADER + "A,main,8\n", NOON + 2 * MINUTE)
    (receipt,) = await looks(folder, NOON + 5 * MINUTE)
    assert receipt.problems[0].code == "IS-FIL-021"
    assert desk.quantity("A") == 10


async def test_a_later_file_never_overtakes_one_that_is_still_arriving(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path, profile(sequence=r"stock_(\d+)\.csv"))
    drop(tmp_path, "stock_1.csv", HEADER)
    drop(tmp_path, "stock_2.csv", HEADER + "A,main,2\n")
    drop(tmp_path, "stock_2.csv.done", "")
    assert (await folder.look(NOON)).did == 0
    drop(tmp_path, "stock_1.csv", HEADER + "A,main,1\n")
    await looks(folder, times=3)
    assert desk.shelf.booked == ["stock_1.csv", "stock_2.csv"]


async def test_a_file_without_its_number_is_put_aside_and_holds_nobody_up(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path, profile(sequence=r"stock_(\d+)\.csv"))
    drop(tmp_path, "readme.txt", "hello")
    drop(tmp_path, "stock_1.csv", HEADER + "A,main,1\n")
    first, second = await looks(folder, times=3)
    assert [problem.code for problem in first.problems] == ["IS-FIL-022"]
    assert second.verdict is Verdict.APPLIED
    assert desk.quantity("A") == 1


async def test_a_name_that_comes_every_day_keeps_every_file_and_every_receipt(tmp_path: Path) -> None:
    _, folder = watched(tmp_path)
    for day in range(3):
        drop(tmp_path, "stock.csv", HEADER + f"A,main,{day + 10}\n", NOON + day * MINUTE)
        await looks(folder, NOON + day * 10 * MINUTE)
    assert names(tmp_path / "done") == [
        "stock.csv",
        "stock.csv.1",
        "stock.csv.1.result.csv",
        "stock.csv.2",
        "stock.csv.2.result.csv",
        "stock.csv.result.csv",
    ]
    assert (tmp_path / "done/stock.csv").read_text().endswith("A,main,12\n")
    assert (tmp_path / "done/stock.csv.1").read_text().endswith("A,main,10\n")


async def test_two_processes_never_work_on_one_folder(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\n")
    await folder.look(NOON)
    with Disk().lock(tmp_path / ".lock") as held:
        assert held
        assert (await folder.look(NOON + MINUTE)).did == 0
    assert desk.shelf.levels == {}
    assert (await folder.look(NOON + MINUTE)).did == 1


async def test_a_new_process_forgets_what_it_saw_and_loses_nothing(tmp_path: Path) -> None:
    desk, folder = watched(tmp_path)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\n")
    await folder.look(NOON)
    again = Folder(desk, tmp_path)
    assert (await again.look(NOON + MINUTE)).did == 0
    assert (await again.look(NOON + 2 * MINUTE)).did == 1


@pytest.mark.parametrize("name", ["x" * 251 + ".csv", b"\x8d\xdd\x8c\xc9.csv".decode("utf-8", "surrogateescape")])
async def test_odd_names_are_taken_in_too(tmp_path: Path, name: str) -> None:
    desk, folder = watched(tmp_path)
    drop(tmp_path, name, HEADER + "A,main,3\n")
    (receipt,) = await looks(folder)
    assert receipt.verdict is Verdict.APPLIED
    assert desk.quantity("A") == 3
    assert names(tmp_path / "done") == sorted([receipt.file, f"{receipt.file}.result.csv"])
    assert receipt.file.encode()


async def test_everybody_who_listens_hears_of_a_file_before_it_leaves_working(tmp_path: Path) -> None:
    heard: list[tuple[str, Verdict, list[str]]] = []

    async def listen(receipt: Receipt) -> None:
        heard.append((receipt.file, receipt.verdict, names(tmp_path / "working")))

    _, folder = watched(tmp_path, announce=listen)
    drop(tmp_path, "bad.csv", "no header\n")
    drop(tmp_path, "good.csv", HEADER + "A,main,1\n", NOON + MINUTE)
    await looks(folder, times=3)
    assert heard == [("bad.csv", Verdict.REFUSED, ["bad.csv"]), ("good.csv", Verdict.APPLIED, ["good.csv"])]


async def test_a_file_that_may_not_be_read_is_put_aside(tmp_path: Path) -> None:
    class Closed(Disk):
        def read(self, path: Path, most: int) -> bytes:
            raise PermissionError(13, "Permission denied")

    _, folder = watched(tmp_path, disk=Closed())
    drop(tmp_path, "stock.csv", HEADER + "A,main,1\n")
    (receipt,) = await looks(folder)
    assert receipt.problems[0].code == "IS-FIL-032"
    assert "stock.csv" in names(tmp_path / "quarantine")


async def test_receipts_hold_no_formula(tmp_path: Path) -> None:
    _, folder = watched(tmp_path)
    drop(tmp_path, "stock.csv", HEADER + "=1+1,main,1\n")
    await looks(folder)
    assert receipt_rows(tmp_path / "done/stock.csv.result.csv")[0]["sku"] == "'=1+1"
