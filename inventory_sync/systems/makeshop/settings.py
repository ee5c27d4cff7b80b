"""Settings of a MakeShop connection, over the GraphQL API (`api: graphql`) or the classic one (`api: classic`).

What no readable document of MakeShop states is a switch here, with the most likely reading as its default.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from inventory_sync.systems.errors import WrongValue
from inventory_sync.systems.order_settings import OrderSettings
from inventory_sync.systems.port import SettingsModel

# Observed in every public client; the official text only says that the mail about the finished application names it
# (developers.makeshop.jp/api/graphql). Requests go to it to the letter, with no path or slash added.
GRAPHQL_ENDPOINT = "https://app-api.makeshop.jp/v1/graphql"
CLASSIC_ROOT = "https://www.makeshop.jp"  # observed in clients of the classic API

# The classic API's rule (apidoc.makeshop.jp/about). None is documented for GraphQL, so the same is kept there.
REQUESTS_PER_SECOND = 1.0
MAX_PASSWORD = 12  # characters: MakeShop's own rule for the administrator's password

READ_LAG = timedelta(seconds=3)
LATE_EFFECT = timedelta(seconds=60)
REQUEST_TIMEOUT = timedelta(seconds=10)
ORDER_LAG = timedelta(seconds=10)
# 1,000 may be asked for, but no page of products had more than 200 rows (observed).
PAGE_ROWS = 200
NOTICE_AGE = timedelta(minutes=10)
# Rows of one write and products of one read. MakeShop names no maximum; requests of 5 MB may be refused
# (developers.makeshop.jp/api/graphql), which this is far below.
ROWS = 100

PAID_CODES = ("0000", "0001", "0002", "0004", "1002")
"""`paymentStatusCode` of orders that are paid: cash on delivery, cash, transfer received, card authorised, points only.
Worked out on live orders; there is no readable table."""

_SHOP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.)+[A-Za-z]{2,63}(?![A-Za-z0-9.-])")
IN_USE = "適用中"  # how MakeShop's admin marks the domain of a shop that is in use
_HEADER_VALUE = re.compile(r"[!-~]+")


def _trimmed(value: str) -> str:
    """The value as it is. A pasted blank at an end is refused and never cut off: nobody could see what was kept."""
    if not value:
        raise WrongValue(
            "it is empty; paste the whole value, or leave the setting out",
            "値が空です。値全体を貼り付けるか、この行を削除してください",
        )
    if value != value.strip():
        raise WrongValue(
            "there is a blank or line break at its beginning or end, from pasting; write it without",
            "値の前後に空白か改行が入っています(貼り付けによるもの)。取り除いてください",
        )
    return value


def _secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        _trimmed(value.get_secret_value())
    return value


def _header_secret(value: SecretStr | None) -> SecretStr | None:
    """A secret that travels in an HTTP header."""
    if value is not None and not _HEADER_VALUE.fullmatch(_trimmed(value.get_secret_value())):
        raise WrongValue(
            "it holds a blank or a character that MakeShop never issues; copy the value again",
            "空白か、makeshop の値にはない文字が入っています。値をコピーし直してください",
        )
    return value


def _token(value: SecretStr | None) -> SecretStr | None:
    _header_secret(value)
    if value is not None and value.get_secret_value().lower().startswith("bearer"):
        raise WrongValue(
            "write the token alone, beginning with PAT., without the word Bearer",
            "Bearer を付けず、PAT. で始まるトークンだけを書いてください",
        )
    return value


def _password(value: SecretStr | None) -> SecretStr | None:
    _secret(value)
    if value is not None and len(value.get_secret_value()) > MAX_PASSWORD:
        raise WrongValue(
            f"MakeShop takes passwords of at most {MAX_PASSWORD} characters here: "
            "shorten the administrator's password at MakeShop first, then write the new one",
            f"makeshop がここで受け付けるパスワードは {MAX_PASSWORD} 文字までです。先に makeshop で管理者のパスワードを"
            "短くし、新しいパスワードを書いてください",
        )
    return value


def _shop_id(value: str | None) -> str | None:
    if value is not None and not _SHOP_ID.fullmatch(_trimmed(value)):
        raise WrongValue(
            "write the shop ID as MakeShop shows it: letters, digits, hyphens and underscores only",
            "makeshop に表示されるショップ ID を書いてください(半角英数字、ハイフン、アンダースコアのみ)",
        )
    return value


def _base_url(value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(_trimmed(value))
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("https", "http") or not parts.hostname or not plain:
        raise WrongValue(
            f"write the whole address, such as {GRAPHQL_ENDPOINT}, without query or user name",
            f"{GRAPHQL_ENDPOINT} のような完全なアドレスを、クエリやユーザー名なしで書いてください",
        )
    return value


def _text(value: str | None) -> str | None:
    return None if value is None else _trimmed(value)


def _shop_address(value: str | None) -> str | None:
    """The domain of the shop that is in use. Several may be pasted as the admin lists them, that one marked 適用中.

    >>> _shop_address("shop.example.jp (適用中), example.makeshop.jp")
    'shop.example.jp'
    """
    if value is None:
        return None
    listed = [each.strip() for each in re.split(r"[,、\n]", _trimmed(value))]
    active = [each for each in listed if IN_USE in each] or listed
    if len(active) != 1:
        raise WrongValue(
            f"several addresses are listed: write the one that MakeShop marks {IN_USE}, alone",
            f"アドレスが複数あります。makeshop で「{IN_USE}」と表示されるものだけを書いてください",
        )
    text = active[0].partition("://")[2] or active[0]
    found = _DOMAIN.match(text.strip())
    if found is None:
        raise WrongValue(
            "write the address of the shop, such as shop.example.jp",
            "shop.example.jp のようなショップのアドレスを書いてください",
        )
    return found[0].lower()


def _whole(value: object) -> object:
    """A number that a configuration file writes as text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


