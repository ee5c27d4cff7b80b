"""Whatever bytes come: lines, or a refusal; and nothing that was cut passes for whole."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory_sync.ledger.files.decode import bytes_of, decode
from inventory_sync.ledger.files.parse import ParsedFile, parse
from inventory_sync.ledger.files.problems import FileRefused
from inventory_sync.ledger.files.profile import Encoding, FileProfile
from inventory_sync.ledger.files.table import BrokenTable, fields, unguarded
from tests.ledger.files.files_support import ALL_COLUMNS, profile

ENCODINGS = st.sampled_from(list(Encoding))
PROFILES = st.builds(
    lambda encoding, form, newline, every, negative: profile(
        encoding=encoding,
        format=form,
        final_newline=newline,
        negative=negative,
        columns=ALL_COLUMNS if every else {"sku": "sku", "quantity": "quantity", "location": "location"},
    ),
    ENCODINGS,
    st.sampled_from(["csv", "tsv"]),
    st.sampled_from(["required", "optional"]),
    st.booleans(),
    st.booleans(),
)
WORDS = ["sku", "location", "quantity", "mode", "label", "updated_at", "reference", "A", "白", "～", "1", "-1", "１"]
MARKS = [",", "\t", "\n", "\r\n", "\r", '"', '""', '="', "", " ", "\x00", "\x1b$B", "\x1b(B", "2026-04-01 09:00", "add"]
PIECES = st.sampled_from(WORDS + MARKS)
CODES = st.text(st.sampled_from('AB019 ,"=-靴ー～\n'), min_size=1, max_size=6)
UNITS = st.integers(min_value=0, max_value=999_999_999)
ROWS = st.lists(st.tuples(CODES, UNITS), min_size=1, max_size=6, unique_by=lambda row: row[0])


def written(rows: list[tuple[str, int]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("sku", "location", "quantity"))
    writer.writerows((sku, "main", quantity) for sku, quantity in rows)
    return out.getvalue()


def outcome(data: bytes, using: FileProfile) -> ParsedFile | FileRefused:
    try:
        return parse(data, using, name="any.csv")
    except FileRefused as refused:
        return refused


def check(data: bytes, using: FileProfile) -> None:
    found = outcome(data, using)
    if isinstance(found, FileRefused):
        assert found.problems
        for problem in found.problems:
            assert problem.text("en")
            assert problem.text("ja")
            assert problem.offset is None or 0 <= problem.offset <= len(data)
        assert str(found)


@given(st.binary(max_size=300), PROFILES)
def test_any_bytes_are_lines_or_a_refusal(data: bytes, using: FileProfile) -> None:
    check(data, using)


@given(st.lists(PIECES, max_size=40), PROFILES)
def test_anything_that_looks_like_a_file_is_lines_or_a_refusal(pieces: list[str], using: FileProfile) -> None:
    text = "".join(pieces)
    check(text.encode(using.encoding.value, errors="ignore"), using)
    separator = using.delimiter.character
    header = separator.join(using.columns.named().values())
    check(f"{header}\n{text}\n".encode(using.encoding.value, errors="ignore"), using)


@given(ROWS, ENCODINGS)
def test_what_another_program_writes_is_read_back_exactly(rows: list[tuple[str, int]], encoding: Encoding) -> None:
    try:
        data = written(rows).encode(encoding.value)
    except UnicodeEncodeError:
        return
    found = outcome(data, profile(encoding=encoding))
    expected = [(unguarded(sku), quantity) for sku, quantity in rows]
    if isinstance(found, FileRefused):
        # Two codes became one by taking the guard off.
        assert len({sku for sku, _ in expected}) < len(expected) or "" in {sku for sku, _ in expected}
    else:
        assert [(line.sku, line.quantity) for line in found.lines] == expected


@given(ROWS, ENCODINGS)
@example([("A", 1), ("B", 25)], Encoding.UTF_8)
@example([("靴", 1), ("白", 25)], Encoding.ISO_2022_JP)
def test_a_prefix_of_a_file_is_refused_unless_it_ends_with_a_whole_row(
    rows: list[tuple[str, int]], encoding: Encoding
) -> None:
    try:
        data = written(rows).encode(encoding.value)
    except UnicodeEncodeError:
        return
    whole = outcome(data, profile(encoding=encoding))
    if isinstance(whole, FileRefused):
        return
    for length in range(len(data)):
        found = outcome(data[:length], profile(encoding=encoding))
        if not isinstance(found, FileRefused):
            assert decode(data[:length], encoding).endswith("\n")
            assert found.lines == whole.lines[: len(found.lines)]


@given(ROWS)
def test_where_no_final_line_break_is_declared_only_the_last_row_may_be_cut(rows: list[tuple[str, int]]) -> None:
    data = written(rows).encode()
    whole = outcome(data, profile())
    if isinstance(whole, FileRefused):
        return
    for length in range(len(data)):
        found = outcome(data[:length], profile(final_newline="optional"))
        if not isinstance(found, FileRefused):
            assert found.lines[:-1] == whole.lines[: max(0, len(found.lines) - 1)]
            assert [(line.row, line.sku) for line in found.lines] == [
                (line.row, line.sku) for line in whole.lines[: len(found.lines)]
            ]


@given(st.text(max_size=80), st.sampled_from([e for e in Encoding if e is not Encoding.ISO_2022_JP]), st.data())
def test_the_byte_of_a_character_is_where_it_begins(text: str, encoding: Encoding, data: st.DataObject) -> None:
    try:
        content = text.encode(encoding.value)
    except UnicodeEncodeError:
        return
    try:
        decoded = content.decode(encoding.value)
    except UnicodeDecodeError:
        return
    place = data.draw(st.integers(min_value=0, max_value=len(decoded)))
    offset = bytes_of(content, encoding, [place])[place]
    assert content[:offset].decode(encoding.value, errors="ignore") == decoded[:place]


@given(st.text(st.sampled_from('ab,"\n\r= '), max_size=30))
def test_the_table_reads_what_the_standard_library_reads_or_refuses(text: str) -> None:
    try:
        ours: list[list[str]] = [[]]
        for field in fields(text, profile().delimiter):
            ours[-1].append(field.value)
            if field.ends_row:
                ours.append([])
    except BrokenTable:
        return
    if '="' in text:
        return
    theirs = [row or [""] for row in csv.reader(io.StringIO(text, newline=""), strict=True)]
    assert ours[:-1] == theirs


def test_a_long_file_of_one_open_quote_is_refused_in_one_pass() -> None:
    data = b'sku,location,quantity\n"' + b'""' * 200_000
    with pytest.raises(FileRefused) as caught:
        parse(data, profile(), name="any.csv")
    assert caught.value.problems[0].code == "IS-FIL-003"
