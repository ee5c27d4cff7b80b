"""Behaviours of notices: they arrive over HTTP, prove where they come from, and name the cell that changed."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import Mail
from inventory_sync.conformance.stage import NotApplicable, Stage, Violated, expect, expect_equal, possible
from inventory_sync.systems.errors import MalformedNotice, UnauthorizedNotice
from inventory_sync.systems.port import CellRef, Notice, NoticeKind


async def _subscribe(stage: Stage) -> str:
    url = await stage.rig.listen()
    await stage.patiently(lambda: stage.client.ensure_subscriptions(url))
    return url


async def _hear(stage: Stage) -> tuple[Mail, Notice]:
    mail = await stage.rig.mail()
    return mail, stage.rig.parser().parse(mail.headers, mail.body)


def _names(notice: Notice, cell: CellRef) -> bool:
    return any(hint.item == cell.item and hint.location in (None, cell.location) for hint in notice.cells)


@behaviour(
    "A change by somebody else arrives as a notice that names the cell, and no other number than its true one.",
    Need.NOTICES,
)
async def a_notice_names_the_cell(stage: Stage) -> None:
    if stage.rig.notice_kind is not NoticeKind.LEVELS:
        raise NotApplicable(f"the partner's notices tell of {stage.rig.notice_kind}, not of numbers")
    cells = await stage.rig.stock([10, 20])
    await _subscribe(stage)
    for cell in cells:
        await stage.rig.provoke_notice(cell)
        _, notice = await _hear(stage)
        expect_equal(notice.kind, NoticeKind.LEVELS, "what the notice is about")
        expect(_names(notice, cell), f"the notice does not name {cell}: {notice}")
        other = next(each for each in cells if each != cell)
        expect(not _names(notice, other), f"the notice names {other}, which did not change")
        for hint in notice.cells:
            expect(hint.quantity in (None, await stage.rig.truth(cell)), f"the notice hints at {hint.quantity}")


@behaviour("An order arrives as a notice of orders, once it can be listed or sooner.", Need.NOTICES, Need.ORDERS)
async def a_notice_tells_of_an_order(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    await _subscribe(stage)
    began = stage.rig.now()
    await stage.rig.provoke_notice(cell)
    _, notice = await _hear(stage)
    expect_equal(notice.kind, NoticeKind.ORDERS, "what the notice is about")
    for hint in notice.cells:
        expect(hint.item == cell.item, f"the notice names {hint.item}, which nobody ordered")
    lines = await stage.recent_orders(began)
    expect_equal([(line.cell, line.quantity) for line in lines], [(cell, 1)], "the orders that the notice told of")


@behaviour("A notice whose proof of origin was tampered with, or is missing, is refused.", Need.NOTICES)
async def a_forged_notice_is_refused(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    await _subscribe(stage)
    await stage.rig.provoke_notice(cell)
    mail, _ = await _hear(stage)
    forgeries: Mapping[str, Mail] = stage.rig.forgeries(mail)
    expect(len(forgeries) >= 2, "the rig forges too little to show anything")
    for wrong, forged in forgeries.items():
        try:
            found = stage.rig.parser().parse(forged.headers, forged.body)
        except UnauthorizedNotice:
            continue
        raise Violated(f"a notice with {wrong} was believed: {found}")


@behaviour("A notice with a good proof of origin and an unreadable body is told as malformed.", Need.NOTICES)
async def an_unreadable_notice_is_malformed(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    await _subscribe(stage)
    await stage.rig.provoke_notice(cell)
    mail, _ = await _hear(stage)
    for body in (b"", b"[]", b"null", mail.body[: len(mail.body) // 2], b"\xff\xfe{}", b"<html></html>"):
        signed = possible(stage.rig.signed(mail, body))
        try:
            found = stage.rig.parser().parse(signed.headers, signed.body)
        except MalformedNotice:
            continue
        raise Violated(f"the body {body[:20]!r} was read as {found}")


@behaviour("A notice that is delivered twice has one id; two changes have two.", Need.NOTICES)
async def a_repeated_notice_keeps_its_id(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    await _subscribe(stage)
    stage.rig.repeat_notices()
    ids: list[str] = []
    for _ in range(2):
        await stage.rig.provoke_notice(cell)
        (_, first), (_, second) = await _hear(stage), await _hear(stage)
        expect_equal(second.id, first.id, "the id of the second delivery")
        expect(bool(first.id), "a notice without an id")
        ids.append(first.id)
    expect(ids[0] != ids[1], "two changes came under one id")


@behaviour("Asking for notices again finds them in place and changes nothing.", Need.NOTICES)
async def subscriptions_are_kept(stage: Stage) -> None:
    url = await _subscribe(stage)
    again = await stage.patiently(lambda: stage.client.ensure_subscriptions(url))
    expect_equal((again.created, again.removed), ((), ()), "what asking again created and removed")
    fresh = await stage.patiently(lambda: stage.rig.client().ensure_subscriptions(url))
    expect_equal((fresh.created, fresh.removed, fresh.gap), ((), (), False), "what another client found to do")
