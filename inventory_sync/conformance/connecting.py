"""Behaviours of a connection: who it belongs to, what it may do, and what happens when it may not any more."""

from __future__ import annotations

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import Door, Trouble
from inventory_sync.conformance.stage import NotApplicable, Stage, expect, expect_equal, possible, refusal
from inventory_sync.systems.errors import Broken, BrokenKind, RetryLater
from inventory_sync.systems.port import Applied, CellRef


@behaviour("A connection test names the shop it belongs to, the same every time.")
async def a_test_names_the_shop(stage: Stage) -> None:
    first = await stage.patiently(stage.client.verify)
    again = await stage.patiently(stage.rig.client().verify)
    expect(bool(first.identity), "the connection test names no identity")
    expect_equal(again.identity, first.identity, "the identity in a second test")
    hint = stage.rig.identity_hint
    expect(hint in first.identity or hint in first.name, f"neither identity nor name says {hint!r}: {first}")


@behaviour(
    "Each secret that is wrong breaks the connection as a refused credential, and says what a person does about it."
)
async def a_wrong_secret_is_named(stage: Stage) -> None:
    makers = stage.rig.clients_with_a_wrong_secret()
    expect(bool(makers), "the rig names no secret, which shows nothing")
    for name, make in makers.items():
        error = await refusal(Broken, stage.patiently(make().verify))
        expect_equal(error.kind, BrokenKind.CREDENTIAL, f"the kind of a connection with a wrong {name}")
        expect(bool(error.remedy.strip()), f"no remedy is given for a wrong {name}")
        expect_no_secret(stage, error)


@behaviour("Every right that is missing is named by the connection test, and granting it is enough.")
async def a_missing_right_is_named(stage: Stage) -> None:
    rights = possible(stage.rig.rights)
    expect(bool(rights), "the rig names no right to withdraw")
    for right in rights:
        await stage.rig.withdraw_right(right)
        error = await refusal(Broken, stage.patiently(stage.client.verify))
        expect_equal(error.kind, BrokenKind.SCOPE, f"the kind of a connection without {right}")
        expect(right in error.message, f"the message does not name {right}: {error.message}")
        expect(bool(error.remedy.strip()), "no remedy is given")
        await stage.rig.grant_right(right)
        await stage.patiently(stage.client.verify)


@behaviour("A token that ran out is renewed once, and the read goes through.")
async def an_expired_token_is_renewed_for_a_read(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([7])
    await stage.rested()
    before = await _expire(stage)
    await stage.expect_read(cell)
    expect_equal(stage.rig.tokens_issued - before, 1, "tokens asked for")


@behaviour("A token that ran out is renewed once, and the write goes through once.")
async def an_expired_token_is_renewed_for_a_write(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([7])
    await stage.rested()
    sent = await stage.plan((cell, -2))
    before = await _expire(stage)
    outcome = await stage.send_one(sent)
    expect(isinstance(outcome, Applied), f"the write after a renewal came to {outcome}")
    expect_equal(stage.rig.tokens_issued - before, 1, "tokens asked for")
    await stage.expect_effects(cell, [-2], "a write with a renewed token")


@behaviour("A sign-in that fails for a while is an outage, not a refused credential.")
async def a_sign_in_outage_is_no_refusal(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([7])
    await stage.rested()
    await _expire(stage)
    for trouble in (Trouble.ERROR_BEFORE, Trouble.LOST_BEFORE, Trouble.HTML):
        stage.trouble(Door.SIGN_IN, trouble)
        error = await refusal(RetryLater, _read_once(stage, cell))
        expect(error.after > 0, f"no time to wait after {trouble} at sign-in")
        await stage.rig.pause(error.after)
    await stage.expect_read(cell)


@behaviour("Credentials that were revoked break the connection, for reads and writes, and nothing is carried out.")
async def revoked_credentials_break_the_connection(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([7])
    await stage.rested()
    sent = await stage.plan((cell, -2))
    await stage.rig.revoke_credentials()
    for ask in (lambda: stage.client.read([cell], changed_since=None), lambda: stage.try_send(sent)):
        error = await refusal(Broken, stage.patiently(ask))
        expect(
            error.kind in (BrokenKind.CREDENTIAL, BrokenKind.UNINSTALLED),
            f"revoked credentials count as {error.kind}",
        )
        expect(bool(error.remedy.strip()), "no remedy is given")
        expect_no_secret(stage, error)
    await stage.expect_effects(cell, [], "revoked credentials")


@behaviour("Locations are listed, and those that must not get a number are not offered.", Need.LOCATIONS)
async def locations_are_listed(stage: Stage) -> None:
    found = {place.key: place for place in await stage.patiently(stage.client.locations)}
    usable = stage.rig.usable_location
    expect(usable in found, f"the usable location {usable} is not listed")
    expect(found[usable].active and found[usable].mappable, f"{found[usable]} is not offered")
    expect(bool(found[usable].name), "a location without a name")
    for key in stage.rig.unusable_locations:
        place = found.get(key)
        expect(place is not None, f"the unusable location {key} is not listed, so nobody learns why")
        expect(place is None or not (place.active and place.mappable), f"{place} is offered")


def expect_no_secret(stage: Stage, error: Broken) -> None:
    """No secret stands in what a person or a log gets to see."""
    for secret in stage.rig.secrets:
        expect(secret not in error.message and secret not in error.remedy, "a secret stands in an error")


async def _expire(stage: Stage) -> int:
    """End the tokens there are; returns how many were given out so far."""
    before = stage.rig.tokens_issued
    if not await stage.rig.expire_tokens():
        raise NotApplicable("the token of this connection does not expire")
    return before


async def _read_once(stage: Stage, cell: CellRef) -> object:
    return await stage.client.read([cell], changed_since=None)
