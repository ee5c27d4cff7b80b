"""Settings of a Smaregi connection, with the defaults of the environment its contract lives in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from inventory_sync.systems.errors import WrongValue
from inventory_sync.systems.port import SettingsModel

# Platform API reference, "common": hosts per environment.
PRODUCTION_API = "https://api.smaregi.jp"
PRODUCTION_IDENTITY = "https://id.smaregi.jp"
SANDBOX_API = "https://api.smaregi.dev"
SANDBOX_IDENTITY = "https://id.smaregi.dev"
SANDBOX_PREFIX = "sb_"  # observed in delivered webhooks

# Requests per second of one app at one contract, all stores together. The counting unit is Smaregi's own statement; the
# numbers are second-hand, so both are settings.
PRODUCTION_READS, PRODUCTION_WRITES = 50, 20
SANDBOX_READS, SANDBOX_WRITES = 10, 4

DEFAULT_WEBHOOK_HEADER = "X-Inventory-Sync-Secret"
READ_LAG = timedelta(seconds=3)
LATE_EFFECT = timedelta(seconds=60)
MIN_SECRET = 16

_CONTRACT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PRINTABLE = re.compile(r"[!-~]+(?: [!-~]+)*")

Seconds = Annotated[float, Field(gt=0, le=3600)]


class SmaregiSettings(SettingsModel):
    """What a connection to one Smaregi contract needs. Rates are requests per second, durations seconds."""

    contract_id: str
    client_id: str
    client_secret: SecretStr
    webhook_secret: SecretStr | None = None
    previous_webhook_secret: SecretStr | None = None  # still accepted while the console's value is being changed
    webhook_header: str = DEFAULT_WEBHOOK_HEADER
    callback_token: SecretStr | None = None  # made up by us: the last part of the address for callbacks of bulk calls
    base_url: str | None = None
    token_url: str | None = None
    memo: bool = True
    history: bool = True
    bulk: bool = True
    reads_per_second: Annotated[int, Field(ge=4, le=1000)] | None = None
    writes_per_second: Annotated[int, Field(ge=1, le=1000)] | None = None
    request_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 8.0
    read_lag_seconds: Seconds | None = None
    late_effect_seconds: Seconds | None = None
    bulk_callback_seconds: Seconds | None = None
    bulk_late_effect_seconds: Seconds | None = None

    @field_validator("contract_id")
    @classmethod
    def _contract(cls, value: str) -> str:
        if not _CONTRACT.fullmatch(value):
            raise WrongValue(
                "write the contract ID as Smaregi shows it, such as sb_abc123d4, without blanks",
                "スマレジに表示される契約 ID(例: sb_abc123d4)を、空白なしで書いてください",
            )
        return value

    @field_validator("client_id")
    @classmethod
    def _client(cls, value: str) -> str:
        if not _PRINTABLE.fullmatch(value) or ":" in value:
            raise WrongValue(
                "write the app's client ID as the developer console shows it, without blanks around it",
                "スマレジ・デベロッパーズに表示されるアプリのクライアント ID を、前後の空白なしで書いてください",
            )
        return value

    @field_validator("client_secret")
    @classmethod
    def _client_secret(cls, value: SecretStr) -> SecretStr:
        if not _PRINTABLE.fullmatch(value.get_secret_value()):
            raise WrongValue(
                "write the app's client secret as the developer console shows it, without blanks",
                "スマレジ・デベロッパーズに表示されるアプリのクライアントシークレットを、空白なしで書いてください",
            )
        return value

    @field_validator("webhook_secret", "previous_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = value.get_secret_value()
        if not _PRINTABLE.fullmatch(text) or len(text) < MIN_SECRET:
            raise WrongValue(
                f"use at least {MIN_SECRET} ASCII characters, without blanks around: it is the only proof",
                f"半角英数字と記号で {MIN_SECRET} 文字以上、前後の空白なしで書いてください(通知が本物だと示す唯一の"
                "値です)",
            )
        return value

    @field_validator("webhook_header")
    @classmethod
    def _header(cls, value: str) -> str:
        if not _HEADER.fullmatch(value):
            raise WrongValue(
                f"write a header name such as {DEFAULT_WEBHOOK_HEADER}, without colon or blanks",
                f"{DEFAULT_WEBHOOK_HEADER} のようなヘッダー名を、コロンと空白なしで書いてください",
            )
        return value

    @field_validator("base_url", "token_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        plain = not (parts.query or parts.fragment or parts.username or parts.password)
        if parts.scheme not in ("https", "http") or not parts.hostname or not plain:
            raise WrongValue(
                "write a whole address such as https://api.smaregi.jp, without query or user name",
                "https://api.smaregi.jp のような完全なアドレスを、クエリやユーザー名なしで書いてください",
            )
        return value.rstrip("/")

    @property
    def sandbox(self) -> bool:
        """Whether the contract lives in Smaregi's sandbox environment."""
        return self.contract_id.startswith(SANDBOX_PREFIX)

    @property
    def api_root(self) -> str:
        """Where the Platform API lives, without a slash at the end."""
        return self.base_url or (SANDBOX_API if self.sandbox else PRODUCTION_API)

    @property
    def token_endpoint(self) -> str:
        """The address that issues app access tokens.

        `token_url` may be that whole address (ending in /token) or the identity provider's root. Where only `base_url`
        is given, both live there: a secret must not go to the partner's own host while the calls go elsewhere.
        """
        root = self.token_url or self.base_url or (SANDBOX_IDENTITY if self.sandbox else PRODUCTION_IDENTITY)
        return root if root.endswith("/token") else f"{root}/app/{self.contract_id}/token"

    @property
    def reads(self) -> int:
        """Read requests allowed per second."""
        return self.reads_per_second or (SANDBOX_READS if self.sandbox else PRODUCTION_READS)

    @property
    def writes(self) -> int:
        """Write and token requests allowed per second."""
        return self.writes_per_second or (SANDBOX_WRITES if self.sandbox else PRODUCTION_WRITES)

    @property
    def read_lag(self) -> timedelta:
        """How long a write may be missing from reads; the default until it is measured on the contract."""
        return READ_LAG if self.read_lag_seconds is None else timedelta(seconds=self.read_lag_seconds)

    @property
    def late_effect(self) -> timedelta:
        """How long an unanswered write may still land."""
        return LATE_EFFECT if self.late_effect_seconds is None else timedelta(seconds=self.late_effect_seconds)
