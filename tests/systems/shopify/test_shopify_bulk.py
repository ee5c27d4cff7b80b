"""Bulk operations over real HTTP: the list comes whole, or not at all, and nothing private is asked or told."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from inventory_sync.model.ambient import Ambient
from inventory_sync.sandbox.kernel import Fault, FaultKind
from inventory_sync.sandbox.shell import SandboxShell
from inventory_sync.sandbox.shopify import ShopifySimulator
from inventory_sync.systems.http import AiohttpTransport, HttpRequest, HttpResponse
from inventory_sync.systems.port import CatalogueItem, CataloguePage, ClientContext, LevelPage, LevelReading, NoticeKind
from inventory_sync.systems.shopify import bulk, bulk_file
from inventory_sync.systems.shopify.client import ShopifyClient
from inventory_sync.systems.shopify.notices import ShopifyNoticeParser
from inventory_sync.systems.shopify.settings import ShopifySettings

START = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
VARIANTS = 600
PLACES = ("Main street", "Annex")


class Watching(AiohttpTransport):
    """The real transport, which keeps the addresses it was asked for."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__(session)
        self.asked: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        return await super().send(request)

    async def download(self, request: HttpRequest, take: Callable[[bytes], None]) -> HttpResponse:
        self.asked.append(request)
        return await super().download(request, take)


@dataclass
class Desk:
    """A shop of some hundred variants behind a port, and a clock that is moved by hand."""

    shop: ShopifySimulator
    shell: SandboxShell
    session: aiohttp.ClientSession
    now: datetime = START
    transport: Watching = field(init=False)

    def __post_init__(self) -> None:
        self.transport = Watching(self.session)

    def client(self, installation: str = "demo", **settings: Any) -> ShopifyClient:
        given = {"shop": "demo-jp", "client_id": "sandbox-client", "client_secret": "shpss_sandbox_secret"}
        chosen: Any = {"base_url": self.shell.base_url, "bulk_from_variants": 500, **given, **settings}
        ambient = Ambient(now=lambda: self.now, new_id=lambda: "0" * 32, chance=random.Random(1))
        return ShopifyClient(
            ShopifySettings(**chosen), ClientContext(self.transport, ambient, installation, budget_full=True)
        )

    async def catalogue(self, client: ShopifyClient, cursor: str | None = None) -> list[CataloguePage]:
        """Every page of the catalogue from a place on, as long as it takes."""
        pages: list[CataloguePage] = []
        for _ in range(50):
            page = await client.catalogue_page(cursor)
            pages.append(page)
            if page.cursor is None:
                return pages
            cursor = page.cursor
            self.now += timedelta(seconds=page.wait)
        raise AssertionError("the catalogue has no end")

    async def levels(self, client: ShopifyClient) -> list[LevelReading]:
        levels: list[LevelReading] = []
        page = LevelPage((), None)
        for _ in range(50):
            page = await client.walk_levels(page.cursor)
            levels += page.levels
            if page.cursor is None:
                return levels
            self.now += timedelta(seconds=page.wait)
        raise AssertionError("the walk has no end")

    def count(self, operation: str) -> int:
        return self.shop.log.requests.get(operation, 0)

    def everything(self) -> set[str]:
        return {each.id for each in self.shop.bulk.core.shop.items.values()}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    shop = ShopifySimulator(locations=PLACES, beginning=START - timedelta(days=1))
    shop.seed_catalogue(VARIANTS, START - timedelta(hours=1))
    async with aiohttp.ClientSession() as session:
        shell = SandboxShell(shop, clock=lambda: made.now)
        made = Desk(shop, shell, session)
        await shell.start()
        try:
            yield made
        finally:
            await shell.stop()


def keys(pages: list[CataloguePage]) -> list[str]:
    return [item.key for page in pages for item in page.items]


def switch(desk: Desk, **changes: Any) -> None:
    desk.shop.switches = replace(desk.shop.switches, **changes)


async def test_a_big_catalogue_comes_as_one_file_once_shopify_has_made_it(desk: Desk) -> None:
    pages = await desk.catalogue(desk.client())
    assert len(keys(pages)) == VARIANTS
    assert set(keys(pages)) == desk.everything()
    assert pages[0].wait > 0, "it is not asked for again at once"
    assert (desk.count("bulkOperationRunQuery"), desk.count("productVariants")) == (1, 0)


