"""Whatever is wrong in a configuration file is said in Japanese and in English, with the same figures."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

import inventory_sync
from inventory_sync.config import ConfigErrors, load_document
from inventory_sync.systems import registry
from inventory_sync.systems.errors import InvalidSettings, WrongValue
from inventory_sync.systems.settings_words import JAPANESE, words_of

ROOT = Path(inventory_sync.__file__).parent
WRITTEN = re.compile("[ぁ-んァ-ヶ一-龠]")

IN_JAPANESE: dict[str, tuple[int | str, ...]] = {
    "Problem": (2, 4),
    "WrongValue": (1,),
    "InvalidSettings": ("message_ja", "remedy_ja"),
    "ProfileError": (1,),
    "SettingsError": (1,),
}
"""What is said in both languages, and which arguments are the Japanese ones: by their place, or by their name."""


def made() -> Iterator[tuple[str, ast.Call]]:
    """Every place that says such a thing, with its file and line."""
    for path in sorted(ROOT.rglob("*.py")):
        of_the_file = path.parent.name == "config"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or name_of(node) not in IN_JAPANESE:
                continue
            if of_the_file or name_of(node) != "Problem":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


FOUND = dict(made())


@pytest.mark.parametrize(
    ("name", "least"),
    [("Problem", 60), ("WrongValue", 35), ("InvalidSettings", 8), ("ProfileError", 8), ("SettingsError", 3)],
)
def test_there_are_such_places(name: str, least: int) -> None:
    assert sum(name_of(call) == name for call in FOUND.values()) >= least


@pytest.mark.parametrize("place", FOUND)
def test_what_is_wrong_with_a_file_is_said_in_japanese(place: str) -> None:
    call = FOUND[place]
    named = {word.arg: word.value for word in call.keywords}
    spread = any(isinstance(each, ast.Starred) for each in call.args)  # pairs of texts: read in the tests of the files
    for where in IN_JAPANESE[name_of(call)]:
        if isinstance(where, str):
            assert where in named, f"{place} says nothing in Japanese"
            text: ast.expr = named[where]
        elif spread:
            continue
        else:
            assert len(call.args) > where, f"{place} says nothing in Japanese"
            text = call.args[where]
        literal = isinstance(text, ast.Constant | ast.JoinedStr)
        assert not literal or WRITTEN.search(ast.unparse(text)), f"{place}: {ast.unparse(text)}"


@pytest.mark.parametrize("path", sorted((ROOT / "systems").glob("*/settings.py")), ids=lambda path: path.parent.name)
def test_no_system_of_ours_refuses_a_setting_in_english_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            assert name_of(node.exc) in ("WrongValue", "InvalidSettings"), f"{path}:{node.lineno}"


WRONG: tuple[Any, ...] = ("", " x ", "x/y z", "-1", "99999999999", "nan", None, True, 5, [], ["x"], {}, {"x": {"y": 1}})


@pytest.mark.parametrize("definition", registry.load(), ids=lambda definition: definition.name)
def test_nothing_that_a_setting_can_be_refused_for_is_without_words_of_its_own(definition: Any) -> None:
    kinds = set()
    for name in definition.settings.model_fields:
        for value in WRONG:
            try:
                definition.settings.model_validate({name: value})
            except InvalidSettings:
                continue
            except ValidationError as refusal:
                for error in refusal.errors(include_url=False, include_input=False):
                    kinds.add(error["type"])
                    raised = error.get("ctx", {}).get("error")
                    assert error["type"] in JAPANESE or isinstance(raised, WrongValue), (name, value, error)
                    english, japanese = words_of(error)
                    assert WRITTEN.search(japanese), (name, value, error)
                    assert not {"{", "}"} & set(japanese.replace("{1,40}", "")), (name, value, japanese)
                    assert english
    assert len(kinds) >= 3


class Figures(BaseModel):
    """Every limit that a settings model of another author may set."""

    least: Annotated[int, Field(ge=3)] = 3
    most: Annotated[float, Field(le=2.5)] = 1
    above: Annotated[int, Field(gt=0)] = 1
    below: Annotated[float, Field(lt=7)] = 1
    mode: Literal["live", "sandbox", 3] = "live"
    code: Annotated[str, Field(min_length=4, max_length=6)] = "abcd"
    shape: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    on: bool = True
    keys: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)


@pytest.mark.parametrize(
    ("field", "value", "japanese"),
    [
        ("least", "2", "3 以上の数値を書いてください"),
        ("least", "two", "ここには整数を書きます(半角数字だけ)"),
        ("most", 3, "2.5 以下の数値を書いてください"),
        ("above", 0, "0 より大きい数値を書いてください"),
        ("below", 8, "7 より小さい数値を書いてください"),
        ("mode", "life", "次のいずれかを書いてください: live、sandbox、3"),
        ("code", "abc", "4 文字以上で書いてください"),
        ("code", "abcdefg", "6 文字以内で書いてください"),
        ("shape", "A", "使えない文字があるか、長さが違います(使える形: ^[a-z]+$)"),
        ("on", "perhaps", "ここには true か false を書きます"),
        ("keys", 5, "ここには一覧を書きます([値1, 値2] の形)"),
        ("keys", [], "1 個以上の値を書いてください"),
    ],
)
def test_a_limit_is_told_with_its_figure_and_never_with_the_value(field: str, value: Any, japanese: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Figures.model_validate({field: value})
    [error] = caught.value.errors(include_url=False, include_input=False)
    assert words_of(error)[1] == japanese


def test_a_kind_of_error_without_words_and_another_authors_reason_are_told_all_the_same() -> None:
    unknown: Any = {"type": "is_instance_of", "loc": (), "msg": "Input should be an instance of X", "input": None}
    assert words_of(unknown)[1] == "この値は、この設定が受け付ける形ではありません(input should be an instance of X)"
    short: Any = {"type": "less_than_equal", "loc": (), "msg": "Input should be less", "input": None}
    assert words_of(short)[1] == "この値は、この設定が受け付ける形ではありません(input should be less)"
    theirs: Any = {"type": "value_error", "loc": (), "msg": "Value error, Write it in full.", "input": None}
    assert words_of(theirs) == ("write it in full", "この値は使えません(write it in full)")


@pytest.mark.parametrize(
    ("text", "japanese"),
    [
        (
            "connections: {}\nroutse: {}\n",
            "<text>:2:1: routse: キー「routse」はここでは使えません。「routes」の間違いではありませんか。 [IS-CFG-015]",
        ),
        (
            "connections: {}\n\troutes: {}\n",
            "<text>:2:1: 字下げにタブが使われています。字下げには半角スペースだけを使ってください。 [IS-CFG-012]",
        ),
        (
            "connections:\n  pos: {system: tell}\n",
            "<text>:2:17: connections.pos.system: この名前のシステムはありません。「till」の間違いではありませんか。"
            "使えるシステム: till, stall, both, depot, kiosk, counter。 [IS-CFG-002]",
        ),
    ],
)
def test_the_place_and_the_code_stay_and_the_words_are_japanese(config: Any, text: str, japanese: str) -> None:
    assert config.only_error(text).japanese == japanese


def test_all_problems_are_told_in_japanese_in_the_order_of_the_file(config: Any) -> None:
    with pytest.raises(ConfigErrors) as caught:
        config.load("connection: {}\nroute: {}\n")
    first, second = caught.value.japanese.splitlines()
    assert first.startswith("<text>:1:1: connection: ")
    assert second.startswith("<text>:2:1: route: ")


def test_why_a_file_cannot_be_read_is_told_in_japanese(config: Any, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    reasons = {
        tmp_path / "none": "ファイルがありません",
        tmp_path / "binary": "UTF-8",
        tmp_path: "ディレクトリ",
    }
    for path, reason in reasons.items():
        with pytest.raises(ConfigErrors) as caught:
            load_document(path, config.ENVIRON, config.SYSTEMS)
        assert reason in caught.value.japanese
