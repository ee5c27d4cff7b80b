"""Order answers as XML. Shape and element names as clients read them; a customer stands in every order, made up."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from inventory_sync.sandbox.kernel import Response
from inventory_sync.sandbox.makeshop.records import DeliveryState, Line, Order
from inventory_sync.sandbox.makeshop.switches import JST
from inventory_sync.sandbox.makeshop_classic.switches import ClassicSwitches

CANCELLED, NORMAL, PROVISIONAL = "0", "1", "99"

_CODECS = {"utf-8": "utf-8", "euc-jp": "euc_jp", "shift_jis": "cp932"}


def state_of(order: Order) -> str:
    """The status of an order: 0 cancelled, 1 normal, 99 provisional."""
    if order.provisional:
        return PROVISIONAL
    return CANCELLED if order.cancelled else NORMAL


def answer(orders: Iterable[Order], switches: ClassicSwitches) -> Response:
    """The answer to a list of orders."""
    return _xml("<orders>" + "".join(_order(each, switches) for each in orders) + "</orders>", switches)


def refusal(message: str, switches: ClassicSwitches) -> Response:
    """The answer to a call that is refused."""
    body = f"<response><code>901</code><message>{escape(message)}</message></response>"
    return _xml(body, switches, 401 if switches.order_refusal == "status" else 200)


def _xml(content: str, switches: ClassicSwitches, status: int = 200) -> Response:
    name = switches.xml_encoding
    text = f'<?xml version="1.0" encoding="{name}"?>\n{content}'
    if name == "euc-jp":  # its table has the other twin of the tilde
        text = text.replace("\uff5e", "\u301c")
    return Response(status, {"content-type": "text/xml"}, text.encode(_CODECS[name], "xmlcharrefreplace"))


def _order(order: Order, switches: ClassicSwitches) -> str:
    standing = _standing(order)
    lines = f"<commodities>{''.join(map(_line, standing))}</commodities>"
    total = sum(each.amount * each.goods.price for each in standing)
    sums = f"<sumprice>{total}</sumprice><carriage>0</carriage>"
    in_delivery, in_detail = ("", lines) if switches.lines_under == "orderdetail" else (lines, "")
    detail = f"<orderdetail>{sums}{in_detail}</orderdetail>" if in_detail else sums
    date = order.at.astimezone(JST).strftime(switches.date_form)
    return (
        f"<order><ordernum>{order.number}</ordernum><date>{date}</date>"
        f"<status>{state_of(order)}</status><payment_status>{'1' if order.paid_at else '0'}</payment_status>"
        f'<paymethod type="{"R" if order.cash_on_delivery else "B"}">{escape(order.pay_method)}</paymethod>'
        "<buyer><name>お客様</name><kana>オキャクサマ</kana><zip>1000001</zip><area>東京(23区内)</area></buyer>"
        f"<deliveries><delivery><name>お客様</name>{in_delivery}</delivery></deliveries>{detail}"
        "<notes><note><title>備考</title><content/></note></notes></order>"
    )


def _standing(order: Order) -> list[Line]:
    """The lines an order still has: those of cancelled deliveries are gone, unless all of them are cancelled."""
    parcels = [each for each in order.parcels if each.state is not DeliveryState.CANCELLED] or order.parcels
    return [line for parcel in parcels for line in parcel.lines]


def _line(line: Line) -> str:
    goods = line.goods
    option = escape(goods.variation_name)
    return (
        f"<commodity><brandcode>{goods.system}</brandcode><orgcode>{escape(goods.code)}</orgcode>"
        f"<orgoptioncode>{escape(goods.variation_code)}</orgoptioncode><jancode>{escape(goods.jan)}</jancode>"
        f"<name>{escape(goods.name)}</name><price>{goods.price}</price><amount>{line.amount}</amount>"
        f"<consumption_tax_rate>10</consumption_tax_rate><option>{option}</option></commodity>"
    )
