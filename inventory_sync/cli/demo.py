"""`demo`: simulated partners, the real daemon between them, trade going on, and a count that can fail."""

from __future__ import annotations

import asyncio
import os
import random
import re
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from inventory_sync.cli import shell

if TYPE_CHECKING:
    from inventory_sync.cli.demonstration.running import Demonstration, Plan
    from inventory_sync.cli.texts import Words

FEWEST_SKUS = 200
INTERRUPTED = 130
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def seconds_of(text: str) -> float:
    """A length of time in seconds.

    >>> seconds_of("30s"), seconds_of("2m"), seconds_of("45")
    (30.0, 120.0, 45.0)

    Raises typer.BadParameter for anything else.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise typer.BadParameter("write it like 30s, 2m or 1h", param_hint="'--for'")
    return float(found[1]) * _UNITS[found[2]]


def demo(
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Trade for this long (30s, 2m), settle, count, and end by itself."),
    ] = None,
    skus: Annotated[int, typer.Option("--skus", min=FEWEST_SKUS, max=20_000, help="Items, at two places each.")] = 200,
    seed: Annotated[int | None, typer.Option("--seed", help="Repeat the trade of this seed.")] = None,
    kill: Annotated[bool, typer.Option("--kill/--no-kill", help="kill -9 the daemon in the middle.")] = True,
    plant: Annotated[
        str | None, typer.Option("--plant", metavar="BUG", help="Run a daemon that is broken on purpose (double).")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", file_okay=False, help="Work here, and leave logs and data behind."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON; progress goes to stderr.")] = False,
) -> None:
    """See it work: three simulated partners, the daemon, trade, faults, kill -9; exit 1 if a unit is off."""
    seconds = None if for_ is None else seconds_of(for_)
    if plant not in (None, "double"):
        raise typer.BadParameter(f"{plant!r} is not one of 'double'", param_hint="'--plant'")
    chosen = secrets.randbelow(1_000_000) if seed is None else seed

    async def work(session: shell.Session) -> int:
        with _needed(session):
            from inventory_sync.cli.demonstration.running import Plan

        return await _run(session, Plan(seconds, skus, chosen, kill, plant), keep, as_json)

    shell.run(work)


@contextmanager
def _needed(session: shell.Session) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "graphql":
            raise
        raise shell.Failure("IS-CLI-005", session.say("sandbox_missing")) from error


async def _run(session: shell.Session, plan: Plan, keep: Path | None, as_json: bool) -> int:
    from inventory_sync.cli.demonstration.accounts import SECRETS
    from inventory_sync.cli.demonstration.market import Market
    from inventory_sync.cli.demonstration.process import Daemon, DaemonFailed, Ports, environment
    from inventory_sync.cli.demonstration.running import Demonstration, program_of
    from inventory_sync.cli.demonstration.screen import Screen

    ports, market = Ports.free(), Market(plan.skus, random.Random(plan.seed))
    pages = (f"{ports.admin_url}/metrics", f"{ports.admin_url}/api/v1/status")
    console = Console(stderr=True, highlight=False, markup=False) if as_json else session.out
    screen = Screen(console, session.say, pages)
    with _directory(keep, session.say) as directory:
        environ = environment(directory, ports, session.say.language, SECRETS)
        daemon = Daemon(directory, ports, environ, program_of(plan.plant))
        demonstration = Demonstration(plan, market, daemon, screen, session.say)
        with _signals(demonstration) as heed:
            try:
                await market.open(ports.public_url)
                demonstration.introduce(directory, pages)
                await demonstration.set_up(directory / "inventory-sync.yaml")
                report = await demonstration.trade()
            except DaemonFailed as error:
                raise shell.Failure("IS-CLI-007", str(error)) from None
            except asyncio.CancelledError:
                return INTERRUPTED
            finally:
                heed.clear()
                await daemon.stop()
                await market.close()
                if keep is not None:
                    market.write_logs(directory)
    if as_json:
        session.json(report.as_dict())
    else:
        for line in report.lines(session.say):
            session.line(line)
    return int(shell.Exit.DONE if report.good else shell.Exit.FAILED)


@contextmanager
def _directory(keep: Path | None, say: Words) -> Iterator[Path]:
    """Where everything lies: a fresh directory that is removed at the end, or the one to keep."""
    if keep is not None:
        try:
            keep.mkdir(parents=True, exist_ok=True)
            used = any(keep.iterdir())
        except OSError as error:
            raise shell.Failure("IS-CLI-006", f"{keep}: {error.strerror}") from error
        if used:
            text = say.either(f"{keep} は空ではありません。", f"{keep} is not empty: name a new directory.")
            raise shell.Failure("IS-CLI-008", text, shell.Exit.WRONG_USE)
        yield keep.absolute()
        return
    made = Path(tempfile.mkdtemp(prefix="inventory-sync-demo-"))
    if os.geteuid() == 0:
        made.chmod(0o711)  # PostgreSQL never runs as root, and its user must be able to walk in
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _signals(demonstration: Demonstration) -> Iterator[asyncio.Event]:
    """The first Ctrl-C ends the trade, which is then settled and counted; before it, and the second time, it leaves.

    Signals are heeded while the event that is handed out is set: cleaning up is never cut short.
    """
    loop, task, heed = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
    heed.set()

    def told() -> None:
        if not heed.is_set() or task is None:
            return
        if demonstration.trading and not demonstration.ending.is_set():
            demonstration.ending.set()
        else:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
    try:
        yield heed
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
