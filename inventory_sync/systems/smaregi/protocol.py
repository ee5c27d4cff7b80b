"""The Platform API without a socket: which call asks what, and what each refusal means.

Paths, parameters and limits: developers.smaregi.dev/platform-api-reference (common; apis/pos/operations/getstock,
poststockproductidadd, poststores, postproductsbulk). The error body carries no machine code, so the status decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.port import CellRef, PlannedOp, PreparedRequest, Rejected
from inventory_sync.systems.problem import Problem
from inventory_sync.systems.smaregi import memo, problems
from inventory_sync.systems.smaregi.limits import Kind

API_VERSION = "1.0.0"  # of the POS specification; the path carries none
JST = timezone(timedelta(hours=9))  # business dates are Japan's
PAGE = 1000  # rows; the largest page a list gives
MAX_WINDOW = timedelta(days=30)  # a day below the documented 31, whichever way either side counts
MAX_DELTA = 1_999_999_998  # poststockproductidadd, stockAmount
LEVEL_ORDER = "productId,storeId"  # the only sort keys getstock knows; stable under changes, unlike the time
PRODUCT_FIELDS = (
    "productId,productCode,productName,groupCode,size,color,supplierProductNo,stockControlDivision,division,updDateTime"
)

SCOPE_STOCK_READ = "pos.stock:read"
SCOPE_STOCK_WRITE = "pos.stock:write"
SCOPE_HISTORY = "pos.stock-changes:read"
SCOPE_PRODUCTS = "pos.products:read"
SCOPE_STORES = "pos.stores:read"
NEEDED_SCOPES = (SCOPE_STOCK_READ, SCOPE_STOCK_WRITE, SCOPE_PRODUCTS, SCOPE_STORES)

# Seconds to wait where the partner names no time, and the most of its time we believe.
THROTTLE_PAUSE, SERVER_PAUSE, GARBLED_PAUSE, NETWORK_PAUSE, MAX_PAUSE = 1.0, 5.0, 15.0, 2.0, 600.0

_PRODUCT_ID = re.compile(r"[0-9]{1,15}")
_STORE_ID = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Call:
    """One API call: what is sent, and the scope it needs. `path` is below the API root, contract included."""

    method: str
    path: str
    scope: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def kind(self) -> Kind:
        """Which budget pays for it."""
        return "read" if self.method == "GET" else "write"

    def request(self, root: str, token: str, timeout: float) -> HttpRequest:
        """The HTTP request at an API root, with a bearer token; `timeout` in seconds."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if self.body:
            headers["Content-Type"] = "application/json"
        query = f"?{urlencode(self.query, quote_via=quote, safe=',')}" if self.query else ""
        return HttpRequest(self.method, f"{root}{self.path}{query}", headers, self.body, timeout)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def is_product_id(key: str) -> bool:
    """Whether a text can be a product id (1–15 digits)."""
    return _PRODUCT_ID.fullmatch(key) is not None


def stores(contract: str, page: int, limit: int = PAGE) -> Call:
    """One page of the stores, shops and warehouses."""
    return _list(contract, "stores", SCOPE_STORES, page, limit, ())


def products(contract: str, page: int, limit: int = PAGE) -> Call:
    """One page of the products, ordered so that pages do not shift when one is edited."""
    query = (("fields", PRODUCT_FIELDS), ("sort", "productId"))
    return _list(contract, "products", SCOPE_PRODUCTS, page, limit, query)


def product(contract: str, key: str) -> Call:
    """One product by id, as a list of one or none."""
    query = (("fields", PRODUCT_FIELDS), ("product_id", _checked(_PRODUCT_ID, key, "product")))
    return _list(contract, "products", SCOPE_PRODUCTS, 1, 1, query)


