"""One log event per rejected notice, and never a flood of them: who can reach the port could fill the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger()

EVERY = 10.0
"""Seconds between two events of the same connection and reason; the next one says how many were left out."""


@dataclass(slots=True)
class _Said:
    at: float
    left_out: int = 0


class RejectionLog:
    """Logs `notice.rejected` with connection and reason only. Unknown connections count as one, without a name."""

    def __init__(self, *, every: float = EVERY, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._said: dict[tuple[str, str], _Said] = {}

    def reject(self, connection: str, reason: str) -> None:
        """Note a rejected notice. `connection` is one of ours or empty, never what a sender called it."""
        now = self._clock()
        said = self._said.get((connection, reason))
        if said is not None and now - said.at < self._every:
            said.left_out += 1
            return
        left_out = 0 if said is None else said.left_out
        self._said[connection, reason] = _Said(now)
        more = {"left_out": left_out} if left_out else {}
        log.warning("notice.rejected", connection=connection or "unknown", reason=reason, **more)
