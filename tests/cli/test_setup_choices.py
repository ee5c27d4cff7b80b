"""Every word that `setup` offers is explained in both languages."""

from __future__ import annotations

import pytest

from inventory_sync.cli import setup_choices
from inventory_sync.cli.setup_choices import Meanings
from inventory_sync.config.booking import LEDGER_QUANTITIES
from inventory_sync.config.document import Direction, Sales
from inventory_sync.model.alignment import AlignPolicy
from inventory_sync.systems import registry


def test_every_word_that_can_be_configured_has_its_meaning() -> None:
    assert set(setup_choices.ALIGN) == set(AlignPolicy)
    assert set(setup_choices.DIRECTION) == set(Direction)
    assert set(setup_choices.SALES) == set(Sales)
    assert set(setup_choices.BASIS) == set(LEDGER_QUANTITIES)


def test_every_field_of_an_installed_system_has_its_meaning() -> None:
    offered = {field for each in registry.load() for field in each.capabilities.match_fields}
    assert len(offered) > 4
    assert offered <= set(setup_choices.FIELDS)


@pytest.mark.parametrize("name", ["ALIGN", "BASIS", "DIRECTION", "FIELDS", "SALES"])
def test_a_meaning_is_said_in_both_languages(name: str) -> None:
    meanings: Meanings = getattr(setup_choices, name)
    for japanese, english in meanings.values():
        assert english.isascii()
        assert not japanese.isascii() or japanese == english
