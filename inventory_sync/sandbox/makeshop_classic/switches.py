"""What apidoc.makeshop.jp/about states about the classic API as constants, and everything it does not as switches.

Switch comments say what each decides. A client must survive every reading; the defaults are the likeliest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Seconds an access address lives.
ACCESS_LIFE = 300.0
#: Products on a page (observed).
PRODUCT_PAGE = 50
#: Characters of the administrator's password that uploads accept (a POS–MakeShop app passes this on).
PASSWORD_MAX = 12

ORDER_PATH = "/api/orderinfo/index.html"
PRODUCT_AUTH_PATH = "/api/product/auth/"
PRODUCT_SEARCH_PATH = "/api/product/search/"
UPLOAD_AUTH_PATH = "/api/webftp/index.html"
UPLOAD_PATH = "/api/webftp/upload.html"
HOST = "www.makeshop.jp"

XmlEncoding = Literal["utf-8", "euc-jp", "shift_jis"]


@dataclass(frozen=True, slots=True)
class ClassicSwitches:
    """Everything that no readable document of the classic API says. May be replaced while the simulator runs."""

    # --- pace ---
    requests_per_second: float = 1.0
    """Requests over the whole API; documented as 1."""
    over_rate: Literal["blocked", "recorded"] = "blocked"
    """What a request over the rate leads to besides the record: access is blocked for a while, or nothing."""
    block_seconds: float = 600.0
    """How long access stays blocked."""

    # --- orders ---
    order_cap: int = 100
    """Orders of one list; the rest is left out without a word."""
    order_cap_keeps: Literal["oldest", "newest"] = "oldest"
    """Which orders a list holds that had more."""
    order_window: Literal["both", "start", "neither"] = "both"
    """Which ends of the window belong to it."""
    order_listed_after: float = 0.0
    """Seconds until an order is listed."""
    order_refusal: Literal["words", "status"] = "words"
    """How a wrong code is refused: 200 with a `response` that says so, or 401."""
    xml_encoding: XmlEncoding = "utf-8"
    """The encoding of order answers, declared in them."""
    date_form: str = "%Y/%m/%d %H:%M:%S"
    """How an order's date is written."""
    lines_under: Literal["orderdetail", "delivery"] = "orderdetail"
    """Where the lines of an order stand."""

    # --- products ---
    access_uses: int = 0
    """How many searches one access address serves; 0 is any number while it lives."""
    numbers_as_text: bool = True
    """Whether a product's stock is a text or a number in JSON; empty where it is not limited, either way."""

    # --- uploads ---
    upload_report: Literal["codes", "rows", "silent"] = "codes"
    """What the answer says of rows that failed: line number and codes, line number only, or nothing."""
    first_row: Literal["header", "data"] = "header"
    """Which row of a file is row 1 in such a report."""
    upload_lag: float = 0.0
    """Seconds after which a file is worked off; its report tells what will happen."""
    unknown_product: Literal["refused", "ignored"] = "refused"
    """What happens to a row of a product that does not exist."""

    # --- update notification ---
    notice_delay: float = 0.3
    """Seconds from an order to its notice."""
    notice_fields: bool = True
    """Whether a notice carries a form with shop, order and command besides what its address holds."""
