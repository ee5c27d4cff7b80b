"""A route in the configuration file is accepted only where it has a meaning, and no text breaks the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory_sync.config import ConfigError, ConfigErrors, Direction, LocationPair


def route_error(config: Any, *lines: str) -> ConfigError:
    """The one error of a file whose route has these lines from line 15 on."""
    error: ConfigError = config.only_error(
        config.CONNECTIONS + config.ROUTE + "".join(f"    {line}\n" for line in lines)
    )
    return error


@pytest.mark.parametrize(
    ("line", "field", "code", "words"),
    [
        ("sales: expect", "sales", "IS-CFG-026", "Write `post`"),
        ("sales: posts", "sales", "IS-CFG-018", "'post'"),
        ("booked_within: 60m", "booked_within", "IS-CFG-026", "expect"),
        ("pool: {ledger: ['1'], intake: '1'}", "pool", "IS-CFG-026", "pairs under `locations:`"),
        ("direction: ledger_to_channel", "direction", "IS-CFG-026", "`two_way`"),
        ("direction: both", "direction", "IS-CFG-018", "two_way, channel_to_ledger"),
        ("direction: channel_to_ledger", "align", "IS-CFG-030", "`align: channel_wins`"),
        ("quantity: {ledger: free}", "quantity.ledger", "IS-CFG-026", "Write `stock`"),
        ("quantity: {channel: on_hand}", "quantity.channel", "IS-CFG-026", "twice"),
        ("quantity: {channel: all}", "quantity.channel", "IS-CFG-018", "available"),
        ("match: {ledger_field: sku}", "match.ledger_field", "IS-CFG-027", "product_code, barcode"),
        ("match: {channel_field: [skus]}", "match.channel_field", "IS-CFG-027", "'sku'"),
        ("match: {channel_field: [sku, barcode]}", "match.channel_field", "IS-CFG-026", "one field"),
        ("match: {channel_field: []}", "match.channel_field", "IS-CFG-017", "empty"),
        ("match: {field: sku}", "match.field", "IS-CFG-015", "ledger_field"),
        ("locations: [{ledger: '1'}]", "locations[0].channel", "IS-CFG-017", "channel"),
        ("locations: ['1']", "locations[0]", "IS-CFG-016", "key: value"),
        ("locations: {ledger: '1', channel: '2'}", "locations", "IS-CFG-016", "list"),
        ("state: running", "locations", "IS-CFG-017", "- {ledger"),
        ("state: watching", "state", "IS-CFG-026", "`stopped` or `running`"),
        ("state: runing", "state", "IS-CFG-018", "'running'"),
        ("publish: {percent: 120}", "publish.percent", "IS-CFG-029", "0 to 100"),
        ("publish: {buffer: -1}", "publish.buffer", "IS-CFG-029", "0 to"),
        ("publish: {percent: 50%}", "publish.percent", "IS-CFG-016", "digits"),
        ("publish: {percent: true}", "publish.percent", "IS-CFG-016", "digits"),
        ("publish: {maximum: 5}", "publish.maximum", "IS-CFG-015", "'max'"),
        ("align: manual", "align", "IS-CFG-018", "ledger_wins"),
        ("stat: running", "stat", "IS-CFG-015", "'state'"),
    ],
)
def test_a_wrong_line_of_a_route_is_refused_at_its_field_with_what_would_be_right(
    config: Any, line: str, field: str, code: str, words: str
) -> None:
    error = route_error(config, line)
    assert (error.field, error.code) == (f"routes.pos-shop.{field}", code)
    assert words in f"{error.message} {error.remedy}"
    written = line.startswith(field.partition(".")[0].partition("[")[0] + ":")
    assert error.line == (15 if written else 12)


@pytest.mark.parametrize("publish", ["{percent: 50}", "{max: 5}"])
def test_the_channel_cannot_win_where_it_is_told_less_than_the_stock(config: Any, publish: str) -> None:
    error = route_error(config, "align: channel_wins", f"publish: {publish}")
    assert (error.line, error.field, error.code) == (15, "routes.pos-shop.align", "IS-CFG-030")


def test_a_route_that_never_writes_the_channel_is_accepted_with_an_alignment_that_fits(config: Any) -> None:
    text = config.CONNECTIONS + config.ROUTE + "    direction: channel_to_ledger\n    align: channel_wins\n"
    assert config.load(text).routes[0].direction is Direction.CHANNEL_TO_LEDGER
    error = config.only_error(text + "    publish: {buffer: 1}\n")
    assert (error.field, error.code) == ("routes.pos-shop.publish", "IS-CFG-030")


@pytest.mark.parametrize(
    ("before", "after", "field", "code", "words"),
    [
        ("ledger: pos", "ledger: pso", "ledger", "IS-CFG-022", "'pos'"),
        ("    ledger: pos\n", "", "ledger", "IS-CFG-017", "name of a connection"),
        ("ledger: pos", "ledger: shop", "ledger", "IS-CFG-023", "Stall cannot be the ledger"),
        ("channel: shop", "channel: pos", "channel", "IS-CFG-024", "two different"),
    ],
)
def test_a_route_joins_two_connections_that_exist_and_can_play_their_part(
    config: Any, before: str, after: str, field: str, code: str, words: str
) -> None:
    found = [
        each for each in config.errors(config.CONNECTIONS + config.ROUTE.replace(before, after)) if each.code == code
    ]
    assert [each.field for each in found] == [f"routes.pos-shop.{field}"]
    assert words in f"{found[0].message} {found[0].remedy}"


def test_a_route_may_refer_to_a_connection_that_is_stored_and_not_in_the_file(config: Any) -> None:
    document = config.load(config.ROUTE, known_connections={"pos": "till", "shop": "stall"})
    assert document.connections == ()
    assert document.routes[0].channel_fields == ("sku",)


def test_a_connection_that_is_wrong_does_not_make_its_routes_wrong_too(config: Any) -> None:
    found = config.errors(
        config.CONNECTIONS.replace("sb_0123", "99").replace("system: stall", "system: stal") + config.ROUTE
    )
    assert {each.field for each in found} == {"connections.pos.contract_id", "connections.shop.system"}


def test_a_location_that_stands_twice_on_a_side_is_an_error_naming_both_lines(config: Any) -> None:
    lines = ("locations:", "  - {ledger: a, channel: x}", "  - {ledger: b, channel: x}", "  - {ledger: a, channel: y}")
    found = config.errors(config.CONNECTIONS + config.ROUTE + "".join(f"    {line}\n" for line in lines))
    assert [(each.line, each.field, each.code) for each in found] == [
        (17, "routes.pos-shop.locations[1].channel", "IS-CFG-028"),
        (18, "routes.pos-shop.locations[2].ledger", "IS-CFG-028"),
    ]
    assert all("already on line 16" in each.message for each in found)


def test_the_same_key_may_stand_once_on_each_side(config: Any) -> None:
    text = config.CONNECTIONS + config.ROUTE + "    locations: [{ledger: a, channel: b}, {ledger: b, channel: a}]\n"
    assert config.load(text).routes[0].locations == (LocationPair("a", "b"), LocationPair("b", "a"))


def test_two_routes_between_the_same_connections_share_no_location(config: Any) -> None:
    shared = "    locations: [{ledger: a, channel: b}]\n"
    other = "  again:\n    ledger: pos\n    channel: shop\n    locations: [{ledger: a, channel: c}]\n"
    error = config.only_error(config.CONNECTIONS + config.ROUTE + shared + other)
    assert (error.line, error.field, error.code) == (15 + 1, "routes.again.locations", "IS-CFG-028")
    assert "'pos-shop' on line 15" in error.message


THREE = "connections: {a: {system: both}, b: {system: both}, c: {system: both}}\nroutes:\n"


def test_routes_that_form_a_cycle_are_refused_with_the_way_round(config: Any) -> None:
    routes = "  one: {ledger: a, channel: b}\n  two: {ledger: b, channel: c}\n  three: {ledger: c, channel: a}\n"
    error = config.only_error(THREE + routes)
    assert (error.line, error.field, error.code) == (5, "routes.three", "IS-CFG-025")
    assert "c → a → b → c" in error.message


def test_a_chain_of_routes_is_no_cycle(config: Any) -> None:
    routes = "  one: {ledger: a, channel: b}\n  two: {ledger: b, channel: c}\n  three: {ledger: a, channel: c}\n"
    assert len(config.load(THREE + routes).routes) == 3


def test_a_cycle_through_a_stored_route_is_refused_unless_the_file_changes_that_route(config: Any) -> None:
    routes = "  one: {ledger: a, channel: b}\n"
    error = config.only_error(THREE + routes, known_routes={"old": ("b", "a")})
    assert error.code == "IS-CFG-025"
    assert config.load(THREE + routes, known_routes={"one": ("b", "a")}).routes[0].ledger == "a"


words = st.sampled_from(
    [
        "connections",
        "routes",
        "pos",
        "system",
        "till",
        "ledger",
        "channel",
        "match",
        "publish",
        "max",
        "locations",
        "client_secret",
        "state",
        "running",
        "null",
        "~",
        "1",
        "-1",
        "true",
        "${X}",
        "$${",
        "&a",
        "*a",
        "!t",
        "<<",
        "'",
    ]
)
glue = st.sampled_from(
    [": ", ":\n  ", ":\n    ", "\n", "\n  ", "\n    - ", "- ", "{", "}", "[", "]", ", ", "\t", "? ", "|\n"]
)
yaml_like = st.lists(words | glue, max_size=40).map("".join)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | words
shapes = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4))


def refusals(config: Any, text: str) -> tuple[ConfigError, ...]:
    try:
        config.load(text)
    except ConfigErrors as refused:
        return refused.errors or pytest.fail("refused without a reason")
    return ()


@given(st.text(max_size=200) | yaml_like)
@example("a: &a [*a]\n")
@example("connections: &a {x: *a}\n")
@example("%YAML 9.9\n---\n")
@example("connections: {? : {}}\n")
@example("routes:\n  a: {ledger: 9999999999999999999999}\n")
def test_no_text_raises_anything_but_config_errors(config: Any, text: str) -> None:
    for error in refusals(config, text):
        assert error.code.startswith("IS-")
        assert 1 <= error.line <= text.count("\n") + text.count("\r") + 2
        assert error.message
        assert error.remedy


@given(st.dictionaries(st.sampled_from(["connections", "routes"]), st.dictionaries(words, shapes, max_size=3)))
def test_no_shape_of_values_raises_anything_but_config_errors(config: Any, shape: dict[str, Any]) -> None:
    for error in refusals(config, json.dumps(shape)):
        assert error.remedy
