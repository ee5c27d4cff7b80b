"""Every adapter shows every behaviour of the kit, over real HTTP against its simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from inventory_sync.conformance import BEHAVIOURS, Behaviour, Need, NotApplicable, prove
from tests.conformance.shopify_rig import OtherShopifyRig, ShopifyRig
from tests.conformance.smaregi_rig import OtherSmaregiRig, SmaregiRig

RIGS: dict[str, type[ShopifyRig] | type[SmaregiRig]] = {
    "shopify": ShopifyRig,
    "shopify-otherwise": OtherShopifyRig,
    "smaregi": SmaregiRig,
    "smaregi-otherwise": OtherSmaregiRig,
}
LONGEST = 30.0  # seconds a behaviour may take before it counts as hanging

SMAREGI_LACKS = frozenset({"bundles_are_marked", "an_inactive_cell_is_told"})
NOT_SHOWN = {
    "shopify-otherwise": frozenset(
        {
            "an_expired_token_is_renewed_for_a_read",
            "an_expired_token_is_renewed_for_a_write",
            "a_sign_in_outage_is_no_refusal",
        }
    ),
    "smaregi": SMAREGI_LACKS,
    "smaregi-otherwise": SMAREGI_LACKS,
}
UNMET = {
    "shopify": {Need.HISTORY, Need.CAUSES},
    "smaregi": {Need.KEY, Need.BATCH, Need.ACTIVATION},
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


@pytest.mark.parametrize(("name", "shown"), PAIRS)
async def test_an_adapter_shows(name: str, shown: Behaviour, record_property: Callable[[str, object], None]) -> None:
    record_property("conformance", f"{name}/{shown.name}")
    async with asyncio.timeout(LONGEST), RIGS[name]() as rig:
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
