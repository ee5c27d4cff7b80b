"""`/ledger/v1` without a socket: which call asks what, and what each refusal means.

The paths are those of the ledger that comes with this product; its guide describes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from inventory_sync.model.ids import OpId
from inventory_sync.systems.builtin import problems
from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.port import CellRef, NotApplied, OpOutcome, PlannedOp, PreparedRequest, Rejected, Split
from inventory_sync.systems.problem import Problem

API_VERSION = "1"
ROOT = "/ledger/v1"
PAGE = 500  # the largest page and the most lines of a request
MAX_DELTA = 999_999_999
MAX_SKU = 200  # characters

# Seconds to wait where no time is named, and the most of a named one we believe.
SERVER_PAUSE, GARBLED_PAUSE, NETWORK_PAUSE, MAX_PAUSE = 2.0, 10.0, 1.0, 600.0

_MARK = re.compile(r"is:([0-9a-z]{1,16}):([!-~]{1,64})")


@dataclass(frozen=True, slots=True)
class Call:
    """One API call. `path` is below the address of the installation; `key`: its idempotency key, of a write."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    key: str | None = None

    @property
    def write(self) -> bool:
        """Whether it may change something."""
        return self.key is not None

    def request(self, root: str, api_key: str | None, timeout: float) -> HttpRequest:
        """The HTTP request at an address; `timeout` in seconds."""
        headers = {"Accept": "application/json"}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        if self.body:
            headers["Content-Type"] = "application/json"
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        query = f"?{urlencode(self.query, quote_via=quote)}" if self.query else ""
        return HttpRequest(self.method, f"{root}{self.path}{query}", headers, self.body, timeout)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def is_sku(key: str) -> bool:
    """Whether a text can be a SKU of the ledger: 1 to 200 characters, no control characters."""
    return 0 < len(key) <= MAX_SKU and all(ord(char) >= 32 and ord(char) != 127 for char in key)


def book() -> Call:
    """Which ledger this is."""
    return Call("GET", f"{ROOT}/book")


def locations() -> Call:
    """Every location."""
    return Call("GET", f"{ROOT}/locations")


def items(after: str | None) -> Call:
    """One page of the items, by SKU."""
    start = () if after is None else (("after", after),)
    return Call("GET", f"{ROOT}/items", (*start, ("limit", str(PAGE))))


def items_of(skus: Sequence[str]) -> Call:
    """These items, as far as they exist."""
    return Call("GET", f"{ROOT}/items", tuple(("sku", sku) for sku in skus))


def cells(refs: Sequence[CellRef], label: str) -> Call:
    """These cells by key."""
    body = {"label": label, "cells": [{"sku": ref.item, "location": ref.location} for ref in refs]}
    return Call("POST", f"{ROOT}/levels/query", body=orjson.dumps(body))


def levels(label: str, after: int, since: datetime | None = None) -> Call:
    """One page of levels by the sequence of their last change, all or those changed since a time."""
    window = () if since is None else (("since", since.astimezone(UTC).isoformat()),)
    return Call("GET", f"{ROOT}/levels", (("label", label), ("after", str(after)), *window, ("limit", str(PAGE))))


def entries(cell: CellRef, label: str, since: datetime, after: int) -> Call:
    """One page of the entries of a cell booked since a time."""
    query = (("sku", str(cell.item)), ("location", str(cell.location)), ("label", label))
    window = (("since", since.astimezone(UTC).isoformat()), ("after", str(after)), ("limit", str(PAGE)))
    return Call("GET", f"{ROOT}/entries", (*query, *window))


def prepare(ops: Sequence[PlannedOp], key: str, *, installation: str, label: str) -> PreparedRequest:
    """The exact request that adds every op's `delta` to its cell, all or none. Raises Bug for what cannot be said."""
    if not 0 < len(ops) <= PAGE:
        raise bug(problems.CHANGE_IMPOSSIBLE, f"{len(ops)} changes in one request")
    for op in ops:
        if op.delta == 0 or abs(op.delta) > MAX_DELTA:
            raise bug(problems.CHANGE_IMPOSSIBLE, f"a change of {op.delta} at {op.cell.item}, {op.cell.location}")
    lines = [
        {
            "sku": op.cell.item,
            "location": op.cell.location,
            "label": label,
            "delta": op.delta,
            "kind": "channel",
            "reference": mark(installation, op.op),
        }
        for op in ops
    ]
    return PreparedRequest("POST", f"{ROOT}/adjustments", orjson.dumps({"adjustments": lines}), key, API_VERSION)


def mark(installation: str, op: OpId) -> str:
    """The reference that our entries carry. Raises Bug where it could not be read back."""
    text = f"is:{installation}:{op}"
    if _MARK.fullmatch(text) is None:
        raise bug(problems.CHANGE_IMPOSSIBLE, "an op id or installation name that no reference can carry")
    return text


def read_mark(reference: str) -> tuple[str, OpId] | None:
    """Installation and op of one of our references; None for anybody else's.

    >>> read_mark("is:shop1:0123abcd"), read_mark("order 1001")
    (('shop1', '0123abcd'), None)
    """
    found = _MARK.fullmatch(reference)
    return None if found is None else (found[1], OpId(found[2]))


