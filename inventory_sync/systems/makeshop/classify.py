"""What every answer of MakeShop means for us: the one place that decides.

Observed: HTTP 422 for a document that does not fit the schema, the code FORBIDDEN for an operation that is not
approved, 404 with a web page at a wrong address. What a bad token looks like is not documented, so 401, 403 and the
usual codes all mean it. Which errors come before anything is carried out: spec.graphql.org/October2021, 7.1.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, RetryLater
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.makeshop import problems
from inventory_sync.systems.makeshop.documents import SHOP, Document
from inventory_sync.systems.problem import Problem

# Seconds to wait where the partner names no time, and the most of its time we believe.
NETWORK_PAUSE, SERVER_PAUSE, GARBLED_PAUSE, THROTTLE_PAUSE, MAX_PAUSE = 3.0, 10.0, 15.0, 10.0, 3_600.0

_FORBIDDEN = frozenset({"FORBIDDEN"})
_CREDENTIAL = frozenset({"UNAUTHENTICATED", "UNAUTHORIZED"})
_THROTTLED = frozenset({"THROTTLED", "TOO_MANY_REQUESTS", "RATE_LIMITED", "RATE_LIMIT_EXCEEDED"})
_MALFORMED = frozenset({"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT", "BAD_REQUEST"})
_SECRET = re.compile(r"PAT\.[0-9A-Za-z]+|\b[0-9A-Fa-f]{32,}\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer. `refused`: the part of a write in two parts that was not approved, while the other was done."""

    data: Mapping[str, Any]
    refused: frozenset[str] = field(default=frozenset())


def classify(document: Document, response: HttpResponse, now: datetime) -> Answer:
    """The data of a good answer. Raises RetryLater, Doubt (writes only), Broken or Bug for every other."""
    payload = _decode(response)
    errors = _errors(payload)
    data = payload.get("data") if payload is not None else None
    codes = frozenset().union(*map(_codes, errors))
    if response.status == 429 or codes & _THROTTLED:
        executed = False if response.status == 429 or not document.writes else None
        raise later(
            problems.THROTTLED,
            _said(document, response, errors),
            _retry_after(response, now, THROTTLE_PAUSE),
            executed=executed,
        )
    if codes & _FORBIDDEN and response.status != 401:
        return _forbidden(document, errors, data)
    if response.status in (401, 403) or codes & _CREDENTIAL:
        raise broken(problems.CREDENTIAL_REFUSED, BrokenKind.CREDENTIAL, _said(document, response, errors))
    if not 200 <= response.status < 300:
        raise _status(document, response, errors, now)
    if errors:
        raise _failed(document, response, errors, codes, data)
    if not isinstance(data, dict):
        raise unknown(document, problems.UNREADABLE_ANSWER, f"{document.operations}: no data", GARBLED_PAUSE)
    return Answer(data)


def undelivered(document: Document, error: NotSent | NoAnswer) -> PartnerError:
    """What a request means that got no answer."""
    particulars = f"{document.operations}: {clean(str(error))}"
    if isinstance(error, NotSent):
        return later(problems.UNREACHABLE, particulars, NETWORK_PAUSE)
    return unknown(document, problems.UNREACHABLE, particulars, NETWORK_PAUSE)


def unexpected(document: Document, error: Exception) -> PartnerError:
    """What an answer of an unknown form means: a write may have been carried out, a read is ours to mend."""
    particulars = f"{document.operations}: {clean(str(error))}"
    if document.writes:
        return Doubt(problems.OUTCOME_UNKNOWN.text(particulars), code=problems.OUTCOME_UNKNOWN.code)
    return Bug(problems.UNKNOWN_SHAPE.text(particulars), code=problems.UNKNOWN_SHAPE.code)


def unknown(document: Document, problem: Problem, particulars: str, after: float) -> Doubt | RetryLater:
    """The request went out and nobody can say what came of it: doubt about a write, another try for a read."""
    if document.writes:
        return Doubt(problems.OUTCOME_UNKNOWN.text(particulars), code=problems.OUTCOME_UNKNOWN.code)
    return later(problem, particulars, after, executed=None)


def later(problem: Problem, particulars: str, after: float, *, executed: bool | None = False) -> RetryLater:
    """RetryLater for a problem; `after` in seconds."""
    return RetryLater(problem.text(particulars), after=after, executed=executed, code=problem.code)


def broken(problem: Problem, kind: BrokenKind, particulars: str = "") -> Broken:
    """Broken with the problem's sentence and remedy."""
    return Broken(problem.text(particulars), kind=kind, remedy=problem.remedy_en, code=problem.code)


