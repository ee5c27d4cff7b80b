"""Which number a route publishes, who books its sales, and how what the channel moved is booked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inventory_sync.config.document import Direction, Sales
from inventory_sync.config.errors import ConfigCode
from inventory_sync.config.part import RoutePart
from inventory_sync.systems.problem import Problem

DEFAULT_BOOKED_WITHIN = 3600
"""Seconds within which somebody else books a sale, where the file does not say."""

LONGEST_BOOKED_WITHIN = 90 * 86_400
_DURATION = re.compile(r"([0-9]{1,7})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

LEDGER_QUANTITIES = ("stock", "stock_minus_layaway", "on_hand", "free")

CHANNEL_QUANTITIES = {
    "available": None,
    "on_hand": (
        "writing a channel's on-hand number would sell ordered goods twice; only what is available is written",
        "販売チャネルの実在庫数(on_hand)を書き込むと、注文済みの商品を二重に販売するおそれがあります。"
        "書き込むのは販売可能数(available)だけです",
    ),
}
"""The words for the channel's number, each with the reason in English and Japanese why this version refuses it (None:
accepted)."""

INTAKES = ("adjustment", "shipment")

NOBODY_ELSE_BOOKS = Problem(
    ConfigCode.COMBINATION,
    "it belongs to `sales: expect`: nobody else books this route's sales",
    "この設定は `sales: expect` のときだけ使えます(このルートの売上を他で計上することはありません)",
    "Leave it out.",
    "この行を削除してください。",
)
NO_LENGTH = Problem(
    ConfigCode.WRONG_TYPE,
    "this is not a length of time",
    "時間の長さとして読み取れません",
    "Write a number and s, m, h or d, as 90s, 60m, 24h or 3d.",
    "90s、60m、24h、3d のように、数字の後に s(秒)・m(分)・h(時間)・d(日)を付けて書いてください。",
)
LENGTH_OUT_OF_RANGE = Problem(
    ConfigCode.OUT_OF_RANGE,
    "this length of time is out of range",
    "時間の長さが範囲外です",
    "Write a time from 1s to 90d.",
    "1s から 90d までの長さを書いてください。",
)


@dataclass(frozen=True, slots=True)
class Booking:
    """Who books sales within how many seconds, which numbers count, and how channel movements are booked."""

    sales: Sales
    booked_within: int
    ledger_quantity: str
    channel_quantity: str
    intake: str


def read_booking(part: RoutePart, ledger: str | None, channel: str | None, direction: Direction) -> Booking:
    """Everything about booking, with defaults where a line is missing or was refused."""
    sales = _sales(part, direction)
    return Booking(sales, _booked_within(part, sales), *_quantity(part, ledger, channel), _intake(part, ledger))


def _sales(part: RoutePart, direction: Direction) -> Sales:
    one_way = direction is Direction.LEDGER_TO_CHANNEL
    sales = part.choice("sales", Sales, Sales.EXPECT if one_way else Sales.POST)
    if one_way and sales is Sales.POST:
        part.refuse(
            "sales",
            Problem(
                ConfigCode.COMBINATION,
                "ledger_to_channel never writes the ledger, so it cannot book the channel's sales there",
                "ledger_to_channel は在庫台帳に書き込まないため、販売チャネルの売上を計上できません",
                "Write `sales: expect` or leave it out; to have sales booked, write `direction: two_way`.",
                "`sales: expect` と書くか、この行を削除してください。売上を計上する場合は `direction: two_way` と"
                "書きます。",
            ),
        )
    if direction is Direction.CHANNEL_TO_LEDGER and sales is Sales.EXPECT:
        part.refuse(
            "sales",
            Problem(
                ConfigCode.COMBINATION,
                "channel_to_ledger only books what the channel moved, and `expect` leaves that to somebody else",
                "channel_to_ledger は販売チャネルの増減を計上するだけのルートですが、`expect` では計上を他に任せます",
                "Write `sales: post` or leave it out; where somebody else books, write `direction: ledger_to_channel`.",
                "`sales: post` と書くか、この行を削除してください。他で計上する場合は `direction: ledger_to_channel` と"
                "書きます。",
            ),
        )
    return sales


def _booked_within(part: RoutePart, sales: Sales) -> int:
    if not part.has("booked_within"):
        return DEFAULT_BOOKED_WITHIN
    node, path = part.value("booked_within"), f"{part.path}.booked_within"
    if sales is not Sales.EXPECT:
        part.reader.refuse(node, path, NOBODY_ELSE_BOOKS)
        return DEFAULT_BOOKED_WITHIN
    written = part.reader.text(node, path)
    if written is None:
        return DEFAULT_BOOKED_WITHIN
    found = _DURATION.fullmatch(written)
    if found is None:
        part.reader.refuse(node, path, NO_LENGTH)
        return DEFAULT_BOOKED_WITHIN
    seconds = int(found[1]) * _SECONDS[found[2]]
    if not 1 <= seconds <= LONGEST_BOOKED_WITHIN:
        part.reader.refuse(node, path, LENGTH_OUT_OF_RANGE)
        return DEFAULT_BOOKED_WITHIN
    return seconds


def _quantity(part: RoutePart, ledger: str | None, channel: str | None) -> tuple[str, str]:
    """The words for both numbers. Without a word it is the ledger's stock, or the only number that the ledger has."""
    entries = part.group("quantity", ("ledger", "channel")) or {}
    able = part.definition(ledger)
    bases = able.capabilities.bases if able is not None else frozenset({"stock"})
    word = "stock" if "stock" in bases else sorted(bases)[0]
    if "ledger" in entries:
        node, path = entries["ledger"].value, f"{part.path}.quantity.ledger"
        written = part.reader.word(node, path, LEDGER_QUANTITIES)
        if written is not None and able is not None and written not in bases:
            words = [f"`{each}`" for each in sorted(bases)]
            problem = Problem(
                ConfigCode.NOT_OFFERED,
                f"{able.title_en} does not give this number",
                f"{able.title_ja}にはこの在庫数がありません",
                f"Write {' or '.join(words)}.",
                f"次のいずれかを書いてください: {'、'.join(words)}。",
            )
            part.reader.refuse(node, path, problem)
        elif written is not None:
            word = written
    _needs_committed(part, word, channel)
    if "channel" in entries:
        node, path = entries["channel"].value, f"{part.path}.quantity.channel"
        other = part.reader.word(node, path, CHANNEL_QUANTITIES)
        reason = CHANNEL_QUANTITIES[other] if other is not None else None
        if reason is not None:
            remedy = ("Write `available`.", "`available` と書いてください。")
            part.reader.refuse(node, path, Problem(ConfigCode.NOT_IN_THIS_VERSION, *reason, *remedy))
    return word, "available"


