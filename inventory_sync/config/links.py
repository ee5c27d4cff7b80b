"""What several routes must agree on: no cycle among connections, no location pair that belongs to two routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from inventory_sync.config.document import RouteDocument
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.nodes import Entry, Reader
from inventory_sync.config.problems import SIDES_JA
from inventory_sync.systems.problem import Problem


def check_links(
    reader: Reader,
    routes: Iterable[RouteDocument],
    entries: Mapping[str, Entry],
    known_routes: Mapping[str, tuple[str, str]],
) -> None:
    """Note cycles and shared locations. `known_routes` maps stored routes to their (ledger, channel)."""
    routes = tuple(routes)
    _check_cycles(reader, routes, entries, known_routes)
    _check_locations(reader, routes, entries)


def _check_cycles(
    reader: Reader,
    routes: tuple[RouteDocument, ...],
    entries: Mapping[str, Entry],
    known_routes: Mapping[str, tuple[str, str]],
) -> None:
    """Add the routes one by one, stored ones first, and refuse each that would close a cycle."""
    named = {route.name for route in routes}
    feeds: dict[str, list[str]] = {}
    for name, (ledger, channel) in known_routes.items():
        if name not in named:
            feeds.setdefault(ledger, []).append(channel)
    for route in routes:
        if route.ledger == route.channel:
            continue
        back = _way(feeds, route.channel, route.ledger)
        if back is None:
            feeds.setdefault(route.ledger, []).append(route.channel)
            continue
        chain = " → ".join((route.ledger, *back))
        reader.refuse(
            entries[route.name].key,
            f"routes.{route.name}",
            Problem(
                ConfigCode.CYCLE,
                f"stock would go round in a circle: {chain}",
                f"在庫が循環します: {chain}",
                "A connection that is fed by another, directly or not, cannot be a ledger for that other.",
                "他の接続から(間接的にでも)在庫を受け取る接続は、その相手の在庫台帳にできません。",
            ),
        )


def _way(feeds: Mapping[str, list[str]], start: str, goal: str) -> list[str] | None:
    """The connections from `start` to `goal`, both included, or None where no route leads there."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop()
        if way[-1] == goal:
            return way
        for following in feeds.get(way[-1], ()):
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return None


def _check_locations(reader: Reader, routes: tuple[RouteDocument, ...], entries: Mapping[str, Entry]) -> None:
    """Between the same two connections a location of either side may stand in one route only."""
    first: dict[tuple[str, str, str, str], tuple[str, int]] = {}
    for route in routes:
        for side, key, line in _sides(route):
            other, other_line = first.setdefault((route.ledger, route.channel, side, key), (route.name, line))
            if other != route.name:
                reader.refuse(
                    entries[route.name].key,
                    f"routes.{route.name}.{'locations' if route.pool is None else 'pool'}",
                    Problem(
                        ConfigCode.LOCATION_TWICE,
                        f"a {side} location on line {line} is already in the route {other!r} on line {other_line}",
                        f"{SIDES_JA[side]}のロケーション({line} 行目)が、ルート「{other}」({other_line} 行目)にも"
                        "あります",
                        "Between the same two connections a location belongs to one route.",
                        "同じ二つの接続の間では、一つのロケーションは一つのルートにだけ書いてください。",
                    ),
                )


def _sides(route: RouteDocument) -> Iterator[tuple[str, str, int]]:
    """Every location that a route names: its side, its key and its line."""
    for pair in route.locations:
        yield "ledger", pair.ledger, pair.line
        yield "channel", pair.channel, pair.line
    if route.pool is not None:
        for key in route.pool.ledger:
            yield "ledger", key, route.pool.line
        if route.pool.channel is not None:
            yield "channel", route.pool.channel, route.pool.line
