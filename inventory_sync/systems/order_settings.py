"""The `orders:` part of a connection's settings: what is made of orders that are not paid, or name an unknown SKU.

A system where orders may be the source of changes gives its settings model a field of this type, named `orders`.
"""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from inventory_sync.systems.errors import WrongValue

_LENGTH = re.compile(r"[1-9][0-9]{0,4}[smhd]", re.ASCII)


class OrderSettings(BaseModel):
    """Policy for orders. `unpaid_expires` is a number and s, m, h or d; None: never."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unpaid: Literal["reserve", "hold", "ignore"] = "reserve"
    unpaid_expires: str | None = None
    unknown_sku: Literal["keep", "skip"] = "keep"

    @field_validator("unpaid_expires")
    @classmethod
    def _length(cls, value: str | None) -> str | None:
        if value is not None and not _LENGTH.fullmatch(value):
            raise WrongValue(
                "write a number and s, m, h or d, as 12h or 7d",
                "12h や 7d のように、数字の後に s(秒)・m(分)・h(時間)・d(日)を付けて書いてください",
            )
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.unpaid == "ignore" and self.unpaid_expires is not None:
            raise WrongValue(
                "unpaid_expires gives back what unpaid orders hold, and under `unpaid: ignore` they hold none",
                "unpaid_expires は未入金の注文が確保した在庫を戻す期限です。`unpaid: ignore` では確保しないため、"
                "削除してください",
            )
        return self
