"""Approvals that take days: applied for, reminded of when overdue, closed when granted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from inventory_sync.config.connections import secret_fields
from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.connections import APPROVAL_OVERDUE
from inventory_sync.engine.connections_care import connection_named
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule
from inventory_sync.engine.setup.business_days import end_of_business_days
from inventory_sync.engine.setup.plan import canonical, objection
from inventory_sync.engine.state_words import CONNECTIONS, state_in_japanese
from inventory_sync.store import db
from inventory_sync.systems.port import SystemDefinition
from inventory_sync.systems.steps import Step, StepProof

log = structlog.get_logger()

USUAL_DAYS = 3
AGAIN = timedelta(days=1)
"""An approval that is overdue is brought to mind this often."""

_WAITING_STATES = ("created", "awaiting_approval", "needs_action")


def approval_step(definition: SystemDefinition, key: str | None, ways: tuple[str, ...] = ()) -> Step | None:
    """The approval that is meant: the one of that key, or the only one (of these ways). None: none takes days here.

    Raises NoSuch where a key is needed or wrong.
    """
    found = [step for step in definition.steps if step.proof is StepProof.APPROVAL]
    if key is not None:
        chosen = [step for step in found if step.key == key]
    else:
        chosen = [step for step in found if not ways or not step.ways or set(step.ways) & set(ways)]
    if len(chosen) == 1:
        return chosen[0]
    if not found and key is None:
        return None
    names = ", ".join(step.key for step in found)
    raise NoSuch(
        f"Say which approval is meant, with --step. Approvals of {definition.title_en}: {names or 'none'}.",
        f"どの承認かを --step で指定してください。{definition.title_ja} の承認: {names or 'なし'}",
    )


def application(definition: SystemDefinition, given: Mapping[str, str]) -> dict[str, str]:
    """What an application named, as it is kept: `given` by setting. Raises RefusedByRule for what cannot be right.

    A secret is no part of an application.
    """
    kept: dict[str, str] = {}
    for name in given:
        if name not in definition.settings.model_fields or name in secret_fields(definition.settings):
            known = ", ".join(_asked_of_applicants(definition)) or "none"
            raise RefusedByRule(
                "IS-CON-070",
                f"{name} is not what an application to {definition.title_en} names. Those are: {known}.",
                f"{definition.title_ja} の申請に {name} は使いません。使う項目: {known}",
            )
        wrong = objection(definition, given, name)
        if wrong is not None:
            english, japanese = wrong
            raise RefusedByRule(
                "IS-CON-071",
                f"{name}: {english}. Nothing was noted; correct it and apply again.",
                f"{name} の値を確認してください({japanese})。何も記録していません。直して再度実行してください。",
            )
        kept[name] = canonical(definition, given, name)
    return kept


def _asked_of_applicants(definition: SystemDefinition) -> list[str]:
    secret = secret_fields(definition.settings)
    fields = [name for step in definition.steps for name in (*step.fields, *step.more_fields)]
    return [name for name in dict.fromkeys(fields) if name not in secret]


async def applied(
    house: House,
    name: str,
    step: Step | None,
    *,
    at: datetime | None,
    days: int | None,
    actor: str,
    details: Mapping[str, str] | None = None,
) -> datetime:
    """Note that an approval was applied for; the connection waits for it. Says when it is overdue.

    `details`: what the application named (`application`), kept with the connection; a later one takes their place.
    Raises RefusedByRule for a connection that works, or whose link ended.
    """
    async with db.transaction(house.pool) as conn:
        record = await connection_named(conn, name)
        await db.row(conn, "lock_connection", name=name)
        if record["state"] not in _WAITING_STATES:
            raise RefusedByRule(
                "IS-CON-037",
                f"The connection {name} is {record['state']}: it does not wait for an approval.",
                f"接続 {name} は{state_in_japanese(CONNECTIONS, record['state'])}のため、承認待ちにできません。",
            )
        now = house.now()
        since, patience = at or now, days or (step.business_days if step is not None else None) or USUAL_DAYS
        if since > now:
            raise RefusedByRule(
                "IS-CON-038",
                "The day of the application lies ahead; name the day it was made.",
                "申請日が未来の日付です。申請した日を指定してください。",
            )
        await db.run(
            conn,
            "say_applied",
            connection_id=record["id"],
            step=step.key if step is not None else "approval",
            applied_at=since,
            business_days=patience,
            now=now,
            actor=actor,
        )
        due = end_of_business_days(since, patience)
        if details:
            await db.run(conn, "note_application", connection_id=record["id"], details=dict(details))
        await db.run(
            conn,
            "set_connection_state",
            id=record["id"],
            state="awaiting_approval",
            code=record["state_code"],
            reason=record["state_reason"],
            remedy=record["state_remedy"],
            retry_at=record["retry_at"],
            now=now,
        )
        await close_alerts(conn, APPROVAL_OVERDUE, name, now=now)
        await write_audit(
            house,
            conn,
            actor,
            "connection.applied_for",
            name,
            before={"state": record["state"]},
            after={
                "state": "awaiting_approval",
                "applied_at": since.isoformat(),
                "business_days": patience,
                "application": dict(details or {}),
            },
        )
    return due


async def granted(house: House, name: str, step: Step | None, *, actor: str) -> str:
    """Note that an approval is there (or was there all along). Says the state in which the connection goes on."""
    async with db.transaction(house.pool) as conn:
        record = await connection_named(conn, name)
        await db.row(conn, "lock_connection", name=name)
        now = house.now()
        key = step.key if step is not None else "approval"
        await db.run(conn, "say_granted", connection_id=record["id"], step=key, now=now, actor=actor)
        rest = [p for p in await db.rows(conn, "approvals_pending") if p["connection_id"] == record["id"]]
        state = str(record["state"])
        if not rest:
            await close_alerts(conn, APPROVAL_OVERDUE, name, now=now)
        if state == "awaiting_approval" and not rest:
            state = "created" if record["identity"] is None else "needs_action"
            await db.run(
                conn,
                "set_connection_state",
                id=record["id"],
                state=state,
                code=record["state_code"],
                reason=record["state_reason"],
                remedy=record["state_remedy"],
                retry_at=None if record["identity"] is None else now,
                now=now,
            )
            await db.notify(conn, "config")
        await write_audit(
            house,
            conn,
            actor,
            "connection.granted",
            name,
            before={"state": record["state"]},
            after={"state": state, "step": key},
        )
    return state


async def remind(house: House) -> int:
    """Bring to mind what is overdue: once when it becomes so, then daily until it is granted. Says how many it were."""
    now = house.now()
    said = 0
    for pending in await db.rows(house.pool, "approvals_pending"):
        due = end_of_business_days(pending["applied_at"], pending["business_days"] or USUAL_DAYS)
        last: datetime | None = pending["reminded_at"]
        if now < due or (last is not None and now < last + AGAIN):
            continue
        name, times = pending["connection"], pending["reminders"] + 1
        async with db.transaction(house.pool) as conn:
            await db.run(conn, "remind", connection_id=pending["connection_id"], step=pending["step"], now=now)
            await open_alert(
                conn,
                house.observer,
                "approval_overdue",
                name,
                now=now,
                connection_id=pending["connection_id"],
                step=pending["step"],
                applied_at=pending["applied_at"].isoformat(),
                due_at=due.isoformat(),
                reminders=times,
                remedy=f"Ask the partner's support; `inventory-sync connection approval {name} granted` "
                "once it is there.",
            )
        if times > 1:
            log.warning("approval.overdue", connection=name, step=pending["step"], reminders=times)
            house.observer.alerted(APPROVAL_OVERDUE, name)
        said += 1
    return said
