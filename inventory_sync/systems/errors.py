"""What a partner's answer means for us, named by what the engine must do (DESIGN §6).

Every adapter maps every answer of its partner to one of these in one place. The docstring of a class is its rule.
"""

from __future__ import annotations

from enum import StrEnum


class PartnerError(Exception):
    """Base of everything an adapter may raise. `code` is stable and readable on the phone, such as IS-SHP-014."""

    def __init__(self, message: str, *, code: str = "IS-GEN-001") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class RetryLater(PartnerError):
    """Come again after `after` seconds. `executed=False` says the partner certainly did not carry it out."""

    def __init__(self, message: str, *, after: float, executed: bool | None = False, code: str = "IS-GEN-002") -> None:
        super().__init__(message, code=code)
        self.after = after
        self.executed = executed


class Doubt(PartnerError):
    """The request may or may not have been carried out, or may still be (time-out, reset, 5xx after sending)."""


class Stale(PartnerError):
    """What we assumed is no longer true there: nothing was carried out; read again, decide again under a new key."""


class BrokenKind(StrEnum):
    """Why a connection cannot be used, which decides whether time or a person can mend it."""

    CREDENTIAL = "credential"  # token or secret refused: a person renews it
    SCOPE = "scope"  # a right is missing or not yet approved: a person grants it
    FROZEN = "frozen"  # the shop is paused or unpaid: retried slowly
    LOCKED = "locked"  # the partner locked the shop: retried very slowly
    UNINSTALLED = "uninstalled"  # the app was removed: relink
    GONE = "gone"  # no such shop, contract or version
    IDENTITY = "identity"  # the credential belongs to another shop than the connection


class Broken(PartnerError):
    """The connection as a whole does not work. `remedy` tells a person what to do; nothing was carried out."""

    def __init__(
        self, message: str, *, kind: BrokenKind, remedy: str, retry_after: float | None = None, code: str = "IS-GEN-003"
    ) -> None:
        super().__init__(message, code=code)
        self.kind = kind
        self.remedy = remedy
        self.retry_after = retry_after


class Bug(PartnerError):
    """The partner refused our request as malformed: ours to mend, never retried blindly. Nothing was carried out."""


class Unreadable(PartnerError):
    """The partner's history (or memo in it) cannot be read with what we were granted: it is no evidence."""


class UnauthorizedNotice(PartnerError):
    """A notice whose signature or secret is missing or wrong: answer 401, store nothing."""


class MalformedNotice(PartnerError):
    """A notice with a good signature and an unreadable body: answer 400, store nothing."""


class FileRefused(PartnerError):
    """A file cannot be taken, and nothing of it was. The message names file, row and column, `remedy` what to do."""

    def __init__(self, message: str, *, remedy: str, code: str) -> None:
        super().__init__(message, code=code)
        self.remedy = remedy


class InvalidSettings(PartnerError):
    """A connection's settings cannot work. `field` names the one at fault, `remedy` what would be right.

    `message_ja` and `remedy_ja` are the same in Japanese; where a system of another author gives none, its English.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str,
        remedy: str,
        code: str = "IS-CFG-001",
        message_ja: str = "",
        remedy_ja: str = "",
    ) -> None:
        super().__init__(message, code=code)
        self.field = field
        self.remedy = remedy
        self.message_ja = message_ja or message
        self.remedy_ja = remedy_ja or remedy


class WrongValue(ValueError):
    """What a settings model says of a value that it cannot take, in English and Japanese: what would be right."""

    def __init__(self, message: str, japanese: str) -> None:
        super().__init__(message)
        self.japanese = japanese
