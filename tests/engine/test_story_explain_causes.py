"""For each cause that `explain` has to tell apart: a story creates it, and `explain` names it in both languages."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Furnish
from tests.engine.explain_stories import NAMED, STORIES, Story
from tests.engine.explain_support import ask


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
