"""Connections of a configuration: proven at the partner before anything is saved, saved with their secrets sealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Protocol

from inventory_sync.config import ConfigDocument, ConnectionDocument
from inventory_sync.engine import paged
from inventory_sync.engine.alerts import close_alerts
from inventory_sync.engine.apply_report import MASK, ApplyFailed, Change, FieldChange, Note, Problem, What
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.connections import link
from inventory_sync.engine.lane import House
from inventory_sync.engine.stored import NEEDS_CALIBRATION, REMOVED, seal, unseal, whole_settings
from inventory_sync.ledger.files.profile import ProfileError
from inventory_sync.ledger.files.sources import sources_of
from inventory_sync.model.order_policy import Unpaid, policy_of
from inventory_sync.secrets import SecretBox, SecretsError
from inventory_sync.store import db
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import Broken, InvalidSettings, PartnerError, RetryLater
from inventory_sync.systems.port import ChangeSource, PartnerLocation, SettingsModel, SystemDefinition, Verified


class Prover(Protocol):
    """The part of a client that proving a connection needs."""

    async def verify(self) -> Verified: ...
    async def locations(self) -> Sequence[PartnerLocation]: ...


MakeClient = Callable[[str, SystemDefinition, SettingsModel], Prover]
"""Makes a client for one-off calls, by the connection's name. May raise InvalidSettings for a forbidden address."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A connection of the file beside its stored row. `verified` None: nothing changed, and nobody was asked."""

    document: ConnectionDocument
    record: db.Record | None
    fields: tuple[FieldChange, ...]
    secrets: Mapping[str, str] = field(repr=False)
    verified: Verified | None = None
    locations: tuple[PartnerLocation, ...] = ()
    by_files: bool = False
    needs_calibration: bool = False

    @property
    def name(self) -> str:
        return self.document.name


async def prove(
    stored: Mapping[str, db.Record],
    document: ConfigDocument,
    *,
    systems: Mapping[str, SystemDefinition],
    make_client: MakeClient,
    box: SecretBox,
) -> dict[str, Proof]:
    """Verify every connection that is new, changed or not working, with the settings it is going to have.

    Saves nothing. Raises ApplyFailed with all that is wrong, RetryLater where a partner is only busy.
    """
    proofs: dict[str, Proof] = {}
    problems: list[Problem] = []
    later: RetryLater | None = None
    for each in document.connections:
        try:
            proofs[each.name] = await prove_one(stored.get(each.name), each, systems, make_client, box)
        except RetryLater as error:
            later = error
        except ApplyFailed as error:
            problems += error.problems
        except PartnerError as error:
            problems.append(problem_of(each.name, error))
    if problems:
        raise ApplyFailed(problems)
    if later is not None:
        raise later
    return proofs


async def prove_one(
    record: db.Record | None,
    document: ConnectionDocument,
    systems: Mapping[str, SystemDefinition],
    make_client: MakeClient,
    box: SecretBox,
    *,
    always: bool = False,
) -> Proof:
    """Verify one connection with the settings it is going to have. Saves nothing.

    Raises ApplyFailed, InvalidSettings, Broken or RetryLater. One that works unchanged is asked only if `always`.
    """
    definition = _definition(record, document, systems)
    before = _readable(box, document.name, record)
    # An address that ended with its link stays dead: a relinked connection gets another one.
    kept = {} if record is not None and record["state"] == "unlinked" else before
    made_up = {key: kept.get(key) or token_urlsafe(24) for key in definition.generated_secrets}
    stored = {key: before[key] for key in document.stored if key in before and key not in made_up}
    secrets = {**made_up, **stored, **document.secrets}
    settings = whole_settings(definition, {**document.settings, **secrets})
    _check_files(document.name, settings)
    _check_orders(document, definition, settings, {} if record is None else record["calibration"])
    fields = _differences(record, document, before, secrets)
    if record is not None and not fields and record["state"] == "linked" and not always:
        return Proof(document, record, (), secrets)
    client = make_client(document.name, definition, settings)
    verified = await client.verify()
    locations = tuple(await client.locations())
    by_files = definition.file_catalogue is not None and definition.file_catalogue(settings) is not None
    needs = definition.needs_calibration(settings)
    return Proof(document, record, fields, secrets, verified, locations, by_files, needs)


