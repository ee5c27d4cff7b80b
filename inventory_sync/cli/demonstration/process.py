"""The daemon as a process of its own: started, killed, started again and always ended; and commands beside it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

import inventory_sync.launch
from inventory_sync.settings import PREFIX

COMMAND = ("-m", "inventory_sync.cli.main")
START_WITHIN = 90.0
END_WITHIN = 20.0
COMMAND_WITHIN = 120.0
LOG_TAIL = 15


class DaemonFailed(Exception):
    """The daemon, or a command beside it, did not do what it was started for. The message says what it printed."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The daemon's ports on this machine."""

    public: int
    admin: int

    @classmethod
    def free(cls) -> Ports:
        """Two ports that nobody uses now."""
        with socket.socket() as first, socket.socket() as second:
            for each in (first, second):
                each.bind(("127.0.0.1", 0))
            return cls(first.getsockname()[1], second.getsockname()[1])

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.public}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin}"


def environment(directory: Path, ports: Ports, language: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """What the daemon and its commands see: nothing of an installation that this shell may be set up for."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    ours = {
        "DATA_DIR": str(directory / "data"),
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(ports.public),
        "ADMIN_PORT": str(ports.admin),
        "PUBLIC_URL": ports.public_url,
        "LANGUAGE": language,
        "LOG_FORMAT": "json",
        "DRAIN_SECONDS": "5",
        "ALLOW_INSECURE_UPSTREAMS": "true",
    }
    return kept | {f"{PREFIX}{name}": value for name, value in ours.items()} | dict(secrets)


class Daemon:
    """One daemon on a directory of its own. `program` are the interpreter's arguments that start it."""

    def __init__(self, directory: Path, ports: Ports, environ: Mapping[str, str], program: Sequence[str]) -> None:
        self.directory, self.ports = directory, ports
        self.log = directory / "daemon.log"
        self._environ, self._program = dict(environ), list(program)
        self._process: asyncio.subprocess.Process | None = None
        self.kills = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and return once it is ready for notices. Raises DaemonFailed."""
        launcher = [sys.executable, "-I", "-S", inventory_sync.launch.__file__]
        ending = [str(int(value)) for value in (os.getpid(), signal.SIGTERM, os.geteuid(), os.getegid(), -1)]
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *launcher,
                *ending,
                sys.executable,
                *self._program,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environ,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        async with aiohttp.ClientSession() as session:
            try:
                async with asyncio.timeout(START_WITHIN):
                    await self._until_it_answers(session)
            except TimeoutError:
                raise DaemonFailed(f"it was not ready within {START_WITHIN:.0f} s\n{self.last_words()}") from None

    async def _until_it_answers(self, session: aiohttp.ClientSession) -> None:
        while True:
            if await self._answers(session):
                return
            await asyncio.sleep(0.1)

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        if not self.running:
            raise DaemonFailed(f"it ended while starting\n{self.last_words()}")
        try:
            async with session.get(f"{self.ports.public_url}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    async def status(self) -> dict[str, Any]:
        """The daemon's own status document; empty while it does not answer."""
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
                session.get(f"{self.ports.admin_url}/api/v1/status") as answer,
            ):
                if answer.status == 200:
                    found: dict[str, Any] = await answer.json()
                    return found
        return {}

    async def kill(self) -> None:
        """kill -9: no goodbye to anybody."""
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
            self.kills += 1

    async def stop(self) -> None:
        """End it, and the database with it. Safe to repeat."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), END_WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()
        await self._database_ended()

    async def _database_ended(self) -> None:
        """The database of a killed daemon ends by itself; wait for it, and take away the way to it."""
        home = self.directory / "data" / "postgres"
        for _ in range(int(END_WITHIN * 10)):
            if not _alive(home / "pgdata" / "postmaster.pid"):
                break
            await asyncio.sleep(0.1)
        with contextlib.suppress(OSError):
            shutil.rmtree((home / "sockets").read_text().strip(), ignore_errors=True)

    def last_words(self) -> str:
        """The end of its log, for a message."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_TAIL:])
        return "it left no message"

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run a command of ours beside the daemon: exit code and standard output, with the errors where it failed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *COMMAND,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environ,
            start_new_session=True,
        )
        try:
            printed, errors = await asyncio.wait_for(process.communicate(), COMMAND_WITHIN)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        code = process.returncode or 0
        return code, (printed if code == 0 else printed + errors).decode(errors="replace")


def _alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text().split("\n", 1)[0]), 0)
    except (OSError, ValueError):
        return False
    return True
