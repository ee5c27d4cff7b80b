"""Stored connections: settings in clear, secrets sealed and bound to the connection they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from inventory_sync.secrets import SecretBox
from inventory_sync.store.db import Record
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import SettingsModel, SystemDefinition

REMOVED = "removed"
"""`state_code` of a connection, and `stopped_by` of a route, that a configuration with prune took away."""

NEEDS_CALIBRATION = "needed"
"""Key in a connection's calibration: set while nobody has found out what its partner's documents leave open."""


def context_of(name: str) -> str:
    """What a connection's secrets are bound to: sealed for one connection, they do not open for another."""
    return f"connection:{name}"


def seal(box: SecretBox, name: str, secrets: Mapping[str, str]) -> bytes | None:
    """A connection's secrets as they are stored; None where it has none."""
    if not secrets:
        return None
    plain = orjson.dumps(dict(secrets), option=orjson.OPT_SORT_KEYS)
    return box.encrypt(plain, context=context_of(name))


def unseal(box: SecretBox, name: str, sealed: bytes | None) -> dict[str, str]:
    """A connection's secrets in clear, by setting. Raises SecretsError where no key opens them."""
    if sealed is None:
        return {}
    opened: dict[str, str] = orjson.loads(box.decrypt(sealed, context=context_of(name)))
    return opened


def whole_settings(definition: SystemDefinition, values: Mapping[str, Any]) -> SettingsModel:
    """The system's own settings object. Raises InvalidSettings, whose message never repeats a value."""
    try:
        return definition.settings.model_validate(dict(values))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        named = sorted({str(fault["loc"][0]) for fault in faults if fault["loc"]})
    raise InvalidSettings(
        f"the settings do not fit together ({', '.join(named) or 'as a whole'})",
        field=named[0] if named else "",
        remedy=f"Name them in the configuration file; `inventory-sync systems` shows what {definition.name} needs.",
        message_ja=f"設定の組み合わせが正しくありません({'、'.join(named) or '設定全体'})。",
        remedy_ja=f"設定ファイルに書いてください。{definition.title_ja}に必要な設定は `inventory-sync systems` で"
        "確認できます。",
    )


def open_settings(definition: SystemDefinition, record: Mapping[str, Any] | Record, box: SecretBox) -> SettingsModel:
    """The settings of a stored connection, secrets and all. Raises SecretsError or InvalidSettings."""
    hidden = unseal(box, record["name"], record["secrets"])
    return whole_settings(definition, {**record["settings"], **hidden})
