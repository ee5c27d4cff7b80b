"""What a stock file says, or where exactly it breaks its declared form."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inventory_sync.ledger.files import parse as parsing
from inventory_sync.ledger.files.profile import Mode
from tests.ledger.files.files_support import ALL_COLUMNS, HEADER, NOON, lines, problem, profile, read, refusal


def test_a_plain_file_says_what_it_says() -> None:
    assert lines(HEADER + 'A-1,main,3\n"B ""x"", y",back,0\n') == [("A-1", "main", 3), ('B "x", y', "back", 0)]


def test_row_numbers_count_the_header_as_row_one() -> None:
    assert [line.row for line in read(HEADER + "A,main,1\nB,main,2\n").lines] == [2, 3]


def test_line_breaks_of_windows_and_blank_lines_at_the_end_change_nothing() -> None:
    assert lines("sku,location,quantity\r\nA,main,1\r\n\r\n\n") == [("A", "main", 1)]


def test_columns_are_found_by_name_and_others_are_left_alone() -> None:
    using = profile(columns={"sku": "品番", "quantity": "在庫数"}, location="tokyo")
    assert lines("在庫数,備考,品番\n7,=1+1,A-1\n", using) == [("A-1", "tokyo", 7)]


def test_tab_separated_files_know_no_quotes() -> None:
    using = profile(format="tsv")
    assert lines('sku\tlocation\tquantity\n"A"\tmain\t1\n', using) == [('"A"', "main", 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc-jp", "utf-16", "iso-2022-jp"])
def test_every_declared_encoding_is_read_exactly(encoding: str) -> None:
    text = HEADER + "白シャツ,倉庫,12\n"
    assert lines(text.encode(encoding), profile(encoding=encoding)) == [("白シャツ", "倉庫", 12)]


@pytest.mark.parametrize(
    ("encoding", "damaged", "row", "column", "offset"),
    [
        ("utf-8", HEADER.encode() + b"A,ma\xffin,1\n", 2, "2", 26),
        ("cp932", HEADER.encode() + "白,本店,1\n".encode("cp932") + b"B,\x80,1\n", 3, "2", 34),
        ("cp932", HEADER.encode() + b"A,\x81", 2, "2", 24),
        ("euc-jp", HEADER.encode() + b"A,\xb0\x20,1\n", 2, "2", 24),
        ("iso-2022-jp", HEADER.encode() + b"A,\x1b$B0\n,1\n", 2, "2", 27),
        ("utf-16", (HEADER + "A").encode("utf-16-le").join([b"\xff\xfe", b"\x00"]), 2, "1", 48),
    ],
)
def test_one_undecodable_byte_refuses_the_whole_file_and_is_named(
    encoding: str, damaged: bytes, row: int, column: str, offset: int
) -> None:
    found = problem(damaged, profile(encoding=encoding))
    assert (found.code, found.row, found.column, found.offset) == ("IS-FIL-001", row, column, offset)
    assert encoding in found.text("en")
    assert encoding in found.text("ja")


def test_a_file_cut_inside_japanese_text_of_iso_2022_jp_is_refused() -> None:
    whole = (HEADER + "白,main,1\n").encode("iso-2022-jp")
    cut = whole[: whole.index(b"\x1b(B")]
    assert problem(cut, profile(encoding="iso-2022-jp")).code == "IS-FIL-001"


@pytest.mark.parametrize(
    ("declared", "really", "instead"),
    [("utf-8", "utf-8-sig", "utf-8-sig"), ("utf-8-sig", "utf-16", "utf-16"), ("cp932", "utf-8-sig", "utf-8-sig")],
)
def test_a_byte_order_mark_against_the_declaration_is_never_silently_obeyed(
    declared: str, really: str, instead: str
) -> None:
    found = problem((HEADER + "A,main,1\n").encode(really), profile(encoding=declared))
    assert found.code == "IS-FIL-002"
    assert instead in found.text("en")


def test_utf_16_without_a_mark_is_not_guessed() -> None:
    data = (HEADER + "A,main,1\n").encode("utf-16-le")
    assert problem(data, profile(encoding="utf-16")).code == "IS-FIL-002"


@pytest.mark.parametrize(
    ("text", "code", "row", "column"),
    [
        ('A,main,1\n"B,main,2\n', "IS-FIL-003", 3, "1"),
        ("A,main,1\nB,ma", "IS-FIL-004", 3, "2"),
        ("A,main,1\nB\n", "IS-FIL-004", 3, "1"),
        ("A,main,1\nB,main,2", "IS-FIL-005", 3, "quantity"),
        ("A,main,1\nB,main,2\r", "IS-FIL-005", 3, "3"),
        ("A,main\nB,main,2\n", "IS-FIL-006", 2, "2"),
        ("A,main,1,000\n", "IS-FIL-006", 2, "4"),
        ("A,main,1\n\nB,main,2\n", "IS-FIL-006", 3, "1"),
        ('A"B,main,1\n', "IS-FIL-007", 2, "1"),
        ('"A"B,main,1\n', "IS-FIL-007", 2, "1"),
        ("A,main\r,1\n", "IS-FIL-007", 2, "2"),
        ("A,ma\x00in,1\n", "IS-FIL-007", 2, "2"),
        ('="A\n,main,1\n', "IS-FIL-007", 2, "1"),
    ],
)
def test_a_cut_or_broken_table_is_refused_at_the_place_where_it_breaks(
    text: str, code: str, row: int, column: str
) -> None:
    found = problem(HEADER + text)
    assert (found.code, found.row, found.column) == (code, row, column)


def test_the_byte_of_a_problem_is_counted_in_the_files_own_encoding() -> None:
    data = (HEADER + "白シャツ,倉庫,1\n靴,倉庫,x\n").encode("cp932")
    found = problem(data, profile(encoding="cp932"))
    assert found.offset is not None
    assert data[found.offset :] == b"x\n"
    assert "stock.csv, row 3, column quantity, byte" in str(found)


def test_a_source_without_a_final_line_break_can_be_declared() -> None:
    using = profile(final_newline="optional")
    assert lines(HEADER + "A,main,1\nB,main,25", using)[-1] == ("B", "main", 25)
    assert problem(HEADER + "A,main,1\nB,ma", using).code == "IS-FIL-004"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("１２", "write 12"),
        ("1,234", "Write 1234"),
        ("-1,234,567", "Write -1234567"),
        ("3.0", "decimals"),
        ("+3", "Write 3"),
        ("−3", "Write -3"),
        ("▲3", "Write -3"),
        (" 3", "blank"),
        ("3 ", "blank"),
        ("", "not zero"),
        ("three", "digits"),
        ("1e3", "digits"),
        ("³", "write 3"),
        ("0x1", "digits"),
    ],
)
def test_only_plain_ascii_integers_are_numbers_and_the_rest_gets_a_hint(text: str, hint: str) -> None:
    found = problem(f'{HEADER}A,main,"{text}"\n')
    assert (found.code, found.row, found.column, found.sku) == ("IS-FIL-013", 2, "quantity", "A")
    assert hint in found.text("en")
    assert repr(text) in found.text("ja")


def test_negative_numbers_are_taken_only_where_declared() -> None:
    assert problem(HEADER + "A,main,-3\n").code == "IS-FIL-014"
    assert lines(HEADER + "A,main,-3\n", profile(negative=True)) == [("A", "main", -3)]


@pytest.mark.parametrize("number", ["1000000000", "9" * 40, "9" * 5000])
def test_a_number_beyond_any_stock_is_refused(number: str) -> None:
    assert problem(f"{HEADER}A,main,{number}\n").code == "IS-FIL-015"


def test_every_bad_value_is_named_and_the_good_rows_are_known() -> None:
    found = refusal(HEADER + "A,main,x\nB,main,1\n,,２\n")
    assert [each.code for each in found.problems] == ["IS-FIL-013", "IS-FIL-016", "IS-FIL-017", "IS-FIL-013"]
    assert found.rows == ((2, "A"), (3, "B"), (4, ""))


def test_a_cell_stands_in_a_file_once() -> None:
    found = problem(HEADER + "A,main,1\nA,back,1\nA,main,1\n")
    assert (found.code, found.row, found.values["first"]) == ("IS-FIL-020", 4, 2)


def test_blanks_and_case_make_another_code() -> None:
    assert [sku for sku, _, _ in lines(HEADER + "A,main,1\nA ,main,2\na,main,3\nＡ,main,4\n")] == ["A", "A ", "a", "Ａ"]


def test_differences_of_one_cell_are_told_apart_by_their_references_only() -> None:
    using = profile(columns=ALL_COLUMNS)
    header = "sku,location,quantity,label,updated_at,mode,reference\n"
    two = header + "A,main,1,,,add,R1\nA,main,2,,,add,R2\n"
    assert [(line.mode, line.quantity, line.reference) for line in read(two, using).lines] == [
        (Mode.ADD, 1, "R1"),
        (Mode.ADD, 2, "R2"),
    ]
    for third in ("A,main,1,,,add,R1\n", "A,main,1,,,add,\n", "A,main,1,,,set,R3\n"):
        assert problem(two + third, using).code == "IS-FIL-020"
    assert problem(header + "A,main,1,,,set,\nA,main,2,,,add,R2\n", using).code == "IS-FIL-020"


def test_the_spreadsheet_guard_is_taken_off_and_nothing_else() -> None:
    text = HEADER + '="0049",main,1\n"=""0,50""",main,2\n=0051,main,3\n" =""0052""",main,4\n'
    assert [sku for sku, _, _ in lines(text)] == ["0049", "0,50", "=0051", ' ="0052"']


