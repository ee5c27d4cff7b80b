"""What MakeShop's own pages state about the GraphQL API as constants, and everything they do not as switches.

Switch comments say what each decides. A client must survive every reading; the defaults are the likeliest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Literal

JST = timezone(timedelta(hours=9), "JST")

#: The one address of the API below its host (observed in every client; the official text gives it by mail only).
PATH = "/v1/graphql"

#: MakeShop knows no places: the shop itself is the one location.
LOCATION = "shop"

#: A request of this many bytes or more may be refused (developers.makeshop.jp/api/graphql).
BODY_LIMIT = 5 * 1024 * 1024

#: How long an `x-timestamp` is valid (developers.makeshop.jp/api/graphql).
TIMESTAMP_LIFE = timedelta(hours=1)

#: The most rows of a page that clients ask for (observed: "1 to 1000").
PAGE_MAX = 1000

#: Order notices leave in a cycle of this many seconds (developers.makeshop.jp/guide/webhook.html).
NOTICE_CYCLE = 120.0

#: Longest own code of a product, in characters (makeshop.jp/manual/brand_csv_new.html).
CODE_MAX = 50

PAID_ON_DELIVERY = "0000"
PAID = "0004"
CANCELLED = "0003"
"""Payment states as worked out on a live shop; there is no official table."""

#: Operations of this API. Scopes are granted one by one (observed).
ALL_SCOPES = frozenset(
    {
        "getShop",
        "searchProduct",
        "searchProductQuantity",
        "updateProductQuantity",
        "updateVariationQuantity",
        "searchOrder",
        "cancelOrder",
    }
)


@dataclass(frozen=True, slots=True)
class MakeShopSwitches:
    """Everything that MakeShop's readable pages leave open. A simulator's switches may be replaced while it runs."""

    # --- access ---
    auth_status: Literal[200, 401, 403] = 401
    """HTTP status of a call with a bad or dead token, a wrong key, or a stale timestamp."""
    auth_code: Literal["UNAUTHENTICATED", "UNAUTHORIZED", "FORBIDDEN"] = "UNAUTHENTICATED"
    """The code such an answer carries."""
    forbidden_status: Literal[200, 403] = 200
    """HTTP status of a call to an operation that was not approved, and of introspection."""
    code_place: Literal["extensions", "error"] = "extensions"
    """Where an error's code stands: `errors[].extensions.code` or `errors[].code`."""

    # --- limits ---
    requests_per_second: float = 1.0
    """Requests a second over everything, strictly one after the other, as the older API states it; more is a
    violation in the log."""
    over_rate: Literal["served", "refused"] = "served"
    """What becomes of a request over the rate: carried out all the same, or answered as throttled."""
    retry_after: int | None = None
    """Seconds told in `Retry-After` with a 429; None leaves the header out."""
    batch_max: int | None = None
    """The most rows a write may carry; one more refuses the call whole. None: no limit (none was found)."""

    operations_max: int | None = None
    """The most operations (root fields) of one document; one more refuses it. None: no limit (none was found)."""

    # --- documents ---
    unproven_fields: bool = False
    """Whether fields exist that no readable page or client proves (marked so in the schema)."""
    details: Literal["list", "object"] = "list"
    """Whether `variationQuantityDetails` is a list (which takes a single object too) or a single object."""

    # --- pages ---
    product_page_cap: int = 200
    """Rows of a product page at most, whatever `limit` asks (observed: 200)."""
    stock_page_cap: int = 200
    """The same of a stock page."""
    order_page_cap: int = 200
    """The same of an order page."""
    page_default: int = 100
    """Rows of a page where no `limit` is sent."""
    limit_told: Literal["asked", "used"] = "asked"
    """What `limit` says in an answer that was capped."""
    past_end: Literal["empty", "last_page"] = "empty"
    """A page behind the last one: empty, or the last page once more."""

    # --- reads ---
    stock_lag: float = 0.0
    """Seconds a stock read is behind."""
    order_lag: float = 0.0
    """Seconds until a new order is listed; the stock moves at once."""
    parent_quantity: Literal["sum", "own"] = "sum"
    """`quantity` of a product with variations: the sum over them, or a number of its own that means nothing (0)."""
    missing_code: Literal["empty", "null"] = "empty"
    """How a code that was never set is told."""
    stock_moves_updated_at: bool = False
    """Whether a change of stock moves a product's `updatedAt`."""

    # --- writes ---
    calculation: Literal["absolute_first", "relative_first"] = "absolute_first"
    """`quantityCalculationType`: 0 sets and 1 adds, or the other way round."""
    variation_keys: Literal["items_first", "code_first"] = "items_first"
    """`variationKeyType`: 0 is the pair of item ids and 1 the own code, or the other way round."""
    fail_result: Literal["failed_only", "all_rows", "null_when_good"] = "failed_only"
    """`failResult`: only rows that failed, every row (message null where it went well), or null if none failed."""
    below_zero: Literal["cut_off", "refused", "negative"] = "cut_off"
    """A relative write whose result lies below 0: stops at 0, fails, or is carried out."""
    negative_set: Literal["refused", "unlimited", "negative"] = "refused"
    """An absolute write of a number below 0: fails, makes the stock unlimited, or is carried out."""
    null_set: Literal["refused", "unlimited", "ignored"] = "refused"
    """A write whose quantity is null: fails, makes the stock unlimited, or changes nothing."""
    unlimited_set: Literal["accepted", "refused", "ignored"] = "accepted"
    """An absolute write to unlimited stock: it is limited from then on, the row fails, or nothing changes."""
    unlimited_add: Literal["ignored", "refused", "from_zero"] = "ignored"
    """A relative write to unlimited stock: changes nothing, fails, or counts from 0."""
    quantity_max: int = 999_999_999
    """The largest stock number; a write beyond it fails."""
    duplicate_code: Literal["first", "all", "refused"] = "first"
    """A write by an own code that several have: the first takes it, all do, or the row fails."""

    # --- orders ---
    provisional_holds: bool = True
    """Whether an order that is not settled yet holds stock already."""
    provisional_listed: bool = True
    """Whether searchOrder shows such an order."""
    provisional_code: str = "9999"
    """Its `paymentStatusCode`."""
    unpaid_code: str = "9999"
    """The `paymentStatusCode` of a settled order that is still to be paid (a bank transfer)."""
    cancel_shows: Literal["both", "delivery", "payment"] = "both"
    """What tells of a cancelled order: its deliveries' state, its payment code, or both."""
    states_default: Literal["all", "without_cancelled"] = "all"
    """What searchOrder lists where no `deliveryStatus` is asked for."""
    sort_default: Literal["ASC", "DESC"] = "DESC"
    """The order of searchOrder where no `sortOrder` is asked for."""
    edit_moves_stock: bool = True
    """Whether an edit of an order's quantity moves the stock by the difference."""
    edit_to_zero: Literal["removed", "kept"] = "removed"
    """A line edited to 0: leaves the order, or stays with amount 0."""

    # --- webhooks ---
    signature_over: Literal["timestamp_body", "body", "timestamp"] = "timestamp_body"
    """What is signed (HMAC-SHA256 under the secret key): timestamp and body joined, or one of them."""
    signature_encoding: Literal["hex", "base64"] = "hex"
    """How the signature is written."""
    product_cycle: float = NOTICE_CYCLE
    """Seconds of the cycle of product notices; 0 sends them at once."""
    update_body: Literal["list", "single", "bare"] = "list"
    """Bodies of update notices: all numbers of the cycle in one, one notice each, or only which shop."""
    event_named: bool = False
    """Whether update notices name their event in the body; else only the address tells."""
    product_notice: Literal["edits", "all", "catalogue"] = "edits"
    """Which changes raise product notices: the catalogue's and stock typed in by people, those by orders and over the
    API too, or the catalogue's alone."""
    vanish_notice: bool = False
    """Whether an order that vanishes raises an order notice."""
    webhook_retries: int = 0
    """How often an update notice that was not answered with 200 is sent again."""
    webhook_retry_seconds: float = 120.0
    """Seconds between such attempts."""
