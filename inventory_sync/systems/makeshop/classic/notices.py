"""Update notifications (更新通知API): calls to an address nobody can guess, and nothing else about them is certain.

Method, parameters and their names are not documented. Shops enter an address with `[SHOPID]`, `[ORDERNUM]` and `[CMD]`
in it (seen in a vendor's manual), so whatever comes is taken: in the path, the query or a form, filled in or not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

from inventory_sync.systems.makeshop.classic import problems
from inventory_sync.systems.makeshop.classic.account import ClassicSettings
from inventory_sync.systems.notices import unauthorized
from inventory_sync.systems.port import Notice, NoticeKind

NOTICE_TEMPLATE = "?shop=[SHOPID]&order=[ORDERNUM]&cmd=[CMD]"
"""What a person may add behind the address; it works without as well."""

MAX_PARTS = 100
_ORDER_NUMBER = re.compile(r"[A-Za-z]{0,4}[0-9]{8,26}")
_COMMAND = re.compile(r"[A-Za-z_]{2,20}")
_COMMAND_NAMES = frozenset({"cmd", "command", "event", "type", "status"})


class ClassicNoticeParser:
    """Implements `port.NoticeParser` for one connection. `now` tells one minute from the next."""

    def __init__(self, settings: ClassicSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        token = settings.notify_token
        self._token = token.get_secret_value().encode() if token else b""
        self._now = now

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks the token in the path, then looks for an order number. Everything else is tolerated.

        The same call within a minute is the same notice; later it is heard again, since a second change of an order may
        look exactly like the first.
        """
        token, _, rest = headers.get(":token", "").partition("/")
        self._authorise(token)
        query = headers.get(":query", "")
        parts = _parts(rest, query, body)
        content = b"\0".join((rest.encode(), query.encode(), body))
        digest = hashlib.sha256(content).hexdigest()[:32]
        minute = int(self._now().timestamp() // 60)
        number = order_number(parts)
        identity = f"{number}:{digest}:{minute}" if number else f"{digest}:{minute}"
        return Notice(identity, _topic(parts), NoticeKind.ORDERS)

    def _authorise(self, token: str) -> None:
        if not self._token:
            raise unauthorized(problems.NO_NOTIFY_TOKEN)
        if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token):
            raise unauthorized(problems.BAD_NOTIFY_TOKEN)


def order_number(parts: list[tuple[str, str]]) -> str:
    """The order number among the parts of a call, whatever it is called there; empty where none looks like one."""
    likely = sorted(parts, key=lambda part: "order" not in part[0].lower())
    return next((value for _, value in likely if _ORDER_NUMBER.fullmatch(value)), "")


def _topic(parts: list[tuple[str, str]]) -> str:
    """What the call says has happened, for the log; nothing is decided by it."""
    for name, value in parts:
        if name.lower() in _COMMAND_NAMES and _COMMAND.fullmatch(value):
            return f"orders/{value.lower()}"
    return "orders"


def _parts(rest: str, query: str, body: bytes) -> list[tuple[str, str]]:
    """Every name and value in the call: pairs of the query and of a form, and neighbours in a path (`cmd/order`)."""
    text = body[:65536].decode("utf-8", "replace")
    found: list[tuple[str, str]] = []
    for source in (query, text):
        if "=" in source and not source.lstrip().startswith(("<", "{", "[")):
            found += parse_qsl(source, keep_blank_values=True, errors="replace", max_num_fields=None)[:MAX_PARTS]
        else:
            found += _neighbours(re.split(r"[^A-Za-z0-9_\[\]-]+", unquote(source)))
    return found + _neighbours(unquote(rest).split("/"))


def _neighbours(words: list[str]) -> list[tuple[str, str]]:
    kept = [word for word in words if word][:MAX_PARTS]
    return list(zip(["", *kept], kept, strict=False))
