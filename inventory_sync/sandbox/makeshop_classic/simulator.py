"""The simulated classic MakeShop: order list, product search and uploads of one shop, behind one strict door."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs

from inventory_sync.sandbox.kernel import Delivery, Request, Response
from inventory_sync.sandbox.makeshop.notices import Event
from inventory_sync.sandbox.makeshop.office import MakeShopOffice
from inventory_sync.sandbox.makeshop.pace import MakeShopPace
from inventory_sync.sandbox.makeshop.records import Order, Product
from inventory_sync.sandbox.makeshop.switches import JST
from inventory_sync.sandbox.makeshop.trade import MakeShopTrade
from inventory_sync.sandbox.makeshop.world import Deed, Occasion
from inventory_sync.sandbox.makeshop_classic import orders
from inventory_sync.sandbox.makeshop_classic.access import ClassicAccess
from inventory_sync.sandbox.makeshop_classic.files import OPTION, PRODUCT, Change, Registrar
from inventory_sync.sandbox.makeshop_classic.layouts import (
    OPTION_COLUMNS,
    PRODUCT_COLUMNS,
    ExportedFile,
    FileEncoding,
)
from inventory_sync.sandbox.makeshop_classic.notices import NoticeBox
from inventory_sync.sandbox.makeshop_classic.switches import (
    HOST,
    ORDER_PATH,
    PRODUCT_AUTH_PATH,
    PRODUCT_PAGE,
    PRODUCT_SEARCH_PATH,
    UPLOAD_AUTH_PATH,
    UPLOAD_PATH,
    ClassicSwitches,
)

_PAGE = {"content-type": "text/html; charset=utf-8"}
_TEXT = {"content-type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class _Hook:
    operation: str
    deed: Deed
    before: bool


@dataclass(frozen=True, slots=True)
class _Later:
    """An uploaded file that waits to be worked off."""

    at: datetime
    changes: tuple[Change, ...]
    reference: str


class ClassicMakeShopSimulator(MakeShopTrade, MakeShopOffice, MakeShopPace):
    """A whole shop with the classic API. Trade and catalogue are those of the shop behind the GraphQL API.

    Implements `inventory_sync.sandbox.kernel.Simulator`. `log.requests` counts by operation: orders.get, product.auth,
    product.search, upload.auth, upload.product, upload.option; refused ones as well. `log.violations` has the rules
    `overlap`, `rate` and `access` (an access address used after its time). Over the rate, access is blocked.
    """

    name = "makeshop-classic"

    def __init__(
        self,
        *,
        order_code: str = "order-code-0001",
        product_code: str = "product-code-0001",
        admin: str = "shop-admin",
        password: str = "secret-12345",
        classic: ClassicSwitches | None = None,
        product_columns: Sequence[str] = PRODUCT_COLUMNS,
        option_columns: Sequence[str] = OPTION_COLUMNS,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.classic = classic or ClassicSwitches()
        self.credentials = ClassicAccess(self.shop, order_code, product_code, admin, {admin: password})
        self.registrar = Registrar(self, product_columns, option_columns)
        self.mail = NoticeBox(self.shop)
        self._hooks: list[_Hook] = []
        self._later: list[_Later] = []
        self._told: set[str] = set()

    # -- what people do ---

    def enter_notice_url(self, url: str | None) -> None:
        """The shop's person enters 更新通知のAPIのURL; `[SHOPID]`, `[ORDERNUM]` and `[CMD]` are filled in later."""
        self.mail.url = url

    def add_sub_administrator(self, name: str, password: str) -> None:
        """Another person of the shop, who may not upload."""
        self.credentials.administrators[name] = password

    def change_password(self, password: str) -> None:
        """The main administrator takes another password."""
        self.credentials.administrators[self.credentials.main] = password

    def export(
        self, now: datetime, encoding: FileEncoding = "shift_jis", *, guarded: bool = True
    ) -> tuple[ExportedFile, ExportedFile]:
        """The shop's person downloads product CSV and option CSV."""
        self._work_off(self.instant(now))
        return (
            self.registrar.export_products(now, encoding, guarded=guarded),
            self.registrar.export_options(now, encoding, guarded=guarded),
        )

    def on_next(self, operation: str, deed: Deed, *, before: bool = False) -> None:
        """Let `deed` happen (it gets the time) at the very instant after the next such operation was answered.

        `before`: at the instant before it is carried out, such as an order between a read and an upload.
        """
        self._hooks.append(_Hook(operation, deed, before))

    def announce(self, event: Event, subject: str, now: datetime) -> None:
        """Tell of an order; products are told of to nobody."""
        if event is not Event.ORDER:
            return
        order = self.orders.get(subject)
        command = "status" if subject in self._told else "order"
        if order is not None and order.cancelled:
            command = "cancel"
        self._told.add(subject)
        self.mail.tell(subject, command, now, delay=self.classic.notice_delay, form=self.classic.notice_fields)

    # -- the simulator protocol ---

    def handle(self, request: Request, now: datetime) -> Response:
        """Carry out one request and answer it."""
        now = self.instant(now)
        self._work_off(now)
        if not self.traffic.driven:
            self._count_arrival(now)
        over_rate = self.traffic.take_verdict()
        if over_rate and self.classic.over_rate == "blocked":
            self.credentials.blocked_until = now + timedelta(seconds=self.classic.block_seconds)
        if self.credentials.is_blocked(now):
            self.log.count("blocked")
            return Response(403, _PAGE, b"<html><body>Access denied</body></html>")
        return self._route(request, now)

    def throttled(self, request: Request, now: datetime) -> Response:
        """The answer of a server that is too busy: this API knows no better word."""
        self.log.count("throttled")
        return Response(503, {**_TEXT, "retry-after": "5"}, b"busy")

    def advance(self, now: datetime) -> list[Delivery]:
        """Notices due by now; files that waited are worked off."""
        self._work_off(now)
        return self.mail.due(now)

    def delivered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        """Counted as `webhook.200`, `webhook.none` …; nothing follows from it."""
        self.log.count(f"webhook.{'none' if status is None else status}")

    def next_due(self) -> datetime | None:
        times = [each.at for each in self._later]
        notice = self.mail.next_due()
        return min([*times, notice] if notice else times, default=None)

    @property
    def rate(self) -> float:
        """Requests a second that the classic API allows."""
        return self.classic.requests_per_second

    # -- one request ---

    def _route(self, request: Request, now: datetime) -> Response:
        query, form = _fields(request.query.encode()), _fields(request.body)
        calls: dict[str, tuple[str, Callable[[], Response]]] = {
            ORDER_PATH: ("orders.get", lambda: self._orders(query, now)),
            PRODUCT_AUTH_PATH: ("product.auth", lambda: self._product_auth(query | form, request, now)),
            PRODUCT_SEARCH_PATH: ("product.search", lambda: self._product_search(query, form, now)),
            UPLOAD_AUTH_PATH: ("upload.auth", lambda: self._upload_auth(form, request, now)),
        }
        if request.path == UPLOAD_PATH:
            fields = _multipart(request)
            name = {PRODUCT: "upload.product", OPTION: "upload.option"}.get(fields.get("dest", b"").decode(), "upload")
            return self._carry_out(name, lambda: self._upload(fields, now), now)
        if request.path not in calls:
            return Response(404, _PAGE, b"<html><body>Not Found</body></html>")
        name, call = calls[request.path]
        return self._carry_out(name, call, now)

    def _carry_out(self, name: str, call: Callable[[], Response], now: datetime) -> Response:
        self.log.count(name)
        self._fire(name, now, before=True)
        response = call()
        self._fire(name, now, before=False)
        return response

    def _fire(self, operation: str, now: datetime, *, before: bool) -> None:
        due = [each for each in self._hooks if each.operation == operation and each.before == before]
        self._hooks = [each for each in self._hooks if each not in due]
        for hook in due:
            hook.deed(now)

    def _orders(self, query: dict[str, str], now: datetime) -> Response:
        right = query.get("shopid") == self.shop and query.get("token") == self.credentials.order_code
        if not right or not self.credentials.order_allowed:
            return orders.refusal("認証コードが正しくありません", self.classic)
        if query.get("cmd") != "get" or not query.get("service"):
            return orders.refusal("パラメータが正しくありません", self.classic)
        start, end = (_stamp(query.get(name, "")) for name in ("start", "end"))
        if "ordernum" not in query and (start is None or end is None):
            return orders.refusal("期間の指定が正しくありません", self.classic)
        listed = [each for each in self._listed(now) if self._wanted(each, query, start, end)]
        cap = self.classic.order_cap
        kept = listed[:cap] if self.classic.order_cap_keeps == "oldest" else listed[-cap:]
        return orders.answer(kept, self.classic)

    def _listed(self, now: datetime) -> list[Order]:
        ready = now - timedelta(seconds=self.classic.order_listed_after)
        shown = self.switches.provisional_listed
        found = [each for each in self.orders.values() if each.at <= ready and (shown or not each.provisional)]
        return sorted(found, key=lambda order: (order.at, order.number))

    def _wanted(self, order: Order, query: dict[str, str], start: datetime | None, end: datetime | None) -> bool:
        if query.get("canceled", "0") != "1" and orders.state_of(order) == orders.CANCELLED:
            return False
        if "ordernum" in query:
            return order.number == query["ordernum"]
        at = order.at.astimezone(JST).replace(microsecond=0)
        if start is None or end is None:
            return False
        ends = self.classic.order_window
        after_start = at > start if ends == "neither" else at >= start
        return after_start and (at <= end if ends == "both" else at < end)

    def _product_auth(self, fields: dict[str, str], request: Request, now: datetime) -> Response:
        right = fields.get("shop_id") == self.shop and fields.get("auth_code") == self.credentials.product_code
        if not right or fields.get("process") != "search" or not self.credentials.product_allowed:
            return Response(200, _TEXT, b"FAILURE")
        token = self.credentials.issue("search", now)
        address = f"{_origin(request)}{PRODUCT_SEARCH_PATH}?shop_id={self.shop}&access_token={token}"
        return Response(200, _TEXT, address.encode())

    def _product_search(self, query: dict[str, str], form: dict[str, str], now: datetime) -> Response:
        if not self._granted(query.get("access_token", ""), "search", now, self.classic.access_uses):
            return _json({"result_data": {"status_code": 401, "message": "access_token is not valid"}})
        page = form.get("display_page", "1")
        number = int(page) if page.isascii() and page.isdigit() else 0
        found = [each for each in self.products.values() if form.get("brand_code") in (None, each.system)]
        rows = found[(number - 1) * PRODUCT_PAGE : number * PRODUCT_PAGE] if number > 0 else []
        return _json({"result_data": {"status_code": 200, "product_list": [self._product_row(each) for each in rows]}})

    def _product_row(self, product: Product) -> dict[str, object]:
        shown = product.cell.shown
        stock: object = "" if shown is None else str(shown) if self.classic.numbers_as_text else shown
        return {
            "product_id": str(product.uid),
            "brand_code": product.system,
            "ubrand_code": product.code,
            "is_display": "Y" if product.displayed else "N",
            "product_name": product.name,
            "price": str(product.price),
            "jancode": product.jan,
            "stock": stock,
        }

    def _upload_auth(self, form: dict[str, str], request: Request, now: datetime) -> Response:
        if not self.credentials.may_upload(form.get("id", ""), form.get("pw", "")):
            return Response(200, _TEXT, b"FAILURE")
        key = self.credentials.issue("upload", now)
        return Response(200, _TEXT, f"{_origin(request)}{UPLOAD_PATH}\n{key}\n".encode())

    def _upload(self, fields: dict[str, bytes], now: datetime) -> Response:
        key, dest = fields.get("key", b"").decode(), fields.get("dest", b"").decode()
        known = dest in self.registrar.columns and fields.get("src") == b"1" and "upload_file" in fields
        if not known or not self._granted(key, "upload", now, 1):
            return Response(200, _TEXT, b"FAILURE")
        upload = self.registrar.look_through(fields["upload_file"], dest, self.classic)
        at = now + timedelta(seconds=self.classic.upload_lag)
        self._later.append(_Later(at, upload.changes, key[:8]))
        self._work_off(now)
        return Response(200, {"content-type": "text/plain; charset=Shift_JIS"}, upload.report)

    def _granted(self, token: str, purpose: str, now: datetime, uses: int) -> bool:
        why = self.credentials.use(token, purpose, now, uses=uses)
        if why == "expired":
            self.violate("access", f"an access for {purpose} was used after its time", now)
        return not why

    def _work_off(self, now: datetime) -> None:
        due = [each for each in self._later if each.at <= now]
        self._later = [each for each in self._later if each.at > now]
        for upload in due:
            for change in upload.changes:
                if change.number is not None and change.item in self.cells:
                    self.put(change.item, change.number, Occasion(upload.at, "client", "api", upload.reference))


def _origin(request: Request) -> str:
    host = request.headers.get("host", HOST)
    return f"https://{host}" if host == HOST else f"http://{host}"


def _fields(text: bytes) -> dict[str, str]:
    """The first value of every field of a form or query."""
    found = parse_qs(text.decode("ascii", "replace"), keep_blank_values=True, encoding="euc_jp", errors="replace")
    return {name: values[0] for name, values in found.items()}


def _multipart(request: Request) -> dict[str, bytes]:
    """The parts of a multipart form by name."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    if not message.is_multipart():
        return {}
    parts = {str(part.get_param("name", header="content-disposition")): part for part in message.iter_parts()}
    return {name: bytes(part.get_payload(decode=True) or b"") for name, part in parts.items()}


def _stamp(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=JST).astimezone(UTC)
    except ValueError:
        return None


def _json(value: object) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(200, {"content-type": "application/json; charset=utf-8"}, body)
