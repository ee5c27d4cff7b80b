"""What runs by itself: each job with its trigger, a switch of its own, and the time of its next run."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.engine import jobs, overview, routes, schedule
from inventory_sync.engine.named import NoSuch
from tests.engine.apply_support import RUNNING, Desk

DAY = timedelta(days=1)


async def known(desk: Desk) -> dict[str, Any]:
    return {each["name"]: each for each in (await overview.overview(desk.house))["jobs"]}


async def key(desk: Desk, action: str, connection: str) -> str:
    number = await desk.pool.fetchval("select id from connections where name = $1", connection)
    return f"{action}:{number}"


@pytest.mark.row("S3-23")
async def test_every_job_is_listed_with_its_trigger_and_the_time_of_its_next_run(desk: Desk) -> None:
    assert await known(desk) == {}
    await desk.apply(RUNNING)
    found = await known(desk)
    assert set(found) == {"catalogue:pos", "reconcile:pos", "catalogue:shop", "reconcile:shop", "push:pos-shop"}
    assert (found["push:pos-shop"]["trigger"], found["push:pos-shop"]["next_at"]) == ("event", None)
    assert found["reconcile:pos"]["next_at"] <= desk.house.now(), "what never ran is due"
    assert await schedule.claim(desk.house, await key(desk, "reconcile", "pos"), schedule.RECONCILE)
    after = (await known(desk))["reconcile:pos"]
    assert after["last_at"] is not None
    assert timedelta(hours=6) <= after["next_at"] - after["last_at"] <= timedelta(hours=6) * (1 + schedule.SPREAD)


@pytest.mark.row("S3-13")
async def test_a_job_is_switched_off_and_on_alone(desk: Desk) -> None:
    await desk.apply(RUNNING)
    reconcile, other = await key(desk, "reconcile", "pos"), await key(desk, "reconcile", "shop")
    await jobs.switch(desk.house, "reconcile:pos", on=False, actor="tester")
    found = await known(desk)
    assert [name for name, job in found.items() if not job["enabled"]] == ["reconcile:pos", "push:pos-shop"]
    assert not (await schedule.claim(desk.house, reconcile, schedule.RECONCILE))[0]
    assert (await schedule.claim(desk.house, other, schedule.RECONCILE))[0], "every other job goes on"
    await jobs.switch(desk.house, "reconcile:pos", on=True, actor="tester")
    assert (await schedule.claim(desk.house, reconcile, schedule.RECONCILE))[0], "it is overdue, and runs"
    said = [
        r["action"] for r in await desk.pool.fetch("select action from audit where action like 'job.%' order by id")
    ]
    assert said == ["job.switched_off", "job.switched_on"]
    for name in ("push:pos-shop", "reconcile:nobody"):
        with pytest.raises(NoSuch):
            await jobs.switch(desk.house, name, on=False, actor="tester")


@pytest.mark.row("S3-17")
async def test_what_a_route_writes_has_a_switch_of_its_own_and_reading_goes_on_without_it(desk: Desk) -> None:
    await desk.prepare()
    made = await routes.make_preview(desk.house, "pos-shop")
    await routes.start(desk.house, "pos-shop", preview_id=made.id, actor="tester")
    assert (await known(desk))["push:pos-shop"]["enabled"]
    await routes.stop(desk.house, "pos-shop", actor="tester")
    found = await known(desk)
    assert not found["push:pos-shop"]["enabled"]
    assert all(job["enabled"] for job in found.values() if job["trigger"] == "time")
    await jobs.switch(desk.house, "reconcile:shop", on=False, actor="tester")
    await routes.start(desk.house, "pos-shop", preview_id=None, actor="tester")
    found = await known(desk)
    assert found["push:pos-shop"]["enabled"], "and the other way round"
    assert not found["reconcile:shop"]["enabled"]


@pytest.mark.row("S3-42")
async def test_a_due_job_is_taken_once_across_replicas_and_once_after_a_downtime(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, trigger = "reconcile:7", schedule.RECONCILE
    taken = await asyncio.gather(*(schedule.claim(desk.house, name, trigger) for _ in range(5)))
    assert sorted(each[0] for each in taken) == [False] * 4 + [True]
    _, following = await schedule.claim(desk.house, name, trigger)
    last = desk.house.now()
    assert following > last
    long_after = last + 3 * DAY
    assert schedule.following(name, trigger, last, long_after) == long_after, "one run is owed, not twelve"
    assert schedule.following(name, trigger, long_after, long_after) > long_after, "and then the next is a while away"
    assert schedule.following(name, trigger, long_after, last) == last, "a clock that jumped back delays nothing"
    spread = {schedule.following(f"reconcile:{number}", trigger, last, last) - last for number in range(20)}
    assert len(spread) > 15, "the jobs of many connections do not start at once"
    assert max(spread) - min(spread) <= timedelta(hours=6) * schedule.SPREAD
