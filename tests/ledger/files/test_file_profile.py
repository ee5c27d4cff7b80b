"""What a person may declare of a file, and what makes no sense."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.ledger.files.profile import (
    Delimiter,
    Encoding,
    FileProfile,
    ProfileError,
    profile_named,
    read_profiles,
)

COLUMNS = {"sku": "品番", "quantity": "在庫数", "location": "倉庫"}


def test_what_is_declared_is_what_the_file_means() -> None:
    declared = {
        "nightly": {
            "encoding": "cp932",
            "format": "tsv",
            "columns": COLUMNS,
            "snapshot": True,
            "negative": True,
            "shrink_percent": 10,
            "sequence": r"zaiko_(\d+)\.tsv",
        }
    }
    found = read_profiles(declared, "Europe/Paris")["nightly"]
    assert (found.encoding, found.delimiter, found.columns.sku) == (Encoding.CP932, Delimiter.TSV, "品番")
    assert (found.snapshot, found.negative, found.shrink_percent, found.label) == (True, True, 10, "stock")
    assert found.sequence is not None
    assert found.sequence.fullmatch("zaiko_20260401.tsv")
    assert found.timezone.key == "Europe/Paris"


def test_there_is_always_a_default_and_it_can_be_declared_otherwise() -> None:
    assert read_profiles({})["default"] == FileProfile()
    assert read_profiles({"default": {"columns": COLUMNS}})["default"].columns.location == "倉庫"


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"columns": COLUMNS, "encoding": "shift-jis-2004"}, "encoding"),
        ({"columns": COLUMNS, "colour": "red"}, "colour"),
        ({"columns": {"sku": "a", "quantity": "a", "location": "b"}}, "different header"),
        ({"columns": {"sku": "a", "quantity": "b"}}, "location"),
        ({"columns": COLUMNS, "location": "main"}, "not both"),
        ({"columns": COLUMNS | {"mode": "m"}, "snapshot": True}, "snapshot"),
        ({"columns": COLUMNS, "mode": "add", "snapshot": True}, "snapshot"),
        ({"columns": COLUMNS, "sequence": "stock.csv"}, "one group"),
        ({"columns": COLUMNS, "sequence": "("}, "regular expression"),
        ({"columns": COLUMNS, "timezone": "Tokyo/Asia"}, "time zone"),
        ({"columns": COLUMNS, "shrink_percent": 101}, "shrink_percent"),
        ({"columns": COLUMNS, "kind": "channel"}, "another kind"),
    ],
)
def test_a_profile_that_cannot_work_is_refused_and_named(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match="'nightly'") as caught:
        read_profiles({"nightly": declared})
    assert said in str(caught.value)


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    profiles = read_profiles({"nightly": {"columns": COLUMNS}})
    with pytest.raises(ProfileError, match="default, nightly"):
        profile_named(profiles, "weekly")
    with pytest.raises(ProfileError, match="lower-case"):
        read_profiles({"Nightly file": {"columns": COLUMNS}})
