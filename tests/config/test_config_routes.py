"""A route in the configuration file is accepted only where it has a meaning, and no text breaks the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory_sync.config import ConfigError, ConfigErrors, Direction, Listings, LocationPair, Pool, Sales


def route_error(config: Any, *lines: str) -> ConfigError:
    """The one error of a file whose route has these lines from line 15 on."""
    error: ConfigError = config.only_error(
        config.CONNECTIONS + config.ROUTE + "".join(f"    {line}\n" for line in lines)
    )
    return error


@pytest.mark.parametrize(
    ("line", "field", "code", "words"),
    [
        ("sales: posts", "sales", "IS-CFG-018", "'post'"),
        ("booked_within: 60m", "booked_within", "IS-CFG-032", "expect"),
        ("pool: {ledger: ['1', '2'], intake: '3'}", "pool.intake", "IS-CFG-018", "1, 2"),
        ("pool: {ledger: ['1', '1'], intake: '1'}", "pool.ledger[1]", "IS-CFG-028", "already on line 15"),
        ("pool: {ledger: [], intake: '1'}", "pool.ledger", "IS-CFG-017", "summed"),
        ("pool: {ledger: ['1']}", "pool.intake", "IS-CFG-017", "takes what comes back"),
        ("pool: {intake: '1'}", "pool.ledger", "IS-CFG-017", "summed"),
        ("pool: ['1']", "pool", "IS-CFG-016", "key: value"),
        ("intake: shipment", "intake", "IS-CFG-033", "出荷"),
        ("intake: sale", "intake", "IS-CFG-018", "adjustment"),
        ("listings: many", "listings", "IS-CFG-018", "one, same"),
        ("direction: both", "direction", "IS-CFG-018", "two_way, channel_to_ledger"),
        ("direction: channel_to_ledger", "align", "IS-CFG-030", "`align: channel_wins`"),
        ("quantity: {ledger: free}", "quantity.ledger", "IS-CFG-033", "`stock`"),
        ("quantity: {ledger: on_hand}", "quantity", "IS-CFG-033", "does not show it"),
        ("quantity: {channel: on_hand}", "quantity.channel", "IS-CFG-026", "twice"),
        ("quantity: {channel: all}", "quantity.channel", "IS-CFG-018", "available"),
        ("match: {ledger_field: sku}", "match.ledger_field", "IS-CFG-027", "product_code, barcode"),
        ("match: {channel_field: [skus]}", "match.channel_field", "IS-CFG-027", "'sku'"),
        ("match: {channel_field: [sku, sku]}", "match.channel_field", "IS-CFG-013", "Keep one"),
        ("match: {channel_field: []}", "match.channel_field", "IS-CFG-017", "empty"),
        ("match: {field: sku}", "match.field", "IS-CFG-015", "ledger_field"),
        ("locations: [{ledger: '1'}]", "locations[0].channel", "IS-CFG-017", "channel"),
        ("locations: ['1']", "locations[0]", "IS-CFG-016", "key: value"),
        ("locations: {ledger: '1', channel: '2'}", "locations", "IS-CFG-016", "list"),
        ("state: running", "locations", "IS-CFG-017", "- {ledger"),
        ("state: watching", "locations", "IS-CFG-017", "- {ledger"),
        ("state: runing", "state", "IS-CFG-018", "'running'"),
        ("publish: {percent: 120}", "publish.percent", "IS-CFG-029", "0 to 100"),
        ("publish: {buffer: -1}", "publish.buffer", "IS-CFG-029", "0 to"),
        ("publish: {percent: 50%}", "publish.percent", "IS-CFG-016", "digits"),
        ("publish: {percent: true}", "publish.percent", "IS-CFG-016", "digits"),
        ("publish: {maximum: 5}", "publish.maximum", "IS-CFG-015", "'max'"),
        ("publish: {buffer: automatic}", "publish.buffer", "IS-CFG-016", "digits"),
        ("publish: {end_when: -1}", "publish.end_when", "IS-CFG-029", "0 to"),
        ("publish: {buffer_max: 5}", "publish.buffer_max", "IS-CFG-032", "buffer: auto"),
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


@pytest.mark.row("S4-30")
def test_several_fields_of_the_channel_are_tried_in_their_order(config: Any) -> None:
    text = config.CONNECTIONS + config.ROUTE + "    match: {channel_field: [barcode, sku]}\n"
    assert config.load(text).routes[0].channel_fields == ("barcode", "sku")


def test_a_route_without_more_has_the_plain_terms(config: Any) -> None:
    route = config.load(config.CONNECTIONS + config.ROUTE).routes[0]
    assert (route.sales, route.booked_within, route.intake) == (Sales.POST, 3600, "adjustment")
    assert (route.ledger_quantity, route.channel_quantity, route.listings) == ("stock", "available", Listings.ONE)
    assert (route.pool, route.codes, route.sets) == (None, (), ())


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("60m", 3600), ("24h", 86_400), ("3d", 259_200), ("90d", 7_776_000)]
)
def test_the_time_within_which_somebody_else_books_is_a_number_and_a_unit(
    config: Any, written: str, seconds: int
) -> None:
    text = config.CONNECTIONS + config.ROUTE + f"    sales: expect\n    booked_within: {written}\n"
    assert config.load(text).routes[0].booked_within == seconds


@pytest.mark.parametrize(
    ("written", "code"),
    [("60", "IS-CFG-016"), ("1h30m", "IS-CFG-016"), ("-5m", "IS-CFG-016"), ("0s", "IS-CFG-029"), ("91d", "IS-CFG-029")],
)
def test_any_other_time_is_refused(config: Any, written: str, code: str) -> None:
    error = route_error(config, "sales: expect", f"booked_within: {written}")
    assert (error.line, error.field, error.code) == (16, "routes.pos-shop.booked_within", code)


def test_a_one_way_route_expects_the_sales_to_be_booked_by_somebody_else(config: Any) -> None:
    text = config.CONNECTIONS + config.ROUTE + "    direction: ledger_to_channel\n"
    assert config.load(text).routes[0].sales is Sales.EXPECT
    error = config.only_error(text + "    sales: post\n")
    assert (error.field, error.code) == ("routes.pos-shop.sales", "IS-CFG-032")
    assert "`direction: two_way`" in error.remedy
    error = config.only_error(text + "    align: channel_wins\n")
    assert (error.field, error.code) == ("routes.pos-shop.align", "IS-CFG-030")


def test_a_route_that_only_books_cannot_leave_the_booking_to_somebody_else(config: Any) -> None:
    error = route_error(config, "direction: channel_to_ledger", "align: channel_wins", "sales: expect")
    assert (error.line, error.field, error.code) == (17, "routes.pos-shop.sales", "IS-CFG-032")


@pytest.mark.row("S4-25")
def test_movements_are_booked_as_adjustments_and_as_shipments_only_where_their_form_is_confirmed(config: Any) -> None:
    text = config.CONNECTIONS + config.ROUTE
    assert config.load(text).routes[0].intake == "adjustment"
    error = config.only_error(text + "    intake: shipment\n")
    assert error.code == "IS-CFG-033"
    assert "not confirmed" in error.message
    other = text.replace("system: till", "system: depot")
    assert config.load(other + "    intake: shipment\n").routes[0].intake == "shipment"


def test_the_ledgers_number_is_one_that_it_gives(config: Any) -> None:
    text = config.CONNECTIONS.replace("system: till", "system: depot") + config.ROUTE
    assert config.load(text).routes[0].ledger_quantity == "free", "the only number there is"
    assert config.load(text + "    quantity: {ledger: free}\n").routes[0].ledger_quantity == "free"
    assert config.only_error(text + "    quantity: {ledger: stock}\n").code == "IS-CFG-033"


def test_a_ledger_that_counts_ordered_goods_needs_a_channel_that_shows_them(config: Any) -> None:
    line = "    quantity: {ledger: on_hand}\n"
    text = config.CONNECTIONS.replace("system: stall", "system: counter") + config.ROUTE
    assert config.load(text + line).routes[0].ledger_quantity == "on_hand"
    assert config.only_error(config.CONNECTIONS + config.ROUTE + line).code == "IS-CFG-033"


def test_a_pool_sums_locations_of_the_ledger_for_one_of_the_channel(config: Any) -> None:
    text = config.CONNECTIONS + config.ROUTE + "    pool: {ledger: ['1', '2'], intake: '2', channel: L1}\n"
    route = config.load(text).routes[0]
    assert route.pool == Pool(("1", "2"), "2", "L1")
    assert route.places == (("1", "L1"), ("2", "L1"))
    assert config.load(text.replace(", channel: L1", "")).routes[0].places == (("1", None), ("2", None))


def test_a_pool_and_pairs_of_locations_exclude_each_other(config: Any) -> None:
    error = route_error(config, "pool: {ledger: ['1'], intake: '1'}", "locations: [{ledger: '1', channel: '2'}]")
    assert (error.line, error.field, error.code) == (15, "routes.pos-shop.pool", "IS-CFG-032")


def test_a_channel_without_locations_has_none_to_choose(config: Any) -> None:
    text = config.CONNECTIONS.replace("system: stall", "system: kiosk") + config.ROUTE
    pool = "    pool: {ledger: ['1'], intake: '1'}\n"
    assert config.load(text + pool).routes[0].pool == Pool(("1",), "1")
    error = config.only_error(text + pool.replace("}", ", channel: L1}"))
    assert (error.field, error.code) == ("routes.pos-shop.pool.channel", "IS-CFG-032")


def test_a_route_with_a_pool_may_run(config: Any) -> None:
    text = config.CONNECTIONS + config.ROUTE + "    state: running\n    pool: {ledger: ['1'], intake: '1'}\n"
    assert config.load(text).routes[0].locations == ()


@pytest.mark.parametrize(
    ("policy", "publish", "accepted"),
    [
        ("channel_wins", "{}", True),
        ("channel_wins", "{percent: 50}", False),
        ("channel_wins", "{max: 5}", False),
        ("keep_difference", "{percent: 50}", True),
    ],
)
def test_in_a_pool_the_channel_wins_only_where_its_number_is_the_whole_sum(
    config: Any, policy: str, publish: str, accepted: bool
) -> None:
    lines = f"    pool: {{ledger: ['1', '2'], intake: '1'}}\n    align: {policy}\n    publish: {publish}\n"
    text = config.CONNECTIONS + config.ROUTE + lines
    if accepted:
        assert config.load(text).routes[0].align.value == policy
    else:
        assert config.only_error(text).code == "IS-CFG-030"


def test_the_channel_cannot_win_where_several_listings_share_one_item(config: Any) -> None:
    error = route_error(config, "listings: same", "align: channel_wins")
    assert (error.field, error.code) == ("routes.pos-shop.align", "IS-CFG-030")


def test_a_pool_shares_no_location_with_another_route_between_the_same_connections(config: Any) -> None:
    pool = "    pool: {ledger: [a, b], intake: a}\n"
    other = "  again:\n    ledger: pos\n    channel: shop\n    locations: [{ledger: b, channel: c}]\n"
    error = config.only_error(config.CONNECTIONS + config.ROUTE + pool + other)
    assert (error.field, error.code) == ("routes.again.locations", "IS-CFG-028")


@pytest.mark.parametrize(
    ("publish", "automatic", "least", "most"),
    [
        ("{buffer: 3}", False, 3, 100),
        ("{buffer: auto}", True, 0, 100),
        ("{buffer: auto, buffer_min: 2, buffer_max: 30}", True, 2, 30),
        ("{buffer: auto, buffer_min: 200}", True, 200, 200),
    ],
)
def test_a_buffer_is_a_number_or_reckoned_within_bounds(
    config: Any, publish: str, automatic: bool, least: int, most: int
) -> None:
    route = config.load(config.CONNECTIONS + config.ROUTE + f"    publish: {publish}\n").routes[0]
    assert (route.auto_buffer, route.publish.buffer, route.auto_most) == (automatic, least, most)


@pytest.mark.parametrize("publish", ["{percent: 50}", "{max: 5}", "{end_when: 1}"])
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
