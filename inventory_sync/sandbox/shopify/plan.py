"""A validated operation made ready to run: compiled once per document, bound once per request to its variables.

The shop's answers are long lists of small objects, so fields are resolved by a walker of our own over bound plans; the
generic executor of graphql-core costs several times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
    value_from_ast_untyped,
)

from inventory_sync.sandbox.shopify.values import coerce_literal

#: Resolves one field: (source, arguments, run) → value.
Resolver = Callable[[Any, Mapping[str, Any], Any], Any]


class Shape(StrEnum):
    LEAF = "leaf"
    OBJECT = "object"
    LIST = "list"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One response key of a selection. `literals` are arguments to be read from the document for each request."""

    key: str
    name: str
    parent: str
    type_name: str
    shape: Shape
    nullable: bool
    entries_nullable: bool
    location: dict[str, int]
    literals: tuple[tuple[str, Any, ValueNode], ...]  # argument name, input type, value
    defaults: dict[str, Any]
    key_literal: ValueNode | None  # the key of @idempotent
    idempotent: bool
    conditions: tuple[tuple[bool, ValueNode], ...]
    sub: SelectionPlan | None
    resolve: Resolver


@dataclass(frozen=True, slots=True)
class SelectionPlan:
    """The fields selected on each concrete type a value can have."""

    by_type: dict[str, tuple[FieldPlan, ...]]


@dataclass(frozen=True, slots=True)
class BoundField:
    """A field with its arguments. `plan` says the rest."""

    plan: FieldPlan
    key: str
    name: str
    type_name: str
    shape: Shape
    nullable: bool
    arguments: dict[str, Any]
    idempotency_key: str | None
    sub: BoundSelection | None
    resolve: Resolver
    leaf: bool
    quick: bool  # an object of leaves below a query or payload: no error of its own to place


@dataclass(frozen=True, slots=True)
class BoundSelection:
    by_type: dict[str, tuple[BoundField, ...]]
    only: tuple[BoundField, ...] | None  # the fields, where just one type is possible
    flat: tuple[tuple[str, Resolver, dict[str, Any]], ...] | None  # the same, where all of them are leaves
    has_connection: bool

    def all_fields(self) -> tuple[BoundField, ...]:
        return next(iter(self.by_type.values()), ())


