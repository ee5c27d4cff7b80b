"""States of routes and connections, and words of the configuration file, as people read them in either language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory_sync.cli.setup_choices import Meanings
from inventory_sync.cli.texts import Words
from inventory_sync.engine.state_words import CONNECTIONS, ROUTES, STOPPED_BY, state_in_japanese

CHANGES: Mapping[str, str] = {
    "created": "作成",
    "changed": "変更",
    "unchanged": "変更なし",
    "removed": "取り除き",
}
"""What became of a connection or a route of the configuration file, in Japanese."""


def route_state(say: Words, route: Mapping[str, Any]) -> str:
    """The state of a route and who stopped it.

    >>> route_state(Words("ja"), {"state": "blocked", "stopped_by": "system"})
    '安全のため停止中 (自動で停止)'
    >>> route_state(Words("en"), {"state": "blocked", "stopped_by": "system"})
    'blocked (system)'
    """
    state, by = route["state"], route["stopped_by"]
    stopper = say.either(state_in_japanese(STOPPED_BY, by), by)
    return stage(say, state) + (f" ({stopper})" if by else "")


def stage(say: Words, code: str) -> str:
    """How far a route is."""
    return say.either(state_in_japanese(ROUTES, code), code)


def connection_state(say: Words, code: str) -> str:
    """The state of a connection."""
    return say.either(state_in_japanese(CONNECTIONS, code), code)


def change(say: Words, code: str) -> str:
    """What became of a connection or a route."""
    return say.either(state_in_japanese(CHANGES, code), code)


def either_state(say: Words, code: str) -> str:
    """The state of a connection or a route, whose codes differ, or that it is no more."""
    return say.either(state_in_japanese({**CONNECTIONS, **ROUTES, **CHANGES}, code), code)


def setting(say: Words, meanings: Meanings, word: str) -> str:
    """A word of the configuration file; in Japanese what it means, with the word that is written there.

    >>> from inventory_sync.cli.setup_choices import DIRECTION
    >>> setting(Words("ja"), DIRECTION, "two_way")
    '両方向 (two_way)'
    """
    if word not in meanings:
        return word
    japanese, _ = meanings[word]
    return say.either(f"{japanese.split(':')[0].split('。')[0]} ({word})", word)
