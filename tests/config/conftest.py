"""Two invented systems, a small valid file, and what tests ask of the configuration reader."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Literal

import pytest
from pydantic import SecretStr, field_validator, model_validator

from inventory_sync.config import ConfigDocument, ConfigError, ConfigErrors, load_document
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import Capabilities, Client, EvidenceKind, Role, SettingsModel, SystemDefinition

SECRET = "s3cr3t-value-of-the-test"
ENVIRON = {"TILL_SECRET": SECRET, "TILL_ID": "till-client", "EMPTY": "", "SHORT": "7"}


class TillSettings(SettingsModel):
    contract_id: str
    client_id: str
    client_secret: SecretStr
    webhook_secret: SecretStr | None = None
    retries: int = 3
    mode: Literal["live", "sandbox"] = "live"
    stores: tuple[int, ...] = ()

    @field_validator("contract_id")
    @classmethod
    def _shape(cls, value: str) -> str:
        if not value.startswith("sb_"):
            raise ValueError(f"a contract id begins with sb_, not like {value}")
        return value

    @field_validator("client_secret")
    @classmethod
    def _long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 8:
            raise ValueError(f"{value.get_secret_value()} is shorter than 8 characters")
        return value


class StallSettings(SettingsModel):
    shop: str
    access_token: SecretStr | None = None
    client_secret: SecretStr | None = None

    @field_validator("shop")
    @classmethod
    def _host(cls, value: str) -> str:
        if "/" in value:
            raise InvalidSettings(
                "this is an address", field="shop", remedy="Write the shop's name.", code="IS-STL-004"
            )
        return value.removesuffix(".example")

    @model_validator(mode="after")
    def _one_way_in(self) -> StallSettings:
        if (self.access_token is None) == (self.client_secret is None):
            raise ValueError("give either access_token or client_secret")
        return self


def _no_client(settings: Any, context: Any) -> Client:
    raise AssertionError("reading a file makes no client")


def system(
    name: str, settings: type[SettingsModel], roles: set[Role], fields: tuple[str, ...], **more: Any
) -> SystemDefinition:
    capabilities = Capabilities(
        roles=frozenset(roles),
        match_fields=fields,
        read_batch=10,
        write_batch=10,
        concurrent_writes=1,
        read_lag=timedelta(seconds=3),
        late_effect=timedelta(seconds=60),
        request_timeout=timedelta(seconds=30),
        evidence=EvidenceKind.NONE,
        **more,
    )
    return SystemDefinition(name, name.title(), name, capabilities, settings, _no_client, None)


SYSTEMS = {
    "till": system(
        "till",
        TillSettings,
        {Role.LEDGER},
        ("product_code", "barcode"),
        bases=frozenset({"stock", "stock_minus_layaway", "on_hand"}),
    ),
    "stall": system("stall", StallSettings, {Role.CHANNEL}, ("sku", "barcode")),
    "both": system("both", SettingsModel, {Role.LEDGER, Role.CHANNEL}, ("code",)),
    "depot": system(
        "depot",
        TillSettings,
        {Role.LEDGER},
        ("product_code",),
        bases=frozenset({"free"}),
        adjustable_intake=("adjustment", "shipment"),
    ),
    "kiosk": system("kiosk", StallSettings, {Role.CHANNEL}, ("sku",), has_locations=False),
    "counter": system("counter", StallSettings, {Role.CHANNEL}, ("sku",), shows_committed=True),
}

CONNECTIONS = """\
connections:
  pos:
    system: till
    contract_id: sb_0123
    client_id: ${TILL_ID}
    client_secret: ${TILL_SECRET}
  shop:
    system: stall
    shop: demo.example
    access_token: "token $${not a variable}"
"""

WITHOUT_SECRET = CONNECTIONS.replace("    client_secret: ${TILL_SECRET}\n", "")

ROUTE = """\
routes:
  pos-shop:
    ledger: pos
    channel: shop
"""


JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")


def told_in_japanese(error: ConfigError) -> None:
    """Every problem is told in Japanese as well, at the same place, with the code and without what must not be shown.

    What an invented system says in its own English may stand in it: its author gave nothing else.
    """
    assert error.japanese.startswith(error.place), error
    assert error.japanese.endswith(f"[{error.code}]"), error
    assert SECRET not in error.japanese
    if error.code.startswith("IS-CFG-"):
        assert JAPANESE.search(error.problem.ja), error
        assert JAPANESE.search(error.problem.remedy_ja), error
        assert error.problem.remedy_ja.endswith("。"), error
        assert not error.problem.ja.endswith("。"), error


class ConfigKit:
    """Reads texts with the invented systems; `CONNECTIONS` is ten lines long, `ROUTE` four."""

    SECRET = SECRET
    ENVIRON = ENVIRON
    SYSTEMS = SYSTEMS
    CONNECTIONS = CONNECTIONS
    WITHOUT_SECRET = WITHOUT_SECRET
    ROUTE = ROUTE
    told_in_japanese = staticmethod(told_in_japanese)

    def load(self, text: str, **extra: Any) -> ConfigDocument:
        return load_document(text, ENVIRON, SYSTEMS, **extra)

    def errors(self, text: str, **extra: Any) -> tuple[ConfigError, ...]:
        with pytest.raises(ConfigErrors) as caught:
            self.load(text, **extra)
        for error in caught.value.errors:
            told_in_japanese(error)
        return caught.value.errors

    def only_error(self, text: str, **extra: Any) -> ConfigError:
        found = self.errors(text, **extra)
        assert len(found) == 1, found
        return found[0]


@pytest.fixture(scope="session")
def config() -> ConfigKit:
    return ConfigKit()
