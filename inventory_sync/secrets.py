"""Encryption of stored credentials, with rotation: what was written under an old key is still read."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"inventory-sync stored secrets v1 "


class SecretsError(Exception):
    """A stored secret cannot be read: it was changed, belongs elsewhere, or its key is missing."""


class SecretBox:
    """Encrypts and authenticates bytes under the first of `keys` (newest first); decrypts under any of them.

    `context` says what a secret belongs to, such as "connection 7"; a ciphertext moved to another place does not open.
    The keys may be any text; Fernet keys are derived from them (HKDF, RFC 5869), one per context.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a secret box needs at least one key")
        self._keys = tuple(key.encode() for key in keys)

    def encrypt(self, plain: bytes, *, context: str = "") -> bytes:
        """Encrypt under the newest key."""
        return self._fernets(context)[0].encrypt(plain)

    def decrypt(self, sealed: bytes, *, context: str = "") -> bytes:
        """Decrypt under whichever key fits. Raises SecretsError if none does."""
        try:
            return MultiFernet(self._fernets(context)).decrypt(sealed)
        except InvalidToken:
            raise self._unreadable(context) from None

    def reencrypt(self, sealed: bytes, *, context: str = "") -> bytes:
        """The same secret under the newest key. Raises SecretsError if no key opens it."""
        try:
            return MultiFernet(self._fernets(context)).rotate(sealed)
        except InvalidToken:
            raise self._unreadable(context) from None

    def is_current(self, sealed: bytes, *, context: str = "") -> bool:
        """Whether the newest key opens it, so that older keys are not needed for it."""
        try:
            self._fernets(context)[0].decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _fernets(self, context: str) -> list[Fernet]:
        return [Fernet(_derive(key, context)) for key in self._keys]

    @staticmethod
    def _unreadable(context: str) -> SecretsError:
        return SecretsError(
            f"The stored secret{f' of {context}' if context else ''} cannot be opened with any key of "
            "INVENTORY_SYNC_SECRET_KEY. Add the key it was written with to the end of the list, or enter it again."
        )


def _derive(key: bytes, context: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE + context.encode()).derive(key)
    return base64.urlsafe_b64encode(derived)
