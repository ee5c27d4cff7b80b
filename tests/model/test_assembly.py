"""A code table and sets are taken at their word, exactly and whole, and what is wrong with them is said."""

from __future__ import annotations

import doctest
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model import assembly
from inventory_sync.model.assembly import Ambiguity, Assembly, Complaint, Sayings, Trouble, Why, assemble
from inventory_sync.model.ids import ItemId
from inventory_sync.model.matching import Candidate


def side(*codes: str, start: int = 1) -> list[Candidate]:
    return [Candidate(ItemId(start + place), code, f"item {code}") for place, code in enumerate(codes)]


def listings(*codes: tuple[str, ...] | str) -> list[Candidate]:
    """Channel items from 11 on, each with its codes in order."""
    return [
        Candidate(ItemId(11 + place), code, f"listing {11 + place}", f"field {number}")
        for place, each in enumerate(codes)
        for number, code in enumerate((each,) if isinstance(each, str) else each)
    ]


def made(
    ledger: list[Candidate],
    channel: list[Candidate],
    *,
    codes: Mapping[str, str] | None = None,
    sets: Mapping[str, Mapping[str, int]] | None = None,
    same: bool = False,
) -> Assembly:
    return assemble(ledger, channel, Sayings(codes or {}, sets or {}, same))


def parts(found: Assembly) -> dict[int, dict[int, int]]:
    """Of each channel item the ledger items with their ratios."""
    return {each.channel: dict(each.parts) for each in found.assigned}


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(assembly).failed == 0


@pytest.mark.row("S4-30")
def test_an_item_matches_by_whichever_of_its_codes_the_ledger_has_and_by_none_if_they_disagree() -> None:
    found = made(side("J", "O", "X", "Y"), listings(("J", ""), ("nothing", "O"), ("X", "Y")))
    assert parts(found) == {11: {1: 1}, 12: {2: 1}}
    assert found.ambiguous == (
        Ambiguity("X", Why.FIELDS_DISAGREE, ("item X", "item Y"), ("listing 13",)),
        Ambiguity("Y", Why.FIELDS_DISAGREE, ("item X", "item Y"), ("listing 13",)),
    )


def test_a_code_that_one_item_has_as_its_first_and_another_as_its_second_is_twice_on_that_side() -> None:
    found = made(side("J"), listings(("J", ""), ("other", "J")))
    assert found.assigned == ()
    assert [(each.why, each.channel) for each in found.ambiguous] == [
        (Why.TWICE_IN_CHANNEL, ("listing 11", "listing 12"))
    ]


def test_the_code_table_goes_before_the_fields_of_the_items_it_names_and_of_no_others() -> None:
    found = made(side("A", "B", "C"), listings(("theirs", "B"), ("C", "")), codes={"theirs": "A"})
    assert parts(found) == {11: {1: 1}, 12: {3: 1}}
    assert found.complaints == ()


def test_a_line_of_the_code_table_that_leads_nowhere_leaves_the_item_unmatched_and_says_what_is_almost_there() -> None:
    found = made(side("A", "C"), listings(("theirs", "C")), codes={"theirs": "a", "nobody's": "C"})
    assert found.assigned == ()
    lacking, unused = found.complaints
    assert (lacking.trouble, lacking.value, lacking.other) == (Trouble.NO_SUCH_LEDGER_CODE, "theirs", "a")
    assert '"A"' in lacking.hint_en
    assert '"a"' in lacking.hint_en
    assert lacking.hint_ja
    assert unused == Complaint(Trouble.NO_SUCH_CHANNEL_CODE, "nobody's", "C")
    assert [(each.item, each.value) for each in found.report.unmatched_channel] == [(11, "theirs"), (11, "C")]


def test_two_lines_of_the_code_table_may_lead_to_one_item_only_where_listings_share_it() -> None:
    codes = {"x": "A", "y": "A"}
    assert made(side("A"), listings("x", "y"), codes=codes).assigned == ()
    assert parts(made(side("A"), listings("x", "y"), codes=codes, same=True)) == {11: {1: 1}, 12: {1: 1}}


