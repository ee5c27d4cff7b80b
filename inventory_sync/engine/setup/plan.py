"""What a person answered at set-up, and the configuration it makes: a document to apply now, and a file to keep.

A secret never stands in the file in clear: it names an environment variable, or is stored sealed and left out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from inventory_sync.config.connections import secret_fields
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import SystemDefinition
from inventory_sync.systems.settings_words import words_of
from inventory_sync.systems.steps import Step, StepProof, Way

REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


@dataclass(frozen=True, slots=True)
class Question:
    """One setting that a step yields. `hidden`: it is a secret; `optional`: it may stay empty."""

    name: str
    step: Step
    hidden: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """A connection as it was answered. `values` may name environment variables as `${NAME}`; `existing`: it is linked
    already, and only the routes speak of it."""

    name: str
    definition: SystemDefinition
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    existing: bool = False


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """A route as it was answered. `locations` pair one to one; a `pool` sums ledger locations and names its intake."""

    name: str
    ledger: str
    channel: str
    direction: str
    sales: str
    basis: str
    ledger_field: str
    channel_field: str
    locations: tuple[tuple[str, str], ...] = ()
    pool: tuple[tuple[str, ...], str, str] | None = None  # ledger keys, intake, channel key
    align: str = "ledger_wins"


def way_named(definition: SystemDefinition, key: str | None) -> Way | None:
    """The way of that key; the usual one for None. None where a system has only one and names none."""
    if not definition.ways:
        return None
    return next((way for way in definition.ways if way.key == key), None) if key else definition.ways[0]


def questions(definition: SystemDefinition, way: Way | None) -> list[Question | Step]:
    """What a person is asked or told, in the order of the guide: settings, and approvals that must be there first."""
    secret = secret_fields(definition.settings)
    found: list[Question | Step] = []
    asked: set[str] = set()
    for step in definition.steps:
        if step.ways and (way is None or way.key not in step.ways):
            continue
        if step.proof is StepProof.APPROVAL:
            found.append(step)
        elif step.proof is StepProof.ANSWERS:
            for name in (*step.fields, *step.more_fields):
                optional = step.optional or name in step.more_fields
                found.append(Question(name, step, name in secret, optional))
                asked.add(name)
    if not definition.steps:
        step = Step("credentials", "Credentials", "認証情報", "", "", StepProof.ANSWERS)
        found += [Question(name, step, name in secret, False) for name in definition.credential_fields]
    return found


def more_settings(definition: SystemDefinition) -> tuple[str, ...]:
    """Settings that nobody asks for, and a file of answers may give all the same."""
    return tuple(info.alias or name for name, info in definition.settings.model_fields.items())


def objection(definition: SystemDefinition, values: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """What the system has against the value of one setting, in English and Japanese, as far as that can be told by
    itself."""
    try:
        definition.settings.model_validate(dict(values))
    except ValidationError as refusal:
        for error in refusal.errors(include_url=False, include_input=False):
            if error["loc"] and str(error["loc"][0]) == name and error["type"] != "missing":
                return words_of(error)
    except InvalidSettings as refusal:
        if refusal.field == name:
            return f"{refusal.message} {refusal.remedy}", f"{refusal.message_ja} {refusal.remedy_ja}"
    return None


def canonical(definition: SystemDefinition, values: Mapping[str, str], name: str) -> str:
    """A value as it is going to be kept: `demo-jp.myshopify.com` for every form of a shop's name."""
    info = definition.settings.model_fields.get(name)
    if info is None:
        return values[name]
    shape: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    try:
        found = TypeAdapter(shape).validate_python(values[name])
    except (ValidationError, InvalidSettings):
        return values[name]
    return found if isinstance(found, str) else values[name]


def document(connections: tuple[ConnectionPlan, ...], route: RoutePlan | None) -> tuple[str, dict[str, str]]:
    """The configuration to apply now, and the environment with the answers that it refers to."""
    environ: dict[str, str] = {}
    parts = CommentedMap()
    for plan in connections:
        if plan.existing:
            continue
        secret = secret_fields(plan.definition.settings)
        entry = CommentedMap({"system": plan.definition.name})
        for name, value in plan.values.items():
            if name in secret and REFERENCE.fullmatch(value) is None:
                variable = f"ANSWER_{plan.name}_{name}".upper().replace("-", "_")
                environ[variable] = value
                entry[name] = f"${{{variable}}}"
            else:
                entry[name] = value if REFERENCE.fullmatch(value) else value.replace("${", "$${")
        parts[plan.name] = entry
    whole = CommentedMap()
    whole["connections"] = parts
    if route is not None:
        whole["routes"] = {route.name: _route(route)}
    return _text(whole), environ


def file_text(before: str | None, connections: tuple[ConnectionPlan, ...], route: RoutePlan) -> str:
    """The file to keep: what it held before, with these connections and this route."""
    whole = _yaml().load(before) if before and before.strip() else CommentedMap()
    if not isinstance(whole, CommentedMap):
        whole = CommentedMap()
    for plan in connections:
        if plan.existing:
            continue
        group = _group(whole, "connections")
        group[plan.name] = _kept(plan)
        stored = _stored(plan)
        if stored:
            text = f"{', '.join(stored)}: stored encrypted; `inventory-sync connection renew {plan.name}` changes them"
            group[plan.name].yaml_add_eol_comment(text, "system")
    _group(whole, "routes")[route.name] = _route(route)
    return _text(whole)


def _group(whole: CommentedMap, name: str) -> CommentedMap:
    if not isinstance(whole.get(name), CommentedMap):
        whole[name] = CommentedMap()
    group: CommentedMap = whole[name]
    return group


def _stored(plan: ConnectionPlan) -> list[str]:
    secret = secret_fields(plan.definition.settings)
    return [name for name, value in plan.values.items() if name in secret and REFERENCE.fullmatch(value) is None]


def _kept(plan: ConnectionPlan) -> CommentedMap:
    """A connection as the file keeps it: without secrets, but for names of environment variables."""
    entry = CommentedMap({"system": plan.definition.name})
    stored = _stored(plan)
    for name, value in plan.values.items():
        if name not in stored:
            entry[name] = value if REFERENCE.fullmatch(value) else value.replace("${", "$${")
    return entry


def _route(route: RoutePlan) -> CommentedMap:
    entry = CommentedMap(
        {
            "ledger": route.ledger,
            "channel": route.channel,
            "direction": route.direction,
            "sales": route.sales,
            "quantity": {"ledger": route.basis, "channel": "available"},
            "match": {"ledger_field": route.ledger_field, "channel_field": [route.channel_field]},
        }
    )
    if route.pool is not None:
        keys, intake, channel = route.pool
        entry["pool"] = {"ledger": list(keys), "intake": intake, "channel": channel}
    else:
        entry["locations"] = [{"ledger": ledger, "channel": channel} for ledger, channel in route.locations]
    entry["publish"] = {"buffer": 0, "percent": 100, "max": None}
    entry["align"] = route.align
    entry["state"] = "running"
    return entry


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def _text(whole: Any) -> str:
    out = io.StringIO()
    _yaml().dump(whole, out)
    return out.getvalue()
