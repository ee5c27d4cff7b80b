"""The set-up steps of every system: complete in both languages, and about settings and codes that exist."""

from __future__ import annotations

from importlib import import_module

import pytest

from inventory_sync.config.connections import secret_fields
from inventory_sync.systems.port import SystemDefinition
from inventory_sync.systems.registry import load
from inventory_sync.systems.steps import StepProof

SYSTEMS = [pytest.param(each, id=each.name) for each in load()]
ASKED_ELSEWHERE = {"previous_client_secret", "previous_webhook_secret"}
"""Secrets that only a change of another secret needs."""


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_step_is_written_in_both_languages_and_has_a_key_of_its_own(system: SystemDefinition) -> None:
    assert len({step.key for step in system.steps}) == len(system.steps) > 0
    for step in system.steps:
        for text in (step.title_en, step.title_ja, step.where_en, step.where_ja):
            assert text.strip()
        assert not step.title_ja.isascii()
        assert not step.where_ja.isascii()
        assert set(step.ways) <= {way.key for way in system.ways}


@pytest.mark.parametrize("system", SYSTEMS)
def test_steps_name_settings_that_exist_and_every_secret_that_a_person_has_to_enter(system: SystemDefinition) -> None:
    known = {info.alias or name for name, info in system.settings.model_fields.items()}
    named = {field for step in system.steps for field in (*step.fields, *step.more_fields)}
    assert named <= known
    secret = {name for name in secret_fields(system.settings) if not name.startswith("sftp_")}
    assert secret - named <= ASKED_ELSEWHERE | set(system.generated_secrets)
    for way in system.ways:
        assert {*way.sign, *(name for name, _ in way.given)} <= known


@pytest.mark.parametrize("system", SYSTEMS)
def test_steps_name_problems_that_the_system_has(system: SystemDefinition) -> None:
    package = system.settings.__module__.rpartition(".")[0]
    known = set(import_module(f"{package}.problems").PROBLEMS)
    if system.name == "makeshop":
        known |= set(import_module(f"{package}.classic.problems").PROBLEMS)
    assert {code for step in system.steps for code in step.problems} <= known


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_proves_a_step_has_what_it_needs(system: SystemDefinition) -> None:
    for step in system.steps:
        if step.proof is StepProof.ANSWERS:
            assert step.fields
        if step.proof is StepProof.SCOPES:
            assert step.scopes
        if step.proof is StepProof.APPROVAL:
            assert step.business_days
    assert system.reads_en
    assert len(system.reads_en) == len(system.reads_ja)


def test_an_older_custom_app_may_be_handled_by_owner_staff_or_collaborator_with_the_right() -> None:
    step = next(each for each in load().get("shopify").steps if each.key == "custom_app")
    for word in ("owner", "staff", "collaborator", "right to develop apps"):
        assert word in step.where_en
    for word in ("オーナー", "スタッフ", "コラボレーター", "アプリ開発の権限"):
        assert word in step.where_ja
