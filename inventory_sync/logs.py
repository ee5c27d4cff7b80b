"""Structured logs: events are verbs with fixed keys, as JSON or for a console, without secrets or customer data."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import orjson
import structlog

REDACTED = "[redacted]"

# A key is hidden if its name has one of these parts.
_SECRET_PARTS = (
    "token", "secret", "password", "passwd", "passphrase", "authorization", "hmac", "signature", "cookie", "credential",
    "api_key", "apikey", "private_key", "secret_key", "store_key", "auth_code", "access_key",
)  # fmt: skip
_CUSTOMER_PARTS = (
    "email", "mail_address", "phone", "telephone", "address", "postcode", "zip_code", "first_name", "last_name",
    "full_name", "customer_name", "billing", "shipping_name", "recipient", "birthday",
)  # fmt: skip
_PARTS = _SECRET_PARTS + _CUSTOMER_PARTS
# What stands under these keys is a person.
_PERSONS = frozenset({"customer", "buyer", "orderer", "purchaser", "member"})
# Keys that hold a part above and are neither secret nor about a customer.
_HARMLESS = frozenset(
    {"token_expires_at", "credential_expires_at", "tokens_left", "fencing_token", "listen_address", "ip_address"}
)

_VALUES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Tokens and secrets of Shopify (shopify.dev/docs/apps/build/authentication-authorization: their prefixes).
    (re.compile(r"\bshp(?:at|ca|pa|ss|rt|tka|ua)_[0-9A-Za-z_]+"), REDACTED),
    (re.compile(r"\b(Bearer)\s+[0-9A-Za-z._~+/=-]{4,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    # "basic stock" is no secret: base64 of a user and password has a capital, a digit or padding.
    (re.compile(r"\b([Bb]asic)\s+(?=\S*[A-Z0-9=])[0-9A-Za-z+/=_-]{6,}"), rf"\1 {REDACTED}"),
    # The password in any URL, and secrets in a query string.
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/]+@", re.IGNORECASE), rf"\1:{REDACTED}@"),
    (
        re.compile(r"([?&](?:[a-z_-]*(?:token|secret|password|hmac|signature|api_?key)|code)=)[^&\s\"']+", re.I),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]*"), REDACTED),
    (re.compile(r"\b[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+\b"), REDACTED),
)

EventDict = MutableMapping[str, Any]


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Hide secrets and customer data, by the name of the key and by the look of the value, however deep they lie."""
    return {key: _clean(str(key), value) for key, value in event.items()}


def redact_text(text: str) -> str:
    """Hide what looks like a secret or a mail address within a text."""
    for pattern, replacement in _VALUES:
        text = pattern.sub(replacement, text)
    return text


def configure_logs(
    level: str = "info", layout: Literal["json", "console"] = "json", stream: TextIO | None = None
) -> None:
    """Send structlog's and the standard library's messages through the same processors to `stream` (default stderr)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    output = stream or sys.stderr
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            # A traceback becomes text first, so that it is cleaned like any other value.
            structlog.processors.format_exc_info,
            redact,
            *_renderers(layout, output),
        ],
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # One line per request is the business of our own events, and statements of a library's debug log are too much.
    for noisy in ("aiohttp.access", "apscheduler", "asyncio", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def _renderers(layout: str, output: TextIO) -> list[structlog.typing.Processor]:
    if layout == "console":
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=output.isatty(), exception_formatter=plain)]
    return [structlog.processors.JSONRenderer(serializer=_dumps)]


def _dumps(value: object, default: Any = None, **_options: Any) -> str:
    return orjson.dumps(value, default=default or str, option=orjson.OPT_NON_STR_KEYS).decode()


def _clean(key: str, value: object) -> object:
    if _is_private(key) and value is not None and not isinstance(value, bool):
        return REDACTED
    if isinstance(value, Mapping):
        return {name: _clean(str(name), part) for name, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean("", part) for part in value]
    if isinstance(value, bytes):
        return redact_text(value.decode(errors="replace"))
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact_text(str(value))


def _is_private(key: str) -> bool:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s.-]+", "_", key).lower()
    if name in _HARMLESS:
        return False
    return name in _PERSONS or any(part in name for part in _PARTS)
