"""Who may do what for how long: the two codes, the administrators, access addresses of five minutes, and the block."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory_sync.sandbox.makeshop.access import made_up
from inventory_sync.sandbox.makeshop_classic.switches import ACCESS_LIFE, PASSWORD_MAX


@dataclass(slots=True)
class Grant:
    """An access address (or upload key) that was issued."""

    purpose: str  # search or upload
    expires: datetime
    used: int = 0


@dataclass(slots=True)
class ClassicAccess:
    """Credentials of one shop. `administrators`: names and passwords; only the main one may upload."""

    shop: str
    order_code: str
    product_code: str
    main: str
    administrators: dict[str, str]
    order_allowed: bool = True  # 注文情報参照: 許可する
    product_allowed: bool = True
    blocked_until: datetime | None = None
    _grants: dict[str, Grant] = field(default_factory=dict)

    def may_upload(self, name: str, password: str) -> bool:
        """Whether a sign-in is the main administrator's, with a password that is short enough."""
        right = bool(password) and self.administrators.get(name) == password
        return right and name == self.main and len(password) <= PASSWORD_MAX

    def issue(self, purpose: str, now: datetime) -> str:
        """A new grant; returns its token."""
        token = made_up("grant", self.shop, purpose, len(self._grants) + 1)[:32]
        self._grants[token] = Grant(purpose, now + timedelta(seconds=ACCESS_LIFE))
        return token

    def use(self, token: str, purpose: str, now: datetime, *, uses: int) -> str:
        """Use a grant once; empty where that is allowed, else why it is not: unknown, expired or used."""
        grant = self._grants.get(token)
        if grant is None or grant.purpose != purpose:
            return "unknown"
        if now >= grant.expires:
            return "expired"
        if uses and grant.used >= uses:
            return "used"
        grant.used += 1
        return ""

    def revoke(self) -> None:
        """Make every grant invalid."""
        self._grants.clear()

    def is_blocked(self, now: datetime) -> bool:
        return self.blocked_until is not None and now < self.blocked_until