def levels(contract: str, page: int, *, since: datetime | None = None, limit: int = PAGE) -> Call:
    """One page of the stock rows: of all, or of those updated in the `MAX_WINDOW` that begins at `since`.

    A window that ends in the future keeps its rows: what moves while pages turn may repeat a row, never skip one. Both
    ends are sent, because it is not documented that one may be left out.
    """
    ends = () if since is None else (("from", since), ("to", since + MAX_WINDOW))
    window = tuple((f"upd_date_time-{end}", stamp(at)) for end, at in ends)
    return _list(contract, "stock", SCOPE_STOCK_READ, page, limit, (*window, ("sort", LEVEL_ORDER)))


def level_by_key(contract: str, item: str, location: str | None) -> Call:
    """The stock rows of one product, at one store or at all."""
    query = [("product_id", _checked(_PRODUCT_ID, item, "product"))]
    if location is not None:
        query.append(("store_id", _checked(_STORE_ID, location, "store")))
    return _list(contract, "stock", SCOPE_STOCK_READ, 1, PAGE, (*query, ("sort", LEVEL_ORDER)))


def changes(contract: str, cell: CellRef, day: date, page: int) -> Call:
    """One page of a cell's change history on one business day (JST)."""
    item = _checked(_PRODUCT_ID, cell.item, "product")
    location = _checked(_STORE_ID, cell.location, "store")
    return _list(
        contract, f"stock/changes/{item}/{location}", SCOPE_HISTORY, page, PAGE, (("target_date", day.isoformat()),)
    )


def prepare(contract: str, installation: str, op: PlannedOp) -> PreparedRequest:
    """The exact request that adds `op.delta` to a cell; the same op gives the same bytes for ever.

    Raises Bug for a delta or an id that Smaregi cannot express.
    """
    change = change_of(installation, op)
    item = change.pop("productId")
    return PreparedRequest("POST", f"/{contract}/pos/stock/{item}/add", orjson.dumps(change), op.op, API_VERSION)


def change_of(installation: str, op: PlannedOp) -> dict[str, Any]:
    """One relative change as a bulk call lists it; a single call names the product in its path instead.

    Raises Bug for a delta or an id that Smaregi cannot express.
    """
    item = _checked(_PRODUCT_ID, op.cell.item, "product")
    location = _checked(_STORE_ID, op.cell.location, "store")
    if op.delta == 0 or abs(op.delta) > MAX_DELTA:
        raise _bug(problems.CHANGE_IMPOSSIBLE, f"a change of {op.delta} at product {item}, store {location}")
    try:
        mark = memo.compose_memo(installation, op.op)
    except ValueError as error:
        raise _bug(problems.CHANGE_IMPOSSIBLE, str(error)) from error
    return {"productId": item, "storeId": location, "stockAmount": str(op.delta), "stockHistory": {"memo": mark}}


def prepared_call(prepared: PreparedRequest) -> Call:
    """The call that a stored request makes, to the byte."""
    return Call(prepared.method, prepared.path, SCOPE_STOCK_WRITE, body=prepared.body)


def impossible(particulars: str) -> Bug:
    """The Bug for a change that Smaregi cannot express."""
    return _bug(problems.CHANGE_IMPOSSIBLE, particulars)


def stamp(at: datetime) -> str:
    """An instant as the API writes it: whole seconds, Japan's offset."""
    return at.astimezone(JST).isoformat(timespec="seconds")


def refusal(call: Call, response: HttpResponse, now: datetime) -> Rejected | PartnerError:
    """What an answer other than 200 means, decided here only: a refused row (of a write), or the error to raise."""
    status, write = response.status, call.kind == "write"
    particulars = f"{call}: HTTP {status}{detail(response)}"
    if status == 401:
        return _broken(problems.TOKEN_REFUSED, BrokenKind.CREDENTIAL, particulars)
    if status == 403:
        return _broken(problems.SCOPE_MISSING, BrokenKind.SCOPE, f"{call.scope}; {particulars}")
    if status == 429:
        return throttle(particulars, response, now)
    if status == 408 or status >= 500 or (write and 200 <= status < 300):
        if write:
            return Doubt(problems.OUTCOME_UNKNOWN.text(particulars), code=problems.OUTCOME_UNKNOWN.code)
        after = retry_after(response, now, SERVER_PAUSE)
        return later(problems.UNAVAILABLE, particulars, after, executed=None)
    row_problems = {400: problems.CHANGE_REFUSED, 404: problems.PRODUCT_GONE, 409: problems.CHANGE_CONFLICTS}
    if write and status in row_problems:
        problem = row_problems[status]
        return Rejected(problem.text(particulars), problem.code)
    if status == 404:
        return _broken(problems.CONTRACT_UNKNOWN, BrokenKind.GONE, particulars)
    return _bug(problems.REFUSED_CALL, particulars)


