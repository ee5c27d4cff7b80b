"""A Shopify connection's settings, with messages that say what would be right."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from inventory_sync.systems.errors import WrongValue
from inventory_sync.systems.port import SettingsModel
from inventory_sync.systems.shopify.versions import NEWEST, SUPPORTED_UNTIL

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)
_SUFFIX = ".myshopify.com"
_WHERE = "its .myshopify.com name stands in the Shopify admin under Settings > Domains"
_WHERE_JA = "Shopify 管理画面の「設定 > ドメイン」にある .myshopify.com の名前を書いてください"


def normalise_shop(value: object) -> str:
    """The canonical domain, such as demo-jp.myshopify.com, of every form a person may paste.

    >>> normalise_shop("https://admin.shopify.com/store/demo-jp/settings")
    'demo-jp.myshopify.com'

    Raises WrongValue for a custom domain and for anything else, with the place to look.
    """
    if not isinstance(value, str) or not value.strip():
        raise WrongValue(f"the shop is missing; {_WHERE}", f"ショップの名前がありません。{_WHERE_JA}")
    given = value.strip().lower()
    parts = urlsplit(given if "//" in given else f"//{given}")
    host = parts.netloc.split("@")[-1].split(":")[0].rstrip(".")
    if host == "admin.shopify.com":
        steps = [step for step in parts.path.split("/") if step]
        name = steps[1] if len(steps) > 1 and steps[0] == "store" else ""
    elif host.endswith(_SUFFIX):
        name = host.removesuffix(_SUFFIX)
    elif "." in host:
        raise WrongValue(
            f"{host} is the shop's public domain; {_WHERE}",
            f"{host} はショップの公開用のドメインです。{_WHERE_JA}",
        )
    else:
        name = host
    if not _NAME.fullmatch(name):
        raise WrongValue(
            f"{given[:80]!r} names no shop; write it like demo-jp or demo-jp{_SUFFIX}; {_WHERE}",
            f"「{given[:80]}」はショップの名前ではありません(例: demo-jp、demo-jp{_SUFFIX})。{_WHERE_JA}",
        )
    return name + _SUFFIX


def _api_version(value: str) -> str:
    if value not in SUPPORTED_UNTIL:
        choices = ", ".join(SUPPORTED_UNTIL)
        raise WrongValue(
            f"API version {value[:20]!r} is not supported; choose one of {choices}",
            f"API バージョン「{value[:20]}」には対応していません。次のいずれかを書いてください: {choices}",
        )
    return value


def _base_url(value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise WrongValue(
            "base_url must be like https://host or http://host:port, without user, query or fragment",
            "base_url は https://host か http://host:port の形で、ユーザー名、クエリ、# 以降なしで書いてください",
        )
    return value.rstrip("/")


def _clean_secret(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    plain = value.get_secret_value()
    if not plain:
        raise WrongValue(
            "it is empty; paste the whole value, or leave the field out",
            "値が空です。値全体を貼り付けるか、この行を削除してください",
        )
    if plain != plain.strip() or any(sign.isspace() for sign in plain):
        raise WrongValue(
            "it contains a blank or a line break; copy the value again without it",
            "空白か改行が入っています。値だけをコピーし直してください",
        )
    return value


def _clean_id(value: str | None) -> str | None:
    _clean_secret(None if value is None else SecretStr(value))
    return value


Secret = Annotated[SecretStr | None, AfterValidator(_clean_secret)]
Seconds = Annotated[float | None, Field(ge=0, le=600, allow_inf_nan=False)]


class ShopifySettings(SettingsModel):
    """Settings of one shop. Exactly one kind of credential: of a Dev Dashboard app, or of an older custom app."""

    model_config = ConfigDict(hide_input_in_errors=True)

    shop: Annotated[str, BeforeValidator(normalise_shop)]
    client_id: Annotated[str | None, AfterValidator(_clean_id)] = None
    client_secret: Secret = None
    access_token: Secret = None
    api_secret: Secret = None
    previous_client_secret: Secret = None
    api_version: Annotated[str, AfterValidator(_api_version)] = NEWEST
    base_url: Annotated[str | None, AfterValidator(_base_url)] = None
    read_lag_seconds: Seconds = None
    late_effect_seconds: Seconds = None
    request_timeout_seconds: Annotated[float | None, Field(gt=0, le=120, allow_inf_nan=False)] = None
    poll_every_seconds: Annotated[float | None, Field(ge=5, le=3600, allow_inf_nan=False)] = None
    bulk_from_variants: Annotated[int | None, Field(ge=1, le=100_000_000)] = None

    @model_validator(mode="after")
    def _one_kind_of_credential(self) -> Self:
        app = {"client_id": self.client_id, "client_secret": self.client_secret}
        custom = {"access_token": self.access_token, "api_secret": self.api_secret}
        names = "client_id and client_secret (Dev Dashboard app), or access_token and api_secret (older custom app)"
        names_ja = (
            "client_id と client_secret(Dev Dashboard のアプリ)、または "
            "access_token と api_secret(以前のカスタムアプリ)"
        )
        given = [kind for kind in (app, custom) if any(value is not None for value in kind.values())]
        if not given:
            raise WrongValue(
                f"the credentials are missing: give {names}", f"認証情報がありません。{names_ja}を書いてください"
            )
        if len(given) == 2:
            raise WrongValue(
                f"two kinds of credential are given: keep either {names}",
                f"認証情報が 2 種類あります。{names_ja}のどちらか一方だけを残してください",
            )
        lacking = [name for name, value in given[0].items() if value is None]
        if lacking:
            present = [name for name in given[0] if name not in lacking]
            raise WrongValue(
                f"{' and '.join(lacking)} is missing beside {' and '.join(present)}",
                f"{' と '.join(present)} と組になる {' と '.join(lacking)} がありません。加えてください",
            )
        self._refuse_swapped()
        return self

    def _refuse_swapped(self) -> None:
        """Refuse a value that shows by its beginning that it belongs into another field."""
        if self.access_token is not None and _plain(self.access_token).startswith("shpss_"):
            raise WrongValue(
                "access_token holds an API secret (shpss_…); the Admin API token begins with shpat_",
                "access_token に API シークレット(shpss_…)が入っています。shpat_ で始まるトークンを書いてください",
            )
        for name in ("client_secret", "api_secret", "previous_client_secret"):
            value = getattr(self, name)
            if value is not None and _plain(value).startswith("shpat_"):
                raise WrongValue(
                    f"{name} holds an access token (shpat_…); paste the app's secret there",
                    f"{name} にアクセストークン(shpat_…)が入っています。アプリのシークレットを書いてください",
                )
        if self.client_id is not None and self.client_id.startswith(("shpat_", "shpss_")):
            raise WrongValue(
                "client_id holds a secret; paste the Client ID there",
                "client_id にシークレットが入っています。クライアント ID を書いてください",
            )
        if self.previous_client_secret is not None and self.previous_client_secret in self.current_secrets:
            raise WrongValue(
                "previous_client_secret is the same as the current secret; leave it out",
                "previous_client_secret が現在のシークレットと同じです。削除してください",
            )

    @property
    def current_secrets(self) -> tuple[SecretStr, ...]:
        return tuple(each for each in (self.client_secret, self.api_secret) if each is not None)

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """The secrets a webhook may be signed with, the current one first."""
        previous = () if self.previous_client_secret is None else (self.previous_client_secret,)
        return tuple(_plain(each) for each in self.current_secrets + previous)

    @property
    def url(self) -> str:
        """The base URL of the shop's Admin API, without a slash at the end."""
        return self.base_url or f"https://{self.shop}"


def _plain(value: Any) -> str:
    return str(value.get_secret_value())
