"""Help and wrong calls speak the language of the environment: every command, argument and option in both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len
from typer.main import get_command
from typer.testing import CliRunner, Result

from inventory_sync.cli.help_commands import COMMANDS
from inventory_sync.cli.help_page import Page, wrapped
from inventory_sync.cli.help_parameters import PARAMETERS
from inventory_sync.cli.main import app
from inventory_sync.cli.spoken import translate

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
LEFT_ENGLISH = re.compile(r"Usage|Options:|Commands:|Arguments:|default:|required|Show this|<str>|<int|<float|<file>")


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, *path, name)


def pages(language: str) -> dict[tuple[str, ...], str]:
    """Every command's help, as `--help` prints it."""
    root = get_command(app)
    if language == "ja":
        translate(root)
    found = {}
    above: dict[tuple[str, ...], Any] = {}
    for path, command in commands(root):
        name = path[-1] if path else "inventory-sync"
        above[path] = command.context_class(command, info_name=name, parent=above.get(path[:-1]) if path else None)
        found[path] = command.get_help(above[path])
    return found


def call(*words: str, language: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), env={"INVENTORY_SYNC_LANGUAGE": language})


def test_every_command_has_help_in_both_languages() -> None:
    japanese, english = pages("ja"), pages("en")
    assert len(japanese) > 90

    for path, page in japanese.items():
        assert page.startswith(f"使い方: {' '.join(('inventory-sync', *path))} [オプション]")
        assert not LEFT_ENGLISH.search(page), page
        assert all(cell_len(line) <= 80 for line in page.splitlines() if "|" not in line), page
    for page in english.values():
        assert page.startswith("Usage: ")
        assert not JAPANESE.search(page)


@pytest.mark.parametrize("words", ["", "route", "connection add", "ledger keys create"])
def test_help_is_printed_in_both_languages_and_the_exit_code_is_0(words: str) -> None:
    for language in ("ja", "en"):
        found = call(*words.split(), "--help", language=language)
        assert (found.exit_code, found.stderr) == (0, "")
        assert bool(JAPANESE.search(found.stdout)) == (language == "ja")
    assert call(*words.split(), "--help").stdout.rstrip() == pages("ja")[tuple(words.split())]


def test_every_sentence_of_help_has_its_japanese_and_none_is_kept_that_nothing_says() -> None:
    found = [command for _, command in commands(get_command(app))]
    lines = {line for command in found for line in (command.help or "").split("\n") if line}
    meanings = {parameter.help for command in found for parameter in command.params}

    assert lines == set(COMMANDS)
    assert meanings == set(PARAMETERS)
    assert all(JAPANESE.search(each) for each in (*COMMANDS.values(), *PARAMETERS.values()))


def test_every_command_and_option_has_help_and_a_summary_of_one_sentence_in_japanese() -> None:
    root = get_command(app)
    translate(root)
    for path, command in commands(root):
        assert JAPANESE.search(command.help), path
        assert JAPANESE.search(command.short_help), path
        for parameter in command.params:
            assert JAPANESE.search(parameter.help), (path, parameter.name)


def test_options_and_commands_are_named_alike_in_both_languages() -> None:
    names = re.compile(r"^  (--?[a-z][\w-]*|[a-z][\w-]*(?=  ))", re.MULTILINE)
    japanese, english = pages("ja"), pages("en")
    for path, page in english.items():
        named = names.findall(page.split("Options:")[1])
        assert named[-1] == "--help" or "Commands:" in page
        assert names.findall(japanese[path].split("オプション:")[1]) == named, path


@pytest.mark.parametrize("language", [None, "ja", "fr", ""])
def test_help_is_japanese_unless_english_is_asked_for_and_no_setting_makes_it_crash(language: str | None) -> None:
    found = call("--help", language=language)
    assert (found.exit_code, found.stdout[:4]) == (0, "使い方:")


def test_a_group_without_a_command_shows_its_help() -> None:
    japanese, english = call("route", language="ja"), call("route", language="en")
    assert (japanese.exit_code, english.exit_code) == (2, 2)
    assert japanese.output.startswith("使い方: inventory-sync route")
    assert "エラー" not in japanese.output
    assert english.output.startswith("Usage: inventory-sync route")


def test_the_version_is_printed_and_that_is_all() -> None:
    for language in ("ja", "en"):
        found = call("--version", language=language)
        assert (found.exit_code, found.output.split()[0]) == (0, "inventory-sync")


