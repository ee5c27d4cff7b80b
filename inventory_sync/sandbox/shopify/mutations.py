"""The rules that stand before every stock mutation: which arguments must be there, and what a repeated key does.

Order as recorded: a row without `changeFromQuantity` is refused first, then a missing `@idempotent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inventory_sync.sandbox.shopify import texts
from inventory_sync.sandbox.shopify.core import Run
from inventory_sync.sandbox.shopify.idempotency import KeyState, fingerprint
from inventory_sync.sandbox.shopify.plan import Resolver
from inventory_sync.sandbox.shopify.texts import FieldFault, user_error
from inventory_sync.sandbox.shopify.webhooks import Occasion

Payload = dict[str, Any]
#: Carries a mutation out: (run, arguments, occasion) → payload.
Mutate = Callable[[Run, Mapping[str, Any], Occasion], Payload]

_KEY_ERRORS = {
    KeyState.MISMATCH: ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", texts.KEY_MISMATCH),
    KeyState.IN_PROGRESS: ("IDEMPOTENCY_CONCURRENT_REQUEST", texts.KEY_IN_PROGRESS),
    KeyState.FAILED: ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", texts.KEY_FAILED),
}


def guarded(
    name: str, mutate: Mutate, empty: Payload, *, key_required: bool, rows: tuple[str, str] | None = None
) -> Resolver:
    """The resolver of a mutation. `empty` is its payload without results; `rows` names the list and the type of its
    rows that must carry `changeFromQuantity`."""

    def resolve(source: Any, arguments: Mapping[str, Any], run: Run) -> Payload:
        if rows:
            _require_change_from(run, arguments["input"][rows[0]], rows[1])
        key = _key(run, name, key_required)
        if key is None:
            return mutate(run, arguments, _occasion(run, name, ""))
        owner = (run.shop.domain, run.core.access.client_id, key)
        state, result = run.core.keys.begin(owner, fingerprint(name, arguments), run.now, run.core.switches)
        if state is KeyState.REPLAY:
            return dict(result)
        if state is not KeyState.NEW:
            if state is KeyState.MISMATCH:
                run.core.violate(run.now, "idempotency_key_reused", f"{name} with other variables under key {key}")
            code, message = _KEY_ERRORS[state]
            return empty | {"userErrors": [user_error(None, message, code)]}
        if run.core.failures_planned:
            run.core.failures_planned -= 1
            run.core.keys.fail(owner)
            raise FieldFault(texts.INTERNAL.format(request=key), "INTERNAL_SERVER_ERROR", {"requestId": key})
        payload = mutate(run, arguments, _occasion(run, name, key))
        run.core.keys.finish(owner, payload, refused=bool(payload["userErrors"]))
        return payload

    return resolve


def _occasion(run: Run, name: str, key: str) -> Occasion:
    return Occasion(run.now, "client", name, key, run.core.webhooks.new_event_id())


def _require_change_from(run: Run, rows: list[Mapping[str, Any]], row_type: str) -> None:
    if all("changeFromQuantity" in row for row in rows):
        return
    extra = run.variable_locations.get("input")
    extensions = {"also_at": extra} if extra else {}
    raise FieldFault(texts.MISSING_CHANGE_FROM.format(row=row_type), "INVALID_FIELD_ARGUMENTS", extensions)


def _key(run: Run, name: str, required: bool) -> str | None:
    field = run.field_now
    if field is None or not field.plan.idempotent:
        if required:
            run.core.violate(run.now, "idempotency_key_missing", name)
            raise FieldFault(texts.IDEMPOTENT_REQUIRED, "BAD_REQUEST")
        return None
    if not (field.idempotency_key or "").strip():
        run.core.violate(run.now, "idempotency_key_missing", f"{name} with a blank key")
        raise FieldFault(texts.BLANK_KEY, "BAD_REQUEST")
    return field.idempotency_key