def clean(text: str) -> str:
    """Somebody else's words, short, and without anything that looks like a token or a key.

    >>> clean("bad PAT.0123456789abcdef given")
    'bad … given'
    """
    return _SECRET.sub("…", text)[:300]


def _decode(response: HttpResponse) -> Mapping[str, Any] | None:
    try:
        payload = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    return payload if isinstance(payload, dict) else None


def _errors(payload: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    """The errors of an answer; one of an unknown form counts as an error without a code."""
    found = (payload or {}).get("errors")
    if not found:
        return ()
    if not isinstance(found, list):
        return ({"message": str(found)},)
    return [each if isinstance(each, dict) else {"message": str(each)} for each in found]


def _codes(error: Mapping[str, Any]) -> frozenset[str]:
    """The codes an error carries: in its extensions, beside its message, or as the message itself."""
    extensions = error.get("extensions")
    named = [extensions.get("code") if isinstance(extensions, dict) else None, error.get("code"), error.get("message")]
    return frozenset(each.strip().upper() for each in named if isinstance(each, str) and each.strip())


def _root(error: Mapping[str, Any]) -> str | None:
    path = error.get("path")
    return path[0] if isinstance(path, list) and path and isinstance(path[0], str) else None


def _forbidden(document: Document, errors: Sequence[Mapping[str, Any]], data: Any) -> Answer:
    """An operation that is not approved: the connection lacks a right. In a write of two parts the other counts."""
    named = {_root(each) for each in errors if _codes(each) & _FORBIDDEN}
    roots = {root for root, _ in document.roots}
    refused = roots if None in named or not named & roots else named & roots
    rest = roots - refused
    if document.writes and rest:
        if isinstance(data, dict) and all(isinstance(data.get(root), dict) for root in rest):
            return Answer(data, frozenset(each for each in refused if each is not None))
        raise unknown(document, problems.NOT_APPROVED, ", ".join(sorted(map(str, refused))), GARBLED_PAUSE)
    operations = ", ".join(sorted({document.operation(str(root)) for root in refused}))
    # Nobody has recorded what a bad token looks like: it may look like this, and then not even the shop is told.
    perhaps = " (or the access token or API key is no longer good)" if document is SHOP else ""
    raise broken(problems.NOT_APPROVED, BrokenKind.SCOPE, operations + perhaps)


def _status(
    document: Document, response: HttpResponse, errors: Sequence[Mapping[str, Any]], now: datetime
) -> PartnerError:
    status = response.status
    said = _said(document, response, errors)
    if status == 408 or status >= 500:
        return unknown(document, problems.UNAVAILABLE, said, _retry_after(response, now, SERVER_PAUSE))
    if status == 404 or 300 <= status < 400:
        return broken(problems.WRONG_ENDPOINT, BrokenKind.GONE, said)
    if 400 <= status < 500:
        return Bug(problems.REFUSED_CALL.text(said), code=problems.REFUSED_CALL.code)
    return unknown(document, problems.UNREADABLE_ANSWER, said, GARBLED_PAUSE)


def _failed(
    document: Document,
    response: HttpResponse,
    errors: Sequence[Mapping[str, Any]],
    codes: frozenset[str],
    data: Any,
) -> PartnerError:
    """Errors in an answer of success: ours where the document was refused before anything was carried out."""
    said = _said(document, response, errors)
    if codes & _MALFORMED and not (isinstance(data, dict) and any(data.values())):
        return Bug(problems.REFUSED_CALL.text(said), code=problems.REFUSED_CALL.code)
    return unknown(document, problems.UNAVAILABLE, said, GARBLED_PAUSE)


def _said(document: Document, response: HttpResponse, errors: Sequence[Mapping[str, Any]]) -> str:
    """Which operation, which status, and the partner's own words where it gave any."""
    messages = "; ".join(str(each.get("message", "")) for each in errors[:3])
    return clean(f"{document.operations}: HTTP {response.status}{f' ({messages})' if messages else ''}")


def _retry_after(response: HttpResponse, now: datetime, default: float) -> float:
    """Seconds that `Retry-After` asks for, as a number or a date (RFC 9110 §10.2.3); the default where it does not."""
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return default
    try:
        if text.isascii() and text.isdigit():
            seconds = float(text)
        else:
            at = parsedate_to_datetime(text)
            seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError):
        return default
    return min(max(seconds, 1.0), MAX_PAUSE)
