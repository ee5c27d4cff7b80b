"""The way to the classic API: one request at a time, access addresses for a few minutes, no secret in any message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from inventory_sync.systems.errors import BrokenKind, Doubt, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent, Transport
from inventory_sync.systems.makeshop.classic import answers, orders, problems, products, uploads
from inventory_sync.systems.makeshop.classic.account import Account
from inventory_sync.systems.makeshop.classic.switches import ClassicSwitches
from inventory_sync.systems.problem import Problem
from inventory_sync.systems.serial import ORDERS, READ, WRITE, SerialBudget, SerialLine
from inventory_sync.systems.values import PreparedRequest

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OWN_DOMAIN = "makeshop.jp"


@dataclass(frozen=True, slots=True)
class _Held:
    access: uploads.Access
    until: datetime
    fresh: bool = True  # not used yet


class ClassicDoor:
    """Requests of one shop. Where a call takes two steps, the first is kept and RetryLater asks to come again."""

    def __init__(
        self,
        account: Account,
        transport: Transport,
        budget: SerialBudget,
        now: Callable[[], datetime],
        switches: ClassicSwitches,
    ) -> None:
        self._account = account
        self._now = now
        self._switches = switches
        self._line = SerialLine(transport, budget, now, _busy)
        self._budget = budget
        self._search: _Held | None = None
        self._upload: _Held | None = None

    async def orders(self, window: orders.Window, kind: str = ORDERS) -> list[orders.Order]:
        """The orders of a window, at most `order_cap` of them. Raises RetryLater, Broken or Bug."""
        account = self._account
        query = orders.query(account.shop_id, account.order_code, account.service, window)
        response = await self._read(kind, "GET", f"{account.root}{orders.PATH}?{query}", "the order list")
        try:
            return orders.read_orders(answers.order_list("the order list", response), self._switches.paid_later)
        except orders.UnknownOrder as error:
            raise answers.unknown_shape(f"the order list: {error}") from error

    async def page(self, number: int, code: str | None = None) -> list[products.ProductRow]:
        """One page of products with their stock, or the one with a system code. Raises RetryLater, Broken or Bug."""
        held = await self._search_access()
        self._search = _Held(held.access, held.until, fresh=False)
        response = await self._read(
            READ, "POST", held.access.url, "the product search", products.search_form(number, code)
        )
        if response.status not in (200, 401, 403) or answers.is_page(response):
            raise answers.refusal("the product search", response, problems.PRODUCT_CODE_REFUSED)
        try:
            if response.status != 200:
                raise products.AccessRefused(f"status {response.status}")
            return products.read_page(response.body)
        except products.AccessRefused as error:
            self._search = None
            if held.fresh:  # new, and refused all the same: it is not the address
                raise answers.broken(
                    problems.PRODUCT_CODE_REFUSED, BrokenKind.CREDENTIAL, f"the product search: {error}"
                ) from error
            raise answers.later(problems.ACCESS_ENDED, f"the product search: {error}", answers.ACCESS_PAUSE) from error
        except products.Unreadable as error:
            particulars = f"the product search: {error}"
            raise answers.later(problems.UNKNOWN_SHAPE, particulars, answers.GARBLED_PAUSE) from error
        except products.UnknownAnswer as error:
            raise answers.unknown_shape(f"the product search: {error}") from error

    async def prove_search(self) -> None:
        """Ask for an access address of the product search, which proves the product code. Keeps it."""
        self._search = None
        await self._ask_search_access()

    async def prove_upload(self) -> None:
        """Sign in for uploads, which proves the administrator's ID and password. Keeps the access."""
        self._upload = None
        await self._ask_upload_access(READ)

    async def upload(self, prepared: PreparedRequest) -> HttpResponse:
        """Post a file. Raises RetryLater (nothing was uploaded), Doubt, Broken or Bug."""
        held = self._upload
        if held is None or self._now() >= held.until:
            await self._ask_upload_access(WRITE)
            raise self._next_step("the upload")
        content_type, body = uploads.multipart(prepared, held.access)
        request = HttpRequest("POST", held.access.url, {"Content-Type": content_type}, body, self._account.timeout)
        try:
            response = await self._line.send(WRITE, request)
        except NotSent:
            raise answers.later(problems.UNREACHABLE, "the upload", answers.NETWORK_PAUSE) from None
        except NoAnswer:
            self._upload = None
            raise Doubt(problems.OUTCOME_UNKNOWN.text("no answer"), code=problems.OUTCOME_UNKNOWN.code) from None
        self._upload = None  # a key is used once
        if response.status != 200 or answers.is_page(response):
            raise answers.refusal("the upload", response, problems.PASSWORD_REFUSED, write=True)
        return response

    async def _search_access(self) -> _Held:
        if self._search is None or self._now() >= self._search.until:
            await self._ask_search_access()
            raise self._next_step("the product search")
        return self._search

    async def _ask_search_access(self) -> None:
        account = self._account
        form = products.access_form(account.shop_id, account.product_code)
        what = "the access to the product search"
        response = await self._read(READ, "POST", f"{account.root}{self._switches.product_auth_path}", what, form)
        self._raise_unless_good(what, response, problems.PRODUCT_CODE_REFUSED)
        address = products.access_url(response.body)
        if address is None:
            raise answers.broken(problems.PRODUCT_CODE_REFUSED, BrokenKind.CREDENTIAL, what)
        self._search = self._held(uploads.Access(self._own(address), ""))

    async def _ask_upload_access(self, kind: str) -> None:
        account = self._account
        form = uploads.access_form(account.admin_id, account.admin_password)
        what = "the sign-in for uploads"
        response = await self._read(kind, "POST", f"{account.root}{uploads.PATH}", what, form)
        self._raise_unless_good(what, response, problems.PASSWORD_REFUSED)
        access = uploads.read_access(response.body)
        if access is None:
            if uploads.is_refusal(response.body):
                raise answers.broken(problems.PASSWORD_REFUSED, BrokenKind.CREDENTIAL, what)
            raise answers.later(problems.UNKNOWN_SHAPE, what, answers.GARBLED_PAUSE)
        self._upload = self._held(uploads.Access(self._own(access.url), access.key))

    async def _read(self, kind: str, method: str, url: str, what: str, form: bytes = b"") -> HttpResponse:
        """The answer to a call that changes nothing, whatever its status."""
        request = HttpRequest(method, url, FORM if form else {}, form, self._account.timeout)
        try:
            return await self._line.send(kind, request)
        except (NotSent, NoAnswer):
            # The library's words may quote the address, and the address holds the authentication code.
            raise answers.later(problems.UNREACHABLE, what, answers.NETWORK_PAUSE) from None

    def _raise_unless_good(self, what: str, response: HttpResponse, refused: Problem) -> None:
        if response.status != 200:
            raise answers.refusal(what, response, refused)
        if answers.is_page(response):
            raise answers.later(problems.UNAVAILABLE, f"{what} answered with a page", answers.SERVER_PAUSE)

    def _own(self, address: str) -> str:
        """An access address that leads to the partner: at another root than MakeShop's, only its path is taken."""
        parts = urlsplit(address)
        if self._account.own_host:
            host = parts.hostname or ""
            if parts.scheme != "https" or not (host == OWN_DOMAIN or host.endswith(f".{OWN_DOMAIN}")):
                raise answers.unknown_shape("an access address outside MakeShop")
            return address
        root = urlsplit(self._account.root)
        return urlunsplit((root.scheme, root.netloc, f"{root.path}{parts.path}", parts.query, ""))

    def _held(self, access: uploads.Access) -> _Held:
        return _Held(access, self._now() + self._switches.access_used_for)

    def _next_step(self, what: str) -> RetryLater:
        after = max(self._budget.wait(WRITE if what == "the upload" else READ, self._now()), 0.001)
        return answers.later(problems.NEXT_STEP, what, after)


def _busy(kind: str, seconds: float) -> RetryLater:
    del kind
    return answers.later(problems.NEXT_STEP, "", seconds)
