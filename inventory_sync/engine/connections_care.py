"""What people do with a connection: add, verify, renew, relink, remove. One service layer for command line and API.

The consequences differ. *Renew*: another credential of the same shop; verified before it is saved, then a full
reconcile, and its routes go on. *Relink*: after the link ended; the connection keeps its name, pairs and journal,
fetches its catalogue whole, and its routes stay stopped until a person aligns them. *Remove*: the link ends, the
secrets are erased, the journal stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory_sync.config import ConnectionDocument
from inventory_sync.config.connections import secret_fields
from inventory_sync.engine import apply_connections
from inventory_sync.engine.alerts import close_alerts
from inventory_sync.engine.apply_connections import MakeClient, Proof, notes_of, prove_one, save
from inventory_sync.engine.apply_report import MASK, Change
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.connections import APPROVAL_OVERDUE, cut_off, link, mark_broken
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule
from inventory_sync.engine.state_words import CONNECTIONS, state_in_japanese
from inventory_sync.engine.stored import REMOVED, open_settings, unseal
from inventory_sync.secrets import SecretBox, SecretsError
from inventory_sync.store import db
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import Broken, InvalidSettings
from inventory_sync.systems.port import SystemDefinition

BY_A_PERSON = "IS-CON-033"
"""`state_code` of a connection that a person unlinked."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What taking care of connections needs beside the house: the systems, clients for one-off calls, the secrets' box,
    and who is asking."""

    systems: Mapping[str, SystemDefinition]
    make_client: MakeClient
    box: SecretBox
    actor: str


@dataclass(frozen=True, slots=True)
class Cared:
    """What was done to a connection. `stopped` routes were running and are not any more; `notes` are for people."""

    name: str
    state: str
    change: Change | None = None
    stopped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    removed: bool = False


async def connection_named(conn: Connection, name: str) -> db.Record:
    """The connection of that name. Raises NoSuch naming those that exist."""
    records = [r for r in await db.rows(conn, "connections_all") if r["state_code"] != REMOVED]
    for record in records:
        if record["name"] == name:
            return record
    names = ", ".join(r["name"] for r in records)
    raise NoSuch(
        f"There is no connection {name!r}. Connections: {names or 'none yet'}.",
        f"接続「{name}」はありません。今ある接続: {names or 'まだありません'}",
    )


async def add(house: House, name: str, definition: SystemDefinition, *, actor: str) -> None:
    """Make a connection without credentials, for approvals that take days. Raises RefusedByRule for a taken name."""
    async with db.transaction(house.pool) as conn:
        made = await db.value(conn, "new_connection", name=name, system=definition.name, now=house.now())
        if made is None:
            raise RefusedByRule(
                "IS-CON-035",
                f"There is a connection {name!r} already; give this one another name.",
                f"接続 {name} はすでにあります。別の名前を付けてください。",
            )
        await write_audit(
            house,
            conn,
            actor,
            "connection.added",
            name,
            before=None,
            after={"system": definition.name, "state": "created"},
        )


async def verify(house: House, name: str, desk: Desk) -> Cared:
    """Ask the partner now whether the stored credential works. A connection that broke and works again goes on.

    Raises Broken after noting it, RetryLater with nothing noted, RefusedByRule where there is nothing to verify.
    """
    record = await connection_named(house.pool, name)
    _refuse_unlinked(record)
    if record["identity"] is None:
        raise RefusedByRule(
            "IS-CON-032",
            f"The connection {name} has no credential yet: `inventory-sync guide {record['system']}`.",
            f"接続 {name} にはまだ認証情報がありません: `inventory-sync guide {record['system']}`",
        )
    definition = desk.systems[record["system"]]
    client = desk.make_client(name, definition, open_settings(definition, record, desk.box))
    try:
        verified = await client.verify()
        places = tuple(await client.locations())
        async with db.transaction(house.pool) as conn:
            await link(house, conn, record["id"], name, verified)
            await apply_connections.save_locations(conn, record["id"], places)
            if record["state"] != "linked":
                await _go_on(house, conn, record["id"])
                await write_audit(
                    house,
                    conn,
                    desk.actor,
                    "connection.verified",
                    name,
                    before={"state": record["state"]},
                    after={"state": "linked"},
                )
    except Broken as error:
        await mark_broken(house, record["id"], name, error)
        raise
    return Cared(name, "linked", notes=verified.warnings)


async def _go_on(house: House, conn: Connection, connection_id: int) -> None:
    """A connection that works again looks at everything that may have changed meanwhile."""
    await db.run(conn, "insert_wishes", connections=[connection_id], kinds=["reconcile"], keys=[""], now=house.now())
    await db.run(conn, "put_due_connection", connection_id=connection_id)
    await db.notify(conn, "config")


async def renew(house: House, name: str, values: Mapping[str, str], desk: Desk) -> Cared:
    """Replace credentials of the same shop. `values`: settings by name, those not named stay.

    Verified before anything is saved: where the partner refuses, the old ones stay in force. Then everything is
    reconciled and the routes go on. Raises RefusedByRule for an unlinked connection, which has to be relinked.
    """
    record = await connection_named(house.pool, name)
    _refuse_unlinked(record)
    if not values:
        names = ", ".join(credentials_of(desk.systems[record["system"]]))
        raise InvalidSettings(
            "no credential is given.",
            field="",
            remedy=f"Name at least one of: {names}.",
            code="IS-CON-036",
            message_ja="認証情報が指定されていません。",
            remedy_ja=f"次のうち少なくとも一つを指定してください: {names}。",
        )
    return await _replace(house, record, values, desk, "connection.renewed")


async def relink(house: House, name: str, values: Mapping[str, str], desk: Desk) -> Cared:
    """Link a connection anew whose link ended, under its own name, pairs and journal. It must be the same shop.

    Its catalogue is fetched whole before anything else, and its routes stay stopped until a person aligns them.
    """
    record = await connection_named(house.pool, name)
    if record["state"] != "unlinked":
        raise RefusedByRule(
            "IS-CON-031",
            f"The connection {name} is not unlinked (it is {record['state']}): "
            f"replace its credential with `inventory-sync connection renew {name}`.",
            f"接続 {name} の連携は解除されていません({state_in_japanese(CONNECTIONS, record['state'])})。"
            f"認証情報の更新は `inventory-sync connection renew {name}` です。",
        )
    return await _replace(house, record, values, desk, "connection.relinked")


async def _replace(house: House, record: db.Record, values: Mapping[str, str], desk: Desk, action: str) -> Cared:
    document = _document(record, values, desk)
    proof = await prove_one(record, document, desk.systems, desk.make_client, desk.box, always=True)
    async with db.transaction(house.pool) as conn:
        now = await db.row(conn, "lock_connection", name=record["name"])
        if now is None or now["version"] != record["version"]:
            raise RefusedByRule(
                "IS-CON-005",
                f"The connection {record['name']} changed meanwhile; try again.",
                f"接続 {record['name']} が同時に変更されました。もう一度実行してください。",
            )
        change = await save(house, conn, proof, box=desk.box, actor=desk.actor)
        await write_audit(
            house,
            conn,
            desk.actor,
            action,
            record["name"],
            before={"state": record["state"]},
            after={"state": "linked", "fields": [each.field for each in proof.fields]},
        )
        await db.notify(conn, "config")
    return Cared(record["name"], "linked", change, notes=tuple(note.en for note in notes_of(proof)))


def _document(record: db.Record, values: Mapping[str, str], desk: Desk) -> ConnectionDocument:
    """The stored connection with some settings replaced. Raises InvalidSettings for a setting that it does not have."""
    definition = desk.systems[record["system"]]
    secret = secret_fields(definition.settings)
    allowed = {*credentials_of(definition), *secret}
    for name in values:
        if name not in allowed:
            raise InvalidSettings(
                f"{name} is not a credential of {definition.title_en}.",
                field=name,
                remedy=f"Credentials: {', '.join(sorted(allowed))}. Other settings are changed in the "
                "configuration file.",
                code="IS-CON-036",
                message_ja=f"{name} は{definition.title_ja}の認証情報ではありません。",
                remedy_ja=f"認証情報: {', '.join(sorted(allowed))}。その他の設定は設定ファイルで変更してください。",
            )
    plain = {**record["settings"], **{key: value for key, value in values.items() if key not in secret}}
    given = {key: value for key, value in values.items() if key in secret}
    try:
        kept = set(unseal(desk.box, record["name"], record["secrets"]))
    except SecretsError:
        kept = set()
    return ConnectionDocument(record["name"], record["system"], plain, given, tuple(sorted(kept - set(given))))


def credentials_of(definition: SystemDefinition) -> tuple[str, ...]:
    """The settings that are a system's credentials, those of its steps first; secrets that we make up are left out."""
    secret = secret_fields(definition.settings)
    from_steps = [field for step in definition.steps for field in (*step.fields, *step.more_fields) if field in secret]
    names = dict.fromkeys((*from_steps, *definition.credential_fields, *sorted(secret)))
    return tuple(name for name in names if name not in definition.generated_secrets)


