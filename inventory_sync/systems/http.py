"""The one door to a partner: a request goes out, an answer comes back, or it is said how far it got.

Adapters are written against `Transport`; the daemon gives them aiohttp, the simulation gives them a simulator's core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import aiohttp

SILENCE = 30.0  # seconds
PIECE = 65536  # bytes


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


@runtime_checkable
class StreamingTransport(Protocol):
    """A transport that can hand over a long body piece by piece."""

    async def download(self, request: HttpRequest, take: Callable[[bytes], None]) -> HttpResponse:
        """Hand the body of a 200 to `take` as it comes, and return the answer without it; any other body is dropped.
        Raises NotSent, or NoAnswer, also where the body was cut off."""
        ...


async def download(transport: Transport, request: HttpRequest, take: Callable[[bytes], None]) -> HttpResponse:
    """Fetch a long body in pieces, or whole where the transport knows no pieces. Raises NotSent or NoAnswer."""
    if isinstance(transport, StreamingTransport):
        return await transport.download(request, take)
    answer = await transport.send(request)
    if answer.status == 200:
        take(answer.body)
    return HttpResponse(answer.status, answer.headers, b"")


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
        parts: list[bytes] = []
        answer = await self._exchange(request, parts.append, aiohttp.ClientTimeout(total=request.timeout), every=True)
        return HttpResponse(answer.status, answer.headers, b"".join(parts))

    async def download(self, request: HttpRequest, take: Callable[[bytes], None]) -> HttpResponse:
        """A download may last as long as its time-out, but no piece of it longer than `SILENCE` seconds."""
        timeout = aiohttp.ClientTimeout(total=request.timeout, sock_connect=SILENCE, sock_read=SILENCE)
        return await self._exchange(request, take, timeout, every=False)

    async def _exchange(
        self, request: HttpRequest, take: Callable[[bytes], None], timeout: aiohttp.ClientTimeout, *, every: bool
    ) -> HttpResponse:
        try:
            async with self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body or None,
                timeout=timeout,
                allow_redirects=False,
                middlewares=(_once,),
            ) as answer:
                if every or answer.status == 200:
                    async for piece in answer.content.iter_chunked(PIECE):
                        take(piece)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return HttpResponse(answer.status, headers, b"")
        except aiohttp.ClientConnectorError as error:
            raise NotSent(str(error)) from error
        except aiohttp.InvalidURL as error:
            raise NotSent(f"not a URL: {error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
