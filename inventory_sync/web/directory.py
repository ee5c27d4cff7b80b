"""What the web needs to know of the rest: where a notice belongs, and who is told what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from inventory_sync.systems.port import CallbackParser, NoticeParser, SettingsModel, SystemDefinition


@dataclass(frozen=True, slots=True)
class Door:
    """Where the notices of one connection come in. `empty_response`: the partner wants a 200 without a body.
    `callbacks`: it also calls back about batches that it had accepted."""

    connection_id: int
    name: str
    parser: NoticeParser
    empty_response: bool
    callbacks: CallbackParser | None = None


def callback_address(
    public_url: str | None, definition: SystemDefinition, name: str, settings: SettingsModel
) -> str | None:
    """Where callbacks of a connection's accepted batches reach us; who knows it can wake us. None: nowhere."""
    secret = getattr(settings, definition.callback_field) if definition.callback_field else None
    if public_url is None or secret is None:
        return None
    return f"{public_url.rstrip('/')}/callbacks/{definition.name}/{name}/{secret.get_secret_value()}"


class NoticeDirectory(Protocol):
    """Finds the door of a notice. Answers from memory: it is asked before the sender has proved anything."""

    def find(self, system: str, name: str) -> Door | None:
        """The door of the connection `name`, if it is one of that system."""
        ...

    def find_by_contract(self, system: str, headers: Mapping[str, str]) -> Door | None:
        """The door of the connection that the (lower-case) headers name by the partner's own id of the account."""
        ...


@dataclass(frozen=True, slots=True)
class NoticeEvent:
    """What became of one delivery. `connection` is empty where none was found, `topic` where nothing was proved.

    `result` is one of kept, unauthorized, malformed, too_large, slow, overloaded, not_kept. `delay_seconds`: from the
    partner's own time of sending until it came in.
    """

    connection: str
    topic: str
    result: str
    delay_seconds: float | None = None


class NoticeListener(Protocol):
    """Hears of every delivery after its outcome is certain."""

    def __call__(self, event: NoticeEvent, /) -> None: ...


def ignore(_event: NoticeEvent) -> None:
    """A listener that does nothing."""
