"""Behaviours of the catalogue: complete, exact, and never shortened by a bad answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import cast

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import Door, FilingRig, Impossible, Trouble
from inventory_sync.conformance.stage import Stage, expect, expect_equal, possible, refusal
from inventory_sync.model.ids import ItemKey
from inventory_sync.systems.errors import Bug, FileRefused, PartnerError, RetryLater
from inventory_sync.systems.port import Condition, FileCatalogue, NamedFile

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
    "A:1",
    "<b>&amp;</b>",
    "'; --",
    "%20",
)


@behaviour("The catalogue is complete: every item is listed once, however many pages or files it takes.")
async def the_catalogue_is_complete(stage: Stage) -> None:
    there = await stage.rig.fill_catalogue()
    if not stage.capabilities.catalogue_by_files:
        first = await stage.patiently(lambda: stage.client.catalogue_page(None))
        expect(first.cursor is not None, "the rig's catalogue fits one page, which shows nothing about pages")
    listed = Counter(item.key for item in await stage.catalogue())
    expect(all(times == 1 for times in listed.values()), "an item is listed twice")
    expect_equal(set(listed), set(there), "the items listed")


@behaviour("Codes are kept to the character in every field: blanks, case, zeros, width and marks that look alike.")
async def codes_are_exact(stage: Stage) -> None:
    held: dict[str, tuple[str, str]] = {}
    for field in stage.capabilities.match_fields:
        made = {code: await stage.rig.add_item(code, field) for code in AWKWARD_CODES}
        held |= {key: (field, code) for code, key in made.items() if not isinstance(key, Impossible)}
    default = stage.capabilities.match_fields[0]
    expect(any(field == default for field, _ in held.values()), f"the partner holds no {default}, which shows nothing")
    listed = {item.key: item.codes for item in await stage.catalogue()}
    for key, (field, code) in held.items():
        expect_equal(listed[ItemKey(key)].get(field), code, f"the {field} of {key} in the catalogue")
    if stage.capabilities.catalogue_by_files:
        return
    refreshed = await stage.patiently(lambda: stage.client.refresh(list(held)))
    for item in refreshed.items:
        field, code = held[item.key]
        expect_equal(item.codes.get(field), code, f"the {field} of {item.key} when asked again")
    expect_equal(len(refreshed.items), len(held), "items found again")


@behaviour("Items whose stock is not managed are marked as untracked, ordinary ones are not.")
async def untracked_items_are_marked(stage: Stage) -> None:
    untracked = possible(await stage.rig.odd_cell(Condition.UNTRACKED))
    (plain,) = await stage.rig.stock([3])
    listed = {item.key: item for item in await stage.catalogue()}
    expect(not listed[untracked.item].tracked, f"{listed[untracked.item]} counts as tracked")
    expect(listed[plain.item].tracked and not listed[plain.item].bundle, f"{listed[plain.item]} is not ordinary")


@behaviour("Bundle parents, whose stock is derived, are marked as such.")
async def bundles_are_marked(stage: Stage) -> None:
    parent = possible(await stage.rig.add_bundle())
    listed = {item.key: item for item in await stage.catalogue()}
    expect(listed[parent].bundle, f"{listed[parent]} does not count as a bundle")


@behaviour("Items asked for again are found as they are now; those that exist no more are told as gone.", Need.PAGES)
async def a_refresh_finds_and_misses(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([3])
    gone = possible(await stage.rig.odd_cell(Condition.GONE))
    found = await stage.patiently(lambda: stage.client.refresh([cell.item, gone.item]))
    expect_equal([item.key for item in found.items], [cell.item], "items found again")
    expect_equal(tuple(found.gone), (gone.item,), "items told as gone")


@behaviour("An unreadable page of the catalogue is no page: the list neither ends there nor loses an item.", Need.PAGES)
async def a_bad_page_does_not_shorten_the_catalogue(stage: Stage) -> None:
    await stage.rig.stock([1, 2, 3])
    await stage.rested()
    whole = {item.key for item in await stage.catalogue()}
    expect(len(whole) >= 3, "the catalogue lacks items before anything went wrong")
    for trouble in (Trouble.HTML, Trouble.CUT, Trouble.BROKEN_OFF, Trouble.ERROR_BEFORE):
        await stage.rested()
        stage.trouble(Door.CATALOGUE, trouble)
        error = await refusal(PartnerError, stage.client.catalogue_page(None))
        expect(isinstance(error, (RetryLater, Bug)), f"{trouble} came to {type(error).__name__}")
        expect_equal({item.key for item in await stage.catalogue()}, whole, f"the catalogue after {trouble}")


@behaviour(
    "Of a set of files with one that is cut, nothing is taken, and the refusal names file and remedy.", Need.FILES
)
async def a_cut_file_is_refused_whole(stage: Stage) -> None:
    await stage.rig.stock([1, 2, 3])
    await stage.rig.fill_catalogue()
    reader, files = await _files(stage)
    for kind, file in files.items():
        for length in (len(file.body) // 2, len(file.body) - 4):
            cut = {**files, kind: NamedFile(file.name, file.body[:length].rstrip(b"\r\n"))}
            error = await refusal(FileRefused, _read(reader, cut))
            expect(file.name in error.message, f"the refusal does not name {file.name}: {error.message}")
            expect(bool(error.remedy.strip()), "no remedy is given")


@behaviour("Files of another layout than was accepted last wait for a person's word.", Need.FILES)
async def another_layout_waits_for_a_person(stage: Stage) -> None:
    await stage.rig.stock([1, 2, 3])
    reader, files = await _files(stage)
    before = reader.read(files, accepted={}, confirmed=False)
    again = reader.read(files, accepted=before.accepted, confirmed=False)
    expect_equal(again.items, before.items, "the same files, read again")
    reader, changed = await _files(stage, another_layout=True)
    error = await refusal(FileRefused, _read(reader, changed, before.accepted))
    expect(bool(error.remedy.strip()), "no remedy is given")
    after = reader.read(changed, accepted=before.accepted, confirmed=True)
    expect_equal(after.items, before.items, "the items in the layout that a person confirmed")
    expect(after.accepted != before.accepted, "the layout that was confirmed is not kept")


async def _files(stage: Stage, *, another_layout: bool = False) -> tuple[FileCatalogue, dict[str, NamedFile]]:
    """The reader of the rig's files, and the files by what they are."""
    rig = cast(FilingRig, stage.rig)
    reader = rig.file_catalogue()
    found = {reader.kind_of(file): file for file in await rig.catalogue_files(another_layout=another_layout)}
    expect_equal(set(found), set(reader.kinds), "the kinds of files in a set")
    return reader, found


async def _read(
    reader: FileCatalogue, files: Mapping[str, NamedFile], accepted: Mapping[str, str] | None = None
) -> object:
    return reader.read(files, accepted=accepted or {}, confirmed=False)
