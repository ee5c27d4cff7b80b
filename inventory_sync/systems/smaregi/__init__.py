"""Smaregi (スマレジ), a point-of-sale system that keeps the stock ledger, over its Platform API."""

from __future__ import annotations

from inventory_sync.systems.port import ClientContext, SystemDefinition
from inventory_sync.systems.smaregi.bulk import pace
from inventory_sync.systems.smaregi.client import CAPABILITIES, SmaregiClient
from inventory_sync.systems.smaregi.memo import compose_memo, parse_memo
from inventory_sync.systems.smaregi.notices import SmaregiNoticeParser, contract_of
from inventory_sync.systems.smaregi.problems import PROBLEMS
from inventory_sync.systems.smaregi.settings import SmaregiSettings
from inventory_sync.systems.smaregi.steps import READS_EN, READS_JA, STEPS


def _make_client(settings: SmaregiSettings, context: ClientContext) -> SmaregiClient:
    return SmaregiClient(settings, context)


def _make_notice_parser(settings: SmaregiSettings) -> SmaregiNoticeParser:
    return SmaregiNoticeParser(settings)


definition = SystemDefinition(
    name="smaregi",
    title_en="Smaregi",
    title_ja="スマレジ",
    capabilities=CAPABILITIES,
    settings=SmaregiSettings,
    make_client=_make_client,
    make_notice_parser=_make_notice_parser,
    credential_fields=("client_id", "client_secret"),
    prerequisites_en=(
        "A Smaregi contract on any plan",
        "A private app in the Smaregi developer console with its client ID and secret",
        "The app in use on the contract, with its scopes approved on the contract's My Page",
    ),
    prerequisites_ja=(
        "スマレジの契約(プランは問いません)",
        "スマレジ・デベロッパーズで作成したプライベートアプリのクライアントIDとシークレット",
        "契約でアプリの利用を開始し、マイページでスコープを承認していること",
    ),
    generated_secrets=("callback_token",),
    callback_field="callback_token",
    pace=pace,
    switches={
        "history": "the contract may read the stock change history, which ends doubts about lost answers; default true",
        "memo": "the change history returns the memo that marks our own changes; default true",
        "bulk": "a push of many rows goes by bulk calls where their callbacks reach us; default true",
        "bulk_callback_seconds": "how long the callback of a bulk call may take; default 120",
        "bulk_late_effect_seconds": "how long a bulk call whose callback stayed away may still land; default 600",
    },
    steps=STEPS,
    reads_en=READS_EN,
    reads_ja=READS_JA,
    problems_ja={each.code: (each.ja, each.remedy_ja) for each in PROBLEMS.values()},
)

__all__ = ["compose_memo", "contract_of", "definition", "parse_memo"]
