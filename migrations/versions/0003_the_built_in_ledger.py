"""The built-in ledger: books, what they hold, every entry ever made, keys for warehouse systems, outgoing webhooks."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One book per connection of the built-in ledger, named like it. Whoever writes locks the book's row, so `sequence`
    # is in the order of commits and a cursor skips nothing. `last_at`: the time of the newest entry; the next is later.
    """create table ledger_books (
         id bigint generated always as identity primary key,
         name text not null unique,
         identity text not null unique,
         made_at timestamptz not null,
         sequence bigint not null default 0,
         last_at timestamptz not null)""",
    """create table ledger_items (
         book_id bigint not null references ledger_books,
         sku text collate "C" not null,
         name text not null default '',
         barcode text not null default '',
         tracked boolean not null default true,
         archived boolean not null default false,
         changed_at timestamptz not null,
         primary key (book_id, sku))""",
    """create table ledger_locations (
         book_id bigint not null references ledger_books,
         key text collate "C" not null,
         name text not null default '',
         active boolean not null default true,
         changed_at timestamptz not null,
         primary key (book_id, key))""",
    """create table ledger_labels (
         book_id bigint not null references ledger_books,
         name text collate "C" not null,
         negative boolean not null default false,
         changed_at timestamptz not null,
         primary key (book_id, name))""",
    # `owed`: units sold that were not there, where the label forbids negative stock. The number told is on_hand - owed.
    # `counted_at`: the time the newest count speaks of; what is said of earlier times changes nothing any more.
    """create table ledger_levels (
         book_id bigint not null,
         sku text collate "C" not null,
         location text collate "C" not null,
         label text collate "C" not null,
         on_hand integer not null,
         owed integer not null default 0 check (owed >= 0),
         counted_at timestamptz,
         changed_at timestamptz not null,
         sequence bigint not null,
         primary key (book_id, sku, location, label),
         foreign key (book_id, sku) references ledger_items,
         foreign key (book_id, location) references ledger_locations,
         foreign key (book_id, label) references ledger_labels)""",
    "create unique index ledger_levels_sequence on ledger_levels (book_id, sequence)",
    # Append-only. `asked`: the units or the number that was said; `delta`: what it did to the level; `quantity` and
    # `owed`: the level after it; `as_of`: the time it speaks of; `booked_at`: when it was written.
    """create table ledger_entries (
         book_id bigint not null,
         sequence bigint not null,
         sku text collate "C" not null,
         location text collate "C" not null,
         label text collate "C" not null,
         kind text not null
           check (kind in ('adjustment', 'sale', 'return', 'receipt', 'shipment', 'transfer', 'loss', 'correction', 'count', 'reservation', 'layaway', 'other', 'channel')),
         asked integer not null,
         delta integer not null,
         quantity integer not null,
         owed integer not null,
         outcome text not null check (outcome in ('booked', 'superseded')),
         reason text not null default '',
         actor text not null,
         reference text not null default '',
         key text,
         line integer not null,
         as_of timestamptz not null,
         booked_at timestamptz not null,
         primary key (book_id, sequence),
         unique (book_id, key, line),
         check (outcome = 'booked' or delta = 0),
         foreign key (book_id, sku) references ledger_items,
         foreign key (book_id, location) references ledger_locations,
         foreign key (book_id, label) references ledger_labels)""",
    "create index ledger_entries_cell on ledger_entries (book_id, sku, location, label, as_of)",
    "create index ledger_entries_reference on ledger_entries (book_id, reference, sequence) where reference <> ''",
    "create index ledger_entries_time on ledger_entries (book_id, booked_at, sequence)",
    """create function ledger_is_append_only() returns trigger language plpgsql as $$
       begin raise exception 'ledger entries are append-only'; end $$""",
    """create trigger ledger_entries_append_only before update or delete on ledger_entries
       for each row execute function ledger_is_append_only()""",
    """create trigger ledger_entries_kept before truncate on ledger_entries
       for each statement execute function ledger_is_append_only()""",
    # Idempotency keys, kept for ever like the entries made under them. `fingerprint`: SHA-256 of what was asked.
    """create table ledger_requests (
         book_id bigint not null references ledger_books,
         key text not null,
         fingerprint bytea not null,
         at timestamptz not null,
         primary key (book_id, key))""",
    # Bearer keys: only their SHA-256 is kept. `prefix` finds a key and tells people which one it is.
    """create table ledger_keys (
         id bigint generated always as identity primary key,
         book_id bigint not null references ledger_books,
         name text not null,
         prefix text not null unique,
         hash bytea not null,
         scope text not null check (scope in ('read', 'write')),
         made_by text not null,
         made_at timestamptz not null,
         used_at timestamptz,
         revoked_at timestamptz)""",
    "create unique index ledger_keys_name on ledger_keys (book_id, name) where revoked_at is null",
    # Outgoing webhooks. `cursor`: the sequence up to which levels were put into deliveries. `secret` is encrypted.
    """create table ledger_hooks (
         id bigint generated always as identity primary key,
         book_id bigint not null references ledger_books,
         url text not null,
         secret bytea not null,
         cursor bigint not null,
         made_by text not null,
         made_at timestamptz not null,
         removed_at timestamptz)""",
    "create unique index ledger_hooks_url on ledger_hooks (book_id, url) where removed_at is null",
    # One open delivery per hook, repeated to the byte until it is taken or given up.
    """create table ledger_deliveries (
         id text primary key,
         hook_id bigint not null references ledger_hooks,
         cursor bigint not null,
         body bytea not null,
         state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up')),
         attempts integer not null default 0,
         made_at timestamptz not null,
         due_at timestamptz not null,
         ended_at timestamptz,
         answer text not null default '')""",
    "create unique index ledger_deliveries_open on ledger_deliveries (hook_id) where state = 'waiting'",
    "create index ledger_deliveries_due on ledger_deliveries (due_at, id) where state = 'waiting'",
    "create index ledger_deliveries_over on ledger_deliveries (ended_at) where state <> 'waiting'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("The ledger's entries exist nowhere else; restore a backup instead of going back.")
