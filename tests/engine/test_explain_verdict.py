"""The verdict of `explain`, as a pure function: what comes first, and that everything has words in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from inventory_sync.engine.explain import words
from inventory_sync.engine.explain.arithmetic import line, steps
from inventory_sync.engine.explain.causes import OF_BLOCKED, OF_LACK, OF_MOVEMENT, RANK, Cause
from inventory_sync.engine.explain.find import slips
from inventory_sync.engine.explain.finding import Clock, duration
from inventory_sync.engine.explain.gather import concerns
from inventory_sync.engine.explain.state import (
    Alert,
    CellState,
    Hold,
    Lack,
    Link,
    Movement,
    Nearest,
    Number,
    Op,
    OpenSale,
    Part,
    Quarantine,
    RouteState,
    Ruled,
    Unpaired,
    WaitingOrder,
    Write,
)
from inventory_sync.engine.explain.texts import TEXTS, say
from inventory_sync.engine.explain.unpaired import judge_unpaired, unknown_code
from inventory_sync.engine.explain.verdict import headline, judge
from inventory_sync.engine.explain.words import REASONS, TWICE
from inventory_sync.model.auto_buffer import Sold, reckon
from inventory_sync.model.decide import Blocked, Decision
from inventory_sync.model.publish import PublishRule
from inventory_sync.systems.port import Condition

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
CLOCK = Clock(NOW)
POS = Link(1, "pos", "smaregi", "linked")
SHOP = Link(2, "shop", "shopify", "linked")
AUTO = reckon([Sold(60, 3600.0)], lag=3.0, measured=50, least=0, most=100)
ROUTE = RouteState(7, "pos-shop", "running", "", (), "two_way", "post", "stock", POS, SHOP)


def cell(number: int = 10, connection: str = "shop", known: int | None = 10, **more: Any) -> CellState:
    return CellState(number, 2, connection, "key", "Tea", "Tokyo", "T", known, more.pop("condition", "active"), **more)


def part(known: int = 10, **more: Any) -> Part:
    own = {
        name: more.pop(name) for name in ("moves", "writes", "holds", "op", "condition", "held_back") if name in more
    }
    return Part(cell(11, "pos", known, **own), shown=known - own.get("held_back", 0), **more)


def number(**more: Any) -> Number:
    given: dict[str, Any] = {
        "route": ROUTE,
        "pair": 1,
        "value": "A-1",
        "shape": "single",
        "phase": "live",
        "phase_reason": "",
        "cell": cell(),
        "parts": (part(),),
        "rule": PublishRule(),
        "decision": Decision(0, 10, 9, Blocked.NOT),
        "effective": 10,
    }
    return Number(**(given | more))


def of(**more: Any) -> list[Cause]:
    return [each.cause for each in judge(number(**more), CLOCK)]


def move(delta: int, cause: str = "", *, seconds: float = 60, where: int = 11, **more: Any) -> Movement:
    at = NOW - timedelta(seconds=seconds)
    return Movement(int(seconds), where, delta, 10 - delta, 10, "outside", at, at, at, cause=cause, **more)


def wrote(delta: int, cause: str = "live", state: str = "applied", **more: Any) -> Write:
    at = NOW - timedelta(seconds=90)
    return Write("op", 11, delta, 10, 10 + delta, cause, state, "", at, at, **more)


# -- words ---


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_sentence_in_both_languages_with_the_same_values(cause: Cause) -> None:
    ja, en = TEXTS[cause]
    fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (ja, en)]
    assert fields[0] == fields[1]
    said_ja, said_en = say(cause, **dict.fromkeys(fields[0], "X"))
    assert said_ja.endswith(("。", "X")), said_ja
    assert said_en.endswith((".", "X")), said_en
    assert said_en.isascii()
    assert not said_ja.isascii()
    assert len(said_en) < 200, "too long to be read out"


@pytest.mark.parametrize("blocked", Blocked)
def test_every_reason_for_not_writing_has_a_cause_of_its_own(blocked: Blocked) -> None:
    assert blocked in OF_BLOCKED
    assert OF_BLOCKED[blocked] in TEXTS
    if blocked in (Blocked.ROUTE_STOPPED, Blocked.NOT_ACTIVE, Blocked.QUARANTINED, Blocked.HELD, Blocked.WATCHING):
        return  # these are told from the route, the cell and its holds
    sent = Op(-2, "sent", NOW) if blocked is Blocked.IN_FLIGHT else None
    found = of(decision=Decision(0, 8, 9, blocked), cell=cell(op=sent))
    assert found[0] is OF_BLOCKED[blocked]


def test_a_timeline_has_words_for_whatever_the_engine_says_of_a_cell() -> None:
    assert set(words.WAITS) == {each.value for each in Blocked}
    assert set(words.CONDITIONS) == {each.value for each in Condition} | {"unread", "gone"}
    assert all(ja and en for known in (words.WAITS, words.CONDITIONS, words.ALERTS) for ja, en in known.values())
    assert words.of(words.ALERTS, "unheard_of") == ("unheard_of", "unheard_of")


def test_every_lack_of_a_pair_has_a_cause() -> None:
    assert set(OF_LACK) == set(Lack)
    assert set(RANK) == set(TEXTS) == set(Cause)
    assert set(OF_MOVEMENT.values()) <= set(TEXTS)
    assert all(ja and en for ja, en in (*TWICE.values(), *REASONS.values()))


# -- order ---


def test_what_stops_everything_comes_before_what_explains_a_number() -> None:
    made = number(
        route=replace(ROUTE, state="stopped", channel=replace(SHOP, state="broken", reason="No", remedy="Do")),
        rule=PublishRule(buffer=2),
        parts=(part(12, moves=(move(-1, "sale"),)),),
        cell=cell(quarantined=True, quarantine=Quarantine("IS-SHP-050", "unknown item", NOW)),
        decision=Decision(0, 10, 9, Blocked.ROUTE_STOPPED),
        effective=12,
    )
    assert [each.cause for each in judge(made, CLOCK)] == [
        Cause.CONNECTION_BROKEN,
        Cause.ROUTE_STOPPED,
        Cause.QUARANTINED,
        Cause.BUFFER,
        Cause.SOLD,
    ]


def test_a_number_without_any_trouble_is_as_the_ledger_says() -> None:
    found = judge(number(), CLOCK)
    assert [each.cause for each in found] == [Cause.EQUAL]
    assert headline(number(), found) == (
        "shop / Tokyo は 10 です。台帳と合っています。",
        "shop / Tokyo shows 10. It is as the ledger says.",
    )


def test_a_headline_says_what_the_number_should_be() -> None:
    made = number(decision=Decision(-2, 8, 1, Blocked.NOT), effective=8)
    found = judge(made, CLOCK)
    assert headline(made, found)[1] == (
        "shop / Tokyo shows 10 and should show 8. It is about to become 8: a write of −2 waits for its turn."
    )
    unread = number(cell=cell(known=None), decision=Decision(0, 8, 9, Blocked.UNREAD))
    assert headline(unread, judge(unread, CLOCK))[1].startswith("What shop / Tokyo shows is not known yet.")


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"route": replace(ROUTE, state="watching")}, Cause.WATCHING),
        ({"route": replace(ROUTE, direction="channel_to_ledger")}, Cause.NO_WRITES),
        ({"route": replace(ROUTE, state="blocked", blockers=("first_alignment",))}, Cause.ROUTE_BLOCKED),
        ({"route": replace(ROUTE, state="blocked", blockers=("orders_booked_twice",))}, Cause.BOOKED_TWICE),
        ({"route": replace(ROUTE, state="stopped"), "zeroing": True}, Cause.ZEROED),
        ({"phase": "suspended", "phase_reason": "unmatched"}, Cause.SUSPENDED),
        ({"cell": cell(op=Op(-3, "in_doubt", NOW))}, Cause.IN_DOUBT),
        ({"parts": (part(op=Op(-3, "in_doubt", NOW)),)}, Cause.IN_DOUBT),
        ({"cell": cell(condition="untracked")}, Cause.CELL_UNTRACKED),
        ({"cell": cell(condition="gone")}, Cause.CELL_GONE),
        ({"parts": (part(condition="absent"),)}, Cause.INACTIVE),
        ({"parts": (part(holds=(Hold("brake", 900, NOW),)),)}, Cause.HELD_BY_BRAKE),
        ({"parts": (part(holds=(Hold("stocktake", 9, NOW),)),)}, Cause.HELD_BY_STOCKTAKE),
        ({"sales": (OpenSale(2, "1001", True, NOW),)}, Cause.SALE_NOT_BOOKED),
        ({"sales": (OpenSale(2, "", False, NOW),)}, Cause.SALE_EXPECTED),
        ({"effective": -3}, Cause.OVERSOLD),
        ({"cell": cell(blocked="in_run")}, Cause.IN_RUN),
        ({"parts": (part(owed_down=-2),)}, Cause.TO_BE_POSTED),
        ({"uncertain": 2}, Cause.UNCERTAIN),
        ({"kept": 2}, Cause.KEPT),
        ({"held": 2}, Cause.ORDERS_HELD),
        ({"held": 2, "waiting": (WaitingOrder("1001", 2, "provisional"),)}, Cause.ORDERS_HELD),
        ({"held": 2, "waiting": (WaitingOrder("1001", 2, "kept"),)}, Cause.ORDERS_KEPT),
        ({"held": 2, "waiting": (WaitingOrder("1001", 2, "held"),)}, Cause.ORDERS_UNPAID),
        ({"waiting": (WaitingOrder("1001", 2, "ignored"),)}, Cause.ORDERS_IGNORED),
        ({"offset": 3}, Cause.OFFSET),
        ({"excluded": True}, Cause.NOT_PUBLISHED),
        ({"rule": PublishRule(percent=50)}, Cause.PERCENT),
        ({"rule": PublishRule(maximum=5)}, Cause.CAP),
        ({"route": replace(ROUTE, basis="on_hand"), "cell": cell(committed=3)}, Cause.COMMITTED),
        ({"parts": (part(writes=(wrote(2, "compensation"),)),)}, Cause.COMPENSATED),
        ({"parts": (part(writes=(wrote(2, "undo"),)),), "phase": "new"}, Cause.UNDONE),
        ({"parts": (part(moves=(move(-2),)),)}, Cause.LEDGER_MOVED),
        ({"rule": PublishRule(end_when=10), "decision": Decision(0, 0, 9, Blocked.NOT)}, Cause.END_WHEN),
        ({"rule": PublishRule(buffer=2), "ruled": Ruled(automatic=True, auto=AUTO)}, Cause.AUTO_BUFFER),
        ({"ruled": Ruled(own=("buffer",), by="cli:aki", at=NOW)}, Cause.OVERRIDE),
        ({"ruled": Ruled(offset_until=NOW, ended_at=NOW)}, Cause.OFFSET_ENDED),
        ({"cell": cell(moves=(move(-2, where=10),))}, Cause.CHANNEL_SOLD),
        ({"cell": cell(moves=(move(2, where=10),))}, Cause.CHANNEL_RAISED),
    ],
)
def test_each_state_is_told_by_its_cause(more: dict[str, Any], cause: Cause) -> None:
    assert of(**more)[0] is cause


def test_what_is_set_for_a_code_alone_is_named_in_the_readers_language() -> None:
    told = judge(number(ruled=Ruled(own=("buffer", "exclude"), by="cli:aki", at=NOW)), CLOCK)[0]
    assert "安全在庫、対象外 が個別に" in told.ja
    assert "alone buffer, exclude is set" in told.en


def test_an_offset_says_until_when_it_goes() -> None:
    over = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)
    made = number(offset=3, offset_until=over, decision=Decision(0, 13, 9, Blocked.NOT))
    told = judge(made, Clock(NOW, ZoneInfo("Asia/Tokyo")))[0]
    assert told.en == "The publish rule adds +3 units through 2026-12-31."
    assert "2026-12-31 までです" in told.ja, "the last day, as the CSV names it"
    assert line(steps(made))[1].endswith("+ offset 3 = 13")


def test_a_connection_that_waits_for_its_approval_says_so_without_a_reason_of_its_own() -> None:
    waiting = replace(ROUTE, channel=replace(SHOP, state="awaiting_approval"))
    [said] = [each for each in judge(number(route=waiting), CLOCK) if each.cause is Cause.CONNECTION_BROKEN]
    assert "the partner has not approved the connection shop yet" in said.en
    assert "承認待ち" in said.ja


def test_an_end_that_is_not_reached_is_not_named() -> None:
    assert of(rule=PublishRule(end_when=9)) == [Cause.EQUAL]


def test_a_cap_that_does_not_bind_is_not_named() -> None:
    assert of(rule=PublishRule(maximum=10)) == [Cause.EQUAL]


def test_a_mark_older_than_a_reading_or_a_write_is_a_reading_that_may_be_too_old() -> None:
    marked = cell(marked_at=NOW, read_due=NOW + timedelta(seconds=3))
    assert of(cell=replace(marked, read_answered_at=NOW - timedelta(seconds=1))) == [Cause.EQUAL]
    assert of(cell=replace(marked, read_answered_at=NOW))[0] is Cause.OLDER_READING
    assert of(cell=replace(marked, settled_at=NOW))[0] is Cause.OLDER_READING


@pytest.mark.parametrize(
    ("cause", "delta", "seconds", "found"),
    [
        ("api", -1, 60, True),
        ("sale", -1, 60, False),
        ("api", -2, 60, False),
        ("api", -1, 90 + 4 * 60, True),
        ("api", -1, 90 + 6 * 60, False),
    ],
    ids=["another app", "at the till", "another number", "just before us", "long before us"],
)
def test_a_booking_of_another_app_beside_ours_is_told_by_cause_number_and_time(
    cause: str, delta: int, seconds: float, found: bool
) -> None:
    booked = part(writes=(wrote(-1),), moves=(move(delta, cause, seconds=seconds),))
    assert (Cause.BOOKED_TOO in of(parts=(booked,))) is found


def test_only_a_sale_that_came_late_is_called_late() -> None:
    late = move(-1, "sale", happened_at=NOW - timedelta(hours=3))
    assert of(parts=(part(moves=(late,)),))[0] is Cause.LATE_SALE
    prompt = move(-1, "sale", happened_at=NOW - timedelta(seconds=70))
    assert Cause.LATE_SALE not in of(parts=(part(moves=(prompt,)),))
    counted = move(-1, "count", happened_at=NOW - timedelta(hours=3))
    assert Cause.LATE_SALE not in of(parts=(part(moves=(counted,)),))


def test_a_movement_with_two_causes_names_both() -> None:
    assert of(parts=(part(moves=(move(-3, "sale+transfer"),)),)) == [Cause.TRANSFERRED, Cause.SOLD, Cause.EQUAL]


def test_times_are_told_in_the_zone_of_the_reader() -> None:
    clock = Clock(NOW, timezone(timedelta(hours=9)))
    assert clock.tell(NOW) == "12:00:00"
    assert clock.tell(NOW - timedelta(hours=13)) == "11-20 23:00:00"


@pytest.mark.parametrize(
    ("span", "said"),
    [(12, "12 s"), (150, "2 min"), (5_400, "1 h 30 min"), (7_200, "2 h"), (180_000, "2 d 2 h"), (172_800, "2 d")],
)
def test_a_span_of_time_is_said_as_people_do(span: float, said: str) -> None:
    assert duration(timedelta(seconds=span))[1] == said


# -- arithmetic ---


def test_the_arithmetic_ends_at_the_target_whatever_the_rule() -> None:
    for buffer in (0, 3):
        for percent in (100, 33):
            for maximum in (None, 0, 4):
                for kept, held, back in ((0, 0, 0), (2, 1, 0), (-9, 0, 4), (0, 3, -5)):
                    rule = PublishRule(buffer, percent, maximum)
                    units = 20 * percent // 100 - buffer
                    share = units if maximum is None else min(units, maximum)
                    target = max(0, max(0, share + kept - held) + back)
                    made = number(
                        rule=rule,
                        parts=(part(20),),
                        effective=20,
                        kept=kept,
                        held=held,
                        cell=cell(held_back=back),
                        decision=Decision(0, target, 9, Blocked.NOT),
                    )
                    assert steps(made)[-1].result == target, (rule, kept, held, back)


def test_what_is_held_and_what_is_sold_is_taken_off_the_ledger() -> None:
    made = number(parts=(part(12, held_back=2, pending_down=-3, expected=1),), effective=7)
    assert line(steps(made))[1] == (
        "ledger pos / Tokyo: 12 − held back 2 − sold, not yet booked in the ledger 1 "
        "− sold elsewhere, on its way to the ledger 2 = 7"
    )


def test_there_is_no_arithmetic_of_a_number_that_is_not_known() -> None:
    assert steps(number(effective=None)) == ()
    assert line(()) == ("", "")


# -- codes ---


def test_a_slip_of_the_hand_is_one_character_wrong_left_out_or_too_many() -> None:
    assert {"4907", "490", "49001"} <= slips("4901")
    assert not slips("4901") & {"4901", "4910"}
    assert slips("A1") == set(), "short codes are all alike"
    assert "A-10b" not in slips("A-100")
    assert {"a-10b", "a-100b"} <= slips("a-100")
    assert slips("x" * 41) == set()


def test_an_unknown_code_is_shown_with_what_cannot_be_seen() -> None:
    said = unknown_code("A 1", [Nearest("A-1", "pos", "en", "ja")])
    assert said.en == 'No item of any connection has the code "A␠1". The nearest are "A-1" (pos).'
    assert unknown_code("A", ()).en == 'No item of any connection has the code "A".'


def test_an_unmatched_item_names_both_sides() -> None:
    said = judge_unpaired(Unpaired(ROUTE, "channel", "Tea", "A-1", Lack.UNMATCHED, ("sku",)))
    assert said.en == 'pos has no item with the same code as "A-1" of shop, so it is not matched.'
    empty = judge_unpaired(Unpaired(ROUTE, "channel", "Tea", "", Lack.NO_CODE, ("sku", "barcode")))
    assert empty.en == "At shop, Tea has nothing in sku, barcode, by which the route matches."


def test_an_alert_concerns_a_number_by_its_route_connection_or_item() -> None:
    cells = (cell(10), cell(11, "pos"))
    assert concerns(Alert("second_writer", "shop", NOW, connection_id=2), ROUTE, cells)
    assert not concerns(Alert("second_writer", "mall", NOW, connection_id=3), ROUTE, cells)
    assert concerns(Alert("runaway", "shop/key/T", NOW, 2, detail={"cell": 10}), ROUTE, cells)
    assert not concerns(Alert("runaway", "shop/other/T", NOW, 2, detail={"cell": 99}), ROUTE, cells)
    assert not concerns(Alert("brake", "pos-mall", NOW, route_id=8), ROUTE, cells)
