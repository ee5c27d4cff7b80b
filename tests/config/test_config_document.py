"""A configuration file is read exactly as written, or refused with everything that is wrong and where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inventory_sync.config import (
    ConfigDocument,
    ConfigErrors,
    Direction,
    LocationPair,
    RouteState,
    Sales,
    load_document,
)
from inventory_sync.model.alignment import AlignPolicy
from inventory_sync.model.publish import PublishRule


def test_a_whole_file_is_read_with_its_secrets_apart_and_its_variables_expanded(config: Any) -> None:
    document = config.load(
        config.CONNECTIONS
        + config.ROUTE
        + """\
    direction: two_way
    sales: post
    quantity: {ledger: stock, channel: available}
    match: {ledger_field: barcode, channel_field: [barcode]}
    locations:
      - {ledger: 01, channel: "gid://stall/Location/9"}
    publish: {buffer: 2, percent: 50, max: 10}
    align: keep_difference
    state: running
"""
    )
    pos, shop = document.connections
    assert (pos.name, pos.system) == ("pos", "till")
    assert pos.settings == {"contract_id": "sb_0123", "client_id": "till-client"}
    assert pos.secrets == {"client_secret": config.SECRET}
    assert shop.settings == {"shop": "demo"}
    assert shop.secrets == {"access_token": "token ${not a variable}"}
    (route,) = document.routes
    assert (route.name, route.ledger, route.channel) == ("pos-shop", "pos", "shop")
    assert (route.ledger_field, route.channel_fields) == ("barcode", ("barcode",))
    assert route.locations == (LocationPair("01", "gid://stall/Location/9"),)
    assert route.publish == PublishRule(buffer=2, percent=50, maximum=10)
    assert (route.align, route.state) == (AlignPolicy.KEEP_DIFFERENCE, RouteState.RUNNING)


def test_what_a_route_leaves_out_has_a_default_and_the_route_is_stopped(config: Any) -> None:
    (route,) = config.load(config.CONNECTIONS + config.ROUTE).routes
    assert (route.direction, route.sales) == (Direction.TWO_WAY, Sales.POST)
    assert (route.ledger_quantity, route.channel_quantity) == ("stock", "available")
    assert (route.ledger_field, route.channel_fields) == ("product_code", ("sku",))
    assert (route.publish, route.align) == (PublishRule(), AlignPolicy.LEDGER_WINS)
    assert (route.state, route.locations) == (RouteState.STOPPED, ())


def test_secrets_are_not_shown_by_the_document(config: Any) -> None:
    assert config.SECRET not in repr(config.load(config.CONNECTIONS))


@pytest.mark.parametrize("text", ["connections: {}\n", "connections:\nroutes:\n"])
def test_a_file_that_says_there_is_nothing_is_valid(config: Any, text: str) -> None:
    assert config.load(text) == ConfigDocument((), ())


def test_a_code_without_quotes_stays_as_it_was_written(config: Any) -> None:
    text = config.CONNECTIONS.replace("${TILL_ID}", "0012")
    assert config.load(text).connections[0].settings["client_id"] == "0012"


def test_a_file_is_read_from_its_path_and_named_in_its_errors(config: Any, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("\ufeff" + config.CONNECTIONS, encoding="utf-8")
    assert len(load_document(path, config.ENVIRON, config.SYSTEMS).connections) == 2
    path.write_text("connection: {}\n", encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load_document(path, config.ENVIRON, config.SYSTEMS)
    assert str(caught.value).startswith(f"{path}:1:1: connection: 'connection' is not known here. Did you mean")


def test_a_path_without_a_file_and_a_file_that_is_not_text_are_errors(config: Any, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none", tmp_path / "binary", tmp_path):
        with pytest.raises(ConfigErrors) as caught:
            load_document(path, config.ENVIRON, config.SYSTEMS)
        assert caught.value.errors[0].code == "IS-CFG-010"


def stored(secrets: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {"stored_secrets": lambda name: secrets.get(name, {})}


def test_a_secret_that_is_stored_may_be_left_out(config: Any) -> None:
    document = config.load(config.WITHOUT_SECRET, **stored({"pos": {"client_secret": config.SECRET}}))
    assert document.connections[0].secrets == {}
    assert document.connections[0].stored == ("client_secret",)


def test_a_secret_in_the_file_takes_the_place_of_the_stored_one(config: Any) -> None:
    document = config.load(
        config.CONNECTIONS, **stored({"pos": {"client_secret": "an older one", "webhook_secret": "kept-secret"}})
    )
    assert document.connections[0].secrets == {"client_secret": config.SECRET}
    assert document.connections[0].stored == ("webhook_secret",)


def test_a_secret_that_is_neither_stored_nor_written_is_asked_for_by_name(config: Any) -> None:
    error = config.only_error(config.WITHOUT_SECRET, **stored({"pos": {"webhook_secret": config.SECRET}}))
    assert (error.line, error.field, error.code) == (2, "connections.pos.client_secret", "IS-CFG-021")
    assert error.remedy == "Add `client_secret: ${POS_CLIENT_SECRET}`."


def test_stored_secrets_of_another_way_to_sign_in_do_not_stand_in_the_way(config: Any) -> None:
    document = config.load(config.CONNECTIONS, **stored({"shop": {"client_secret": "of the other way"}}))
    assert document.connections[1].secrets == {"access_token": "token ${not a variable}"}
    assert document.connections[1].stored == ()


SECRET_LINE = "client_secret: ${TILL_SECRET}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("contract_id: sb_0123", "contract_id: the-secret"),
        ("client_secret: ${", "client_secrt: ${"),
        (SECRET_LINE, "client_secret: *the-secret"),
        (SECRET_LINE, "client_secret: [the-secret]"),
        (SECRET_LINE, "client_secret:the-secret"),
        (SECRET_LINE, "{client_secret:the-secret}"),
        (SECRET_LINE, 'client_secret: "the-secret'),
        (SECRET_LINE, "client_secret: !the-secret x"),
        ("system: till", "system: ${TILL_SECRET}"),
        ("contract_id: sb_0123", "contract_id: ${TILL_SECRET}"),
        ("ledger: pos", "ledger: ${TILL_SECRET}"),
        ("channel: shop", "channel: shop\n    state: ${TILL_SECRET}"),
        ("channel: shop", "channel: shop\n    publish: {buffer: '${TILL_SECRET}'}"),
    ],
)
def test_no_error_ever_shows_a_secret_or_an_expanded_variable(config: Any, before: str, after: str) -> None:
    valid = config.CONNECTIONS.replace("${TILL_ID}", "${TILL_SECRET}") + config.ROUTE
    assert before in valid
    for error in config.errors(valid.replace(before, after.replace("the-secret", config.SECRET))):
        assert config.SECRET not in str(error)
        assert config.SECRET not in error.japanese


def test_a_secret_that_the_system_refuses_is_not_shown_either(config: Any) -> None:
    error = config.only_error(config.CONNECTIONS.replace("${TILL_SECRET}", "abc1234"))
    assert (error.field, error.code) == ("connections.pos.client_secret", "IS-CFG-001")
    assert error.message == "… is shorter than 8 characters"
    assert "abc1234" not in error.japanese


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("", 1, "IS-CFG-017"),
        ("# nothing\n", 1, "IS-CFG-017"),
        ("{}", 1, "IS-CFG-017"),
        ("connections: {}\n\troutes: {}\n", 2, "IS-CFG-012"),
        ("connections:\n  pos: [\n", 3, "IS-CFG-011"),
        ("connections: {}\n---\nroutes: {}\n", 2, "IS-CFG-011"),
        ("connections: \x07\n", 1, "IS-CFG-011"),
        ("[" * 3000, 1, "IS-CFG-011"),
        ("- connections\n", 1, "IS-CFG-016"),
        ("connections: []\n", 1, "IS-CFG-016"),
        ("connections: {}\nroutes: running\n", 2, "IS-CFG-016"),
        ("connections: &all {}\n", 1, "IS-CFG-014"),
        ("connections: !all {}\n", 1, "IS-CFG-014"),
        ("<<: {connections: {}}\n", 1, "IS-CFG-014"),
        ("? [a]\n: b\n", 1, "IS-CFG-016"),
    ],
)
def test_what_is_not_a_plain_group_of_lines_is_refused_with_its_line(
    config: Any, text: str, line: int, code: str
) -> None:
    found = config.errors(text)
    assert (found[0].line, found[0].code) == (line, code)
    assert found[0].remedy


def test_a_key_that_stands_twice_is_an_error_naming_both_lines(config: Any) -> None:
    error = config.only_error(config.CONNECTIONS.replace("    client_id:", "    contract_id: sb_9\n    client_id:"))
    assert (error.line, error.column, error.field) == (5, 5, "connections.pos.contract_id")
    assert "already on line 4" in error.message
    assert error.code == "IS-CFG-013"


def test_a_missing_variable_is_named_with_the_nearest_one_that_is_set(config: Any) -> None:
    error = config.only_error(config.CONNECTIONS.replace("${TILL_ID}", "${TILL_IDS}"))
    assert (error.line, error.field, error.code) == (5, "connections.pos.client_id", "IS-CFG-019")
    assert "TILL_IDS" in error.message
    assert "TILL_ID?" in error.remedy


@pytest.mark.parametrize("written", ["${TILL_ID", "${1X}", "${}", "${a b}"])
def test_what_is_no_variable_is_refused_and_the_escape_is_said(config: Any, written: str) -> None:
    error = config.only_error(config.CONNECTIONS.replace("${TILL_ID}", f"'{written}'"))
    assert (error.line, error.code) == (5, "IS-CFG-019")
    assert "$${" in error.remedy


@pytest.mark.parametrize(
    ("before", "after", "line", "field", "code", "words"),
    [
        ("system: till", "system: tell", 3, "connections.pos.system", "IS-CFG-002", "till"),
        ("    system: till\n", "", 2, "connections.pos.system", "IS-CFG-017", "till, stall"),
        ("client_id:", "clientid:", 5, "connections.pos.clientid", "IS-CFG-015", "'client_id'"),
        ("contract_id: sb_0123", "contract_id: 99", 4, "connections.pos.contract_id", "IS-CFG-001", "begins with sb_"),
        ("contract_id: sb_0123", "contract_id: {a: b}", 4, "connections.pos.contract_id", "IS-CFG-001", "string"),
        ("${TILL_SECRET}", "${EMPTY}", 6, "connections.pos.client_secret", "IS-CFG-017", "no value"),
        ("  pos:", "  Pos:", 2, "connections.Pos", "IS-CFG-020", "a-z"),
        ("demo.example", "demo/example", 9, "connections.shop.shop", "IS-STL-004", "Write the shop's name"),
        ("    access_token:", "    # access_token:", 7, "connections.shop", "IS-CFG-001", "either access_token"),
    ],
)
def test_a_wrong_connection_is_refused_at_its_line_with_what_would_be_right(
    config: Any, before: str, after: str, line: int, field: str, code: str, words: str
) -> None:
    found = [each for each in config.errors(config.CONNECTIONS.replace(before, after, 1)) if each.field == field]
    assert [(each.line, each.code) for each in found] == [(line, code)]
    assert words in f"{found[0].message} {found[0].remedy}"


@pytest.mark.parametrize(
    ("setting", "line", "field"),
    [
        ("retries: many", 7, "connections.pos.retries"),
        ("mode: life", 7, "connections.pos.mode"),
        ("stores: [1, two]", 7, "connections.pos.stores[1]"),
        ("stores: 1", 7, "connections.pos.stores"),
    ],
)
def test_the_systems_own_check_of_a_setting_is_shown_at_its_place(
    config: Any, setting: str, line: int, field: str
) -> None:
    error = config.only_error(config.CONNECTIONS.replace("  shop:\n", f"    {setting}\n  shop:\n", 1))
    assert (error.line, error.field, error.code) == (line, field, "IS-CFG-001")
    assert "what till needs" in error.remedy


def test_settings_of_other_types_are_read_as_the_system_declares_them(config: Any) -> None:
    text = config.CONNECTIONS.replace(
        "  shop:\n", "    retries: ${SHORT}\n    stores: [1, 02]\n    mode: sandbox\n  shop:\n", 1
    )
    settings = config.load(text).connections[0].settings
    assert (settings["retries"], settings["stores"], settings["mode"]) == (7, [1, 2], "sandbox")


def test_every_error_is_told_at_once_in_the_order_of_the_file(config: Any) -> None:
    text = (
        config.CONNECTIONS.replace("sb_0123", "99").replace("${TILL_ID}", "${NO}")
        + config.ROUTE
        + "    state: on\n    x: 1\n"
    )
    found = config.errors(text)
    assert [each.line for each in found] == sorted(each.line for each in found)
    assert {each.field for each in found} == {
        "connections.pos.contract_id",
        "connections.pos.client_id",
        "routes.pos-shop.state",
        "routes.pos-shop.x",
    }


def test_the_system_of_a_stored_connection_never_changes(config: Any) -> None:
    error = config.only_error(config.CONNECTIONS, known_connections={"pos": "stall"})
    assert (error.line, error.field, error.code) == (3, "connections.pos.system", "IS-CFG-031")