def prepared_call(prepared: PreparedRequest) -> Call:
    """The call that a stored request makes, to the byte."""
    return Call(prepared.method, prepared.path, body=prepared.body, key=prepared.key)


def refused_lines(
    response: HttpResponse, prepared: PreparedRequest, ops: Sequence[PlannedOp]
) -> Mapping[OpId, OpOutcome] | Split:
    """What a 422 or a 413 on a change means: the lines it names are rejected, their neighbours were not carried out."""
    if response.status == 413 and len(ops) > 1:
        return Split(problems.CHANGE_REFUSED.text(_words(response)), problems.CHANGE_REFUSED.code)
    faults = {fault["line"]: fault for fault in _faults(response)}
    outcomes: dict[OpId, OpOutcome] = {}
    for number, op in enumerate(ops_in_order(prepared, ops)):
        if number in faults:
            said = problems.CHANGE_REFUSED.text(str(faults[number].get("detail", ""))[:300])
            outcomes[op.op] = Rejected(said, problems.CHANGE_REFUSED.code)
        else:
            outcomes[op.op] = NotApplied(problems.NEIGHBOUR_REFUSED.en, problems.NEIGHBOUR_REFUSED.code)
    if not any(isinstance(outcome, Rejected) for outcome in outcomes.values()):
        if len(ops) > 1:
            return Split(problems.CHANGE_REFUSED.text(_words(response)), problems.CHANGE_REFUSED.code)
        return {
            op.op: Rejected(problems.CHANGE_REFUSED.text(_words(response)), problems.CHANGE_REFUSED.code) for op in ops
        }
    return outcomes


def ops_in_order(prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> list[PlannedOp]:
    """Ops in the order of the lines of a stored request. Raises Bug where they are not those it was made of."""
    by_id = {op.op: op for op in ops}
    marks = [read_mark(str(line["reference"])) for line in orjson.loads(prepared.body)["adjustments"]]
    found = [by_id.get(each[1]) if each is not None else None for each in marks]
    ordered = [op for op in found if op is not None]
    if len(ordered) != len(found) or len(found) != len(ops):
        raise bug(problems.CHANGE_IMPOSSIBLE, "a stored request that belongs to other changes")
    return ordered


def refusal(call: Call, response: HttpResponse) -> PartnerError:
    """The error that an answer other than 200 means, decided here only."""
    status = response.status
    particulars = f"{call}: HTTP {status}{detail(response)}"
    if status == 401:
        return broken(problems.KEY_REFUSED, BrokenKind.CREDENTIAL, particulars)
    if status == 403:
        return broken(problems.SCOPE_MISSING, BrokenKind.SCOPE, particulars)
    if status == 429 or (status == 503 and not call.write):
        return later(problems.UNAVAILABLE, particulars, retry_after(response))
    if status == 408 or status >= 500 or (call.write and status < 300):
        if call.write:
            return Doubt(problems.OUTCOME_UNKNOWN.text(particulars), code=problems.OUTCOME_UNKNOWN.code)
        return later(problems.UNAVAILABLE, particulars, retry_after(response), executed=None)
    if status == 404 or 300 <= status < 400:
        return broken(problems.NOT_A_LEDGER, BrokenKind.GONE, particulars)
    return bug(problems.REFUSED_CALL, particulars)


def retry_after(response: HttpResponse) -> float:
    """Seconds the ledger asks us to stay away, at least 1 and at most 600."""
    text = response.headers.get("retry-after", "").strip()
    return min(max(float(text), 1.0), MAX_PAUSE) if text.isascii() and text.isdigit() else SERVER_PAUSE


def detail(response: HttpResponse) -> str:
    """The ledger's own words from a problem document, for a message, in brackets behind it; else empty."""
    said = _words(response)
    return f" ({said})" if said else ""


def _words(response: HttpResponse) -> str:
    """The ledger's own words from a problem document: its code and detail, cut at 300 characters."""
    document = _document(response)
    said = [str(document[name]) for name in ("code", "detail") if isinstance(document.get(name), str)]
    return ": ".join(said)[:300]


def later(problem: Problem, particulars: str, after: float, *, executed: bool | None = False) -> RetryLater:
    """RetryLater for a problem; `after` in seconds."""
    return RetryLater(problem.text(particulars), after=after, executed=executed, code=problem.code)


def broken(problem: Problem, kind: BrokenKind, particulars: str) -> Broken:
    """Broken for a problem."""
    return Broken(problem.text(particulars), kind=kind, remedy=problem.remedy_en, code=problem.code)


def bug(problem: Problem, particulars: str) -> Bug:
    """Bug for a problem."""
    return Bug(problem.text(particulars), code=problem.code)


def _document(response: HttpResponse) -> Mapping[str, Any]:
    try:
        document = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _faults(response: HttpResponse) -> list[Mapping[str, Any]]:
    errors = _document(response).get("errors")
    if not isinstance(errors, list):
        return []
    return [each for each in errors if isinstance(each, dict) and type(each.get("line")) is int]
