"""Locations that the routes of a configuration name: whether they exist at the partner, and may be mapped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from inventory_sync.config import ConfigDocument, RouteDocument
from inventory_sync.engine.apply_connections import MakeClient, Proof, problem_of
from inventory_sync.engine.apply_report import ApplyFailed, Problem
from inventory_sync.engine.lane import House
from inventory_sync.engine.stored import open_settings
from inventory_sync.model.ids import LocationKey
from inventory_sync.secrets import SecretBox, SecretsError
from inventory_sync.store import db
from inventory_sync.systems.errors import PartnerError, RetryLater
from inventory_sync.systems.port import PartnerLocation, SystemDefinition

NO_PLACE, NO_PLACE_JA = "none that can be mapped", "紐付けられるものがありません"


@dataclass(frozen=True, slots=True)
class Places:
    """A connection's locations by key. `fetched`: the partner listed them just now, and they are to be kept."""

    connection: str
    by_key: Mapping[str, PartnerLocation]
    fetched: bool


def needed_keys(
    document: ConfigDocument, mapped: Mapping[str, set[tuple[str, str]]]
) -> dict[str, dict[str, list[str]]]:
    """Location keys that are not mapped yet: connection → key → routes that name it."""
    needed: dict[str, dict[str, list[str]]] = {}
    for route in document.routes:
        before = mapped.get(route.name, set())
        for ledger, channel in route.places:
            if channel is not None and (ledger, channel) in before:
                continue
            needed.setdefault(route.ledger, {}).setdefault(ledger, []).append(route.name)
            keys = needed.setdefault(route.channel, {})
            if channel is not None:
                keys.setdefault(channel, []).append(route.name)
    return needed


def with_stored_places(document: ConfigDocument, pooled: Mapping[str, str]) -> ConfigDocument:
    """The document with the channel locations of stored pools (by route) where the file names none."""
    return replace(document, routes=tuple(_placed(route, pooled.get(route.name)) for route in document.routes))


def with_only_places(document: ConfigDocument, places: Mapping[str, Places]) -> ConfigDocument:
    """The document with the only location of the channel where a pool names none. Raises ApplyFailed."""
    problems: list[Problem] = []
    routes: list[RouteDocument] = []
    for route in document.routes:
        if route.pool is None or route.pool.channel is not None:
            routes.append(route)
            continue
        usable = {key: each for key, each in places[route.channel].by_key.items() if each.mappable and each.active}
        if len(usable) == 1:
            routes.append(_placed(route, next(iter(usable))))
            continue
        choice = ", ".join(f"{key} ({each.name})" for key, each in usable.items())
        problem = Problem(
            f"route {route.name}, pool",
            f"the pool does not say which location of {route.channel} shows the sum, and there is not just one.",
            f"Add `channel:` to the pool. Locations of {route.channel}: {choice or NO_PLACE}.",
            "IS-RTE-017",
            f"ルート {route.name}、pool",
            f"合計を表示する {route.channel} のロケーションがプールに書かれておらず、一つに決まりません。",
            f"プールに `channel:` を加えてください。{route.channel} のロケーション: {choice or NO_PLACE_JA}。",
        )
        problems.append(problem)
    if problems:
        raise ApplyFailed(problems)
    return replace(document, routes=tuple(routes))


def _placed(route: RouteDocument, channel: str | None) -> RouteDocument:
    if route.pool is None or route.pool.channel is not None or channel is None:
        return route
    return replace(route, pool=replace(route.pool, channel=channel))


async def look_up(
    house: House,
    needed: Mapping[str, Mapping[str, list[str]]],
    proofs: Mapping[str, Proof],
    stored: Mapping[str, db.Record],
    *,
    systems: Mapping[str, SystemDefinition],
    make_client: MakeClient,
    box: SecretBox,
) -> dict[str, Places]:
    """The locations of every connection in `needed`; the partner is asked where what we know does not have them all.

    Raises ApplyFailed with every location that does not exist or cannot be mapped, naming those that exist.
    """
    found: dict[str, Places] = {}
    problems: list[Problem] = []
    for name, keys in needed.items():
        proof = proofs.get(name)
        if proof is not None and proof.verified is not None:
            places = Places(name, _by_key(proof.locations), fetched=False)
        else:
            places = await _known(house, name, stored[name])
            lacking = any(key not in places.by_key or not places.by_key[key].active for key in keys)
            if lacking or not places.by_key:
                places = await _fetch(name, stored[name], systems=systems, make_client=make_client, box=box)
        found[name] = places
        problems += _objections(places, keys)
    if problems:
        raise ApplyFailed(problems)
    return found


async def _known(house: House, name: str, record: db.Record) -> Places:
    rows = await db.rows(house.pool, "locations_of", connection_id=record["id"])
    places = (PartnerLocation(LocationKey(r["key"]), r["name"], r["active"], r["mappable"], r["note"]) for r in rows)
    return Places(name, _by_key(places), fetched=False)


async def _fetch(
    name: str,
    record: db.Record,
    *,
    systems: Mapping[str, SystemDefinition],
    make_client: MakeClient,
    box: SecretBox,
) -> Places:
    definition = systems[record["system"]]
    try:
        client = make_client(name, definition, open_settings(definition, record, box))
        return Places(name, _by_key(await client.locations()), fetched=True)
    except RetryLater:
        raise
    except PartnerError as error:
        raise ApplyFailed([problem_of(name, error)]) from error
    except SecretsError as error:
        problem = Problem(
            f"connection {name}",
            str(error),
            "Or name its secrets in the configuration file again.",
            "IS-SEC-001",
            f"接続 {name}",
            "保存済みの認証情報をどの鍵でも開けません。",
            "以前の鍵を `INVENTORY_SYNC_SECRET_KEY` の末尾に加えるか、認証情報を設定ファイルに書き直してください。",
        )
        raise ApplyFailed([problem]) from error


def _by_key(places: Iterable[PartnerLocation]) -> dict[str, PartnerLocation]:
    return {place.key: place for place in places}


def _objections(places: Places, keys: Mapping[str, list[str]]) -> list[Problem]:
    choice = ", ".join(f"{key} ({each.name})" for key, each in places.by_key.items() if each.mappable and each.active)
    existing = f"Locations of {places.connection}: {choice or NO_PLACE}."
    existing_ja = f"{places.connection} のロケーション: {choice or NO_PLACE_JA}。"
    problems: list[Problem] = []
    for key, routes in keys.items():
        place = places.by_key.get(key)
        if place is None:
            message, code = f"{places.connection} has no location {key!r}.", "IS-RTE-010"
            japanese = f"{places.connection} にロケーション「{key}」はありません。"
        elif not place.mappable:
            reason = f": {place.note}" if place.note else ""
            message, code = f"the location {key!r} of {places.connection} cannot be mapped{reason}.", "IS-RTE-011"
            japanese = f"{places.connection} のロケーション「{key}」は、紐付けられない種類のロケーションです。"
        else:
            continue
        problems += [
            Problem(
                f"route {route}, locations",
                message,
                existing,
                code,
                f"ルート {route}、locations",
                japanese,
                existing_ja,
            )
            for route in dict.fromkeys(routes)
        ]
    return problems
