"""What a person asks for is tried again where a step of the service was in the way."""

from __future__ import annotations

import asyncpg
import pytest

from inventory_sync.engine.again import TRIES, again


async def test_a_transaction_that_postgresql_ended_is_tried_again() -> None:
    asked: list[str] = []

    @again
    async def stop(run: str) -> str:
        asked.append(run)
        if len(asked) < 3:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return "stopped"

    assert await stop("7") == "stopped"
    assert asked == ["7", "7", "7"]


async def test_it_gives_up_after_a_while_and_other_errors_are_raised_at_once() -> None:
    asked: list[type[Exception]] = []

    @again
    async def fail(error: type[Exception]) -> None:
        asked.append(error)
        raise error("no")

    with pytest.raises(asyncpg.SerializationError):
        await fail(asyncpg.SerializationError)
    with pytest.raises(ValueError, match="no"):
        await fail(ValueError)
    assert asked == [asyncpg.SerializationError] * TRIES + [ValueError]
