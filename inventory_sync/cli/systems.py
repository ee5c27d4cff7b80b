"""`systems`: what can be connected, and what each needs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory_sync.cli import shell
from inventory_sync.systems import registry
from inventory_sync.systems.port import SystemDefinition


def systems(as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False) -> None:
    """List the systems that can be connected."""

    async def work(session: shell.Session) -> None:
        found = registry.load()
        if as_json:
            problems = [{"entry_point": each.entry_point, "reason": each.reason} for each in found.problems]
            session.json({"systems": [_described(each) for each in found], "problems": problems})
            return
        say = session.say
        rows = [
            (
                each.name,
                say.either(each.title_ja, each.title_en),
                ", ".join(say(role) for role in sorted(each.capabilities.roles)),
                ", ".join(each.capabilities.match_fields),
                ", ".join(each.credential_fields),
            )
            for each in found
        ]
        session.table("systems", ("name", "kind", "roles", "match_fields", "credentials"), rows)
        for each in found:
            session.line(f"{each.name} – {say('prerequisites')}:")
            for line in each.prerequisites_ja if say.language == "ja" else each.prerequisites_en:
                session.line(f"  - {line}")
        for problem in found.problems:
            session.line(f"{say('note')} [IS-SYS-001]: {problem.entry_point}: {problem.reason}")

    shell.run(work)


def _described(each: SystemDefinition) -> dict[str, Any]:
    return {
        "name": each.name,
        "title": {"ja": each.title_ja, "en": each.title_en},
        "roles": sorted(each.capabilities.roles),
        "match_fields": list(each.capabilities.match_fields),
        "credentials": list(each.credential_fields),
        "has_locations": each.capabilities.has_locations,
        "sends_notices": each.make_notice_parser is not None,
        "prerequisites": {"ja": list(each.prerequisites_ja), "en": list(each.prerequisites_en)},
        "switches": dict(each.switches),
    }
