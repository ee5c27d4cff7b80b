from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from inventory_sync.systems import registry
from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.registry import ENTRY_POINT_GROUP, Registry
from inventory_sync.systems.shopify import definition as shopify


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, ENTRY_POINT_GROUP)


SHOPIFY = point("shopify", "inventory_sync.systems.shopify:definition")


def test_a_registered_system_is_found_by_name() -> None:
    found = registry.load([SHOPIFY])
    assert found.get("shopify") is shopify
    assert list(found) == [shopify]
    assert (found.names, len(found), "shopify" in found, found.problems) == (("shopify",), 1, True, ())


@pytest.mark.parametrize("typed", ["shopfy", "Shopify", " shopify"])
def test_an_unknown_name_is_refused_with_the_nearest_known_one(typed: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        registry.load([SHOPIFY]).get(typed)
    assert caught.value.field == "system"
    assert "did you mean 'shopify'?" in caught.value.remedy


def test_a_name_that_is_near_to_none_lists_what_there_is() -> None:
    with pytest.raises(InvalidSettings) as caught:
        registry.load([SHOPIFY]).get("zzzz")
    assert caught.value.remedy == "Known systems: shopify."


def test_without_any_registration_the_registry_is_empty_and_says_so() -> None:
    with pytest.raises(InvalidSettings, match="no system named") as caught:
        registry.load([]).get("shopify")
    assert "none is installed" in caught.value.remedy


def test_a_registration_that_fails_is_listed_and_harms_no_other() -> None:
    found = registry.load(
        [
            SHOPIFY,
            point("absent", "inventory_sync.no_such_module:definition"),
            point("odd", "pydantic:BaseModel"),
            point("twin", "inventory_sync.systems.shopify:definition"),
        ]
    )
    assert found.names == ("shopify",)
    assert {each.entry_point for each in found.problems} == {"absent", "odd", "twin"}
    reasons = {each.entry_point: each.reason for each in found.problems}
    assert "ModuleNotFoundError" in reasons["absent"]
    assert "is not a SystemDefinition" in reasons["odd"]
    assert "repeats the system name 'shopify'" in reasons["twin"]


def test_two_definitions_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two systems are named 'shopify'"):
        Registry([shopify, shopify])


def test_what_is_installed_is_loaded_without_being_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def installed(group: str) -> list[EntryPoint]:
        asked.append(group)
        return [SHOPIFY]

    monkeypatch.setattr(registry, "entry_points", installed)
    assert registry.load().names == ("shopify",)
    assert asked == ["inventory_sync.systems"]
