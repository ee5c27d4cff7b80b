"""Where a book's files come from: watched folders, and servers whose files are fetched into them, as declared.

    files:
      nightly:                      # a file profile, by its name
        encoding: cp932
        columns: {sku: 品番, quantity: 在庫数}
        location: main
        folder: {path: /srv/stock/nightly, pattern: "stock_*.csv"}
        sftp: {host: files.example.jp, username: stock, host_keys: ["ssh-ed25519 AAAA…"], directory: /out}

Secrets never stand there: the connection keeps them encrypted as sftp_password, sftp_private_key and sftp_passphrase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from inventory_sync.ledger.files.arrivals import SETTLE, Arrivals
from inventory_sync.ledger.files.folder import Announce, Folder, Look, nobody
from inventory_sync.ledger.files.problems import Language
from inventory_sync.ledger.files.profile import DEFAULT_TIMEZONE, FileProfile, ProfileError, read_profiles
from inventory_sync.ledger.files.sftp import Puller, SftpError, SftpSettings
from inventory_sync.ledger.files.takein import Desk
from inventory_sync.systems.errors import WrongValue
from inventory_sync.systems.settings_words import words_of

log = structlog.get_logger()

PULL_EVERY = timedelta(minutes=1)
SECRETS = ("password", "private_key", "passphrase")


class FolderSettings(BaseModel):
    """A watched folder. `marker_required`: only NAME.done makes NAME whole; else so does `settle_seconds` of rest.

    `alarm_after_minutes`: the longest time between two files that is no cause for alarm; None: any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    pattern: Annotated[str, Field(min_length=1, max_length=200)] = "*"
    marker_required: bool = False
    settle_seconds: Annotated[float, Field(ge=1, le=3600)] = SETTLE.total_seconds()
    alarm_after_minutes: Annotated[int, Field(ge=1, le=60 * 24 * 366)] | None = None

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        if not value.is_absolute():
            raise WrongValue(
                "write a whole path, such as /srv/stock/nightly", "/srv/stock/nightly のような絶対パスを書いてください"
            )
        return value


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One declared source: its profile, its folder, and the server that fills the folder, if any."""

    profile: FileProfile
    folder: FolderSettings
    sftp: SftpSettings | None


def read_sources(
    declared: Mapping[str, Any], secrets: Mapping[str, str], timezone: str = DEFAULT_TIMEZONE
) -> list[SourceSettings]:
    """The sources among declared profiles, by name: those with a folder. Raises ProfileError; secrets are never shown.

    `secrets`: the connection's sftp_password, sftp_private_key and sftp_passphrase, those that there are.
    """
    profiles = read_profiles(declared, timezone)
    found = []
    for name, values in sorted(declared.items()):
        if "folder" not in values:
            if "sftp" in values:
                raise ProfileError(
                    f"Profile {name!r}, sftp: name the folder that files are fetched into.",
                    f"プロファイル「{name}」の sftp: 取得したファイルを置く folder を指定してください。",
                )
            continue
        try:
            folder = FolderSettings.model_validate(values["folder"])
            sftp = None if values.get("sftp") is None else _sftp(name, values["sftp"], secrets)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ProfileError(
                f"Profile {name!r}, folder or sftp, {where or 'as a whole'}: {first['msg']}.",
                f"プロファイル「{name}」の folder または sftp の{where or '全体'}: {words_of(first)[1]}。",
            ) from None
        found.append(SourceSettings(profiles[name], folder, sftp))
    paths = [source.folder.path for source in found]
    for source in found:
        if paths.count(source.folder.path) > 1:
            name = source.profile.name
            raise ProfileError(
                f"Profile {name!r}: each profile needs a folder of its own.",
                f"プロファイル「{name}」: フォルダーはプロファイルごとに別々にしてください。",
            )
    return found


def sources_of(settings: object) -> list[SourceSettings]:
    """The sources that a connection's settings declare under `files`; none for other systems. Raises ProfileError."""
    declared: Mapping[str, Any] = getattr(settings, "files", None) or {}
    kept = ((f"sftp_{secret}", getattr(settings, f"sftp_{secret}", None)) for secret in SECRETS)
    secrets = {name: value.get_secret_value() for name, value in kept if isinstance(value, SecretStr)}
    return read_sources(declared, secrets, str(getattr(settings, "timezone", DEFAULT_TIMEZONE)))


def _sftp(name: str, declared: Any, secrets: Mapping[str, str]) -> SftpSettings:
    if not isinstance(declared, Mapping):
        raise ProfileError(
            f"Profile {name!r}, sftp: write host, username, host_keys and directory.",
            f"プロファイル「{name}」の sftp: host、username、host_keys、directory を書いてください。",
        )
    written = [secret for secret in SECRETS if secret in declared]
    if written:
        raise ProfileError(
            f"Profile {name!r}, sftp.{written[0]}: a secret goes into sftp_{written[0]} of the connection.",
            f"プロファイル「{name}」の sftp.{written[0]}: 認証情報は接続の sftp_{written[0]} に書いてください。",
        )
    kept = {secret: secrets[f"sftp_{secret}"] for secret in SECRETS if secrets.get(f"sftp_{secret}")}
    return SftpSettings.model_validate({**declared, **kept})


@dataclass(slots=True)
class Source:
    """A source at work: one step fetches when it is time, then takes in one file at most."""

    folder: Folder
    puller: Puller | None = None
    pull_every: timedelta = PULL_EVERY
    alarm_after: timedelta | None = None
    _pull_at: datetime | None = None
    _trouble: SftpError | None = None
    _began: datetime | None = None

    async def step(self, now: datetime) -> SourceLook:
        """A server that cannot be used delays nothing that lies in the folder already."""
        if self.puller is not None and (self._pull_at is None or now >= self._pull_at):
            self._pull_at = now + self.pull_every
            try:
                await self.puller.pull(now)
                self._trouble = None
            except SftpError as error:
                self._trouble = error
                log.warning("ledger_file.fetch_failed", profile=self.folder.desk.profile.name, code=error.code)
        look = await self.folder.look(now)
        if self._pull_at is not None:
            look = replace(look, due=min(look.due, max(self._pull_at, now)))
        return SourceLook(look, self._trouble, await self._overdue_since(now))

    async def _overdue_since(self, now: datetime) -> datetime | None:
        """When the last good file came, if the next one is overdue; before the first one, when we began to look."""
        self._began = self._began or now
        if self.alarm_after is None:
            return None
        heard = await self.folder.desk.heard_at() or self._began
        return heard if now - heard > self.alarm_after else None


@dataclass(frozen=True, slots=True)
class SourceLook:
    """What a step did.

    `trouble`: why the server could not be used when it was last tried; `overdue_since`: when the last good file came,
    if none came for longer than declared.
    """

    look: Look
    trouble: SftpError | None
    overdue_since: datetime | None


def open_source(
    settings: SourceSettings, desk: Desk, *, language: Language = "en", announce: Announce = nobody
) -> Source:
    """A source as its settings say, whose files the desk takes in."""
    folder = settings.folder
    settle = timedelta(seconds=folder.settle_seconds)
    watched = Folder(desk, folder.path, folder.pattern, folder.marker_required, settle, language, announce)
    alarm = None if folder.alarm_after_minutes is None else timedelta(minutes=folder.alarm_after_minutes)
    if settings.sftp is None:
        return Source(watched, alarm_after=alarm)
    arrivals = Arrivals(desk.profile, folder.pattern, folder.marker_required, settle)
    return Source(watched, Puller(settings.sftp, folder.path, arrivals), alarm_after=alarm)
