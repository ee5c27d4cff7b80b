"""Product search of the classic API: an access address for a few minutes, then pages of 50 products as JSON.

Paths, form fields and answer fields are those of a client from 2021. Options are not in it: their stock is unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from inventory_sync.systems.makeshop.classic.layouts import is_system_code
from inventory_sync.systems.makeshop.keys import Item
from inventory_sync.systems.values import Condition, LevelReading

PAGE = 50  # rows of a page (seen); the list ends at an empty page
PROCESS = "search"
GOOD = "200"  # `status_code` of an answer that holds

_URL = re.compile(r"https?://[^\s\"'<>]+")
_STOCK = re.compile(r"-?[0-9]{1,9}")


class UnknownAnswer(Exception):
    """An answer whose form is not known; the message says which part."""


class Unreadable(Exception):
    """No whole answer: a page in its place, or the rest is missing."""


class AccessRefused(Exception):
    """The search was refused: the access address is used up, too old, or was never good."""


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product of a page. `stock` None: not limited."""

    code: str
    stock: int | None

    @property
    def reading(self) -> LevelReading:
        """The level of this product."""
        cell = Item(self.code).cell
        if self.stock is None:
            return LevelReading(cell, Condition.UNTRACKED, None)
        return LevelReading(cell, Condition.ACTIVE, self.stock)


def access_form(shop_id: str, code: str) -> bytes:
    """The form that asks for an access address. Holds the authentication code: never log it."""
    return urlencode({"shop_id": shop_id, "auth_code": code, "process": PROCESS}).encode()


def search_form(page: int, code: str | None = None) -> bytes:
    """The form of one page of all products, or of the one product with a system code."""
    values = {"display_page": str(page), "response_format": "json"}
    return urlencode({**values, "brand_code": code} if code else values).encode()


def access_url(body: bytes) -> str | None:
    """The access address in an answer, or None where it holds none (which is how a code is refused)."""
    found = _URL.search(body.decode("utf-8", "replace").replace("&amp;", "&"))
    return found[0] if found else None


def read_page(body: bytes) -> list[ProductRow]:
    """The products of a page. Raises AccessRefused, Unreadable, UnknownAnswer."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if access_is_refused(body):
            raise AccessRefused("no result") from error
        raise Unreadable("not JSON") from error
    data = answer.get("result_data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise UnknownAnswer("no result_data")
    status = str(data.get("status_code", ""))
    if status != GOOD:
        raise AccessRefused(f"status_code {status[:10]}")
    rows = data.get("product_list")
    if rows is None or rows == "":
        return []
    if isinstance(rows, dict):  # a single one may come without its list
        rows = [rows]
    if not isinstance(rows, list):
        raise UnknownAnswer("product_list is no list")
    return [_row(each) for each in rows]


def access_is_refused(body: bytes) -> bool:
    """Whether an answer says in plain text that an access was refused."""
    return body.strip().upper().startswith((b"FAILURE", b"ERROR")) or not body.strip()


def _row(row: Any) -> ProductRow:
    if not isinstance(row, Mapping):
        raise UnknownAnswer("a product that is no object")
    code = row.get("brand_code")
    if not isinstance(code, str) or not is_system_code(code):
        raise UnknownAnswer("a product without a system code")
    return ProductRow(code, _stock(row.get("stock"), code))


def _stock(value: object, code: str) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _STOCK.fullmatch(value):
        return int(value)
    raise UnknownAnswer(f"the stock of {code} is no whole number")
