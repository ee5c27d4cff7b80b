"""Runs a bound operation over the shop: field by field, with GraphQL's rules for nulls and errors."""

from __future__ import annotations

from typing import Any

from inventory_sync.sandbox.shopify.core import Run
from inventory_sync.sandbox.shopify.plan import BoundField, BoundSelection, Shape
from inventory_sync.sandbox.shopify.texts import ACCESS_SCOPES, FieldFault

#: Any one of these scopes opens values of a type; https://shopify.dev/docs/api/usage/access-scopes.
_SCOPES_BY_TYPE = {
    "InventoryItem": ("read_inventory", "read_products"),
    "InventoryLevel": ("read_inventory",),
    "Location": ("read_locations",),
    "Product": ("read_products",),
    "ProductVariant": ("read_products",),
}


class _Bubble(Exception):
    """A null that a non-null field may not show, on its way up to one that may."""


def execute(selection: BoundSelection, run: Run) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The data and errors of an operation; root fields run one after the other."""
    walker = _Walker(run)
    try:
        return walker.fields(selection.all_fields(), None), walker.errors
    except _Bubble:
        return None, walker.errors


def type_name(value: Any) -> str:
    return str(value.typename)


class _Walker:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._path: list[str | int] = []
        self.errors: list[dict[str, Any]] = []
        self._denied: dict[int, FieldFault | None] = {}

    def fields(self, fields: tuple[BoundField, ...], source: Any) -> dict[str, Any]:
        run = self._run
        answer: dict[str, Any] = {}
        for field in fields:
            if field.leaf:
                try:
                    answer[field.key] = field.resolve(source, field.arguments, run)
                except FieldFault as fault:
                    self._fail(field, fault)
                    answer[field.key] = None
                continue
            found = self._quick(field, source) if field.quick else None
            if found is None:
                self._path.append(field.key)
                found = self._composite(field, source)
                self._path.pop()
            answer[field.key] = found
        return answer

    def _quick(self, field: BoundField, source: Any) -> dict[str, Any] | None:
        """An object of leaves, if nothing is denied, null or failing; None where that must be told the long way."""
        flat = field.sub.flat if field.sub else None
        if flat is None or self._denial(field):
            return None
        run = self._run
        try:
            value = field.resolve(source, field.arguments, run)
            return {key: resolve(value, args, run) for key, resolve, args in flat} if value is not None else None
        except FieldFault:
            return None

    def _composite(self, field: BoundField, source: Any) -> Any:
        depth = len(self._path)
        try:
            denial = self._denial(field)
            if denial:
                raise denial
            self._run.field_now, self._run.path = field, self._path
            value = field.resolve(source, field.arguments, self._run)
            if value is None:
                self._null(field)
                return None
            if field.shape is Shape.LIST:
                return self._flat_entries(field, value) or self._entries(field, value)
            return self._object(field, value)
        except FieldFault as fault:
            self._fail(field, fault, here=True)
            return None
        except _Bubble:
            del self._path[depth:]
            if not field.nullable:
                raise
            return None

    def _entries(self, field: BoundField, values: Any) -> list[Any]:
        answer: list[Any] = []
        nullable = field.plan.entries_nullable
        for index, value in enumerate(values):
            self._path.append(index)
            depth = len(self._path)
            try:
                if value is None:
                    answer.append(None)
                    continue
                denial = self._denial_of_type(type_name(value), field) if nullable else None
                if denial:
                    raise denial
                answer.append(self._object(field, value))
            except FieldFault as fault:
                self._record(field, fault, tuple(self._path))
                answer.append(None)
            except _Bubble:
                del self._path[depth:]
                if not nullable:
                    raise
                answer.append(None)
            finally:
                self._path.pop()
        return answer

    def _flat_entries(self, field: BoundField, values: Any) -> list[Any] | None:
        """The entries if they are all present and plain; None where errors or nulls need the long way."""
        flat = field.sub.flat if field.sub else None
        if flat is None or field.plan.entries_nullable:
            return None
        run = self._run
        try:
            return [{key: resolve(value, arguments, run) for key, resolve, arguments in flat} for value in values]
        except FieldFault:
            return None

    def _object(self, field: BoundField, value: Any) -> dict[str, Any]:
        selection = field.sub
        if selection is None:
            return {}
        fields = selection.only if selection.only is not None else selection.by_type[type_name(value)]
        return self.fields(fields, value)

    def _null(self, field: BoundField) -> None:
        if not field.nullable:
            raise _Bubble

    def _fail(self, field: BoundField, fault: FieldFault, here: bool = False) -> None:
        self._record(field, fault, (*self._path,) if here else (*self._path, field.key))
        self._null(field)

    def _record(self, field: BoundField, fault: FieldFault, path: tuple[str | int, ...]) -> None:
        extra = fault.extensions.pop("also_at", None)
        locations = [field.plan.location, *([extra] if extra else [])]
        error: dict[str, Any] = {"message": fault.message, "locations": locations}
        if fault.extensions:
            error["extensions"] = fault.extensions
        self.errors.append(error | {"path": list(path)})

    def _denial(self, field: BoundField) -> FieldFault | None:
        key = id(field)
        if key not in self._denied:
            self._denied[key] = self._denial_of_type(field.type_name.removesuffix("Connection"), field)
        return self._denied[key]

    def _denial_of_type(self, name: str, field: BoundField) -> FieldFault | None:
        if field.plan.parent == "Mutation":
            scopes: tuple[str, ...] = ("write_inventory",) if field.name.startswith("inventory") else ()
        else:
            scopes = _SCOPES_BY_TYPE.get(name, ())
        if not scopes or any(self._run.core.access.allows(scope) for scope in scopes):
            return None
        return access_denied(field.name, scopes[0])


def access_denied(field: str, scope: str) -> FieldFault:
    """The answer for a field that needs a scope the app was not granted."""
    required = f"`{scope}` access scope."
    message = f"Access denied for {field} field. Required access: {required}"
    return FieldFault(message, "ACCESS_DENIED", {"documentation": ACCESS_SCOPES, "requiredAccess": required})
