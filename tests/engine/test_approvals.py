"""Approvals that take days: they wait, are brought to mind after Japanese business days, and end when granted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from inventory_sync.engine import connections_care as care
from inventory_sync.engine.connections import mark_broken
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule
from inventory_sync.engine.setup import approvals
from inventory_sync.engine.setup.business_days import JAPAN, end_of_business_days, is_business_day
from inventory_sync.engine.setup.steps import StepView, guide
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, BrokenKind
from inventory_sync.systems.registry import load
from inventory_sync.systems.steps import Step, StepState
from tests.engine.apply_support import BOX, CONNECTIONS, STALL, Desk

MAKESHOP = load().get("makeshop")


class Heard:
    """An observer that counts how often people are told."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str]] = []

    def alerted(self, code: str, subject: str) -> None:
        self.alerts.append((code, subject))

    def __getattr__(self, name: str) -> object:
        return lambda *args, **kwargs: None


class Office:
    """A house whose clock a test sets, with one shop of MakeShop's classic API that waits for its code."""

    def __init__(self, pool: db.Pool) -> None:
        self.at = datetime(2026, 11, 20, 15, 0, tzinfo=JAPAN)  # a Friday; Monday is a public holiday
        self.heard = Heard()
        desk = Desk(pool)
        ambient = replace(desk.house.ambient, now=lambda: self.at)
        self.house = House(pool, ambient, "testhouse", self.heard)  # type: ignore[arg-type]
        self.pool = pool

    def day(self, month: int, day: int, hour: int = 10, year: int = 2026) -> None:
        self.at = datetime(year, month, day, hour, tzinfo=JAPAN)

    async def steps(self) -> dict[str, StepView]:
        found = await guide(self.house, MAKESHOP, connection="cart", box=BOX)
        return {view.step.key: view for view in found}

    async def state(self) -> str:
        return str(await self.pool.fetchval("select state from connections where name = 'cart'"))

    async def alerts(self) -> list[db.Record]:
        found: list[db.Record] = await self.pool.fetch("select * from alerts where closed_at is null")
        return found

    async def applied(self, days: int | None = None) -> datetime:
        return await approvals.applied(self.house, "cart", CODES, at=self.at, days=days, actor="tester")


def _codes() -> Step:
    found = approvals.approval_step(MAKESHOP, "apply_codes")
    assert found is not None
    return found


CODES = _codes()


@pytest.fixture
async def office(pool: db.Pool) -> Office:
    made = Office(pool)
    await care.add(made.house, "cart", MAKESHOP, actor="tester")
    return made


pytestmark = pytest.mark.usefixtures("partners")


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2026, 11, 20), True),
        (date(2026, 11, 21), False),
        (date(2026, 11, 23), False),  # Labour Thanksgiving Day
        (date(2026, 12, 30), True),
        (date(2026, 12, 31), False),
        (date(2027, 1, 2), False),
        (date(2027, 1, 4), True),
        (date(2026, 9, 22), False),  # between two holidays, and so one itself
        (date(2027, 3, 22), False),  # the Monday behind a holiday on a Sunday
    ],
)
def test_offices_are_closed_on_weekends_holidays_and_over_the_new_year(day: date, open_: bool) -> None:
    assert is_business_day(day) is open_


def test_a_night_in_london_is_the_next_day_in_japan() -> None:
    late = datetime.fromisoformat("2026-11-24T16:00:00+00:00")
    assert end_of_business_days(late, 1) == datetime(2026, 11, 27, tzinfo=JAPAN)


@pytest.mark.row("S0-16", "S0-17")
async def test_a_shop_whose_code_is_not_there_yet_waits_and_its_checklist_says_where_to_apply(office: Office) -> None:
    step = (await office.steps())["apply_codes"]
    assert step.state is StepState.NOT_READY
    assert "申請フォーム" in step.where_ja
    assert "form" in step.where_en
    await office.applied()
    assert await office.state() == "awaiting_approval"
    shown = await office.steps()
    assert shown["apply_codes"].state is StepState.WAITING
    assert "apply" not in shown, "the steps of the other way are not shown"
    assert "2026-11-2" in shown["apply_codes"].detail_en
    due = (await office.applied()).astimezone(JAPAN).date()
    assert f"expected before {due}" in (await office.steps())["apply_codes"].detail_en, "a day in Japan"


