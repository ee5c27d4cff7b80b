"""The table behind `@idempotent`: what each key was first used for, and what became of it.

Rules: https://shopify.dev/docs/api/usage/idempotent-requests. Whose keys they are is unpublished; here a key belongs
to one app at one shop.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from inventory_sync.sandbox.shopify.switches import RepeatAfterRefusal, ShopifySwitches


class KeyState(StrEnum):
    """What a key says about the request that carries it."""

    NEW = "new"  # carry it out
    REPLAY = "replay"  # answer what is on record
    MISMATCH = "mismatch"  # the key belongs to other variables
    IN_PROGRESS = "in_progress"  # the first use is not finished
    FAILED = "failed"  # the first use failed


@dataclass(slots=True)
class _Entry:
    fingerprint: bytes
    since: datetime
    result: Any = None
    failed: bool = False
    refused: bool = False


def fingerprint(operation: str, arguments: Mapping[str, Any]) -> bytes:
    """What tells two requests under one key apart: the mutation and all its arguments."""
    text = json.dumps([operation, arguments], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


class KeyTable:
    """Keys of one app at one shop."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, str, str], _Entry] = OrderedDict()

    def begin(
        self, key: tuple[str, str, str], print_: bytes, now: datetime, switches: ShopifySwitches
    ) -> tuple[KeyState, Any]:
        """Register a use of a key (shop, app, key); the second value is the result on record, for REPLAY."""
        self._forget(now - timedelta(seconds=switches.key_life))
        entry = self._entries.get(key)
        if entry is None or (entry.refused and switches.repeat_after_refusal is RepeatAfterRefusal.EXECUTE):
            self._entries[key] = _Entry(print_, entry.since if entry else now)
            return KeyState.NEW, None
        if entry.fingerprint != print_:
            return KeyState.MISMATCH, None
        if now < entry.since + timedelta(seconds=switches.mutation_seconds):
            return KeyState.IN_PROGRESS, None
        refused = entry.refused and switches.repeat_after_refusal is RepeatAfterRefusal.PREVIOUS_FAILED
        if entry.failed or refused:
            return KeyState.FAILED, None
        return KeyState.REPLAY, entry.result

    def finish(self, key: tuple[str, str, str], result: Any, refused: bool) -> None:
        """Keep the result of a first use; `refused` if it ended in user errors."""
        entry = self._entries[key]
        entry.result, entry.refused = result, refused

    def fail(self, key: tuple[str, str, str]) -> None:
        """The first use broke off inside the partner, carried out in no part."""
        self._entries[key].failed = True

    def _forget(self, horizon: datetime) -> None:
        while self._entries:
            entry = next(iter(self._entries.values()))
            if entry.since > horizon:
                return
            self._entries.popitem(last=False)
