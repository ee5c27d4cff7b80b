"""The built-in ledger as a system: stock that a warehouse keeps with us, in this installation or in another one."""

from __future__ import annotations

from inventory_sync.systems.builtin.client import CAPABILITIES, BuiltinClient
from inventory_sync.systems.builtin.problems import PROBLEMS
from inventory_sync.systems.builtin.settings import BuiltinSettings
from inventory_sync.systems.builtin.steps import READS_EN, READS_JA, STEPS, WAYS
from inventory_sync.systems.port import ClientContext, SystemDefinition


def _make_client(settings: BuiltinSettings, context: ClientContext) -> BuiltinClient:
    return BuiltinClient(settings, context)


definition = SystemDefinition(
    name="builtin",
    title_en="Built-in ledger",
    title_ja="組み込み在庫台帳",
    capabilities=CAPABILITIES,
    settings=BuiltinSettings,
    make_client=_make_client,
    make_notice_parser=None,
    credential_fields=("api_key",),
    prerequisites_en=("Nothing: the ledger is part of this product",),
    prerequisites_ja=("必要なものはありません。製品に含まれています",),
    steps=STEPS,
    ways=WAYS,
    reads_en=READS_EN,
    reads_ja=READS_JA,
    problems_ja={each.code: (each.ja, each.remedy_ja) for each in PROBLEMS.values()},
)

__all__ = ["definition"]
