from __future__ import annotations

import json
from itertools import count

import pytest

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.errors import MalformedNotice, UnauthorizedNotice
from inventory_sync.systems.port import CellHint, NoticeKind
from inventory_sync.systems.smaregi import contract_of, definition
from inventory_sync.systems.smaregi.notices import SmaregiNoticeParser
from tests.systems.smaregi.smaregi_scripted import settings

SECRET = "0123456789abcdef"
CONTRACT = "sb_abc123d4"
STOCK = {
    "contractId": CONTRACT,
    "event": "pos:stock",
    "action": "edited",
    "ids": [
        {"id": "10235", "productId": "8000001", "storeId": "1"},
        {"id": "10236", "productId": "8000001", "storeId": "2"},
    ],
}


def headers(**changes: str | None) -> dict[str, str]:
    given: dict[str, str | None] = {
        "x_inventory_sync_secret": SECRET,
        "smaregi_contract_id": CONTRACT,
        "smaregi_event": "pos:stock",
        "smaregi_event_id": "5b1f0c9e-1111-4a2b-8c3d-000000000001",
        **changes,
    }
    return {name.replace("_", "-"): value for name, value in given.items() if value is not None}


def body(content: object = None, **changes: object) -> bytes:
    return json.dumps({**STOCK, **changes} if content is None else content).encode()


def parser(**changes: object) -> SmaregiNoticeParser:
    numbers = count(1)
    return SmaregiNoticeParser(settings(**changes), new_id=lambda: f"new{next(numbers)}")


def hint(item: str, location: str | None = None, reference: str | None = None) -> CellHint:
    return CellHint(ItemKey(item), None if location is None else LocationKey(location), reference=reference)


def test_a_stock_notice_names_cells_and_their_history_rows() -> None:
    notice = parser().parse(headers(), body())
    assert (notice.topic, notice.kind) == ("pos:stock", NoticeKind.LEVELS)
    assert notice.cells == (hint("8000001", "1", "10235"), hint("8000001", "2", "10236"))
    assert notice.id == "5b1f0c9e-1111-4a2b-8c3d-000000000001"


@pytest.mark.parametrize("action", ["bulk-update", "something-new", None])
def test_bulk_and_unknown_actions_are_read_alike(action: str | None) -> None:
    assert len(parser().parse(headers(), body(action=action)).cells) == 2


@pytest.mark.parametrize("store", ["0", "", None, "x"])
def test_a_row_without_a_store_means_every_store(store: str | None) -> None:
    notice = parser().parse(headers(), body(ids=[{"id": "1", "productId": "8000001", "storeId": store}]))
    assert notice.cells == (hint("8000001", None, "1"),)


def test_the_older_body_means_every_combination() -> None:
    older = {"contractId": CONTRACT, "event": "pos:stock", "action": "edited"}
    notice = parser().parse(headers(), body({**older, "storeIds": ["1", 2], "productIds": ["8000001", "8000002"]}))
    assert notice.cells == (
        hint("8000001", "1"),
        hint("8000001", "2"),
        hint("8000002", "1"),
        hint("8000002", "2"),
    )
    for stores in (["0"], [], None):
        notice = parser().parse(headers(), body({**older, "storeIds": stores, "productIds": ["8000001"]}))
        assert notice.cells == (hint("8000001"),)


def test_rows_that_cannot_be_read_do_not_cost_those_that_can() -> None:
    rows = ["?", {"id": "1"}, {"id": "2", "productId": True}, {"id": "3", "productId": 8000001, "storeId": 1}]
    assert parser().parse(headers(), body(ids=rows)).cells == (hint("8000001", "1", "3"),)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        body(ids={}),
        body(ids=[{"id": "1"}]),
        body({"contractId": CONTRACT, "event": 5}),
        body({"contractId": CONTRACT, "event": "pos:stock", "productIds": "8000001"}),
    ],
)
def test_a_body_that_says_nothing_readable_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedNotice) as caught:
        parser().parse(headers(smaregi_event=None), raw)
    assert caught.value.code == "IS-SMR-053"


def test_an_event_named_in_the_header_alone_is_enough() -> None:
    notice = parser().parse(headers(smaregi_event="pos:stores"), body({"contractId": CONTRACT}))
    assert (notice.topic, notice.kind) == ("pos:stores", NoticeKind.LOCATIONS)


