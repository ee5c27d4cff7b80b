"""Where a route stands between draft and running, what blocks it, and the order in which its steps are taken.

The stored state is `draft | stopped | watching | running | blocked`. How far the set-up has come (`located`, `matched`)
follows from what is there, so that no stored copy of it can be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from inventory_sync.engine.named import NoSuch
from inventory_sync.engine.route_words import Blocker, Step, blocker, connection_code, in_words
from inventory_sync.engine.stored import NEEDS_CALIBRATION
from inventory_sync.store import db
from inventory_sync.store.db import Connection

LONG_STOP = timedelta(days=30)
"""A route that stood still for longer than this is aligned anew. Orders and lists of changed levels are read back no
further (`orders.LONGEST_REACH`, `poll.LONGEST_WINDOW`): what moved before is known as one net difference at best, and
in a month people have corrected numbers by hand on both sides."""

ORDER = tuple(Step)
UNTIL_MATCHED = frozenset({Step.CONNECT, Step.LOCATIONS, Step.FIELDS, Step.MATCH})


async def facts(conn: Connection, route: db.Record) -> db.Record:
    """What a route's state depends on besides its own row."""
    found = await db.row(conn, "route_facts", route_id=route["id"])
    if found is None:
        raise NoSuch(
            f"There is no route {route['name']!r} any more.",
            f"ルート「{route['name']}」はもうありません。",
        )
    return found


async def hindrances(conn: Connection, route: db.Record, found: db.Record | None = None) -> list[Blocker]:
    """What has to be there before a person may enable a route, in the order in which it is mended."""
    name = route["name"]
    known = found or await facts(conn, route)
    blocked = [*_of_connections(name, known)]
    if not known["located"]:
        blocked.append(blocker("no_locations", name))
    missing = [known[side] for side in ("ledger", "channel") if not known[f"{side}_catalogue"]]
    without = [blocker("catalogue_missing", name, subject) for subject in missing]
    if known["mapped"]:
        return blocked + without  # one that was linked again is fetched whole before anything else
    blocked += await _empty_fields(conn, route, known)
    blocked += without
    blocked.append(blocker("unmapped" if known["unmapped_at"] is not None else "nothing_matched", name))
    return blocked


def _of_connections(name: str, known: db.Record) -> Iterable[Blocker]:
    for side in ("ledger", "channel"):
        if known[f"{side}_state"] != "linked":
            yield blocker(connection_code(known[f"{side}_state"]), name, known[side])
    for side in ("ledger", "channel"):
        if known[f"{side}_calibration"].get(NEEDS_CALIBRATION):
            yield blocker("not_calibrated", name, known[side])
    if known["no_orders"]:
        yield blocker("order_intake_not_configured", name, known["channel"])


async def _empty_fields(conn: Connection, route: db.Record, known: db.Record) -> list[Blocker]:
    """Nothing can match by a field in which no item of an imported catalogue has a value."""
    sides = (("ledger", [route["ledger_field"]]), ("channel", list(route["channel_fields"])))
    empty = []
    for side, fields in sides:
        if known[f"{side}_catalogue"] and not await db.value(
            conn, "field_has_values", connection_id=route[f"{side}_id"], fields=fields
        ):
            empty.append(blocker("field_empty", route["name"], f"{known[side]}/{','.join(fields)}"))
    return empty


async def blockers(conn: Connection, route: db.Record, found: db.Record | None = None) -> list[Blocker]:
    """Everything that stands between a route and running; empty when it runs, or only waits for a person's start."""
    blocked = await hindrances(conn, route, found)
    stored = list(route["blockers"])
    if route["state"] != "running":
        if not stored and not blocked and not route["ever_aligned"]:
            stored = ["first_alignment"]
        if await is_long_stop(conn, route) and "long_stop" not in stored:
            stored.append("long_stop")
    return blocked + [blocker(code, route["name"]) for code in stored]


