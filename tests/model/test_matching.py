"""Two catalogues are matched by equal codes and by nothing else; whatever is not certain matches nothing."""

from __future__ import annotations

import doctest
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model import matching
from inventory_sync.model.folding import DifferenceKind
from inventory_sync.model.ids import ItemId
from inventory_sync.model.matching import Ambiguous, Candidate, Matched, MatchReport, match

values = st.text(st.sampled_from("Aaａ0 \u3000-ー"), max_size=3)


def side(*codes: str, start: int = 1) -> list[Candidate]:
    return [Candidate(ItemId(start + place), code, f"item {code}") for place, code in enumerate(codes)]


sides = st.lists(values, max_size=12).map(lambda codes: side(*codes))


def items(candidates: tuple[Candidate, ...]) -> list[ItemId]:
    return [each.item for each in candidates]


def mirrored(report: MatchReport) -> tuple[set[Matched], set[Ambiguous], list[ItemId], list[ItemId]]:
    return (
        {Matched(each.channel, each.ledger, each.value) for each in report.matched},
        {Ambiguous(each.value, each.channel, each.ledger) for each in report.ambiguous},
        items(report.unmatched_channel),
        items(report.unmatched_ledger),
    )


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(matching).failed == 0


@pytest.mark.row("S2-35")
@given(sides, sides)
def test_two_items_match_exactly_when_each_is_alone_on_its_side_with_the_same_code_points(
    ledger: list[Candidate], channel: list[Candidate]
) -> None:
    here, there = Counter(each.value for each in ledger), Counter(each.value for each in channel)
    expected = {
        Matched(one.item, other.item, one.value)
        for one in ledger
        for other in channel
        if one.value and one.value == other.value and here[one.value] == there[one.value] == 1
    }
    assert set(match(ledger, channel).matched) == expected


@given(sides, sides)
def test_swapping_the_sides_swaps_the_report(ledger: list[Candidate], channel: list[Candidate]) -> None:
    report = match(channel, ledger)
    swapped = match(ledger, channel)
    assert mirrored(swapped) == (
        set(report.matched),
        set(report.ambiguous),
        items(report.unmatched_ledger),
        items(report.unmatched_channel),
    )


@given(sides, sides)
def test_every_item_is_in_exactly_one_part_of_the_report(ledger: list[Candidate], channel: list[Candidate]) -> None:
    report = match(ledger, channel)
    seen = [
        *(each.ledger for each in report.matched),
        *(item for each in report.ambiguous for item in each.ledger),
        *items(report.unmatched_ledger),
    ]
    assert sorted(seen) == sorted(each.item for each in ledger)


@pytest.mark.row("S2-38")
def test_the_report_lists_what_matched_what_did_not_on_each_side_and_what_is_there_twice() -> None:
    report = match(
        side("A", "B", "B", "ledger only", ""),
        side("A", "B", "channel only", "C", "C", "", start=11),
    )
    assert report.matched == (Matched(ItemId(1), ItemId(11), "A"),)
    assert report.ambiguous == (
        Ambiguous("B", (ItemId(2), ItemId(3)), (ItemId(12),)),
        Ambiguous("C", (), (ItemId(14), ItemId(15))),
    )
    assert [(each.on_ledger, each.on_channel) for each in report.ambiguous] == [(True, False), (False, True)]
    assert [(each.item, each.value) for each in report.unmatched_ledger] == [(4, "ledger only"), (5, "")]
    assert [(each.item, each.value) for each in report.unmatched_channel] == [(13, "channel only"), (16, "")]
    assert report.unmatched_ledger[0].label == "item ledger only"


