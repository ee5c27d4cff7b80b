"""CSV files beside the configuration are taken whole and exactly, or refused with the line and the column at fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.config import ConfigDocument, ConfigError, ConfigErrors, SetLine, load_document

SETS = "    sets: lists/sets.csv\n"
TABLE = "    match: {table: lists/codes.csv}\n"


class Folder:
    """A configuration file with the CSV files that it names, in a folder that is not the working directory."""

    def __init__(self, directory: Path, config: Any) -> None:
        self.directory, self.config = directory, config
        (directory / "lists").mkdir()

    def write(self, name: str, content: str | bytes) -> None:
        data = content if isinstance(content, bytes) else content.encode()
        (self.directory / "lists" / name).write_bytes(data)

    def load(self, lines: str) -> ConfigDocument:
        path = self.directory / "house.yaml"
        path.write_text(self.config.CONNECTIONS + self.config.ROUTE + lines)
        return load_document(path, self.config.ENVIRON, self.config.SYSTEMS)

    def errors(self, lines: str) -> tuple[ConfigError, ...]:
        with pytest.raises(ConfigErrors) as caught:
            self.load(lines)
        for error in caught.value.errors:
            self.config.told_in_japanese(error)
        return caught.value.errors

    def only_error(self, lines: str) -> ConfigError:
        [found] = self.errors(lines)
        return found


@pytest.fixture
def folder(tmp_path: Path, config: Any) -> Folder:
    return Folder(tmp_path, config)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_code_table_is_read_by_its_headings_with_or_without_a_mark_and_its_values_are_exact(
    folder: Folder, mark: str, end: str
) -> None:
    lines = ["ledger,channel", "A-1, a ", '"B,""2""",ｂ', '="0049",="007"', "", "日本,～"]
    folder.write("codes.csv", mark + end.join(lines) + end)
    assert folder.load(TABLE).routes[0].codes == (
        (" a ", "A-1"),
        ("ｂ", 'B,"2"'),
        ("007", "0049"),
        ("～", "日本"),
    )


def test_sets_are_read_with_their_ratios(folder: Folder) -> None:
    folder.write("sets.csv", "set,component,ratio\nS,A,1\nS,B,2\nSIX,A,6\n")
    assert folder.load(SETS).routes[0].sets == (SetLine("S", "A", 1), SetLine("S", "B", 2), SetLine("SIX", "A", 6))


CODES = "channel,ledger\n"


@pytest.mark.parametrize(
    ("content", "line", "column", "field", "code", "words"),
    [
        ("", 1, 1, "", "IS-CFG-034", "empty"),
        (CODES, 1, 1, "", "IS-CFG-034", "cut"),
        (CODES + "a,A\nb,B", 3, 1, "", "IS-CFG-034", "cut"),
        (CODES + "a,A\nb\n", 3, 1, "", "IS-CFG-034", "cut"),
        (CODES + 'a,A\nb,"B\nc,C\n', 3, 2, "", "IS-CFG-034", "quote"),
        (CODES + 'a,A\nb"b,B\n', 3, 1, "", "IS-CFG-034", "does not belong"),
        (CODES + "a,A\nb,B,C\n", 3, 3, "", "IS-CFG-034", "3 values"),
        (CODES.encode() + b"a,A\n\x82\xa0,B\n", 3, 1, "", "IS-CFG-034", "UTF-8"),
        ("channel,ledgr\na,A\n", 1, 2, "ledgr", "IS-CFG-035", "'ledger'"),
        ("channel,channel,ledger\na,b,A\n", 1, 2, "channel", "IS-CFG-035", "twice"),
        ("channel\na\n", 1, 1, "ledger", "IS-CFG-035", "channel,ledger"),
        (CODES + "a,A\n\n b ,B\na,C\n", 5, 1, "channel", "IS-CFG-036", "already on line 2"),
        (CODES + 'a,"A\nA"\nb,\n', 4, 2, "ledger", "IS-CFG-036", "no value"),
    ],
)
def test_a_code_table_that_is_wrong_is_refused_with_file_line_and_column(
    folder: Folder, content: str | bytes, line: int, column: int, field: str, code: str, words: str
) -> None:
    folder.write("codes.csv", content)
    found = [each for each in folder.errors(TABLE) if each.code == code and each.field == field]
    assert [(each.file, each.line, each.column) for each in found] == [
        (str(folder.directory / "lists" / "codes.csv"), line, column)
    ]
    assert words in f"{found[0].message} {found[0].remedy}"


