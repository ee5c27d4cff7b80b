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
from inventory_sync.engine.alert_words import REMEDIES
from inventory_sync.engine.explain.words import ALERTS
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


def _check_command(words: list[str], where: str) -> None:
    command, rest = typer.main.get_command(app), list(words)
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"{where}: inventory-sync {' '.join(words)}"
        command = command.commands[name]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for word in rest:
        if word.startswith("--"):
            assert word in options | {"--help"}, f"{where}: inventory-sync {' '.join(words)}"


@pytest.mark.parametrize("document", _by_name("inventory-sync"))
def test_every_command_and_option_in_a_document_exists(document: Path) -> None:
    for words in _commands(_read(document)):
        _check_command(words, document.name)


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


def _calls(tree: ast.AST, name: str) -> list[ast.Call]:
    """Calls of a function or method of this name."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == name]


def _assigned(tree: ast.AST, name: str) -> list[ast.expr]:
    """What a name is set to, alone or as one of several."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and isinstance(node.value, ast.Tuple)
        ):
            pairs = zip(node.targets[0].elts, node.value.elts, strict=True)
            found += [value for target, value in pairs if ast.unparse(target) == name]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            found.append(node.value)
    return found


def _may_be(tree: ast.AST, given: ast.expr) -> set[str]:
    """Texts that an argument may be: itself, what its name is set to, or what the function that takes it is given."""
    if isinstance(given, ast.Constant):
        return {given.value} if isinstance(given.value, str) else set()
    name = ast.unparse(given)
    texts = [each for value in _assigned(tree, name) for each in ast.walk(value)]
    found = {each.value for each in texts if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _calls(node, "open_alert"):
            parameters = [each.arg for each in node.args.args if each.arg != "self"]
            if name in parameters:
                place = parameters.index(name)
                found |= {text for call in _calls(tree, node.name) for text in _may_be(tree, call.args[place])}
    return found


def _alert_codes() -> set[str]:
    """The codes of alerts: whatever the third argument of `open_alert` may be."""
    codes: set[str] = set()
    for path, source in _sources():
        tree = ast.parse(source)
        for call in _calls(tree, "open_alert"):
            found = _may_be(tree, call.args[2])
            assert found, f"{path}, line {call.lineno}: which alert is this?"
            codes |= found
    return codes


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/operations.ja.md"])
def test_every_alert_is_explained_and_no_other(name: str) -> None:
    explained = set(re.findall(r"^\| `([a-z_]+)`[^|]*\|", _read(ROOT / name), re.MULTILINE))
    assert {each for each in explained if not each.startswith(NAMESPACE)} == _alert_codes()


def test_every_alert_has_a_name_and_a_remedy_in_both_languages_whose_commands_exist() -> None:
    assert set(ALERTS) == set(REMEDIES) == _alert_codes()
    for code, told in (*ALERTS.items(), *REMEDIES.items()):
        japanese, english = told
        assert not japanese.isascii(), code
        assert english.isascii(), code
        for words in _commands(f"{japanese}\n{english}"):
            _check_command(words, code)


@pytest.mark.parametrize("document", _by_name(r"\]\("))
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", _read(document))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


def test_the_readme_stays_readable() -> None:
    assert len(_read(ROOT / "README.md").splitlines()) <= 300
