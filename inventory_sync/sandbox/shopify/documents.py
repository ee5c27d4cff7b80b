"""GraphQL documents: parsed, validated against the schema of API 2026-10 and compiled once, then kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    parse,
    print_ast,
    type_from_ast,
    validate,
    value_from_ast_untyped,
)

from inventory_sync.sandbox.shopify.plan import Compiler, SelectionPlan
from inventory_sync.sandbox.shopify.resolvers import resolver_of
from inventory_sync.sandbox.shopify.texts import RequestFault
from inventory_sync.sandbox.shopify.values import Problem, coerce

_KEPT = 256
#: How a complaint of the validator begins, and the code Shopify's answer carries for it.
_CODES = (
    ("Cannot query field", "undefinedField"),
    ("Unknown argument", "argumentNotAccepted"),
    ("Unknown directive", "undefinedDirective"),
    ("Unknown type", "undefinedType"),
    ("Argument", "missingRequiredArguments"),
    ("Variable", "variableMismatch"),
    ("Field", "selectionMismatch"),
)


@cache
def schema() -> GraphQLSchema:
    """The schema this simulator knows."""
    text = files(__package__).joinpath("schema-2026-10.graphql").read_text("utf-8")
    return build_schema(text, assume_valid=True)


@dataclass(frozen=True, slots=True)
class VariableSpec:
    name: str
    type_text: str
    type: Any
    required: bool
    default: Any
    has_default: bool
    location: dict[str, int]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, ready to be bound."""

    name: str
    mutation: bool
    plan: SelectionPlan
    variables: tuple[VariableSpec, ...]

    def coerce_variables(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Variables as the operation takes them. Raises RequestFault (INVALID_VARIABLE)."""
        coerced: dict[str, Any] = {}
        for spec in self.variables:
            if spec.name not in given:
                if spec.has_default:
                    coerced[spec.name] = spec.default
                elif spec.required:
                    raise RequestFault(_invalid_variable(spec, None, [((), "Expected value to not be null")]))
                continue
            problems: list[Problem] = []
            coerced[spec.name] = coerce(spec.type, given[spec.name], (), problems)
            if problems:
                raise RequestFault(_invalid_variable(spec, given[spec.name], problems))
        return coerced


class Documents:
    """Keeps the operations of the last few hundred documents."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, dict[str, Operation]] = OrderedDict()

    def operation(self, text: str, name: str | None) -> Operation:
        """The operation to run. Raises RequestFault for a document Shopify would refuse."""
        operations = self._kept.get(text)
        if operations is None:
            operations = _compile(text)
            self._kept[text] = operations
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        if name is None and len(operations) == 1:
            return next(iter(operations.values()))
        if name is None or name not in operations:
            raise RequestFault({"message": f'No operation named "{name or ""}"'})
        return operations[name]


def _compile(text: str) -> dict[str, Operation]:
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        locations = [{"line": each.line, "column": each.column} for each in error.locations or ()]
        raise RequestFault({"message": error.message, "locations": locations}) from error
    errors = validate(schema(), document)
    if errors:
        raise RequestFault(*(_refusal(error, document.definitions) for error in errors))
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    compiler = Compiler(schema(), fragments, resolver_of)
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return {operation.name: operation for operation in (_operation(node, compiler) for node in operations)}


def _operation(node: OperationDefinitionNode, compiler: Compiler) -> Operation:
    name = node.name.value if node.name else ""
    variables = tuple(
        VariableSpec(
            name=each.variable.name.value,
            type_text=print_ast(each.type),
            type=type_from_ast(schema(), each.type),
            required=isinstance(each.type, NonNullTypeNode),
            default=value_from_ast_untyped(each.default_value) if each.default_value else None,
            has_default=each.default_value is not None,
            location=_where(each),
        )
        for each in node.variable_definitions or ()
    )
    return Operation(name, node.operation is OperationType.MUTATION, compiler.operation(node), variables)


def _where(node: Any) -> dict[str, int]:
    token = node.loc.start_token
    return {"line": token.line, "column": token.column}


def _invalid_variable(spec: VariableSpec, value: Any, problems: list[Problem]) -> dict[str, Any]:
    said = ", ".join(f"{'.'.join(map(str, path))} ({why})" for path, why in problems if path)
    message = f"Variable ${spec.name} of type {spec.type_text} was provided invalid value"
    return {
        "message": f"{message} for {said}" if said else message,
        "locations": [spec.location],
        "extensions": {
            "code": "INVALID_VARIABLE",
            "value": value,
            "problems": [{"path": list(path), "explanation": why} for path, why in problems],
        },
    }


def _refusal(error: GraphQLError, definitions: Any) -> dict[str, Any]:
    code = next((code for start, code in _CODES if error.message.startswith(start)), "argumentLiteralsIncompatible")
    locations = [{"line": each.line, "column": each.column} for each in error.locations or ()]
    node = error.nodes[0] if error.nodes else None
    extensions: dict[str, Any] = {"code": code}
    message = error.message
    if code == "undefinedField" and isinstance(node, FieldNode):
        type_name = error.message.split(" on type '", 1)[1].split("'", 1)[0]
        message = f"Field '{node.name.value}' doesn't exist on type '{type_name}'"
        extensions |= {"typeName": type_name, "fieldName": node.name.value}
    refusal: dict[str, Any] = {"message": message, "locations": locations}
    path = _path_to(node, definitions)
    return refusal | ({"path": path} if path else {}) | {"extensions": extensions}


def _path_to(node: Any, definitions: Any) -> list[str]:
    """The way from the operation down to a field, as Shopify writes it."""
    for definition in definitions:
        if isinstance(definition, OperationDefinitionNode):
            title = definition.operation.value + (f" {definition.name.value}" if definition.name else "")
            below = _search(node, definition.selection_set)
            if below:
                return [title, *below]
    return []


def _search(node: Any, selection_set: Any) -> list[str]:
    for each in selection_set.selections if selection_set else ():
        step = [(each.alias or each.name).value] if isinstance(each, FieldNode) else []
        if each is node:
            return step
        below = _search(node, getattr(each, "selection_set", None))
        if below:
            return [*step, *below]
    return []
