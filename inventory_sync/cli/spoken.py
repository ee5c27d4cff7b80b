"""The command line in the reader's language: its help and what it says of a wrong call, in one place for all commands.

Commands are documented in English where they are defined; `COMMANDS` and `PARAMETERS` hold the Japanese of each line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from inventory_sync.cli.help_commands import COMMANDS
from inventory_sync.cli.help_parameters import PARAMETERS
from inventory_sync.cli.shell import language_before_settings


class JapaneseContext(typer.Context):
    """One call of a command, whose help is a page in Japanese."""

    def make_formatter(self) -> Any:
        """The page that the command's help is written on."""
        from inventory_sync.cli.help_page import Page

        return Page()


class Spoken(TyperGroup):
    """The whole command line, in the language of the environment. An unknown one is told by the settings, not here."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Carry a call out, and end with its exit code; what was called wrongly is told in the same language."""

        def carried_out(alone: bool) -> Any:
            return super(Spoken, self).main(args, prog_name, complete_var, alone, windows_expand_args, **extra)

        if language_before_settings() == "en":
            return carried_out(standalone_mode)
        translate(self)
        return _told_in_japanese(carried_out) if standalone_mode else carried_out(False)


def translate(command: Any) -> None:
    """Give a command, its parameters and all commands below it their Japanese help."""
    command.help = "\n".join(COMMANDS.get(line, line) for line in (command.help or "").split("\n"))
    command.short_help = command.help.split("\n")[0].split("。")[0]
    command.options_metavar = "[オプション]"
    command.context_class = JapaneseContext
    for parameter in command.params:
        parameter.help = PARAMETERS.get(parameter.help, parameter.help)
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = "コマンド [引数]..."
        for each in command.commands.values():
            translate(each)


def _told_in_japanese(carried_out: Callable[[bool], Any]) -> Any:
    try:
        code = carried_out(False)
    except typer.Abort:
        typer.echo("中止しました。", err=True)
        sys.exit(1)
    except typer.TyperException as error:
        typer.echo(_wrong_call(error), err=True)
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _wrong_call(error: typer.TyperException) -> str:
    from inventory_sync.cli.usage_texts import in_japanese

    context = getattr(error, "ctx", None)
    message = error.format_message()
    if context is None:
        return f"エラー: {in_japanese(message)}"
    if message == context.get_help():
        return message
    usage, path = context.get_usage(), context.command_path
    return f"{usage}\n'{path} --help' で説明を表示します。\n\nエラー: {in_japanese(message)}"
