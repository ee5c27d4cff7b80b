"""Shopify: a shop's stock over the Admin GraphQL API."""

from __future__ import annotations

from inventory_sync.systems.port import SystemDefinition
from inventory_sync.systems.shopify.capabilities import CAPABILITIES
from inventory_sync.systems.shopify.client import ShopifyClient
from inventory_sync.systems.shopify.notices import ShopifyNoticeParser
from inventory_sync.systems.shopify.problems import PROBLEMS
from inventory_sync.systems.shopify.settings import ShopifySettings
from inventory_sync.systems.shopify.steps import READS_EN, READS_JA, STEPS, WAYS

definition = SystemDefinition(
    name="shopify",
    title_en="Shopify",
    title_ja="Shopify",
    capabilities=CAPABILITIES,
    settings=ShopifySettings,
    make_client=ShopifyClient,
    make_notice_parser=ShopifyNoticeParser,
    credential_fields=("client_id", "client_secret", "access_token", "api_secret", "previous_client_secret"),
    prerequisites_en=(
        "An app made in the Dev Dashboard of the shop's own organization, or an older custom app of the shop",
        "Scopes read_products, read_inventory, write_inventory and read_locations, released and accepted in the shop",
        "The app installed in the shop",
    ),
    prerequisites_ja=(
        "ショップと同じ組織の Dev Dashboard で作成したアプリ、または以前に作成したカスタムアプリ",
        "スコープ read_products、read_inventory、write_inventory、read_locations のリリースとショップでの承認",
        "アプリがショップにインストールされていること",
    ),
    switches={
        "read_lag_seconds": "how long a reading asked after our own write may still show the old number; default 3",
        "late_effect_seconds": "how long a write that timed out may still land; default 60",
        "bulk_from_variants": "from so many variants on lists are fetched as a bulk operation; default 5000",
    },
    notice_response_empty=True,
    steps=STEPS,
    ways=WAYS,
    reads_en=READS_EN,
    reads_ja=READS_JA,
    problems_ja={each.code: (each.ja, each.remedy_ja) for each in PROBLEMS.values()},
)
