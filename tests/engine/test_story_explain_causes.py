"""For each cause that `explain` has to tell apart: a story creates it, and `explain` names it in both languages."""

from __future__ import annotations

import pytest

from inventory_sync.cli.partners import problems_in_japanese
from inventory_sync.engine.explain import Cause
from tests.engine.conftest import Furnish
from tests.engine.explain_stories import NAMED, STORIES
from tests.engine.explain_support import Story, ask


@pytest.mark.parametrize("named", NAMED)
def test_every_cause_that_people_ask_about_has_a_story(named: str) -> None:
    assert any(story.named == named for story in STORIES), f"nothing creates the cause {named!r}"


def test_no_story_is_about_a_cause_that_nobody_listed() -> None:
    assert {story.named for story in STORIES} <= set(NAMED)


@pytest.mark.parametrize("story", STORIES, ids=[f"{each.named} {each.code}" for each in STORIES])
async def test_the_cause_is_named_in_japanese_and_english(furnished: Furnish, story: Story) -> None:
    bench = await story.happens(furnished)
    found = await ask(bench, story.code, route="pos-shop")
    said = [finding for made in found.lines for finding in made.findings] + [each for _, each in found.unpaired]
    told = [each for each in said if each.cause is story.cause]
    assert told, f"{story.cause} is not among {[each.cause for each in said]}"
    assert any(story.en in each.en for each in told), [each.en for each in told]
    assert any(story.ja in each.ja for each in told), [each.ja for each in told]
    if story.first:
        assert told[0].en in found.en, found.en
        assert told[0].ja in found.ja, found.ja


@pytest.mark.parametrize(
    ("named", "cause", "ja"),
    [
        (
            "connection broken",
            Cause.CONNECTION_BROKEN,
            (
                "接続 shop が使えません。ショップが未払いのため凍結されています(HTTP 402",
                ")。対処: Shopify 管理画面で支払いを",
            ),
        ),
        (
            "quarantined",
            Cause.QUARANTINED,
            ("取引先が書き込みを拒否しました。商品が Shopify に存在しません(The specified inventory item", ")。"),
        ),
    ],
)
async def test_what_a_partner_refused_is_said_in_japanese_too(
    furnished: Furnish, named: str, cause: Cause, ja: tuple[str, ...]
) -> None:
    [story] = [each for each in STORIES if each.named == named]
    bench = await story.happens(furnished)
    found = await ask(bench, story.code, problems=problems_in_japanese())
    assert all(part in found.ja for part in ja)
    assert found.lines[0].findings[0].cause is cause
    timeline = " ".join(each.ja for each in found.events)
    assert "アラート発生: " in timeline
    assert "ルートを開始 (person)" in timeline
    assert not {"quarantined", "in_flight", "route.started"} & set(timeline.replace("(", " ").split())
