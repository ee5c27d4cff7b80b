"""Which rows of a partner's history a movement was: found although clocks differ, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.engine.causes import UNKNOWN, Share, explain
from inventory_sync.model.ids import OpId
from inventory_sync.systems.port import HistoryRow

NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def history(*rows: tuple[float, int, str], began: int = 100, ours: tuple[int, ...] = ()) -> list[HistoryRow]:
    """Rows at these seconds, by these units, for these causes; `ours` are numbers of rows that we wrote."""
    made, level = [], began
    for number, (seconds, units, cause) in enumerate(rows):
        level += units
        op = OpId(f"op{number}") if number in ours else None
        made.append(HistoryRow(str(number), units, at(seconds), cause, "shop1" if op else None, op, level))
    return made


def test_a_movement_is_split_by_the_causes_of_its_rows() -> None:
    rows = history((1, -1, "api"), (2, 5, "receipt"), (3, -2, "sale"), (4, -3, "api"))
    found = explain(rows, -1, since=at(0), until=at(10), after=99)
    assert found.cause == "api+receipt+sale"
    assert found.shares == (Share("api", "", -4), Share("receipt", "", 5), Share("sale", "", -2))
    assert found.rows == ("0", "1", "2", "3")


def test_rows_of_our_own_are_no_part_of_what_others_did() -> None:
    rows = history((1, -1, "api"), (2, -4, "api"), (3, -2, "sale"), ours=(1,))
    found = explain(rows, -3, since=at(0), until=at(10), after=93)
    assert found.rows == ("0", "2")


def test_a_row_of_ours_whose_memo_is_not_shown_yet_is_known_by_its_id() -> None:
    rows = history((1, -1, "api"), (2, -1, "sale"))
    assert explain(rows, -1, since=at(0), until=at(10), after=98, spoken_for=("0",)).cause == "sale"


def test_a_row_is_the_cause_of_one_movement_only() -> None:
    rows = history((1, -1, "api"), (2, -1, "sale"))
    first = explain(rows, -1, since=at(0), until=at(1.5), after=99)
    assert first.cause == "api"
    assert explain(rows, -1, since=at(1.5), until=at(10), after=98, spoken_for=first.rows).cause == "sale"


@pytest.mark.parametrize("skew", [-90, -2, -0.9, 0, 0.9, 2, 90])
def test_the_level_that_was_read_finds_its_rows_although_the_clocks_differ(skew: float) -> None:
    changes = ((1, -1, "sale"), (31, -1, "api"), (32, -2, "sale"), (61, -3, "shipment"))
    rows = history(*((seconds + skew, units, cause) for seconds, units, cause in changes))
    found = explain(rows, -3, since=at(30), until=at(60), after=96, spoken_for=("0",))
    assert found.rows == ("1", "2")


def test_a_change_within_the_second_of_the_reading_is_told_apart_by_the_level() -> None:
    rows = history((5, -1, "sale"), (5, -1, "api"))  # stamps are whole seconds; the reading was between the two
    assert explain(rows, -1, since=at(0), until=at(5.4), after=99).cause == "sale"
    assert explain(rows, -1, since=at(5.4), until=at(9), after=98, spoken_for=("0",)).cause == "api"


def test_where_rows_of_different_causes_fit_equally_well_none_is_chosen() -> None:
    rows = [HistoryRow("1", -1, at(0), "sale"), HistoryRow("2", -1, at(10), "api")]
    assert explain(rows, -1, since=at(0.5), until=at(9.5)) == UNKNOWN


@pytest.mark.parametrize("rows", [[], history((1, -2, "api")), history((400, -1, "api"))])
def test_what_does_not_add_up_stays_unknown(rows: list[HistoryRow]) -> None:
    assert explain(rows, -1, since=at(0), until=at(10), after=99) == UNKNOWN


causes = st.sampled_from(["sale", "api", "receipt", "shipment"])
changes = st.lists(st.tuples(st.integers(-3, 3).filter(bool), causes, st.booleans()), min_size=1, max_size=12)


@given(changes, st.data())
def test_readings_in_between_find_every_row_once_and_with_its_cause(
    made: list[tuple[int, str, bool]], data: st.DataObject
) -> None:
    """Whatever happens, and whenever the level is read: causes that are told are true."""
    ours = tuple(number for number, (_, _, own) in enumerate(made) if own)
    rows = history(*((3 * n, units, cause) for n, (units, cause, _) in enumerate(made)), ours=ours)
    cuts = sorted({0, len(rows), *data.draw(st.lists(st.integers(0, len(rows)), max_size=4))})
    spoken_for: tuple[str, ...] = ()
    for start, end in pairwise(cuts):
        truly = [row for row in rows[start:end] if row.op is None]
        delta = sum(row.amount for row in truly)
        if not delta:
            spoken_for += tuple(row.id for row in truly)
            continue
        since, until, after = at(3 * start - 1.5), at(3 * end - 1.5), rows[end - 1].level_after
        found = explain(rows, delta, since=since, until=until, after=after, spoken_for=spoken_for)
        assert sorted(found.rows) == sorted(row.id for row in truly)
        assert sum(share.units for share in found.shares) == delta
        spoken_for += found.rows
