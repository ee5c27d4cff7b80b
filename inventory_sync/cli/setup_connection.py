"""The questions of `setup` about one connection: which system, in which way, each value, and whether it works."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.asking import Asker, resolved
from inventory_sync.cli.connection_care import day_of
from inventory_sync.cli.setup_choices import Meanings, meant
from inventory_sync.cli.setup_texts import say
from inventory_sync.config import ConfigErrors, load_document
from inventory_sync.config.connections import NAME, NAME_REMEDY
from inventory_sync.engine import connections_care as care
from inventory_sync.engine.apply_connections import prove_one
from inventory_sync.engine.connections_care import Desk
from inventory_sync.engine.lane import House
from inventory_sync.engine.setup import approvals
from inventory_sync.engine.setup.plan import (
    ConnectionPlan,
    Question,
    canonical,
    document,
    more_settings,
    objection,
    questions,
    way_named,
)
from inventory_sync.engine.stored import REMOVED
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, PartnerError
from inventory_sync.systems.port import PartnerLocation, Role, SystemDefinition
from inventory_sync.systems.steps import Step, Way

DEFAULT_NAMES = {Role.LEDGER: "ledger", Role.CHANNEL: "shop"}
YES, NO = ("yes", "y", "はい"), ("no", "n", "いいえ")


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: who asks, who answers, and what it is about."""

    session: shell.Session
    asker: Asker
    house: House
    desk: Desk

    def tell(self, text: str) -> None:
        """Something to read while answering; beside what the command prints."""
        typer.echo(text, err=True)

    def say(self, text: str, /, **values: object) -> str:
        return say(self.session.settings.language, text, **values)

    def either(self, pair: tuple[str, str]) -> str:
        """The one of an English and a Japanese text that is in our language."""
        english, japanese = pair
        return self.session.say.either(japanese, english)

    def choose(
        self,
        key: str,
        text: str,
        choices: Sequence[str],
        *,
        default: str | None = None,
        meanings: Meanings | None = None,
    ) -> str:
        """One of several words; asked again while a person at a terminal answers with another one.

        `meanings`: what each word stands for, told before it is asked for.
        """
        for word in choices if meanings else ():
            self.tell(f"  {meant(self.session.settings.language, meanings or {}, word)}")
        while True:
            answer = self.asker.ask(key, self.say(text, choices=" / ".join(choices)), default=default).strip()
            if answer in choices:
                return answer
            self.refuse(key, self.say("not_one_of", choices=", ".join(choices)))

    def refuse(self, key: str, why: str) -> None:
        """An answer cannot be taken. A person may answer again; raises Failure for a script."""
        if not self.asker.patient:
            raise shell.Failure("IS-CLI-034", f"{key}: {why}", shell.Exit.WRONG_USE)
        self.tell(f"  {why} {self.say('again')}")


@dataclass(frozen=True, slots=True)
class Answered:
    """A connection with the locations that can be mapped; `waiting`: its approval is not there, so nothing follows."""

    plan: ConnectionPlan
    places: tuple[PartnerLocation, ...] = ()
    waiting: bool = False


async def ask_connection(talk: Talk, role: Role) -> Answered:
    """Everything about the connection of one role, proven at the partner; nothing of it is saved yet."""
    prefix = role.value
    talk.tell(f"\n{talk.say(prefix)}")
    known = [d for d in talk.desk.systems.values() if role in d.capabilities.roles]
    titles = {d.name: (d.title_ja, d.title_en) for d in known}
    chosen = talk.choose(f"{prefix}.system", "system", list(titles), meanings=titles)
    definition = talk.desk.systems[chosen]
    name, record = await _name(talk, prefix, definition, DEFAULT_NAMES[role])
    if record is not None and record["state"] == "linked":
        talk.tell(talk.say("known", name=name))
        done = await care.verify(talk.house, name, talk.desk)
        return Answered(ConnectionPlan(done.name, definition, existing=True), await _stored_places(talk, record["id"]))
    way = _way(talk, prefix, definition)
    if not await _approved(talk, prefix, definition, way, name, record):
        return Answered(ConnectionPlan(name, definition), waiting=True)
    while True:
        values = _values(talk, prefix, definition, way)
        plan = ConnectionPlan(name, definition, values)
        try:
            return Answered(plan, await _proven(talk, plan, record))
        except (PartnerError, ConfigErrors) as error:
            if record is not None and isinstance(error, Broken):
                await db.run(
                    talk.house.pool,
                    "note_refusal",
                    id=record["id"],
                    code=error.code,
                    reason=error.message,
                    remedy=error.remedy,
                )
            if not talk.asker.patient:
                raise
            talk.tell(f"  {_reason(talk, error)}\n  {talk.say('again')}")


def _reason(talk: Talk, error: PartnerError | ConfigErrors) -> str:
    """Why a connection cannot be used, and what to do, in the language."""
    if isinstance(error, ConfigErrors):
        return talk.either((str(error), error.japanese))
    return " ".join(shell.told(error, talk.session.say)).rstrip()


