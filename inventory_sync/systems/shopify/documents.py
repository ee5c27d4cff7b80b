"""Every GraphQL document we send, and what each is asked to cost.

All of them were validated against the complete Admin GraphQL schemas 2026-04, 2026-07 and 2026-10 as shipped in the npm
package @shopify/dev-mcp 1.16.0 (dist/data/admin_<version>.json.gz), on 2026-11-21. After changing one, do so again.

Two rules of API 2026-04 and later are not in the schema: every row of an adjustment must carry the key
`changeFromQuantity` (null switches the comparison off), and the mutation field must carry `@idempotent`
(shopify.dev/changelog/making-changefromquantity-field-required,
shopify.dev/changelog/making-idempotency-mandatory-for-inventory-adjustments-and-refund-mutations).

Costs are in query points. A request must find its *requested* cost in the bucket before it is carried out
(shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits). The formula below reproduces the costs that were observed;
it is not published.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


def connection_cost(first: int, node: int) -> int:
    """Points of a connection of `first` nodes that cost `node` points each, the node itself included (observed).

    >>> connection_cost(250, 3), connection_cost(10, 3), connection_cost(1, 1)
    (35, 14, 3)
    """
    return 2 + max(1, math.floor(2 * math.log(first))) * node


# Page sizes. A connection gives at most 250 nodes a page, an argument list takes at most 250 entries, and a paginated
# list ends at 25,000 objects (shopify.dev/docs/api/usage/limits).
PAGE = 250
LIST_ENDS_AT = 25_000
LEVELS_FIRST = 10  # levels per item at first; an item with more is asked again with a whole page
WEBHOOK_PAGE = 50
BULK_LISTED = 20  # five may run at once; finished ones stay in the list
VARIANTS_OF_ITEM = 5  # an item has one variant today; the schema allows several
PRODUCTS_AT_ONCE = 10  # each may bring 250 variants into one answer
ITEMS_AT_ONCE = 100
WHOLE_LISTS_AT_ONCE = 50  # items whose lists of up to 250 levels come in one answer

_MUTATION = 10
_LEVEL = 3  # level + location + quantities
_VARIANT = 3  # variant + product + inventory item


@dataclass(frozen=True, slots=True)
class Document:
    """A named operation, its text, and what it costs as we call it. `writes`: a lost answer leaves doubt."""

    name: str
    text: str
    cost: int
    writes: bool = False


SHOP = Document(
    "ShopAndScopes",
    """query ShopAndScopes {
  shop { id name myshopifyDomain ianaTimezone plan { publicDisplayName } resourceLimits { locationLimit } }
  currentAppInstallation { id app { id title } accessScopes { handle } }
}""",
    6,
)

LOCATIONS = Document(
    "ListLocations",
    """query ListLocations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true, includeLegacy: true, sortKey: ID) {
    nodes { id name isActive isFulfillmentService fulfillmentService { id serviceName } }
    pageInfo { hasNextPage endCursor }
  }
}""",
    connection_cost(PAGE, 2),
)

_LEVEL_FIELDS = """{
        nodes { id isActive updatedAt location { id } quantities(names: $names) { name quantity updatedAt } }
        pageInfo { hasNextPage endCursor }
      }"""

_VARIANT_FIELDS = """id
      sku
      barcode
      title
      requiresComponents
      product { id title status isGiftCard }"""

VARIANTS = Document(
    "ListVariants",
    f"""query ListVariants($first: Int!, $after: String, $query: String, $levels: Int!, $names: [String!]!) {{
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {{
    nodes {{
      {_VARIANT_FIELDS}
      legacyResourceId
      inventoryItem {{ id sku tracked inventoryLevels(first: $levels, includeInactive: true) {_LEVEL_FIELDS} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
    connection_cost(PAGE, _VARIANT + connection_cost(LEVELS_FIRST, _LEVEL)),
)

REFRESH_ITEMS = Document(
    "RefreshItems",
    f"""query RefreshItems($ids: [ID!]!, $first: Int!) {{
  nodes(ids: $ids) {{
    __typename
    id
    ... on InventoryItem {{
      sku
      tracked
      variants(first: $first) {{ nodes {{
      {_VARIANT_FIELDS}
      }} }}
    }}
  }}
}}""",
    1 + connection_cost(VARIANTS_OF_ITEM, 2),
)

REFRESH_PRODUCTS = Document(
    "RefreshProducts",
    f"""query RefreshProducts($ids: [ID!]!, $first: Int!) {{
  nodes(ids: $ids) {{
    __typename
    id
    ... on Product {{
      variants(first: $first) {{
        nodes {{
      {_VARIANT_FIELDS}
      inventoryItem {{ id sku tracked }}
        }}
        pageInfo {{ hasNextPage endCursor }}
      }}
    }}
  }}
}}""",
    1 + connection_cost(PAGE, _VARIANT),
)

PRODUCT_VARIANTS = Document(
    "ProductVariants",
    f"""query ProductVariants($id: ID!, $first: Int!, $after: String) {{
  product(id: $id) {{
    id
    variants(first: $first, after: $after) {{
      nodes {{
      {_VARIANT_FIELDS}
      inventoryItem {{ id sku tracked }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}""",
    1 + connection_cost(PAGE, _VARIANT),
)

_READ_LEVELS = f"""query ReadLevels($itemIds: [ID!]!, $levels: Int!, $names: [String!]!) {{
  nodes(ids: $itemIds) {{
    __typename
    id
    ... on InventoryItem {{
      tracked
      inventoryLevels(first: $levels, includeInactive: true) {_LEVEL_FIELDS}
    }}
  }}
}}"""

READ_LEVELS = Document("ReadLevels", _READ_LEVELS, 1 + connection_cost(LEVELS_FIRST, _LEVEL))
READ_ALL_LEVELS = Document("ReadLevels", _READ_LEVELS, 1 + connection_cost(PAGE, _LEVEL))

ITEM_LEVELS = Document(
    "ItemLevels",
    f"""query ItemLevels($itemId: ID!, $first: Int!, $after: String, $names: [String!]!) {{
  inventoryItem(id: $itemId) {{
    id
    tracked
    inventoryLevels(first: $first, after: $after, includeInactive: true) {_LEVEL_FIELDS}
  }}
}}""",
    1 + connection_cost(PAGE, _LEVEL),
)

CHANGED_LEVELS = Document(
    "ChangedLevels",
    """query ChangedLevels($locationId: ID!, $first: Int!, $after: String, $query: String, $names: [String!]!) {
  location(id: $locationId) {
    id
    inventoryLevels(first: $first, after: $after, query: $query, includeInactive: true) {
      nodes { id isActive updatedAt item { id tracked } quantities(names: $names) { name quantity updatedAt } }
      pageInfo { hasNextPage endCursor }
    }
  }
}""",
    1 + connection_cost(PAGE, 3),
)

WALK_ITEMS = Document(
    "WalkItems",
    f"""query WalkItems($first: Int!, $after: String, $query: String, $levels: Int!, $names: [String!]!) {{
  inventoryItems(first: $first, after: $after, query: $query) {{
    nodes {{
      id
      legacyResourceId
      tracked
      inventoryLevels(first: $levels, includeInactive: true) {_LEVEL_FIELDS}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
    connection_cost(PAGE, 1 + connection_cost(LEVELS_FIRST, _LEVEL)),
)

ADJUST = Document(
    "AdjustQuantities",
    """mutation AdjustQuantities($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup {
      id
      createdAt
      referenceDocumentUri
      changes { name delta item { id } location { id } }
    }
    userErrors { field message code }
  }
}""",
    _MUTATION + 3,
    writes=True,
)

ACTIVATE = Document(
    "ActivateAtLocation",
    """mutation ActivateAtLocation($inventoryItemId: ID!, $locationId: ID!, $key: String!) {
  inventoryActivate(inventoryItemId: $inventoryItemId, locationId: $locationId) @idempotent(key: $key) {
    inventoryLevel { id isActive location { id } item { id tracked } }
    userErrors { field message }
  }
}""",
    _MUTATION + 2,
    writes=True,
)

WEBHOOK_LIST = Document(
    "WebhookList",
    """query WebhookList($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after, sortKey: ID) {
    nodes { id topic uri format name filter includeFields }
    pageInfo { hasNextPage endCursor }
  }
}""",
    connection_cost(WEBHOOK_PAGE, 1),
)

# Creating and deleting a subscription leaves no doubt to keep: the next look at the list shows what came of it.
WEBHOOK_CREATE = Document(
    "WebhookSubscribe",
    """mutation WebhookSubscribe($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
    webhookSubscription { id topic uri format name }
    userErrors { field message }
  }
}""",
    _MUTATION,
)

WEBHOOK_DELETE = Document(
    "WebhookDelete",
    """mutation WebhookDelete($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}""",
    _MUTATION,
)

COUNT_VARIANTS = Document(
    "CountVariants",
    "query CountVariants($limit: Int!) { productVariantsCount(limit: $limit) { count } }",
    10,
)

# Bulk operations (shopify.dev/docs/api/usage/bulk-operations/queries): a query that Shopify carries out by itself,
# outside the bucket of points, into a file. Starting one leaves no doubt to keep: the list shows it, to be cancelled.
BULK_RUN = Document(
    "BulkRun",
    """mutation BulkRun($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id }
    userErrors { field message code }
  }
}""",
    _MUTATION,
)

BULK_STATUS = Document(
    "BulkStatus",
    """query BulkStatus($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount fileSize url }
}""",
    1,
)

BULK_LIST = Document(
    "BulkList",
    """query BulkList($first: Int!) {
  bulkOperations(first: $first, reverse: true) { nodes { id status query } }
}""",
    connection_cost(BULK_LISTED, 1),
)

BULK_CANCEL = Document(
    "BulkCancel",
    """mutation BulkCancel($id: ID!) {
  bulkOperationCancel(id: $id) { bulkOperation { id } userErrors { field message } }
}""",
    _MUTATION,
)

# What a bulk operation is asked for. Every line of the first stands for itself; in the second a level names its item by
# `__parentId`. Neither hides a level below a plain object: whose id its `__parentId` would be is nowhere said.
BULK_VARIANTS = f"""query {{
  productVariants {{
    edges {{ node {{
      {_VARIANT_FIELDS}
      inventoryItem {{ id sku tracked }}
    }} }}
  }}
}}"""

BULK_LEVELS = """query {
  inventoryItems {
    edges { node {
      id
      tracked
      inventoryLevels(includeInactive: true) {
        edges { node {
          id
          isActive
          location { id }
          quantities(names: ["available", "committed"]) { name quantity updatedAt }
        } }
      }
    } }
  }
}"""

ALL = (
    SHOP,
    LOCATIONS,
    VARIANTS,
    REFRESH_ITEMS,
    REFRESH_PRODUCTS,
    PRODUCT_VARIANTS,
    READ_LEVELS,
    READ_ALL_LEVELS,
    ITEM_LEVELS,
    CHANGED_LEVELS,
    WALK_ITEMS,
    ADJUST,
    ACTIVATE,
    WEBHOOK_LIST,
    WEBHOOK_CREATE,
    WEBHOOK_DELETE,
    COUNT_VARIANTS,
    BULK_RUN,
    BULK_STATUS,
    BULK_LIST,
    BULK_CANCEL,
)
