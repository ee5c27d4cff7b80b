"""Files by SFTP, against a real server on the loopback interface."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from pydantic import ValidationError

from inventory_sync.ledger.files.arrivals import Arrivals
from inventory_sync.ledger.files.disk import Disk
from inventory_sync.ledger.files.folder import Folder
from inventory_sync.ledger.files.sftp import Pull, Puller, SftpError, SftpSettings, push
from tests.ledger.files.files_support import HEADER, MINUTE, NOON, drop, profile
from tests.ledger.files.memory_desk import Fate, Killed, MemoryDesk, MortalDisk, names

USER, PASSWORD = "warehouse", "correct horse"
SETTLED = NOON + timedelta(minutes=1)


class Door(asyncssh.SSHServer):
    """Lets one user in, by password or by one key."""

    def __init__(self, key: asyncssh.SSHKey) -> None:
        self.key = key.convert_to_public()

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self.key


@dataclass(slots=True)
class Server:
    """A running server; `root` is what its user sees as /."""

    root: Path
    port: int
    host_key: asyncssh.SSHKey
    user_key: asyncssh.SSHKey
    requests: list[str] = field(default_factory=list)
    hook: Callable[[str, str], None] | None = None

    def settings(self, **values: Any) -> SftpSettings:
        public = self.host_key.export_public_key().decode()
        way_in = {} if "private_key" in values else {"password": PASSWORD}
        base = {"host": "127.0.0.1", "port": self.port, "username": USER, "host_keys": [public], "directory": "/out"}
        return SftpSettings.model_validate(base | way_in | values)

    def told(self, request: str, path: str) -> None:
        self.requests.append(f"{request} {path}")
        if self.hook is not None:
            self.hook(request, path)


def serving(server: Server, *, posix: bool = True) -> type[asyncssh.SFTPServer]:
    """The files of `server`, which hears of every read and rename."""

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
            super().__init__(channel, chroot=str(server.root).encode())

        def read(self, file_obj: object, offset: int, size: int) -> bytes:
            server.told("read", "")
            return super().read(file_obj, offset, size)  # type: ignore[return-value]

        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            server.told("rename", newpath.decode())
            super().rename(oldpath, newpath)

        def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
            if not posix:
                raise asyncssh.SFTPOpUnsupported("not here")
            server.told("replace", newpath.decode())
            super().posix_rename(oldpath, newpath)

    return Files


@pytest.fixture(scope="module")
def keys() -> tuple[asyncssh.SSHKey, asyncssh.SSHKey, asyncssh.SSHKey]:
    first, second, third = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
    return first, second, third


async def _serve(
    tmp_path: Path, keys: tuple[asyncssh.SSHKey, ...], *, posix: bool
) -> tuple[Server, asyncssh.SSHAcceptor]:
    server = Server(tmp_path / "remote", 0, keys[0], keys[1])
    (server.root / "out").mkdir(parents=True)
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[keys[0]],
        server_factory=lambda: Door(keys[1]),
        sftp_factory=serving(server, posix=posix),
        allow_scp=False,
    )
    server.port = listener.get_port()
    return server, listener


@pytest.fixture
async def server(tmp_path: Path, keys: tuple[asyncssh.SSHKey, ...]) -> AsyncIterator[Server]:
    found, listener = await _serve(tmp_path, keys, posix=True)
    yield found
    listener.close()
    await listener.wait_closed()


@pytest.fixture
async def plain_server(tmp_path: Path, keys: tuple[asyncssh.SSHKey, ...]) -> AsyncIterator[Server]:
    """A server that cannot replace a file by renaming another over it."""
    found, listener = await _serve(tmp_path, keys, posix=False)
    yield found
    listener.close()
    await listener.wait_closed()


def puller(server: Server, tmp_path: Path, disk: Disk | None = None, **values: Any) -> Puller:
    return Puller(server.settings(**values), tmp_path / "drop", Arrivals(profile(), "*.csv"), disk or Disk())


async def pulled(at: Puller) -> Pull:
    """Two looks far enough apart."""
    await at.pull(NOON)
    return await at.pull(SETTLED)


async def test_a_file_is_fetched_whole_and_moved_aside_there(server: Server, tmp_path: Path) -> None:
    drop(server.root / "out", "stock.csv", HEADER + "A,main,3\n")
    found = await pulled(puller(server, tmp_path))
    assert found == Pull(("stock.csv",), 0)
    local = tmp_path / "drop/stock.csv"
    assert local.read_text() == HEADER + "A,main,3\n"
    assert local.stat().st_mtime == NOON.timestamp()
    assert names(tmp_path / "drop") == ["stock.csv", "stock.csv.done"]
    assert names(server.root / "out") == ["picked-up"]
    assert names(server.root / "out/picked-up") == ["stock.csv"]


async def test_a_fetched_file_is_taken_in_by_the_folder_at_once(server: Server, tmp_path: Path) -> None:
    drop(server.root / "out", "stock.csv", HEADER + "A,main,3\n")
    await pulled(puller(server, tmp_path))
    desk = MemoryDesk(profile())
    assert (await Folder(desk, tmp_path / "drop", marker_required=True).look(SETTLED)).did == 1
    assert desk.quantity("A") == 3


async def test_a_file_that_still_grows_there_is_left(server: Server, tmp_path: Path) -> None:
    at = puller(server, tmp_path)
    drop(server.root / "out", "stock.csv", HEADER)
    assert await at.pull(NOON) == Pull((), 1)
    drop(server.root / "out", "stock.csv", HEADER + "A,main,3\n")
    assert await at.pull(SETTLED) == Pull((), 1)
    assert names(tmp_path / "drop") == []
    assert (await at.pull(SETTLED + MINUTE)).fetched == ("stock.csv",)


async def test_a_file_that_changes_while_it_is_fetched_is_left(server: Server, tmp_path: Path) -> None:
    at = puller(server, tmp_path)
    path = drop(server.root / "out", "stock.csv", HEADER + "A,main,3\n")

    def append(request: str, name: str) -> None:
        if request == "read":
            server.hook = None
            with path.open("a") as file:
                file.write("B,main,4\n")

    await at.pull(NOON)
    server.hook = append
    assert await at.pull(SETTLED) == Pull((), 1)
    assert names(tmp_path / "drop") == []
    assert names(server.root / "out") == ["stock.csv"]


async def test_a_marker_there_makes_a_file_whole_and_goes_aside_with_it(server: Server, tmp_path: Path) -> None:
    drop(server.root / "out", "stock.csv", HEADER + "A,main,3\n")
    drop(server.root / "out", "stock.csv.done", "")
    assert (await puller(server, tmp_path).pull(NOON)).fetched == ("stock.csv",)
    assert names(server.root / "out/picked-up") == ["stock.csv", "stock.csv.done"]


async def test_unfinished_and_foreign_files_there_are_left(server: Server, tmp_path: Path) -> None:
    left = [".stock.csv", "stock.csv.tmp", "prices.txt", "stock.csv.filepart"]
    for name in left:
        drop(server.root / "out", name, HEADER + "A,main,3\n")
    (server.root / "out/directory.csv").mkdir()
    assert (await pulled(puller(server, tmp_path))).fetched == ()
    assert set(left) <= set(names(server.root / "out"))


async def test_a_name_that_comes_every_day_overwrites_nothing(server: Server, tmp_path: Path) -> None:
    at = puller(server, tmp_path)
    for day in range(3):
        drop(server.root / "out", "stock.csv", HEADER + f"A,main,{day}\n", NOON + day * MINUTE)
        await at.pull(NOON + 10 * day * MINUTE)
        assert (await at.pull(SETTLED + 10 * day * MINUTE)).fetched == ("stock.csv",)
        assert (await at.pull(SETTLED + 10 * day * MINUTE)).fetched == ()
        (tmp_path / "drop/stock.csv").unlink()
    assert names(server.root / "out/picked-up") == ["stock.csv", "stock.csv.1", "stock.csv.2"]


async def test_a_file_that_waits_here_is_not_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    drop(tmp_path / "drop", "stock.csv", "the first one\n")
    drop(server.root / "out", "stock.csv", HEADER + "A,main,3\n")
    assert await pulled(puller(server, tmp_path)) == Pull((), 1)
    assert (tmp_path / "drop/stock.csv").read_text() == "the first one\n"
    assert names(server.root / "out") == ["stock.csv"]


async def test_killed_anywhere_while_fetching_the_file_is_booked_once(server: Server, tmp_path: Path) -> None:
    at = 0
    while True:
        at += 1
        home, fate = tmp_path / str(at), Fate(at)
        for name in ("stock.csv", "picked-up/stock.csv"):
            (server.root / "out" / name).unlink(missing_ok=True)
        drop(server.root / "out", "stock.csv", HEADER + "A,main,3\n")
        desk = MemoryDesk(profile(mode="add"))
        try:
            await pulled(puller(server, home, MortalDisk(fate)))
            survived = True
        except Killed:
            survived = False
        for _ in range(3):
            # The folder looks before the next fetch too, when the file may lie in both places.
            folder = Folder(desk, home / "drop")
            for minute in range(3):
                await folder.look(NOON + minute * MINUTE)
            await pulled(puller(server, home))
        assert desk.shelf.booked == ["stock.csv"]
        assert names(server.root / "out/picked-up") == ["stock.csv"]
        if survived:
            break
    assert at > 5


async def test_a_key_opens_the_door_too(server: Server, tmp_path: Path) -> None:
    drop(server.root / "out", "stock.csv", HEADER + "A,main,3\n")
    for passphrase in (None, "open sesame"):
        key = server.user_key.export_private_key(passphrase=passphrase, rounds=50).decode()
        at = puller(server, tmp_path, private_key=key, passphrase=passphrase)
        await at.pull(NOON)
    assert (await at.pull(SETTLED)).fetched == ("stock.csv",)


async def test_another_host_key_ends_it_before_anything_is_sent(
    server: Server, tmp_path: Path, keys: tuple[asyncssh.SSHKey, ...]
) -> None:
    stranger = keys[2].export_public_key().decode()
    with pytest.raises(SftpError) as caught:
        await puller(server, tmp_path, host_keys=[stranger]).pull(NOON)
    assert (caught.value.code, caught.value.retry) == ("IS-FIL-026", False)
    both = puller(server, tmp_path, host_keys=[stranger, server.host_key.export_public_key().decode()])
    assert (await both.pull(NOON)).fetched == ()


async def test_a_wrong_password_is_named_as_such_and_never_shown(server: Server, tmp_path: Path) -> None:
    with pytest.raises(SftpError) as caught:
        await puller(server, tmp_path, password="not the right one").pull(NOON)
    assert (caught.value.code, caught.value.retry) == ("IS-FIL-027", False)
    assert "not the right one" not in str(caught.value)
    assert "not the right one" not in repr(server.settings(password="not the right one"))


async def test_a_server_that_is_away_or_lacks_the_directory_is_tried_again(server: Server, tmp_path: Path) -> None:
    for values in ({"port": 1}, {"directory": "/nowhere"}):
        with pytest.raises(SftpError) as caught:
            await puller(server, tmp_path, **values).pull(NOON)
        assert (caught.value.code, caught.value.retry) == ("IS-FIL-028", True)


async def test_an_export_appears_whole_or_not_at_all(server: Server) -> None:
    (server.root / "in").mkdir()
    seen: list[list[str]] = []

    def look(request: str, path: str) -> None:
        if request == "replace":
            seen.append(names(server.root / "in"))

    server.hook = look
    for content in (b"first", b"second"):
        await push(server.settings(push_directory="/in"), "levels.csv", content)
        assert (server.root / "in/levels.csv").read_bytes() == content
    assert seen == [[".levels.csv.tmp"], [".levels.csv.tmp", "levels.csv"]]
    assert names(server.root / "in") == ["levels.csv"]


async def test_an_export_replaces_the_old_one_on_a_plain_server_too(plain_server: Server) -> None:
    for content in (b"first", b"second"):
        await push(plain_server.settings(), "levels.csv", content)
        assert (plain_server.root / "out/levels.csv").read_bytes() == content
    assert names(plain_server.root / "out") == ["levels.csv"]


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".hidden"])
async def test_a_name_that_leads_elsewhere_is_never_pushed(server: Server, name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        await push(server.settings(), name, b"x")
    assert server.requests == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"host_keys": []}, "host_keys"),
        ({"host_keys": ["127.0.0.1 ssh-ed25519 nonsense"]}, "ssh-keyscan"),
        ({"password": None}, "password or a private key"),
        ({"private_key": "nonsense", "password": None}, "cannot be read"),
        ({"host": "a b"}, "host"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    keys: tuple[asyncssh.SSHKey, ...], values: dict[str, Any], said: str
) -> None:
    base = {"host": "h", "username": USER, "host_keys": [keys[0].export_public_key().decode()], "password": PASSWORD}
    with pytest.raises(ValidationError) as caught:
        SftpSettings.model_validate(base | values)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value)


async def test_our_own_accounts_keys_and_configuration_are_not_used(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home/.ssh"
    home.mkdir(parents=True)
    (home / "config").write_text("Host *\n  Port 1\n  User somebody\n")
    monkeypatch.setenv("HOME", str(home.parent))
    monkeypatch.setitem(os.environ, "SSH_AUTH_SOCK", str(tmp_path / "no-agent"))
    assert await puller(server, tmp_path).pull(NOON) == Pull((), 0)