def _needs_committed(part: RoutePart, word: str, channel: str | None) -> None:
    """A ledger that counts what is physically there counts ordered goods, which the channel must be able to name."""
    other = part.definition(channel)
    if word == "on_hand" and other is not None and not other.capabilities.shows_committed:
        part.refuse(
            "quantity",
            Problem(
                ConfigCode.NOT_OFFERED,
                f"a ledger that counts ordered goods needs the number of goods that orders have taken, and "
                f"{other.title_en} does not show it",
                f"注文済みの商品も含めて数える在庫台帳では、注文で確保された数が必要ですが、{other.title_ja}では"
                "それを読み取れません",
                "Let the ledger give a number without ordered goods, or take the channel out of this ledger's routes.",
                "注文済みの商品を含まない在庫数を在庫台帳側で指定するか、この販売チャネルをこの在庫台帳のルートから"
                "外してください。",
            ),
        )


def _intake(part: RoutePart, ledger: str | None) -> str:
    if not part.has("intake"):
        return INTAKES[0]
    node, path = part.value("intake"), f"{part.path}.intake"
    word = part.reader.word(node, path, INTAKES)
    able = part.definition(ledger)
    if word is None:
        return INTAKES[0]
    if able is not None and word not in able.capabilities.adjustable_intake:
        ways = [f"`{each}`" for each in able.capabilities.adjustable_intake]
        shipment = word == "shipment"
        problem = Problem(
            ConfigCode.NOT_OFFERED,
            f"nothing can be booked at {able.title_en} as {word}"
            + (" (出荷): the form of that request is not confirmed" if shipment else ""),
            f"{able.title_ja}では {word} として計上できません"
            + ("(出荷のリクエストの形式が確認されていないため)" if shipment else ""),
            f"Write {' or '.join(ways)}, or leave it out.",
            f"次のいずれかを書くか、この行を削除してください: {'、'.join(ways)}。",
        )
        part.reader.refuse(node, path, problem)
    return word
