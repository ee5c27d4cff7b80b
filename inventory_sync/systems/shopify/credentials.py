"""Access tokens and their life, and the check of a sign-in callback.

An app of the Dev Dashboard trades client id and secret for a token of about 24 hours, without a refresh token
(shopify.dev/docs/apps/build/authentication-authorization/client-credentials-grant). The token of a custom app that was
made in the shop's admin before 2026 does not expire (shopify.dev, legacy admin custom apps).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn, Protocol
from urllib.parse import quote, urlencode

from inventory_sync.systems.errors import Broken, BrokenKind, PartnerError, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import ClientContext
from inventory_sync.systems.shopify import classify, scopes
from inventory_sync.systems.shopify.problems import say
from inventory_sync.systems.shopify.settings import ShopifySettings

TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 - a path
RENEW_AT = 0.8  # of a token's life
LEAST_LIFE = timedelta(seconds=30)  # a token is not used in the last seconds of its life
RETRY_RENEWAL = timedelta(seconds=60)
CALLBACK_AGE = 90.0  # seconds; what Shopify's own library allows a sign-in callback to be off

# Error names of the token endpoint. The first is documented, the others follow RFC 6749 or were observed by others; a
# name that is not listed breaks the connection as a refused client id or secret does.
_TOKEN_ERRORS: Mapping[str, tuple[str, BrokenKind]] = {
    "shop_not_permitted": ("IS-SHP-012", BrokenKind.CREDENTIAL),
    "app_not_installed": ("IS-SHP-013", BrokenKind.UNINSTALLED),
    "invalid_client": ("IS-SHP-011", BrokenKind.CREDENTIAL),
    "application_cannot_be_found": ("IS-SHP-011", BrokenKind.CREDENTIAL),
}


class Credentials(Protocol):
    """Where the client takes its token from."""

    async def token(self) -> str:
        """A token to use now. Raises RetryLater or Broken where there is none."""
        ...

    async def renew(self, refused: str | None) -> bool:
        """Replace the token that was refused (None: whatever there is). False where that is not possible."""
        ...


class StaticToken:
    """The token of a custom app: it never changes."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token

    async def renew(self, refused: str | None) -> bool:
        return False


@dataclass(frozen=True, slots=True, repr=False)
class _Granted:
    token: str
    renew_at: datetime
    expires_at: datetime


class ClientCredentials:
    """Tokens of a Dev Dashboard app: renewed at 80 % of their life, by one request at a time."""

    def __init__(self, settings: ShopifySettings, context: ClientContext, timeout: float) -> None:
        if settings.client_id is None or settings.client_secret is None:
            raise ValueError("client credentials need client_id and client_secret")
        self._url = settings.url + TOKEN_PATH
        self._form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
        }
        self._context = context
        self._timeout = timeout
        self._granted: _Granted | None = None
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        async with self._lock:
            now = self._context.ambient.now()
            granted = self._granted
            if granted is None or now >= granted.expires_at - LEAST_LIFE:
                return (await self._fetch()).token
            if now < granted.renew_at:
                return granted.token
            try:
                return (await self._fetch()).token
            except PartnerError:
                # The token at hand still works: an outage of the sign-in must not become one of the stock.
                self._granted = _Granted(granted.token, now + RETRY_RENEWAL, granted.expires_at)
                return granted.token

    async def renew(self, refused: str | None) -> bool:
        async with self._lock:
            if refused is None or self._granted is None or self._granted.token == refused:
                self._granted = None
                await self._fetch()
            return True

    async def _fetch(self) -> _Granted:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        body = urlencode(self._form).encode()
        try:
            response = await self._context.transport.send(HttpRequest("POST", self._url, headers, body, self._timeout))
        except NotSent as error:
            raise _later("IS-SHP-001", str(error)) from error
        except NoAnswer as error:
            raise _later("IS-SHP-002", str(error)) from error
        now = self._context.ambient.now()
        self._granted = _read_grant(response, now)
        return self._granted


