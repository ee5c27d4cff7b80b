"""Errors as RFC 9457 problem documents, and the headers that every answer carries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from aiohttp import web

log = structlog.get_logger()

PRODUCT = "inventory-sync"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of error: its stable code, HTTP status, and what a person is told."""

    code: str
    status: int
    title: str


BAD_REQUEST = Problem("IS-WEB-001", 400, "The request cannot be understood.")
UNAUTHORIZED = Problem("IS-WEB-002", 401, "The proof of origin is missing or wrong.")
FORBIDDEN = Problem("IS-WEB-003", 403, "This address answers requests of the machine itself only.")
NOT_FOUND = Problem("IS-WEB-004", 404, "There is nothing at this address.")
METHOD_NOT_ALLOWED = Problem("IS-WEB-005", 405, "This address does not answer this method.")
TOO_SLOW = Problem("IS-WEB-006", 408, "The request took too long to arrive.")
TOO_LARGE = Problem("IS-WEB-007", 413, "The request is larger than this address takes.")
FAILED = Problem("IS-WEB-008", 500, "The request failed here; the log says why.")
OVERLOADED = Problem("IS-WEB-009", 503, "More comes in than can be kept at the moment. Come again.")
NOT_READY = Problem("IS-WEB-010", 503, "Not ready to work.")

_BY_STATUS = {problem.status: problem for problem in (NOT_FOUND, METHOD_NOT_ALLOWED, TOO_LARGE)}


def answer(problem: Problem, *, headers: Mapping[str, str] | None = None, **members: Any) -> web.Response:
    """A problem as a response (media type application/problem+json); `members` are added to the document."""
    document = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        **members,
    }
    return web.Response(
        status=problem.status,
        body=orjson.dumps(document),
        content_type="application/problem+json",
        headers=headers,
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error is a problem document. What failed is logged by route and class, never with anything it was sent."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _of_http(error)
    except Exception as error:
        resource = request.match_info.route.resource
        log.error(
            "web.failed",
            method=request.method,
            route="" if resource is None else resource.canonical,
            error=type(error).__name__,
        )
        return answer(FAILED)


def _of_http(error: web.HTTPException) -> web.Response:
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    known = _BY_STATUS.get(error.status)
    if known is not None:
        return answer(known, headers=headers)
    return answer(Problem(BAD_REQUEST.code, error.status, HTTPStatus(error.status).phrase), headers=headers)


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Headers of every answer (signal `on_response_prepare`): no version, no caching, no guessing."""
    response.headers["Server"] = PRODUCT
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")


async def healthz(_request: web.Request) -> web.Response:
    """Whether the event loop turns; says nothing about the database, so that its outage restarts nobody."""
    return web.Response(text="ok\n")
