"""What can be wrong with any line of the file, whatever it says: each in English and Japanese, with what to do.

What is wrong with one certain setting is said where that setting is read. Sentences end without a full stop, remedies
with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from inventory_sync.config.errors import ConfigCode
from inventory_sync.systems.problem import Problem

HARMLESS_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
"""What looks like a key, and may be shown: anything else may be a secret in the wrong place."""

SIDES_JA = {"ledger": "在庫台帳", "channel": "販売チャネル"}
"""What the two sides of a route are called in Japanese."""

EMPTY_FILE = Problem(
    ConfigCode.MISSING,
    "there is nothing in this file",
    "このファイルには何も書かれていません",
    "Write `connections:` and `routes:`; an intended nothing is written as `connections: {}`.",
    "`connections:` と `routes:` を書いてください。何も設定しない場合は `connections: {}` と書きます。",
)
NOT_UTF8 = Problem(
    ConfigCode.UNREADABLE,
    "the file is not UTF-8 text",
    "ファイルが UTF-8 のテキストではありません",
    "Save it as UTF-8.",
    "UTF-8 で保存し直してください。",
)
TAB = Problem(
    ConfigCode.TAB,
    "there is a tab in the indentation",
    "字下げにタブが使われています",
    "Indent with spaces only.",
    "字下げには半角スペースだけを使ってください。",
)
ANCHOR = Problem(
    ConfigCode.YAML_FEATURE,
    "anchors (&) and aliases (*) have no meaning here",
    "アンカー(&)とエイリアス(*)は使えません",
    "Write the value out where it belongs.",
    "値をその場所にそのまま書いてください。",
)
TAG = Problem(
    ConfigCode.YAML_FEATURE,
    "tags (!) and merge keys (<<) have no meaning here",
    "タグ(!)とマージキー(<<)は使えません",
    "Write the plain value.",
    "値だけをそのまま書いてください。",
)
NOT_A_GROUP = Problem(
    ConfigCode.WRONG_TYPE,
    "a group of `key: value` lines belongs here",
    "ここには `キー: 値` の行のまとまりを書きます",
    "Indent the lines below it, and put a blank after each colon.",
    "下の行を字下げし、コロンの後に半角スペースを入れてください。",
)
NOT_A_KEY = Problem(
    ConfigCode.WRONG_TYPE,
    "a key is a plain word",
    "キーには単語を一つだけ書きます",
    "Write `key: value`.",
    "`キー: 値` の形で書いてください。",
)
NOT_A_LIST = Problem(
    ConfigCode.WRONG_TYPE,
    "a list belongs here",
    "ここには一覧を書きます",
    "Write [one, two], or one line `- …` for each.",
    "[値1, 値2] と書くか、値ごとに `- …` の行を書いてください。",
)
NOT_ONE_VALUE = Problem(
    ConfigCode.WRONG_TYPE,
    "a single value belongs here",
    "ここには値を一つだけ書きます",
    "Write `key: value`.",
    "`キー: 値` の形で書いてください。",
)
NO_VALUE = Problem(
    ConfigCode.MISSING,
    "there is no value",
    "値がありません",
    "Write one behind the colon, or leave the line out.",
    "コロンの後に値を書くか、この行を削除してください。",
)
NOT_A_VARIABLE = Problem(
    ConfigCode.ENVIRONMENT,
    "`${` does not begin the name of a variable",
    "`${` の後が環境変数の名前になっていません",
    "Write ${NAME}; where the two characters are meant, write $${.",
    "${変数名} の形で書いてください。「${」という文字そのものを書く場合は $${ と書きます。",
)


def not_readable(error: OSError) -> tuple[str, str]:
    """Why a file cannot be read, in English and Japanese."""
    if isinstance(error, FileNotFoundError):
        japanese = "ファイルがありません"
    elif isinstance(error, PermissionError):
        japanese = "ファイルを読む権限がありません"
    elif isinstance(error, IsADirectoryError):
        japanese = "ファイルではなくディレクトリです"
    else:
        japanese = "ファイルを読み取れません(入出力エラー)"
    return f"the file cannot be read: {error.strerror or 'input/output error'}", japanese


def not_yaml(english: str, japanese: str) -> Problem:
    """The text is no YAML, and why."""
    return Problem(
        ConfigCode.NOT_YAML,
        f"this is not readable as YAML: {english}",
        f"YAML として読み取れません({japanese})",
        "Check the indentation, the colons and the quotes here and on the line before.",
        "この行と前の行の字下げ、コロン、引用符を確認してください。",
    )


def suggesting(near: str | None, english: str, japanese: str) -> tuple[str, str]:
    """A remedy in English and Japanese, with the nearest known word before it where there is one.

    >>> suggesting("till", "Known: till.", "")[0]
    "Did you mean 'till'? Known: till."
    """
    if near is None:
        return english, japanese
    return f"Did you mean {near!r}? {english}".rstrip(), f"「{near}」の間違いではありませんか。{japanese}"


def key_stands_twice(key: str, line: int) -> Problem:
    """A key that was already on another line."""
    en, ja = _key_words(key)
    return Problem(
        ConfigCode.DUPLICATE_KEY,
        f"{en} stands here and already on line {line}",
        f"{ja}が {line} 行目にもあります",
        "Keep one of the two.",
        "どちらか一つだけを残してください。",
    )


def unknown_key(key: str, near: str | None, known: Iterable[str]) -> Problem:
    """A key that nothing here is called by, with the nearest that there is, or all of them."""
    en, ja = _key_words(key)
    listed = ", ".join(known)
    remedy = ("", "") if near else (f"Known: {listed}.", f"使えるキー: {listed}。")
    return Problem(
        ConfigCode.UNKNOWN_KEY, f"{en} is not known here", f"{ja}はここでは使えません", *suggesting(near, *remedy)
    )


def unknown_word(word: str, near: str | None, allowed: Iterable[str]) -> Problem:
    """A word that is none of the allowed ones; shown only if it looks like a word."""
    shown = HARMLESS_KEY.fullmatch(word) is not None
    listed = ", ".join(allowed)
    return Problem(
        ConfigCode.NOT_ALLOWED,
        f"{repr(word) if shown else 'this'} is not one of the words that belong here",
        f"{f'「{word}」' if shown else 'この語'}はここでは使えません",
        *suggesting(near, f"Allowed: {listed}.", f"使える語: {listed}。"),
    )


def variable_not_set(name: str, near: str | None) -> Problem:
    """An environment variable that is not there, with the nearest that is."""
    return Problem(
        ConfigCode.ENVIRONMENT,
        f"the environment variable {name} is not set",
        f"環境変数 {name} が設定されていません",
        f"Set it, or did you mean {near}?" if near else "Set it.",
        f"設定してください。または、{near} の間違いではありませんか。" if near else "設定してから実行してください。",
    )


def not_whole(largest: int) -> Problem:
    """Something else than a whole number."""
    return Problem(
        ConfigCode.WRONG_TYPE,
        "this is not a whole number",
        "整数ではありません",
        f"Write a whole number from 0 to {largest}, digits only.",
        f"0 から {largest} までの整数を、半角数字だけで書いてください。",
    )


def out_of_range(largest: int) -> Problem:
    """A whole number that is too large, or below 0."""
    return Problem(
        ConfigCode.OUT_OF_RANGE,
        "this number is out of range",
        "数値が範囲外です",
        f"Write a whole number from 0 to {largest}.",
        f"0 から {largest} までの整数を書いてください。",
    )


def empty_list(english: str, japanese: str) -> Problem:
    """A list with nothing in it, and the remedy."""
    return Problem(ConfigCode.MISSING, "the list is empty", "一覧が空です", english, japanese)


def _key_words(key: str) -> tuple[str, str]:
    """A key as it may stand in a message: only if it looks like a key, for it may be a secret in the wrong place."""
    return (f"{key!r}", f"キー「{key}」") if HARMLESS_KEY.fullmatch(key) else ("this key", "このキー")
