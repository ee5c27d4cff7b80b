"""What became of every op of a batch, from Shopify's answer to the mutation.

All user-error answers that were observed carry no adjustment group: the call is treated as all or nothing, and where a
group comes together with errors the rows it lists count as carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Doubt, RetryLater, Stale
from inventory_sync.systems.port import Applied, NotApplied, OpOutcome, PlannedOp, Rejected, Split
from inventory_sync.systems.shopify.classify import UnexpectedAnswer, bug, user_messages
from inventory_sync.systems.shopify.problems import say
from inventory_sync.systems.shopify.shapes import moment, obj, objects, text

Outcomes = Mapping[OpId, OpOutcome] | Split

QUANTITY = "available"
COMMITTED = "committed"  # taken by orders and not shipped; never written
RETRY_CONCURRENT = 2.0
CHANGED_NOTHING = NotApplied(say("IS-SHP-057"), "IS-SHP-057")


class Fate(StrEnum):
    """What a user-error code says about the call it came with."""

    ROW = "row"  # one row is at fault
    CALL = "call"  # the call failed as a whole, and may be tried under a new key
    WAIT = "wait"  # the same request is under way
    STALE = "stale"
    OURS = "ours"


# Every code of the adjust mutation in API 2026-04 … 2026-10 (enum InventoryAdjustQuantitiesUserErrorCode), and what
# older or newer versions may send in their place.
USER_ERRORS: Mapping[str, tuple[Fate, str]] = {
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": (Fate.OURS, "IS-SHP-033"),
    "INTERNAL_LEDGER_DOCUMENT": (Fate.OURS, "IS-SHP-034"),
    "INVALID_AVAILABLE_DOCUMENT": (Fate.OURS, "IS-SHP-034"),
    "INVALID_LEDGER_DOCUMENT": (Fate.OURS, "IS-SHP-034"),
    "INVALID_QUANTITY_DOCUMENT": (Fate.OURS, "IS-SHP-034"),
    "INVALID_QUANTITY_NAME": (Fate.OURS, "IS-SHP-034"),
    "INVALID_REASON": (Fate.OURS, "IS-SHP-034"),
    "INVALID_REFERENCE_DOCUMENT": (Fate.OURS, "IS-SHP-034"),
    "MAX_ONE_LEDGER_DOCUMENT": (Fate.OURS, "IS-SHP-034"),
    "IDEMPOTENCY_CONCURRENT_REQUEST": (Fate.WAIT, "IS-SHP-041"),
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": (Fate.CALL, "IS-SHP-042"),
    "CHANGE_FROM_QUANTITY_STALE": (Fate.STALE, "IS-SHP-040"),
    "ADJUST_QUANTITIES_FAILED": (Fate.CALL, "IS-SHP-043"),
    "SERVICE_UNAVAILABLE": (Fate.CALL, "IS-SHP-043"),
    "INVALID_INVENTORY_ITEM": (Fate.ROW, "IS-SHP-050"),
    "INVALID_LOCATION": (Fate.ROW, "IS-SHP-051"),
    "ITEM_NOT_STOCKED_AT_LOCATION": (Fate.ROW, "IS-SHP-055"),
    "NON_MUTABLE_INVENTORY_ITEM": (Fate.ROW, "IS-SHP-052"),
    "INVALID_QUANTITY_TOO_HIGH": (Fate.ROW, "IS-SHP-053"),
    "INVALID_QUANTITY_TOO_LOW": (Fate.ROW, "IS-SHP-053"),
}
_UNKNOWN = (Fate.ROW, "IS-SHP-054")

# inventoryActivate's user errors carry no code; these are the documented sentences of the idempotency page, without
# their ends. That they appear in this mutation so is not documented.
ACTIVATION_UNDER_WAY = "currently in progress"
ACTIVATION_FAILED_BEFORE = "previous request with this idempotency key failed"


def of_adjustment(data: Mapping[str, Any], ops: Sequence[PlannedOp]) -> Outcomes:
    """Outcomes of an adjustment.

    Raises RetryLater(executed=None), Stale, Bug, Doubt, or UnexpectedAnswer where the reply has not its own shape.
    """
    payload = obj(data.get("inventoryAdjustQuantities"))
    errors = objects(payload.get("userErrors"))
    group = payload.get("inventoryAdjustmentGroup")
    if not errors:
        return _of_group(group, ops)
    fates = [(*USER_ERRORS.get(str(each.get("code")), _UNKNOWN), each) for each in errors]
    _refuse_call(fates)
    carried_out = _of_group(group, ops) if group is not None else {}
    whole = [each for each in fates if each[0] is Fate.CALL]
    if whole:
        _, code, error = whole[0]
        untouched = NotApplied(say(code, user_messages([error])), code)
        return {op.op: _kept(carried_out, op) or untouched for op in ops}
    return _of_rows(fates, ops, carried_out)


def _refuse_call(fates: Sequence[tuple[Fate, str, Mapping[str, Any]]]) -> None:
    """Raise for the fates that decide over the whole call, the gravest first."""
    for fate in (Fate.OURS, Fate.WAIT, Fate.STALE):
        for found, code, error in fates:
            if found is not fate:
                continue
            detail = user_messages([error])
            if fate is Fate.OURS:
                raise bug(code, detail)
            if fate is Fate.WAIT:
                raise RetryLater(say(code), after=RETRY_CONCURRENT, executed=None, code=code)
            raise Stale(say(code, detail), code=code)


def _of_rows(
    fates: Sequence[tuple[Fate, str, Mapping[str, Any]]],
    ops: Sequence[PlannedOp],
    carried_out: Mapping[OpId, OpOutcome],
) -> Outcomes:
    refused: dict[int, Rejected] = {}
    for _, code, error in fates:
        row = 0 if len(ops) == 1 else _row(error, len(ops))
        if row is not None:
            refused.setdefault(row, Rejected(say(code, user_messages([error])), code))
    if not refused:
        return Split(say(fates[0][1], user_messages([error for _, _, error in fates])), fates[0][1])
    neighbour = NotApplied(say("IS-SHP-056"), "IS-SHP-056")
    return {op.op: refused.get(index) or _kept(carried_out, op) or neighbour for index, op in enumerate(ops)}


def _kept(carried_out: Mapping[OpId, OpOutcome], op: PlannedOp) -> Applied | None:
    found = carried_out.get(op.op)
    return found if isinstance(found, Applied) else None


def _row(error: Mapping[str, Any], count: int) -> int | None:
    """The row a user error names in its path, such as ["input", "changes", "3", "locationId"], or None."""
    path = error.get("field")
    if not isinstance(path, list) or len(path) < 3 or path[1] not in ("changes", "quantities"):
        return None
    part = str(path[2])
    return int(part) if part.isascii() and part.isdigit() and int(part) < count else None


def _of_group(group: Any, ops: Sequence[PlannedOp]) -> dict[OpId, OpOutcome]:
    """Outcomes of a success: an op is carried out if its row is listed.

    A success without a group changed nothing (observed). A repeat under the same key is rebuilt from the database and
    may differ from the first answer (documented), so a listed row counts even if its number is another, as long as it
    goes the same way; a row that lost its item or location leaves doubt about the rows that are not found.
    """
    if group is None:
        return {op.op: CHANGED_NOTHING for op in ops}
    group = obj(group)
    applied = Applied(text(group.get("id")), moment(group.get("createdAt")))
    told: Counter[tuple[str, str]] = Counter()
    nameless = False
    for change in objects(group.get("changes")):
        if change.get("name") != QUANTITY:
            continue
        item, location, delta = change.get("item"), change.get("location"), change.get("delta")
        if not isinstance(delta, int):
            raise UnexpectedAnswer("a change without a delta")
        if item is None or location is None:
            nameless = True
        else:
            told[(text(obj(item).get("id")), text(obj(location).get("id")))] += delta
    outcomes: dict[OpId, OpOutcome] = {}
    for op in ops:
        delta = told.get((op.cell.item, op.cell.location))
        if delta is None and not nameless:
            outcomes[op.op] = CHANGED_NOTHING
        elif delta is None or (delta > 0) is not (op.delta > 0) or delta == 0:
            raise Doubt(say("IS-SHP-004", "the changes listed do not fit the changes asked for"), code="IS-SHP-004")
        else:
            outcomes[op.op] = applied
    return outcomes


def of_activation(data: Mapping[str, Any], ops: Sequence[PlannedOp]) -> Outcomes:
    """Outcomes of an activation, the same for every op given.

    Raises RetryLater(executed=None), or UnexpectedAnswer where the reply has not its own shape.
    """
    payload = obj(data.get("inventoryActivate"))
    errors = objects(payload.get("userErrors"))
    level = payload.get("inventoryLevel")
    outcome: OpOutcome
    if level is not None and obj(level).get("isActive") is True:
        outcome = Applied(text(level.get("id")))
    elif not errors:
        outcome = CHANGED_NOTHING
    else:
        words = user_messages(errors)
        if ACTIVATION_UNDER_WAY in words:
            raise RetryLater(say("IS-SHP-041"), after=RETRY_CONCURRENT, executed=None, code="IS-SHP-041")
        if ACTIVATION_FAILED_BEFORE in words:
            outcome = NotApplied(say("IS-SHP-042"), "IS-SHP-042")
        else:
            outcome = Rejected(say("IS-SHP-055", words), "IS-SHP-055")
    return {op.op: outcome for op in ops}
