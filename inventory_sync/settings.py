"""The environment, read once at start: what is set, what is meant, and what was misspelt.

Every variable has the prefix INVENTORY_SYNC_ and may be given as a file instead (…_FILE), as container secrets are.
"""

from __future__ import annotations

import difflib
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from inventory_sync.systems.errors import WrongValue
from inventory_sync.systems.settings_words import words_of

PREFIX = "INVENTORY_SYNC_"
SHORTEST_SECRET_KEY = 32

# What Kubernetes injects into every pod for a Service of this name
# (kubernetes.io/docs/tutorials/services/connect-applications-service, "Environment Variables").
_KUBERNETES = re.compile(r"(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")


class SettingsError(Exception):
    """The environment cannot be used. The message names the variable and says what would be right, never a secret.

    `japanese` is the same message in Japanese.
    """

    def __init__(self, message: str, japanese: str) -> None:
        super().__init__(message)
        self.japanese = japanese


class Settings(BaseSettings):
    """How this process is set up. Durations are in the unit their name ends in."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: SecretStr | None = None
    """None: the embedded PostgreSQL under `data_dir`."""
    database_listen_url: SecretStr | None = None
    """For LISTEN, which does not pass a transaction pooler. None: `database_url`."""
    database_pool: int = Field(default=10, ge=2, le=1000)
    data_dir: Path = Path("data")
    http_host: str = "0.0.0.0"  # noqa: S104 - partners deliver their notices to this port
    http_port: int = Field(default=8080, ge=0, le=65535)
    admin_host: str = "127.0.0.1"
    admin_port: int = Field(default=8081, ge=0, le=65535)
    public_url: str | None = None
    """How partners reach the public port, without a slash at the end. None: no webhooks, polling only."""
    secret_key: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Newest first. Empty: `secret_keys` makes one, or finds the one it made."""
    admin_token: SecretStr | None = None
    timezone: ZoneInfo = ZoneInfo("Asia/Tokyo")
    """Where a day begins and ends for people: the last day of an offset, say."""
    language: Literal["ja", "en"] = "ja"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    retention_days: int = Field(default=400, ge=1)
    drain_seconds: float = Field(default=20.0, ge=0)
    lease_seconds: float = Field(default=15.0, ge=1)
    allow_insecure_upstreams: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands over: it sees unknown names and files, which the built-in sources do not."""
        return (init_settings,)

    @field_validator("secret_key", mode="before")
    @classmethod
    def _keys(cls, value: object) -> object:
        return _split(value) if isinstance(value, str) else value

    @field_validator("timezone", mode="before")
    @classmethod
    def _zone(cls, value: object) -> object:
        if isinstance(value, str) and value not in available_timezones():
            raise WrongValue("must be a name such as Asia/Tokyo", "Asia/Tokyo のような名前を書いてください")
        return value

    @field_validator("log_level", "log_format", "language", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for position, key in enumerate(value, start=1):
            if len(key.get_secret_value()) < SHORTEST_SECRET_KEY:
                raise WrongValue(
                    f"key {position} of {len(value)} is shorter than {SHORTEST_SECRET_KEY} characters; "
                    "make one with: openssl rand -base64 32",
                    f"{len(value)} 個のうち {position} 番目の鍵が {SHORTEST_SECRET_KEY} 文字より短いです。"
                    "openssl rand -base64 32 で作成してください",
                )
        return value

    @field_validator("database_url", "database_listen_url")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise WrongValue(
                "must look like postgresql://user:password@host:5432/database",
                "postgresql://ユーザー:パスワード@ホスト:5432/データベース の形で書いてください",
            )
        return value

    @field_validator("public_url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
            raise WrongValue(
                "must look like https://stock.example.com", "https://stock.example.com のような形で書いてください"
            )
        return value.rstrip("/")

    @model_validator(mode="after")
    def _fit_together(self) -> Settings:
        if self.database_url is not None and not self.secret_key:
            raise WrongValue(
                f"{PREFIX}SECRET_KEY is required with {PREFIX}DATABASE_URL: without it, another replica or the next "
                "machine could not read the stored credentials. Make one with: openssl rand -base64 32",
                f"{PREFIX}DATABASE_URL を設定する場合は {PREFIX}SECRET_KEY も必要です。ないと別のサーバーでは"
                "保存済みの認証情報を読めません。openssl rand -base64 32 で作成してください",
            )
        if self.database_listen_url is not None and self.database_url is None:
            raise WrongValue(
                f"{PREFIX}DATABASE_LISTEN_URL means nothing without {PREFIX}DATABASE_URL: set both",
                f"{PREFIX}DATABASE_LISTEN_URL だけでは使えません。{PREFIX}DATABASE_URL も設定してください",
            )
        return self


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment. Writes nothing, except that …_FILE files are read.

    Raises SettingsError naming every variable at fault and what would be right. An empty variable counts as not set.
    """
    fields = {f"{PREFIX}{name.upper()}": name for name in Settings.model_fields}
    given: dict[str, object] = {}
    problems: list[tuple[str, str]] = []
    for variable in sorted(name for name in environ if name.upper().startswith(PREFIX)):
        plain = variable.removesuffix("_FILE")
        if variable in fields:
            if environ[variable] != "":
                given[fields[variable]] = environ[variable]
        elif plain in fields:
            if environ.get(plain):
                problems.append(
                    (
                        f"{plain} and {variable} are both set; keep one of them",
                        f"{plain} と {variable} の両方が設定されています。どちらか一方だけにしてください",
                    )
                )
            elif environ[variable] != "":
                _read_file(variable, environ[variable], fields[plain], given, problems)
        elif not _KUBERNETES.fullmatch(variable.removeprefix(PREFIX)):
            problems.append(_unknown(variable, fields))
    if not problems:
        try:
            return Settings(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            problems = [_explain(part) for part in error.errors(include_input=False)]
    raise SettingsError("; ".join(en for en, _ in problems), "。".join(ja for _, ja in problems) + "。")


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """The keys that stored credentials are encrypted with, newest first.

    Those of SECRET_KEY; without it the one in DATA_DIR/secret.key, which is made at the first start, readable by its
    owner only. Raises SettingsError if that file cannot be made or read.
    """
    if settings.secret_key:
        return tuple(key.get_secret_value() for key in settings.secret_key)
    path = settings.data_dir / "secret.key"
    try:
        settings.data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_new(path, secrets.token_urlsafe(48) + "\n")
        keys = _split(path.read_text())
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be used: {error.strerror}. Make {PREFIX}DATA_DIR writable, or set {PREFIX}SECRET_KEY.",
            f"{path} を使えません。{PREFIX}DATA_DIR に書き込めるようにするか、{PREFIX}SECRET_KEY を設定してください。",
        ) from error
    if not keys or min(len(key) for key in keys) < SHORTEST_SECRET_KEY:
        raise SettingsError(
            f"{path} is damaged. Restore it from a backup: the stored credentials need it.",
            f"{path} が壊れています。バックアップから戻してください(保存済みの認証情報を読むのに必要です)。",
        )
    return keys


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _write_new(path: Path, text: str) -> None:
    """Write a private file, whole and synced, or leave the one that somebody else wrote meanwhile."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _read_file(variable: str, path: str, field: str, given: dict[str, object], problems: list[tuple[str, str]]) -> None:
    try:
        given[field] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason, reason_ja = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8", ""
        if isinstance(error, UnicodeDecodeError):
            reason_ja = "(UTF-8 のテキストではありません)"
        problems.append(
            (
                f"{variable} names {path}, which cannot be read: {reason}",
                f"{variable} のファイル {path} を読み取れません{reason_ja}。パスと権限を確認してください",
            )
        )


def _unknown(variable: str, fields: Mapping[str, str]) -> tuple[str, str]:
    known = [*fields, *(f"{name}_FILE" for name in fields)]
    nearest = difflib.get_close_matches(variable.upper(), known, n=1, cutoff=0)
    return (
        f"{variable} is not a setting of this program; did you mean {nearest[0]}?",
        f"{variable} という設定はありません。{nearest[0]} の間違いではありませんか",
    )


def _explain(error: ErrorDetails) -> tuple[str, str]:
    text, japanese = error["msg"].removeprefix("Value error, "), words_of(error)[1]
    if not error["loc"]:
        return text, japanese
    variable = f"{PREFIX}{str(error['loc'][0]).upper()}"
    return f"{variable}: {text}", f"{variable}: {japanese}"
