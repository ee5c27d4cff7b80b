"""The steps of a system's guide, each with its own state at a connection: what is known is said, the rest is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.connections_care import connection_named
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule
from inventory_sync.engine.setup.approvals import USUAL_DAYS
from inventory_sync.engine.setup.business_days import JAPAN, end_of_business_days
from inventory_sync.engine.stored import NEEDS_CALIBRATION, unseal
from inventory_sync.secrets import SecretBox, SecretsError
from inventory_sync.store import db
from inventory_sync.systems.port import SystemDefinition
from inventory_sync.systems.steps import Step, StepProof, StepState, Way


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as a person sees it. `state` is None where no connection is named; `detail` says why it is as it is."""

    step: Step
    where_en: str
    where_ja: str
    state: StepState | None = None
    detail_en: str = ""
    detail_ja: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The step with stable keys."""
        step = self.step
        return {
            "key": step.key,
            "title": {"en": step.title_en, "ja": step.title_ja},
            "where": {"en": self.where_en, "ja": self.where_ja},
            "fields": [*step.fields, *step.more_fields],
            "scopes": list(step.scopes),
            "optional": step.optional,
            "business_days": step.business_days,
            "proof": step.proof.value,
            "state": None if self.state is None else self.state.value,
            "detail": {"en": self.detail_en, "ja": self.detail_ja},
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a connection, for judging its steps. `said`: what people said, by step."""

    state: str
    code: str
    reason: str
    remedy: str
    given: frozenset[str]
    granted: frozenset[str]
    proven: bool
    locations: int
    heard_at: datetime | None
    public: bool
    calibrated: bool
    imported: bool
    said: Mapping[str, Mapping[str, Any]]
    now: datetime


Judged = tuple[StepState, str, str]


def ways_of(definition: SystemDefinition, given: Mapping[str, Any], said: Iterable[str] = ()) -> tuple[Way, ...]:
    """In which of its ways an account is connected, from the settings given and the steps people spoke of; the usual
    way where settings are given that tell nothing, all of them while nothing is."""
    for way in definition.ways:
        told = any(given.get(name) for name in way.sign) or any(
            given.get(name) == value for name, value in way.given if name in given
        )
        if told:
            return (way,)
    spoken = {way for step in definition.steps if step.key in set(said) for way in step.ways}
    if len(spoken) == 1:
        return tuple(way for way in definition.ways if way.key in spoken)
    return definition.ways[:1] if given else definition.ways


async def guide(
    house: House,
    definition: SystemDefinition,
    *,
    connection: str | None = None,
    public_url: str | None = None,
    box: SecretBox | None = None,
) -> list[StepView]:
    """The steps of a system; with a connection only those that fit it, each with its own state.

    Raises NoSuch for an unknown connection, or one of another system.
    """
    if connection is None or box is None:
        return [_view(step, _address(public_url, definition.name, None)) for step in definition.steps]
    record = await connection_named(house.pool, connection)
    if record["system"] != definition.name:
        raise NoSuch(
            f"The connection {connection} belongs to {record['system']}, not to {definition.name}.",
            f"接続 {connection} は {record['system']} のもので、{definition.name} のものではありません。",
        )
    facts = await facts_of(house, record, public=public_url is not None, box=box)
    settings = {**dict.fromkeys(facts.given, True), **record["settings"]}
    if facts.proven:
        settings["system"] = definition.name  # it works, even where nothing had to be given
    ways = {way.key for way in ways_of(definition, settings, facts.said)}
    address = _address(public_url, definition.name, connection)
    return [
        _view(step, address, judge(step, facts)) for step in definition.steps if not step.ways or ways & set(step.ways)
    ]


async def facts_of(house: House, record: db.Record, *, public: bool, box: SecretBox) -> Facts:
    """What the database knows of a connection. Names of stored secrets only, never their values."""
    places = await db.rows(house.pool, "locations_of", connection_id=record["id"])
    said = {
        each["step"]: dict(each) for each in await db.rows(house.pool, "setup_steps_of", connection_id=record["id"])
    }
    try:
        secrets = unseal(box, record["name"], record["secrets"])
    except SecretsError:
        secrets = {}
    plain = {name for name, value in record["settings"].items() if value not in (None, "")}
    return Facts(
        state=record["state"],
        code=record["state_code"],
        reason=record["state_reason"],
        remedy=record["state_remedy"],
        given=frozenset(plain | {name for name, value in secrets.items() if value}),
        granted=frozenset(record["granted"]),
        proven=record["verified_at"] is not None,
        locations=sum(1 for place in places if place["active"] and place["mappable"]),
        heard_at=record["heard_at"],
        public=public,
        calibrated=not record["calibration"].get(NEEDS_CALIBRATION),
        imported=record["catalogue_import"] is not None,
        said=said,
        now=house.now(),
    )


