"""Order answers: three states, one line per item, every encoding of Japan, and no entity tricks."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from inventory_sync.systems.makeshop.classic import orders, xml
from inventory_sync.systems.port import OrderState, Payment
from tests.systems.makeshop_classic.classic_support import START

LINE = (
    "<commodity><brandcode>000000000084</brandcode><orgoptioncode>{code}</orgoptioncode>"
    "<amount>{amount}</amount></commodity>"
)


def order(
    *lines: tuple[str, str], status: str = "1", date: str = "2026/01/10 12:00:00", number: str = "PB1", **extra: str
) -> str:
    rows = "".join(LINE.format(code=code, amount=amount) for code, amount in lines)
    return (
        f"<order><ordernum>{number}</ordernum><date>{date}</date><status>{status}</status>"
        f"<orderdetail><commodities>{rows}</commodities></orderdetail>{extra.get('more', '')}</order>"
    )


def read(*found: str, encoding: str = "utf-8") -> list[orders.Order]:
    text = f'<?xml version="1.0" encoding="{encoding}"?><orders>{"".join(found)}</orders>'
    return orders.read_orders(xml.parse(text.encode(encoding)))


@pytest.mark.parametrize(
    ("status", "state"),
    [("0", OrderState.CANCELLED), ("1", OrderState.PLACED), ("99", OrderState.PROVISIONAL), ("7", OrderState.PLACED)],
)
def test_a_status_is_a_state_and_an_unknown_one_counts(status: str, state: OrderState) -> None:
    (found,) = read(order(("A", "1"), status=status))
    assert [each.state for each in found.lines] == [state]


@pytest.mark.row("S3-30")
@pytest.mark.parametrize(
    ("told", "method", "payment"),
    [
        ("1", "B", Payment.PAID),
        ("0", "B", Payment.UNPAID),
        ("0", "Z", Payment.UNPAID),
        ("0", "R", Payment.PAID),
        ("0", "B1", Payment.PAID),
        ("", "B", None),
    ],
)
def test_an_order_is_paid_unpaid_or_paid_later_by_its_way_to_pay(
    told: str, method: str, payment: Payment | None
) -> None:
    more = f'<payment_status>{told}</payment_status><paymethod type="{method}">x</paymethod>'
    (found,) = read(order(("A", "1"), more=more))
    assert [each.payment for each in found.lines] == [payment]


def test_the_same_item_twice_is_one_line_with_both_amounts() -> None:
    (found,) = read(order(("A", "1"), ("", "4"), ("A", "2")))
    assert [(each.line, each.cell.item, each.quantity) for each in found.lines] == [
        ("V:000000000084:A", "V:000000000084:A", 3),
        ("P:000000000084", "P:000000000084", 4),
    ]


@pytest.mark.parametrize("date", ["2026/01/10 12:00:00", "2026-01-10 12:00:00", "20260110120000", "2026/1/10 12:00"])
def test_dates_are_japans_in_whichever_form(date: str) -> None:
    (found,) = read(order(("A", "1"), date=date))
    assert found.placed_at == START


def test_none_one_and_many_orders_are_all_lists() -> None:
    assert read() == []
    assert len(read(order(("A", "1")))) == 1
    late, early = order(number="PB2", date="2026/01/10 12:00:01"), order(number="PB9")
    assert [each.number for each in read(late, early)] == ["PB9", "PB2"]


def test_lines_stand_under_the_order_or_under_its_delivery() -> None:
    nested = LINE.format(code="A", amount="2")
    text = (
        "<order><ordernum>PB1</ordernum><date>2026/01/10 12:00:00</date><status>1</status>"
        f"<deliveries><delivery><commodities>{nested}</commodities></delivery></deliveries></order>"
    )
    assert [each.quantity for each in read(text)[0].lines] == [2]


@pytest.mark.parametrize("encoding", ["utf-8", "euc-jp", "shift_jis"])
def test_a_code_with_a_tilde_is_the_same_text_as_in_the_shops_files(encoding: str) -> None:
    tilde = "\u301c" if encoding != "utf-8" else "\uff5e"
    (found,) = read(order((f"S{tilde}M", "1")), encoding=encoding)
    assert found.lines[0].cell.item == "V:000000000084:S\uff5eM"


def test_a_name_with_a_byte_that_is_no_character_hides_no_order() -> None:
    text = '<?xml version="1.0" encoding="EUC-JP"?><orders>' + order(("A", "1"), more="<name>@@</name>") + "</orders>"
    raw = text.encode("euc_jp").replace(b"@@", b"\xad\xa1\xfc\xfe")
    assert len(orders.read_orders(xml.parse(raw))) == 1


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE o [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE o SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE o [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]>',
    ],
)
def test_entities_and_document_types_are_refused(declaration: str) -> None:
    with pytest.raises(xml.NotXml, match="document type or entity"):
        xml.parse(f"{declaration}<orders>&x;</orders>".encode())


@pytest.mark.parametrize("body", [b"", b"FAILURE", b"<orders>", b"<orders/><orders/>", b"\xff\xfe<\x00"])
def test_what_is_not_xml_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(xml.NotXml):
        xml.parse(body)


def test_depth_size_and_foreign_encodings_are_bounded() -> None:
    with pytest.raises(xml.NotXml, match="deep"):
        xml.parse(b"<a>" * 100 + b"</a>" * 100)
    with pytest.raises(xml.NotXml, match="more than"):
        xml.parse(b" " * (xml.MAX_BYTES + 1))
    with pytest.raises(xml.NotXml, match="encoding"):
        xml.parse(b'<?xml version="1.0" encoding="utf-7"?><orders/>')
    assert xml.parse("<a>～</a>".encode("cp932"), "text/xml; charset=Shift_JIS").text == "～"


@pytest.mark.parametrize(
    "broken",
    [
        order(("A", "1"), number=""),
        order(("A", "one")),
        order(("A", "-1")),
        order(("A", "1"), date="yesterday"),
        order(("A", "1"), date="2026/13/40 12:00:00"),
        order(("A", "1")).replace("000000000084", "84"),
    ],
)
def test_an_order_of_unknown_form_is_refused_without_naming_a_person(broken: str) -> None:
    with pytest.raises(orders.UnknownOrder) as caught:
        read(broken.replace("</order>", "<buyer><name>NAME</name></buyer></order>"))
    assert "NAME" not in str(caught.value)


def test_the_query_asks_a_second_more_in_japans_time_and_for_cancelled_orders_too() -> None:
    window = orders.Window(START, START + timedelta(minutes=5), last=True)
    values = parse_qs(orders.query("exampleshop", "code", "inventory-sync", window))
    assert values["start"] == ["20260110115959"]
    assert values["end"] == ["20260110120500"]
    assert (values["cmd"], values["canceled"], values["shopid"]) == (["get"], ["1"], ["exampleshop"])


def test_parameters_are_url_encoded_euc_jp() -> None:
    window = orders.Window(START, START, last=True)
    assert "service=%BA%DF%B8%CB" in orders.query("s", "c", "在庫", window)


def test_the_halves_of_a_window_count_every_second_once() -> None:
    whole = orders.Window(START, START + timedelta(seconds=7), last=True)
    waiting, narrow = [whole], []
    while waiting:
        window = waiting.pop()
        if window.narrow:
            narrow.append(window)
        else:
            waiting += window.halves()
    found = [orders.Order("x", START + timedelta(seconds=second), ()) for second in range(8)]
    assert [sum(window.holds(each) for window in narrow) for each in found] == [1] * 8
