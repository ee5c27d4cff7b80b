"""The memo that marks a stock change as ours: `is:{installation}:{op}`, the same in every attempt."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inventory_sync.model.ids import OpId

PREFIX = "is"
MAX_MEMO = 100  # characters, Platform API reference: poststockproductidadd, stockHistory.memo

_MEMO = re.compile(rf"{PREFIX}:([0-9a-z]{{1,16}}):([!-~]{{1,80}})")


@dataclass(frozen=True, slots=True)
class OwnMemo:
    """Whose op a history row carries: an installation of this product, perhaps not this one, and its op id."""

    installation: str
    op: OpId


def compose_memo(installation: str, op: OpId) -> str:
    """The memo of an op. Raises ValueError where it could not be read back.

    >>> compose_memo("shop1", OpId("01j9z8"))
    'is:shop1:01j9z8'
    """
    memo = f"{PREFIX}:{installation}:{op}"
    if parse_memo(memo) != OwnMemo(installation, op):
        raise ValueError(f"no memo can carry installation {installation!r} and op {op!r}")
    return memo


def parse_memo(memo: str | None) -> OwnMemo | None:
    """Whose op a memo names, or None for a memo of somebody else (any other prefix or form, or no memo).

    >>> parse_memo("is:shop1:01j9z8")
    OwnMemo(installation='shop1', op='01j9z8')
    >>> parse_memo("棚卸") is None
    True
    """
    found = _MEMO.fullmatch(memo) if memo is not None and len(memo) <= MAX_MEMO else None
    return None if found is None else OwnMemo(found[1], OpId(found[2]))
