"""A real HTTP server that notices are sent to."""

from __future__ import annotations

import asyncio

from aiohttp import web

from inventory_sync.conformance import Mail


class Mailbox:
    """A real HTTP server that keeps what is sent to it and answers 200."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Mail] = asyncio.Queue()
        self._runner: web.AppRunner | None = None

    async def open(self) -> str:
        app = web.Application()
        app.router.add_route("*", "/hook{token:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/hook"

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = {
            ":method": request.method,
            ":token": request.match_info["token"].removeprefix("/"),
            ":query": request.rel_url.raw_query_string,
        }
        self.arrived.put_nowait(Mail(headers | told, await request.read()))
        return web.Response()