def test_products_and_stores_are_told_apart_and_the_rest_has_no_effect() -> None:
    products = parser().parse(headers(), body({"event": "pos:products", "action": "deleted", "productIds": ["1", "2"]}))
    assert (products.kind, products.catalogue, products.cells) == (NoticeKind.CATALOGUE, ("1", "2"), ())
    stores = parser().parse(headers(), body({"event": "pos:stores", "action": "edited", "storeIds": ["1"]}))
    assert stores.kind is NoticeKind.LOCATIONS
    sale = parser().parse(headers(), body({"event": "pos:transactions", "transactionHeadIds": ["25"]}))
    assert (sale.topic, sale.kind) == ("pos:transactions", NoticeKind.OTHER)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("end", NoticeKind.UNINSTALLED),
        ("force-stop", NoticeKind.UNINSTALLED),
        ("start", NoticeKind.ACCESS),
        ("cancel-force-stop", NoticeKind.ACCESS),
        ("change-plan", NoticeKind.OTHER),
        ("change-options", NoticeKind.OTHER),
        (None, NoticeKind.OTHER),
    ],
)
def test_the_end_and_the_return_of_a_subscription_are_told(action: str | None, kind: NoticeKind) -> None:
    content = {"contractId": CONTRACT, "event": "AppSubscription", "action": action}
    assert parser().parse(headers(smaregi_event="AppSubscription"), body(content)).kind is kind


@pytest.mark.parametrize("given", [None, "", "0123456789abcdeX", "0123456789abcdef ", "0123456789abcde", "秘密"])
def test_a_missing_or_wrong_secret_is_refused(given: str | None) -> None:
    with pytest.raises(UnauthorizedNotice) as caught:
        parser().parse(headers(x_inventory_sync_secret=given), body())
    assert caught.value.code == "IS-SMR-051"
    assert SECRET not in caught.value.message


def test_during_a_rotation_both_secrets_count_and_afterwards_only_the_new_one() -> None:
    new = "fedcba9876543210"
    rotating = parser(webhook_secret=new, previous_webhook_secret=SECRET)
    for secret in (new, SECRET):
        assert rotating.parse(headers(x_inventory_sync_secret=secret), body()).cells
    with pytest.raises(UnauthorizedNotice):
        parser(webhook_secret=new).parse(headers(x_inventory_sync_secret=SECRET), body())


def test_the_secret_may_come_in_a_header_of_another_name() -> None:
    named = parser(webhook_header="X-Shop-Key")
    assert named.parse(headers(x_inventory_sync_secret=None, x_shop_key=SECRET), body()).cells
    with pytest.raises(UnauthorizedNotice):
        named.parse(headers(), body())


def test_without_a_secret_in_the_settings_no_notice_is_believed() -> None:
    with pytest.raises(UnauthorizedNotice) as caught:
        parser(webhook_secret=None).parse(headers(x_inventory_sync_secret=""), body())
    assert caught.value.code == "IS-SMR-050"


def test_a_notice_of_another_contract_is_refused_whether_header_or_body_says_so() -> None:
    for given, content in ((headers(smaregi_contract_id="sb_other"), body()), (headers(), body(contractId="sb_other"))):
        with pytest.raises(UnauthorizedNotice) as caught:
            parser().parse(given, content)
        assert caught.value.code == "IS-SMR-052"
    nameless = {name: value for name, value in STOCK.items() if name != "contractId"}
    assert parser().parse(headers(smaregi_contract_id=None), body(nameless)).cells


def test_without_an_event_id_a_repeated_stock_notice_is_recognised_by_its_body() -> None:
    given = headers(smaregi_event_id=None)
    reader = parser()
    first, again = reader.parse(given, body()), reader.parse(given, body())
    other = reader.parse(given, body(ids=[{"id": "10237", "productId": "8000001", "storeId": "1"}]))
    assert first.id == again.id
    assert first.id != other.id


@pytest.mark.parametrize(
    "content",
    [
        {"event": "pos:products", "action": "edited", "productIds": ["1"]},
        {"event": "pos:stock", "action": "edited", "storeIds": ["1"], "productIds": ["8000001"]},
        {"event": "pos:stock", "action": "edited", "ids": [{"productId": "8000001", "storeId": "1"}]},
        {"event": "pos:stock", "action": "edited", "ids": []},
    ],
)
def test_bodies_that_two_events_may_share_are_never_taken_for_repetitions(content: dict[str, object]) -> None:
    reader = parser()
    given = headers(smaregi_event_id=None)
    assert reader.parse(given, body(content)).id != reader.parse(given, body(content)).id


def test_the_contract_is_found_before_anything_is_proved() -> None:
    assert contract_of(headers(), b"") == CONTRACT
    assert contract_of(headers(smaregi_contract_id=None), body()) == CONTRACT
    for raw in (b"", b"x", b"[]", b'{"contractId":5}', b'{"contractId":""}'):
        assert contract_of({}, raw) is None


def test_the_definition_makes_a_parser_that_numbers_nameless_notices_itself() -> None:
    assert definition.make_notice_parser is not None
    reader = definition.make_notice_parser(settings())
    given = headers(smaregi_event_id=None)
    ids = {reader.parse(given, body({"event": "pos:products", "productIds": ["1"]})).id for _ in range(3)}
    assert len(ids) == 3
