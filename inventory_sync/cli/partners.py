"""Partners as one-off commands meet them: the installed systems, clients with a full budget, stored secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay

from inventory_sync.engine.apply_connections import MakeClient, Prover
from inventory_sync.engine.connections import IDENTITY
from inventory_sync.engine.connections_care import BY_A_PERSON
from inventory_sync.engine.lane import House
from inventory_sync.engine.quarantine import EXCLUDED
from inventory_sync.engine.reasons import reason_in_japanese
from inventory_sync.engine.second_writer import RUNAWAY
from inventory_sync.engine.stored import REMOVED, unseal
from inventory_sync.ledger.transport import transport_to
from inventory_sync.secrets import SecretBox, SecretsError
from inventory_sync.settings import Settings, secret_keys
from inventory_sync.store import db
from inventory_sync.systems import registry
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.http import AiohttpTransport
from inventory_sync.systems.port import ClientContext, PartnerLocation, SettingsModel, SystemDefinition, Verified
from inventory_sync.upstreams import check_upstreams

PATIENCE = 20.0
"""Seconds a command waits in all for a partner that is only busy, or whose rate budget must refill first."""

_Answer = TypeVar("_Answer")

_OURS = {
    IDENTITY: (
        "この認証情報は、別のショップ(契約)のものです。",
        "同じショップ(契約)の認証情報を使うか、もう一方のために新しい接続を作ってください。",
    ),
    EXCLUDED: ("人が対象外にしました。", "対象に戻すには `inventory-sync quarantine release 番号`"),
    RUNAWAY: (
        "この在庫の変動が暴走しています(同じ数の増減の繰り返し、増え続ける変動、書き込みの打ち消し)。",
        "ほかに何が書き換えているかを確認して止め、`inventory-sync quarantine release 番号` を実行してください。",
    ),
    BY_A_PERSON: (
        "人が連携を解除しました。",
        "もう一度使うには `inventory-sync connection relink 接続名` を実行してください。",
    ),
}


class PatientClient:
    """A client whose questions are asked again while the partner is only busy. They change nothing there."""

    def __init__(self, client: Prover, patience: float = PATIENCE) -> None:
        self._client = client
        self._patience = patience

    async def verify(self) -> Verified:
        return await self._ask(self._client.verify)

    async def locations(self) -> Sequence[PartnerLocation]:
        return await self._ask(self._client.locations)

    async def _ask(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        asking = AsyncRetrying(
            retry=retry_if_exception_type(RetryLater),
            wait=_as_told,
            stop=stop_after_delay(self._patience),
            reraise=True,
        )
        return await asking(question)


def _as_told(state: RetryCallState) -> float:
    """The wait that the partner, or our own budget, asked for."""
    error = state.outcome.exception() if state.outcome is not None else None
    return min(PATIENCE, max(0.05, error.after)) if isinstance(error, RetryLater) else 0.05


def installed_systems() -> dict[str, SystemDefinition]:
    """Every system that is installed, by name."""
    return {definition.name: definition for definition in registry.load()}


def problems_in_japanese() -> dict[str, tuple[str, str]]:
    """What the problems of connections and cells are called in Japanese and what to do about each, by code: of every
    system there is, and ours."""
    return {code: told for definition in registry.load() for code, told in definition.problems_ja.items()} | _OURS


def told(
    language: str,
    code: str | None,
    reason: str,
    remedy: str = "",
    *,
    name: str = "接続名",
    problems: Mapping[str, tuple[str, str]] | None = None,
) -> tuple[str, str]:
    """What a partner's problem is and what to do about it, in the language; in English as it was stored.

    `problems`: what `problems_in_japanese` says, where a long list is told.
    """
    if language != "ja":
        return reason, remedy
    problems = problems_in_japanese() if problems is None else problems
    remedy_ja = problems.get(code or "", ("", remedy))[1]
    return reason_in_japanese(problems, code, reason), remedy_ja.replace("接続名", name)


def known_system(name: str) -> SystemDefinition:
    """The system of that name. Raises InvalidSettings naming the nearest known one."""
    return registry.load().get(name)


def secret_box(settings: Settings) -> SecretBox:
    """What stored secrets are sealed with."""
    return SecretBox(secret_keys(settings))


@asynccontextmanager
async def clients(settings: Settings, house: House) -> AsyncIterator[MakeClient]:
    """Makes clients that call partners once. Addresses that must not be called are refused."""
    from inventory_sync import service

    async with service.http_session() as session:
        outside = AiohttpTransport(session)

        def make_client(name: str, definition: SystemDefinition, chosen: SettingsModel) -> Prover:
            check_upstreams(chosen, allow_insecure=settings.allow_insecure_upstreams)
            ambient = house.ambient
            transport = transport_to(chosen, name, outside, pool=house.pool, now=ambient.now, new_id=ambient.new_id)
            context = ClientContext(transport, ambient, house.installation, budget_full=True)
            return PatientClient(definition.make_client(chosen, context))

        yield make_client


@asynccontextmanager
async def context_for(settings: Settings, house: House, chosen: SettingsModel) -> AsyncIterator[ClientContext]:
    """What a one-off conversation with a partner needs. An address that must not be called is refused."""
    from inventory_sync import service

    check_upstreams(chosen, allow_insecure=settings.allow_insecure_upstreams)
    async with service.http_session() as session:
        yield ClientContext(AiohttpTransport(session), house.ambient, house.installation)


async def stored_secrets(house: House, box: SecretBox) -> dict[str, Mapping[str, str]]:
    """Stored secrets by connection; one whose key is lost counts as not stored, so that a file may name it anew."""
    found: dict[str, Mapping[str, str]] = {}
    for record in await db.rows(house.pool, "connections_all"):
        try:
            found[record["name"]] = unseal(box, record["name"], record["secrets"])
        except SecretsError:
            found[record["name"]] = {}
    return found


async def known_names(house: House) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Stored connections (name → system) and routes (name → ledger, channel), without those that were removed."""
    connections = {
        r["name"]: r["system"] for r in await db.rows(house.pool, "connections_all") if r["state_code"] != REMOVED
    }
    routes = {
        r["name"]: (r["ledger"], r["channel"])
        for r in await db.rows(house.pool, "routes_all")
        if r["stopped_by"] != REMOVED
    }
    return connections, routes
