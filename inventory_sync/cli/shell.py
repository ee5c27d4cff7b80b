"""What every command shares: settings, words, the house, output, and what an exception means for the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import IntEnum
from typing import Any

import asyncpg
import orjson
import typer
from rich.console import Console
from rich.table import Table

from inventory_sync.cli.texts import Language, Words
from inventory_sync.config import ConfigErrors
from inventory_sync.embedded import EmbeddedError
from inventory_sync.engine.apply_report import ApplyFailed, Problem
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import NoSuch, RefusedByRule
from inventory_sync.logs import configure_logs, redact_text
from inventory_sync.secrets import SecretsError
from inventory_sync.settings import PREFIX, Settings, SettingsError, load_settings
from inventory_sync.store.migrate import MigrationError
from inventory_sync.systems.errors import Broken, FileRefused, InvalidSettings, PartnerError, RetryLater

PIPE_WIDTH = 240
"""Columns of a table that goes into a file or a pipe."""

_ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)
"""In which times are told: the merchant's (`INVENTORY_SYNC_TIMEZONE`), wherever the machine stands."""


class Exit(IntEnum):
    """The exit codes scripts rely on."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    REFUSED = 3


class Failure(Exception):
    """A command cannot do what it was asked. The message says why and what to do."""

    def __init__(self, code: str, message: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = exit_code


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work: the settings, our words, and where to print."""

    settings: Settings
    say: Words
    out: Console = field(default_factory=_console)

    def line(self, text: str = "") -> None:
        """One line, never broken, so that scripts can search it."""
        self.out.print(text, soft_wrap=True)

    def json(self, value: Any) -> None:
        """Machine-readable output, keys in a stable order."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        sys.stdout.write(orjson.dumps(value, default=str, option=options).decode())

    def table(self, title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table of texts; `headings` are keys of the fixed words."""
        self.line(self.say(title))
        if not rows:
            self.line(f"  {self.say('nothing_here')}")
            return
        table = Table(box=None, pad_edge=True, header_style="bold")
        for heading in headings:
            table.add_column(self.say(heading), overflow="fold")
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        self.out.print(table)


def moment(at: datetime | None) -> str:
    """A time as people read it, to the second, in the zone of the settings and with its name."""
    return "" if at is None else at.astimezone(_ZONE.get()).strftime("%Y-%m-%d %H:%M:%S %Z")


def actor() -> str:
    """Who is at the command line, for the audit log."""
    with contextlib.suppress(OSError, KeyError, ImportError):
        return f"cli:{getpass.getuser()}"
    return "cli"


def run(work: Callable[[Session], Coroutine[Any, Any, int | None]], *, logs: bool = False) -> None:
    """Carry out a command and leave with its exit code. Expected failures are one block of text, never a traceback.

    `logs`: the command is a service and logs as the settings say; others only warn.
    """
    say = Words(language_before_settings())
    try:
        settings = load_settings(os.environ)
        say = Words(settings.language)
        _ZONE.set(settings.timezone)
        level = settings.log_level if logs or settings.log_level == "error" else "warning"
        configure_logs(level, settings.log_format if logs else "console")
        code = _loop(work(Session(settings, say)))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:
        if not explain(error, say):
            raise
        raise typer.Exit(int(_exit_code(error))) from None
    raise typer.Exit(int(code or Exit.DONE))


def _loop(work: Coroutine[Any, Any, int | None]) -> int | None:
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    return uvloop.run(work)


def language_before_settings() -> Language:
    """Which language to speak where the settings were not read, or cannot be."""
    return "en" if os.environ.get(f"{PREFIX}LANGUAGE", "").lower() == "en" else "ja"


def _exit_code(error: Exception) -> Exit:
    if isinstance(error, Failure):
        return error.exit_code
    return Exit.REFUSED if isinstance(error, RefusedByRule) else Exit.FAILED


def explain(error: Exception, say: Words) -> bool:
    """Print an expected failure as one block; False for an unexpected one, which is a bug and keeps its traceback."""
    blocks = _blocks(error, say)
    console = _console(stderr=True)
    for code, text in blocks:
        title = say("refused") if _exit_code(error) is Exit.REFUSED else say("error")
        console.print(f"{title} {code}", style="bold red")
        for line in redact_text(text).splitlines():
            console.print(f"  {line}", soft_wrap=True)
    return bool(blocks)


def _blocks(error: Exception, say: Words) -> list[tuple[str, str]]:
    match error:
        case RefusedByRule():
            return [(error.code, say.either(error.japanese or str(error), str(error)))]
        case Failure():
            return [(error.code, str(error))]
        case ConfigErrors():
            texts = [(each.code, say.either(each.japanese, str(each))) for each in error.errors]
            return [(code, text.removesuffix(f" [{code}]")) for code, text in texts]
        case ApplyFailed():
            return [(problem.code, _applied(problem, say)) for problem in error.problems]
        case RetryLater():
            return [(error.code, f"{say('busy')} {told(error, say)[0]}")]
        case Broken() | InvalidSettings():
            message, remedy = told(error, say)
            return [(error.code, f"{message}\n{say('remedy')}: {remedy}")]
        case PartnerError():
            return [(error.code, told(error, say)[0])]
        case NoSuch():
            return [("IS-CLI-001", say.either(error.japanese, str(error)))]
        case SettingsError():
            return [("IS-ENV-001", say.either(error.japanese, str(error)))]
        case SecretsError():
            return [("IS-SEC-001", str(error))]
        case MigrationError():
            return [("IS-DB-002", str(error))]
        case EmbeddedError():
            return [("IS-DB-003", str(error))]
        case asyncpg.PostgresError() | asyncpg.InterfaceError() | OSError() | TimeoutError():
            return [("IS-DB-001", say("database_away", reason=str(error) or type(error).__name__))]
        case _:
            return _service_blocks(error)


def _applied(problem: Problem, say: Words) -> str:
    """Why a configuration cannot be applied, in the language."""
    subject = say.either(problem.subject_ja, problem.subject)
    message, remedy = problem.message, problem.remedy
    if say.language == "ja" and problem.message_ja:
        message, remedy = problem.message_ja, problem.remedy_ja
    elif say.language == "ja":
        from inventory_sync.cli import partners

        message, remedy = partners.told("ja", problem.code, message, problem.remedy_ja or remedy)
    return f"{subject}: {message}\n{say('remedy')}: {remedy}"


def told(error: PartnerError, say: Words) -> tuple[str, str]:
    """What a partner's problem is and what to do, in the language; what is said of a row of a file stays as it
    is."""
    from inventory_sync.cli import partners

    remedy = str(getattr(error, "remedy", ""))
    if isinstance(error, InvalidSettings):
        return say.either(error.message_ja, error.message), say.either(error.remedy_ja, error.remedy)
    if isinstance(error, FileRefused):
        return error.message, remedy
    return partners.told(say.language, error.code, error.message, remedy)


def _service_blocks(error: Exception) -> list[tuple[str, str]]:
    from inventory_sync.service import CannotStart

    return [("IS-DB-004", str(error))] if isinstance(error, CannotStart) else []


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """The database that the settings name, ready for the service layer."""
    from inventory_sync import service

    async with service.open_house(settings) as house:
        yield house
