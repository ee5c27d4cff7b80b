"""Every adapter shows every behaviour of the kit, over real HTTP against its partner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from inventory_sync.conformance import BEHAVIOURS, Behaviour, Need, NotApplicable, prove
from tests.conformance.rigs import RIGS

LONGEST = 30.0  # seconds a behaviour may take before it counts as hanging

PERMANENT_TOKEN = frozenset(
    {
        "an_expired_token_is_renewed_for_a_read",
        "an_expired_token_is_renewed_for_a_write",
        "a_sign_in_outage_is_no_refusal",
    }
)
ALWAYS_READABLE = frozenset({"an_unreadable_cell_is_told", "an_unreadable_cell_is_written"})
SMAREGI_LACKS = ALWAYS_READABLE | {"bundles_are_marked", "an_inactive_cell_is_told"}
MAKESHOP_LACKS = (
    ALWAYS_READABLE
    | PERMANENT_TOKEN
    | {"bundles_are_marked", "an_absent_cell_is_told", "an_inactive_cell_is_told", "a_notice_names_the_cell"}
)
CLASSIC_LACKS = frozenset(
    {
        "a_missing_right_is_named",
        "bundles_are_marked",
        "an_absent_cell_is_told",
        "an_inactive_cell_is_told",
        "a_throttled_write_waits",
        "a_notice_names_the_cell",
        "an_unreadable_notice_is_malformed",
    }
)
BUILTIN_LACKS = (
    ALWAYS_READABLE | PERMANENT_TOKEN | {"a_missing_right_is_named", "bundles_are_marked", "an_inactive_cell_is_told"}
)
NOT_SHOWN = {
    "builtin": BUILTIN_LACKS,
    "builtin-otherwise": BUILTIN_LACKS,
    "makeshop-classic": CLASSIC_LACKS,
    "makeshop-classic-otherwise": CLASSIC_LACKS,
    "makeshop": MAKESHOP_LACKS,
    "makeshop-otherwise": MAKESHOP_LACKS,
    "makeshop-relative": MAKESHOP_LACKS,
    "makeshop-relative-otherwise": MAKESHOP_LACKS,
    "shopify": ALWAYS_READABLE,
    "shopify-otherwise": ALWAYS_READABLE | PERMANENT_TOKEN,
    "smaregi": SMAREGI_LACKS,
    "smaregi-otherwise": SMAREGI_LACKS,
}
NOT_A_CHANNEL_WITH_ORDERS = {
    Need.LEVEL,
    Need.ORDER_EVIDENCE,
    Need.ABSOLUTE,
    Need.GROUPS,
    Need.FILES,
    Need.ORDERS,
    Need.SERIAL,
    Need.CALIBRATION,
}
A_CHANNEL_WITH_ORDERS = {
    Need.KEY,
    Need.HISTORY,
    Need.CAUSES,
    Need.ACTIVATION,
    Need.LOCATIONS,
    Need.POLL,
}
UNMET = {
    "builtin": NOT_A_CHANNEL_WITH_ORDERS | {Need.HISTORY, Need.ACTIVATION, Need.NOTICES},
    "makeshop": A_CHANNEL_WITH_ORDERS | {Need.ORDER_EVIDENCE, Need.RELATIVE, Need.GROUPS, Need.FILES},
    "makeshop-relative": A_CHANNEL_WITH_ORDERS | {Need.LEVEL, Need.ABSOLUTE, Need.GROUPS, Need.FILES},
    "makeshop-relative-otherwise": A_CHANNEL_WITH_ORDERS
    | {Need.LEVEL, Need.ABSOLUTE, Need.GROUPS, Need.FILES, Need.BATCH},
    "makeshop-classic": A_CHANNEL_WITH_ORDERS | {Need.ORDER_EVIDENCE, Need.RELATIVE, Need.PAGES, Need.CALIBRATION},
    "shopify": NOT_A_CHANNEL_WITH_ORDERS | {Need.HISTORY, Need.CAUSES},
    "smaregi": NOT_A_CHANNEL_WITH_ORDERS | {Need.KEY, Need.BATCH, Need.ACTIVATION},
}
ROWS = {
    ("shopify", "a_missing_right_is_named"): ("S2-12", "S2-17"),
    ("shopify", "codes_are_exact"): ("S2-35",),
}

PAIRS = [
    pytest.param(name, each, id=f"{name}-{each.name}", marks=[pytest.mark.row(*rows)] if rows else [])
    for name, rig in RIGS.items()
    for each in BEHAVIOURS
    if not each.missing(rig.definition)
    for rows in [ROWS.get((name, each.name))]
]


@pytest.fixture
def made(name: str, request: pytest.FixtureRequest) -> Any:
    """The rig of this name, not opened yet."""
    rig = RIGS[name]
    return rig(request.getfixturevalue("conformance_database")) if rig.on_database else rig()


@pytest.mark.parametrize(("name", "shown"), PAIRS)
async def test_an_adapter_shows(
    name: str, shown: Behaviour, made: Any, record_property: Callable[[str, object], None]
) -> None:
    record_property("conformance", f"{name}/{shown.name}")
    async with asyncio.timeout(LONGEST), made as rig:
        if shown.name in NOT_SHOWN.get(name, ()):
            with pytest.raises(NotApplicable) as reason:
                await prove(shown, rig)
            pytest.skip(str(reason.value))
        await prove(shown, rig)


def test_what_an_adapter_need_not_show_is_known() -> None:
    for name, needs in UNMET.items():
        definition = RIGS[name].definition
        assert {need for need in Need if not need.met_by(definition)} == needs
        skipped = {each.name for each in BEHAVIOURS if each.missing(definition)}
        assert skipped == {each.name for each in BEHAVIOURS if needs & set(each.needs)}