async def remove(house: House, name: str, *, actor: str, confirmed: bool) -> Cared:
    """End the link of a connection: its routes stop, its secrets are erased, what is under way ends; its journal and
    pairs stay. One that no route names is put away altogether. Raises RefusedByRule unless `confirmed`."""
    async with db.transaction(house.pool) as conn:
        await db.value(conn, "lock_configuration")
        record = await connection_named(conn, name)
        await db.row(conn, "lock_connection", name=name)
        routes = await db.rows(conn, "routes_of_connection", connection_id=record["id"])
        running = [route["name"] for route in routes if route["state"] in ("running", "watching")]
        if not confirmed:
            which = f" These routes stop: {', '.join(running)}." if running else ""
            raise RefusedByRule(
                "IS-CON-034",
                f"Removing {name} ends its link and erases its secrets; its journal stays.{which} Add --yes to do it.",
                f"{name} の連携を解除し、認証情報を消去します(記録は残ります)。停止するルート: "
                f"{', '.join(running) or 'なし'}。実行するには --yes を付けてください。",
            )
        if not routes:
            change = await apply_connections.remove(house, conn, record, actor=actor)
            await db.notify(conn, "config")
            return Cared(name, change.state, change, removed=True)
        await cut_off(house, conn, record["id"], "unlinked")
        await db.run(
            conn,
            "unlink_connection",
            id=record["id"],
            code=BY_A_PERSON,
            reason="A person unlinked it.",
            remedy=f"To use it again: `inventory-sync connection relink {name}`.",
            now=house.now(),
        )
        for code in ("connection_broken", "credential_expires", APPROVAL_OVERDUE):
            await close_alerts(conn, code, name, now=house.now())
        await db.run(conn, "put_due_connection", connection_id=record["id"])
        before = {"state": record["state"], "routes": [route["name"] for route in routes]}
        after = {"state": "unlinked", "stopped": running}
        await write_audit(house, conn, actor, "connection.unlinked", name, before, after)
        await db.notify(conn, "config")
    return Cared(name, "unlinked", stopped=tuple(running))


