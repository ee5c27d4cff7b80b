"""What is published otherwise for single codes, as it is stored, and as people and files see it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from inventory_sync.engine.lane import House
from inventory_sync.engine.named import route_named
from inventory_sync.engine.publishing.table import Override
from inventory_sync.store import db

PAGE = 1000


def stored_override(r: db.Record) -> Override:
    """A stored row as it would stand in a file."""
    return Override(
        code=r["code"],
        buffer=r["buffer"],
        auto=r["auto_buffer"],
        percent=r["percent"],
        maximum=r["maximum"],
        unlimited=r["unlimited"],
        end_when=r["end_when"],
        offset=r["offset_units"],
        until=r["offset_until"],
        excluded=r["excluded"],
    )


def as_document(override: Override) -> dict[str, Any]:
    """What is set otherwise, as plain values; what is as the route does is left out."""
    given = {key: value for key, value in asdict(override).items() if key not in ("code", "row") and value}
    for key in ("buffer", "percent", "maximum", "end_when"):
        if getattr(override, key) == 0:
            given[key] = 0
    if override.until is not None:
        given["until"] = override.until.isoformat()
    return given


@dataclass(frozen=True, slots=True)
class Listed:
    """One override as it is stored. `pairs`: how many pairs of the route it is about."""

    override: Override
    pairs: int
    ended_at: datetime | None
    set_at: datetime
    set_by: str


async def listed(house: House, name: str) -> tuple[dict[str, Any], list[Listed]]:
    """A route's own rule, and everything that is set otherwise, by code. Raises NoSuch."""
    route = await route_named(house.pool, name)
    found: list[Listed] = []
    after = ""
    while page := await db.rows(house.pool, "publish_overrides_of", route_id=route["id"], after=after, limit=PAGE):
        after = page[-1]["code"]
        found += [Listed(stored_override(r), r["pairs"], r["offset_ended_at"], r["set_at"], r["set_by"]) for r in page]
    keys = ("buffer", "percent", "maximum", "end_when", "auto_buffer", "auto_most", "align", "state")
    return {"route": name, **{key: route[key] for key in keys}}, found
