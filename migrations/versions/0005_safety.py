"""The brake and the stock-take: movements that are held back until a person lets them go; writes that were undone."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # `held_back`: units of this cell's movements that are held: the sum of its open holds. A ledger cell shows its
    # channels `known - held_back`; a channel cell's own target is higher by it, and the ledger is not told of it.
    "alter table cells add held_back integer not null default 0",
    # One held movement. `taken_back`: units of it that an opposite movement made up for.
    """create table holds (
         id bigint generated always as identity primary key,
         route_id bigint references routes,
         cell_id bigint not null references cells,
         reason text not null check (reason in ('brake', 'stocktake')),
         movement_id bigint not null references movements,
         units integer not null check (units <> 0),
         taken_back integer not null default 0 check (abs(taken_back) <= abs(units)),
         held_at timestamptz not null,
         released_at timestamptz,
         released_by text not null default '')""",
    "create index holds_open on holds (cell_id, id) where released_at is null",
    "create index holds_cell on holds (cell_id, id)",
    # `turn`: the cell went up or to zero by it, and no order says why. The brake counts these.
    "alter table movements add turn boolean not null default false",
    "create index movements_turns on movements (asked_at, cell_id) where turn",
    # The brake judges nothing on this route until then; a person said so.
    "alter table routes add brake_off_until timestamptz",
    """create table stocktakes (
         id bigint generated always as identity primary key,
         route_id bigint not null references routes,
         started_at timestamptz not null,
         started_by text not null,
         ended_at timestamptz,
         ended_by text not null default '')""",
    "create unique index stocktakes_open on stocktakes (route_id) where ended_at is null",
    # Movements that took back exactly what we had just written.
    """create table undone (
         movement_id bigint primary key references movements,
         op_id text not null references ops,
         cell_id bigint not null references cells,
         connection_id bigint not null references connections,
         at timestamptz not null)""",
    "create index undone_lately on undone (connection_id, at)",
    # A person keeps the cell out: nothing is written to it until a person lets it in again.
    "alter table quarantine add excluded boolean not null default false",
    # What each component of a pair shows, as before; held movements are not shown.
    """create or replace view pair_sides as
       select p.id as pair_id, p.channel_cell, p.route_id, p.shape, k.ledger_cell, k.ratio, k.intake, l.condition,
              l.marked_at, l.read_answered_at, l.fell_at,
              case when r.ledger_basis = 'stock_minus_layaway' then l.known - l.aside else l.known end - l.held_back as shown,
              exists (select 1 from ops o where o.id = l.op_id and o.state = 'in_doubt') or l.compensate > 0 as in_doubt,
              (select coalesce(sum((k2.owed_down + k2.sent_down - k2.expected
                                    - case when r2.ledger_basis = 'on_hand' and k2.intake then c2.committed else 0 end) * k2.ratio), 0)
                 from components k2 join pairs p2 on p2.id = k2.pair_id join routes r2 on r2.id = p2.route_id
                 join cells c2 on c2.id = p2.channel_cell
                 where k2.ledger_cell = l.id and (p2.phase <> 'new' or p2.id = p.id))::int
                + least(l.compensate, 0) + least(l.compensate_sent, 0) as pending_down,
              (k.owed_up + k.sent_up) * k.ratio as own_up,
              l.held_back
       from pairs p join routes r on r.id = p.route_id join components k on k.pair_id = p.id
       join cells l on l.id = k.ledger_cell""",
    # `free`: what the effective quantity would be with nothing held; a person who confirms a preview confirms this.
    """create or replace view pair_effective as
       select pair_id, case when shape = 'set' then min(floor((shown + pending_down + own_up)::numeric / ratio))
                            else sum(shown + pending_down + own_up) end::int as effective,
              bool_and(condition = 'active' and shown is not null) as readable,
              case when shape = 'set' then min(floor((shown + held_back + pending_down + own_up)::numeric / ratio))
                   else sum(shown + held_back + pending_down + own_up) end::int as free
       from pair_sides group by pair_id, shape""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("Movements that are held back must stay known; restore a backup instead of going back.")