@pytest.mark.row("S0-18", "S0-20")
async def test_three_business_days_without_an_answer_are_brought_to_mind_once_and_then_daily(office: Office) -> None:
    due = await office.applied()
    assert due == datetime(2026, 11, 27, tzinfo=JAPAN), "a weekend and a holiday do not count"
    office.day(11, 26, 23)
    assert await approvals.remind(office.house) == 0
    office.day(11, 27, 9)
    assert await approvals.remind(office.house) == 1
    assert await approvals.remind(office.house) == 0
    [alert] = await office.alerts()
    assert (alert["code"], alert["subject"], alert["detail"]["reminders"]) == ("approval_overdue", "cart", 1)
    assert "support" in alert["detail"]["remedy"]
    office.day(11, 28, 8)
    assert await approvals.remind(office.house) == 0
    office.day(11, 28, 9)
    assert await approvals.remind(office.house) == 1
    [again] = await office.alerts()
    assert (again["id"], again["detail"]["reminders"]) == (alert["id"], 2)
    assert office.heard.alerts == [("approval_overdue", "cart")] * 2
    await approvals.granted(office.house, "cart", CODES, actor="tester")
    assert await office.alerts() == []
    office.day(12, 5)
    assert await approvals.remind(office.house) == 0


async def test_the_patience_may_be_another_number_of_days_and_starts_anew_with_a_new_application(
    office: Office,
) -> None:
    assert await office.applied(days=5) == datetime(2026, 12, 1, tzinfo=JAPAN)
    office.day(12, 1)
    assert await approvals.remind(office.house) == 1
    await office.applied()
    assert await office.alerts() == []
    assert await approvals.remind(office.house) == 0


@pytest.mark.row("S0-19")
async def test_a_code_that_is_there_already_needs_no_application(office: Office) -> None:
    assert await approvals.granted(office.house, "cart", CODES, actor="tester") == "created"
    assert await office.state() == "created"
    assert (await office.steps())["apply_codes"].state is StepState.DONE
    office.day(12, 20)
    assert await approvals.remind(office.house) == 0


async def test_what_was_granted_ends_the_wait_and_both_are_in_the_audit_log(office: Office) -> None:
    await office.applied()
    assert await approvals.granted(office.house, "cart", CODES, actor="tester") == "created"
    assert (await office.steps())["apply_codes"].state is StepState.DONE
    said = await office.pool.fetch("select action, before, after from audit order by id")
    assert [each["action"] for each in said] == ["connection.added", "connection.applied_for", "connection.granted"]
    assert (said[2]["before"]["state"], said[2]["after"]["state"]) == ("awaiting_approval", "created")


async def test_a_day_that_lies_ahead_is_refused(office: Office) -> None:
    ahead = office.at + timedelta(days=1)
    with pytest.raises(RefusedByRule) as caught:
        await approvals.applied(office.house, "cart", CODES, at=ahead, days=None, actor="tester")
    assert caught.value.code == "IS-CON-038"
    assert await office.state() == "created"


def test_a_system_with_two_approvals_asks_which_one_is_meant() -> None:
    with pytest.raises(NoSuch, match="apply, apply_codes"):
        approvals.approval_step(MAKESHOP, None)
    assert approvals.approval_step(MAKESHOP, None, ("classic",)) is CODES
    assert approvals.approval_step(STALL, None) is None


def test_the_steps_say_to_copy_the_code_and_never_to_issue_a_new_one() -> None:
    for key in ("product_code", "order_code"):
        step = next(each for each in MAKESHOP.steps if each.key == key)
        assert "never issue a new one" in step.title_en
        assert "再発行はしない" in step.title_ja
    shared = next(each for each in MAKESHOP.steps if each.key == "product_code")
    assert "Other tools share the code" in shared.where_en
    assert "ほかのツールも同じコード" in shared.where_ja


async def test_a_partner_that_accepts_the_connection_ends_its_wait(pool: db.Pool) -> None:
    desk = Desk(pool)
    await care.add(desk.house, "shop", STALL, actor="tester")
    await approvals.applied(desk.house, "shop", None, at=None, days=None, actor="tester")
    await desk.apply(CONNECTIONS)
    row = await pool.fetchrow(
        "select n.state, s.granted_at from connections n join setup_steps s on s.connection_id = n.id"
    )
    assert (row["state"], row["granted_at"] is not None) == ("linked", True)
    with pytest.raises(RefusedByRule) as caught:
        await approvals.applied(desk.house, "shop", None, at=None, days=None, actor="tester")
    assert caught.value.code == "IS-CON-037"


async def test_a_scope_that_was_applied_for_stays_awaited_while_the_partner_has_not_granted_it(pool: db.Pool) -> None:
    desk = Desk(pool)
    await desk.apply(CONNECTIONS)
    number = await pool.fetchval("select id from connections where name = 'shop'")
    lacking = Broken("A scope is missing.", kind=BrokenKind.SCOPE, remedy="Have it approved.", code="IS-DMO-004")
    await mark_broken(desk.house, number, "shop", lacking)
    await approvals.applied(desk.house, "shop", None, at=None, days=None, actor="tester")
    await mark_broken(desk.house, number, "shop", lacking)
    row = await pool.fetchrow("select state, retry_at from connections where name = 'shop'")
    assert row["state"] == "awaiting_approval"
    assert row["retry_at"] is not None, "it is tried again, and goes on by itself"
