"""`demo` from end to end: a run that ends well, and a broken daemon that it must not let pass."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from inventory_sync.cli.demo import seconds_of
from inventory_sync.cli.main import app
from inventory_sync.systems.registry import ENTRY_POINT_GROUP

PROJECT = Path(__file__).parents[2]
LONGEST = 240.0
"""Seconds a run may take on a busy machine before a test gives up on it."""


@pytest.fixture
def path_to_systems(tmp_path: Path) -> str:
    """What the demonstration's processes find the systems by, whether or not this source tree is installed here."""
    if entry_points(group=ENTRY_POINT_GROUP):
        return str(PROJECT)
    found = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["entry-points"][ENTRY_POINT_GROUP]
    info = tmp_path / "inventory_sync-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: inventory-sync\nVersion: 0\n")
    lines = [f"[{ENTRY_POINT_GROUP}]", *(f"{name} = {value}" for name, value in found.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return f"{tmp_path}{os.pathsep}{PROJECT}"


def run_demo(path: str, temporary: Path, *options: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INVENTORY_SYNC_")}
    environ = kept | {"INVENTORY_SYNC_LANGUAGE": "en", "PYTHONPATH": path, "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "inventory_sync.cli.main", "demo", *options]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LONGEST)


def test_a_run_with_faults_and_a_kill_ends_equal_and_leaves_nothing_behind(
    path_to_systems: str, short_directory: Path
) -> None:
    done = run_demo(path_to_systems, short_directory, "--for", "6s", "--seed", "7", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    report = orjson.loads(done.stdout)
    assert report["good"] is True
    assert report["pairs"] == report["pairs_equal"] == 440
    assert report["units_lost"] == report["units_doubled"] == report["units_too_high"] == 0
    assert report["written_though_excluded"] == report["partner_limit_violations"] == 0
    assert report["changes"] > 20
    assert report["daemon_kills"] == 1
    assert report["requests_in_flight_at_kills"] >= 1
    assert report["requests_faulted"]["reset_after"] + report["requests_faulted"]["error_after"] >= 2
    assert "Accepting it: inventory-sync route start pos-shop --accept" in done.stderr
    assert list(short_directory.iterdir()) == []


def test_a_daemon_that_repeats_requests_in_doubt_is_found_out(path_to_systems: str, short_directory: Path) -> None:
    done = run_demo(path_to_systems, short_directory, "--for", "5s", "--seed", "7", "--no-kill", "--plant", "double")
    assert done.returncode == 1, done.stderr + done.stdout
    assert "NOT GOOD" in done.stdout
    doubled = [line for line in done.stdout.splitlines() if line.startswith("  pair=DEMO-") and "doubled=" in line]
    assert doubled
    assert not all(line.endswith("doubled=0") for line in doubled)
    assert list(short_directory.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        ("--for", "soon"),
        ("--for", "0s"),
        ("--skus", "20"),
        ("--plant", "anything"),
        ("--keep", str(PROJECT)),
    ],
)
def test_wrong_use_is_told_and_starts_nothing(options: tuple[str, ...]) -> None:
    found = CliRunner().invoke(app, ["demo", *options])
    assert found.exit_code == 2
    assert f"'{options[0]}' の値が正しくありません" in found.output or str(PROJECT) in found.output


def test_no_other_command_can_plant_a_bug() -> None:
    found = CliRunner().invoke(app, ["serve", "--plant", "double"])
    assert found.exit_code == 2


def test_lengths_of_time_are_read_with_their_units() -> None:
    assert [seconds_of(text) for text in ("30s", "1.5m", "1h", "45")] == [30.0, 90.0, 3600.0, 45.0]