def test_labels_modes_and_times_are_read_per_row() -> None:
    using = profile(columns=ALL_COLUMNS, mode="add", label="loose")
    text = (
        "sku,location,quantity,label,updated_at,mode,reference\n"
        "A,main,1,stock,2026-04-01 12:00:00,set,\n"
        "B,main,2,,2026/4/1 9:05,,\n"
        "C,main,3,,2026-04-01T00:00:00.25Z,add,R9\n"
        "D,main,4,,,,\n"
    )
    first, second, third, fourth = read(text, using).lines
    assert (first.label, first.mode, first.as_of) == ("stock", Mode.SET, datetime(2026, 4, 1, 3, tzinfo=UTC))
    assert (second.label, second.mode, second.as_of) == ("loose", Mode.ADD, datetime(2026, 4, 1, 0, 5, tzinfo=UTC))
    assert (third.reference, third.as_of) == ("R9", datetime(2026, 4, 1, 0, 0, 0, 250_000, tzinfo=UTC))
    assert fourth.as_of is None


@pytest.mark.parametrize(
    "moment",
    ["2026-04-01", "2026-02-30 09:00", "01/04/2026 09:00", "2026-04-01 25:00", "yesterday", "0001-01-01 00:00:00",
     "2026-04-01T09:00:00+99:99", "2026-04-01 12:06:00"],
)  # fmt: skip
def test_a_time_that_is_none_or_lies_in_the_future_is_refused(moment: str) -> None:
    using = profile(columns=ALL_COLUMNS)
    text = f"sku,location,quantity,label,updated_at,mode,reference\nA,main,1,,{moment},,\n"
    assert problem(text, using, not_after=datetime(2026, 4, 1, 3, 5, tzinfo=UTC)).code == "IS-FIL-018"


