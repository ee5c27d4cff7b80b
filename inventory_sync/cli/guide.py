"""`guide`: how a system is connected, step by step, with where to find every value and how far each step is."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli.connection_texts import say
from inventory_sync.engine.setup.steps import StepView, guide
from inventory_sync.systems.port import SystemDefinition

MARKS = {"done": "✓", "not_ready": "✗", "waiting": "…", "ask": "?", "not_checkable": "–", None: "·"}


def guide_command(
    system: Annotated[str, typer.Argument(help="The system, as `systems` lists it.")],
    connection: Annotated[
        str | None, typer.Option("--connection", metavar="NAME", help="Show how far each step is at this connection.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print the whole guide, with all settings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, in both languages.")] = False,
) -> None:
    """Show how a system is connected: every step, where to find every value, and how far each is."""

    async def work(session: shell.Session) -> None:
        definition = partners.known_system(system)
        if full:
            session.line(_page(definition, session.settings.language))
            return
        public = session.settings.public_url
        async with shell.open_house(session.settings) as house:
            box = partners.secret_box(session.settings)
            steps = await guide(house, definition, connection=connection, public_url=public, box=box)
        if as_json:
            found = {"system": definition.name, "connection": connection, "steps": [each.as_dict() for each in steps]}
            session.json(found)
        else:
            show_steps(session, definition, steps)

    shell.run(work)


def show_steps(session: shell.Session, definition: SystemDefinition, steps: list[StepView]) -> None:
    """Print a checklist for people."""
    pick, language = session.say.either, session.settings.language
    session.line(pick(definition.title_ja, definition.title_en))
    ways = {way.key: pick(way.title_ja, way.title_en) for way in definition.ways}
    shown: tuple[str, ...] = ()
    for view in steps:
        step = view.step
        several = len({way for each in steps for way in each.step.ways}) > 1
        if several and step.ways and step.ways != shown:
            shown = step.ways
            session.line(f"\n  — {' / '.join(ways[way] for way in step.ways)}")
        mark = MARKS[None if view.state is None else view.state.value]
        optional = f" ({say(language, 'optional')})" if step.optional else ""
        session.line(f"{mark} {step.key}: {pick(step.title_ja, step.title_en)}{optional}")
        session.line(f"    {pick(view.where_ja, view.where_en)}")
        fields = [*step.fields, *step.more_fields]
        if fields:
            session.line(f"    {say(language, 'yields')}: {', '.join(fields)}")
        if view.state is not None:
            detail = pick(view.detail_ja, view.detail_en)
            session.line(f"    → {say(language, f'state_{view.state.value}')}{f': {detail}' if detail else ''}")


def _page(definition: SystemDefinition, language: str) -> str:
    """The whole guide of a system, which lies beside its adapter. Raises Failure where it brings none."""
    package = definition.settings.__module__.rpartition(".")[0]
    page = resources.files(package) / f"guide.{language}.md"
    if not page.is_file():
        raise shell.Failure("IS-SYS-002", say("ja" if language == "ja" else "en", "no_guide", system=definition.name))
    return page.read_text(encoding="utf-8")
