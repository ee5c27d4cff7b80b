"""Stock files by SFTP: fetched into a watched folder, and exports put where a partner fetches them.

The server must show a host key that was pinned; nothing is learnt on first contact. No file on the server is deleted:
one that was fetched is moved into a directory beside it, after it is safe here.
"""

from __future__ import annotations

import asyncio
import posixpath
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import asyncssh
import structlog
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from inventory_sync.ledger.files.arrivals import MARKER_SUFFIX, Arrivals, Seen
from inventory_sync.ledger.files.disk import Disk
from inventory_sync.ledger.files.folder import own_name
from inventory_sync.ledger.files.parse import MOST_BYTES
from inventory_sync.systems.errors import WrongValue

log = structlog.get_logger()

MOST_FILES = 20
"""Files fetched in one step; the next step goes on."""
_BILLION = 1_000_000_000


class SftpError(Exception):
    """The server could not be used. `retry`: it may work by itself later; otherwise a person must mend it."""

    def __init__(self, code: str, message: str, remedy: str, *, retry: bool) -> None:
        super().__init__(f"{message} {remedy}")
        self.code, self.message, self.remedy, self.retry = code, message, remedy, retry


class SftpSettings(BaseModel):
    """How to reach a server. `host_keys` are public keys as known_hosts files hold them, without the host's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    username: Annotated[str, Field(min_length=1, max_length=200)]
    host_keys: Annotated[tuple[str, ...], Field(min_length=1)]
    password: SecretStr | None = None
    private_key: SecretStr | None = None
    passphrase: SecretStr | None = None
    directory: str = "."
    picked_up: Annotated[str, Field(min_length=1)] = "picked-up"
    push_directory: str | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0

    @field_validator("host_keys")
    @classmethod
    def _readable_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for line in value:
            try:
                asyncssh.import_public_key(line)
            except (asyncssh.KeyImportError, ValueError):
                raise WrongValue(
                    "write each host key as `ssh-keyscan` prints it, such as ssh-ed25519 AAAA…",
                    "ホスト鍵は `ssh-keyscan` の表示どおり(例: ssh-ed25519 AAAA…)に書いてください",
                ) from None
        return value

    @model_validator(mode="after")
    def _one_way_in(self) -> SftpSettings:
        if (self.password is None) == (self.private_key is None):
            raise WrongValue(
                "give a password or a private key, and only one of them",
                "パスワードか秘密鍵のどちらか一方だけを指定してください",
            )
        if self.private_key is not None:
            try:
                _ = self.key
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
                raise WrongValue(
                    "the private key cannot be read; it may need a passphrase, or another one",
                    "秘密鍵を読み取れません。パスフレーズを指定しているか、正しいかを確認してください",
                ) from None
        return self

    @cached_property
    def key(self) -> asyncssh.SSHKey:
        """The private key."""
        if self.private_key is None:
            raise ValueError("there is no private key")
        passphrase = None if self.passphrase is None else self.passphrase.get_secret_value()
        return asyncssh.import_private_key(self.private_key.get_secret_value(), passphrase)


@dataclass(frozen=True, slots=True)
class Pull:
    """What a step fetched. `waiting`: not whole yet, changed meanwhile, or kept back by one of that name here."""

    fetched: tuple[str, ...]
    waiting: int


@dataclass(slots=True)
class Puller:
    """Fetches the files of a server's directory into a watched folder, in the profile's order."""

    settings: SftpSettings
    folder: Path
    arrivals: Arrivals
    disk: Disk = field(default_factory=Disk)

    async def pull(self, now: datetime) -> Pull:
        """Fetch what arrived whole since the last look. Raises SftpError; what was fetched before it stays fetched."""
        await asyncio.to_thread(self.disk.make, self.folder)
        fetched: list[str] = []
        async with connected(self.settings) as client:
            while len(fetched) < MOST_FILES:
                arrival = self.arrivals.look(await _listed(client, self.settings.directory), now)
                if arrival.ready is None or not await self._fetch(client, arrival.ready):
                    return Pull(tuple(fetched), arrival.waiting)
                fetched.append(arrival.ready.name)
        return Pull(tuple(fetched), 0)

    async def _fetch(self, client: asyncssh.SFTPClient, seen: Seen) -> bool:
        """Bring one file here, then move it aside there. Says whether that was possible."""
        remote = posixpath.join(self.settings.directory, seen.name)
        local = self.folder / own_name(seen.name)
        if await asyncio.to_thread(self.disk.exists, local):
            return False
        async with client.open(remote, "rb", encoding=None) as file:
            content: Any = await file.read(min(seen.size, MOST_BYTES) + 1)
        if await _seen(client, remote, seen.name) != seen or len(content) != min(seen.size, MOST_BYTES + 1):
            log.info("ledger_file.changed_while_fetched", file=seen.name)
            return False
        await asyncio.to_thread(self._keep, local, content, seen.modified_ns)
        await self._set_aside(client, seen.name)
        log.info("ledger_file.fetched", file=seen.name, bytes=len(content))
        return True

    def _keep(self, local: Path, content: bytes, modified_ns: int) -> None:
        """The file with its own time, and the marker that it is whole."""
        unfinished = local.with_name(f".{local.name}.tmp")
        marker = local.with_name(f"{local.name}{MARKER_SUFFIX}")
        self.disk.write(unfinished, content, modified_ns)
        self.disk.rename(unfinished, local)
        self.disk.write(marker, b"", modified_ns)

    async def _set_aside(self, client: asyncssh.SFTPClient, name: str) -> None:
        """Move the file, and its marker before it, which alone would vouch for the next file of that name."""
        directory = self.settings.directory
        aside = posixpath.join(directory, self.settings.picked_up)
        await client.makedirs(aside, exist_ok=True)
        for each in (f"{name}{MARKER_SUFFIX}", name):
            source = posixpath.join(directory, each)
            if await client.exists(source):
                await client.rename(source, await _free(client, posixpath.join(aside, each)))


async def push(settings: SftpSettings, name: str, content: bytes) -> None:
    """Put a file into the server's push directory under a hidden name, then rename it. Raises SftpError.

    A server that cannot replace a file in one step has none of that name for a moment, and never half of one.
    """
    if not name or "/" in name or name.startswith("."):
        raise ValueError(f"{name!r} is no name for a file on a server")
    directory = settings.directory if settings.push_directory is None else settings.push_directory
    unfinished, target = posixpath.join(directory, f".{name}.tmp"), posixpath.join(directory, name)
    async with connected(settings) as client:
        async with client.open(unfinished, "wb", encoding=None) as file:
            await file.write(content)
        size = (await client.stat(unfinished)).size
        if size != len(content):
            raise _failed(settings, f"{name!r} has {size} bytes there instead of {len(content)}")
        try:
            await client.posix_rename(unfinished, target)
        except asyncssh.SFTPOpUnsupported:
            if await client.exists(target):
                await client.remove(target)
            await client.rename(unfinished, target)
    log.info("ledger_file.pushed", file=name, bytes=len(content))


@asynccontextmanager
async def connected(settings: SftpSettings) -> AsyncIterator[asyncssh.SFTPClient]:
    """A session with the server whose key was pinned. Whatever goes wrong inside becomes a SftpError."""
    try:
        # Opening a key under a passphrase takes seconds, by design.
        options = await asyncio.to_thread(_options, settings)
        async with (
            asyncio.timeout(settings.timeout_seconds),
            asyncssh.connect(settings.host, settings.port, **options) as connection,
            connection.start_sftp_client(path_errors="surrogateescape") as client,
        ):
            yield client
    except asyncssh.HostKeyNotVerifiable:
        raise SftpError(
            "IS-FIL-026",
            f"The server {settings.host} shows another host key than the pinned one; nothing was sent to it.",
            "Ask the server's operator whether the key was changed, and only then put the new one into host_keys.",
            retry=False,
        ) from None
    except asyncssh.PermissionDenied:
        raise SftpError(
            "IS-FIL-027",
            f"The server {settings.host} refuses the sign-in of {settings.username!r}.",
            "Check user name and password or key with the server's operator.",
            retry=False,
        ) from None
    except asyncssh.SFTPError as error:
        raise _failed(settings, f"SFTP {type(error).__name__.removeprefix('SFTP')}") from None
    except (asyncssh.Error, OSError, TimeoutError) as error:
        raise _failed(settings, type(error).__name__) from None


def _failed(settings: SftpSettings, what: str) -> SftpError:
    return SftpError(
        "IS-FIL-028",
        f"The transfer with {settings.host}:{settings.port} did not succeed ({what}).",
        "It is tried again; if it stays, check address, directories and rights.",
        retry=True,
    )


def _options(settings: SftpSettings) -> dict[str, Any]:
    """Only what the settings say: no configuration file, no agent, no keys of the account we run under."""
    options: dict[str, Any] = {
        "config": None,
        "agent_path": None,
        "username": settings.username,
        "known_hosts": ([asyncssh.import_public_key(line) for line in settings.host_keys], [], []),
        "client_keys": None,
        "gss_auth": False,
        "gss_kex": False,
        "disable_trivial_auth": True,
    }
    if settings.password is not None:
        return options | {
            "password": settings.password.get_secret_value(),
            "preferred_auth": ("password", "keyboard-interactive"),
        }
    return options | {"client_keys": [settings.key], "preferred_auth": ("publickey",)}


async def _listed(client: asyncssh.SFTPClient, directory: str) -> list[Seen]:
    """The regular files of a directory, by name."""
    found = [
        _as_seen(entry.filename, entry.attrs)
        for entry in await client.readdir(directory)
        if isinstance(entry.filename, str) and "/" not in entry.filename and _is_file(entry.attrs)
    ]
    return sorted(found, key=lambda seen: seen.name)


async def _seen(client: asyncssh.SFTPClient, path: str, name: str) -> Seen:
    return _as_seen(name, await client.stat(path, follow_symlinks=False))


def _as_seen(name: str, attributes: asyncssh.SFTPAttrs) -> Seen:
    return Seen(name, attributes.size or 0, (attributes.mtime or 0) * _BILLION + (attributes.mtime_ns or 0))


def _is_file(attributes: asyncssh.SFTPAttrs) -> bool:
    if attributes.permissions is not None and stat.S_IFMT(attributes.permissions):
        return stat.S_ISREG(attributes.permissions)
    return attributes.type == asyncssh.FILEXFER_TYPE_REGULAR


async def _free(client: asyncssh.SFTPClient, path: str) -> str:
    """This path, or the first one with a number behind it that nobody has."""
    number, free = 0, path
    while await client.exists(free):
        number += 1
        free = f"{path}.{number}"
    return free
