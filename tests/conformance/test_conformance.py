"""Every adapter shows every behaviour of the kit, over real HTTP against its simulator."""

from __future__ import annotations

import asyncio

import pytest

from inventory_sync.conformance import BEHAVIOURS, Behaviour, NotApplicable, Rig, Violated, prove
from tests.conformance.bench import Bench
from tests.conformance.shopify_rig import OtherShopifyRig, ShopifyRig
from tests.conformance.smaregi_rig import OtherSmaregiRig, SmaregiRig

RIGS: dict[str, type[Bench]] = {
    "shopify": ShopifyRig,
    "shopify-otherwise": OtherShopifyRig,
    "smaregi": SmaregiRig,
    "smaregi-otherwise": OtherSmaregiRig,
}
LONGEST = 30.0  # seconds a behaviour may take before it counts as hanging

PAIRS = [
    pytest.param(rig, each, id=f"{name}-{each.name}")
    for name, rig in RIGS.items()
    for each in BEHAVIOURS
    if not each.missing(rig.definition)
]


@pytest.mark.parametrize(("make", "shown"), PAIRS)
async def test_an_adapter_shows(make: type[Bench], shown: Behaviour, record_property: object) -> None:
    async with asyncio.timeout(LONGEST), make() as rig:
        try:
            await prove(shown, rig)
        except NotApplicable as reason:
            pytest.skip(str(reason))
