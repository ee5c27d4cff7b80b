"""App access tokens: client credentials in, a bearer token out, renewed before it ends.

Request and answer: developers.smaregi.dev/platform-api-reference/common. This flow knows no refresh token:
one asks again.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import orjson

from inventory_sync.systems.errors import Bug
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import ClientContext
from inventory_sync.systems.smaregi import problems, protocol
from inventory_sync.systems.smaregi.limits import ContractBudget
from inventory_sync.systems.smaregi.settings import SmaregiSettings

RENEW_EARLY = timedelta(seconds=60)
LONGEST_LIFE = 7 * 24 * 3600  # seconds a token is believed to live; 3600 is what examples show


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token, when to ask for the next one, and the scopes it was granted."""

    value: str = field(repr=False)
    renew_at: datetime
    scopes: tuple[str, ...]


def wanted_scopes(settings: SmaregiSettings) -> tuple[str, ...]:
    """The scopes a connection asks for: the change history only where it is to be read."""
    return (*protocol.NEEDED_SCOPES, protocol.SCOPE_HISTORY) if settings.history else protocol.NEEDED_SCOPES


def token_request(settings: SmaregiSettings) -> HttpRequest:
    """The request for an app access token (Basic authentication, form body)."""
    pair = f"{settings.client_id}:{settings.client_secret.get_secret_value()}"
    form = {"grant_type": "client_credentials", "scope": " ".join(wanted_scopes(settings))}
    headers = {
        "Authorization": f"Basic {b64encode(pair.encode()).decode('ascii')}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    body = urlencode(form).encode("ascii")
    return HttpRequest("POST", settings.token_endpoint, headers, body, settings.request_timeout_seconds)


def parse_token(response: HttpResponse, asked: tuple[str, ...], now: datetime) -> AccessToken:
    """The token in an answer; `expires_in` counts from `now`, and a short-lived token is used for half its life.

    An answer without `scope` grants what was asked (RFC 6749 §5.1). Raises what the answer means otherwise.
    """
    if response.status != 200:
        raise protocol.token_refusal(response, asked, now)
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise protocol.later(problems.NOT_JSON, "the token endpoint", protocol.GARBLED_PAUSE) from error
    value = body.get("access_token") if isinstance(body, dict) else None
    seconds = _seconds(body.get("expires_in")) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable() or seconds is None:
        problem = problems.UNKNOWN_SHAPE
        raise Bug(problem.text("the token endpoint gave no token or no expires_in"), code=problem.code)
    granted = body.get("scope")
    life = timedelta(seconds=seconds)
    return AccessToken(
        value=value,
        renew_at=now + max(life - RENEW_EARLY, life / 2),
        scopes=tuple(granted.split()) if isinstance(granted, str) else asked,
    )


class TokenSource:
    """Gives the current token and renews it once for all who wait. Spends the write budget, as Smaregi counts it."""

    def __init__(self, settings: SmaregiSettings, context: ClientContext, budget: ContractBudget) -> None:
        self._settings = settings
        self._context = context
        self._budget = budget
        self._token: AccessToken | None = None
        self._renewing = asyncio.Lock()

    async def current(self, *, fresh: bool = False) -> AccessToken:
        """A token good for a while, or a `fresh` one. Raises RetryLater, Broken or Bug; no call was sent then."""
        async with self._renewing:
            if fresh or self._token is None or self._context.ambient.now() >= self._token.renew_at:
                self._token = await self._request()
            return self._token

    def forget(self, token: AccessToken) -> None:
        """Drop a token that was refused, unless another took its place meanwhile."""
        if self._token is token:
            self._token = None

    async def _request(self) -> AccessToken:
        request = token_request(self._settings)
        asked_at = self._context.ambient.now()
        self._budget.take("write", asked_at)
        try:
            response = await self._context.transport.send(request)
        except (NotSent, NoAnswer) as error:
            particulars = f"the token endpoint: {error}"
            raise protocol.later(problems.UNREACHABLE, particulars, protocol.NETWORK_PAUSE) from error
        finally:
            self._budget.end("write", self._context.ambient.now())
        if response.status == 429:
            now = self._context.ambient.now()
            self._budget.throttled("write", protocol.retry_after(response, now, protocol.THROTTLE_PAUSE), now)
        return parse_token(response, wanted_scopes(self._settings), asked_at)


def _seconds(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    return min(value, LONGEST_LIFE)
