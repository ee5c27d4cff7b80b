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
         secrets bytea,
         version bigint not null default 1,
         credential_expires_at timestamptz,
         catalogue_import bigint,
         catalogue_at timestamptz,
         polled_until timestamptz,
         heard_at timestamptz,
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
    # A cell and its level. `known` is null until a first reading counted. `marked_at` is the latest mark not cleared.
    """create table cells (
         id bigint generated always as identity primary key,
         connection_id bigint not null references connections,
         item_id bigint not null,
         location_id bigint not null,
         known integer,
         condition text not null default 'unread'
           check (condition in ('unread', 'active', 'inactive', 'absent', 'untracked', 'gone')),
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
         foreign key (item_id, connection_id) references items (id, connection_id),
         foreign key (location_id, connection_id) references locations (id, connection_id),
         unique (item_id, location_id))""",
    "create index cells_to_read on cells (connection_id, read_due, id) where read_due is not null and op_id is null",
    "create index cells_to_write on cells (connection_id, urgency, gap_since, id) where gap <> 0 and op_id is null",
    "create index cells_dirty on cells (connection_id, dirty_since) where dirty_since is not null",
    """create table routes (
         id bigint generated always as identity primary key,
         name text not null unique,
         ledger_id bigint not null references connections,
         channel_id bigint not null references connections,
         direction text not null check (direction in ('two_way', 'channel_to_ledger', 'ledger_to_channel')),
         sales text not null default 'post' check (sales in ('post', 'expect')),
         ledger_field text not null,
         channel_field text not null,
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
         unique (id, ledger_id, channel_id))""",
    # Locations are 1:1 within a route, and a ledger location goes to one location of a shop in all routes.
    """create table location_pairs (
         route_id bigint not null,
         ledger_id bigint not null,
         channel_id bigint not null,
         ledger_location bigint not null,
         channel_location bigint not null,
         primary key (route_id, ledger_location),
         unique (route_id, channel_location),
         unique (ledger_location, channel_id),
         foreign key (route_id, ledger_id, channel_id) references routes (id, ledger_id, channel_id),
         foreign key (ledger_location, ledger_id) references locations (id, connection_id),
         foreign key (channel_location, channel_id) references locations (id, connection_id))""",
    # owed_*: units of the channel's movements that the ledger was not told yet; sent_*: told, not acknowledged.
    """create table pairs (
         id bigint generated always as identity primary key,
         route_id bigint not null references routes,
         channel_cell bigint not null unique references cells,
         value text not null,
         phase text not null default 'new' check (phase in ('new', 'waiting', 'catching_up', 'live', 'suspended')),
         phase_reason text not null default '',
         phase_since timestamptz not null,
         made_at timestamptz not null,
         kept integer not null default 0,
         owed_down integer not null default 0 check (owed_down <= 0),
         owed_up integer not null default 0 check (owed_up >= 0),
         sent_down integer not null default 0 check (sent_down <= 0),
         sent_up integer not null default 0 check (sent_up >= 0),
         ledger_moved integer not null default 0,
         channel_up integer not null default 0 check (channel_up >= 0),
         uncertain integer not null default 0 check (uncertain >= 0))""",
    "create index pairs_route on pairs (route_id, phase)",
    """create table components (
         pair_id bigint not null references pairs on delete cascade,
         ledger_cell bigint not null references cells,
         ratio integer not null default 1 check (ratio >= 1),
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
         known_before integer,
         target integer,
         cause text not null check (cause in ('live', 'align', 'compensation', 'activation')),
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
