"""Every behaviour of the Shopify simulator that no official page settles, or that a test wants otherwise.

A field's comment says what it decides. Where Shopify's own text is silent, each reading that somebody met or that the
text allows can be played; the default is the one best supported.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BatchMode(StrEnum):
    """What one bad row does to the other rows of a set or adjust. No official page says."""

    ATOMIC = "atomic"  # nothing is carried out (every recorded error answer has no adjustment group)
    PARTIAL_SHOWN = "partial_shown"  # good rows are carried out, and the group lists them
    PARTIAL_HIDDEN = "partial_hidden"  # good rows are carried out, and the group is null all the same


class InactiveWrite(StrEnum):
    """What a write to an inactive level does; either way it answers without an error (API 2026-04 and later)."""

    HIDDEN = "hidden"  # the kept, hidden number changes
    NO_OP = "no_op"  # nothing changes (seen by an integrator in August 2026)


class MissingLevelWrite(StrEnum):
    """What a write does where the item never had a level; either way it answers without an error."""

    CREATES_INACTIVE = "creates_inactive"  # a hidden level appears and takes the number
    NO_OP = "no_op"


class RepeatAfterRefusal(StrEnum):
    """What an idempotency key answers whose first use ended in user errors."""

    REPLAY = "replay"  # the same user errors, nothing carried out
    PREVIOUS_FAILED = "previous_failed"  # IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED
    EXECUTE = "execute"  # the key counts as unused


class ThrottleAnswer(StrEnum):
    """How a throttled request is answered when a driver asks for it; an empty bucket always answers in GraphQL."""

    HTTP_429 = "http_429"  # with Retry-After
    GRAPHQL = "graphql"  # HTTP 200 with the code THROTTLED


@dataclass(frozen=True, slots=True)
class ShopifySwitches:
    # Served API versions, oldest first; an older well-formed one falls forward to the first, a newer one is 404.
    versions: tuple[str, ...] = ("2026-04", "2026-07", "2026-10")

    # Rate limits. A Standard plan restores 100 points a second; recorded shops hold 2,000 (size is unpublished).
    bucket_size: float = 2000.0
    restore_rate: float = 100.0
    single_query_limit: int = 1000
    throttle_answer: ThrottleAnswer = ThrottleAnswer.HTTP_429
    retry_after: float = 2.0  # seconds in Retry-After of a 429
    # More inventory mutations at once than this, as counted by the driver, are a violation in the log.
    concurrent_mutations: int = 2

    # Life of a client-credentials token in seconds.
    token_life: int = 86399
    # Seconds for which webhooks may go on being signed with a secret that was just revoked (up to an hour).
    signing_switch_delay: float = 0.0

    # Writes.
    batch: BatchMode = BatchMode.ATOMIC
    inactive_write: InactiveWrite = InactiveWrite.HIDDEN
    missing_level_write: MissingLevelWrite = MissingLevelWrite.CREATES_INACTIVE
    stale_field_named: bool = True  # a stale row is named by its path; False: `field` is null (seen by one project)
    closed_location_refused: bool = True  # a write to a deactivated location answers INVALID_LOCATION
    cut_off_at_zero: bool = False  # an API decrease below 0 stops at 0 instead of going negative
    # Idempotency: seconds a key is kept, seconds a mutation stays "in progress", and what a refused first use means.
    key_life: float = 24 * 3600.0
    mutation_seconds: float = 0.0
    repeat_after_refusal: RepeatAfterRefusal = RepeatAfterRefusal.REPLAY

    # Reads come from a replica this many seconds behind (levels only), filters from an index as far behind.
    read_lag: float = 0.0
    search_lag: float = 0.0
    history_seconds: float = 600.0  # how far back a lagging read can see
    # Whether a change of committed alone (a fulfilment) moves a level's updatedAt and sends inventory_levels/update.
    other_states_move_updated_at: bool = True
    other_states_send_webhook: bool = False
    inactive_levels_send_webhook: bool = False

    # Bulk operations: seconds one takes, how many at once (1 before API 2026-01), seconds a file stays.
    bulk_seconds: float = 2.0
    bulk_queries_at_once: int = 5
    bulk_file_life: float = 7 * 86400.0
    # Where files are served; None: at the address the shop was reached under (a real one lies elsewhere).
    bulk_files_at: str | None = None
    bulk_lines_shuffled: bool = True  # lines of an ungrouped file come in no order; False: parents first, as recorded
    bulk_files_gzipped: bool = False  # files come with Content-Encoding gzip (nobody says)
    bulk_comments_kept: bool = True  # `query` of an operation shows the comments it was asked with (nobody says)

    # Webhooks.
    webhook_delay: float = 0.0  # seconds from the event until its payload is put together
    one_event_per_action: bool = True  # deliveries of one batch share X-Shopify-Event-Id; False: one per level
    webhook_retries: int = 8
    webhook_retry_span: float = 4 * 3600.0  # all retries lie within this many seconds, in growing steps
    webhook_id_stable: bool = True  # retries keep X-Shopify-Webhook-Id; False: each attempt has a new one
    webhook_version: str | None = None  # None: the version of the subscribing request; else the app's own setting
    escape_slashes: bool = True  # payloads write `/` as `\/`
    plain_http_webhooks: bool = False  # True lets receivers on loopback subscribe with http://
