"""Who may use the admin port: the machine itself where no token is set, else whoever knows the token.

Without a token every web page that an operator opens could make the browser ask for us: a name that a stranger's DNS
points to 127.0.0.1 reaches a loopback port (DNS rebinding). So then the Host header must name this machine.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from inventory_sync.web import problems
from inventory_sync.web.problems import Handler, answer

log = structlog.get_logger()

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
CHALLENGE = {"WWW-Authenticate": f'Bearer realm="{problems.PRODUCT}"'}

LOG_EVERY = 10.0
"""Seconds between two log events about refused requests."""


def is_loopback(peer: str | None) -> bool:
    """Whether an address of a peer is of this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::ffff:127.0.0.1"), is_loopback("192.0.2.7"), is_loopback(None)
    (True, True, False, False)
    """
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def names_this_machine(hosts: list[str]) -> bool:
    """Whether the Host headers of a request are one, and name this machine, on whatever port.

    >>> names_this_machine(["localhost:8081"]), names_this_machine(["[::1]"]), names_this_machine(["shop.example:8081"])
    (True, True, False)
    """
    if len(hosts) != 1:
        return False
    host = hosts[0].lower()
    name, colon, port = host.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        host = name
    return host in LOCAL_HOSTS


class Gate:
    """Decides about every request of the admin port. `open_to_machine`: paths for which the machine needs no token."""

    def __init__(
        self,
        token: str | None,
        *,
        open_to_machine: frozenset[str],
        open_to_all: frozenset[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = None if token is None else _digest(token)
        self._open_to_machine = open_to_machine
        self._open_to_all = open_to_all
        self._clock = clock
        self._logged_at: float | None = None

    def middleware(self) -> Middleware:
        """The gate as a middleware."""

        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            refusal = self.refusal(request)
            return await handler(request) if refusal is None else refusal

        return gate

    def refusal(self, request: web.Request) -> web.Response | None:
        """The answer to a request that may not pass; None where it may."""
        if self._token is None:
            if _from_machine(request):
                return None
            self._note("not from this machine", request)
            return answer(
                problems.FORBIDDEN,
                detail="Ask from the machine itself as localhost, or set INVENTORY_SYNC_ADMIN_TOKEN and send it.",
            )
        if request.path in self._open_to_all or self._knows(request):
            return None
        if request.path in self._open_to_machine and _from_machine(request):
            return None
        self._note("no or wrong token", request)
        return answer(problems.UNAUTHORIZED, headers=CHALLENGE)

    def _knows(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        # Digests are compared, so that neither content nor length of the token shows in the time it takes.
        same = hmac.compare_digest(_digest(given.strip()), self._token or b"")
        return same and scheme.lower() == "bearer"

    def _note(self, reason: str, request: web.Request) -> None:
        now = self._clock()
        if self._logged_at is None or now - self._logged_at >= LOG_EVERY:
            self._logged_at = now
            log.warning("admin.refused", reason=reason, peer=request.remote)


def _from_machine(request: web.Request) -> bool:
    """Whether a request is of this machine itself, and not handed on by a proxy that stands on it."""
    return (
        is_loopback(request.remote)
        and names_this_machine(request.headers.getall("Host", []))
        and not any(name in request.headers for name in FORWARDED)
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
