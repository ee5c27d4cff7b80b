"""Who may enter: client-credentials tokens, a legacy static token, secrets and their rotation, granted scopes.

https://shopify.dev/docs/apps/build/authentication-authorization/client-credentials-grant
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

DEFAULT_SCOPES = ("read_products", "write_inventory", "read_locations")


def sign(secret: str, body: bytes) -> str:
    """The webhook signature: base64 of the HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class _Secret:
    value: str
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    secret: str
    expires_at: datetime


class Access:
    """The app's credentials at the shop. `installed` False: the app was removed and no token works."""

    def __init__(self, client_id: str, client_secret: str, static_token: str | None, scopes: tuple[str, ...]) -> None:
        self.client_id = client_id
        self.scopes = tuple(scopes)
        self.installed = True
        self.same_organization = True
        self.static_token = static_token
        self._secrets = [_Secret(client_secret)]
        self._tokens: dict[str, _Token] = {}
        self._issued = 0

    def allows(self, scope: str) -> bool:
        """Whether a scope was granted; a write scope includes its read scope."""
        return scope in self.scopes or scope.replace("read_", "write_", 1) in self.scopes

    def knows(self, token: str, now: datetime) -> bool:
        """Whether a token opens the API now."""
        if not self.installed:
            return False
        if self.static_token is not None and hmac.compare_digest(token, self.static_token):
            return True
        found = self._tokens.get(token)
        return found is not None and now < found.expires_at and found.secret in self._valid_secrets()

    def expire_tokens(self) -> None:
        """Every client-credentials token stops working now."""
        self._tokens = {
            text: _Token(token.secret, datetime.min.replace(tzinfo=token.expires_at.tzinfo))
            for text, token in self._tokens.items()
        }

    def rotate_secret(self, new: str) -> None:
        """Add a second secret; both are valid until the old one is revoked."""
        self._secrets.append(_Secret(new))

    def revoke_oldest_secret(self, now: datetime) -> None:
        """Revoke the oldest valid secret; tokens it minted die with it."""
        next(secret for secret in self._secrets if secret.revoked_at is None).revoked_at = now

    def signing_secret(self, now: datetime, switch_delay: float) -> str:
        """The secret webhooks are signed with: the oldest not revoked, or revoked less than `switch_delay` s ago."""
        delay = timedelta(seconds=switch_delay)
        for secret in self._secrets:
            if secret.revoked_at is None or now < secret.revoked_at + delay:
                return secret.value
        return self._secrets[-1].value

    def _valid_secrets(self) -> list[str]:
        return [secret.value for secret in self._secrets if secret.revoked_at is None]

    def grant(self, content_type: str, body: bytes, now: datetime, life: int) -> tuple[int, dict[str, Any]]:
        """Answer the token endpoint: (status, JSON). Takes a form or JSON."""
        asked = _parameters(content_type, body)
        if asked is None:
            return 400, _oauth_error("invalid_request", "The request is malformed.")
        if asked.get("grant_type") != "client_credentials":
            return 400, _oauth_error("unsupported_grant_type", "The grant type is not supported.")
        secret = str(asked.get("client_secret", ""))
        if asked.get("client_id") != self.client_id or secret not in self._valid_secrets():
            return 401, _oauth_error("invalid_client", "The client credentials are invalid.")
        if not (self.installed and self.same_organization):
            return 400, _oauth_error("shop_not_permitted", "Client credentials cannot be performed on this shop.")
        self._issued += 1
        token = hashlib.sha256(f"{self.client_id}:{self._issued}".encode()).hexdigest()[:32]
        self._tokens[token] = _Token(secret, now + timedelta(seconds=life))
        return 200, {"access_token": token, "scope": ",".join(self.scopes), "expires_in": life}


def _oauth_error(error: str, description: str) -> dict[str, Any]:
    return {"error": error, "error_description": description}


def _parameters(content_type: str, body: bytes) -> dict[str, Any] | None:
    try:
        if content_type.startswith("application/json"):
            parsed = json.loads(body)
            return parsed if isinstance(parsed, dict) else None
        return dict(parse_qsl(body.decode("utf-8")))
    except ValueError:
        return None
