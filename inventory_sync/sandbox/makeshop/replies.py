"""Answers as MakeShop gives them: GraphQL results, refusals with a code, and the web page behind a wrong address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from inventory_sync.sandbox.kernel import Response
from inventory_sync.sandbox.makeshop.switches import MakeShopSwitches

Json = dict[str, Any]

#: Codes of the server library that MakeShop's wording points to.
PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
COMPLEXITY = "COMPLEXITY_LIMIT_EXCEEDED"
FORBIDDEN = "FORBIDDEN"

#: Sentences of rows that fail. Only that they are free Japanese text is known.
UNKNOWN_PRODUCT = "該当する商品が存在しません"
UNKNOWN_VARIATION = "該当するバリエーションが存在しません"
HAS_VARIATIONS = "バリエーションが設定された商品の数量は更新できません"
AMBIGUOUS_CODE = "同じ独自コードの商品が複数存在します"
BAD_KEY = "特定コードの指定が正しくありません"
BAD_CALCULATION = "数量の計算区分が正しくありません"
BAD_QUANTITY = "数量が正しくありません"
UNLIMITED = "数量が無制限の商品です"
UNKNOWN_ORDER = "該当する注文が存在しません"
UNKNOWN_DELIVERY = "該当する配送先が存在しません"
NOT_CANCELLABLE = "この注文はキャンセルできません"

_PAGE = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"


class Refused(Exception):
    """A request that is refused whole, with its status and errors."""

    def __init__(self, status: int, *errors: Json) -> None:
        super().__init__(status)
        self.status = status
        self.errors = errors


class BadInput(Exception):
    """An operation whose input has the right types and makes no sense."""


def error(message: str, **more: Any) -> Json:
    """One entry of `errors`."""
    return {"message": message, **more}


def coded(message: str, code: str, switches: MakeShopSwitches, **more: Any) -> Json:
    """One entry of `errors` with a code, where the switches say it stands."""
    place: Json = {"extensions": {"code": code}} if switches.code_place == "extensions" else {"code": code}
    return {"message": message, **more, **place}


def answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, {"content-type": "application/json", **(headers or {})}, orjson.dumps(body))


def refusal(status: int, errors: Sequence[Json], headers: Mapping[str, str] | None = None) -> Response:
    """An answer with errors and no data."""
    return answer(status, {"errors": list(errors), "data": None}, headers)


def not_found() -> Response:
    """What stands behind a wrong address: a web page."""
    return Response(404, {"content-type": "text/html; charset=utf-8"}, _PAGE)


def too_many(retry_after: int | None) -> Response:
    """The answer to a throttled request. No client has ever recorded one: status and body are a guess."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return refusal(429, [error("Too Many Requests")], headers)
