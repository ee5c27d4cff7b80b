from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLSchema, build_schema, parse, validate

import inventory_sync
from inventory_sync.systems.shopify import documents
from inventory_sync.systems.shopify.documents import Document, connection_cost
from inventory_sync.systems.shopify.outcomes import USER_ERRORS
from inventory_sync.systems.shopify.subscriptions import TOPICS

SCHEMA = Path(inventory_sync.__file__).parent / "sandbox" / "shopify" / "schema-2026-10.graphql"
ADJUST_CODES = "InventoryAdjustQuantitiesUserErrorCode"
each_document = pytest.mark.parametrize("document", documents.ALL, ids=lambda each: f"{each.name}-{each.cost}")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


@each_document
def test_every_document_is_valid_in_the_newest_api_version(document: Document, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(document.text)) == []


def test_every_error_code_of_an_adjustment_is_decided_and_every_topic_exists(schema: GraphQLSchema) -> None:
    codes, topics = schema.get_type(ADJUST_CODES), schema.get_type("WebhookSubscriptionTopic")
    assert isinstance(codes, GraphQLEnumType)
    assert isinstance(topics, GraphQLEnumType)
    assert set(codes.values) <= set(USER_ERRORS)
    assert set(TOPICS) <= set(topics.values)


@each_document
def test_every_document_names_its_operation_and_fits_into_one_query(document: Document) -> None:
    assert document.text.split("(")[0].split("{")[0].split()[1] == document.name
    assert 0 < document.cost <= 1000


@each_document
def test_a_document_that_changes_stock_carries_an_idempotency_key(document: Document) -> None:
    assert document.writes is ("@idempotent(key: $key)" in document.text)


@pytest.mark.parametrize(
    ("first", "node", "observed"), [(250, 3, 35), (250, 17, 189), (250, 14, 156), (10, 3, 14), (50, 3, 23), (1, 1, 3)]
)
def test_the_cost_formula_gives_the_costs_that_were_observed(first: int, node: int, observed: int) -> None:
    assert connection_cost(first, node) == observed


@pytest.mark.parametrize(
    ("document", "observed"),
    [
        (documents.SHOP, 6),
        (documents.VARIANTS, 189),
        (documents.READ_LEVELS, 15),
        (documents.READ_ALL_LEVELS, 36),
        (documents.CHANGED_LEVELS, 36),
        (documents.ADJUST, 13),
        (documents.WEBHOOK_DELETE, 10),
    ],
    ids=lambda each: each.name if isinstance(each, Document) else str(each),
)
def test_documents_cost_what_was_observed(document: Document, observed: int) -> None:
    assert document.cost == observed
