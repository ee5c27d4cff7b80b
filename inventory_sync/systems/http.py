"""The one door to a partner: a request goes out, an answer comes back, or it is said how far it got.

Adapters are written against `Transport`; the daemon gives them aiohttp, the simulation gives them a simulator's core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request; `url` is absolute and whole with query, `timeout` in seconds covers the whole exchange."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The request certainly never reached the partner (name or connection failure before the first byte)."""


class NoAnswer(Exception):
    """The request may have reached the partner, and no whole answer came back (time-out, reset, cut body)."""


class Transport(Protocol):
    """Sends one request. Raises NotSent or NoAnswer, nothing else; an answer with any status is returned."""

    async def send(self, request: HttpRequest) -> HttpResponse: ...


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Sends a request one time. aiohttp would repeat a GET at once when its connection breaks (RFC 9110 §9.2.2), which
    no rate budget knows of, and which a partner that takes one request at a time forbids."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectionError as error:
        if isinstance(error, aiohttp.ClientConnectorError):
            raise
        raise NoAnswer(f"{type(error).__name__}: {error}") from error


class AiohttpTransport:
    """`Transport` over a shared aiohttp session. Redirects are not followed: a partner that moved is a finding."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, request: HttpRequest) -> HttpResponse:
        try:
            async with self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body or None,
                timeout=aiohttp.ClientTimeout(total=request.timeout),
                allow_redirects=False,
                middlewares=(_once,),
            ) as answer:
                body = await answer.read()
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return HttpResponse(answer.status, headers, body)
        except aiohttp.ClientConnectorError as error:
            raise NotSent(str(error)) from error
        except aiohttp.InvalidURL as error:
            raise NotSent(f"not a URL: {error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
