"""Time, ids and chance, passed in so that every step can be repeated from a seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Ambient:
    """What a step may know of the outside: the clock (aware, UTC), fresh ids (32 hex digits) and chance."""

    now: Callable[[], datetime] = _utc_now
    new_id: Callable[[], str] = _new_id
    chance: random.Random = random.Random()  # noqa: RUF009 - one process-wide generator; the simulation passes its own