class Compiler:
    """Compiles the selections of one document; `resolver_of(type, field)` finds what answers a field."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        resolver_of: Callable[[str, str], Resolver],
    ) -> None:
        self._schema, self._fragments, self._resolver_of = schema, fragments, resolver_of

    def operation(self, node: OperationDefinitionNode) -> SelectionPlan:
        root = self._schema.get_root_type(node.operation)
        if root is None:
            raise ValueError("the schema has no such kind of operation")
        return self._selection(root, [node.selection_set])

    def _selection(self, parent: Any, sets: Sequence[SelectionSetNode]) -> SelectionPlan:
        if isinstance(parent, GraphQLInterfaceType):
            types = sorted(self._schema.get_possible_types(parent), key=lambda possible: possible.name)
        else:
            types = [parent]
        return SelectionPlan({concrete.name: self._fields(concrete, sets) for concrete in types})

    def _fields(self, parent: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> tuple[FieldPlan, ...]:
        grouped: dict[str, list[tuple[FieldNode, tuple[Any, ...]]]] = {}
        for selection_set in sets:
            self._collect(parent, selection_set, (), grouped)
        return tuple(self._field(parent, key, nodes) for key, nodes in grouped.items())

    def _collect(
        self,
        parent: GraphQLObjectType,
        selection_set: SelectionSetNode,
        inherited: tuple[tuple[bool, ValueNode], ...],
        grouped: dict[str, list[tuple[FieldNode, tuple[Any, ...]]]],
    ) -> None:
        for node in selection_set.selections:
            conditions = inherited + _conditions(node)
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                grouped.setdefault(key, []).append((node, conditions))
                continue
            fragment: Any = node
            if isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
            if self._applies(fragment, parent):
                self._collect(parent, fragment.selection_set, conditions, grouped)

    def _applies(self, fragment: FragmentDefinitionNode | InlineFragmentNode, parent: GraphQLObjectType) -> bool:
        if fragment.type_condition is None:
            return True
        condition = self._schema.get_type(fragment.type_condition.name.value)
        if isinstance(condition, GraphQLInterfaceType):
            return self._schema.is_sub_type(condition, parent)
        return condition is parent

    def _field(self, parent: GraphQLObjectType, key: str, nodes: list[tuple[FieldNode, tuple[Any, ...]]]) -> FieldPlan:
        node, conditions = nodes[0]
        name = node.name.value
        if name == "__typename":
            return _typename_plan(parent.name, key, node, conditions)
        definition = parent.fields.get(name)
        if definition is None:  # introspection: valid GraphQL, and not played
            return _unplayed_plan(parent.name, key, node, self._resolver_of(parent.name, name))
        output = definition.type
        named = get_named_type(output)
        shape, nullable, entries_nullable = _shape_of(output)
        sets = [one.selection_set for one, _ in nodes if one.selection_set]
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        directive = next((each for each in node.directives or () if each.name.value == "idempotent"), None)
        return FieldPlan(
            key=key,
            name=name,
            parent=parent.name,
            type_name=named.name,
            shape=shape,
            nullable=nullable,
            entries_nullable=entries_nullable,
            location=_location(node),
            literals=tuple((each, definition.args[each].type, value) for each, value in given.items()),
            defaults=_defaults(definition.args, given),
            key_literal=directive.arguments[0].value if directive and directive.arguments else None,
            idempotent=directive is not None,
            conditions=conditions if len(nodes) == 1 else (),
            sub=self._selection(named, sets) if sets else None,
            resolve=self._resolver_of(parent.name, name),
        )


def bind(selection: SelectionPlan, variables: Mapping[str, Any]) -> BoundSelection:
    """A selection with its arguments read from the variables and @skip and @include decided."""
    by_type = {
        name: tuple(_bind_field(field, variables) for field in fields if _included(field.conditions, variables))
        for name, fields in selection.by_type.items()
    }
    has_connection = any(
        field.shape is Shape.CONNECTION or (field.sub is not None and field.sub.has_connection)
        for fields in by_type.values()
        for field in fields
    )
    only = next(iter(by_type.values())) if len(by_type) == 1 else None
    flat = None
    if only is not None and all(field.leaf for field in only):
        flat = tuple((field.key, field.resolve, field.arguments) for field in only)
    return BoundSelection(by_type, only, flat, has_connection)


def _bind_field(field: FieldPlan, variables: Mapping[str, Any]) -> BoundField:
    arguments = dict(field.defaults)
    for name, input_type, literal in field.literals:
        if isinstance(literal, VariableNode):
            if literal.name.value in variables:
                arguments[name] = variables[literal.name.value]
        else:
            arguments[name] = coerce_literal(input_type, literal, variables)
    key = _literal(field.key_literal, variables) if field.key_literal is not None else None
    sub = bind(field.sub, variables) if field.sub else None
    return BoundField(
        plan=field,
        key=field.key,
        name=field.name,
        type_name=field.type_name,
        shape=field.shape,
        nullable=field.nullable,
        arguments=arguments,
        idempotency_key=key,
        sub=sub,
        resolve=field.resolve,
        leaf=field.shape is Shape.LEAF,
        quick=field.shape is Shape.OBJECT and sub is not None and sub.flat is not None and field.parent != "Mutation",
    )


def _included(conditions: tuple[tuple[bool, ValueNode], ...], variables: Mapping[str, Any]) -> bool:
    return all(bool(_literal(value, variables)) is wanted for wanted, value in conditions)


def _literal(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    return value_from_ast_untyped(node)


def _conditions(node: Any) -> tuple[tuple[bool, ValueNode], ...]:
    wanted = {"include": True, "skip": False}
    return tuple(
        (wanted[directive.name.value], directive.arguments[0].value)
        for directive in node.directives or ()
        if directive.name.value in wanted
    )


def _defaults(definitions: Mapping[str, Any], given: Mapping[str, ValueNode]) -> dict[str, Any]:
    """Default values of arguments that were left out or given by a variable (which may be left out too)."""
    defaults: dict[str, Any] = {}
    for name, definition in definitions.items():
        if name in given and not isinstance(given[name], VariableNode):
            continue
        default = definition.default
        if default is not None:
            defaults[name] = default.value if default.literal is None else value_from_ast_untyped(default.literal)
    return defaults


def _shape_of(output: GraphQLOutputType) -> tuple[Shape, bool, bool]:
    nullable = not isinstance(output, GraphQLNonNull)
    inner: Any = output.of_type if isinstance(output, GraphQLNonNull) else output
    named = get_named_type(output)
    if is_leaf_type(named):
        return Shape.LEAF, nullable, True
    if isinstance(inner, GraphQLList):
        return Shape.LIST, nullable, not isinstance(inner.of_type, GraphQLNonNull)
    connection = named.name.endswith("Connection")
    return (Shape.CONNECTION if connection else Shape.OBJECT), nullable, False


def _location(node: FieldNode) -> dict[str, int]:
    token = node.loc.start_token if node.loc else None
    return {"line": token.line, "column": token.column} if token else {"line": 0, "column": 0}


def _typename_plan(parent: str, key: str, node: FieldNode, conditions: tuple[Any, ...]) -> FieldPlan:
    def name_of_type(source: Any, arguments: Mapping[str, Any], run: Any) -> str:
        return parent

    return _bare_plan(parent, key, node, conditions, name_of_type)


def _unplayed_plan(parent: str, key: str, node: FieldNode, resolve: Resolver) -> FieldPlan:
    return _bare_plan(parent, key, node, (), resolve)


def _bare_plan(parent: str, key: str, node: FieldNode, conditions: tuple[Any, ...], resolve: Resolver) -> FieldPlan:
    return FieldPlan(
        key=key,
        name=node.name.value,
        parent=parent,
        type_name="String",
        shape=Shape.LEAF,
        nullable=True,
        entries_nullable=True,
        location=_location(node),
        literals=(),
        defaults={},
        key_literal=None,
        idempotent=False,
        conditions=conditions,
        sub=None,
        resolve=resolve,
    )
