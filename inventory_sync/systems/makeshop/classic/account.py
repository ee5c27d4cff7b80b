"""What the classic transport needs of a connection's settings, and what it makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from pydantic import SecretStr

from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.makeshop.classic import problems
from inventory_sync.systems.makeshop.classic.layouts import Encoding, encoding_named
from inventory_sync.systems.problem import Problem

BASE_URL = "https://www.makeshop.jp"  # observed in clients of the classic API
PASSWORD_MAX = 12  # characters; a rule of MakeShop's that the maker of a POS–MakeShop stock app passes on


class ClassicSettings(Protocol):
    """The settings fields that the classic transport reads."""

    @property
    def shop_id(self) -> str | None: ...
    @property
    def order_auth_code(self) -> SecretStr | None: ...
    @property
    def product_auth_code(self) -> SecretStr | None: ...
    @property
    def admin_id(self) -> SecretStr | None: ...
    @property
    def admin_password(self) -> SecretStr | None: ...
    @property
    def notify_token(self) -> SecretStr | None: ...
    @property
    def csv_encoding(self) -> str: ...
    @property
    def service_name(self) -> str: ...
    @property
    def base_url(self) -> str | None: ...
    @property
    def requests_per_second(self) -> float: ...
    @property
    def request_timeout(self) -> timedelta: ...
    @property
    def read_lag(self) -> timedelta: ...
    @property
    def late_effect(self) -> timedelta: ...
    @property
    def order_lag(self) -> timedelta: ...
    @property
    def provisional_counts(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Account:
    """One shop at the classic API, whole; secrets stay out of its `repr`."""

    shop_id: str
    order_code: str = field(repr=False)
    product_code: str = field(repr=False)
    admin_id: str = field(repr=False)
    admin_password: str = field(repr=False)
    encoding: Encoding
    service: str
    root: str  # where the API lives, without a slash at the end
    own_host: bool  # that is MakeShop's own, not another address from the settings
    timeout: float  # seconds


def account_of(settings: ClassicSettings) -> Account:
    """The account that settings describe. Raises InvalidSettings for a missing field or a password too long."""
    password = _secret(settings.admin_password, "admin_password")
    if len(password) > PASSWORD_MAX:
        raise _invalid(problems.PASSWORD_TOO_LONG, "admin_password")
    if not settings.shop_id:
        raise _invalid(problems.CREDENTIAL_MISSING, "shop_id")
    return Account(
        shop_id=settings.shop_id,
        order_code=_secret(settings.order_auth_code, "order_auth_code"),
        product_code=_secret(settings.product_auth_code, "product_auth_code"),
        admin_id=_secret(settings.admin_id, "admin_id") if settings.admin_id else settings.shop_id,
        admin_password=password,
        encoding=encoding_named(settings.csv_encoding),
        service=settings.service_name,
        root=(settings.base_url or BASE_URL).rstrip("/"),
        own_host=not settings.base_url,
        timeout=settings.request_timeout.total_seconds(),
    )


def _secret(value: SecretStr | None, name: str) -> str:
    text = value.get_secret_value() if value else ""
    if not text:
        raise _invalid(problems.CREDENTIAL_MISSING, name)
    return text


def _invalid(problem: Problem, name: str) -> InvalidSettings:
    return InvalidSettings(
        problem.text(name),
        field=name,
        remedy=problem.remedy_en,
        code=problem.code,
        message_ja=problem.text_ja(name),
        remedy_ja=problem.remedy_ja,
    )
