"""What is wrong with a call of the command line, in Japanese: what typer says of it, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Callable

_Told = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def _names(text: str) -> str:
    return "、".join(each.strip(" \t\n'") for each in text.split(","))


def _missing(found: re.Match[str]) -> str:
    what = "引数" if found["what"] == "argument" else "オプション"
    told = f"{what} {found['name']} を指定してください。"
    return told + (f"選べる値: {_names(found['choices'])}" if found["choices"] else "")


def _unknown(found: re.Match[str], what: str) -> str:
    told = f"{found['name']} という{what}はありません。"
    return told + (f"もしかして: {_names(found['near'])}" if found["near"] else "")


_SENTENCES: tuple[_Told, ...] = tuple(
    (re.compile(pattern, re.DOTALL), told)
    for pattern, told in (
        (r"Missing (?P<what>argument|option) (?P<name>'.+?')\.(?:\s*Choose from:(?P<choices>.+))?", _missing),
        (r"Missing command\.", lambda _: "コマンドを指定してください。"),
        (
            r"No such option: (?P<name>\S+)(?: \(Possible options: (?P<near>.+)\))?",
            lambda found: _unknown(found, "オプション"),
        ),
        (
            r"No such command '(?P<name>.*?)'\.?(?: Did you mean (?P<near>.+)\?)?",
            lambda found: _unknown(found, "コマンド"),
        ),
        (r"Got unexpected extra argument(?:\(s\)|s)? \((.*)\)", lambda found: f"引数が多すぎます: {found[1]}"),
        (r"Option ('.+?') requires an argument\.", lambda found: f"オプション {found[1]} に値を指定してください。"),
        (r"Option ('.+?') does not take a value\.", lambda found: f"オプション {found[1]} に値は指定できません。"),
        (
            r"Invalid value for (?P<name>'.+?'): (?P<why>.+)",
            lambda found: f"{found['name']} の値が正しくありません: {in_japanese(found['why'])}",
        ),
        (r"Invalid value: (.+)", lambda found: f"値が正しくありません: {in_japanese(found[1])}"),
        (r"Input should be a valid integer\b.*", lambda _: "整数で指定してください。"),
        (r"Input should be a valid number\b.*", lambda _: "数値で指定してください。"),
        (r"Input should be greater than or equal to (\S+)", lambda found: f"{found[1]} 以上で指定してください。"),
        (r"Input should be less than or equal to (\S+)", lambda found: f"{found[1]} 以下で指定してください。"),
        (
            r"(?:Value error, )?'(.*)' is not one of (.+?)\.?",
            lambda found: f"'{found[1]}' は使えません。選べる値: {_names(found[2])}",
        ),
        (r"(?i:file|dir|path) (.+) does not exist\.", lambda found: f"{found[1]} はありません。"),
        (r"(?i:file|dir|path) (.+) is a file\.", lambda found: f"{found[1]} はファイルです。"),
        (r"(?i:file|dir|path) (.+) is a directory\.", lambda found: f"{found[1]} はフォルダーです。"),
        (r"(?i:file|dir|path) (.+) is not readable\.", lambda found: f"{found[1]} を読み取れません。"),
        (r"(?i:file|dir|path) (.+) is not writable\.", lambda found: f"{found[1]} に書き込めません。"),
        ("write it like 30s, 2m or 1h", lambda _: "30s、2m、1h のように指定してください。"),
    )
)


def in_japanese(message: str) -> str:
    """The same in Japanese; a sentence that is not known here stays as it is.

    >>> in_japanese("Missing argument 'name'.")
    "引数 'name' を指定してください。"
    """
    for pattern, told in _SENTENCES:
        found = pattern.fullmatch(message)
        if found is not None:
            return told(found)
    return message
