"""The simulated classic shop, asked over nothing but HTTP: its doors, its strictness, its files and its notices."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element, fromstring

import pytest

from inventory_sync.sandbox.kernel import Request, Response
from inventory_sync.sandbox.makeshop.switches import JST
from inventory_sync.sandbox.makeshop_classic import (
    ACCESS_LIFE,
    OPTION_COLUMNS,
    PRODUCT_COLUMNS,
    ClassicMakeShopSimulator,
    ClassicSwitches,
)

START = datetime(2026, 1, 10, 12, 0, 0, tzinfo=JST)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Caller:
    """Somebody who waits a second before every request, unless told otherwise."""

    def __init__(self, **switches: Any) -> None:
        self.shop = ClassicMakeShopSimulator(classic=ClassicSwitches(**switches))
        self.now = START

    def post(self, url: str, form: dict[str, str] | bytes, *, content: str = "", wait: float = 1.0) -> Response:
        self.now += timedelta(seconds=wait)
        parts = urlsplit(url)
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        headers = {"content-type": content or "application/x-www-form-urlencoded"}
        return self.shop.handle(Request("POST", parts.path, parts.query, headers, body), self.now)

    def orders(self, *, wait: float = 1.0, **changes: str) -> Element:
        self.now += timedelta(seconds=wait)
        query = {
            "cmd": "get",
            "shopid": "exampleshop",
            "token": "order-code-0001",
            "service": "test",
            "start": "20260110000000",
            "end": "20260111000000",
            **changes,
        }
        answer = self.shop.handle(Request("GET", "/api/orderinfo/index.html", urlencode(query), {}, b""), self.now)
        assert answer.status == 200
        return fromstring(answer.body)  # noqa: S314 - our own simulator wrote it

    def search_address(self) -> str:
        form = {"shop_id": "exampleshop", "auth_code": "product-code-0001", "process": "search"}
        return self.post("/api/product/auth/", form).body.decode()

    def products(self, address: str, *, page: int = 1, wait: float = 1.0, **form: str) -> Any:
        given = {"display_page": str(page), "response_format": "json", **form}
        return json.loads(self.post(address, given, wait=wait).body)["result_data"]

    def sign_in(self, name: str = "shop-admin", password: str = "secret-12345") -> str:
        return self.post("/api/webftp/index.html", {"id": name, "pw": password}).body.decode()

    def upload(self, dest: str, *rows: dict[str, str], access: str | None = None, width: int | None = None) -> str:
        address, key = (access or self.sign_in()).split()
        columns = PRODUCT_COLUMNS if dest == "1" else OPTION_COLUMNS
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        writer.writerow(columns)
        writer.writerows([[row.get(name, "") for name in columns][:width] for row in rows])
        parts = {"key": key.encode(), "src": b"1", "dest": dest.encode()}
        body = b"".join(
            f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
            for name, value in parts.items()
        )
        body += b'--B\r\nContent-Disposition: form-data; name="upload_file"; filename="x.csv"\r\n\r\n'
        body += buffer.getvalue().encode("cp932") + b"\r\n--B--\r\n"
        answer = self.post(address, body, content="multipart/form-data; boundary=B")
        return answer.body.decode("cp932")

    def rules(self) -> list[str]:
        return [each.rule for each in self.shop.log.violations]


def by_system(code: str, quantity: str, **more: str) -> dict[str, str]:
    return {"商品特定コード指定": "0", "システム商品コード": code, "数量": quantity, **more}


# -- orders ---


def test_orders_show_their_state_and_their_lines() -> None:
    caller = Caller()
    mug = caller.shop.add_product(START, code="MUG", jan="49", stock=9)
    red, _ = caller.shop.add_variations(START, ["R", "B"], stock=[5, 5], code="TS")
    number = caller.shop.place_order([(mug, 2), (red, 1)], START)
    waiting = caller.shop.place_order([(red, 1)], after(1), provisional=True)
    cancelled = caller.shop.place_order([(mug, 1)], after(2))
    caller.shop.cancel_order(str(cancelled), after(3), restock=False)
    caller.now = after(4)
    found = caller.orders(canceled="1").findall("order")
    assert [(each.findtext("ordernum"), each.findtext("status")) for each in found] == [
        (number, "1"),
        (waiting, "99"),
        (cancelled, "0"),
    ]
    assert found[0].findtext("date") == "2026/01/10 12:00:00"
    lines = found[0].findall("orderdetail/commodities/commodity")
    assert [
        (each.findtext("brandcode"), each.findtext("orgoptioncode"), each.findtext("amount")) for each in lines
    ] == [
        (mug, "", "2"),
        (red.partition("/")[0], "R", "1"),
    ]
    assert len(caller.orders().findall("order")) == 2
    assert [each.findtext("ordernum") for each in caller.orders(ordernum=str(waiting))] == [waiting]
    caller.shop.vanish_order(str(waiting), caller.now)
    assert len(caller.orders(canceled="1")) == 2
    assert (caller.shop.stock(mug), caller.shop.stock(red)) == (6, 4)


def test_a_list_holds_a_hundred_orders_and_says_nothing_of_the_rest() -> None:
    for keeps, wanted in (("oldest", 0), ("newest", 20)):
        caller = Caller(order_cap_keeps=keeps)
        mug = caller.shop.add_product(START, stock=500)
        numbers = [caller.shop.sell(mug, 1, after(place)) for place in range(120)]
        caller.now = after(200)
        assert [each.findtext("ordernum") for each in caller.orders()] == numbers[wanted : wanted + 100]


@pytest.mark.parametrize(("ends", "count"), [("both", 3), ("start", 2), ("neither", 1)])
def test_the_ends_of_a_window_belong_to_it_as_the_switch_says(ends: str, count: int) -> None:
    caller = Caller(order_window=ends)
    mug = caller.shop.add_product(START, stock=5)
    for second in (0, 1, 2):
        caller.shop.sell(mug, 1, after(second + 0.4))
    caller.now = after(10)
    assert len(caller.orders(start="20260110120000", end="20260110120002")) == count


def test_an_order_is_listed_late_where_the_switch_says_so() -> None:
    caller = Caller(order_listed_after=60.0)
    mug = caller.shop.add_product(START, stock=5)
    caller.shop.sell(mug, 1, START)
    assert len(caller.orders()) == 0
    caller.now = after(60)
    assert len(caller.orders()) == 1
    assert caller.shop.stock(mug) == 4


@pytest.mark.parametrize("wrong", [{"token": "x"}, {"shopid": "x"}, {"cmd": "x"}, {"start": "x"}, {"service": ""}])
def test_a_wrong_order_call_is_refused_in_words(wrong: dict[str, str]) -> None:
    answer = Caller().orders(**wrong)
    assert answer.tag == "response"
    assert answer.findtext("message")


@pytest.mark.parametrize(("encoding", "codec"), [("utf-8", "utf-8"), ("euc-jp", "euc_jp"), ("shift_jis", "cp932")])
def test_answers_are_in_the_encoding_they_declare(encoding: str, codec: str) -> None:
    caller = Caller(xml_encoding=encoding)
    mug = caller.shop.add_product(START, name="マグ～<大>", stock=5)
    caller.shop.sell(mug, 1, START)
    caller.now = after(1)
    query = "cmd=get&shopid=exampleshop&token=order-code-0001&service=t&start=20260110000000&end=20260111000000"
    answer = caller.shop.handle(Request("GET", "/api/orderinfo/index.html", query, {}, b""), after(3))
    text = answer.body.decode(codec)
    assert f'encoding="{encoding}"' in text
    assert "マグ" in text
    assert "&lt;大&gt;" in text


# -- products ---


def test_fifty_products_a_page_and_an_empty_stock_is_unlimited() -> None:
    caller = Caller()
    items = caller.shop.seed_catalogue(60, START, initial=3)
    free = caller.shop.add_product(START, stock=None)
    address = caller.search_address()
    first, second = (caller.products(address, page=page)["product_list"] for page in (1, 2))
    assert [each["brand_code"] for each in first + second] == [*items, free]
    assert len(first) == 50
    assert second[-1]["stock"] == ""
    assert caller.products(address, page=3)["product_list"] == []
    (only,) = caller.products(address, brand_code=items[7])["product_list"]
    assert (only["brand_code"], only["stock"]) == (items[7], "3")


def test_an_access_address_lives_five_minutes() -> None:
    caller = Caller()
    address = caller.search_address()
    assert caller.products(address, wait=ACCESS_LIFE - 1)["status_code"] == 200
    assert caller.rules() == []
    assert caller.products(address, wait=1.0)["status_code"] == 401
    assert caller.rules() == ["access"]
    assert caller.products("/api/product/search/?access_token=x")["status_code"] == 401


def test_an_access_address_serves_one_search_where_the_switch_says_so() -> None:
    caller = Caller(access_uses=1)
    address = caller.search_address()
    assert [caller.products(address)["status_code"] for _ in range(2)] == [200, 401]


def test_a_wrong_product_code_gets_no_address() -> None:
    form = {"shop_id": "exampleshop", "auth_code": "x", "process": "search"}
    assert Caller().post("/api/product/auth/", form).body == b"FAILURE"


# -- uploads ---


def test_only_the_main_administrator_with_a_short_password_may_upload() -> None:
    caller = Caller()
    caller.shop.add_sub_administrator("clerk", "clerk-pw")
    assert caller.sign_in("clerk", "clerk-pw") == "FAILURE"
    assert caller.sign_in(password="wrong") == "FAILURE"
    assert caller.sign_in("nobody", "") == "FAILURE"
    assert len(caller.sign_in().split()) == 2
    caller.shop.change_password("thirteen-long")
    assert caller.sign_in(password="thirteen-long") == "FAILURE"


def test_an_upload_sets_numbers_and_leaves_empty_ones_alone() -> None:
    caller = Caller()
    mug = caller.shop.add_product(START, code="MUG", stock=7)
    plate = caller.shop.add_product(START, code="PLATE", stock=8)
    own = {"商品特定コード指定": "1", "独自商品コード": "PLATE", "数量": ""}
    assert caller.upload("1", by_system(mug, "3"), own) == "成功 2件 失敗 0件"
    assert (caller.shop.stock(mug), caller.shop.stock(plate)) == (3, 8)
    (change,) = caller.shop.log.changes
    assert (change.item, change.delta, change.after, change.actor) == (mug, -4, 3, "client")


def test_an_option_is_found_by_its_own_code_or_by_its_items() -> None:
    caller = Caller()
    red, blue = caller.shop.add_variations(START, ["R ", "B"], stock=[5, 5])
    system = red.partition("/")[0]
    code = {"オプション特定コード指定": "0", "オプション独自コード": "R "}
    names = {"オプション特定コード指定": "1", "オプション1項目": "色2", "オプション2項目": "F"}
    caller.upload("2", by_system(system, "1", **code), by_system(system, "2", **names))
    assert (caller.shop.stock(red), caller.shop.stock(blue)) == (1, 2)
    trimmed = by_system(system, "9", **{**code, "オプション独自コード": "R"})
    assert "該当するオプションが存在しません" in caller.upload("2", trimmed)
    assert caller.shop.stock(red) == 1


@pytest.mark.parametrize(
    ("report", "told"),
    [
        ("codes", "3行目 000000000999 該当する商品が存在しません"),
        ("rows", "3行目 該当する商品が存在しません"),
        ("silent", "OK"),
    ],
)
def test_a_bad_row_is_told_as_the_switch_says_and_the_others_are_taken(report: str, told: str) -> None:
    caller = Caller(upload_report=report)
    mug = caller.shop.add_product(START, stock=7)
    answer = caller.upload("1", by_system(mug, "3"), by_system("000000000999", "4"))
    assert answer.splitlines()[-1] == told
    assert caller.shop.stock(mug) == 3


def test_a_row_with_another_number_of_columns_is_refused() -> None:
    caller = Caller()
    mug = caller.shop.add_product(START, stock=7)
    assert "項目数が一致しません" in caller.upload("1", by_system(mug, "3"), width=78)
    assert caller.shop.stock(mug) == 7


@pytest.mark.parametrize("quantity", ["-1", "1.5", "１", "x", "1234567890"])
def test_a_number_that_is_none_is_refused(quantity: str) -> None:
    caller = Caller()
    mug = caller.shop.add_product(START, stock=7)
    assert "数量の値が不正です" in caller.upload("1", by_system(mug, quantity))
    assert caller.shop.stock(mug) == 7


def test_the_stock_of_a_product_with_options_is_not_its_own() -> None:
    caller = Caller()
    red, _ = caller.shop.add_variations(START, ["R", "B"], stock=[5, 5])
    assert "エラー" in caller.upload("1", by_system(red.partition("/")[0], "3"))


def test_an_upload_key_is_good_once_and_for_five_minutes() -> None:
    caller = Caller()
    mug = caller.shop.add_product(START, stock=7)
    access = caller.sign_in()
    assert caller.upload("1", by_system(mug, "3"), access=access).startswith("成功")
    assert caller.upload("1", by_system(mug, "4"), access=access) == "FAILURE"
    late = caller.sign_in()
    caller.now += timedelta(seconds=ACCESS_LIFE)
    assert caller.upload("1", by_system(mug, "5"), access=late) == "FAILURE"
    assert caller.rules() == ["access"]
    assert caller.shop.stock(mug) == 3


def test_a_file_may_be_worked_off_later() -> None:
    caller = Caller(upload_lag=30.0)
    mug = caller.shop.add_product(START, stock=7)
    caller.upload("1", by_system(mug, "3"))
    assert caller.shop.stock(mug) == 7
    assert caller.shop.next_due() == caller.now + timedelta(seconds=30)
    caller.shop.advance(caller.now + timedelta(seconds=30))
    assert caller.shop.stock(mug) == 3


def test_an_order_can_fall_at_the_instant_before_an_upload() -> None:
    caller = Caller()
    mug = caller.shop.add_product(START, stock=7)
    caller.shop.on_next("upload.product", lambda now: caller.shop.sell(mug, 2, now), before=True)
    caller.upload("1", by_system(mug, "7"))
    assert [(each.cause, each.delta) for each in caller.shop.log.changes] == [("sale", -2), ("api", 2)]


# -- pace ---


def test_over_a_request_a_second_access_is_blocked() -> None:
    caller = Caller(block_seconds=60.0)
    caller.orders()
    address = caller.search_address()
    answer = caller.post(address, {"display_page": "1"}, wait=0.9)
    assert (answer.status, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert caller.rules() == ["rate"]
    assert caller.post(address, {"display_page": "1"}, wait=30).status == 403
    assert caller.post(address, {"display_page": "1"}, wait=60).status == 200
    assert caller.rules() == ["rate"]


def test_over_the_rate_is_only_recorded_where_the_switch_says_so() -> None:
    caller = Caller(over_rate="recorded")
    caller.orders()
    assert caller.orders(wait=0.1).tag == "orders"
    assert caller.rules() == ["rate"]


def test_two_requests_at_once_are_recorded() -> None:
    shop = ClassicMakeShopSimulator()
    shop.report_concurrency(1, START)
    shop.report_concurrency(2, after(5))
    assert [each.rule for each in shop.log.violations] == ["overlap"]
    shop.report_abandoned(Request("GET", "/", "", {}, b""), 10.0, 30.0, after(20))
    shop.report_concurrency(1, after(25))
    shop.report_concurrency(1, after(30))
    assert [each.rule for each in shop.log.violations] == ["overlap", "overlap"]


def test_an_unknown_path_is_not_found_and_a_throttle_is_a_busy_server() -> None:
    caller = Caller()
    assert caller.post("/api/unknown", {}).status == 404
    assert caller.shop.throttled(Request("GET", "/", "", {}, b""), after(9)).status == 503


# -- files and notices ---


@pytest.mark.parametrize(
    ("encoding", "codec"), [("shift_jis", "cp932"), ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig")]
)
def test_both_files_are_exported_with_every_product_and_option(encoding: Any, codec: str) -> None:
    shop = ClassicMakeShopSimulator()
    mug = shop.add_product(START, code="00123", name="マグ", stock=None)
    red, _ = shop.add_variations(START, ["S～M", "B"], stock=[5, 0])
    product, option = shop.export(after(65), encoding)
    assert (product.name, option.name) == ("upload_20260110120105.csv", "option_20260110120105.csv")
    rows = list(csv.DictReader(io.StringIO(product.content.decode(codec))))
    assert [row["システム商品コード"] for row in rows] == [mug, red.partition("/")[0]]
    assert (rows[0]["独自商品コード"], rows[0]["数量"]) == ('="00123"', "")
    rows = list(csv.DictReader(io.StringIO(option.content.decode(codec))))
    assert [(row["オプション独自コード"], row["数量"]) for row in rows] == [('="S～M"', "5"), ('="B"', "0")]
    assert (len(PRODUCT_COLUMNS), len(OPTION_COLUMNS)) == (79, 12)
    plain, _ = shop.export(after(65), encoding, guarded=False)
    assert b"=" not in plain.content


def test_a_notice_goes_to_the_address_entered_with_its_marks_filled_in() -> None:
    shop = ClassicMakeShopSimulator()
    mug = shop.add_product(START, stock=9)
    shop.sell(mug, 1, START)
    assert shop.advance(after(1)) == []
    shop.enter_notice_url("http://127.0.0.1/n/TOKEN?shop=[SHOPID]&order=[ORDERNUM]&cmd=[CMD]")
    number = str(shop.sell(mug, 1, after(2)))
    assert shop.advance(after(2.2)) == []
    shop.pay_order(number, after(3))
    shop.cancel_order(number, after(4))
    found = shop.advance(after(5))
    assert [each.url for each in found] == [
        f"http://127.0.0.1/n/TOKEN?shop=exampleshop&order={number}&cmd={command}"
        for command in ("order", "status", "cancel")
    ]
    assert found[0].body == f"shopid=exampleshop&ordernum={number}&cmd=order".encode()
    assert len({each.id for each in found}) == 3
    shop.delivered(found[0], None, after(6))
    assert shop.advance(after(600)) == []
    assert shop.log.requests == {"webhook.none": 1}


def test_products_are_told_of_to_nobody_and_a_form_may_be_missing() -> None:
    shop = ClassicMakeShopSimulator(classic=ClassicSwitches(notice_fields=False))
    shop.enter_notice_url("http://127.0.0.1/n")
    mug = shop.add_product(START, stock=9)
    shop.set_stock(mug, 3, START)
    assert shop.next_due() is None
    shop.sell(mug, 1, START)
    (notice,) = shop.advance(after(1))
    assert (notice.url, notice.body) == ("http://127.0.0.1/n", b"")


def test_a_cancel_gives_the_stock_back_only_where_it_is_asked_to() -> None:
    shop = ClassicMakeShopSimulator()
    mug = shop.add_product(START, stock=9)
    first, second = (str(shop.sell(mug, 2, after(place))) for place in (0, 1))
    shop.cancel_order(first, after(2), restock=False)
    assert shop.stock(mug) == 5
    shop.cancel_order(second, after(3))
    assert shop.stock(mug) == 7
