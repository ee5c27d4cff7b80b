"""Reading request bodies: never larger than allowed, never more in memory than all requests together may hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

MIB = 1024 * 1024

WEBHOOK_LIMIT = 10 * MIB
"""A 413 counts as a failed delivery, and after eight of those Shopify deletes the subscription, so this is generous
(shopify.dev/docs/apps/build/webhooks/troubleshooting-webhooks)."""

OTHER_LIMIT = MIB

READ_WITHIN = 10.0
"""Seconds that a body may take to arrive; longer than any partner waits for the answer."""


class TooLarge(Exception):
    """The body is larger than the limit."""


class TooSlow(Exception):
    """The body did not arrive in time."""


class BrokenOff(Exception):
    """The sender hung up, or what it sent is no body."""


class NoRoom(Exception):
    """The bodies under way fill the memory set apart for them."""


class BodyReader:
    """Reads bodies of up to `limit` bytes; all bodies read at the same time hold `room` bytes at most."""

    def __init__(self, limit: int = WEBHOOK_LIMIT, room: int = 128 * MIB, within: float = READ_WITHIN) -> None:
        self._limit = limit
        self._left = room
        self._within = within

    @asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[bytes]:
        """The raw body, and its room until the block ends. Raises TooLarge, TooSlow, BrokenOff or NoRoom."""
        if (request.content_length or 0) > self._limit:
            raise TooLarge
        taken = bytearray()
        try:
            try:
                async with asyncio.timeout(self._within):
                    async for chunk in request.content.iter_any():
                        if len(chunk) > self._left:
                            raise NoRoom
                        self._left -= len(chunk)
                        taken += chunk
                        if len(taken) > self._limit:
                            raise TooLarge
            except TimeoutError:
                raise TooSlow from None
            except (ConnectionError, aiohttp.ClientError, web.RequestPayloadError):
                raise BrokenOff from None
            yield bytes(taken)
        finally:
            self._left += len(taken)
