"""What is known for certain of the Smaregi Platform API as constants, and what is not as switches to play both ways."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Literal

JST = timezone(timedelta(hours=9), "JST")

# Paging: "limit" and "page" (developers.smaregi.dev/apidoc, POS overview).
PAGE_DEFAULT = 100
PAGE_MAX = 1000

# Longest span of upd_date_time-from … -to (platform-api-reference/apis/pos/operations/getstock).
WINDOW_MAX = timedelta(days=31)

# Ranges of stock numbers and length of a memo (…/operations/patchstockproductid, …/poststockproductidadd).
STOCK_MAX = 999_999_999
ADD_MAX = 1_999_999_998
MEMO_MAX = 100

# Rows of one bulk write, and the length of its callback address (…/operations/poststockaddbulk).
BULK_MAX = 100
CALLBACK_URL_MAX = 511

# A product code: printable ASCII, blanks included (…/operations/postproductsbulk).
CODE_MAX = 20

# A receiver of webhooks has this long to answer 200 (observed rule of several integrators; there is no retry).
WEBHOOK_TIMEOUT = timedelta(seconds=3)

SCOPE_STOCK_READ = "pos.stock:read"
SCOPE_STOCK_WRITE = "pos.stock:write"
SCOPE_CHANGES_READ = "pos.stock-changes:read"
SCOPE_PRODUCTS_READ = "pos.products:read"
SCOPE_STORES_READ = "pos.stores:read"

ALL_SCOPES = frozenset(
    {SCOPE_STOCK_READ, SCOPE_STOCK_WRITE, SCOPE_CHANGES_READ, SCOPE_PRODUCTS_READ, SCOPE_STORES_READ}
)


@dataclass(frozen=True, slots=True)
class SmaregiSwitches:
    """Everything the official reference leaves open, or that only integrators report; a client must survive each.

    The defaults are what is most likely true. A simulator's switches may be replaced while it runs.
    """

    # --- access and limits ---
    token_lifetime: float = 3600.0
    """Seconds a token lives; told as `expires_in`. 3600 is seen in examples only."""
    reads_per_second: int = 50
    """GET requests per app and contract in a second: 50 in production, 10 in Smaregi's own sandbox."""
    writes_per_second: int = 20
    """Other requests, token requests included: 20 in production, 4 in Smaregi's own sandbox."""
    rate_window: Literal["sliding", "fixed"] = "sliding"
    """Whether any second counts, or each second of the clock by itself. Sliding is the stricter."""
    retry_after: int | None = 1
    """Seconds told in `Retry-After` with a 429; None leaves the header out."""
    unapproved_scope: Literal["refused", "dropped"] = "refused"
    """A token request naming a scope that is not approved: answered 400, or granted without that scope."""
    wrong_contract_status: Literal[401, 403, 404] = 401
    """Status of a call whose path names another contract than the token's."""

    # --- reads ---
    stock_lag: float = 0.0
    """Seconds a stock read is behind the writes; rows and their update times alike show the older state."""
    half_open_window: bool = False
    """Whether an update-time filter may name only one of its two ends; else 400."""
    unknown_query: Literal["refused", "ignored"] = "refused"
    """A query parameter that the call does not know: answered 400, or silently without effect."""
    link_header: bool = False
    """Whether a list with a further page carries `Link: <…>; rel="next"`."""
    history_readable: bool = True
    """False: the change history is answered 403 (plan without it)."""
    history_has_memo: bool = True
    """Whether change-history rows show the memo they were written with; else null."""
    history_lag: float = 0.0
    """Seconds after which a new row appears in the change history."""
    memo_lag: float = 0.0
    """Seconds after which the memo of a row appears; until then it reads as null."""
    history_newest_first: bool = False
    """Order of the change history."""

    # --- writes ---
    add_answers: Literal["result", "delta"] = "result"
    """What `stockAmount` is in the answer to a relative write: the resulting stock, or the amount sent."""
    unmanaged_write: Literal["accepted", "ignored", "refused"] = "accepted"
    """A write to a product with stockControlDivision 1: done, answered 200 without effect, or answered 400."""
    paused_store_write: Literal["accepted", "refused"] = "accepted"
    """A write to a paused store: done, or answered 400."""
    clamp_at_zero: bool = False
    """True: no change takes a number below 0. Smaregi itself lets stock go negative."""

    # --- bulk writes: accepted at once, carried out later, told by a callback whose rows are not documented ---
    bulk_delay: float = 1.5
    """Seconds until an accepted bulk write is carried out."""
    bulk_status: Literal[200, 202] = 202
    """Status of the answer that accepts one."""
    bulk_bad_row: Literal["callback", "refused"] = "callback"
    """A row that cannot be carried out: left out and named in the callback, or the whole request answered 400."""
    bulk_callback: Literal["once", "twice", "never"] = "once"
    """How often the callback is sent."""
    bulk_callback_delay: float = 0.5
    """Seconds from the carrying out to the callback."""
    bulk_callback_first: bool = False
    """Whether the callback goes out as soon as the request was accepted, before anything was carried out."""
    bulk_callback_body: Literal["rows", "brief", "object", "empty"] = "rows"
    """What the callback says: every row, the request only, that as an object, or nothing."""
    bulk_drops: frozenset[str] = frozenset()
    """Products whose rows no bulk write carries out, though a single one would."""
    bulk_announces: bool = True
    """Whether what a bulk write did is told by a `bulk-update` webhook."""

    # --- layaways ---
    layaway_reduces_stock: bool = True
    """Whether goods laid away leave `stockAmount`, or only show in `layawayStockAmount`."""

    # --- webhooks ---
    webhook_event_id: bool = True
    """Whether webhooks carry `Smaregi-Event-Id` (seen in captures, absent from the reference)."""
    webhook_older_body: bool = False
    """True: `pos:stock` bodies carry `storeIds` and `productIds` and no change-history ids."""
    webhook_echoes_own: bool = True
    """Whether the app's own API writes come back to it as webhooks."""
    webhook_for_legacy: bool = False
    """Whether changes over the older Smaregi API raise webhooks."""
