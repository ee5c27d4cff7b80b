"""Codes that almost match are found whatever damaged them, named by kind, and spelt out in both languages."""

from __future__ import annotations

import doctest
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model import difference, folding
from inventory_sync.model import near_misses as module
from inventory_sync.model.folding import BLANKS, DifferenceKind, fold
from inventory_sync.model.near_misses import LISTED_PAIRS, NearMiss, near_misses

JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
codes = st.from_regex(r"[A-Z1-9][A-Z0-9]{0,5}-[A-Z1-9]{1,4}[a-z]", fullmatch=True)
jans = st.from_regex(r"4[59][0-9]{11}", fullmatch=True)
anything = st.text(st.sampled_from("aA0１1-ー－ \u3000'=\".ｶﾞガe+"), max_size=8)


def only(one: str, other: str) -> NearMiss:
    found = near_misses([one], [other])
    assert found.left_out == 0
    assert len(found.listed) == 1
    assert (found.listed[0].ledger, found.listed[0].channel) == (one, other)
    return found.listed[0]


@pytest.mark.parametrize("module_with_examples", [module, folding, difference])
def test_the_examples_in_the_documentation_are_true(module_with_examples: object) -> None:
    assert doctest.testmod(module_with_examples).failed == 0  # type: ignore[arg-type]


@pytest.mark.row("S4-31")
@given(codes, st.sampled_from(sorted(BLANKS)), st.sampled_from(["start", "inside", "end"]))
def test_a_blank_anywhere_is_found_and_its_code_point_and_place_are_said(code: str, blank: str, place: str) -> None:
    damaged = {"start": blank + code, "inside": code[:1] + blank + code[1:], "end": code + blank}[place]
    said = only(code, damaged).difference
    assert said.kinds == (DifferenceKind.BLANK,)
    assert f"(U+{ord(blank):04X}) {'inside' if place == 'inside' else 'at the ' + place}" in said.explanation_en
    assert f"U+{ord(blank):04X}" in said.explanation_ja
    assert f'"{code}" has none' in said.explanation_en


@given(codes)
def test_case_is_found_and_named(code: str) -> None:
    said = only(code, code.swapcase()).difference
    assert said.kinds == (DifferenceKind.CASE,)
    assert f"(U+{ord(code.lstrip('0123456789-')[0]):04X})" in said.explanation_en


@given(codes)
def test_full_width_letters_are_found_and_named(code: str) -> None:
    wide = "".join(chr(ord(each) + 0xFEE0) for each in code)
    assert only(code, wide).difference.kinds == (DifferenceKind.WIDTH,)


@pytest.mark.parametrize(
    ("one", "other", "kind", "points"),
    [
        ("ｶﾞﾗｽ-1", "ガラス-1", DifferenceKind.WIDTH, ("U+FF76 U+FF9E", "U+30AC")),
        ("A〜B", "A～B", DifferenceKind.WIDTH, ("U+301C", "U+FF5E")),
        ("A−1", "A-1", DifferenceKind.DASH, ("U+2212", "U+002D")),
        ("A–1", "A‐1", DifferenceKind.DASH, ("U+2013", "U+2010")),
        ("キー1", "キ-1", DifferenceKind.DASH, ("U+30FC", "U+002D")),
        ("\u30ac1", "\u30ab\u30991", DifferenceKind.COMPOSITION, ("U+30AC", "U+30AB U+3099")),
        ("A-1", "A1", DifferenceKind.HYPHEN, ("U+002D",)),
        ("A−1", "A1", DifferenceKind.HYPHEN, ("U+2212",)),
        ("A-12", "A1-2", DifferenceKind.HYPHEN, ("U+002D",)),
        ("0012", "12", DifferenceKind.LEADING_ZERO, ("U+0030",)),
        ("4901234567894.0", "4901234567894", DifferenceKind.DECIMAL, ("U+002E U+0030",)),
        ("12.00", "12.0", DifferenceKind.DECIMAL, ("U+002E U+0030 U+0030",)),
        ('="A-1"', "A-1", DifferenceKind.WRAPPER, ("U+003D U+0022",)),
        ("'A-1", "A-1", DifferenceKind.APOSTROPHE, ("U+0027",)),
    ],
)
def test_each_kind_is_named_alone_with_its_code_points_from_either_side(
    one: str, other: str, kind: DifferenceKind, points: tuple[str, ...]
) -> None:
    for said in (only(one, other).difference, only(other, one).difference):
        assert said.kinds == (kind,)
        for point in points:
            assert point in said.explanation_en
            assert point in said.explanation_ja


