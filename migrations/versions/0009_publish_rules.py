"""Publish rules: overrides by code, ends of offsets, and automatic buffers with what they were reckoned from."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # `auto_buffer`: the buffer is reckoned for each pair, from `buffer` to `auto_most`. `end_when`: a number that would
    # be told and is at most this is told as 0.
    """alter table routes
         add auto_buffer boolean not null default false,
         add auto_most integer not null default 100 check (auto_most >= 0),
         add end_when integer not null default 0 check (end_when >= 0)""",
    # What a route does otherwise for one code; null: as the route does. By the code that matched, so that it may come
    # before the pair and outlives it. `unlimited`: no maximum, whatever the route has. An offset that has ended stays
    # to be seen: `offset_ended_at`.
    """create table publish_overrides (
         route_id bigint not null references routes on delete cascade,
         code text not null check (code <> ''),
         buffer integer check (buffer >= 0),
         auto_buffer boolean not null default false,
         percent integer check (percent between 0 and 100),
         maximum integer check (maximum >= 0),
         unlimited boolean not null default false,
         end_when integer check (end_when >= 0),
         offset_units integer not null default 0,
         offset_until timestamptz,
         offset_ended_at timestamptz,
         excluded boolean not null default false,
         set_at timestamptz not null,
         set_by text not null,
         primary key (route_id, code),
         check (not (auto_buffer and buffer is not null)),
         check (not (unlimited and maximum is not null)),
         check (offset_until is null or offset_units <> 0))""",
    """create index publish_overrides_until on publish_overrides (offset_until)
         where offset_until is not null and offset_ended_at is null""",
    # The automatic buffer of a pair, and the arithmetic behind it. A pair that sold nothing lately has none: it keeps
    # the route's smallest.
    """create table auto_buffers (
         pair_id bigint primary key references pairs on delete cascade,
         units integer not null check (units >= 0),
         covers integer not null,
         lag_s double precision,
         measured integer not null,
         sold integer not null,
         window_s double precision not null,
         lower_since timestamptz,
         lower_most integer not null default 0,
         reckoned_at timestamptz not null,
         fell_at timestamptz)""",
    "create index auto_buffers_fell on auto_buffers (fell_at) where fell_at is not null",
    "create index pairs_value on pairs (route_id, value)",
    # Both tables only grow at their end, so that an index of ranges finds the last hours and costs next to nothing.
    "create index movements_lately on movements using brin (asked_at) with (pages_per_range = 16)",
    "create index ops_lately on ops using brin (composed_at) with (pages_per_range = 16)",
    # A stopped publish run keeps its cells as they are until it goes on.
    "create index run_rows_publish_rest on run_rows (cell_id) where state = 'proposed' and action = 'publish'",
    # The rule of every pair: its route's, and what was set otherwise for its code.
    """create view pair_rules as
       select p.id as pair_id,
              case when o.auto_buffer or (r.auto_buffer and o.buffer is null) then greatest(r.buffer, coalesce(a.units, 0))
                   else coalesce(o.buffer, r.buffer) end as buffer,
              coalesce(o.auto_buffer, false) or (r.auto_buffer and o.buffer is null) as auto,
              coalesce(o.percent, r.percent) as percent,
              case when o.unlimited then null else coalesce(o.maximum, r.maximum) end as maximum,
              coalesce(o.end_when, r.end_when) as end_when,
              case when o.offset_ended_at is null then coalesce(o.offset_units, 0) else 0 end as offset_units,
              o.offset_until, coalesce(o.excluded, false) as excluded, o.code
       from pairs p join routes r on r.id = p.route_id
       left join publish_overrides o on o.route_id = p.route_id and o.code = p.value
       left join auto_buffers a on a.pair_id = p.id""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