async def _name(talk: Talk, prefix: str, definition: SystemDefinition, default: str) -> tuple[str, db.Record | None]:
    key = f"{prefix}.name"
    while True:
        name = talk.asker.ask(key, talk.say("name"), default=default).strip()
        records = {r["name"]: r for r in await db.rows(talk.house.pool, "connections_all")}
        record = records.get(name)
        if not NAME.fullmatch(name):
            talk.refuse(key, talk.either(NAME_REMEDY))
        elif record is not None and record["system"] != definition.name:
            talk.refuse(key, talk.say("other_system", name=name, system=record["system"]))
        else:
            return name, None if record is not None and record["state_code"] == REMOVED else record


def _way(talk: Talk, prefix: str, definition: SystemDefinition) -> Way | None:
    if len(definition.ways) < 2:
        return way_named(definition, None)
    titles = {way.key: (way.title_ja, way.title_en) for way in definition.ways}
    keys = list(titles)
    return way_named(definition, talk.choose(f"{prefix}.way", "way", keys, default=keys[0], meanings=titles))


async def _approved(
    talk: Talk, prefix: str, definition: SystemDefinition, way: Way | None, name: str, record: db.Record | None
) -> bool:
    """Ask for approvals that take days. One that is not there yet is kept, and ends the questions."""
    for step in questions(definition, way):
        if not isinstance(step, Step):
            continue
        _introduce(talk, step)
        key = f"{prefix}.approval"
        answer = talk.asker.ask(key, talk.say("approval"), default="yes").strip().lower()
        if answer in YES:
            if record is not None:
                await approvals.granted(talk.house, name, step, actor=talk.desk.actor)
            continue
        since = None if answer in NO else day_of(talk.session, answer)
        if record is None:
            await care.add(talk.house, name, definition, actor=talk.desk.actor)
        if since is not None:
            await approvals.applied(talk.house, name, step, at=since, days=None, actor=talk.desk.actor)
        return False
    return True


def _values(talk: Talk, prefix: str, definition: SystemDefinition, way: Way | None) -> dict[str, str]:
    """Every setting that the guide yields, each checked as far as it can be by itself."""
    values: dict[str, str] = {} if way is None else dict(way.given)
    values |= {key: value.strip() for key, value in talk.asker.more(prefix, more_settings(definition)).items()}
    told = ""
    for each in questions(definition, way):
        if isinstance(each, Step):
            continue
        if each.step.key != told:
            _introduce(talk, each.step)
            told = each.step.key
        answer = _value(talk, prefix, definition, values, each)
        if answer:
            values[each.name] = answer
        else:
            values.pop(each.name, None)
    return values


def _introduce(talk: Talk, step: Step) -> None:
    pick = talk.session.say.either
    talk.tell(f"\n• {pick(step.title_ja, step.title_en)}\n  {pick(step.where_ja, step.where_en)}")


def _value(talk: Talk, prefix: str, definition: SystemDefinition, values: dict[str, str], question: Question) -> str:
    key, name = f"{prefix}.{question.name}", question.name
    text = f"{name} ({talk.say('optional')})" if question.optional else name
    while True:
        answer = talk.asker.ask(key, text, default="" if question.optional else None, hidden=question.hidden)
        if not answer:
            if question.optional:
                return ""
            talk.refuse(key, talk.say("not_one_of", choices=name))
            continue
        answered = values | {name: answer}
        plain = {each: resolved(talk.session, each, given, os.environ) for each, given in answered.items()}
        why = objection(definition, plain, name)
        if why is not None:
            talk.refuse(key, talk.either(why))
            continue
        if question.hidden or answer != plain[name]:
            return answer
        kept = canonical(definition, plain, name)
        if kept != answer:
            talk.tell(f"  {talk.say('kept_as', name=name, value=kept)}")
        return kept


async def _proven(talk: Talk, plan: ConnectionPlan, record: db.Record | None) -> tuple[PartnerLocation, ...]:
    """Ask the partner. Raises what it answers; nothing is saved."""
    talk.tell(talk.say("proving"))
    text, answers = document((plan,), None)
    systems = talk.desk.systems
    [found] = load_document(text, {**os.environ, **answers}, systems).connections
    proof = await prove_one(record, found, systems, talk.desk.make_client, talk.desk.box, always=True)
    if proof.verified is not None:
        talk.tell(talk.say("proven", title=proof.verified.name))
        for warning in proof.verified.warnings:
            talk.tell(f"  {talk.session.say('note')}: {warning}")
    return tuple(place for place in proof.locations if place.active and place.mappable)


async def _stored_places(talk: Talk, connection_id: int) -> tuple[PartnerLocation, ...]:
    return tuple(
        PartnerLocation(place["key"], place["name"], active=True)
        for place in await db.rows(talk.house.pool, "locations_of", connection_id=connection_id)
        if place["active"] and place["mappable"]
    )
