"""Settings of a connection to the built-in ledger: of this installation, or of another one over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator

from inventory_sync.systems.errors import WrongValue
from inventory_sync.systems.port import SettingsModel

IN_PROCESS = "builtin:"
"""The address of the ledger in this very process."""

LATE_EFFECT = timedelta(seconds=60)


class BuiltinSettings(SettingsModel):
    """Without `base_url` the connection's ledger lives in this installation and needs no key.

    `label`: which kind of stock is read and written, exactly one; `timezone`: how times without an offset in files are
    read; rates are requests per second, durations seconds.
    """

    base_url: str | None = None
    api_key: SecretStr | None = None
    label: str = "stock"
    timezone: str = "Asia/Tokyo"
    requests_per_second: Annotated[int, Field(ge=1, le=1000)] = 100
    request_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 8.0
    # File profiles by name, some with a folder or a server that files are taken from.
    files: dict[str, dict[str, Any]] = Field(default_factory=dict)
    sftp_password: SecretStr | None = None
    sftp_private_key: SecretStr | None = None
    sftp_passphrase: SecretStr | None = None
    late_effect_seconds: Annotated[float, Field(gt=0, le=3600)] | None = None

    @field_validator("base_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is None or value == IN_PROCESS:
            return None
        parts = urlsplit(value)
        plain = not (parts.query or parts.fragment or parts.username or parts.password)
        if parts.scheme not in ("https", "http") or not parts.hostname or not plain:
            raise WrongValue(
                "write a whole address such as https://stock.example.jp, or leave it out for our own",
                "https://stock.example.jp のような完全なアドレスを書くか、このサーバーの台帳なら削除してください",
            )
        return value.rstrip("/")

    @field_validator("api_key")
    @classmethod
    def _key(cls, value: SecretStr | None) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value()
        if value is not None and (not text.isascii() or not text.isprintable() or not text or " " in text):
            raise WrongValue(
                "write the key as `ledger keys create` showed it, without blanks",
                "`ledger keys create` で表示されたキーを、空白なしでそのまま書いてください",
            )
        return value

    @field_validator("label")
    @classmethod
    def _label(cls, value: str) -> str:
        if not value or len(value) > 200 or not value.isprintable():
            raise WrongValue(
                "write the name of one stock label of the ledger, such as stock",
                "stock のような、台帳の在庫の区分の名前を一つ書いてください",
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise WrongValue(
                "write a time zone such as Asia/Tokyo", "Asia/Tokyo のようなタイムゾーンの名前を書いてください"
            ) from error
        return value

    @model_validator(mode="after")
    def _together(self) -> BuiltinSettings:
        if self.base_url is not None and self.api_key is None:
            raise WrongValue(
                "a ledger at base_url needs api_key, made there with `ledger keys create`",
                "base_url の台帳には api_key が必要です。その台帳のサーバーで `ledger keys create` を実行して作成して"
                "ください",
            )
        if self.base_url is not None and self.files:
            raise WrongValue(
                "files are taken in where the ledger lives: leave them out here, or leave base_url out",
                "ファイルは台帳のあるサーバーで取り込みます。files か base_url のどちらかを削除してください",
            )
        if self.base_url is None and self.api_key is not None:
            raise WrongValue(
                "leave api_key out: the ledger of this installation needs none",
                "このサーバーの台帳に api_key は不要です。削除してください",
            )
        return self

    @property
    def in_process(self) -> bool:
        """Whether the ledger is the one of this installation."""
        return self.base_url is None

    @property
    def api_root(self) -> str:
        """What paths of the API are appended to."""
        return self.base_url or IN_PROCESS

    @property
    def late_effect(self) -> timedelta:
        """How long an unanswered write may still land."""
        return LATE_EFFECT if self.late_effect_seconds is None else timedelta(seconds=self.late_effect_seconds)
