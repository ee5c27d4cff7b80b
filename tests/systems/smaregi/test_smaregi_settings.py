from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from inventory_sync.systems.port import EvidenceKind
from inventory_sync.systems.smaregi import definition
from inventory_sync.systems.smaregi.client import CAPABILITIES, effective_capabilities
from inventory_sync.systems.smaregi.settings import SmaregiSettings
from tests.systems.smaregi.smaregi_scripted import settings


def plain(**changes: object) -> SmaregiSettings:
    values = {"contract_id": "skc123ab4", "client_id": "c", "client_secret": "s"}
    return SmaregiSettings.model_validate({**values, **changes})


def test_a_production_contract_talks_to_production_and_a_sandbox_contract_to_the_sandbox() -> None:
    production, sandbox = plain(), plain(contract_id="sb_abc123d4")
    assert production.api_root == "https://api.smaregi.jp"
    assert production.token_endpoint == "https://id.smaregi.jp/app/skc123ab4/token"
    assert (production.reads, production.writes) == (50, 20)
    assert sandbox.api_root == "https://api.smaregi.dev"
    assert sandbox.token_endpoint == "https://id.smaregi.dev/app/sb_abc123d4/token"
    assert (sandbox.reads, sandbox.writes) == (10, 4)


def test_addresses_can_be_overridden_and_the_secret_never_goes_elsewhere_than_the_calls() -> None:
    assert plain(base_url=None, token_url=None).api_root == "https://api.smaregi.jp"
    both = plain(base_url="http://127.0.0.1:9000/", token_url="http://127.0.0.1:9001")
    assert both.api_root == "http://127.0.0.1:9000"
    assert both.token_endpoint == "http://127.0.0.1:9001/app/skc123ab4/token"
    assert plain(base_url="http://127.0.0.1:9000").token_endpoint == "http://127.0.0.1:9000/app/skc123ab4/token"
    assert (
        plain(token_url="https://id.example.test/app/x/token").token_endpoint == "https://id.example.test/app/x/token"
    )


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("contract_id", "sb_abc ", "without blanks"),
        ("contract_id", "../x", "as Smaregi shows it"),
        ("client_id", "a:b", "client ID"),
        ("client_id", " a", "client ID"),
        ("client_secret", "s\n", "client secret"),
        ("client_secret", "", "client secret"),
        ("webhook_secret", "short", "at least 16"),
        ("webhook_secret", "秘密" * 10, "ASCII"),
        ("previous_webhook_secret", " 0123456789abcdef", "blanks"),
        ("webhook_header", "X-A: b", "header name"),
        ("base_url", "api.smaregi.jp", "whole address"),
        ("base_url", "https://user@api.smaregi.jp", "whole address"),
        ("token_url", "https://id.smaregi.jp/?a=1", "whole address"),
        ("reads_per_second", 3, "greater than or equal to 4"),
        ("writes_per_second", 0, "greater than or equal to 1"),
        ("request_timeout_seconds", 0, "greater than 0"),
        ("read_lag_seconds", 0, "greater than 0"),
        ("quantity", "stock", "Extra inputs"),
    ],
)
def test_a_setting_that_cannot_work_says_what_would_be_right(field: str, value: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        plain(**{field: value})


def test_no_setting_shows_a_secret() -> None:
    shown = repr(settings(previous_webhook_secret="fedcba9876543210"))
    for secret in ("very-secret-value", "0123456789abcdef", "fedcba9876543210"):
        assert secret not in shown


def test_the_definition_offers_both_roles_and_matches_by_product_code_first() -> None:
    assert definition.name == "smaregi"
    assert {role.value for role in definition.capabilities.roles} == {"ledger", "channel"}
    assert definition.capabilities.match_fields[0] == "product_code"
    assert definition.capabilities.write_batch == 1
    assert set(definition.switches) >= {"history", "memo", "bulk"}
    assert set(definition.credential_fields) <= set(SmaregiSettings.model_fields)


@pytest.mark.parametrize(
    ("history", "memo", "evidence"),
    [
        (True, True, EvidenceKind.HISTORY),
        (True, False, EvidenceKind.NONE),
        (False, True, EvidenceKind.NONE),
        (False, False, EvidenceKind.NONE),
    ],
)
def test_a_lost_answer_is_looked_up_only_where_history_and_memo_can_be_read(
    history: bool, memo: bool, evidence: EvidenceKind
) -> None:
    assert effective_capabilities(settings(history=history, memo=memo)).evidence is evidence


def test_measured_times_replace_the_defaults() -> None:
    measured = effective_capabilities(settings(read_lag_seconds=1.5, late_effect_seconds=20, request_timeout_seconds=5))
    assert measured.read_lag == timedelta(seconds=1.5)
    assert measured.late_effect == timedelta(seconds=20)
    assert measured.request_timeout == timedelta(seconds=5)
    assert effective_capabilities(settings()) == CAPABILITIES
