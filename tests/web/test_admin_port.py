from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler

from inventory_sync import __version__
from inventory_sync.engine import jobs, schedule
from inventory_sync.engine.lane import House
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.web.access import is_loopback, names_this_machine
from inventory_sync.web.admin import admin_app
from inventory_sync.web.gauges import MetricsPage
from inventory_sync.web.metrics import Metrics, MetricsObserver
from tests.web.web_support import make_connection

TOKEN = "correct horse battery staple"
PATHS = ("/metrics", "/version", "/healthz", "/api/v1/status")
STRANGER = "192.0.2.7"

Client = TestClient[Any, Any]
Opener = Callable[..., Any]


@pytest.fixture
async def open_admin(house: House) -> AsyncIterator[Opener]:
    """Opens an admin port. `peer`: the address that requests seem to come from."""
    clients: list[Client] = []

    async def open_one(*, token: str | None = None, peer: str | None = None) -> Client:
        metrics = Metrics(__version__)
        app = admin_app(house, MetricsPage(house, metrics, MetricsObserver(metrics)), token=token)
        if peer is not None:
            app.middlewares.insert(0, seen_from(peer))
        client: Client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield open_one
    for client in clients:
        await client.close()


def seen_from(peer: str) -> Any:
    @web.middleware
    async def pretend(request: web.Request, handler: Handler) -> web.StreamResponse:
        elsewhere = request.clone(remote=peer)
        elsewhere._match_info = request.match_info
        return await handler(elsewhere)

    return pretend


async def status_of(client: Client, path: str, **headers: str) -> int:
    async with client.get(path, headers=headers) as response:
        if response.status >= 400:
            assert response.content_type == "application/problem+json"
            assert json.loads(await response.read())["status"] == response.status
        return response.status


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_token_the_machine_itself_may_ask(open_admin: Opener, path: str) -> None:
    client = await open_admin()
    assert await status_of(client, path) == 200
    assert await status_of(client, path, Host="localhost:8081") == 200
    assert await status_of(client, path, Host="[::1]:8081") == 200


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
async def test_without_a_token_nobody_else_may_ask(open_admin: Opener, path: str) -> None:
    client = await open_admin(peer=STRANGER)
    assert await status_of(client, path) == 403
    assert await status_of(client, path, Host="localhost") == 403
    assert await status_of(client, path, Authorization=f"Bearer {TOKEN}") == 403


@pytest.mark.parametrize(
    "host", ["shop.example", "shop.example:8081", "localhost.shop.example", "127.0.0.1.shop.example"]
)
async def test_a_name_that_a_stranger_points_to_this_machine_is_refused(open_admin: Opener, host: str) -> None:
    client = await open_admin()
    assert await status_of(client, "/api/v1/status", Host=host) == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_a_proxy_on_the_machine_does_not_open_the_port_to_the_world(open_admin: Opener, header: str) -> None:
    client = await open_admin()
    assert await status_of(client, "/api/v1/status", **{header: STRANGER}) == 403


async def test_with_a_token_everybody_needs_it(open_admin: Opener) -> None:
    for client in (await open_admin(token=TOKEN), await open_admin(token=TOKEN, peer=STRANGER)):
        for path in ("/version", "/api/v1/status", "/nothing"):
            assert await status_of(client, path) == 401
            assert await status_of(client, path, Authorization=f"Bearer {TOKEN[:-1]}") == 401
            assert await status_of(client, path, Authorization=f"Basic {TOKEN}") == 401
            assert await status_of(client, path, Authorization="Bearer") == 401
        for path in PATHS:
            assert await status_of(client, path, Authorization=f"Bearer {TOKEN}") == 200
        assert await status_of(client, "/nothing", Authorization=f"bearer {TOKEN}") == 404


async def test_a_token_works_under_any_host_name(open_admin: Opener) -> None:
    client = await open_admin(token=TOKEN, peer=STRANGER)
    assert await status_of(client, "/version", Host="stock.example", Authorization=f"Bearer {TOKEN}") == 200


async def test_with_a_token_metrics_are_open_to_the_machine_only(open_admin: Opener) -> None:
    near, far = await open_admin(token=TOKEN), await open_admin(token=TOKEN, peer=STRANGER)
    assert await status_of(near, "/metrics") == 200
    assert await status_of(near, "/metrics", Host="shop.example") == 401
    assert await status_of(far, "/metrics") == 401


async def test_with_a_token_health_is_open_to_probes(open_admin: Opener) -> None:
    assert await status_of(await open_admin(token=TOKEN, peer=STRANGER), "/healthz") == 200


async def test_an_answer_to_no_token_says_how_to_ask(open_admin: Opener) -> None:
    client = await open_admin(token=TOKEN)
    async with client.get("/version") as response:
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="inventory-sync"'


async def test_a_refusal_is_logged_without_what_was_sent(open_admin: Opener) -> None:
    client = await open_admin(token=TOKEN)
    with structlog.testing.capture_logs() as logs:
        await status_of(client, "/version?private=1", Authorization="Bearer private-guess")
        await status_of(client, "/version")
    (event,) = logs
    assert event["event"] == "admin.refused"
    assert "private" not in str(event)