async def is_long_stop(conn: Connection, route: db.Record) -> bool:
    """Whether a route that ran has stood still for so long that its start is an alignment."""
    seconds = LONG_STOP.total_seconds()
    return bool(await db.value(conn, "stopped_longer", route_id=route["id"], seconds=seconds))


def stage(route: db.Record, known: db.Record) -> str:
    """The state of DESIGN's chain: draft → located → matched → stopped ⇄ watching ⇄ running, or blocked."""
    if route["state"] in ("running", "watching", "blocked"):
        return str(route["state"])
    if not known["located"]:
        return "draft"
    if not known["mapped"]:
        return "located"
    return "stopped" if route["ever_aligned"] else "matched"


def steps(route: db.Record, blocked: Iterable[Blocker]) -> list[dict[str, Any]]:
    """The five steps in order: `done`, `now` (it is this one's turn) or `later` (the ones before come first)."""
    open_steps = {each.step for each in blocked}
    if route["state"] != "running":
        open_steps.add(Step.ENABLE)
    turn = next((step for step in ORDER if step in open_steps), None)
    reached = len(ORDER) if turn is None else ORDER.index(turn)
    states = {step: "done" if at < reached else "now" if at == reached else "later" for at, step in enumerate(ORDER)}
    return [{"step": step.value, "state": states[step]} for step in ORDER]


def warnings(route: db.Record, known: db.Record) -> list[dict[str, str]]:
    """What is worth a look and stops nothing."""
    ledger, channel = known["ledger_locations"], known["channel_locations"]
    if route["pooled"] or channel < 2 or ledger >= channel:
        return []
    return [
        {
            "code": "fewer_ledger_locations",
            "en": f"{known['channel']} has {channel} locations and {known['ledger']} only {ledger}: a ledger location "
            f"feeds one location of a shop, so {channel - ledger} of them keep the numbers they have.",
            "ja": f"{known['channel']} のロケーションは {channel} か所、{known['ledger']} は {ledger} か所です。"
            f"台帳の 1 か所はショップの 1 か所だけに連携するため、{channel - ledger} か所は現在の数のままです。",
        }
    ]


async def describe(conn: Connection, route: db.Record) -> dict[str, Any]:
    """Stage, steps, blockers and warnings of a route with stable keys, for JSON and for people."""
    known = await facts(conn, route)
    blocked = await blockers(conn, route, known)
    return {
        "stage": stage(route, known),
        "steps": steps(route, blocked),
        "blocked_by": [each.document() for each in blocked],
        "warnings": warnings(route, known),
        "unmapped_at": known["unmapped_at"],
        "stopped_since": known["stopped_since"],
        "watched_since": known["watched_since"],
    }


def long_stopped(name: str) -> tuple[str, str]:
    """The refusal of a start after a long stop, in both languages (English, Japanese)."""
    days = LONG_STOP // timedelta(days=1)
    return (
        f"The route {name} stood still for more than {days} days: partners' orders and changes are read back no "
        f"further, so both sides are aligned anew. Look at `inventory-sync route preview {name}`, which shows what "
        "both sides did meanwhile, and accept it.",
        f"ルート {name} は {days} 日を超えて停止していました。取引先の受注や変動はそれより前にさかのぼれないため、"
        f"在庫を合わせ直します。`inventory-sync route preview {name}` で両側の変動を確認し、承認してください。",
    )


def cannot(name: str, what_en: str, what_ja: str, blocked: list[Blocker]) -> tuple[str, str]:
    """A refusal in both languages (English, Japanese): what cannot be done yet, each reason, and each remedy."""
    keys = ", ".join(each.key for each in blocked)
    return (
        f"The route {name} cannot {what_en} yet: {keys}.\n{in_words(blocked, japanese=False)}",
        f"ルート {name} はまだ{what_ja}できません: {keys}\n{in_words(blocked, japanese=True)}",
    )
