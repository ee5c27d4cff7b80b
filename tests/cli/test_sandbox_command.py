"""`sandbox`: simulated partners that the real systems connect to with the file it writes."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import orjson
import pytest
import structlog
from typer.testing import CliRunner

from inventory_sync.cli import demonstration, sandbox
from inventory_sync.cli.demonstration import accounts
from inventory_sync.cli.main import app
from inventory_sync.systems import registry

KEY = "a key that is only for tests and long enough"


@pytest.fixture(autouse=True)
def _systems_of_this_source_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The systems that this project registers, whether or not it is installed here."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    found = project["entry-points"][registry.ENTRY_POINT_GROUP]
    points = [EntryPoint(name, value, registry.ENTRY_POINT_GROUP) for name, value in found.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def _environ(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INVENTORY_SYNC_")}
    return kept | {"INVENTORY_SYNC_LANGUAGE": "en", "PYTHONUNBUFFERED": "1"} | extra


@pytest.fixture
def partners(tmp_path: Path) -> Iterator[Path]:
    """A sandbox in a process of its own, ended as a person ends it; the path of its configuration file."""
    path = tmp_path / "sandbox.yaml"
    command = "from inventory_sync.cli.main import app; app()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "sandbox", "--items", "20", "--config", str(path), "--csv", str(tmp_path)],
        stdout=subprocess.PIPE,
        env=_environ(),
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert any(str(path) in line for line in lines), "the sandbox ended before it was ready"
        yield path
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)


def test_the_real_systems_connect_to_it_with_the_file_it_writes(partners: Path, database: str) -> None:
    environ = _environ(INVENTORY_SYNC_DATABASE_URL=database, INVENTORY_SYNC_SECRET_KEY=KEY, **sandbox.EXPORTS)
    found = CliRunner().invoke(app, ["apply", str(partners), "--json"], env=environ)
    assert found.exit_code == 0, found.output
    report = orjson.loads(found.stdout)
    assert [(c["name"], c["state"]) for c in report["connections"]] == [
        ("pos", "linked"),
        ("shop", "linked"),
        ("cart", "linked"),
        ("classic", "linked"),
    ]
    assert {r["name"]: r["state"] for r in report["routes"]} == {
        "pos-shop": "blocked",
        "pos-cart": "blocked",
        "pos-classic": "blocked",
    }
    assert any("Pop-up" in note["en"] for note in report["notes"])
    for secret in accounts.SECRETS.values():
        assert secret not in found.output

    wrong = environ | {"SANDBOX_LEDGER_SECRET": "not-the-secret-of-the-contract"}
    refused = CliRunner().invoke(app, ["apply", str(partners)], env=wrong)
    assert refused.exit_code == 1
    assert "connection pos" in refused.stderr
    again = CliRunner().invoke(app, ["apply", str(partners), "--json"], env=environ)
    assert orjson.loads(again.stdout)["changed"] is False


def test_its_addresses_are_refused_unless_the_operator_allows_them(partners: Path, database: str) -> None:
    environ = _environ(INVENTORY_SYNC_DATABASE_URL=database, INVENTORY_SYNC_SECRET_KEY=KEY, **sandbox.EXPORTS)
    del environ["INVENTORY_SYNC_ALLOW_INSECURE_UPSTREAMS"]
    found = CliRunner().invoke(app, ["apply", str(partners)], env=environ)
    assert found.exit_code == 1
    assert "IS-CON-006" in found.stderr


def test_the_files_of_the_classic_shop_can_be_handed_in(partners: Path, database: str) -> None:
    environ = _environ(INVENTORY_SYNC_DATABASE_URL=database, INVENTORY_SYNC_SECRET_KEY=KEY, **sandbox.EXPORTS)
    applied = CliRunner().invoke(app, ["apply", str(partners), "--json"], env=environ)
    assert applied.exit_code == 0, applied.output
    files = sorted(str(path) for path in partners.parent.glob("*.csv"))
    assert len(files) == 2
    found = CliRunner().invoke(app, ["connection", "upload", "classic", *files, "--json"], env=environ)
    assert found.exit_code == 0, found.output
    handed_in = orjson.loads(found.stdout)
    assert handed_in["waiting_for"] == []
    assert handed_in["items"] == 20


def test_without_graphql_core_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = ("inventory_sync.sandbox.", "inventory_sync.cli.demonstration.partners", "graphql")
    for name in [each for each in sys.modules if each.startswith(loaded)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(demonstration, "partners", raising=False)
    monkeypatch.setitem(sys.modules, "graphql", None)
    found = CliRunner().invoke(app, ["sandbox"], env=_environ())
    assert found.exit_code == 1
    assert "inventory-sync[sandbox]" in found.stderr
