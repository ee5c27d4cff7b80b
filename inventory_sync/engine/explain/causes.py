"""The causes that `explain` tells apart, and what each word of the engine or of a partner stands for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from inventory_sync.engine.explain.state import Lack
from inventory_sync.model.decide import Blocked


class Cause(StrEnum):
    """Why a number is what it is, or why nothing happened; in order of importance, worst first."""

    UNKNOWN_CODE = "unknown_code"
    AMBIGUOUS = "ambiguous"
    BUNDLE = "bundle"
    UNTRACKED = "untracked"
    GONE = "gone"
    NO_CODE = "no_code"
    COMPLAINT = "complaint"
    NEAR_MISS = "near_miss"
    UNMATCHED = "unmatched"
    NOT_MATCHED_YET = "not_matched_yet"
    NO_PLACES = "no_places"
    UNMAPPED = "unmapped"
    NO_PAIR = "no_pair"
    CONNECTION_BROKEN = "connection_broken"
    BOOKED_TWICE = "booked_twice"
    SECOND_WRITER = "second_writer"
    ROUTE_BLOCKED = "route_blocked"
    ZEROED = "zeroed"
    ROUTE_STOPPED = "route_stopped"
    WATCHING = "watching"
    SUSPENDED = "suspended"
    NOT_PUBLISHED = "not_published"
    RUNAWAY = "runaway"
    EXCLUDED = "excluded"
    QUARANTINED = "quarantined"
    IN_DOUBT = "in_doubt"
    SALE_NOT_BOOKED = "sale_not_booked"
    SALE_EXPECTED = "sale_expected"
    HELD_BY_BRAKE = "held_by_brake"
    HELD_BY_STOCKTAKE = "held_by_stocktake"
    OVERSOLD = "oversold"
    INACTIVE = "inactive"
    CELL_UNTRACKED = "cell_untracked"
    CELL_GONE = "cell_gone"
    NOT_ALIGNED = "not_aligned"
    WAITING = "waiting"
    CATCHING_UP = "catching_up"
    UNREAD = "unread"
    LEDGER_NOT_READABLE = "ledger_not_readable"
    OLDER_READING = "older_reading"
    LEDGER_DIRTY = "ledger_dirty"
    LEDGER_IN_DOUBT = "ledger_in_doubt"
    READ_FIRST = "read_first"
    FALL_READ_FIRST = "fall_read_first"
    UNEXPLAINED = "unexplained"
    BELOW_ZERO = "below_zero"
    NO_WRITES = "no_writes"
    IN_RUN = "in_run"
    HELD_BACK = "held_back"
    ACCEPTED = "accepted"
    IN_FLIGHT = "in_flight"
    TO_BE_WRITTEN = "to_be_written"
    TO_BE_POSTED = "to_be_posted"
    BOOKED_TOO = "booked_too"
    UNCERTAIN = "uncertain"
    LATE_SALE = "late_sale"
    OFFSET = "offset"
    OFFSET_ENDED = "offset_ended"
    END_WHEN = "end_when"
    CAP = "cap"
    PERCENT = "percent"
    BUFFER = "buffer"
    AUTO_BUFFER = "auto_buffer"
    OVERRIDE = "override"
    KEPT = "kept"
    ORDERS_KEPT = "orders_kept"
    ORDERS_UNPAID = "orders_unpaid"
    ORDERS_IGNORED = "orders_ignored"
    ORDERS_HELD = "orders_held"
    COMMITTED = "committed"
    UNDONE = "undone"
    COMPENSATED = "compensated"
    COUNTED = "counted"
    RETURNED = "returned"
    TRANSFERRED = "transferred"
    SOLD = "sold"
    RECEIVED = "received"
    LAID_AWAY = "laid_away"
    SHIPPED = "shipped"
    RESERVED = "reserved"
    LOST = "lost"
    CORRECTED = "corrected"
    OTHER_APP = "other_app"
    LEDGER_MOVED = "ledger_moved"
    CHANNEL_SOLD = "channel_sold"
    CHANNEL_RAISED = "channel_raised"
    EQUAL = "equal"


OF_LACK: Mapping[Lack, Cause] = {
    Lack.NOT_MATCHED_YET: Cause.NOT_MATCHED_YET,
    Lack.NO_PLACES: Cause.NO_PLACES,
    Lack.UNMAPPED: Cause.UNMAPPED,
    Lack.MATCHES: Cause.NO_PAIR,
    Lack.GONE: Cause.GONE,
    Lack.BUNDLE: Cause.BUNDLE,
    Lack.OTHER_BUNDLE: Cause.BUNDLE,
    Lack.UNTRACKED: Cause.UNTRACKED,
    Lack.OTHER_UNTRACKED: Cause.UNTRACKED,
    Lack.NO_CODE: Cause.NO_CODE,
    Lack.AMBIGUOUS: Cause.AMBIGUOUS,
    Lack.COMPLAINT: Cause.COMPLAINT,
    Lack.NEAR_MISS: Cause.NEAR_MISS,
    Lack.UNMATCHED: Cause.UNMATCHED,
}

OF_BLOCKED: Mapping[Blocked, Cause] = {
    Blocked.NOT: Cause.EQUAL,
    Blocked.ROUTE_STOPPED: Cause.ROUTE_STOPPED,
    Blocked.NOT_ALIGNED: Cause.NOT_ALIGNED,
    Blocked.WAITING: Cause.WAITING,
    Blocked.CATCHING_UP: Cause.CATCHING_UP,
    Blocked.UNREAD: Cause.UNREAD,
    Blocked.NOT_ACTIVE: Cause.INACTIVE,
    Blocked.LEDGER_NOT_READABLE: Cause.LEDGER_NOT_READABLE,
    Blocked.LEDGER_DIRTY: Cause.LEDGER_DIRTY,
    Blocked.LEDGER_IN_DOUBT: Cause.LEDGER_IN_DOUBT,
    Blocked.QUARANTINED: Cause.QUARANTINED,
    Blocked.IN_FLIGHT: Cause.IN_FLIGHT,
    Blocked.READ_FIRST: Cause.READ_FIRST,
    Blocked.BELOW_ZERO: Cause.BELOW_ZERO,
    Blocked.UNEXPLAINED: Cause.UNEXPLAINED,
    Blocked.FALL_READ_FIRST: Cause.FALL_READ_FIRST,
    Blocked.HELD: Cause.HELD_BY_BRAKE,
    Blocked.WATCHING: Cause.WATCHING,
    Blocked.NOT_PUBLISHED: Cause.NOT_PUBLISHED,
    Blocked.IN_RUN: Cause.IN_RUN,
}
"""The cause behind each reason for not writing a cell."""

OF_MOVEMENT: Mapping[str, Cause] = {
    "sale": Cause.SOLD,
    "return": Cause.RETURNED,
    "count": Cause.COUNTED,
    "receipt": Cause.RECEIVED,
    "transfer": Cause.TRANSFERRED,
    "layaway": Cause.LAID_AWAY,
    "shipment": Cause.SHIPPED,
    "reservation": Cause.RESERVED,
    "loss": Cause.LOST,
    "adjustment": Cause.CORRECTED,
    "correction": Cause.CORRECTED,
    "api": Cause.OTHER_APP,
}
"""The cause behind each word of a ledger's history; any other word is a movement of the ledger like any other."""

RANK: Mapping[Cause, int] = {cause: number for number, cause in enumerate(Cause)}
"""The order of importance."""
