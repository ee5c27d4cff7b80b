"""What the documents name exists: problem codes, commands and their options, variables, metrics, alerts, files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer

from inventory_sync.cli.main import app
from inventory_sync.settings import PREFIX, Settings
from inventory_sync.web.gauges import PER_CONNECTION, PER_CONNECTION_TIMES
from inventory_sync.web.metrics import NAMESPACE, Metrics

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "inventory_sync"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_CODE = re.compile(r"IS-[A-Z]{2,4}-\d{3}")
_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"(?:^|[\s/=])inventory-sync(?=\s|$)([^|;#\n]*)", re.MULTILINE)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _sources() -> Iterator[tuple[Path, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, _read(path)


def _commands(text: str) -> list[list[str]]:
    """The words behind every `inventory-sync` in code spans and code blocks."""
    blocks = _FENCED.findall(text)
    spans = _SPAN.findall(_FENCED.sub("", text))
    code = "\n".join([*(block.replace("\\\n", " ") for block in blocks), *spans])
    return [found.split() for found in _COMMAND.findall(code)]


def _by_name(pattern: str) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in DOCUMENTS if re.search(pattern, _read(path))]


def test_every_problem_code_in_the_code_is_explained_and_no_other() -> None:
    used = {code for _, source in _sources() for code in _CODE.findall(source)}
    explained = re.findall(r"^\| (IS-[A-Z]{2,4}-\d{3}) \|", _read(ROOT / "docs/problems.md"), re.MULTILINE)
    assert sorted(explained) == sorted(set(explained)), "a code stands twice in docs/problems.md"
    assert set(explained) == used


@pytest.mark.parametrize("system", ["shopify", "smaregi", "makeshop", "makeshop.classic", "builtin"])
def test_a_systems_problems_are_explained_in_its_own_words_in_both_languages(system: str) -> None:
    page = _read(ROOT / "docs/problems.md")
    for code, problem in import_module(f"inventory_sync.systems.{system}.problems").PROBLEMS.items():
        assert f"| {code} | {problem.en}<br>{problem.ja} |" in page, f"docs/problems.md says something else of {code}"


@pytest.mark.parametrize("document", _by_name("inventory-sync"))
def test_every_command_and_option_in_a_document_exists(document: Path) -> None:
    for words in _commands(_read(document)):
        command = typer.main.get_command(app)
        rest = list(words)
        while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
            name = rest.pop(0)
            assert name in command.commands, f"{document.name}: inventory-sync {' '.join(words)}"
            command = command.commands[name]
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for word in rest:
            if word.startswith("--"):
                assert word in options | {"--help"}, f"{document.name}: inventory-sync {' '.join(words)}"


def test_the_readers_first_commands_are_found_by_this_test() -> None:
    found = {tuple(words[:2]) for words in _commands(_read(ROOT / "README.md"))}
    assert {("route", "preview"), ("route", "start"), ("apply", "inventory-sync.yaml"), ("status",)} <= found


@pytest.mark.parametrize("document", _by_name(PREFIX))
def test_every_variable_in_a_document_is_a_setting(document: Path) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = {name.removesuffix("_FILE") for name in re.findall(rf"{PREFIX}[A-Z_]+", _read(document))}
    assert named <= known


def test_every_setting_is_in_the_readme() -> None:
    page = _read(ROOT / "README.md")
    assert [name for name in Settings.model_fields if f"`{PREFIX}{name.upper()}`" not in page] == []


def _metrics() -> set[str]:
    """Every metric of the metrics page, as Prometheus names it."""
    counted = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Metrics("0").registry.collect()
    }
    gauges = {name for name, _, _ in (*PER_CONNECTION, *PER_CONNECTION_TIMES)}
    gauges |= set(re.findall(r'_family\(\s*"([a-z_]+)"', _read(PACKAGE / "web/gauges.py")))
    return counted | {f"{NAMESPACE}_{name}" for name in gauges}


@pytest.mark.parametrize("document", _by_name(rf"\b{NAMESPACE}_[a-z]"))
def test_every_metric_in_a_document_exists(document: Path) -> None:
    assert set(re.findall(rf"`({NAMESPACE}_[a-z_]+)`", _read(document))) <= _metrics()


def test_the_operators_page_names_every_metric_that_is_shown() -> None:
    named = set(re.findall(rf"`({NAMESPACE}_[a-z_]+)`", _read(ROOT / "docs/operations.md")))
    # shown only where budgets are handed to the page, which the service does not do
    assert _metrics() - named <= {f"{NAMESPACE}_rate_budget_available"}


def _alert_codes() -> set[str]:
    """The codes of alerts: the third argument of `open_alert`, and what a name handed to it may be."""
    codes: set[str] = set()
    for _, source in _sources():
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open_alert":
                code = node.args[2]
                if isinstance(code, ast.Constant):
                    codes.add(code.value)
                else:
                    codes |= {
                        each.value
                        for given in ast.walk(tree)
                        if isinstance(given, ast.Assign) and ast.unparse(given.targets[0]) == ast.unparse(code)
                        for each in ast.walk(given.value)
                        if isinstance(each, ast.Constant) and isinstance(each.value, str)
                    }
    return codes


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/operations.ja.md"])
def test_every_alert_is_explained_and_no_other(name: str) -> None:
    explained = set(re.findall(r"^\| `([a-z_]+)`[^|]*\|", _read(ROOT / name), re.MULTILINE))
    assert {each for each in explained if not each.startswith(NAMESPACE)} == _alert_codes()


@pytest.mark.parametrize("document", _by_name(r"\]\("))
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", _read(document))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


def test_the_readme_stays_readable() -> None:
    assert len(_read(ROOT / "README.md").splitlines()) <= 300
