"""Read a whole configuration file, or say everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ruamel.yaml.nodes import Node

from inventory_sync.config import problems
from inventory_sync.config.connections import read_connections
from inventory_sync.config.document import ConfigDocument, RouteDocument
from inventory_sync.config.errors import ConfigCode, ConfigError, ConfigErrors
from inventory_sync.config.links import check_links
from inventory_sync.config.nodes import Reader, compose
from inventory_sync.config.routes import read_route
from inventory_sync.systems.port import SystemDefinition
from inventory_sync.systems.problem import Problem

TEXT_NAME = "<text>"
"""What errors call a file that was given as text."""


def _none_stored(name: str) -> Mapping[str, str]:
    return {}


def load_document(
    source: Path | str,
    environ: Mapping[str, str],
    systems: Mapping[str, SystemDefinition],
    *,
    stored_secrets: Callable[[str], Mapping[str, str]] = _none_stored,
    known_connections: Mapping[str, str] | None = None,
    known_routes: Mapping[str, tuple[str, str]] | None = None,
) -> ConfigDocument:
    """Read a configuration file (a Path) or the text of one (a str), and the CSV files that it names.

    `stored_secrets` gives the secrets stored for a connection by its name, so that the file may leave them out.
    `known_connections` (name → system) and `known_routes` (name → ledger, channel) are what is stored already: routes
    may refer to such connections, and no cycle may go through them. Further files are found by their path from the
    configuration file (from the working directory for a text). Raises ConfigErrors with everything that is wrong.
    """
    text, file = (_read(source), str(source)) if isinstance(source, Path) else (source, TEXT_NAME)
    root = compose(text, file)
    if root is None:
        raise ConfigErrors([ConfigError(file, 1, 1, "", problems.EMPTY_FILE)])
    reader = Reader(file, environ, source.parent if isinstance(source, Path) else Path())
    document = _document(reader, root, systems, stored_secrets, known_connections or {}, known_routes or {})
    if reader.errors:
        raise ConfigErrors(reader.errors)
    return document


def _document(
    reader: Reader,
    root: Node,
    systems: Mapping[str, SystemDefinition],
    stored_secrets: Callable[[str], Mapping[str, str]],
    known_connections: Mapping[str, str],
    known_routes: Mapping[str, tuple[str, str]],
) -> ConfigDocument:
    parts = reader.mapping(root, "")
    if not parts:
        if not reader.errors:
            reader.errors.append(ConfigError(reader.file, 1, 1, "", problems.EMPTY_FILE))
        return ConfigDocument((), ())
    reader.only(parts, "", ("connections", "routes"))
    node = parts["connections"].value if "connections" in parts else None
    connections = read_connections(reader, node, systems, stored_secrets, known_connections)
    entries = reader.mapping(parts["routes"].value, "routes") or {} if "routes" in parts else {}
    routes: list[RouteDocument] = []
    for name, entry in entries.items():
        route = read_route(reader, name, entry, connections.systems)
        if route is not None:
            routes.append(route)
    check_links(reader, routes, entries, known_routes)
    return ConfigDocument(connections.documents, tuple(routes))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        problem = problems.NOT_UTF8
    except OSError as error:
        remedy = ("Check the path.", "パスを確認してください。")
        problem = Problem(ConfigCode.UNREADABLE, *problems.not_readable(error), *remedy)
    raise ConfigErrors([ConfigError(str(path), 1, 1, "", problem)])
