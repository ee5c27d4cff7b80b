"""The embedded server: it starts where it must, survives what it must, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from inventory_sync import embedded, unprivileged
from inventory_sync.embedded import EmbeddedError, EmbeddedPostgres

OWNER = Path(__file__).with_name("owner.py")
ROOT = Path(__file__).parents[2]


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def sockets_of(dsn: str) -> Path:
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


def wait_for_end(pid: int, seconds: float = 30) -> bool:
    """Wait for the end of a process that is not our child."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


class Owner:
    """A process of its own that holds a server."""

    def __init__(self, directory: Path, *statements: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(OWNER), str(directory), *statements],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        self.server_pid = int(answer["pid"])
        self.dsn = str(answer["dsn"])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


async def test_a_started_server_answers_and_a_stopped_one_leaves_nothing(short_directory: Path) -> None:
    server = EmbeddedPostgres(short_directory / "pg")
    dsn = await server.start()
    pid = server.pid
    assert pid is not None
    assert await ask(dsn, "select 1") == 1
    await server.stop()
    assert wait_for_end(pid)
    assert not server.running
    assert not sockets_of(dsn).exists()
    await server.stop()


async def test_rows_survive_a_stop_and_a_start(short_directory: Path) -> None:
    for expected in (1, 2, 3):
        server = EmbeddedPostgres(short_directory / "pg")
        dsn = await server.start()
        connection = await asyncpg.connect(dsn)
        await connection.execute("create table if not exists kept (n int)")
        await connection.execute("insert into kept values (1)")
        assert await connection.fetchval("select count(*) from kept") == expected
        await server.stop()
        connection.terminate()


async def test_the_server_syncs_unless_it_is_for_tests(short_directory: Path, postgres: EmbeddedPostgres) -> None:
    server = EmbeddedPostgres(short_directory / "pg")
    dsn = await server.start()
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await ask(dsn, f"show {setting}") == "on"
            assert await ask(postgres.dsn, f"show {setting}") == "off"
    finally:
        await server.stop()


async def test_text_sorts_by_code_point_and_folds_case_whatever_the_locale(
    short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "xx_YY.nonsense")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setenv("PGDATA", "/nowhere")
    server = EmbeddedPostgres(short_directory / "a dir with 'blanks' and ひらがな" / "pg")
    dsn = await server.start()
    try:
        assert await ask(dsn, "select string_agg(x, '' order by x) from unnest(array['b','a','B','あ']) x") == "Babあ"
        assert await ask(dsn, "select lower('ÄI')") == "äi"
        assert await ask(dsn, "select datlocprovider::text from pg_database where datname = current_database()") == "b"
    finally:
        await server.stop()


async def test_a_path_longer_than_a_socket_name_may_be_is_no_obstacle(short_directory: Path) -> None:
    server = EmbeddedPostgres(short_directory / ("long" * 40) / ("longer" * 30) / "pg")
    dsn = await server.start()
    try:
        assert await ask(dsn, "select 1") == 1
        assert len(str(sockets_of(dsn) / ".s.PGSQL.5432.lock")) <= 107
    finally:
        await server.stop()


async def test_only_its_own_user_may_enter_the_socket_directory_and_nothing_listens_on_tcp(
    postgres: EmbeddedPostgres,
) -> None:
    assert sockets_of(postgres.dsn).stat().st_mode & 0o777 == 0o700
    assert await ask(postgres.dsn, "show listen_addresses") == ""
    assert postgres.pid is not None
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0


async def test_a_directory_closed_to_all_others_is_no_obstacle(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "pg")
    dsn = await server.start()
    try:
        assert await ask(dsn, "select 1") == 1
    finally:
        await server.stop()


async def test_a_program_in_a_directory_closed_to_all_others_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a virtual environment under root's home."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = embedded.installation().parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(embedded.installation(), closed / package.name / "pginstall18", symlinks=True)
    shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setattr(embedded, "installation", lambda: closed / package.name / "pginstall18")
    server = EmbeddedPostgres(closed / "pg")
    dsn = await server.start()
    try:
        assert await ask(dsn, "select current_setting('server_version_num')::int / 10000") == 18
        assert str(closed) in Path(f"/proc/{server.pid}/cmdline").read_text()
    finally:
        await server.stop()


@pytest.mark.parametrize("held", [0, 1 << 5])
def test_where_no_capability_helps_the_message_names_the_closed_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    closed = tmp_path / "closed"
    (closed / "pg").mkdir(parents=True)
    closed.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(unprivileged, "_held_capabilities", lambda: held)
    stranger = unprivileged.Account(uid=os.getuid() + 4711, gid=os.getgid() + 4711, name="stranger")
    with pytest.raises(unprivileged.UnreachableError, match=f"user stranger, who may not enter .*chmod o.rx {closed}"):
        unprivileged.needed_capability(stranger, [closed / "pg"])