@given(jans, st.integers(1, 9))
def test_the_scientific_notation_of_a_jan_finds_the_jan(jan: str, digits: int) -> None:
    shown = f"{float(jan):.{digits}E}"
    said = only(shown, jan).difference
    assert said.kinds == (DifferenceKind.SCIENTIFIC,)
    assert jan in said.explanation_en
    assert shown in said.explanation_ja
    assert only(jan, shown).difference == said


def test_a_number_that_the_notation_cannot_stand_for_is_not_found() -> None:
    assert near_misses(["4.91E+12"], ["4901234567894"]).listed == ()
    assert near_misses(["4E-12"], ["4901234567894"]).listed == ()


def test_several_damages_at_once_are_all_named() -> None:
    said = only('="００12-ab " ', "12AB").difference
    assert said.kinds == (
        DifferenceKind.BLANK,
        DifferenceKind.WIDTH,
        DifferenceKind.WRAPPER,
        DifferenceKind.CASE,
        DifferenceKind.HYPHEN,
        DifferenceKind.LEADING_ZERO,
    )


@given(anything, anything)
def test_every_pair_is_explained_in_both_languages_by_kinds_that_are_needed(one: str, other: str) -> None:
    for each in near_misses([one], [other]).listed:
        kinds = each.difference.kinds
        assert kinds
        assert JAPANESE.search(unicodedata.normalize("NFKC", each.difference.explanation_ja))
        assert each.difference.explanation_en.endswith(".")
        if DifferenceKind.SCIENTIFIC in kinds:
            continue
        assert fold(one, frozenset(kinds)) == fold(other, frozenset(kinds))
        for kind in kinds:
            assert fold(one, frozenset(kinds) - {kind}) != fold(other, frozenset(kinds) - {kind})


@given(st.lists(anything, max_size=6), st.lists(anything, max_size=6))
def test_swapping_the_sides_swaps_the_pairs_and_the_order_of_the_input_is_nothing(
    one: list[str], other: list[str]
) -> None:
    there = {(each.ledger, each.channel) for each in near_misses(one, other).listed}
    back = {(each.channel, each.ledger) for each in near_misses(other, one).listed}
    assert there == back
    assert near_misses(one[::-1], other[::-1]) == near_misses(one, other)


@given(codes, codes)
def test_codes_that_differ_in_substance_are_no_near_miss(one: str, other: str) -> None:
    if fold(one) != fold(other):
        assert near_misses([one], [other]).listed == ()


@pytest.mark.parametrize("code", ["", " ", "\u3000\u200b", "A-1"])
def test_empty_blank_and_equal_codes_are_no_near_miss(code: str) -> None:
    assert near_misses([code], ["", " ", code]).listed == ()


def test_a_crowd_that_folds_to_one_code_is_counted_and_not_listed_in_full() -> None:
    crowd = [" " * blanks + "A" for blanks in range(1, 2_001)]
    found = near_misses(crowd, [each.lower() for each in crowd])
    assert 0 < len(found.listed) < 20
    assert len(found.listed) + found.left_out == 2_000 * 2_000


def test_two_whole_catalogues_that_differ_in_a_blank_fill_the_list_and_no_more() -> None:
    codes = [f"490{number:010d}" for number in range(20_000)]
    found = near_misses(codes, [code + " " for code in codes])
    assert len(found.listed) == LISTED_PAIRS
    assert found.left_out == 20_000 - LISTED_PAIRS