def _check_files(name: str, settings: SettingsModel) -> None:
    """Whether the file sources that a built-in ledger declares can work. Raises ApplyFailed."""
    try:
        sources_of(settings)
    except ProfileError as error:
        raise ApplyFailed(
            [
                Problem(
                    f"connection {name}",
                    str(error),
                    "Mend the `files` of the connection.",
                    error.code,
                    f"接続 {name}",
                    error.japanese,
                    "接続の `files` を直してください。",
                )
            ]
        ) from error


def _check_orders(
    document: ConnectionDocument, definition: SystemDefinition, settings: SettingsModel, found: Mapping[str, str]
) -> None:
    """Unpaid orders are held or ignored only where orders are the source of changes. Raises ApplyFailed."""
    policy = policy_of(document.settings.get("orders"))
    source = definition.capabilities.change_source
    if definition.change_source is not None:
        source = definition.change_source(settings, found)
    if policy.unpaid is not Unpaid.RESERVE and source is ChangeSource.LEVELS:
        raise ApplyFailed(
            [
                Problem(
                    f"connection {document.name}, orders.unpaid",
                    "this connection's changes are found by its stock levels, and those have fallen already when an "
                    f"order is unpaid: it cannot be `{policy.unpaid.value}`.",
                    "Write `unpaid: reserve`, or leave it out.",
                    "IS-ORD-001",
                    f"接続 {document.name}、orders.unpaid",
                    "この接続の変更は在庫数から読み取りますが、未入金の注文の分もすでに減っているため、"
                    f"`{policy.unpaid.value}` にはできません。",
                    "`unpaid: reserve` と書くか、この行を削除してください。",
                )
            ]
        )


def _definition(
    record: db.Record | None, document: ConnectionDocument, systems: Mapping[str, SystemDefinition]
) -> SystemDefinition:
    if record is not None and record["system"] != document.system:
        raise ApplyFailed(
            [
                Problem(
                    f"connection {document.name}",
                    f"it belongs to the system {record['system']!r}, and that never changes.",
                    "Give the new connection a name of its own.",
                    "IS-CON-001",
                    f"接続 {document.name}",
                    f"この接続のシステムは「{record['system']}」で、後から変えることはできません。",
                    "新しい接続には別の名前を付けてください。",
                )
            ]
        )
    return systems[document.system]


def _readable(box: SecretBox, name: str, record: db.Record | None) -> dict[str, str]:
    """The stored secrets; none where their key is lost, so that a file that names them all can still replace them."""
    try:
        return {} if record is None else unseal(box, name, record["secrets"])
    except SecretsError:
        return {}


