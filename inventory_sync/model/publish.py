"""How much of the effective quantity a channel is told (the truth model's rule 3.4)."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_UNITS = 1_000_000_000
"""No stock number, buffer or maximum goes beyond this: the partners' own numbers are 32-bit."""


@dataclass(frozen=True, slots=True)
class PublishRule:
    """A share of the stock for one channel: `percent` of it, less `buffer` units (安全在庫), at most `maximum` units.

    `buffer` is 0 … LARGEST_UNITS, `percent` 0 … 100, `maximum` None (no limit) or 0 … LARGEST_UNITS. A negative buffer
    or more than 100 percent would tell a channel more than there is. `end_when`: a number that would be told and is at
    most this many units is told as 0. `offset`: signed units added while they last. `excluded`: the item is not written
    at all. Raises ValueError naming the field at fault.

    >>> PublishRule(percent=120)
    Traceback (most recent call last):
    ...
    ValueError: percent is 120: a whole number from 0 to 100 is right
    """

    buffer: int = 0
    percent: int = 100
    maximum: int | None = None
    end_when: int = 0
    offset: int = 0
    excluded: bool = False

    def __post_init__(self) -> None:
        _check("buffer", self.buffer, LARGEST_UNITS)
        _check("percent", self.percent, 100)
        if self.maximum is not None:
            _check("maximum", self.maximum, LARGEST_UNITS)
        _check("end_when", self.end_when, LARGEST_UNITS)
        _check("offset", self.offset, LARGEST_UNITS, -LARGEST_UNITS)

    @property
    def plain(self) -> bool:
        """True where the channel is told the whole stock less the buffer, so that the rule can be read backwards."""
        return self.percent == 100 and self.maximum is None and not self.end_when and not self.excluded


def shared(effective: int, rule: PublishRule) -> int:
    """The channel's share of `effective` units, before anything of the pair is added: min(cap, ⌊share⌋ − buffer).

    Below 0 where the buffer or a shortage is larger than the share. The floor is the mathematical one, also below 0.

    >>> shared(7, PublishRule(percent=50, buffer=1))
    2
    >>> shared(-7, PublishRule(percent=50))
    -4
    """
    share = effective * rule.percent // 100 - rule.buffer
    return share if rule.maximum is None else min(rule.maximum, share)


def published(effective: int, rule: PublishRule, *, kept: int = 0, held: int = 0) -> int:
    """The target of a channel cell in units, never below 0.

    `effective` is the pair's effective quantity; `kept` are signed units added for the pair (the gap that an alignment
    left standing); `held` ≥ 0 units are kept out for orders that are not counted yet.

    >>> published(10, PublishRule())
    10
    >>> published(10, PublishRule(buffer=3))
    7
    >>> published(15, PublishRule(percent=50, maximum=5), kept=2)
    7
    >>> published(2, PublishRule(buffer=3))
    0
    >>> published(4, PublishRule(end_when=3)), published(3, PublishRule(end_when=3))
    (4, 0)
    >>> published(0, PublishRule(offset=5))
    5
    """
    told = max(0, shared(effective, rule) + rule.offset + kept - held)
    return 0 if told <= rule.end_when else told


def more_than_there_is(told: int, effective: int) -> int:
    """Units by which a channel would be told more than there is, as an offset for pre-orders does on purpose.

    >>> more_than_there_is(7, 5), more_than_there_is(3, 5), more_than_there_is(2, -1)
    (2, 0, 2)
    """
    return max(0, told - max(0, effective))


def _check(name: str, value: int, largest: int, least: int = 0) -> None:
    if type(value) is not int or not least <= value <= largest:
        raise ValueError(f"{name} is {value!r}: a whole number from {least} to {largest} is right")
