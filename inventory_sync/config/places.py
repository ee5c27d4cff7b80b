"""The locations of a route: paired one to one, or several of the ledger summed for one of the channel."""

from __future__ import annotations

from ruamel.yaml.nodes import Node

from inventory_sync.config.document import LocationPair, Pool, RouteState
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.nodes import is_null, line_of
from inventory_sync.config.part import RoutePart
from inventory_sync.config.problems import SIDES_JA, empty_list
from inventory_sync.systems.problem import Problem

POOL_KEYS = ("ledger", "intake", "channel")

NEEDED = {
    "ledger": (
        "Add `ledger: [one, two]` with the keys of the locations that are summed.",
        "`ledger: [キー1, キー2]` の形で、合算するロケーションのキーを書いてください。",
    ),
    "intake": (
        "Add `intake:` with the location of the ledger that takes what comes back from the channel.",
        "`intake:` に、販売チャネルから戻る分を受け入れる在庫台帳のロケーションを書いてください。",
    ),
}
"""The keys that every pool has, each with the remedy in English and Japanese where it is missing."""


def read_places(
    part: RoutePart, channel: str | None, state: RouteState
) -> tuple[tuple[LocationPair, ...], Pool | None]:
    """The location pairs of a route, or its pool."""
    if part.has("pool") and part.written("locations"):
        part.refuse(
            "pool",
            Problem(
                ConfigCode.COMBINATION,
                "a route has pairs of locations or a pool, not both",
                "一つのルートに ロケーションの紐付け(`locations`)とプール(`pool`)の両方は書けません",
                "Keep `pool:` where the channel shows a sum, or `locations:` where each location has its own number.",
                "合計を販売チャネルに表示する場合は `pool:` を、ロケーションごとに表示する場合は `locations:` を残して"
                "ください。",
            ),
        )
        return (), None
    if part.has("pool"):
        return (), _pool(part, channel)
    return _locations(part, state), None


def _locations(part: RoutePart, state: RouteState) -> tuple[LocationPair, ...]:
    path = f"{part.path}.locations"
    nodes = part.reader.sequence(part.value("locations"), path) if part.written("locations") else []
    if nodes is None:
        return ()
    if not nodes and state is not RouteState.STOPPED:
        running = state is RouteState.RUNNING
        problem = Problem(
            ConfigCode.MISSING,
            f"a route cannot {'run' if running else 'watch'} without locations",
            f"ロケーションの紐付けがないルートは{'連携' if running else '見守り'}を開始できません",
            "Add `- {ledger: …, channel: …}` for each pair.",
            "紐付けごとに `- {ledger: …, channel: …}` の行を加えてください。",
        )
        part.refuse("locations", problem)
    pairs: list[LocationPair] = []
    first: dict[tuple[str, str], int] = {}
    for place, node in enumerate(nodes):
        pair = _location(part, node, f"{path}[{place}]", first)
        if pair is not None:
            pairs.append(pair)
    return tuple(pairs)


def _location(part: RoutePart, node: Node, path: str, first: dict[tuple[str, str], int]) -> LocationPair | None:
    reader = part.reader
    entries = reader.mapping(node, path)
    if entries is None:
        return None
    reader.only(entries, path, ("ledger", "channel"))
    keys: list[str] = []
    for side in ("ledger", "channel"):
        if side not in entries:
            problem = Problem(
                ConfigCode.MISSING,
                f"the {side}'s location is not named",
                f"{SIDES_JA[side]}のロケーションが指定されていません",
                f"Add `{side}:` with the location's key.",
                f"`{side}:` にロケーションのキーを書いてください。",
            )
            reader.refuse(node, f"{path}.{side}", problem)
            continue
        value = entries[side].value
        key = reader.text(value, f"{path}.{side}")
        if key is None:
            continue
        keys.append(key)
        if (side, key) in first:
            problem = Problem(
                ConfigCode.LOCATION_TWICE,
                f"this {side} location stands here and already on line {first[side, key]}",
                f"この{SIDES_JA[side]}のロケーションは {first[side, key]} 行目にもあります",
                "Locations are paired one to one: keep one of the two.",
                "ロケーションは 1 対 1 で紐付けます。どちらか一つだけを残してください。",
            )
            reader.refuse(value, f"{path}.{side}", problem)
        first.setdefault((side, key), line_of(value))
    return LocationPair(keys[0], keys[1], line_of(node)) if len(keys) == 2 else None


def _pool(part: RoutePart, channel: str | None) -> Pool | None:
    path = f"{part.path}.pool"
    entries = part.group("pool", POOL_KEYS)
    if entries is None:
        return None
    reader, node = part.reader, part.value("pool")
    for key, remedy in NEEDED.items():
        if key not in entries:
            problem = Problem(ConfigCode.MISSING, f"{key} is missing", f"{key} がありません", *remedy)
            reader.refuse(node, f"{path}.{key}", problem)
    keys = _summed(part, entries["ledger"].value, f"{path}.ledger") if "ledger" in entries else None
    intake = reader.text(entries["intake"].value, f"{path}.intake") if "intake" in entries else None
    if keys and intake is not None and intake not in keys:
        problem = Problem(
            ConfigCode.NOT_ALLOWED,
            "the location that takes what comes back is not one of those that are summed",
            "戻る分を受け入れるロケーションが、合算するロケーションの中にありません",
            f"Write one of {', '.join(keys)}, or add it under `ledger:`.",
            f"次のいずれかを書くか、`ledger:` に加えてください: {', '.join(keys)}。",
        )
        reader.refuse(entries["intake"].value, f"{path}.intake", problem)
    place = None
    if "channel" in entries and not is_null(entries["channel"].value):
        place = _channel(part, entries["channel"].value, f"{path}.channel", channel)
    return Pool(keys, intake, place, line_of(node)) if keys and intake is not None else None


def _summed(part: RoutePart, node: Node, path: str) -> tuple[str, ...] | None:
    nodes = part.reader.sequence(node, path)
    if nodes is None:
        return None
    if not nodes:
        remedy = (
            "Name the locations of the ledger that are summed.",
            "合算する在庫台帳のロケーションを書いてください。",
        )
        part.reader.refuse(node, path, empty_list(*remedy))
    lines: dict[str, int] = {}
    for place, each in enumerate(nodes):
        key = part.reader.text(each, f"{path}[{place}]")
        if key is None:
            continue
        if key in lines:
            problem = Problem(
                ConfigCode.LOCATION_TWICE,
                f"this ledger location stands here and already on line {lines[key]}",
                f"この在庫台帳のロケーションは {lines[key]} 行目にもあります",
                "Keep one of the two.",
                "どちらか一つだけを残してください。",
            )
            part.reader.refuse(each, f"{path}[{place}]", problem)
        lines.setdefault(key, line_of(each))
    return tuple(lines)


def _channel(part: RoutePart, node: Node, path: str, channel: str | None) -> str | None:
    able = part.definition(channel)
    if able is not None and not able.capabilities.has_locations:
        problem = Problem(
            ConfigCode.COMBINATION,
            f"{able.title_en} has one number for each item and no locations to choose from",
            f"{able.title_ja}の在庫数は商品ごとに一つで、ロケーションは選べません",
            "Leave it out.",
            "この行を削除してください。",
        )
        part.reader.refuse(node, path, problem)
        return None
    return part.reader.text(node, path)