def token_refusal(response: HttpResponse, scopes: Iterable[str], now: datetime) -> PartnerError:
    """What an answer of the token endpoint other than 200 means. A change has not been sent when this is asked.

    400 and 401 are observed; a 400 that names the scope is the OAuth 2.0 error of RFC 6749 §5.2.
    """
    status = response.status
    particulars = f"token: HTTP {status}{detail(response)}"
    if status == 403 or (status == 400 and b"invalid_scope" in response.body):
        return _broken(problems.SCOPE_MISSING, BrokenKind.SCOPE, f"{' '.join(scopes)}; {particulars}")
    if status in (400, 401):
        return _broken(problems.CREDENTIAL_REFUSED, BrokenKind.CREDENTIAL, particulars)
    if status == 404:
        return _broken(problems.CONTRACT_UNKNOWN, BrokenKind.GONE, particulars)
    if status == 429:
        return throttle(particulars, response, now)
    if status in (408, 409) or status >= 500:
        after = retry_after(response, now, SERVER_PAUSE)
        return later(problems.UNAVAILABLE, particulars, after)
    return _bug(problems.REFUSED_CALL, particulars)


def throttle(particulars: str, response: HttpResponse, now: datetime) -> RetryLater:
    """A 429: certainly not carried out, come back when it says."""
    return later(problems.THROTTLED, particulars, retry_after(response, now, THROTTLE_PAUSE))


def later(problem: Problem, particulars: str, after: float, *, executed: bool | None = False) -> RetryLater:
    """RetryLater for a problem; `after` in seconds."""
    return RetryLater(problem.text(particulars), after=after, executed=executed, code=problem.code)


def retry_after(response: HttpResponse, now: datetime, default: float) -> float:
    """Seconds the partner asks us to stay away: a number or a date (RFC 9110 §10.2.3), at least 1 and at most 600.

    That the API sends whole seconds is observed only, so the other form and nonsense (the default) are understood too.
    """
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return default
    try:
        seconds = float(text) if text.isascii() and text.isdigit() else _seconds_until(text, now)
    except (ValueError, TypeError):
        return default
    return min(max(seconds, 1.0), MAX_PAUSE)


def detail(response: HttpResponse) -> str:
    """The partner's own words from a problem body (title, detail) for a message, cut at 200 characters; else empty."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(body, dict):
        return ""
    said = [body[name] for name in ("title", "detail") if isinstance(body.get(name), str)]
    return f" ({': '.join(said)[:200]})" if said else ""


def _seconds_until(text: str, now: datetime) -> float:
    return (parsedate_to_datetime(text) - now).total_seconds()


def _list(contract: str, name: str, scope: str, page: int, limit: int, query: tuple[tuple[str, str], ...]) -> Call:
    paging = (("limit", str(limit)), ("page", str(page)))
    return Call("GET", f"/{contract}/pos/{name}", scope, (*query, *paging))


def _checked(form: re.Pattern[str], key: str, what: str) -> str:
    if form.fullmatch(key) is None:
        raise _bug(problems.ID_IMPOSSIBLE, f"{key!r} is no {what} ID of Smaregi")
    return key


def _broken(problem: Problem, kind: BrokenKind, particulars: str) -> Broken:
    return Broken(problem.text(particulars), kind=kind, remedy=problem.remedy_en, code=problem.code)


def _bug(problem: Problem, particulars: str) -> Bug:
    return Bug(problem.text(particulars), code=problem.code)
