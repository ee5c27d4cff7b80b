"""What every answer of Shopify means for us: the one place that decides.

HTTP codes: shopify.dev/docs/api/usage/response-codes. GraphQL codes and user-error codes: the schema's own enums, and
observed answers. Idempotency: shopify.dev/docs/api/usage/idempotent-requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import orjson

from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, RetryLater
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.shopify.documents import Document
from inventory_sync.systems.shopify.points import Throttle
from inventory_sync.systems.shopify.problems import PROBLEMS, say

RETRY_CONNECT = 5.0
RETRY_AFTER_UNSAID = 2.0
RETRY_AFTER_AT_MOST = 3_600.0
RETRY_SECURITY = 300.0
RETRY_UNKNOWN = 10.0
RETRY_FROZEN = 3_600.0
RETRY_LOCKED = 6 * 3_600.0

# Top-level codes that say our request is wrong. Syntax errors carry no code and no data.
_MALFORMED = frozenset(
    {
        "undefinedField",
        "undefinedType",
        "undefinedDirective",
        "argumentLiteralsIncompatible",
        "argumentNotAccepted",
        "missingRequiredArguments",
        "missingRequiredInputObjectAttribute",
        "variableMismatch",
        "variableRequiresValidType",
        "selectionMismatch",
        "parseError",
        "BAD_REQUEST",
        "INVALID_VARIABLE",
        "INVALID_FIELD_ARGUMENTS",
    }
)
_TOO_LARGE = frozenset({"MAX_COST_EXCEEDED", "MAX_INPUT_SIZE_EXCEEDED"})
_UNKNOWN_OUTCOME = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer: `data` of the GraphQL reply, and the version that served it."""

    data: Mapping[str, Any]
    served_version: str | None
    deprecated: str | None


class UnexpectedAnswer(Exception):
    """An answer that is JSON and has not the shape its document promises."""


def decode(response: HttpResponse) -> Mapping[str, Any] | None:
    """The JSON object in an answer's body, or None where there is none."""
    try:
        payload = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    return payload if isinstance(payload, dict) else None


def read_throttle(payload: Mapping[str, Any] | None) -> Throttle | None:
    """The bucket as an answer reports it, or None where it does not."""
    try:
        cost = (payload or {})["extensions"]["cost"]
        status = cost["throttleStatus"]
        requested = cost.get("requestedQueryCost")
        return Throttle(
            float(status["maximumAvailable"]),
            float(status["currentlyAvailable"]),
            float(status["restoreRate"]),
            None if requested is None else float(requested),
        )
    except (KeyError, TypeError, ValueError):
        return None


def retry_after(response: HttpResponse, now: datetime) -> float:
    """Seconds that `Retry-After` asks for, as a number or a date; a default where it is missing or unreadable."""
    text = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return RETRY_AFTER_UNSAID
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.5), RETRY_AFTER_AT_MOST)


def broken(code: str, kind: BrokenKind, detail: str = "", *, after: float | None = None) -> Broken:
    """A Broken with the table's sentence and remedy."""
    return Broken(say(code, detail), kind=kind, remedy=PROBLEMS[code].remedy_en, retry_after=after, code=code)


def bug(code: str, detail: str = "") -> Bug:
    return Bug(say(code, detail), code=code)


def unknown_outcome(document: Document, code: str, detail: str, *, after: float = RETRY_UNKNOWN) -> Doubt | RetryLater:
    """The request went out and nobody can say what came of it: doubt about a write, another try for a read."""
    if document.writes:
        return Doubt(say(code, detail), code=code)
    return RetryLater(say(code, detail), after=after, executed=None, code=code)


def undelivered(document: Document, error: NotSent | NoAnswer) -> Doubt | RetryLater:
    """What a request means that got no answer."""
    if isinstance(error, NotSent):
        return RetryLater(say("IS-SHP-001", str(error)), after=RETRY_CONNECT, executed=False, code="IS-SHP-001")
    return unknown_outcome(document, "IS-SHP-002", str(error), after=RETRY_CONNECT)


def classify(document: Document, response: HttpResponse, payload: Mapping[str, Any] | None, now: datetime) -> Answer:
    """The data of a good answer. Raises RetryLater, Doubt (writes only), Broken or Bug for every other."""
    if not 200 <= response.status < 300:
        _refuse_status(document, response, now)
    if payload is None:
        raise unknown_outcome(document, "IS-SHP-004", f"HTTP {response.status} without JSON")
    errors = payload.get("errors")
    if errors:
        _refuse_errors(document, errors, payload)
    _refuse_ignored_filters(payload)
    data = payload.get("data")
    if not isinstance(data, dict):
        raise unknown_outcome(document, "IS-SHP-004", "no data")
    return Answer(
        data,
        response.headers.get("x-shopify-api-version"),
        response.headers.get("x-shopify-api-deprecated-reason"),
    )


