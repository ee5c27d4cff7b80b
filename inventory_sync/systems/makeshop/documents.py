"""The GraphQL documents we send, field by field, and which operation of MakeShop each root field is.

Production refuses introspection, so no schema can be fetched: every field below was seen in an answer to somebody's
client. An unknown field would make MakeShop refuse the whole document (HTTP 422, observed). Nothing of a customer is
selected.
"""

from __future__ import annotations

from dataclasses import dataclass

GET_SHOP = "getShop"
SEARCH_PRODUCT = "searchProduct"
SEARCH_QUANTITY = "searchProductQuantity"
SEARCH_ORDER = "searchOrder"
UPDATE_PRODUCT = "updateProductQuantity"
UPDATE_VARIATION = "updateVariationQuantity"

_PRODUCTS = (
    "products{systemCode customCode janCode productName display quantity variationShowType"
    " variations{variation1ItemName variation2ItemName variationCustomCode janCode}} page limit"
)
_QUANTITIES = (
    "productQuantities{systemCode customCode quantity"
    " variationQuantities{variationQuantity variationCustomCode}} page limit"
)
_ORDERS = (
    "searchedCount page orders{systemOrderNumber orderDate paymentStatusCode"
    " deliveryInfos{deliveryId deliveryStatus"
    " basketInfos{productCode variationCustomCode variationName amount}}}"
)
_PRODUCT_FAILURES = "failResult{systemCode customCode message}"
_VARIATION_FAILURES = "failResult{systemCode customCode variation1ItemId variation2ItemId variationCustomCode message}"


@dataclass(frozen=True, slots=True)
class Document:
    """One GraphQL document. `roots` maps the names its answer is read by to MakeShop's operations."""

    name: str
    text: str
    roots: tuple[tuple[str, str], ...]
    writes: bool = False

    def operation(self, root: str) -> str:
        """The operation that an answer's field belongs to; all of them where it belongs to none."""
        return dict(self.roots).get(root, self.operations)

    @property
    def operations(self) -> str:
        """MakeShop's names of what this document asks for, for a person."""
        return ", ".join(dict.fromkeys(operation for _, operation in self.roots))


SHOP = Document(
    "shop", "query shop{getShop{shop{shopName shopUrl settingOriginalDomain openCondition}}}", ((GET_SHOP, GET_SHOP),)
)
PRODUCTS = Document(
    "products",
    f"query products($input:SearchProductRequest!){{searchProduct(input:$input){{{_PRODUCTS}}}}}",
    ((SEARCH_PRODUCT, SEARCH_PRODUCT),),
)
QUANTITIES = Document(
    "quantities",
    f"query quantities($input:SearchProductQuantityRequest!){{searchProductQuantity(input:$input){{{_QUANTITIES}}}}}",
    ((SEARCH_QUANTITY, SEARCH_QUANTITY),),
)


def orders(names: tuple[str, ...]) -> Document:
    """One search for orders under each of these names, in one request. Variables carry the names."""
    variables = ",".join(f"${name}:SearchOrderRequest!" for name in names)
    fields = " ".join(f"{name}:{SEARCH_ORDER}(input:${name}){{{_ORDERS}}}" for name in names)
    return Document("orders", f"query orders({variables}){{{fields}}}", tuple((name, SEARCH_ORDER) for name in names))


def stock(*, products: bool, variations: bool) -> Document:
    """The write of product rows, of variation rows, or of both in one request, carried out in this order
    (spec.graphql.org/October2021, 6.2.2: mutation fields are executed one after the other)."""
    variables, fields, roots = [], [], []
    if products:
        variables.append("$products:UpdateProductQuantityRequest!")
        fields.append(f"{UPDATE_PRODUCT}(input:$products){{{_PRODUCT_FAILURES}}}")
        roots.append((UPDATE_PRODUCT, UPDATE_PRODUCT))
    if variations:
        variables.append("$variations:UpdateVariationQuantityRequest!")
        fields.append(f"{UPDATE_VARIATION}(input:$variations){{{_VARIATION_FAILURES}}}")
        roots.append((UPDATE_VARIATION, UPDATE_VARIATION))
    text = f"mutation stock({','.join(variables)}){{{' '.join(fields)}}}"
    return Document("stock", text, tuple(roots), writes=True)
