"""`connection notify-url`: the address for a shop's notices, what opens it, and what `status` says until one came."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from typer.testing import CliRunner

from inventory_sync.cli.main import app
from inventory_sync.engine.intake import intake
from inventory_sync.engine.lane import House
from inventory_sync.engine.stored import open_settings, seal
from inventory_sync.model.ambient import Ambient
from inventory_sync.secrets import SecretBox
from inventory_sync.service import Directory
from inventory_sync.store import db
from inventory_sync.systems import registry
from inventory_sync.systems.makeshop import definition as MAKESHOP
from inventory_sync.web.collector import NoticeCollector
from inventory_sync.web.directory import Door
from inventory_sync.web.public import public_app
from inventory_sync.web.readiness import Readiness
from tests.cli.surroundings import clean_environment

KEY = "a key that is only for tests and long enough"
TOKEN = "made-up-by-us-and-never-by-a-person"
SECRETS = {
    "order_auth_code": "order-code-0001",
    "product_auth_code": "product-code-0001",
    "admin_password": "secret-12345",
    "notify_token": TOKEN,
}
HOST = "https://sync.example.jp"


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The systems of this source tree, no settings from outside, and logging as it was afterwards."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    found = project["entry-points"][registry.ENTRY_POINT_GROUP]
    points = [EntryPoint(name, value, registry.ENTRY_POINT_GROUP) for name, value in found.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    yield from clean_environment(monkeypatch)


@pytest.fixture
def environ(database: str) -> dict[str, str]:
    """The environment of a command, on a database with one linked shop of the classic API, named `cart`."""

    async def furnish(pool: db.Pool) -> None:
        id_ = await db.value(
            pool,
            "insert_connection",
            name="cart",
            system="makeshop",
            settings={"api": "classic", "shop_id": "exampleshop"},
            secrets=seal(SecretBox([KEY]), "cart", SECRETS),
            now=Ambient().now(),
        )
        await pool.execute("update connections set state = 'linked', identity = 'exampleshop' where id = $1", id_)

    behind(database, furnish)
    return {
        "INVENTORY_SYNC_DATABASE_URL": database,
        "INVENTORY_SYNC_SECRET_KEY": KEY,
        "INVENTORY_SYNC_LANGUAGE": "en",
        "INVENTORY_SYNC_PUBLIC_URL": HOST,
    }


def behind(url: str, work: Any) -> Any:
    """What happens beside the command, on a pool of its own."""

    async def carry_out() -> Any:
        async with await db.open_pool(url, size=3) as pool:
            return await work(pool)

    return asyncio.run(carry_out())


def run(environ: dict[str, str], *arguments: str, expect: int = 0) -> str:
    found = CliRunner().invoke(app, list(arguments), env=environ)
    assert found.exit_code == expect, (found.output, found.exception)
    return found.output


async def visit(pool: db.Pool, method: str, *paths: str) -> list[int]:
    """The answers of the public port to calls of these paths, with what came in worked off."""
    house = House(pool, Ambient(), "test")
    record = await db.row(pool, "connection_by_name", name="cart")
    assert record is not None
    assert MAKESHOP.make_notice_parser is not None
    parser = MAKESHOP.make_notice_parser(open_settings(MAKESHOP, record, SecretBox([KEY])))
    directory = Directory({("makeshop", "cart"): Door(record["id"], "cart", parser, True)})
    collector = NoticeCollector(house)
    await collector.start()
    port = public_app(house, collector, directory, Readiness(pool, draining=lambda: False))
    async with TestClient(TestServer(port)) as client:
        answers = [(await client.request(method, path)).status for path in paths]
    await collector.stop()
    while (await intake(house)).did:
        pass
    return answers


@pytest.mark.row("S4-22")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_address_shown_is_the_only_one_that_takes_notices(environ: dict[str, str], method: str) -> None:
    shown = run(environ, "connection", "notify-url", "cart").strip()
    assert shown == f"{HOST}/webhooks/makeshop/cart/{TOKEN}"
    assert TOKEN not in run(environ, "connection", "list", "--json") + run(environ, "status", "--json")
    path = urlsplit(shown).path
    paths = (path, path[:-1], f"{path}x", path.replace("cart", "other"))

    async def call(pool: db.Pool) -> tuple[list[int], Any]:
        answers = await visit(pool, method, *paths)
        return answers, await pool.fetchval("select orders_wanted_at from connections")

    answers, wanted_at = behind(environ["INVENTORY_SYNC_DATABASE_URL"], call)
    assert answers == [200, 401, 401, 401]
    assert wanted_at is not None, "a notice has the newest orders asked for"


@pytest.mark.row("S4-23")
def test_status_says_that_no_notice_ever_came_until_one_does(environ: dict[str, str]) -> None:
    advice = "cart: No notice has ever come in. Enter the address of `inventory-sync connection notify-url cart`"
    assert advice in run(environ, "status")
    assert "通知がまだ一度も届いていません" in run(environ | {"INVENTORY_SYNC_LANGUAGE": "ja"}, "status")
    path = urlsplit(run(environ, "connection", "notify-url", "cart").strip()).path
    behind(environ["INVENTORY_SYNC_DATABASE_URL"], lambda pool: visit(pool, "POST", f"{path}x"))
    assert advice in run(environ, "status"), "one that proves nothing is none"
    behind(environ["INVENTORY_SYNC_DATABASE_URL"], lambda pool: visit(pool, "POST", path))
    assert "No notice" not in run(environ, "status")


def test_without_a_public_address_there_is_none_to_show(environ: dict[str, str]) -> None:
    del environ["INVENTORY_SYNC_PUBLIC_URL"]
    assert "IS-CON-025" in run(environ, "connection", "notify-url", "cart", expect=1)
