"""Serving an application on a port: what the HTTP library needs to be told so that it tells nobody too much."""

from __future__ import annotations

import logging
from typing import Any

import aiohttp.web_response
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from inventory_sync.web.problems import PRODUCT

KEEP_ALIVE = 75.0
"""Seconds an idle connection stays open: longer than reverse proxies keep theirs (60), and not for ever."""

_log = logging.getLogger("inventory_sync.web.http")


class _Discreet(logging.Filter):
    """Drops what strangers cause by sending no HTTP, and tracebacks, whose messages quote requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            return False
        if error is not None:
            record.msg, record.args = "http.failed: %s", (type(error).__name__,)
        record.exc_info = record.exc_text = None
        return True


_log.addFilter(_Discreet())


class Listener:
    """One application on one port, from `start` to `stop`."""

    def __init__(self, app: web.Application, host: str, port: int, *, shutdown_seconds: float = 5.0) -> None:
        self._host = host
        self._port = port
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_log,
            # A signature covers the bytes that were sent, and a small body must not unfold into a large one.
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=2.0,
            shutdown_timeout=shutdown_seconds,
        )

    async def start(self) -> int:
        """Begin to listen; returns the port (a free one where 0 was asked for). Raises OSError if it is taken."""
        # Answers to what is no HTTP never reach the application, and would name the library and its version.
        vars(aiohttp.web_response)["SERVER_SOFTWARE"] = PRODUCT
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        address: Any = self._runner.addresses[0]
        return int(address[1])

    async def stop(self) -> None:
        """Listen no more, wait up to `shutdown_seconds` for requests under way, and close every connection."""
        await self._runner.cleanup()