@pytest.mark.parametrize("ratio", ["0", "-1", "1.5", "two", "1000001", "１", " 1"])
def test_a_ratio_is_a_whole_number_of_units(folder: Folder, ratio: str) -> None:
    folder.write("sets.csv", f"set,component,ratio\nS,A,1\nS,B,{ratio}\n")
    error = folder.only_error(SETS)
    assert (error.line, error.column, error.field, error.code) == (3, 3, "ratio", "IS-CFG-036")


def test_a_component_stands_once_in_a_set(folder: Folder) -> None:
    folder.write("sets.csv", "set,component,ratio\nS,A,1\nT,A,1\nS,A,2\n")
    error = folder.only_error(SETS)
    assert (error.line, error.field, error.code) == (4, "component", "IS-CFG-036")
    assert "already on line 2" in error.message


@pytest.mark.parametrize(("lines", "field"), [(TABLE, "match.table"), (SETS, "sets")])
def test_a_file_that_is_not_there_is_refused_where_it_is_named(folder: Folder, lines: str, field: str) -> None:
    error = folder.only_error(lines)
    assert (error.file, error.line) == (str(folder.directory / "house.yaml"), 15)
    assert (error.field, error.code) == (f"routes.pos-shop.{field}", "IS-CFG-034")


def test_a_folder_is_not_a_file(folder: Folder) -> None:
    assert folder.only_error("    sets: lists\n").code == "IS-CFG-034"


def test_a_code_that_the_table_names_is_no_set(folder: Folder) -> None:
    folder.write("codes.csv", CODES + "S,A\n")
    folder.write("sets.csv", "set,component,ratio\nS,A,2\n")
    error = folder.only_error(TABLE + SETS)
    assert (error.field, error.code) == ("routes.pos-shop.match.table", "IS-CFG-032")
    assert "'S'" in error.message


@pytest.mark.parametrize(
    ("lines", "field", "code"),
    [
        ("    pool: {ledger: ['1', '2'], intake: '1'}\n", "sets", "IS-CFG-032"),
        ("    align: channel_wins\n", "align", "IS-CFG-030"),
    ],
)
def test_what_sets_cannot_go_with_is_refused_with_the_reason(folder: Folder, lines: str, field: str, code: str) -> None:
    folder.write("sets.csv", "set,component,ratio\nS,A,2\n")
    error = folder.only_error(SETS + lines)
    assert (error.field, error.code) == (f"routes.pos-shop.{field}", code)


@given(st.text(st.sampled_from('ab,"\n\r=\0\ufeff '), max_size=30) | st.binary(max_size=30))
def test_no_content_of_a_file_raises_anything_but_config_errors(
    tmp_path_factory: pytest.TempPathFactory, config: Any, content: str | bytes
) -> None:
    folder = Folder(tmp_path_factory.mktemp("table"), config)
    body = content if isinstance(content, bytes) else content.encode()
    folder.write("codes.csv", CODES.encode() + body)
    try:
        found = folder.load(TABLE).routes[0].codes
    except ConfigErrors as refused:
        problems = refused.errors
        found = ()
    else:
        problems = ()
    assert bool(found) != bool(problems), "the file is taken or refused"
    assert all(each.remedy and each.line >= 1 for each in problems)
    assert len({channel for channel, _ in found}) == len(found)
