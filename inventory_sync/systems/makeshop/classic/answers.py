"""What the classic API's answers mean for us, decided here only: by status, by what stands in place of an answer."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, RetryLater
from inventory_sync.systems.http import HttpResponse
from inventory_sync.systems.makeshop.classic import problems, xml
from inventory_sync.systems.problem import Problem

# Seconds to wait where the partner names no time.
NETWORK_PAUSE, SERVER_PAUSE, ACCESS_PAUSE, GARBLED_PAUSE, MAX_PAUSE = 2.0, 15.0, 1.0, 15.0, 600.0
# Access is blocked for an abusive rate (apidoc.makeshop.jp/about); how long is not said.
BLOCKED_PAUSE = 3600.0


def refusal(what: str, response: HttpResponse, refused: Problem, *, write: bool = False) -> PartnerError:
    """What a status other than 200, or a page in place of an answer, means. `refused`: the problem of a credential
    that this call proves.

    The statuses of refusals are not documented. A refusal that comes as a page means that we are blocked.
    """
    status = response.status
    particulars = f"{what}: HTTP {status}"
    if status in (401, 403):
        return blocked(particulars) if is_page(response) else broken(refused, BrokenKind.CREDENTIAL, particulars)
    if status in (404, 410) or 300 <= status < 400:
        return broken(problems.API_GONE, BrokenKind.GONE, particulars)
    if status == 429:
        return later(problems.UNAVAILABLE, particulars, pause_of(response))
    if status in (200, 408) or status >= 500:
        if write:
            return Doubt(problems.OUTCOME_UNKNOWN.text(particulars), code=problems.OUTCOME_UNKNOWN.code)
        return later(problems.UNAVAILABLE, particulars, pause_of(response))
    return Bug(problems.CALL_REFUSED.text(particulars), code=problems.CALL_REFUSED.code)


def order_list(what: str, response: HttpResponse) -> Element:
    """The root of an order answer. Raises what any other answer means."""
    if response.status != 200:
        raise refusal(what, response, problems.ORDER_CODE_REFUSED)
    if is_page(response):
        raise later(problems.UNAVAILABLE, f"{what} answered with a page", SERVER_PAUSE)
    try:
        root = xml.parse(response.body, response.headers.get("content-type", ""))
    except xml.NotXml as error:
        raise later(problems.UNKNOWN_SHAPE, f"{what}: {error}", GARBLED_PAUSE) from error
    if root.tag == "orders":
        return root
    # Anything else that is well-formed is a refusal in words: `response` with code and message, or the like.
    said = " ".join(text.strip() for text in (root.findtext("code"), root.findtext("message"), root.text) if text)
    raise broken(problems.ORDER_CODE_REFUSED, BrokenKind.CREDENTIAL, f"{what} answered {root.tag} {said[:80]}".strip())


def is_page(response: HttpResponse) -> bool:
    """Whether a web page stands in place of an answer."""
    start = response.body[:200].lstrip().lower()
    return "html" in response.headers.get("content-type", "") or start.startswith((b"<!doctype html", b"<html"))


def pause_of(response: HttpResponse) -> float:
    """Seconds a Retry-After asks for, at least 1 and at most 600; the usual pause where there is none."""
    text = response.headers.get("retry-after", "").strip()
    return min(max(float(text), 1.0), MAX_PAUSE) if text.isascii() and text.isdigit() else SERVER_PAUSE


def blocked(particulars: str) -> Broken:
    """Access is blocked for a while: nothing to mend in the settings, and hammering makes it worse."""
    problem = problems.BLOCKED
    return Broken(
        problem.text(particulars),
        kind=BrokenKind.LOCKED,
        remedy=problem.remedy_en,
        retry_after=BLOCKED_PAUSE,
        code=problem.code,
    )


def broken(problem: Problem, kind: BrokenKind, particulars: str = "") -> Broken:
    """Broken for a problem."""
    return Broken(problem.text(particulars), kind=kind, remedy=problem.remedy_en, code=problem.code)


def later(problem: Problem, particulars: str, after: float, *, executed: bool | None = False) -> RetryLater:
    """RetryLater for a problem; `after` in seconds."""
    return RetryLater(problem.text(particulars), after=after, executed=executed, code=problem.code)


def unknown_shape(particulars: str) -> Bug:
    """An answer whose form is not known."""
    return Bug(problems.UNKNOWN_SHAPE.text(particulars), code=problems.UNKNOWN_SHAPE.code)