WRONG = {
    "rute": ("rute というコマンドはありません。もしかして: route", "No such command 'rute'. Did you mean 'route'?"),
    "zzzz": ("zzzz というコマンドはありません。", "No such command 'zzzz'."),
    "explain": ("引数 'SKU' を指定してください。", "Missing argument 'SKU'."),
    "route push till-stall": (
        "オプション '--from' を指定してください。選べる値: ledger、channel",
        "Missing option '--from'. Choose from:",
    ),
    "run list --limti 3": (
        "--limti というオプションはありません。もしかして: --limit",
        "No such option: --limti (Possible options: --limit)",
    ),
    "run list --zzzz": ("--zzzz というオプションはありません。", "No such option: --zzzz"),
    "run list --limit": ("オプション '--limit' に値を指定してください。", "Option '--limit' requires an argument."),
    "run list --json=3": ("オプション '--json' に値は指定できません。", "Option '--json' does not take a value."),
    "run list 3 4": ("引数が多すぎます: 3 4", "Got unexpected extra argument(s) (3 4)"),
    "run list --limit x": (
        "'--limit' の値が正しくありません: 整数で指定してください。",
        "Invalid value for '--limit': Input should be a valid integer",
    ),
    "run list --limit 0": (
        "'--limit' の値が正しくありません: 1 以上で指定してください。",
        "Invalid value for '--limit': Input should be greater than or equal to 1",
    ),
    "run list --limit 10001": (
        "'--limit' の値が正しくありません: 10000 以下で指定してください。",
        "Invalid value for '--limit': Input should be less than or equal to 10000",
    ),
    "setup --wait x": (
        "'--wait' の値が正しくありません: 数値で指定してください。",
        "Invalid value for '--wait': Input should be a valid number",
    ),
    "route push till-stall --from x": (
        "'--from' の値が正しくありません: 'x' は使えません。選べる値: ledger、channel",
        "Invalid value for '--from': Value error, 'x' is not one of 'ledger', 'channel'.",
    ),
    f"demo --keep {__file__}": (
        f"'--keep' の値が正しくありません: '{__file__}' はファイルです。",
        f"Invalid value for '--keep': dir '{__file__}' is a file.",
    ),
    "demo --for 1x": (
        "'--for' の値が正しくありません: 30s、2m、1h のように指定してください。",
        "Invalid value for '--for': write it like 30s, 2m or 1h",
    ),
    "demo --plant x": (
        "'--plant' の値が正しくありません: 'x' は使えません。選べる値: double",
        "Invalid value for '--plant': 'x' is not one of 'double'",
    ),
}


@pytest.mark.parametrize("words", WRONG, ids=lambda words: words.removesuffix(__file__))
def test_a_wrong_call_is_told_in_the_language_with_exit_code_2(words: str) -> None:
    for language, said in zip(("ja", "en"), WRONG[words], strict=True):
        found = call(*words.split(), language=language)
        assert found.exit_code == 2
        assert found.stdout == ""
        begin = {"ja": "エラー: ", "en": "Error: "}[language]
        assert f"{begin}{said}" in found.stderr
        assert bool(JAPANESE.search(found.stderr)) == (language == "ja")


def test_a_wrong_call_shows_how_the_command_is_written_and_where_its_help_is() -> None:
    found = call("route", "show", language="ja").stderr
    assert found.splitlines()[:2] == [
        "使い方: inventory-sync route show [オプション] {name}",
        "'inventory-sync route show --help' で説明を表示します。",
    ]


@pytest.mark.parametrize("width", [10, 24, 50])
def test_wrapped_japanese_keeps_its_words_and_never_begins_a_line_with_a_closing_sign(width: int) -> None:
    text = "台帳の在庫数を、「今すぐ」反映します。`serve` が動いている必要があります (--json)。"
    lines = wrapped(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(line) <= width + 2 for line in lines)
    assert not any(line[0] in "、。」)" for line in lines)


def test_a_narrow_terminal_puts_the_words_of_a_long_command_below_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    page = Page()
    page.write_usage("inventory-sync a-command-of-a-very-long-name", "[オプション] {name}")
    assert page.getvalue().splitlines() == [
        "使い方: inventory-sync a-command-of-a-very-long-name ",
        "    [オプション] {name}",
    ]