def test_an_unknown_mode_is_refused() -> None:
    header = "sku,location,quantity,label,updated_at,mode,reference\n"
    assert problem(header + "A,main,1,,,SET,\n", profile(columns=ALL_COLUMNS)).code == "IS-FIL-019"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("sku,location,amount", "IS-FIL-008"),
        ("SKU,location,quantity", "IS-FIL-008"),
        (" sku,location,quantity", "IS-FIL-008"),
        ("sku,location,quantity,sku", "IS-FIL-009"),
    ],
)
def test_the_header_must_name_every_declared_column_exactly_once(header: str, code: str) -> None:
    assert problem(f"{header}\nA,main,1,x\n").code == code


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n"])
def test_an_empty_file_is_no_stock_of_nothing(data: bytes) -> None:
    found = refusal(data)
    assert found.problems[0].code == "IS-FIL-031"
    assert found.confirm is None


def test_a_header_alone_is_well_formed() -> None:
    assert read(HEADER).lines == ()


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MOST_BYTES", 30)
    assert problem(HEADER + "A,main,1000000\n").code == "IS-FIL-023"


def test_a_list_of_bad_values_ends_before_it_is_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MOST_PROBLEMS", 5)
    found = refusal(HEADER + "A,main,x\n" * 50)
    assert len(found.problems) == 5
    assert len(found.rows) == 50


def test_the_sums_that_later_files_are_compared_with_count_whole_quantities_only() -> None:
    using = profile(columns=ALL_COLUMNS)
    header = "sku,location,quantity,label,updated_at,mode,reference\n"
    file = read(header + "A,main,5,,,set,\nB,main,7,,,set,\nC,main,9,,,add,\n", using, not_after=NOON)
    assert (file.stated_rows, file.stated_units, file.adds) == (2, 12, True)
