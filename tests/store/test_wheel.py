"""The built wheel holds what the program needs at run time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = target.glob("inventory_sync-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_migration(contents: set[str]) -> None:
    versions = {path.name for path in (ROOT / "migrations" / "versions").glob("*.py")}
    assert versions
    assert {f"inventory_sync/_migrations/versions/{name}" for name in versions} <= contents


def test_the_wheel_holds_every_file_of_the_package_and_no_test(contents: set[str]) -> None:
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "inventory_sync").rglob("*") if path.is_file()}
    assert {name for name in package if "__pycache__" not in name} <= contents
    assert not [name for name in contents if name.startswith(("tests/", "docs/"))]
