"""Behaviours of the catalogue: complete, exact, and never shortened by a bad answer."""

from __future__ import annotations

from collections import Counter

from inventory_sync.conformance.book import behaviour
from inventory_sync.conformance.rig import Door, Impossible, Trouble
from inventory_sync.conformance.stage import Stage, expect, expect_equal, possible, refusal
from inventory_sync.systems.errors import Bug, PartnerError, RetryLater
from inventory_sync.systems.port import Condition

# Codes that a helpful program would "mend": blanks, case, leading zeros, width, marks that look alike.
AWKWARD_CODES = (
    "A-1",
    "a-1",
    "A-1 ",
    " A-1",
    "A-1  ",
    "A  1",
    "00123",
    "123",
    "4.90E+12",
    "A\u20101",
    "Ａ-1",
    "が",
    "か\u3099",
    "<b>&amp;</b>",
    "'; --",
    "%20",
)


@behaviour("The catalogue comes page by page, every item once, none left out.")
async def the_catalogue_is_complete(stage: Stage) -> None:
    there = stage.rig.fill_catalogue()
    first = await stage.patiently(lambda: stage.client.catalogue_page(None))
    expect(first.cursor is not None, "the rig's catalogue fits one page, which shows nothing about pages")
    listed = Counter(item.key for item in await stage.catalogue())
    expect(all(times == 1 for times in listed.values()), "an item is listed twice")
    expect_equal(set(listed), set(there), "the items listed")


@behaviour("Codes are kept to the character: blanks, case, zeros, width and marks that look alike.")
async def codes_are_exact(stage: Stage) -> None:
    field = stage.capabilities.match_fields[0]
    held = {code: stage.rig.add_item(code) for code in AWKWARD_CODES}
    keys = {key: code for code, key in held.items() if not isinstance(key, Impossible)}
    expect(len(keys) > 1, "the partner holds none of the codes, which shows nothing")
    listed = {item.key: item.codes.get(field) for item in await stage.catalogue()}
    for key, code in keys.items():
        expect_equal(listed.get(key), code, f"the {field} of {key} in the catalogue")
    refreshed = await stage.patiently(lambda: stage.client.refresh(list(keys)))
    for item in refreshed.items:
        expect_equal(item.codes.get(field), keys[item.key], f"the {field} of {item.key} when asked again")
    expect_equal(len(refreshed.items), len(keys), "items found again")


@behaviour("Items whose stock is not managed are marked as untracked, ordinary ones are not.")
async def untracked_items_are_marked(stage: Stage) -> None:
    untracked = possible(stage.rig.odd_cell(Condition.UNTRACKED))
    (plain,) = stage.rig.stock([3])
    listed = {item.key: item for item in await stage.catalogue()}
    expect(not listed[untracked.item].tracked, f"{listed[untracked.item]} counts as tracked")
    expect(listed[plain.item].tracked and not listed[plain.item].bundle, f"{listed[plain.item]} is not ordinary")


@behaviour("Bundle parents, whose stock is derived, are marked as such.")
async def bundles_are_marked(stage: Stage) -> None:
    parent = possible(stage.rig.add_bundle())
    listed = {item.key: item for item in await stage.catalogue()}
    expect(listed[parent].bundle, f"{listed[parent]} does not count as a bundle")


@behaviour("Items asked for again are found as they are now; those that exist no more are told as gone.")
async def a_refresh_finds_and_misses(stage: Stage) -> None:
    (cell,) = stage.rig.stock([3])
    gone = possible(stage.rig.odd_cell(Condition.GONE))
    found = await stage.patiently(lambda: stage.client.refresh([cell.item, gone.item]))
    expect_equal([item.key for item in found.items], [cell.item], "items found again")
    expect_equal(tuple(found.gone), (gone.item,), "items told as gone")


@behaviour("An unreadable page of the catalogue is no page: the list neither ends there nor loses an item.")
async def a_bad_page_does_not_shorten_the_catalogue(stage: Stage) -> None:
    stage.rig.stock([1, 2, 3])
    await stage.rested()
    whole = {item.key for item in await stage.catalogue()}
    expect(len(whole) >= 3, "the catalogue lacks items before anything went wrong")
    for trouble in (Trouble.HTML, Trouble.CUT, Trouble.BROKEN_OFF, Trouble.ERROR_BEFORE):
        await stage.rested()
        stage.rig.trouble(Door.CATALOGUE, trouble)
        error = await refusal(PartnerError, stage.client.catalogue_page(None))
        expect(isinstance(error, (RetryLater, Bug)), f"{trouble} came to {type(error).__name__}")
        expect_equal({item.key for item in await stage.catalogue()}, whole, f"the catalogue after {trouble}")
