"""The `routes` part of the file: one route at a time. What concerns several routes is in `links`."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.config.booking import read_booking
from inventory_sync.config.connections import NAME, NAME_REMEDY
from inventory_sync.config.document import Direction, Listings, Pool, RouteDocument, RouteState
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.matching import Matching, read_matching
from inventory_sync.config.nodes import Entry, Reader, is_null, joined, nearest
from inventory_sync.config.part import RoutePart
from inventory_sync.config.places import read_places
from inventory_sync.config.problems import SIDES_JA, suggesting
from inventory_sync.model.alignment import AlignPolicy, check_policy
from inventory_sync.model.auto_buffer import DEFAULT_MOST
from inventory_sync.model.publish import LARGEST_UNITS, PublishRule
from inventory_sync.systems.port import Role, SystemDefinition
from inventory_sync.systems.problem import Problem

ROUTE_KEYS = (
    "ledger",
    "channel",
    "direction",
    "sales",
    "booked_within",
    "quantity",
    "match",
    "listings",
    "sets",
    "locations",
    "pool",
    "intake",
    "publish",
    "align",
    "state",
)

LEDGER_CANNOT_WIN = Problem(
    ConfigCode.ALIGN,
    "channel_to_ledger never writes the channel, so the ledger cannot win",
    "channel_to_ledger は販売チャネルに書き込まないため、在庫台帳の在庫数に合わせることはできません",
    "Write `align: channel_wins` or `keep_difference`.",
    "`align: channel_wins` か `keep_difference` と書いてください。",
)
NOTHING_TO_PUBLISH = Problem(
    ConfigCode.ALIGN,
    "channel_to_ledger never writes the channel, so there is nothing to publish",
    "channel_to_ledger は販売チャネルに書き込まないため、公開する在庫数がありません",
    "Leave `publish` out.",
    "`publish` を削除してください。",
)


def read_route(
    reader: Reader, name: str, entry: Entry, systems: Mapping[str, SystemDefinition | None]
) -> RouteDocument | None:
    """One route, or None after noting what is wrong."""
    path = joined("routes", name)
    before = len(reader.errors)
    if not NAME.fullmatch(name):
        no_name = ("this is not a name that a route can have", "ルートの名前として使えません")
        reader.refuse(entry.key, path, Problem(ConfigCode.NAME, *no_name, *NAME_REMEDY))
    entries = reader.mapping(entry.value, path)
    if entries is None:
        return None
    reader.only(entries, path, ROUTE_KEYS)
    route = _read(RoutePart(reader, path, entry, entries, systems), name)
    return route if len(reader.errors) == before else None


def _read(part: RoutePart, name: str) -> RouteDocument | None:
    ledger, channel = _connection(part, "ledger", Role.LEDGER), _connection(part, "channel", Role.CHANNEL)
    if ledger is not None and ledger == channel:
        problem = Problem(
            ConfigCode.SAME_CONNECTION,
            f"{ledger!r} is both the ledger and the channel of this route",
            f"「{ledger}」がこのルートの在庫台帳と販売チャネルの両方になっています",
            "Name two different connections.",
            "別々の接続を指定してください。",
        )
        part.refuse("channel", problem)
    direction = part.choice("direction", Direction, Direction.TWO_WAY)
    booking = read_booking(part, ledger, channel, direction)
    state = part.choice("state", RouteState, RouteState.STOPPED)
    matching = read_matching(part, ledger, channel)
    locations, pool = read_places(part, channel, state)
    rule, auto = _publish(part)
    align = _align(part, direction, rule, matching, auto=auto is not None)
    _check_sets(part, matching, pool)
    if ledger is None or channel is None or matching.ledger_field is None or not matching.channel_fields:
        return None
    return RouteDocument(
        name=name,
        ledger=ledger,
        channel=channel,
        direction=direction,
        sales=booking.sales,
        booked_within=booking.booked_within,
        intake=booking.intake,
        ledger_quantity=booking.ledger_quantity,
        channel_quantity=booking.channel_quantity,
        ledger_field=matching.ledger_field,
        channel_fields=matching.channel_fields,
        listings=matching.listings,
        codes=matching.codes,
        sets=matching.sets,
        locations=locations,
        pool=pool,
        publish=rule,
        auto_buffer=auto is not None,
        auto_most=DEFAULT_MOST if auto is None else auto,
        align=align,
        state=state,
        line=part.entry.line,
    )


def _connection(part: RoutePart, key: str, role: Role) -> str | None:
    title_ja = SIDES_JA[key]
    if not part.has(key):
        problem = Problem(
            ConfigCode.MISSING,
            f"the {key} is not named",
            f"{title_ja}が指定されていません",
            f"Add `{key}:` with the name of a connection.",
            f"`{key}:` に接続の名前を書いてください。",
        )
        part.refuse(key, problem)
        return None
    name = part.reader.text(part.value(key), f"{part.path}.{key}")
    if name is None:
        return None
    if name not in part.systems:
        near, known = nearest(name, part.systems), ", ".join(part.systems)
        problem = Problem(
            ConfigCode.UNKNOWN_CONNECTION,
            "there is no connection of this name",
            "この名前の接続はありません",
            *suggesting(near, f"Known connections: {known or 'none'}.", f"使える接続: {known or 'まだありません'}。"),
        )
        part.refuse(key, problem)
        return None
    definition = part.systems[name]
    if definition is not None and role not in definition.capabilities.roles:
        roles = sorted(definition.capabilities.roles)
        problem = Problem(
            ConfigCode.ROLE,
            f"{definition.title_en} cannot be the {role} of a route",
            f"{definition.title_ja}はルートの{title_ja}にできません",
            f"It can be a {' or '.join(roles)}: name another connection here.",
            f"{'か'.join(SIDES_JA[each] for each in roles)}にできる接続です。ここには別の接続を指定してください。",
        )
        part.refuse(key, problem)
    return name


def _publish(part: RoutePart) -> tuple[PublishRule, int | None]:
    """The route's own rule, and the largest automatic buffer where `buffer: auto` asks for one; the smallest is the
    rule's."""
    entries = part.group("publish", ("buffer", "buffer_min", "buffer_max", "percent", "max", "end_when")) or {}
    path = f"{part.path}.publish"
    auto = "buffer" in entries and part.reader.text(entries["buffer"].value, f"{path}.buffer") == "auto"
    numbers: dict[str, int] = {}
    for key, name, largest in (
        ("buffer_min" if auto else "buffer", "buffer", LARGEST_UNITS),
        ("buffer_max", "most", LARGEST_UNITS),
        ("percent", "percent", 100),
        ("max", "maximum", LARGEST_UNITS),
        ("end_when", "end_when", LARGEST_UNITS),
    ):
        if key not in entries or (key == "max" and is_null(entries[key].value)):
            continue
        number = part.reader.whole(entries[key].value, f"{path}.{key}", largest)
        if number is not None:
            numbers[name] = number
    for key in ("buffer_min", "buffer_max"):
        if key in entries and not auto:
            problem = Problem(
                ConfigCode.COMBINATION,
                f"{key} has no meaning without `buffer: auto`",
                f"{key} は `buffer: auto` のときだけ使えます",
                "Write `buffer: auto`, or take it out.",
                "`buffer: auto` と書くか、この行を削除してください。",
            )
            part.reader.refuse(entries[key].key, f"{path}.{key}", problem)
    most = numbers.pop("most", DEFAULT_MOST)
    rule = PublishRule(
        buffer=numbers.get("buffer", 0),
        percent=numbers.get("percent", 100),
        maximum=numbers.get("maximum"),
        end_when=numbers.get("end_when", 0),
    )
    return rule, max(most, rule.buffer) if auto else None


