"""GraphQL documents: parsed, validated and bound to variables, refused in the words of the library MakeShop uses.

The wording (double quotes, `unknown field` with its path, status 422) is what live clients recorded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FieldDefinitionNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InputValueDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    Visitor,
    build_ast_schema,
    parse,
    type_from_ast,
    validate,
    value_from_ast_untyped,
    visit,
)
from graphql.language import REMOVE

from inventory_sync.sandbox.makeshop.replies import (
    FORBIDDEN,
    PARSE_FAILED,
    VALIDATION_FAILED,
    Json,
    Refused,
    coded,
)
from inventory_sync.sandbox.makeshop.switches import MakeShopSwitches

_KEPT = 128
_INT = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document that fits the schema."""

    schema: GraphQLSchema
    document: DocumentNode
    node: OperationDefinitionNode
    introspects: bool

    @property
    def name(self) -> str | None:
        return self.node.name.value if self.node.name else None

    @property
    def roots(self) -> int:
        """How many root fields are written in the operation itself."""
        return sum(isinstance(each, FieldNode) for each in self.node.selection_set.selections)

    def variables(self, given: Mapping[str, Any]) -> Json:
        """Variables as the operation takes them. Raises Refused (422) naming the first that does not fit."""
        bound: Json = {}
        for each in self.node.variable_definitions or ():
            name = each.variable.name.value
            path: Path = ("variable", name)
            if name in given:
                bound[name] = coerce(type_from_ast(self.schema, each.type), given[name], path)
            elif each.default_value is not None:
                bound[name] = value_from_ast_untyped(each.default_value)
            elif isinstance(each.type, NonNullTypeNode):
                raise misfit("must be defined", path)
        return bound


class Documents:
    """Keeps the last documents that were asked for, by text and schema."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, bool, str], DocumentNode] = OrderedDict()

    def operation(self, text: str, name: str | None, switches: MakeShopSwitches) -> Operation:
        """The operation to run. Raises Refused for a document or a name MakeShop would not take."""
        known = schema(switches.unproven_fields, switches.details == "list")
        key = (text, switches.unproven_fields, switches.details)
        document = self._kept.get(key)
        if document is None:
            document = self._kept[key] = _checked(text, known, switches)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        chosen = [each for each in operations if not name or (each.name and each.name.value == name)]
        if len(chosen) != 1:
            raise Refused(422, coded(f"operation {name or ''} not found", VALIDATION_FAILED, switches))
        return Operation(known, document, chosen[0], _introspects(document))


@cache
def schema(unproven: bool, details_are_list: bool) -> GraphQLSchema:
    """The schema, with or without what is unproven."""
    text = files(__package__).joinpath("schema.graphql").read_text("utf-8")
    built = build_ast_schema(visit(parse(text), _Shaper(unproven, details_are_list)), assume_valid=True)
    whole = built.type_map["Int64"]
    if isinstance(whole, GraphQLScalarType):
        whole.coerce_input_value = _whole_number
        whole.coerce_input_literal = lambda node: _whole_number(value_from_ast_untyped(node))
    return built


class _Shaper(Visitor):
    """Shapes the schema's document as the switches say."""

    def __init__(self, unproven: bool, details_are_list: bool) -> None:
        super().__init__()
        self._unproven, self._details_are_list = unproven, details_are_list

    def enter_field_definition(self, node: FieldDefinitionNode, *_: Any) -> Any:
        return REMOVE if not self._unproven and _marked(node, "unproven") else None

    def enter_input_value_definition(self, node: InputValueDefinitionNode, *_: Any) -> Any:
        if not self._unproven and _marked(node, "unproven"):
            return REMOVE
        if not self._details_are_list and _marked(node, "listOrObject"):
            return InputValueDefinitionNode(name=node.name, type=_single(node.type), directives=(), loc=node.loc)
        return None


def _marked(node: FieldDefinitionNode | InputValueDefinitionNode, directive: str) -> bool:
    return any(each.name.value == directive for each in node.directives or ())


def _single(kind: TypeNode) -> TypeNode:
    while isinstance(kind, NonNullTypeNode | ListTypeNode):
        kind = kind.type
    return kind


def _whole_number(value: Any) -> int:
    if not _fits("Int64", value):
        raise GraphQLError(f"Int64 cannot represent value: {value!r}")
    return int(value)


def _checked(text: str, known: GraphQLSchema, switches: MakeShopSwitches) -> DocumentNode:
    try:
        document = parse(text)
    except GraphQLSyntaxError as fault:
        raise Refused(422, _told(fault, PARSE_FAILED, switches)) from fault
    faults = validate(known, document)
    if faults:
        raise Refused(422, *(_told(fault, VALIDATION_FAILED, switches) for fault in faults))
    return document


def _told(fault: GraphQLError, code: str, switches: MakeShopSwitches) -> Json:
    message = fault.message.replace("'", '"')
    locations = [{"line": each.line, "column": each.column} for each in fault.locations or ()]
    return coded(message, code, switches, locations=locations)


def _introspects(document: DocumentNode) -> bool:
    found: list[str] = []

    class Finder(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            if node.name.value in ("__schema", "__type"):
                found.append(node.name.value)

    visit(document, Finder())
    return bool(found)


def forbidden(message: str, switches: MakeShopSwitches, path: Path = ()) -> Json:
    """The error of something that was not approved."""
    return coded(message, FORBIDDEN, switches, **({"path": list(path)} if path else {}))


def misfit(message: str, path: Path) -> Refused:
    """The refusal of a variable, told with the way to it."""
    where = {"path": list(path), "extensions": {"code": VALIDATION_FAILED}}
    return Refused(422, {"message": message, **where})


def coerce(expected: Any, value: Any, path: Path) -> Any:
    """`value` as the type takes it. Raises Refused (422) at the first thing that does not fit."""
    if isinstance(expected, GraphQLNonNull):
        if value is None:
            raise misfit("cannot be null", path)
        return coerce(expected.of_type, value, path)
    if value is None:
        return None
    if isinstance(expected, GraphQLList):
        entries = value if isinstance(value, list) else [value]
        return [coerce(expected.of_type, entry, (*path, number)) for number, entry in enumerate(entries)]
    if isinstance(expected, GraphQLInputObjectType):
        return _object(expected, value, path)
    if isinstance(expected, GraphQLEnumType):
        if value not in expected.values:
            raise misfit(f"{value} is not a valid {expected.name}", path)
        return value
    if not _fits(expected.name, value):
        raise misfit(f"cannot use {_kind(value)} as {expected.name}", path)
    return value


def _object(expected: GraphQLInputObjectType, value: Any, path: Path) -> Json:
    if not isinstance(value, dict):
        raise misfit(f"must be a {expected.name}", path)
    for name in value:
        if name not in expected.fields:
            raise misfit("unknown field", (*path, name))
    bound: Json = {}
    for name, field in expected.fields.items():
        if name in value:
            bound[name] = coerce(field.type, value[name], (*path, name))
        elif isinstance(field.type, GraphQLNonNull) and field.default is None:
            raise misfit("must be defined", (*path, name))
    return bound


def _fits(scalar: str, value: Any) -> bool:
    if scalar == "Int":
        return isinstance(value, int) and not isinstance(value, bool) and value in _INT
    if scalar == "Int64":
        return isinstance(value, int) and not isinstance(value, bool) and value in _INT64
    if scalar == "Boolean":
        return isinstance(value, bool)
    return isinstance(value, str)


def _kind(value: Any) -> str:
    kinds = {bool: "bool", int: "int", float: "float64", str: "string", list: "slice", dict: "map"}
    return kinds.get(type(value), "value")