def for_settings(settings: ShopifySettings, context: ClientContext, timeout: float) -> Credentials:
    """The credential life cycle that fits the settings. `timeout` in seconds."""
    if settings.access_token is not None:
        return StaticToken(settings.access_token.get_secret_value())
    return ClientCredentials(settings, context, timeout)


def _later(code: str, detail: str, after: float = classify.RETRY_CONNECT) -> RetryLater:
    return RetryLater(say(code, detail), after=after, executed=False, code=code)


def _read_grant(response: HttpResponse, now: datetime) -> _Granted:
    payload = classify.decode(response)
    if response.status == 429 or response.status >= 500:
        code = "IS-SHP-006" if response.status == 429 else "IS-SHP-003"
        raise _later(code, f"sign-in, HTTP {response.status}", classify.retry_after(response, now))
    if response.status >= 300:
        _refuse(response.status, payload or {})
    token = (payload or {}).get("access_token")
    life = (payload or {}).get("expires_in")
    if not isinstance(token, str) or not token or isinstance(life, bool) or not isinstance(life, int | float):
        raise _later("IS-SHP-004", "sign-in without a token", classify.RETRY_UNKNOWN)
    granted = (payload or {}).get("scope")
    if isinstance(granted, str) and granted.strip():
        refuse_missing_scopes(granted.split(","))
    return _Granted(token, now + timedelta(seconds=life * RENEW_AT), now + timedelta(seconds=life))


def _refuse(status: int, payload: Mapping[str, object]) -> NoReturn:
    name = payload.get("error")
    if status == 404 and not isinstance(name, str):
        raise classify.broken("IS-SHP-019", BrokenKind.GONE, "sign-in, HTTP 404")
    if 300 <= status < 400:
        raise classify.broken("IS-SHP-021", BrokenKind.GONE, f"sign-in, HTTP {status}")
    if status == 402:
        raise classify.broken("IS-SHP-016", BrokenKind.FROZEN, after=classify.RETRY_FROZEN)
    if status == 423:
        raise classify.broken("IS-SHP-017", BrokenKind.LOCKED, after=classify.RETRY_LOCKED)
    code, kind = _TOKEN_ERRORS.get(str(name), ("IS-SHP-011", BrokenKind.CREDENTIAL))
    detail = f"{name}, HTTP {status}" if isinstance(name, str) else f"HTTP {status}"
    raise classify.broken(code, kind, detail[:200])


def refuse_missing_scopes(granted: Sequence[str]) -> None:
    """Raise Broken(SCOPE) that names every required scope the grant does not cover."""
    lacking = scopes.missing(granted)
    if lacking:
        names = ", ".join(lacking)
        remedy = f"Add {names} to the app's scopes, release the version, and accept it in the shop."
        raise Broken(say("IS-SHP-014", names), kind=BrokenKind.SCOPE, remedy=remedy, code="IS-SHP-014")


def callback_is_genuine(query: Sequence[tuple[str, str]], secrets: Sequence[str], now: datetime) -> bool:
    """Whether a sign-in callback's query was signed by Shopify with one of the app's secrets, and lately.

    `query`: decoded names and values. The signature is the hex HMAC-SHA256 of the other members, sorted by name and
    encoded as a query string (shopify.dev/docs/apps/build/authentication-authorization, authorization code grant).
    """
    members = dict(query)
    if len(members) != len(query):
        return False
    given = members.pop("hmac", "")
    members.pop("signature", None)
    message = urlencode(sorted(members.items()), quote_via=quote, safe="*").encode()
    matches = [
        hmac.compare_digest(hmac.new(secret.encode(), message, hashlib.sha256).hexdigest().encode(), given.encode())
        for secret in secrets
    ]
    stamp = members.get("timestamp", "")
    if not (stamp.isascii() and stamp.isdigit()):
        return False
    return any(matches) and abs(now.timestamp() - int(stamp)) <= CALLBACK_AGE