async def test_two_servers_run_at_once(short_directory: Path) -> None:
    servers = [EmbeddedPostgres(short_directory / name) for name in ("one", "two")]
    first, second = await asyncio.gather(*(server.start() for server in servers))
    try:
        await ask(first, "create table only_in_one ()")
        assert await ask(second, "select to_regclass('only_in_one')::text") is None
    finally:
        for server in servers:
            await server.stop()


async def test_a_directory_in_use_is_refused_with_the_process_that_uses_it(short_directory: Path) -> None:
    server = EmbeddedPostgres(short_directory / "pg")
    dsn = await server.start()
    try:
        with pytest.raises(EmbeddedError, match=rf"process {os.getpid()}\) uses .*INVENTORY_SYNC_DATABASE_URL"):
            await EmbeddedPostgres(short_directory / "pg").start()
        assert await ask(dsn, "select 1") == 1
    finally:
        await server.stop()


def test_the_server_ends_when_its_parent_is_killed(short_directory: Path) -> None:
    owner = Owner(short_directory / "pg")
    owner.kill()
    assert wait_for_end(owner.server_pid)
    shutil.rmtree(sockets_of(owner.dsn))


async def test_what_was_committed_is_there_after_parent_and_server_were_killed(short_directory: Path) -> None:
    owner = Owner(short_directory / "pg", "create table kept (n int)", "insert into kept values (7)")
    os.kill(owner.server_pid, signal.SIGKILL)
    owner.kill()
    assert wait_for_end(owner.server_pid)
    pid_file = short_directory / "pg" / "pgdata" / "postmaster.pid"
    assert pid_file.exists()
    # In a container the number is soon somebody else's.
    pid_file.write_text("\n".join([str(os.getppid()), *pid_file.read_text().splitlines()[1:]]) + "\n")
    server = EmbeddedPostgres(short_directory / "pg")
    dsn = await server.start()
    try:
        assert await ask(dsn, "select n from kept") == 7
        assert not sockets_of(owner.dsn).exists()
    finally:
        await server.stop()


async def test_a_start_right_after_the_parent_was_killed_waits_for_the_old_server(short_directory: Path) -> None:
    owner = Owner(short_directory / "pg", "create table kept (n int)", "insert into kept values (8)")
    os.kill(owner.server_pid, signal.SIGSTOP)  # the kernel's signal cannot end it yet
    owner.kill()
    server = EmbeddedPostgres(short_directory / "pg")
    starting = asyncio.create_task(server.start())
    asyncio.get_running_loop().call_soon(os.kill, owner.server_pid, signal.SIGCONT)
    dsn = await starting
    try:
        assert wait_for_end(owner.server_pid, 0)
        assert await ask(dsn, "select n from kept") == 8
    finally:
        await server.stop()


async def test_an_interrupted_first_start_is_made_good(short_directory: Path) -> None:
    half_made = short_directory / "pg" / "pgdata.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(short_directory / "pg")
    try:
        assert await ask(await server.start(), "select 1") == 1
    finally:
        await server.stop()
    assert not half_made.exists()


@pytest.mark.parametrize(("content", "expected"), [("16\n", "made by PostgreSQL 16"), (None, "holds no PostgreSQL")])
async def test_a_cluster_of_another_version_or_none_is_not_touched(
    short_directory: Path, content: str | None, expected: str
) -> None:
    cluster = short_directory / "pg" / "pgdata"
    cluster.mkdir(parents=True)
    if content is not None:
        (cluster / "PG_VERSION").write_text(content)
    with pytest.raises(EmbeddedError, match=expected):
        await EmbeddedPostgres(short_directory / "pg").start()
    assert [path.name for path in cluster.iterdir()] == (["PG_VERSION"] if content else [])


async def test_a_server_that_cannot_start_says_why(short_directory: Path) -> None:
    server = EmbeddedPostgres(short_directory / "pg")
    await server.start()
    await server.stop()
    with (short_directory / "pg" / "pgdata" / "postgresql.conf").open("a") as file:
        file.write("\nno_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        await server.start()
    assert not server.running


def test_a_start_outside_the_main_thread_is_refused(short_directory: Path) -> None:
    caught: list[BaseException] = []

    def start() -> None:
        try:
            asyncio.run(EmbeddedPostgres(short_directory / "pg").start())
        except EmbeddedError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])