@pytest.mark.row("S4-31")
@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        ("4901234567894", "4901234567894 ", DifferenceKind.BLANK),
        ("ABC1", "ＡＢＣ１", DifferenceKind.WIDTH),
        ("ABC1", "abc1", DifferenceKind.CASE),
        ("0123", "123", DifferenceKind.LEADING_ZERO),
    ],
)
def test_a_code_that_almost_matches_is_unmatched_and_reported_as_a_near_miss(
    ours: str, theirs: str, kind: DifferenceKind
) -> None:
    report = match(side(ours), side(theirs))
    assert report.matched == ()
    assert items(report.unmatched_ledger) == items(report.unmatched_channel) == [1]
    (near,) = report.near.listed
    assert (near.ledger, near.channel, near.difference.kinds) == (ours, theirs, (kind,))


def test_a_composed_letter_does_not_match_the_same_letter_in_two_parts() -> None:
    assert match(side("\u30ac"), side("\u30ab\u3099")).matched == ()


def test_a_code_that_is_nothing_but_a_blank_matches_the_same_blank() -> None:
    assert match(side(" "), side(" ")).matched == (Matched(ItemId(1), ItemId(1), " "),)


def test_an_item_without_a_code_matches_no_other_item_without_one() -> None:
    report = match(side(""), side(""))
    assert (report.matched, report.ambiguous) == ((), ())


def test_a_code_that_is_matched_is_not_also_a_near_miss() -> None:
    report = match(side("ABC", "other"), side("ABC", "abc"))
    assert report.near.listed == ()


def test_an_item_whose_two_codes_lead_to_two_items_is_ambiguous_and_matches_neither() -> None:
    two_codes = [Candidate(ItemId(7), "JAN"), Candidate(ItemId(7), "OWN"), Candidate(ItemId(8), "X")]
    report = match(side("JAN", "OWN", "X"), two_codes)
    assert report.matched == (Matched(ItemId(3), ItemId(8), "X"),)
    assert report.ambiguous == (
        Ambiguous("JAN", (ItemId(1), ItemId(2)), (ItemId(7),), crossed=True),
        Ambiguous("OWN", (ItemId(1), ItemId(2)), (ItemId(7),), crossed=True),
    )
    assert report.unmatched_ledger == report.unmatched_channel == ()


def test_an_item_whose_two_codes_lead_to_the_same_item_matches_it_once() -> None:
    twice = [Candidate(ItemId(7), "JAN"), Candidate(ItemId(7), "OWN")]
    report = match([Candidate(ItemId(1), "OWN"), Candidate(ItemId(1), "JAN")], twice)
    assert [(each.ledger, each.channel) for each in report.matched] == [(1, 7)]


def test_an_item_with_one_ambiguous_and_one_certain_code_is_left_to_a_person() -> None:
    report = match(side("JAN", "JAN", "OWN"), [Candidate(ItemId(7), "JAN"), Candidate(ItemId(7), "OWN")])
    assert report.matched == ()
    assert {each.value for each in report.ambiguous} == {"JAN", "OWN"}


# -- several listings of one item ---


@given(sides, sides)
def test_with_the_same_stock_allowed_every_listing_of_a_code_matches_and_only_the_ledger_must_be_alone(
    ledger: list[Candidate], channel: list[Candidate]
) -> None:
    here = Counter(each.value for each in ledger)
    expected = {
        Matched(one.item, other.item, one.value)
        for one in ledger
        for other in channel
        if one.value and one.value == other.value and here[one.value] == 1
    }
    report = match(ledger, channel, same=True)
    assert set(report.matched) == expected
    assert all(each.on_ledger for each in report.ambiguous)


def test_a_listing_whose_two_codes_disagree_does_not_take_the_other_listings_with_it() -> None:
    listings = [Candidate(ItemId(7), "A"), Candidate(ItemId(8), "A"), Candidate(ItemId(8), "B")]
    report = match(side("A", "B"), listings, same=True)
    assert report.matched == (Matched(ItemId(1), ItemId(7), "A"),)
    assert {(each.value, each.channel, each.crossed) for each in report.ambiguous} == {
        ("A", (8,), True),
        ("B", (8,), True),
    }
