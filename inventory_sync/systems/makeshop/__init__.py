"""MakeShop (GMO makeshop), a shop system: over its GraphQL API, or the classic one where a shop still has it."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.model.ids import ItemKey
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.makeshop import problems
from inventory_sync.systems.makeshop.calibrate import calibrate as calibrate_graphql
from inventory_sync.systems.makeshop.capabilities import CAPABILITIES, effective_capabilities
from inventory_sync.systems.makeshop.classic.problems import PROBLEMS as CLASSIC_PROBLEMS
from inventory_sync.systems.makeshop.client import MakeShopClient
from inventory_sync.systems.makeshop.notices import MakeShopNoticeParser
from inventory_sync.systems.makeshop.problems import PROBLEMS
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.makeshop.steps import READS_EN, READS_JA, STEPS, WAYS
from inventory_sync.systems.port import (
    Calibration,
    ChangeSource,
    Client,
    ClientContext,
    FileCatalogue,
    NoticeParser,
    SystemDefinition,
)


def _make_client(settings: MakeShopSettings, context: ClientContext) -> Client:
    if settings.api == "classic":
        from inventory_sync.systems.makeshop.classic import make_classic_client

        return make_classic_client(settings, context)
    return MakeShopClient(settings, context)


def _make_notice_parser(settings: MakeShopSettings) -> NoticeParser:
    if settings.api == "classic":
        from inventory_sync.systems.makeshop.classic import make_classic_notice_parser

        return make_classic_notice_parser(settings)
    return MakeShopNoticeParser(settings)


def _file_catalogue(settings: MakeShopSettings) -> FileCatalogue | None:
    if settings.api != "classic":
        return None
    from inventory_sync.systems.makeshop.classic.handed_in import CsvCatalogue

    return CsvCatalogue(settings)


def _needs_calibration(settings: MakeShopSettings) -> bool:
    """Whether nobody has said yet what a quantityCalculationType does: a guess could add where it means to set."""
    return settings.api == "graphql" and "quantity_calculation" not in settings.model_fields_set


def _change_source(settings: MakeShopSettings, found: Mapping[str, str]) -> ChangeSource:
    if settings.api == "classic":
        return ChangeSource.ORDERS
    return effective_capabilities(settings, found).change_source


async def _calibrate(settings: MakeShopSettings, context: ClientContext, item: ItemKey) -> Calibration:
    if settings.api == "classic":
        problem = problems.CALIBRATION_NOT_NEEDED
        raise InvalidSettings(
            problem.en,
            field="api",
            remedy=problem.remedy_en,
            code=problem.code,
            message_ja=problem.ja,
            remedy_ja=problem.remedy_ja,
        )
    return await calibrate_graphql(settings, context, item)


definition = SystemDefinition(
    name="makeshop",
    title_en="MakeShop",
    title_ja="makeshop",
    capabilities=CAPABILITIES,
    settings=MakeShopSettings,
    make_client=_make_client,
    make_notice_parser=_make_notice_parser,
    credential_fields=("access_token", "api_key"),
    prerequisites_en=(
        "GraphQL: API use approved in the shop's admin under アプリ管理 / API利用設定, for shop, product, stock and "
        "order information (main administrator only, about 5 business days)",
        "GraphQL: the permanent access token, the API key and, for webhooks, the secret key",
        "GraphQL: one product hidden in the shop with some stock, to calibrate stock writes on",
        "Classic: the order and product authentication codes, and the main administrator's password, at most "
        "12 characters long",
    ),
    prerequisites_ja=(
        "GraphQL: 新管理画面の「アプリ管理 / API利用設定」で、ショップ・商品・在庫・注文の情報種別の利用が"
        "承認されていること(メイン管理者のみ申請可、約5営業日)",
        "GraphQL: 永続アクセストークン、APIキー、Webhookを使う場合は秘密鍵",
        "GraphQL: 在庫更新の計算方法を確認するための、在庫がある非公開の商品を1つ",
        "従来API: 注文と商品の認証コード、12文字以内のメイン管理者パスワード",
    ),
    switches={
        "quantity_calculation": "the quantityCalculationType sets a number until a calibration proves it; default 0",
        "relative_writes": "write differences once a calibration has proven them; default true",
        "variation_details": "variationQuantityDetails is a list or a single object; default list",
        "mixed_writes": "products and variations may be written in one request; default true, else one row a request",
        "write_rows": "rows of one write at most; default 100",
        "probe_writes": "the connection test may send stock writes without rows to prove the right; default true",
        "page_limit": "rows asked for in a page of products or stock; default 200",
        "order_page_size": "orders asked for in a page; default 200",
        "trust_searched_count": "a search for orders ends when searchedCount orders were seen; default true",
        "order_filter": "search orders by each delivery state, with none, or both; default each",
        "orders_at_once": "one request may search orders by several states; default true, else one after the other",
        "provisional_counts": "a provisional order (仮注文) holds stock at MakeShop already; default true",
        "provisional_payment_codes": "the paymentStatusCode values of provisional orders; default none known",
        "paid_payment_codes": "the paymentStatusCode values of paid orders; default 0000, 0001, 0002, 0004, 1002",
        "stock_list": "stock can be listed whole (all) or only by system code (by_code); default all",
        "signature_recipe": "what a webhook's signature covers: timestamp_body (default), body or timestamp",
        "signature_encoding": "how it is written: hex or base64; default hex",
        "notice_max_age_seconds": "how far a webhook's time may be from ours; default 600",
    },
    generated_secrets=("notify_token",),
    needs_calibration=_needs_calibration,
    file_catalogue=_file_catalogue,
    change_source=_change_source,
    calibrate=_calibrate,
    steps=STEPS,
    ways=WAYS,
    reads_en=READS_EN,
    reads_ja=READS_JA,
    problems_ja={each.code: (each.ja, each.remedy_ja) for each in (*PROBLEMS.values(), *CLASSIC_PROBLEMS.values())},
)

__all__ = ["definition"]
