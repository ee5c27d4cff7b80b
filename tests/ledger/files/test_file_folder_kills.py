"""A process that dies anywhere leaves an untouched file, or one whose repeat books nothing; never half, never twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory_sync.ledger.files.folder import Folder
from tests.ledger.files.files_support import HEADER, MINUTE, NOON, drop, profile, receipt_rows
from tests.ledger.files.memory_desk import Fate, Killed, MemoryDesk, MortalDisk, names, reborn

EARLIER = HEADER + "A,main,1\nB,main,1\n"
GOOD = HEADER + "A,main,3\nB,main,4\n"
BAD = HEADER + "A,main,3\nB,main,x\n"


async def _run(folder: Folder) -> bool:
    """A few looks of one process; False if it died."""
    try:
        for number in range(1, 5):
            await folder.look(NOON + number * MINUTE)
    except Killed:
        return False
    return True


async def _place(path: Path, content: str, *, marker: bool) -> MemoryDesk:
    """A folder where a file of that name is done, another is in quarantine, and a third is to be taken in."""
    desk = MemoryDesk(profile(mode="add"))
    for earlier, minutes in ((EARLIER, -3), ("nothing\n", -2)):
        drop(path, "stock.csv", earlier, NOON + minutes * MINUTE)
        assert await _run(Folder(desk, path))
    drop(path, "stock.csv", content, NOON - MINUTE)
    if marker:
        drop(path, "stock.csv.done", "", NOON - MINUTE)
    return desk


async def _lives(path: Path, desk: MemoryDesk, deaths: list[int]) -> tuple[MemoryDesk, list[int]]:
    """One process after another, each killed at its place, the last one not. How many places each met."""
    met = []
    for at in [*deaths, None]:
        fate = Fate(at)
        desk.fate = fate
        survived = await _run(Folder(desk, path, disk=MortalDisk(fate)))
        assert survived == (at is None or fate.passed < at)
        met.append(fate.passed)
        desk = reborn(desk)
    return desk, met


def _check_good(path: Path, desk: MemoryDesk) -> None:
    assert desk.shelf.booked == ["stock.csv", "stock.csv"], "the earlier one and this one, each once"
    assert (desk.quantity("A"), desk.quantity("B")) == (4, 5)
    assert names(path) == ["done", "quarantine", "working"]
    assert names(path / "working") == []
    assert names(path / "done") == ["stock.csv", "stock.csv.1", "stock.csv.1.result.csv", "stock.csv.result.csv"]
    assert (path / "done/stock.csv").read_text() == GOOD
    assert (path / "done/stock.csv.1").read_text() == EARLIER
    assert [row["outcome"] for row in receipt_rows(path / "done/stock.csv.result.csv")] == ["booked", "booked"]
    assert names(path / "quarantine") == ["stock.csv", "stock.csv.result.csv"]


def _check_bad(path: Path, desk: MemoryDesk) -> None:
    assert desk.shelf.booked == ["stock.csv"]
    assert (desk.quantity("A"), desk.quantity("B")) == (1, 1)
    assert names(path) == ["done", "quarantine", "working"]
    assert names(path / "working") == []
    assert names(path / "quarantine") == ["stock.csv", "stock.csv.1", "stock.csv.1.result.csv", "stock.csv.result.csv"]
    assert (path / "quarantine/stock.csv").read_text() == BAD
    rows = receipt_rows(path / "quarantine/stock.csv.result.csv")
    assert [row["outcome"] for row in rows] == ["not_applied", "refused"]
    assert names(path / "done") == ["stock.csv", "stock.csv.result.csv"]


@pytest.mark.parametrize("marker", [False, True])
@pytest.mark.parametrize(("content", "check"), [(GOOD, _check_good), (BAD, _check_bad)])
async def test_killed_at_every_single_place(tmp_path: Path, content: str, check: object, marker: bool) -> None:
    at = 0
    while True:
        at += 1
        path = tmp_path / str(at)
        path.mkdir()
        desk = await _place(path, content, marker=marker)
        desk, met = await _lives(path, desk, [at])
        check(path, desk)  # type: ignore[operator]
        if met[0] < at:
            break
    assert at > 20, "the process met too few places to die at"


@pytest.mark.parametrize(("content", "check"), [(GOOD, _check_good), (BAD, _check_bad)])
async def test_killed_again_while_it_recovers(tmp_path: Path, content: str, check: object) -> None:
    for first in range(1, 60, 3):
        for second in range(1, 40, 4):
            path = tmp_path / f"{first}-{second}"
            path.mkdir()
            desk = await _place(path, content, marker=False)
            desk, _ = await _lives(path, desk, [first, second])
            check(path, desk)  # type: ignore[operator]
