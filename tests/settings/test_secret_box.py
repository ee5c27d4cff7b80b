"""Stored credentials: rotated, tampered with, moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.secrets import SecretBox, SecretsError

OLD, NEW = "old key " * 5, "new key " * 5


@given(plain=st.binary(max_size=300), context=st.text(max_size=20))
def test_what_went_in_comes_out(plain: bytes, context: str) -> None:
    box = SecretBox([NEW])
    assert box.decrypt(box.encrypt(plain, context=context), context=context) == plain


def test_after_a_rotation_old_secrets_open_and_new_ones_need_the_new_key() -> None:
    sealed = SecretBox([OLD]).encrypt(b"token")
    rotating = SecretBox([NEW, OLD])
    assert rotating.decrypt(sealed) == b"token"
    assert not rotating.is_current(sealed)
    moved = rotating.reencrypt(sealed)
    assert rotating.is_current(moved)
    assert SecretBox([NEW]).decrypt(moved) == b"token"
    with pytest.raises(SecretsError):
        SecretBox([OLD]).decrypt(rotating.encrypt(b"token"))


def test_without_the_old_key_the_message_says_what_to_do() -> None:
    sealed = SecretBox([OLD]).encrypt(b"token", context="connection 7")
    for operation in (SecretBox([NEW]).decrypt, SecretBox([NEW]).reencrypt):
        with pytest.raises(SecretsError, match="connection 7 .*INVENTORY_SYNC_SECRET_KEY"):
            operation(sealed, context="connection 7")


def test_every_changed_byte_is_noticed() -> None:
    box = SecretBox([NEW])
    sealed = box.encrypt(b"token")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] = ord("A") if changed[position] != ord("A") else ord("B")
        # The last character of base64 has bits that mean nothing; only a changed secret must be refused.
        try:
            assert box.decrypt(bytes(changed)) == b"token"
            assert position >= len(sealed) - 3
        except SecretsError:
            pass


def test_a_secret_moved_to_another_connection_does_not_open() -> None:
    box = SecretBox([NEW])
    sealed = box.encrypt(b"token", context="connection 7")
    with pytest.raises(SecretsError):
        box.decrypt(sealed, context="connection 8")


def test_the_same_secret_never_looks_the_same_and_does_not_show() -> None:
    box = SecretBox([NEW])
    assert box.encrypt(b"token") != box.encrypt(b"token")
    assert b"token" not in box.encrypt(b"token")


def test_a_box_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        SecretBox([])