def _differences(
    record: db.Record | None, document: ConnectionDocument, before: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[FieldChange, ...]:
    settings: Mapping[str, Any] = {} if record is None else record["settings"]
    plain = [
        FieldChange(key, settings.get(key), document.settings.get(key))
        for key in sorted({*settings, *document.settings})
        if settings.get(key) != document.settings.get(key)
    ]
    hidden = [
        FieldChange(key, MASK if key in before else None, MASK if key in secrets else None)
        for key in sorted({*before, *secrets})
        if before.get(key) != secrets.get(key)
    ]
    return (*plain, *hidden)


def problem_of(name: str, error: PartnerError) -> Problem:
    """What a partner's refusal means for a person, without any secret in it."""
    where, where_ja = f"connection {name}", f"接続 {name}"
    if isinstance(error, Broken):
        return Problem(where, error.message, error.remedy, error.code, where_ja, "", "")
    if isinstance(error, InvalidSettings):
        if error.field:
            where, where_ja = f"{where}, {error.field}", f"{where_ja}、{error.field}"
        japanese = (where_ja, error.message_ja, error.remedy_ja)
        return Problem(where, error.message, error.remedy, error.code, *japanese)
    remedy = "Nothing was saved. Try again; if it stays, report this message."
    remedy_ja = "何も保存していません。もう一度実行し、続く場合はこの表示を報告してください。"
    return Problem(where, error.message, remedy, error.code, where_ja, "", remedy_ja)


async def save(house: House, conn: Connection, proof: Proof, *, box: SecretBox, actor: str) -> Change:
    """Write a proven connection down and link it; a new one gets its import, a changed one a full reconcile.

    Runs in the caller's transaction. Raises ApplyFailed where the credential belongs to another shop.
    """
    document, record = proof.document, proof.record
    if proof.verified is None:
        return Change(document.name, What.UNCHANGED, "linked")
    now = house.now()
    sealed = seal(box, document.name, proof.secrets)
    settings = dict(document.settings)
    if record is None:
        connection_id = await db.value(
            conn,
            "insert_connection",
            name=document.name,
            system=document.system,
            settings=settings,
            secrets=sealed,
            now=now,
        )
    else:
        connection_id = record["id"]
        await db.run(conn, "update_connection", id=connection_id, settings=settings, secrets=sealed)
    await save_locations(conn, connection_id, proof.locations)
    try:
        await link(house, conn, connection_id, document.name, proof.verified)
    except Broken as error:
        raise ApplyFailed([problem_of(document.name, error)]) from error
    await db.run(
        conn,
        "save_calibration",
        id=connection_id,
        calibration={NEEDS_CALIBRATION: "yes" if proof.needs_calibration else ""},
    )
    await _follow_up(house, conn, connection_id, record, by_files=proof.by_files)
    before = None if record is None else {"settings": record["settings"], "state": record["state"]}
    after = {"settings": settings, "state": "linked", "fields": [each.field for each in proof.fields]}
    what = What.CREATED if record is None else What.CHANGED
    await write_audit(house, conn, actor, f"connection.{what.value}", document.name, before, after)
    return Change(document.name, what, "linked", proof.fields)


async def _follow_up(
    house: House, conn: Connection, connection_id: int, record: db.Record | None, *, by_files: bool
) -> None:
    now = house.now()
    first = record is None or record["identity"] is None
    if first and by_files:
        return
    if first:
        # The daily import counts from here, so that the daemon does not start a second one behind this.
        await db.value(conn, "claim_run", name=f"catalogue:{connection_id}", last_at=None, now=now)
        await paged.start(conn, "import", connection_id, now=now)
        return
    await db.run(conn, "insert_wishes", connections=[connection_id], kinds=["reconcile"], keys=[""], now=now)
    await db.run(conn, "put_due_connection", connection_id=connection_id)


async def save_locations(conn: Connection, connection_id: int, found: tuple[PartnerLocation, ...]) -> None:
    """Keep the locations a partner listed; one it lists no more stays, marked as such."""
    keys = [place.key for place in found]
    await db.run(
        conn,
        "put_locations",
        connection_id=connection_id,
        keys=keys,
        names=[place.name for place in found],
        active=[place.active for place in found],
        mappable=[place.mappable for place in found],
        notes=[place.note for place in found],
    )
    await db.run(conn, "locations_absent", connection_id=connection_id, keys=keys)


async def remove(house: House, conn: Connection, record: db.Record, *, actor: str) -> Change:
    """Take a connection out of service and forget its secrets. What was written through it stays explained."""
    now = house.now()
    await db.run(conn, "remove_connection", id=record["id"], now=now)
    await db.run(conn, "stop_runs_of", connection_id=record["id"], now=now)
    await db.run(conn, "drop_wishes_of", connection_id=record["id"])
    await close_alerts(conn, "connection_broken", record["name"], now=now)
    await write_audit(
        house,
        conn,
        actor,
        "connection.removed",
        record["name"],
        before={"state": record["state"]},
        after={"state": REMOVED},
    )
    return Change(record["name"], What.REMOVED, REMOVED)


def notes_of(proof: Proof) -> list[Note]:
    """What a partner wants said at a verification."""
    warnings = () if proof.verified is None else proof.verified.warnings
    return [Note("IS-CON-010", f"{proof.name}: {text}", f"{proof.name}: {text}") for text in warnings]
