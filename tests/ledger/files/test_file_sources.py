"""Declared sources: folders and servers as a person writes them down, and one step of each."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from inventory_sync.ledger.files.arrivals import Arrivals
from inventory_sync.ledger.files.profile import ProfileError, read_profiles
from inventory_sync.ledger.files.sftp import Puller, SftpError, SftpSettings
from inventory_sync.ledger.files.sources import FolderSettings, Source, open_source, read_sources
from tests.ledger.files.files_support import HEADER, MINUTE, NOON, drop
from tests.ledger.files.memory_desk import MemoryDesk

PLAIN = {"columns": {"sku": "sku", "quantity": "quantity", "location": "location"}, "encoding": "utf-8"}
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
SERVER = {"host": "files.example.jp", "username": "stock", "host_keys": [HOST_KEY], "directory": "/out"}
SECRETS = {"sftp_password": "correct horse"}


def declared(path: Path, **values: Any) -> dict[str, Any]:
    return {"nightly": {**PLAIN, "folder": {"path": str(path)}, **values}}


def test_a_profile_with_a_folder_is_a_source_and_one_without_is_not(tmp_path: Path) -> None:
    written = declared(tmp_path, sftp=SERVER) | {"by-hand": PLAIN}
    (source,) = read_sources(written, SECRETS)
    assert (source.profile.name, source.folder.path) == ("nightly", tmp_path)
    assert source.sftp is not None
    assert source.sftp.password is not None
    assert source.sftp.password.get_secret_value() == "correct horse"
    assert sorted(read_profiles(written)) == ["by-hand", "default", "nightly"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"folder": {"path": "drop"}}, "whole path"),
        ({"folder": {"path": "/x", "colour": 1}}, "colour"),
        ({"sftp": "files.example.jp"}, "host, username"),
        ({"sftp": SERVER | {"password": "hunter22"}}, "sftp_password"),
        ({"sftp": SERVER | {"host_keys": []}}, "host_keys"),
        ({"sftp": SERVER | {"host_keys": ["nonsense"]}}, "ssh-keyscan"),
    ],
)
def test_a_source_that_cannot_work_is_refused_without_a_secret_in_sight(
    tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProfileError, match="'nightly'") as caught:
        read_sources(declared(tmp_path, **values), SECRETS)
    assert said in str(caught.value)
    assert "hunter22" not in str(caught.value)
    assert "correct horse" not in str(caught.value)


def test_a_server_needs_a_folder_and_a_way_in(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="folder"):
        read_sources({"nightly": {**PLAIN, "sftp": SERVER}}, SECRETS)
    with pytest.raises(ProfileError, match="password or a private key"):
        read_sources(declared(tmp_path, sftp=SERVER), {})


def test_two_profiles_never_share_a_folder(tmp_path: Path) -> None:
    both = declared(tmp_path) | {"weekly": declared(tmp_path)["nightly"]}
    with pytest.raises(ProfileError, match="of its own"):
        read_sources(both, {})


async def test_a_step_takes_in_what_lies_in_the_folder(tmp_path: Path) -> None:
    (settings,) = read_sources(declared(tmp_path), {})
    desk = MemoryDesk(settings.profile)
    source = open_source(settings, desk)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\n")
    await source.step(NOON)
    found = await source.step(NOON + MINUTE)
    assert (found.look.did, found.trouble, desk.quantity("A")) == (1, None, 3)


async def test_a_server_that_is_away_holds_up_no_file_and_is_tried_at_its_own_pace(tmp_path: Path) -> None:
    tried: list[datetime] = []

    class Away(Puller):
        async def pull(self, now: datetime) -> Any:
            tried.append(now)
            if len(tried) < 3:
                raise SftpError("IS-FIL-028", "away", "wait", retry=True)

    (settings,) = read_sources(declared(tmp_path), {})
    desk = MemoryDesk(settings.profile)
    folder = open_source(settings, desk).folder
    away = Away(SftpSettings.model_validate(SERVER | {"password": "x"}), tmp_path, Arrivals(settings.profile))
    source = Source(folder, away)
    drop(tmp_path, "stock.csv", HEADER + "A,main,3\n")
    looks = [await source.step(NOON + number * timedelta(seconds=30)) for number in range(5)]
    assert desk.quantity("A") == 3
    assert tried == [NOON, NOON + MINUTE, NOON + 2 * MINUTE]
    assert [look.trouble is None for look in looks] == [False] * 4 + [True]
    assert all(look.look.due <= NOON + number * timedelta(seconds=30) + MINUTE for number, look in enumerate(looks))


async def test_files_that_stop_coming_are_missed_and_one_that_says_the_same_is_no_silence(tmp_path: Path) -> None:
    written = declared(tmp_path) | {}
    written["nightly"]["folder"]["alarm_after_minutes"] = 60
    (settings,) = read_sources(written, {})
    desk = MemoryDesk(settings.profile)

    async def overdue(minutes: int) -> datetime | None:
        desk.now = NOON + minutes * MINUTE
        return (await source.step(desk.now)).overdue_since

    source = open_source(settings, desk)
    assert [await overdue(0), await overdue(60), await overdue(61)] == [None, None, NOON]
    drop(tmp_path, "a.csv", HEADER + "A,main,3\n")
    assert [await overdue(62), await overdue(63), await overdue(123)] == [NOON, None, None]
    source = open_source(settings, desk)
    assert await overdue(124) == NOON + 63 * MINUTE
    drop(tmp_path, "b.csv", HEADER + "A,main,3\n", NOON + MINUTE)
    assert [await overdue(125), await overdue(126)] == [NOON + 63 * MINUTE, None]
    drop(tmp_path, "bad.csv", "nothing\n", NOON + 2 * MINUTE)
    assert [await overdue(186), await overdue(187)] == [None, NOON + 126 * MINUTE]


def test_a_folder_may_ask_for_more_patience() -> None:
    found = FolderSettings.model_validate({"path": "/srv/x", "settle_seconds": 120, "marker_required": True})
    assert (found.settle_seconds, found.marker_required) == (120, True)