def test_an_empty_token_is_refused_at_the_start(house: House) -> None:
    metrics = Metrics(__version__)
    with pytest.raises(ValueError, match="empty token"):
        admin_app(house, MetricsPage(house, metrics, MetricsObserver(metrics)), token="")


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.7", False),
        ("fe80::1%eth0", False),
        ("10.0.0.1", False),
        ("", False),
        (None, False),
        ("localhost", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(peer: str | None, local: bool) -> None:
    assert is_loopback(peer) is local


@pytest.mark.parametrize(
    ("hosts", "local"),
    [
        (["localhost"], True),
        (["LOCALHOST:1"], True),
        (["127.0.0.1:8081"], True),
        (["[::1]"], True),
        (["[::1]:8081"], True),
        ([], False),
        (["localhost", "localhost"], False),
        (["localhost:"], False),
        (["localhost:x"], False),
        (["127.0.0.2"], False),
        (["::1"], False),
        (["user@localhost"], False),
        (["localhost."], False),
    ],
)
def test_only_names_of_this_machine_are_local_hosts(hosts: list[str], local: bool) -> None:
    assert names_this_machine(hosts) is local


async def test_version_says_which_product_and_version(open_admin: Opener) -> None:
    client = await open_admin()
    async with client.get("/version") as response:
        assert await response.json() == {"product": "inventory-sync", "version": __version__}
        assert response.headers["Server"] == "inventory-sync"


async def test_status_shows_connections_routes_and_alerts_and_no_secret(
    open_admin: Opener, pool: Pool, house: House
) -> None:
    ledger = await make_connection(pool, house, "pos")
    channel = await db.value(
        pool,
        "insert_connection",
        name="shop",
        system="fake",
        settings={"host": "private-setting"},
        secrets=b"private-secret",
        now=house.now(),
    )
    await db.run(
        pool, "set_connection_state", id=channel, state="needs_action", code="IS-SHP-014",
        reason="The token was refused.", remedy="Make a new one.", retry_at=house.now(), now=house.now(),
    )  # fmt: skip
    await db.value(
        pool, "insert_route", name="pos-shop", ledger_id=ledger, channel_id=channel, direction="two_way", sales="post",
        ledger_field="code", channel_fields=["sku"], buffer=0, percent=100, maximum=None, align="ledger_wins",
    )  # fmt: skip
    await pool.execute(
        """update routes set matched_at = now(), match_report =
           '{"matched": 3, "ambiguous_count": 1, "ambiguous": [{"value": "A"}], "excluded_count": {"ledger": 2}}'"""
    )
    await db.value(
        pool, "open_alert", code="connection_broken", subject="shop", connection_id=channel, route_id=None,
        detail={"problem": "IS-SHP-014"}, now=house.now(),
    )  # fmt: skip
    client = await open_admin()
    async with client.get("/api/v1/status") as response:
        text = await response.text()
    assert "private" not in text
    status = json.loads(text)
    assert [(c["name"], c["state"]) for c in status["connections"]] == [("pos", "created"), ("shop", "needs_action")]
    assert status["connections"][0]["problem"] is None
    assert status["connections"][1]["problem"]["code"] == "IS-SHP-014"
    assert status["connections"][1]["problem"]["remedy"] == "Make a new one."
    assert (status["connections"][1]["cells"], status["connections"][1]["in_doubt"]) == (0, 0)
    (route,) = status["routes"]
    assert (route["name"], route["ledger"], route["channel"], route["state"]) == ("pos-shop", "pos", "shop", "draft")
    assert route["match"] == {"matched": 3, "ambiguous_count": 1, "excluded_count": {"ledger": 2}}
    assert (route["pairs"], route["owed"]) == (0, 0)
    assert [(a["code"], a["subject"]) for a in status["alerts"]] == [("connection_broken", "shop")]


async def test_status_lists_the_jobs_that_the_command_line_lists(open_admin: Opener, pool: Pool, house: House) -> None:
    pos = await make_connection(pool, house, "pos")
    await pool.execute("update connections set identity = 'contract'")
    await db.value(pool, "claim_run", name=f"reconcile:{pos}", last_at=None, now=house.now())
    await db.value(pool, "claim_run", name=schedule.off_name(f"catalogue:{pos}"), last_at=None, now=house.now())
    client = await open_admin()
    async with client.get("/api/v1/status") as response:
        listed = {each["name"]: each for each in (await response.json())["jobs"]}
    assert set(listed) == {"catalogue:pos", "reconcile:pos"}
    assert [listed["catalogue:pos"][part] for part in ("enabled", "last_at", "next_at")] == [False, None, None]
    [known] = [each for each in await jobs.jobs(house) if each.name == "reconcile:pos"]
    for part, moment in (("last_at", known.last_at), ("next_at", known.next_at)):
        assert moment is not None
        assert datetime.fromisoformat(listed["reconcile:pos"][part]) == moment
    assert {part: listed["reconcile:pos"][part] for part in ("trigger", "every", "enabled")} == {
        "trigger": "time",
        "every": 21600.0,
        "enabled": True,
    }


async def test_status_without_a_database_is_a_problem_document(open_admin: Opener, pool: Pool) -> None:
    client = await open_admin()
    await pool.close()
    assert await status_of(client, "/api/v1/status") == 503
    assert await status_of(client, "/healthz") == 200
