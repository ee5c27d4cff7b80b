"""Answers in Shopify's own words, as recorded from live shops, and the errors that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

IDEMPOTENT_REQUIRED = "The @idempotent directive is required for this mutation but was not provided."
MISSING_CHANGE_FROM = "{row} must include the following argument: changeFromQuantity."
BLANK_KEY = "The idempotency key must not be blank."
KEY_MISMATCH = "The same idempotency key cannot be used with different operation parameters."
KEY_IN_PROGRESS = "This request is currently in progress, please try again."
KEY_FAILED = "A previous request with this idempotency key failed. Retry with a new idempotency key."

BULK_RULES = {
    "query_only": "Bulk queries cannot contain mutations.",
    "no_node": "Bulk queries cannot contain a top level `node` or `nodes` field.",
    "no_connection": "Bulk queries must contain at least one connection.",
    "too_many": "Bulk queries cannot contain more than 5 connections.",
    "too_deep": "Bulk queries cannot contain connections with a nesting depth greater than 2.",
    "in_list": "Queries that contain a connection field within a list field are not currently supported.",
    "nodes": "Selecting via 'nodes' is not supported. Use 'edges { node { ... } }'.",
    "edges": "Bulk queries must select 'edges { node { ... } }' of each connection.",
    "parent_id": "The parent 'node' field for a nested connection must select the 'id' field without an alias.",
}

UNKNOWN_ITEM = "The specified inventory item could not be found."
UNKNOWN_LOCATION = "The specified location could not be found."
DUPLICATE_PAIR = "The combination of inventoryItemId and locationId must be unique."
STALE = "The changeFromQuantity argument no longer matches the persisted quantity."
NOT_MUTABLE = "The specified inventory item is not allowed to be adjusted via API."
SET_NAME = "The quantity name must be either 'available' or 'on_hand'."
NEGATIVE = "The quantity can't be negative."
TOO_HIGH = "The quantity can't be higher than {limit:,}."
TOO_LOW = "The quantity can't be lower than {limit:,}."
BAD_REFERENCE = "The specified reference document is not a valid URI."
LEDGER_REQUIRED = "A ledger document URI is required except when adjusting available."
LEDGER_FORBIDDEN = "A ledger document URI is not allowed when adjusting available."
LEDGER_INTERNAL = "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API."
LEDGER_INVALID = "The specified ledger document is not a valid URI."
LEDGER_ONE = (
    "All changes must have the same ledger document URI or, in the case of adjusting available, no ledger document URI."
)

REASONS = (
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
)
BAD_REASON = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
ADJUSTABLE = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
ADJUST_NAME = f"The specified quantity name is invalid. Valid values are: {', '.join(ADJUSTABLE)}."

ALREADY_ACTIVE = {
    "available": "Not allowed to set available quantity when the item is already active at the location.",
    "onHand": "Not allowed to set an on_hand quantity when the item is already active at the location.",
}
STOCKED_BOTH = (
    "The product couldn't be stocked at {location} because not allowed to set available and on_hand quantities at the "
    "same time."
)
STOCKED_RANGE = (
    "The product couldn't be stocked at {location} because the quantity needs to be between -1 billion and 1 billion."
)
ONLY_LOCATION = (
    "The product couldn't be unstocked from {location} because products need to be stocked at a minimum of 1 location."
)
UNSTOCKED_GONE = "The product couldn't be unstocked because the product was deleted."
UNSTOCKED_PLACE_GONE = "The product couldn't be unstocked because the location was deleted."

ADDRESS_TAKEN = "Address for this topic has already been taken"
ADDRESS_BLANK = "Address can't be blank"
ADDRESS_INVALID = "Address is invalid"
ADDRESS_SCHEME = "Address protocol {scheme}:// is not supported"
NAME_TOO_SHORT = "Name is too short (minimum is 1 character)"
NAME_TOO_LONG = "Name is too long (maximum is 50 characters)"
NAME_CHARACTERS = "Name name field can only contain alphanumeric characters, underscores, and hyphens"
NAME_TAKEN = "Name already exists, no duplicate allowed"
FORMAT_INVALID = "Format 'xml' is invalid for this webhook topic. Allowed formats: json"
FILTER_INVALID = "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on."
NO_SUBSCRIPTION = "Webhook subscription does not exist"

ONE_OF_FIRST_LAST = "you must provide one of first or last"
ARRAY_TOO_LONG = "The input array size of {size} is greater than the maximum allowed of {limit}."
BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"
INTERNAL = (
    "Internal error. Looks like something went wrong on our end.\nRequest ID: {request} (include this in support "
    "requests)."
)
RATE_LIMITS = "https://shopify.dev/api/usage/rate-limits"
ACCESS_SCOPES = "https://shopify.dev/api/usage/access-scopes"


class FieldFault(Exception):
    """A field that ends in a GraphQL error; `code` None writes no extensions."""

    def __init__(self, message: str, code: str | None, extensions: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.extensions: dict[str, Any] = {"code": code, **(extensions or {})} if code else {}


class RequestFault(Exception):
    """A request refused whole: its GraphQL errors, with no data and nothing carried out."""

    def __init__(self, *errors: Mapping[str, Any]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


def user_error(field: Sequence[str] | None, message: str, code: str | None = None) -> dict[str, Any]:
    """One entry of `userErrors`."""
    return {"field": list(field) if field is not None else None, "message": message, "code": code}
