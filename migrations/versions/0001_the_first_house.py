"""The first house: connections, cells, routes, pairs, the inbox, the journal, ops, leases and what people are shown."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    # The database's own clock, for leases and the age of keys. One function, so that a simulation can replace it.
    """create function inventory_clock() returns timestamptz language sql volatile
       as $$ select clock_timestamp() $$""",
    # One row: which database this is. A restore or a promoted replica shows as another identifier or timeline.
    """create table installation (
         singleton boolean primary key default true check (singleton),
         name text not null,
         database_identifier text not null,
         timeline integer not null,
         installed_at timestamptz not null)""",
    """create table connections (
         id bigint generated always as identity primary key,
         name text not null unique,
         system text not null,
         identity text,
         title text not null default '',
         state text not null default 'created'
           check (state in ('created', 'awaiting_approval', 'linked', 'needs_action', 'broken', 'unlinked')),
         state_code text not null default '',
         state_reason text not null default '',
         state_remedy text not null default '',
         state_since timestamptz not null,
         retry_at timestamptz,
         settings jsonb not null default '{}',
         calibration jsonb not null default '{}',
         secrets bytea,
         version bigint not null default 1,
         credential_expires_at timestamptz,
         catalogue_import bigint,
         catalogue_at timestamptz,
         polled_until timestamptz,
         heard_at timestamptz,
         orders_swept_at timestamptz,
         orders_wanted_at timestamptz,
         lane_seen_at timestamptz,
         unique (system, identity))""",
    """create table locations (
         id bigint generated always as identity primary key,
         connection_id bigint not null references connections,
         key text not null,
         name text not null,
         active boolean not null,
         mappable boolean not null default true,
         note text not null default '',
         unique (connection_id, key),
         unique (id, connection_id))""",
    """create table items (
         id bigint generated always as identity primary key,
         connection_id bigint not null references connections,
         key text not null,
         codes jsonb not null,
         name text not null,
         tracked boolean not null,
         bundle boolean not null,
         gone boolean not null default false,
         status text not null default '',
         group_key text not null default '',
         import_id bigint not null,
         unique (connection_id, key),
         unique (id, connection_id))""",
    "create index items_group on items (connection_id, group_key) where group_key <> ''",
    # Catalogue files that wait for the others of their set. Taken and thrown away as a whole.
    """create table catalogue_files (
         connection_id bigint not null references connections,
         kind text not null,
         name text not null,
         body bytea not null,
         handed_in_at timestamptz not null,
         primary key (connection_id, kind))""",
    # A cell and its level. `known` is null until a first reading counted. `marked_at` is the latest mark not cleared.
    # Where orders are the movements: `residual` is what a reading showed that orders do not explain, since
    # `residual_at`; `loose` are units of orders that an absolute write may have erased or not; `rewrite` asks for the
    # number to be set again. `committed`: taken by orders, not shipped (a channel). `aside`: laid away (a ledger).
    # `fell_at`: when a reading last found a fall.
    """create table cells (
         id bigint generated always as identity primary key,
         connection_id bigint not null references connections,
         item_id bigint not null,
         location_id bigint not null,
         known integer,
         condition text not null default 'unread'
           check (condition in ('unread', 'active', 'inactive', 'absent', 'untracked', 'gone', 'unreadable')),
         had_row boolean not null default false,
         version bigint not null default 0,
         dirty_since timestamptz,
         marked_at timestamptz,
         read_due timestamptz,
         read_asked_at timestamptz,
         read_answered_at timestamptz,
         settled_at timestamptz,
         settled_since_read boolean not null default false,
         stamp timestamptz,
         stamp_known boolean not null default true,
         op_id text,
         gap integer not null default 0,
         urgency smallint not null default 9,
         gap_since timestamptz,
         gap_stamp timestamptz,
         bisect integer,
         blocked text not null default '',
         quarantined boolean not null default false,
         compensate integer not null default 0,
         compensate_sent integer not null default 0,
         watched boolean not null default false,
         highest integer not null default 0,
         residual integer,
         residual_at timestamptz,
         loose integer[] not null default '{}',
         rewrite boolean not null default false,
         committed integer not null default 0,
         aside integer not null default 0,
         fell_at timestamptz,
         foreign key (item_id, connection_id) references items (id, connection_id),
         foreign key (location_id, connection_id) references locations (id, connection_id),
         unique (item_id, location_id))""",
    "create index cells_to_read on cells (connection_id, read_due, id) where read_due is not null and op_id is null",
    "create index cells_to_write on cells (connection_id, urgency, gap_since, id) where (gap <> 0 or rewrite) and op_id is null",
    "create index cells_dirty on cells (connection_id, dirty_since) where dirty_since is not null",
    """create table routes (
         id bigint generated always as identity primary key,
         name text not null unique,
         ledger_id bigint not null references connections,
         channel_id bigint not null references connections,
         direction text not null check (direction in ('two_way', 'channel_to_ledger', 'ledger_to_channel')),
         sales text not null default 'post' check (sales in ('post', 'expect')),
         ledger_field text not null,
         channel_fields text[] not null check (cardinality(channel_fields) >= 1),
         listings text not null default 'one' check (listings in ('one', 'same')),
         ledger_basis text not null default 'stock'
           check (ledger_basis in ('stock', 'stock_minus_layaway', 'on_hand', 'free')),
         booked_within integer not null default 3600 check (booked_within > 0),
         intake text not null default 'adjustment',
         pooled boolean not null default false,
         buffer integer not null default 0 check (buffer >= 0),
         percent integer not null default 100 check (percent between 0 and 100),
         maximum integer check (maximum >= 0),
         align text not null default 'ledger_wins' check (align in ('ledger_wins', 'channel_wins', 'keep_difference')),
         state text not null default 'draft' check (state in ('draft', 'stopped', 'running', 'blocked')),
         stopped_by text not null default '',
         blockers jsonb not null default '[]',
         ever_aligned boolean not null default false,
         match_report jsonb,
         matched_at timestamptz,
         reconciled_at timestamptz,
         version bigint not null default 1,
         check (ledger_id <> channel_id),
         check (direction <> 'ledger_to_channel' or sales = 'expect'),
         unique (id, ledger_id, channel_id),
         unique (id, ledger_id, channel_id, pooled))""",
    # Locations are 1:1 within a route (a pooled one sums several into one, and one of them takes what comes back), and a ledger location goes to one location of a shop in all routes.
    """create table location_pairs (
         route_id bigint not null,
         ledger_id bigint not null,
         channel_id bigint not null,
         ledger_location bigint not null,
         channel_location bigint not null,
         pooled boolean not null default false,
         intake boolean not null default true,
         primary key (route_id, ledger_location),
         unique (ledger_location, channel_id),
         check (pooled or intake),
         foreign key (route_id, ledger_id, channel_id, pooled) references routes (id, ledger_id, channel_id, pooled)
           on update cascade,
         foreign key (ledger_location, ledger_id) references locations (id, connection_id),
         foreign key (channel_location, channel_id) references locations (id, connection_id))""",
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
    # `shape`: one ledger cell, a pool (the sum of its components), or a set (the smallest quotient). `held`: units of
    # orders that policy does not count yet, kept out of this channel's target.
    """create table pairs (
         id bigint generated always as identity primary key,
         route_id bigint not null references routes,
         channel_cell bigint not null unique references cells,
         value text not null,
         phase text not null default 'new' check (phase in ('new', 'waiting', 'catching_up', 'live', 'suspended')),
         phase_reason text not null default '',
         phase_since timestamptz not null,
         made_at timestamptz not null,
         shape text not null default 'single' check (shape in ('single', 'pool', 'set')),
         kept integer not null default 0,
         held integer not null default 0 check (held >= 0),
         ledger_moved integer not null default 0,
         channel_up integer not null default 0 check (channel_up >= 0),
         uncertain integer not null default 0 check (uncertain >= 0))""",
    "create index pairs_route on pairs (route_id, phase)",
    # owed_*: units of the channel's movements that this ledger cell was not told yet; sent_*: told, not acknowledged;
    # expected: units of channel sales that somebody else books here. All in channel units, `ratio` ledger units each.
    # `intake`: movements come back here (all of a set, one of a pool).
    """create table components (
         pair_id bigint not null references pairs on delete cascade,
         ledger_cell bigint not null references cells,
         ratio integer not null default 1 check (ratio >= 1),
         intake boolean not null default true,
         owed_down integer not null default 0 check (owed_down <= 0),
         owed_up integer not null default 0 check (owed_up >= 0),
         sent_down integer not null default 0 check (sent_down <= 0),
         sent_up integer not null default 0 check (sent_up >= 0),
         expected integer not null default 0 check (expected >= 0),
         primary key (pair_id, ledger_cell))""",
    "create index components_cell on components (ledger_cell)",
    # Cells whose decision must be made again. Append-only: duplicates are allowed, no writer ever waits for another.
    """create table due (
         id bigint generated always as identity primary key,
         cell_id bigint not null,
         heard_at timestamptz,
         stamp timestamptz)""",
    """create table inbox (
         id bigint generated always as identity primary key,
         connection_id bigint not null references connections,
         notice_id text not null,
         topic text not null,
         kind text not null,
         hints jsonb not null,
         catalogue jsonb not null default '[]',
         sent_at timestamptz,
         received_at timestamptz not null,
         state text not null default 'new' check (state in ('new', 'done', 'ignored')),
         handled_at timestamptz,
         unique (connection_id, notice_id))""",
    "create index inbox_new on inbox (id) where state = 'new'",
    "create index inbox_old on inbox (received_at) where state <> 'new'",
    """create table wishes (
         id bigint generated always as identity primary key,
         connection_id bigint not null references connections,
         kind text not null check (kind in ('refresh', 'locations', 'verify', 'reconcile', 'import')),
         key text not null default '',
         at timestamptz not null)""",
    "create index wishes_connection on wishes (connection_id, id)",
    # The journal: what other people did, append-only. The cause is learnt later and stands beside it.
    """create table movements (
         id bigint generated always as identity primary key,
         cell_id bigint not null references cells,
         delta integer not null check (delta <> 0),
         before integer not null,
         after integer not null,
         marked_at timestamptz,
         asked_at timestamptz not null,
         answered_at timestamptz not null,
         previous_asked_at timestamptz,
         stamp timestamptz,
         kind text not null default 'outside' check (kind in ('outside', 'effect')),
         check (after = before + delta))""",
    "create index movements_cell on movements (cell_id, id)",
    """create table movement_causes (
         movement_id bigint primary key references movements,
         cause text not null,
         reference text not null default '',
         learnt_at timestamptz not null)""",
    """create function journal_is_append_only() returns trigger language plpgsql as $$
       begin raise exception 'movements are append-only'; end $$""",
    """create trigger movements_append_only before update or delete on movements
       for each row execute function journal_is_append_only()""",
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
    """create table leases (
         connection_id bigint primary key references connections,
         owner text not null,
         owner_key bigint not null,
         token bigint not null,
         expires_at timestamptz not null)""",
    """create table batches (
         id text primary key,
         connection_id bigint not null references connections,
         lane_token bigint not null,
         kind text not null check (kind in ('adjust', 'activate')),
         direction smallint not null check (direction in (-1, 0, 1)),
         method text not null,
         path text not null,
         request bytea not null,
         key text not null,
         api_version text not null,
         state text not null default 'sent' check (state in ('sent', 'in_doubt', 'settled')),
         attempts integer not null default 1,
         composed_at timestamptz not null,
         first_sent_at timestamptz not null default inventory_clock(),
         last_sent_at timestamptz not null default inventory_clock(),
         due_at timestamptz,
         not_before timestamptz,
         settled_at timestamptz,
         reason text not null default '',
         unique (connection_id, key))""",
    "create index batches_open on batches (connection_id, due_at) where state <> 'settled'",
    # The fence: a batch can only be written under the token that holds the lane now.
    """create function batches_fenced() returns trigger language plpgsql as $$
       declare held bigint;
       begin
         select token into held from leases where connection_id = new.connection_id for share;
         if held is null or held <> new.lane_token then
           raise exception 'lane of connection % is held under token %, not %', new.connection_id, held, new.lane_token
             using errcode = 'IS001';
         end if;
         return new;
       end $$""",
    """create trigger batches_fence before insert on batches
       for each row execute function batches_fenced()""",
    """create table ops (
         id text primary key,
         batch_id text not null references batches,
         connection_id bigint not null references connections,
         cell_id bigint not null references cells,
         delta integer not null,
         value integer,
         cut integer not null default 0 check (cut >= 0),
         known_before integer,
         target integer,
         cause text not null check (cause in ('live', 'align', 'compensation', 'activation', 'rewrite')),
         rule_version integer not null,
         state text not null default 'sent'
           check (state in ('sent', 'in_doubt', 'applied', 'not_applied', 'rejected', 'lower_number')),
         reason text not null default '',
         reference text,
         change_heard_at timestamptz,
         change_stamp timestamptz,
         composed_at timestamptz not null,
         settled_at timestamptz,
         watch_at timestamptz,
         watch_until timestamptz,
         doubles integer not null default 0)""",
    "create unique index ops_one_in_flight on ops (cell_id) where state in ('sent', 'in_doubt')",
    "create index ops_batch on ops (batch_id)",
    "create index ops_cell on ops (cell_id, composed_at)",
    "create index ops_reference on ops (connection_id, reference) where reference is not null",
    "create index ops_watched on ops (connection_id, watch_at) where watch_at is not null",
    # Which pairs' movements an op to the ledger carries, in channel units.
    """create table op_parts (
         op_id text not null references ops,
         pair_id bigint not null references pairs on delete cascade,
         units integer not null check (units <> 0),
         primary key (op_id, pair_id))""",
    "create index op_parts_pair on op_parts (pair_id)",
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
    # Effects of ours that happened more than once, and what was done about each.
    """create table compensations (
         id bigint generated always as identity primary key,
         op_id text not null references ops,
         cell_id bigint not null references cells,
         units integer not null check (units <> 0),
         found_at timestamptz not null)""",
    """create table quarantine (
         cell_id bigint primary key references cells,
         code text not null,
         reason text not null,
         op_id text references ops,
         since timestamptz not null)""",
    """create table previews (
         id text primary key,
         route_id bigint not null references routes,
         made_at timestamptz not null,
         summary jsonb not null,
         accepted_at timestamptz)""",
    """create table preview_rows (
         preview_id text not null references previews on delete cascade,
         pair_id bigint not null references pairs on delete cascade,
         action text not null,
         before integer,
         after integer,
         gap integer not null,
         why_en text not null,
         why_ja text not null,
         primary key (preview_id, pair_id))""",
    """create table runs (
         id bigint generated always as identity primary key,
         kind text not null check (kind in ('import', 'match', 'reconcile')),
         connection_id bigint references connections,
         route_id bigint references routes,
         state text not null default 'running' check (state in ('running', 'done', 'failed', 'stopped')),
         cursor text,
         done bigint not null default 0,
         found bigint not null default 0,
         started_at timestamptz not null,
         updated_at timestamptz not null,
         finished_at timestamptz,
         next_at timestamptz,
         error text not null default '')""",
    """create unique index runs_one_at_a_time on runs (kind, coalesce(connection_id, 0), coalesce(route_id, 0))
       where state = 'running'""",
    """create table schedule (
         name text primary key,
         last_at timestamptz not null)""",
    """create table alerts (
         id bigint generated always as identity primary key,
         code text not null,
         subject text not null,
         connection_id bigint references connections,
         route_id bigint references routes,
         detail jsonb not null default '{}',
         opened_at timestamptz not null,
         seen_at timestamptz not null,
         closed_at timestamptz)""",
    "create unique index alerts_open on alerts (code, subject) where closed_at is null",
    """create table audit (
         id bigint generated always as identity primary key,
         at timestamptz not null,
         actor text not null,
         action text not null,
         subject text not null,
         before jsonb,
         after jsonb)""",
    # Routes form no cycle: following ledger → channel never comes back to where it started.
    """create function routes_form_no_cycle() returns trigger language plpgsql as $$
       begin
         if exists (
           with recursive reach(id) as (
             select new.channel_id
             union
             select r.channel_id from routes r join reach on r.ledger_id = reach.id)
           select 1 from reach where id = new.ledger_id) then
           raise exception 'route % would close a cycle', new.name using errcode = 'IS002';
         end if;
         return new;
       end $$""",
    """create constraint trigger routes_no_cycle after insert or update of ledger_id, channel_id on routes
       for each row execute function routes_form_no_cycle()""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back from the first migration; restore a backup instead.")