def _refuse_status(document: Document, response: HttpResponse, now: datetime) -> NoReturn:
    status = response.status
    detail = f"HTTP {status}" + _request_id(response)
    # Refused at the door; still, a write is repeated with the same bytes, which is safe whatever happened behind it.
    executed = None if document.writes else False
    if status == 401:
        raise broken("IS-SHP-010", BrokenKind.CREDENTIAL, detail)
    if status == 402:
        raise broken("IS-SHP-016", BrokenKind.FROZEN, detail, after=RETRY_FROZEN)
    if status == 403:
        raise broken("IS-SHP-015", BrokenKind.SCOPE, detail)
    if status == 404:
        raise broken("IS-SHP-019", BrokenKind.GONE, detail)
    if status == 423:
        raise broken("IS-SHP-017", BrokenKind.LOCKED, detail, after=RETRY_LOCKED)
    if status == 429:
        raise RetryLater(
            say("IS-SHP-006", detail), after=retry_after(response, now), executed=executed, code="IS-SHP-006"
        )
    if status == 430:
        raise RetryLater(say("IS-SHP-007", detail), after=RETRY_SECURITY, executed=executed, code="IS-SHP-007")
    if 300 <= status < 400:
        raise broken("IS-SHP-021", BrokenKind.GONE, detail)
    if 400 <= status < 500:
        raise bug("IS-SHP-030", detail)
    if status >= 500:
        raise unknown_outcome(document, "IS-SHP-003", detail, after=retry_after(response, now))
    raise unknown_outcome(document, "IS-SHP-004", detail)


def _refuse_errors(document: Document, errors: object, payload: Mapping[str, Any]) -> NoReturn:
    if not isinstance(errors, list) or not all(isinstance(each, dict) for each in errors):
        raise unknown_outcome(document, "IS-SHP-004", "errors in an unknown form")
    by_code: dict[str, Mapping[str, Any]] = {}  # "" for an error without a code
    for each in errors:
        by_code.setdefault(_code(each), each)
    if "THROTTLED" in by_code:
        raise RetryLater(
            say("IS-SHP-006"),
            after=_throttled_for(read_throttle(payload)),
            executed=None if document.writes else False,
            code="IS-SHP-006",
        )
    for inner in sorted(_UNKNOWN_OUTCOME & by_code.keys()):
        request_id = _extensions(by_code[inner]).get("requestId")
        raise unknown_outcome(document, "IS-SHP-003", f"{inner}, request {request_id}" if request_id else inner)
    if "ACCESS_DENIED" in by_code:
        _refuse_access(by_code["ACCESS_DENIED"])
    if "SHOP_INACTIVE" in by_code:
        raise broken("IS-SHP-018", BrokenKind.FROZEN, after=RETRY_FROZEN)
    for code, each in by_code.items():
        if code in _TOO_LARGE:
            raise bug("IS-SHP-031", _short(each))
        if code in _MALFORMED or (not code and payload.get("data") is None):
            raise bug("IS-SHP-030", f"{code or 'syntax'}: {_short(each)}")
    code, first = next(iter(by_code.items()))
    raise unknown_outcome(document, "IS-SHP-004", f"{code or 'error without a code'}: {_short(first)}")


def _refuse_access(error: Mapping[str, Any]) -> NoReturn:
    needed = _extensions(error).get("requiredAccess") or error.get("requiredAccess") or _short(error)
    raise broken("IS-SHP-014", BrokenKind.SCOPE, str(needed)[:300])


def _refuse_ignored_filters(payload: Mapping[str, Any]) -> None:
    """A filter that Shopify does not know is ignored, and said so only in a warning: the list is then unfiltered."""
    extensions = payload.get("extensions")
    searches = extensions.get("search") if isinstance(extensions, dict) else None
    for search in searches if isinstance(searches, list) else ():
        warnings = search.get("warnings") if isinstance(search, dict) else None
        if warnings:
            raise bug("IS-SHP-032", f"{search.get('query')}: {_warning(warnings)}")


def _warning(warnings: object) -> str:
    first = warnings[0] if isinstance(warnings, list) and warnings else warnings
    return str(first.get("message") if isinstance(first, dict) else first)[:300]


def _throttled_for(throttle: Throttle | None) -> float:
    """Seconds until the bucket holds the request, at least the one second that Shopify recommends."""
    if throttle is None or throttle.requested is None or throttle.restore_rate <= 0:
        return RETRY_AFTER_UNSAID
    return max(1.0, (throttle.requested - throttle.available) / throttle.restore_rate)


def _extensions(error: Mapping[str, Any]) -> Mapping[str, Any]:
    found = error.get("extensions")
    return found if isinstance(found, dict) else {}


def _code(error: Mapping[str, Any]) -> str:
    code = _extensions(error).get("code")
    return code if isinstance(code, str) else ""


def _short(error: Mapping[str, Any]) -> str:
    return str(error.get("message", ""))[:300]


def _request_id(response: HttpResponse) -> str:
    found = response.headers.get("x-request-id")
    return f", request {found}" if found else ""


def user_messages(errors: Sequence[Mapping[str, Any]]) -> str:
    """Shopify's own words in a list of user errors, shortened."""
    return "; ".join(_short(each) for each in errors[:3])