def judge(step: Step, facts: Facts) -> Judged:
    """The state of one step, and why, in English and Japanese."""
    if facts.state != "linked" and facts.code in step.problems:
        return _refused(facts)
    match step.proof:
        case StepProof.ANSWERS:
            return _answers(step, facts)
        case StepProof.VERIFIED:
            return _verified(facts)
        case StepProof.SCOPES:
            return _scopes(step, facts)
        case StepProof.LOCATIONS:
            if facts.locations:
                return StepState.DONE, f"{facts.locations} can be mapped", f"紐付けできるもの: {facts.locations} 件"
            return StepState.NOT_READY, "none is known yet", "まだ取得していません"
        case StepProof.NOTICES:
            return _notices(facts)
        case StepProof.APPROVAL:
            return _approval(step, facts)
        case StepProof.CALIBRATION:
            return _when(facts.proven and facts.calibrated, "not found out yet", "まだ確認していません")
        case StepProof.CATALOGUE:
            return _when(facts.imported, "not imported yet", "まだ取り込んでいません")
        case StepProof.PERSON:
            done = facts.said.get(step.key, {}).get("done_at")
            if done is not None:
                return StepState.DONE, f"a person said so on {_day(done)}", f"{_day(done)} に確認済み"
            return StepState.ASK, "only a person can say", "担当者の確認が必要です"
        case StepProof.NONE:
            return StepState.NOT_CHECKABLE, "it cannot be seen from here", "ここからは確認できません"
        case _:
            assert_never(step.proof)


def _when(done: bool, en: str, ja: str) -> Judged:
    return (StepState.DONE, "", "") if done else (StepState.NOT_READY, en, ja)


def _refused(facts: Facts) -> Judged:
    text = f"{facts.reason} {facts.remedy} [{facts.code}]".strip()
    return StepState.NOT_READY, text, text


def _answers(step: Step, facts: Facts) -> Judged:
    lacking = [name for name in step.fields if name not in facts.given]
    if lacking:
        names = ", ".join(lacking)
        return StepState.NOT_READY, f"not given yet: {names}", f"未設定: {names}"
    return StepState.DONE, "given", "設定済み"


def _verified(facts: Facts) -> Judged:
    """The partner accepted us once, and nothing that it said since speaks against this very step."""
    return _when(facts.proven, "the partner has not accepted the credential yet", "まだ接続を確認できていません")


def _scopes(step: Step, facts: Facts) -> Judged:
    if not facts.proven:
        return _verified(facts)
    if not facts.granted:
        return StepState.NOT_CHECKABLE, "the partner does not say what it granted", "許可された範囲を確認できません"
    have = step.covers(facts.granted)
    lacking = ", ".join(name for name in step.scopes if name not in have)
    return _when(not lacking, f"not granted: {lacking}", f"許可されていません: {lacking}")


def _notices(facts: Facts) -> Judged:
    if facts.heard_at is not None:
        at = facts.heard_at.isoformat(timespec="seconds")
        return StepState.DONE, f"last heard {at}", f"最終受信 {at}"
    if not facts.public:
        en = "INVENTORY_SYNC_PUBLIC_URL is not set: changes are found by polling"
        return StepState.NOT_CHECKABLE, en, "INVENTORY_SYNC_PUBLIC_URL が未設定です。定期確認で変更を見つけます"
    return StepState.NOT_READY, "nothing was heard yet", "まだ受信していません"


def _approval(step: Step, facts: Facts) -> Judged:
    said = facts.said.get(step.key, {})
    if facts.state == "linked" or said.get("granted_at") is not None:
        return StepState.DONE, "granted", "承認済み"
    since: datetime | None = said.get("applied_at")
    if since is None:
        return StepState.NOT_READY, "not applied for yet", "まだ申請していません"
    due = end_of_business_days(since, said.get("business_days") or step.business_days or USUAL_DAYS)
    late = facts.now >= due
    en = f"applied for on {_day(since)}, {'overdue since' if late else 'expected before'} {_day(due)}"
    ja = f"{_day(since)} に申請、{_day(due)} {'を過ぎています' if late else 'までに承認見込み'}"
    return StepState.WAITING, en, ja


def _day(at: datetime) -> str:
    """The day in Japan, where these business days are counted, wherever the machine stands."""
    return at.astimezone(JAPAN).date().isoformat()


def _view(step: Step, address: str, judged: Judged | None = None) -> StepView:
    en, ja = (text.replace("{webhook_url}", address) for text in (step.where_en, step.where_ja))
    if judged is None:
        return StepView(step, en, ja)
    state, why_en, why_ja = judged
    return StepView(step, en, ja, state, why_en, why_ja)


def _address(public_url: str | None, system: str, connection: str | None) -> str:
    return f"{(public_url or 'https://YOUR-HOST').rstrip('/')}/webhooks/{system}/{connection or 'CONNECTION'}"


async def say_done(house: House, name: str, definition: SystemDefinition, key: str, *, done: bool, actor: str) -> None:
    """Note that a person did a step that only people know of, or that it is open again.

    Raises NoSuch for an unknown step, RefusedByRule for one whose state is known without being told.
    """
    step = next((each for each in definition.steps if each.key == key), None)
    if step is None:
        names = ", ".join(each.key for each in definition.steps)
        raise NoSuch(
            f"{definition.title_en} has no step {key!r}. Steps: {names}.",
            f"{definition.title_ja} に手順「{key}」はありません。手順: {names}",
        )
    if step.proof is not StepProof.PERSON:
        raise RefusedByRule(
            "IS-CON-039",
            f"The state of the step {key} is found out, not told: `inventory-sync guide {definition.name}`.",
            f"手順 {key} の状態は自動で確認します: `inventory-sync guide {definition.name}`",
        )
    async with db.transaction(house.pool) as conn:
        record = await connection_named(conn, name)
        now = house.now()
        at = now if done else None
        await db.run(conn, "say_step", connection_id=record["id"], step=key, done_at=at, now=now, actor=actor)
        await write_audit(house, conn, actor, "connection.step", name, None, {"step": key, "done": done})