async def test_the_file_says_of_an_item_what_the_pages_say(desk: Desk) -> None:
    [item] = desk.shop.add_product("Rot / 赤", ["00 1 "], desk.now, locations=desk.shop.location_ids(), stock=1)
    by_file = {each.key: each for page in await desk.catalogue(desk.client()) for each in page.items}
    by_page = {
        each.key: each for page in await desk.catalogue(desk.client(bulk_from_variants=10_000)) for each in page.items
    }
    assert by_file[item].codes["sku"] == "00 1 "
    assert by_file == by_page


async def test_a_small_catalogue_is_walked_by_pages(desk: Desk) -> None:
    pages = await desk.catalogue(desk.client(bulk_from_variants=VARIANTS + 1))
    assert set(keys(pages)) == desk.everything()
    assert (desk.count("bulkOperationRunQuery"), desk.count("productVariants")) == (0, 3)


def test_five_thousand_variants_are_big() -> None:
    assert bulk.FROM_VARIANTS == 5_000


@pytest.mark.parametrize("shuffled", [True, False])
async def test_all_levels_come_as_one_file_whatever_the_order_of_its_lines(desk: Desk, shuffled: bool) -> None:
    switch(desk, bulk_lines_shuffled=shuffled)
    item, place = desk.shop.seed_catalogue(1, desk.now)[0], desk.shop.location_ids()[1]
    desk.shop.adjust_by_person(item, place, 7, desk.now)
    levels = {each.cell: each for each in await desk.levels(desk.client())}
    plain = {each.cell: each for each in await desk.levels(desk.client(bulk_from_variants=10_000))}
    assert len(levels) == (VARIANTS + 1) * len(PLACES)
    assert levels == plain
    assert desk.count("bulkOperationRunQuery") == 1


async def test_a_process_that_starts_again_waits_for_the_same_operation(desk: Desk) -> None:
    begun = await desk.client().catalogue_page(None)
    pages = await desk.catalogue(desk.client(), begun.cursor)
    assert set(keys(pages)) == desk.everything()
    assert desk.count("bulkOperationRunQuery") == 1


async def test_a_process_that_starts_again_in_the_middle_goes_on_where_the_other_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_file, "ROWS", 100)
    client, page, seen = desk.client(), CataloguePage((), None), list[CatalogueItem]()
    while len(seen) < 300:
        page = await client.catalogue_page(page.cursor)
        seen += page.items
        desk.now += timedelta(seconds=page.wait)
    rest = await desk.catalogue(desk.client(), page.cursor)
    assert sorted([each.key for each in seen] + keys(rest)) == sorted(desk.everything())
    assert (desk.count("bulkOperationRunQuery"), desk.count("bulk_file")) == (1, 2)


async def test_an_operation_that_nobody_waits_for_is_cancelled_before_another_begins(desk: Desk) -> None:
    switch(desk, bulk_seconds=60.0)
    await desk.client().catalogue_page(None)  # and the process dies before it has noted the operation
    desk.now += timedelta(seconds=1)
    pages = await desk.catalogue(desk.client())
    assert set(keys(pages)) == desk.everything()
    assert [each.status for each in desk.shop.bulk.operations.values()] == ["CANCELED", "COMPLETED"]


async def test_operations_of_another_installation_and_of_another_list_are_left_alone(desk: Desk) -> None:
    switch(desk, bulk_seconds=60.0)
    await desk.client("other").catalogue_page(None)
    await desk.client().walk_levels(None)
    desk.now += timedelta(seconds=1)
    await desk.catalogue(desk.client())
    assert {each.status for each in desk.shop.bulk.operations.values()} == {"COMPLETED"}


async def test_where_shopify_hides_the_mark_an_orphan_runs_to_its_end(desk: Desk) -> None:
    switch(desk, bulk_comments_kept=False)
    await desk.client().catalogue_page(None)
    desk.now += timedelta(seconds=1)
    assert set(keys(await desk.catalogue(desk.client()))) == desk.everything()
    assert {each.status for each in desk.shop.bulk.operations.values()} == {"COMPLETED"}


async def test_where_no_further_operation_is_taken_the_list_is_walked_by_pages(desk: Desk) -> None:
    switch(desk, bulk_queries_at_once=0)
    pages = await desk.catalogue(desk.client())
    assert set(keys(pages)) == desk.everything()
    assert desk.count("productVariants") == 3


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "TIMEOUT", "ACCESS_DENIED"])
async def test_of_an_operation_that_failed_no_part_is_taken(desk: Desk, code: str) -> None:
    desk.shop.bulk.failures.append(code)
    pages = await desk.catalogue(desk.client())
    assert desk.count("bulk_file") == 0, "the partial file is left where it is"
    assert len(keys(pages)) == VARIANTS
    assert desk.count("productVariants") == 3


