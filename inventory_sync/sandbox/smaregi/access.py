"""Who may call: registered apps, their tokens, scopes and the requests they have left in this second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory_sync.sandbox.smaregi.switches import ALL_SCOPES, SmaregiSwitches


@dataclass(slots=True)
class ApiClient:
    """An app registered at Smaregi and used by the contract. `scopes` are those the contract approved."""

    client_id: str
    client_secret: str
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    subscribed: bool = True


@dataclass(frozen=True, slots=True)
class Token:
    """An access token of an app."""

    client_id: str
    scopes: frozenset[str]
    expires: datetime


class RateCounter:
    """Requests of one app in one second, reads and writes apart; refused requests do not count."""

    def __init__(self) -> None:
        self._seen: dict[bool, deque[datetime]] = {True: deque(), False: deque()}

    def admit(self, now: datetime, *, read: bool, switches: SmaregiSwitches) -> bool:
        """Whether one more request is within the limit; if so it is counted."""
        seen = self._seen[read]
        if switches.rate_window == "sliding":
            horizon = now - timedelta(seconds=1)
            while seen and seen[0] <= horizon:
                seen.popleft()
        else:
            start = now.replace(microsecond=0)
            while seen and seen[0] < start:
                seen.popleft()
        if len(seen) >= (switches.reads_per_second if read else switches.writes_per_second):
            return False
        seen.append(now)
        return True


class Access:
    """Apps, tokens and rate counters of one contract."""

    def __init__(self, own: ApiClient) -> None:
        self.own = own.client_id
        self.clients: dict[str, ApiClient] = {own.client_id: own}
        self._tokens: dict[str, Token] = {}
        self._rates: dict[str, RateCounter] = {}
        self._issued = 0

    def issue(self, client: ApiClient, scopes: frozenset[str], now: datetime, lifetime: float) -> str:
        """A new token for an app."""
        self._issued += 1
        text = f"smaregi-token-{self._issued:06d}"
        self._tokens[text] = Token(client.client_id, scopes, now + timedelta(seconds=lifetime))
        return text

    def find(self, authorization: str, now: datetime) -> Token | None:
        """The token of an `Authorization: Bearer …` header, if it is valid at `now`."""
        kind, _, text = authorization.partition(" ")
        token = self._tokens.get(text.strip())
        if kind.lower() != "bearer" or token is None:
            return None
        client = self.clients[token.client_id]
        return token if client.subscribed and now < token.expires else None

    def revoke(self, client_id: str) -> None:
        """Make every token issued to an app so far invalid."""
        self._tokens = {text: token for text, token in self._tokens.items() if token.client_id != client_id}

    def admit(self, client_id: str, now: datetime, *, read: bool, switches: SmaregiSwitches) -> bool:
        """Whether an app's next request is within its limits."""
        return self._rates.setdefault(client_id, RateCounter()).admit(now, read=read, switches=switches)
