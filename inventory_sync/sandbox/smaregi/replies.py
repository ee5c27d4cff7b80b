"""Answers as Smaregi writes them: JSON bodies, and RFC 7807 problems with a Japanese sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping

from inventory_sync.sandbox.kernel import Response

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "Method Not Allowed",
    429: "Too Many Requests",
}

# Details as the official reference gives them (…/operations/poststockproductidadd, …/patchstockproductid).
UNKNOWN_STORE = "指定された店舗IDのリソースが見つかりません"
UNKNOWN_ID = "指定されたIDのリソースが見つかりません"
ABOVE_RANGE = "更新後の在庫数は[999999999]以下である必要があります"
# By analogy with the sentence above.
BELOW_RANGE = "更新後の在庫数は[-999999999]以上である必要があります"


class Problem(Exception):
    """A request that is refused. `rule` names the documented limit it broke, if it broke one."""

    def __init__(self, status: int, detail: str, *, rule: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.rule = rule


def dump(value: object) -> bytes:
    """A value as compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def answer(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, {"content-type": "application/json", **(headers or {})}, dump(value))


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error answer (`type`, `title`, `detail`, `status`)."""
    body = {"type": "about:blank", "title": TITLES[status], "detail": detail, "status": status}
    return Response(status, {"content-type": "application/problem+json", **(headers or {})}, dump(body))


def throttle(retry_after: int | None) -> Response:
    """The answer to a request over the limit."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return problem(429, "リクエスト数が上限を超えました", headers)


def token_error(status: int, error: str, description: str) -> Response:
    """An error answer of the token endpoint, in the form of RFC 6749 section 5.2."""
    headers = {"content-type": "application/json"}
    if status == 401:
        headers["www-authenticate"] = 'Basic realm="smaregi"'
    return Response(status, headers, dump({"error": error, "error_description": description}))
