"""Where the publish rule of a pair comes from: its route, its own code, and the arithmetic of an automatic buffer."""

from __future__ import annotations

from collections.abc import Sequence

from inventory_sync.engine.explain.state import Ruled
from inventory_sync.model.auto_buffer import Reckoned, Sold
from inventory_sync.store import db

_OWN = (
    ("own_buffer", "buffer"),
    ("own_percent", "percent"),
    ("own_maximum", "max"),
    ("own_end_when", "end_when"),
)


_OWN_JA = {
    "buffer": "安全在庫",
    "percent": "割合",
    "max": "上限",
    "end_when": "終了数",
    "offset": "加減",
    "exclude": "対象外",
}


def named(own: Sequence[str]) -> tuple[str, str]:
    """What is set for a code alone, in Japanese and in English, there as the columns of the CSV are called.

    >>> named(("buffer", "offset"))
    ('安全在庫、加減', 'buffer, offset')
    """
    return "、".join(_OWN_JA.get(each, each) for each in own), ", ".join(own)


def ruled(r: db.Record) -> Ruled:
    """What a row of `rules_of_pairs` says of where a rule comes from."""
    own = [word for key, word in _OWN if r[key] is not None]
    own += [word for key, word in (("own_auto", "buffer"), ("own_unlimited", "max")) if r[key]]
    own += [word for key, word in (("offset_units", "offset"), ("excluded", "exclude")) if r[key]]
    return Ruled(
        own=tuple(own),
        by=r["set_by"] or "",
        at=r["set_at"],
        automatic=r["auto"],
        auto=reckoned(r) if r["auto"] and r["units"] is not None else None,
        offset_until=r["offset_until"],
        ended_at=r["offset_ended_at"],
    )


def reckoned(r: db.Record) -> Reckoned:
    """The arithmetic of an automatic buffer as it was last done. `units`: what is in force, which falls late."""
    sold = Sold(r["sold"], r["window_s"])
    return Reckoned(r["lag_s"], r["measured"], sold, r["covers"], r["least"], r["most"], max(r["least"], r["units"]))


def spelt(made: Reckoned) -> tuple[str, str]:
    """An automatic buffer with its arithmetic, in Japanese and English.

    >>> spelt(Reckoned(3.0, 50, Sold(15, 900.0), 2, 0, 100, 2))[1]
    'lag 3.0 s × 0.0167 units/s (15 in 15 min) = 0.05 units expected, 99.9 % of the time at most 2: 2'
    """
    minutes = round(made.sold.seconds / 60)
    bounds = f" ({made.least}–{made.most})" if made.covers != made.units else ""
    if made.lag is None:
        return (
            f"遅れの測定がまだ {made.measured} 件のため、最小の {made.units}",
            f"the lag is not measured yet ({made.measured} changes), so the smallest: {made.units}",
        )
    rate = f"{made.lag:.1f} s × {made.sold.rate:.4f}"
    return (
        f"遅れ {rate} 個/秒 ({minutes} 分で {made.sold.units} 個) = 見込み {made.expected:.2f} 個、"
        f"99.9 % の場合で {made.covers} 個以下: {made.units}{bounds}",
        f"lag {rate} units/s ({made.sold.units} in {minutes} min) = {made.expected:.2f} units expected, "
        f"99.9 % of the time at most {made.covers}: {made.units}{bounds}",
    )