def test_a_set_is_made_of_its_components_and_a_component_may_be_listed_by_itself_as_well() -> None:
    found = made(side("A", "B"), listings("SET", "A"), sets={"SET": {"A": 1, "B": 2}})
    assert parts(found) == {11: {1: 1, 2: 2}, 12: {1: 1}}
    assert {each.channel: each.is_set for each in found.assigned} == {11: True, 12: False}
    assert found.report.unmatched_ledger == (), "what a set is made of is not left over"


@pytest.mark.parametrize(
    ("ledger", "trouble"),
    [(side("A"), Trouble.UNKNOWN_COMPONENT), (side("A", "B", "B"), Trouble.AMBIGUOUS_COMPONENT)],
)
def test_a_set_with_a_component_that_is_not_one_item_is_reported_and_never_half_a_set(
    ledger: list[Candidate], trouble: Trouble
) -> None:
    found = made(ledger, listings("SET"), sets={"SET": {"A": 1, "B": 2}})
    assert found.assigned == ()
    assert found.complaints == (Complaint(trouble, "SET", "B"),)
    assert [each.item for each in found.report.unmatched_channel] == [11]
    assert 1 in [each.item for each in found.report.unmatched_ledger]


def test_a_code_that_names_a_set_and_an_item_is_ambiguous() -> None:
    found = made(side("A", "SET"), listings("SET"), sets={"SET": {"A": 2}})
    assert found.assigned == ()
    assert found.ambiguous == (Ambiguity("SET", Why.SET_AND_ITEM, ("item SET", "SET"), ("listing 11",)),)


def test_a_listing_that_is_a_set_by_one_code_and_an_item_by_another_is_ambiguous() -> None:
    found = made(side("A", "B"), listings(("SET", "B")), sets={"SET": {"A": 2}})
    assert found.assigned == ()
    assert {each.why for each in found.ambiguous} == {Why.FIELDS_DISAGREE}


def test_a_set_that_no_listing_has_is_said_and_one_that_several_have_needs_them_to_share() -> None:
    sets = {"SET": {"A": 2}}
    assert made(side("A"), [], sets=sets).complaints == (Complaint(Trouble.NO_SUCH_LISTING, "SET"),)
    twice = made(side("A"), listings("SET", "SET"), sets=sets)
    assert (twice.assigned, twice.complaints) == ((), ())
    assert [each.why for each in twice.ambiguous] == [Why.TWICE_IN_CHANNEL]
    assert parts(made(side("A"), listings("SET", "SET"), sets=sets, same=True)) == {11: {1: 2}, 12: {1: 2}}


def test_the_code_table_may_lead_to_a_set() -> None:
    found = made(side("A"), listings("theirs"), codes={"theirs": "SET"}, sets={"SET": {"A": 3}})
    assert parts(found) == {11: {1: 3}}
    assert found.complaints == ()


words = st.sampled_from(["A", "B", "C", "a", "S", ""])


@given(
    st.lists(words, max_size=6),
    st.lists(st.tuples(words, words), max_size=6),
    st.dictionaries(words, words, max_size=3),
    st.dictionaries(words, st.dictionaries(words, st.integers(1, 3), min_size=1, max_size=2), max_size=2),
    st.booleans(),
)
def test_every_listing_is_assigned_once_or_explained_and_only_to_items_that_carry_the_codes_that_were_said(
    ledger: list[str],
    channel: list[tuple[str, ...]],
    codes: dict[str, str],
    sets: dict[str, dict[str, int]],
    same: bool,
) -> None:
    here, there = side(*ledger), listings(*channel)
    found = made(here, there, codes=codes, sets=sets, same=same)
    of_item = {each.item: each.value for each in here}
    paired = [each.channel for each in found.assigned]
    assert len(paired) == len(set(paired))
    told = {item for each in found.report.ambiguous for item in each.channel}
    told |= {each.item for each in found.report.unmatched_channel}
    assert set(paired) | told == {each.item for each in there}
    for each in found.assigned:
        components = {of_item[item]: ratio for item, ratio in each.parts}
        assert components == (sets[each.value] if each.is_set else {each.value: 1})
        assert all(ledger.count(code) == 1 for code in components)
        own = {one.value for one in there if one.item == each.channel}
        assert each.value in own | {codes[code] for code in own if code in codes}