def _refuse_unlinked(record: db.Record) -> None:
    if record["state"] == "unlinked":
        why = f" ({record['state_reason']})" if record["state_reason"] else ""
        raise RefusedByRule(
            "IS-CON-030",
            f"The connection {record['name']} is unlinked{why}: nothing is fetched or written. "
            f"Link it again with `inventory-sync connection relink {record['name']}`.",
            f"接続 {record['name']} の連携は解除されています。取得も書き込みも行いません。再連携は "
            f"`inventory-sync connection relink {record['name']}` です。",
        )


def shown(record: db.Record, definition: SystemDefinition | None, box: SecretBox) -> dict[str, Any]:
    """A connection as people may see it: every secret is a mask, whether it is set or how long it is."""
    try:
        kept = sorted(unseal(box, record["name"], record["secrets"]))
    except SecretsError:
        kept = []
    return {
        "name": record["name"],
        "system": record["system"],
        "title": record["title"],
        "identity": record["identity"],
        "state": record["state"],
        "health": "valid" if record["state"] == "linked" else "invalid",
        "state_since": record["state_since"],
        "code": record["state_code"],
        "reason": record["state_reason"],
        "remedy": record["state_remedy"],
        "verified_at": record["verified_at"],
        "credential_expires_at": record["credential_expires_at"],
        "settings": record["settings"],
        "secrets": dict.fromkeys(kept, MASK),
        "granted": record["granted"],
        "reads": {
            "en": list(definition.reads_en) if definition is not None else [],
            "ja": list(definition.reads_ja) if definition is not None else [],
        },
    }


__all__ = ["Cared", "Desk", "Proof", "add", "connection_named", "relink", "remove", "renew", "shown", "verify"]
