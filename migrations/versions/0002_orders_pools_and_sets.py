"""Orders as movements, sales that somebody else books, pools, sets and listings that share an item.

Units owed to the ledger move from the pair to its components, so the version before this one cannot run on the schema any
more: its statements fail, its requests on the way are left in doubt and settled by the next start
(docs/decisions/0019-the-second-migration-ends-the-first-version.md).
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """alter table connections
         add calibration jsonb not null default '{}',
         add orders_swept_at timestamptz,
         add orders_wanted_at timestamptz""",
    # Catalogue files that wait for the others of their set. Taken and thrown away as a whole.
    """create table catalogue_files (
         connection_id bigint not null references connections,
         kind text not null,
         name text not null,
         body bytea not null,
         handed_in_at timestamptz not null,
         primary key (connection_id, kind))""",
    # Where orders are the movements: `residual` is what a reading showed that orders do not explain, since
    # `residual_at`; `loose` are units of orders that an absolute write may have erased or not; `rewrite` asks for the
    # number to be set again. `committed`: taken by orders, not shipped (a channel). `aside`: laid away (a ledger).
    # `fell_at`: when a reading last found a fall.
    """alter table cells
         add residual integer,
         add residual_at timestamptz,
         add loose integer[] not null default '{}',
         add rewrite boolean not null default false,
         add committed integer not null default 0,
         add aside integer not null default 0,
         add fell_at timestamptz,
         drop constraint cells_condition_check,
         add constraint cells_condition_check
           check (condition in ('unread', 'active', 'inactive', 'absent', 'untracked', 'gone', 'unreadable'))""",
    "drop index cells_to_write",
    """create index cells_to_write on cells (connection_id, urgency, gap_since, id)
         where (gap <> 0 or rewrite) and op_id is null""",
    # Several fields are tried in their order.
    "alter table routes add channel_fields text[]",
    "update routes set channel_fields = array[channel_field]",
    """alter table routes
         drop channel_field,
         alter channel_fields set not null,
         add constraint routes_channel_fields_check check (cardinality(channel_fields) >= 1),
         add listings text not null default 'one' check (listings in ('one', 'same')),
         add ledger_basis text not null default 'stock'
           check (ledger_basis in ('stock', 'stock_minus_layaway', 'on_hand', 'free')),
         add booked_within integer not null default 3600 check (booked_within > 0),
         add intake text not null default 'adjustment',
         add pooled boolean not null default false,
         add unique (id, ledger_id, channel_id, pooled)""",
    # Locations are 1:1 within a route (a pooled one sums several into one, and one of them takes what comes back), and a
    # ledger location goes to one location of a shop in all routes.
    """alter table location_pairs
         add pooled boolean not null default false,
         add intake boolean not null default true,
         add check (pooled or intake),
         drop constraint location_pairs_route_id_channel_location_key,
         drop constraint location_pairs_route_id_ledger_id_channel_id_fkey,
         add foreign key (route_id, ledger_id, channel_id, pooled) references routes (id, ledger_id, channel_id, pooled)
           on update cascade""",
    "create unique index location_pairs_one on location_pairs (route_id, channel_location) where not pooled",
    "create unique index location_pairs_intake on location_pairs (route_id, channel_location) where intake",
    # Sets and packs: one listing is made of `ratio` units each of several ledger values. A person's own code table.
    """create table route_sets (
         route_id bigint not null references routes,
         set_value text not null,
         component_value text not null,
         ratio integer not null check (ratio between 1 and 1000000),
         primary key (route_id, set_value, component_value))""",
    """create table route_codes (
         route_id bigint not null references routes,
         channel_value text not null,
         ledger_value text not null,
         primary key (route_id, channel_value))""",
    # owed_*: units of the channel's movements that this ledger cell was not told yet; sent_*: told, not acknowledged;
    # expected: units of channel sales that somebody else books here. All in channel units, `ratio` ledger units each.
    # `intake`: movements come back here (all of a set, one of a pool).
    """alter table components
         add intake boolean not null default true,
         add owed_down integer not null default 0 check (owed_down <= 0),
         add owed_up integer not null default 0 check (owed_up >= 0),
         add sent_down integer not null default 0 check (sent_down <= 0),
         add sent_up integer not null default 0 check (sent_up >= 0),
         add expected integer not null default 0 check (expected >= 0)""",
    """update components k set owed_down = p.owed_down, owed_up = p.owed_up, sent_down = p.sent_down, sent_up = p.sent_up
       from pairs p where p.id = k.pair_id""",
    # `shape`: one ledger cell, a pool (the sum of its components), or a set (the smallest quotient). `held`: units of
    # orders that policy does not count yet, kept out of this channel's target.
    """alter table pairs
         drop owed_down,
         drop owed_up,
         drop sent_down,
         drop sent_up,
         add shape text not null default 'single' check (shape in ('single', 'pool', 'set')),
         add held integer not null default 0 check (held >= 0)""",
    # Of an order only number, line, item, quantity and state. `counted`: units that are movements already; `held`:
    # units that policy does not count yet. It stood in a list asked at `first_seen_at` and not in one asked at
    # `unseen_at`; `swept_at`: when the list that last showed it was asked.
    """create table order_lines (
         connection_id bigint not null references connections,
         order_id text not null,
         line text not null,
         cell_id bigint references cells,
         item_key text not null,
         location_key text not null,
         quantity integer not null check (quantity >= 0),
         counted integer not null check (counted >= 0),
         held integer not null default 0 check (held >= 0),
         state text not null
           check (state in ('provisional', 'placed', 'shipped', 'cancelled', 'returned', 'vanished')),
         placed_at timestamptz not null,
         first_seen_at timestamptz not null,
         unseen_at timestamptz,
         swept_at timestamptz not null,
         primary key (connection_id, order_id, line))""",
    "create index order_lines_placed on order_lines (connection_id, placed_at)",
    "create index order_lines_cell on order_lines (cell_id, first_seen_at)",
    # A cell that read 0 after a decrease of ours which its partner may have cut off there: what orders took meanwhile is
    # compared with what the levels showed, once the orders until then are listed. `known_from`: the reading before.
    """create table cut_checks (
         cell_id bigint not null references cells,
         known_from timestamptz not null,
         asked_at timestamptz not null,
         primary key (cell_id, known_from))""",
    # Channel sales that somebody else books in the ledger, and ledger falls that named a sale before we heard of it.
    """create table expected (
         id bigint generated always as identity primary key,
         pair_id bigint not null references pairs on delete cascade,
         movement_id bigint not null unique references movements,
         units integer not null check (units > 0),
         open integer not null check (open >= 0),
         reference text not null default '',
         state text not null default 'open' check (state in ('open', 'booked', 'released', 'taken_back', 'overdue')),
         opened_at timestamptz not null,
         due_at timestamptz not null,
         closed_at timestamptz)""",
    "create index expected_pair on expected (pair_id, id) where open > 0",
    "create index expected_due on expected (due_at) where state = 'open'",
    """create table bookings (
         movement_id bigint primary key references movements,
         ledger_cell bigint not null references cells,
         units integer not null check (units > 0),
         open integer not null check (open >= 0),
         reference text not null default '',
         found_at timestamptz not null)""",
    "create index bookings_cell on bookings (ledger_cell, movement_id) where open > 0",
    # `value`: the number that was set, where writes are absolute. `cut`: units by which it would lie below 0.
    """alter table ops
         add value integer,
         add cut integer not null default 0 check (cut >= 0),
         drop constraint ops_cause_check,
         add constraint ops_cause_check check (cause in ('live', 'align', 'compensation', 'activation', 'rewrite'))""",
    # What each component of a pair shows: `shown` is the ledger's number on the route's basis; `pending_down` what it does
    # not show yet (decreases of all pairs, sales that somebody else books, compensations, and, where the ledger counts
    # what is physically there, what channels have committed); `own_up` the pair's own increases. Units of the ledger.
    """create view pair_sides as
       select p.id as pair_id, p.channel_cell, p.route_id, p.shape, k.ledger_cell, k.ratio, k.intake, l.condition,
              l.marked_at, l.read_answered_at, l.fell_at,
              case when r.ledger_basis = 'stock_minus_layaway' then l.known - l.aside else l.known end as shown,
              exists (select 1 from ops o where o.id = l.op_id and o.state = 'in_doubt') or l.compensate > 0 as in_doubt,
              (select coalesce(sum((k2.owed_down + k2.sent_down - k2.expected
                                    - case when r2.ledger_basis = 'on_hand' and k2.intake then c2.committed else 0 end) * k2.ratio), 0)
                 from components k2 join pairs p2 on p2.id = k2.pair_id join routes r2 on r2.id = p2.route_id
                 join cells c2 on c2.id = p2.channel_cell
                 where k2.ledger_cell = l.id and (p2.phase <> 'new' or p2.id = p.id))::int
                + least(l.compensate, 0) + least(l.compensate_sent, 0) as pending_down,
              (k.owed_up + k.sent_up) * k.ratio as own_up
       from pairs p join routes r on r.id = p.route_id join components k on k.pair_id = p.id
       join cells l on l.id = k.ledger_cell""",
    """create view pair_effective as
       select pair_id, case when shape = 'set' then min(floor((shown + pending_down + own_up)::numeric / ratio))
                            else sum(shown + pending_down + own_up) end::int as effective,
              bool_and(condition = 'active' and shown is not null) as readable
       from pair_sides group by pair_id, shape""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("Units owed per component do not fit into the schema before; restore a backup instead.")