Secret = Annotated[SecretStr | None, AfterValidator(_secret)]
HeaderSecret = Annotated[SecretStr | None, AfterValidator(_header_secret)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class QuantityCalculation(BaseModel):
    """Which `quantityCalculationType` is sent until a calibration has proven what the two values mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    absolute: Annotated[Literal[0, 1], BeforeValidator(_whole)] = 0


class MakeShopSettings(SettingsModel):
    """What a connection to one MakeShop shop needs. Durations are seconds, rates requests per second."""

    model_config = ConfigDict(hide_input_in_errors=True)

    api: Literal["graphql", "classic"] = "graphql"
    shop_id: Annotated[str | None, AfterValidator(_shop_id)] = None
    base_url: Annotated[str | None, AfterValidator(_base_url)] = None

    # GraphQL
    access_token: Annotated[SecretStr | None, AfterValidator(_token)] = None
    api_key: HeaderSecret = None
    webhook_secret: HeaderSecret = None

    # classic
    order_auth_code: Secret = None
    product_auth_code: Secret = None
    admin_id: Secret = None  # the shop ID, where it is left out
    admin_password: Annotated[SecretStr | None, AfterValidator(_password)] = None
    notify_token: SecretStr | None = None  # made up by us: the last part of the address for notices
    shop_name: Annotated[str | None, AfterValidator(_text)] = None  # these three: what the application asks for
    user_name: Annotated[str | None, AfterValidator(_text)] = None
    shop_url: Annotated[str | None, AfterValidator(_shop_address)] = None
    csv_encoding: Literal["shift_jis", "utf-8", "utf-8-sig"] = "shift_jis"
    csv_folder: Annotated[str | None, AfterValidator(_text)] = None
    service_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = "inventory-sync"

    # what is made of its orders
    orders: OrderSettings = OrderSettings()

    # pace
    requests_per_second: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] = REQUESTS_PER_SECOND
    request_timeout_seconds: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = REQUEST_TIMEOUT.total_seconds()
    read_lag_seconds: Seconds = READ_LAG.total_seconds()
    late_effect_seconds: Seconds = LATE_EFFECT.total_seconds()
    order_lag_seconds: Seconds = ORDER_LAG.total_seconds()

    # switches for what is not documented
    page_limit: Annotated[int, Field(ge=1, le=1000)] = PAGE_ROWS
    order_page_size: Annotated[int, Field(ge=1, le=1000)] = PAGE_ROWS
    trust_searched_count: bool = True
    order_filter: Literal["each", "none", "both"] = "each"
    orders_at_once: bool = True
    provisional_counts: bool = True
    provisional_payment_codes: tuple[str, ...] = ()
    paid_payment_codes: tuple[str, ...] = PAID_CODES
    quantity_calculation: QuantityCalculation = QuantityCalculation()
    relative_writes: bool = True
    variation_details: Literal["list", "object"] = "list"
    mixed_writes: bool = True
    write_rows: Annotated[int, Field(ge=1, le=ROWS)] = ROWS
    stock_list: Literal["all", "by_code"] = "all"
    probe_writes: bool = True
    signature_recipe: Literal["timestamp_body", "body", "timestamp"] = "timestamp_body"
    signature_encoding: Literal["hex", "base64"] = "hex"
    notice_max_age_seconds: Annotated[float, Field(ge=30, le=86_400, allow_inf_nan=False)] = NOTICE_AGE.total_seconds()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed: dict[str, object]
        if self.api == "classic":
            needed = {
                "shop_id": self.shop_id,
                "order_auth_code": self.order_auth_code,
                "product_auth_code": self.product_auth_code,
                "admin_password": self.admin_password,
            }
            hint = hint_ja = ""
        else:
            needed = {"access_token": self.access_token, "api_key": self.api_key}
            codes = (self.order_auth_code, self.product_auth_code, self.admin_password)
            classic = codes != (None,) * len(codes)
            hint = "; a shop with auth codes only is connected by api: classic" if classic else ""
            hint_ja = "。認証コードだけのショップは api: classic で接続します" if classic else ""
        lacking = [name for name, value in needed.items() if value is None]
        if lacking:
            are = "is" if len(lacking) == 1 else "are"
            raise WrongValue(
                f"{' and '.join(lacking)} {are} missing for api: {self.api}{hint}",
                f"api: {self.api} に必要な {'、'.join(lacking)} がありません{hint_ja}",
            )
        return self

    @property
    def endpoint(self) -> str:
        """The address that GraphQL requests are posted to, to the letter."""
        return self.base_url or GRAPHQL_ENDPOINT

    @property
    def classic_root(self) -> str:
        """Where the classic API lives, without a slash at the end."""
        return (self.base_url or CLASSIC_ROOT).rstrip("/")

    @property
    def read_lag(self) -> timedelta:
        return timedelta(seconds=self.read_lag_seconds)

    @property
    def late_effect(self) -> timedelta:
        return timedelta(seconds=self.late_effect_seconds)

    @property
    def order_lag(self) -> timedelta:
        return timedelta(seconds=self.order_lag_seconds)

    @property
    def request_timeout(self) -> timedelta:
        return timedelta(seconds=self.request_timeout_seconds)