async def test_a_file_that_was_cut_off_changes_nothing_and_is_fetched_again(desk: Desk) -> None:
    desk.shop.bulk.cuts = 1
    pages = await desk.catalogue(desk.client())
    assert [len(page.items) for page in pages if page.items] == [VARIANTS]
    assert desk.count("bulk_file") == 2


@pytest.mark.parametrize("kind", [FaultKind.RESET_BEFORE, FaultKind.ERROR_BEFORE])
async def test_a_download_that_broke_off_is_tried_again(desk: Desk, kind: FaultKind) -> None:
    desk.shell.faults.queue("GET /bulk-files/*", Fault(kind))
    assert set(keys(await desk.catalogue(desk.client()))) == desk.everything()
    assert desk.count("productVariants") == 0


async def test_a_file_that_is_never_whole_is_given_up_for_the_pages(desk: Desk) -> None:
    desk.shop.bulk.cuts = 100
    pages = await desk.catalogue(desk.client())
    assert len(keys(pages)) == VARIANTS
    assert (desk.count("bulk_file"), desk.count("productVariants")) == (bulk.DOWNLOADS, 3)


async def test_a_file_that_exists_no_more_is_given_up_for_the_pages(desk: Desk) -> None:
    switch(desk, bulk_file_life=3600.0)
    begun = await desk.client().catalogue_page(None)
    desk.now += timedelta(seconds=3)
    await desk.client().catalogue_page(begun.cursor)
    desk.now += timedelta(days=2)
    pages = await desk.catalogue(desk.client(), begun.cursor)
    assert len(keys(pages)) == VARIANTS
    assert desk.count("productVariants") == 3


async def test_an_operation_that_takes_too_long_is_cancelled_and_the_list_walked_by_pages(desk: Desk) -> None:
    switch(desk, bulk_seconds=2 * bulk.LONGEST)
    begun = await desk.client().catalogue_page(None)
    desk.now += timedelta(seconds=bulk.LONGEST + 1)
    assert len(keys(await desk.catalogue(desk.client(), begun.cursor))) == VARIANTS
    desk.shop.bulk.settle(desk.now)
    assert [each.status for each in desk.shop.bulk.operations.values()] == ["CANCELED"]


async def test_a_file_may_come_compressed(desk: Desk) -> None:
    switch(desk, bulk_files_gzipped=True)
    assert set(keys(await desk.catalogue(desk.client()))) == desk.everything()
    assert desk.count("productVariants") == 0


async def test_an_empty_list_is_what_it_is(desk: Desk) -> None:
    begun = await desk.client().catalogue_page(None)
    shop = desk.shop.bulk.core.shop
    shop.variants.clear()
    desk.now += timedelta(seconds=5)
    page = await desk.client().catalogue_page(begun.cursor)
    assert (page.items, page.cursor) == ((), None), "whether an empty catalogue is believed is not decided here"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1",
        "https://169.254.169.254",
        "https://files.example.com",
        "http://storage.googleapis.com",
        "https://storage.googleapis.com.example.com",
        "https://user@storage.googleapis.com",
        "file:///etc",
    ],
)
async def test_no_other_address_is_called_than_the_partners_storage(desk: Desk, address: str) -> None:
    switch(desk, bulk_files_at=address)
    pages = await desk.catalogue(desk.client())
    assert {each.url.partition("/admin")[0] for each in desk.transport.asked} == {desk.shell.base_url}
    assert len(keys(pages)) == VARIANTS


async def test_the_access_token_never_goes_to_the_storage(desk: Desk) -> None:
    await desk.catalogue(desk.client())
    [fetched] = [each for each in desk.transport.asked if "/bulk-files/" in each.url]
    assert not fetched.headers
    assert desk.shop.log.violations == []


async def test_the_end_of_an_operation_is_told_by_a_webhook_that_names_nothing(desk: Desk) -> None:
    switch(desk, plain_http_webhooks=True)
    client = desk.client()
    await client.ensure_subscriptions("http://127.0.0.1:1/hook")
    await client.catalogue_page(None)
    desk.now += timedelta(seconds=3)
    sent = desk.shop.advance(desk.now)
    [told] = [each for each in sent if each.headers["X-Shopify-Topic"] == "bulk_operations/finish"]
    settings = ShopifySettings(shop="demo-jp", client_id="sandbox-client", client_secret="shpss_sandbox_secret")
    headers = {name.lower(): value for name, value in told.headers.items()}
    notice = ShopifyNoticeParser(settings).parse(headers, told.body)
    assert (notice.kind, notice.catalogue, notice.cells) == (NoticeKind.CATALOGUE, (), ())
