"""What parsers of notices share: a body that is a JSON object, and refusals that name a problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from inventory_sync.systems.errors import MalformedNotice, UnauthorizedNotice
from inventory_sync.systems.problem import Problem


def json_object(body: bytes, unreadable: Problem) -> Mapping[str, Any]:
    """The JSON object of a body. Raises MalformedNotice with the problem `unreadable` where it is none."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(unreadable, "not JSON") from error
    if not isinstance(content, dict):
        raise malformed(unreadable, "not an object")
    return content


def malformed(problem: Problem, particulars: str) -> MalformedNotice:
    """A notice that cannot be read, and why."""
    return MalformedNotice(problem.text(particulars), code=problem.code)


def unauthorized(problem: Problem) -> UnauthorizedNotice:
    """A notice that does not prove where it comes from."""
    return UnauthorizedNotice(problem.en, code=problem.code)
