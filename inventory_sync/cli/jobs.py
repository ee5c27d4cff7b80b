"""`job`: what runs by itself, when it runs next, and a switch for each."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.shell import moment
from inventory_sync.engine import jobs
from inventory_sync.engine.jobs import Job

app = typer.Typer(help="What runs by itself: when each job runs next, and its switch.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The job, as `job list` names it.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command("list")
def list_jobs(as_json: Json = False) -> None:
    """List the jobs: what triggers each, whether it is on, when it ran, and when it runs next."""

    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            found = await jobs.jobs(house)
        if as_json:
            session.json({"jobs": [job.as_dict() for job in found]})
        else:
            show_jobs(session, found)

    shell.run(work)


def show_jobs(session: shell.Session, found: list[Job]) -> None:
    """Print jobs as a table."""
    say, pick = session.say, session.say.either
    rows = [
        (
            *(job.name, pick(job.ja, job.en)),
            pick("変化のたび", "each change") if job.every is None else f"{job.every / 3600:g} h",
            say("yes") if job.enabled else say("no"),
            *(moment(job.last_at), moment(job.next_at)),
        )
        for job in found
    ]
    session.table("jobs", ("name", "action", "every", "enabled", "last_run", "next_run"), rows)


@app.command("on")
def switch_on(name: Name, as_json: Json = False) -> None:
    """Switch a job on. One that is overdue runs once, now."""
    _switch(name, True, as_json)


@app.command("off")
def switch_off(name: Name, as_json: Json = False) -> None:
    """Switch a job off, and nothing else: notices and polls still find what changes."""
    _switch(name, False, as_json)


def _switch(name: str, on: bool, as_json: bool) -> None:
    async def work(session: shell.Session) -> None:
        async with shell.open_house(session.settings) as house:
            job = await jobs.switch(house, name, on=on, actor=shell.actor())
        if as_json:
            session.json(job.as_dict())
        else:
            show_jobs(session, [job])

    shell.run(work)
