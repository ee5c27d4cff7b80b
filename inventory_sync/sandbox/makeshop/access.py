"""Who may call: permanent tokens with their approved operations, the API key, and timestamps that are fresh."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.sandbox.makeshop.switches import ALL_SCOPES, TIMESTAMP_LIFE

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(slots=True)
class Token:
    """A permanent token and the operations approved for it. `own`: the product's own, whose writes are the client's."""

    scopes: set[str]
    own: bool


def made_up(*parts: object) -> str:
    """64 hex digits that depend on nothing but `parts`."""
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


class Access:
    """Tokens and the key of one shop."""

    def __init__(self, shop: str, api_key: str, token: str | None, scopes: Iterable[str]) -> None:
        self._shop = shop
        self.api_key = api_key
        self._tokens: dict[str, Token] = {}
        self._issued = 0
        self.own = self.issue(scopes, token)

    def issue(self, scopes: Iterable[str], token: str | None = None, *, own: bool = True) -> str:
        """Make a token valid, a new one unless it is given."""
        unknown = set(scopes) - ALL_SCOPES
        if unknown:
            raise ValueError(f"no such operations: {', '.join(sorted(unknown))}")
        self._issued += 1
        text = token or f"PAT.{made_up('token', self._shop, self._issued)}"
        self._tokens[text] = Token(set(scopes), own)
        if own:
            self.own = text
        return text

    def scopes(self, token: str | None = None) -> set[str]:
        """The operations approved for a token (the product's own if none is named); to be changed in place."""
        return self._tokens[token or self.own].scopes

    def revoke(self, token: str | None = None) -> None:
        """Make a token (the product's own if none is named) invalid for good."""
        self._tokens.pop(token or self.own, None)

    def find(self, headers: Mapping[str, str], now: datetime) -> Token | str:
        """The token of a request, or why it is refused."""
        kind, _, text = headers.get("authorization", "").partition(" ")
        token = self._tokens.get(text.strip()) if kind.lower() == "bearer" else None
        if token is None:
            return "invalid token"
        if not hmac.compare_digest(headers.get("x-api-key", "").encode(), self.api_key.encode()):
            return "invalid api key"
        if not _is_fresh(headers.get("x-timestamp", ""), now):
            return "invalid timestamp"
        return token


def _is_fresh(text: str, now: datetime) -> bool:
    """Whether a Unix time in seconds is within an hour of now, in either direction."""
    return bool(_SECONDS.fullmatch(text)) and abs(now.timestamp() - int(text)) <= TIMESTAMP_LIFE / timedelta(seconds=1)
