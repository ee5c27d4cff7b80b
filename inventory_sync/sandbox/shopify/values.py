"""Variables checked against their types, refused in the words of the server library Shopify runs on.

What matters here and is easily lost elsewhere: a key that was left out stays left out, and an explicit null stays null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)

Problem = tuple[tuple[str | int, ...], str]
_NOT_NULL = "Expected value to not be null"
_INT_RANGE = range(-(2**31), 2**31)


def coerce(expected: Any, value: Any, path: tuple[str | int, ...], problems: list[Problem]) -> Any:
    """`value` as the type takes it; what is wrong with it is added to `problems`."""
    if isinstance(expected, GraphQLNonNull):
        if value is None:
            problems.append((path, _NOT_NULL))
            return None
        return coerce(expected.of_type, value, path, problems)
    if value is None:
        return None
    if isinstance(expected, GraphQLList):
        entries = value if isinstance(value, list) else [value]
        return [coerce(expected.of_type, entry, (*path, index), problems) for index, entry in enumerate(entries)]
    if isinstance(expected, GraphQLInputObjectType):
        return _input_object(expected, value, path, problems)
    return _leaf(expected, value, path, problems)


def _input_object(
    expected: GraphQLInputObjectType, value: Any, path: tuple[str | int, ...], problems: list[Problem]
) -> Any:
    if not isinstance(value, dict):
        problems.append((path, f'Expected "{value}" to be a key-value object.'))
        return None
    fields = expected.fields
    coerced: dict[str, Any] = {}
    for name, given in value.items():
        if name not in fields:
            problems.append(((*path, name), f"Field is not defined on {expected.name}"))
            continue
        coerced[name] = coerce(fields[name].type, given, (*path, name), problems)
    for name, field in fields.items():
        if name not in value and isinstance(field.type, GraphQLNonNull) and field.default is None:
            problems.append(((*path, name), _NOT_NULL))
    return coerced


def _leaf(expected: Any, value: Any, path: tuple[str | int, ...], problems: list[Problem]) -> Any:
    if isinstance(expected, GraphQLEnumType):
        if value not in expected.values:
            names = ", ".join(expected.values)
            problems.append((path, f'Expected "{value}" to be one of: {names}'))
        return value
    if isinstance(expected, GraphQLScalarType) and not _fits(expected.name, value):
        problems.append((path, f"Could not coerce value {value!r} to {expected.name}"))
    return str(value) if expected.name == "ID" else value


def _fits(scalar: str, value: Any) -> bool:
    if scalar == "Int":
        return isinstance(value, int) and not isinstance(value, bool) and value in _INT_RANGE
    if scalar == "Boolean":
        return isinstance(value, bool)
    if scalar == "Float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if scalar == "ID":
        return isinstance(value, str | int) and not isinstance(value, bool)
    if scalar in ("Decimal", "UnsignedInt64"):
        return isinstance(value, str | int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def coerce_literal(expected: Any, node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """A value written in the document itself, already validated, with the variables inside it filled in."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, NullValueNode):
        return None
    inner = expected.of_type if isinstance(expected, GraphQLNonNull) else expected
    if isinstance(inner, GraphQLList):
        nodes = node.values if isinstance(node, ListValueNode) else (node,)
        return [coerce_literal(inner.of_type, each, variables) for each in nodes]
    if isinstance(node, ObjectValueNode):
        fields = inner.fields
        return {
            each.name.value: coerce_literal(fields[each.name.value].type, each.value, variables)
            for each in node.fields
            if not isinstance(each.value, VariableNode) or each.value.name.value in variables
        }
    value = value_from_ast_untyped(node)
    return str(value) if inner is GraphQLID else value
