"""What a person asks for is tried again where a step of the service was in the way, instead of failing."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import asyncpg
import structlog

log = structlog.get_logger()

TRIES = 8

IN_THE_WAY = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
"""PostgreSQL ends one of two transactions that wait for each other; that one has changed nothing."""

P = ParamSpec("P")
R = TypeVar("R")


def again(work: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Try a function again whose only work is one transaction. The last conflict is raised as it is."""

    @functools.wraps(work)
    async def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TRIES):
            try:
                return await work(*args, **kwargs)
            except IN_THE_WAY as error:
                log.debug("again", work=work.__name__, attempt=attempt, error=type(error).__name__)
        return await work(*args, **kwargs)

    return tried
