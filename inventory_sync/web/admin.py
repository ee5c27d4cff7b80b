"""The admin port: metrics, version, health and status, for operators and their tools."""

from __future__ import annotations

import asyncio

import asyncpg
import orjson
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from inventory_sync import __version__
from inventory_sync.engine.lane import House
from inventory_sync.engine.status import status_document
from inventory_sync.web import problems
from inventory_sync.web.access import Gate
from inventory_sync.web.bodies import OTHER_LIMIT
from inventory_sync.web.gauges import MetricsPage
from inventory_sync.web.problems import answer

DATABASE_WITHIN = 30.0
"""Seconds the database has for a status document."""


def admin_app(house: House, page: MetricsPage, *, token: str | None) -> web.Application:
    """The application of the admin port. Without a `token` it answers the machine itself only."""
    if token == "":
        raise ValueError("an empty token would let everybody in")
    gate = Gate(token, open_to_machine=frozenset({"/metrics"}), open_to_all=frozenset({"/healthz"}))
    app = web.Application(middlewares=[problems.problems, gate.middleware()], client_max_size=OTHER_LIMIT)
    app.on_response_prepare.append(problems.harden)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=await page.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def status(_request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(DATABASE_WITHIN):
                return _json(await status_document(house))
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return answer(problems.NOT_READY, reasons=["the database does not answer"])

    async def version(_request: web.Request) -> web.Response:
        return _json({"product": problems.PRODUCT, "version": __version__})

    app.router.add_get("/metrics", metrics)
    app.router.add_get("/version", version)
    app.router.add_get("/healthz", problems.healthz)
    app.router.add_get("/api/v1/status", status)
    return app


def _json(document: object) -> web.Response:
    return web.Response(body=orjson.dumps(document), content_type="application/json")