def _align(part: RoutePart, direction: Direction, rule: PublishRule, matching: Matching, *, auto: bool) -> AlignPolicy:
    policy = part.choice("align", AlignPolicy, AlignPolicy.LEDGER_WINS)
    objection = check_policy(policy, rule)
    if objection is not None:
        remedy = (
            "Write `ledger_wins` or `keep_difference`, or publish everything and align first.",
            "`ledger_wins` か `keep_difference` と書くか、先にすべての在庫を公開して整合してください。",
        )
        part.refuse("align", Problem(ConfigCode.ALIGN, *objection, *remedy))
    if policy is AlignPolicy.CHANNEL_WINS:
        _check_channel_wins(part, direction, matching)
    if direction is Direction.CHANNEL_TO_LEDGER:
        if policy is AlignPolicy.LEDGER_WINS:
            part.refuse("align", LEDGER_CANNOT_WIN)
        if rule != PublishRule() or auto:
            part.refuse("publish", NOTHING_TO_PUBLISH)
    return policy


def _check_channel_wins(part: RoutePart, direction: Direction, matching: Matching) -> None:
    """The channel can win only where its one number says how much of one ledger item there is."""
    if direction is Direction.LEDGER_TO_CHANNEL:
        said = (
            "ledger_to_channel never writes the ledger, so the channel cannot win",
            "ledger_to_channel は在庫台帳に書き込まないため、販売チャネルの在庫数に合わせることはできません",
        )
    elif part.has("sets"):
        said = (
            "channel_wins has no meaning with sets: how many sets there are does not say how much of each part",
            "セットのあるルートでは channel_wins は使えません(セットの数からは構成品それぞれの数が決まりません)",
        )
    elif matching.listings is Listings.SAME:
        said = (
            "channel_wins needs one listing for each item: several listings may each say something else",
            "channel_wins では 1 商品につき出品は一つだけです(複数の出品の在庫数が食い違うことがあるため)",
        )
    else:
        return
    remedy = (
        "Write `align: ledger_wins` or `keep_difference`.",
        "`align: ledger_wins` か `keep_difference` と書いてください。",
    )
    part.refuse("align", Problem(ConfigCode.ALIGN, *said, *remedy))


def _check_sets(part: RoutePart, matching: Matching, pool: Pool | None) -> None:
    if part.has("sets") and pool is not None:
        part.refuse(
            "sets",
            Problem(
                ConfigCode.COMBINATION,
                "a pool cannot have sets: which store a part of a set was taken from cannot be said",
                "プールのあるルートではセットを使えません(どの店舗から構成品が減ったかが決まりません)",
                "Pair the locations one to one under `locations:`, or take the sets out.",
                "`locations:` でロケーションを 1 対 1 で紐付けるか、セットを削除してください。",
            ),
        )
