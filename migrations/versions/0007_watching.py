"""Watching: a trial that writes nothing, and what it finds out about the tool in use. Long stops, unmapping, zeroing."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # `unmapped_at`: a person deleted the SKU mapping; only a person makes it again. `stopped_since`: it ran until then.
    """alter table routes
         drop constraint routes_state_check,
         add constraint routes_state_check check (state in ('draft', 'stopped', 'watching', 'running', 'blocked')),
         add unmapped_at timestamptz,
         add stopped_since timestamptz,
         add watched_since timestamptz""",
    """create function routes_note_stop() returns trigger language plpgsql as $$
       begin
         if new.state = 'running' then
           new.stopped_since := null;
         elsif old.state = 'running' then
           new.stopped_since := inventory_clock();
         end if;
         return new;
       end $$""",
    """create trigger routes_stop before update of state on routes
       for each row execute function routes_note_stop()""",
    # Ops and previews that tell a channel 0.
    """alter table ops
         drop constraint ops_cause_check,
         add constraint ops_cause_check
           check (cause in ('live', 'align', 'compensation', 'activation', 'rewrite', 'undo', 'zero'))""",
    """alter table previews
         drop constraint previews_source_check,
         add constraint previews_source_check check (source in ('route', 'ledger', 'channel', 'undo', 'zero'))""",
    # `zeroing`: a person stopped the route and wants its channel cell told 0.
    "alter table pairs add zeroing boolean not null default false",
    "create index pairs_zeroing on pairs (route_id) where zeroing",
    # Where orders are the source of changes, no route runs before a first list of orders came.
    "alter table connections add orders_are_source boolean not null default false",
    # The last look at a watched pair: what we would tell, by how much the tool in use differed when the two last agreed
    # to differ, what the channel showed, and how many units orders had taken there by either way of counting.
    """create table watch_cells (
         pair_id bigint primary key references pairs on delete cascade,
         wanted integer not null,
         offset_units integer not null,
         shown integer not null,
         committed integer not null,
         ordered bigint not null,
         looked_at timestamptz not null)""",
    # A change of the ledger that a channel was to be told. `confirmed`: the channel was read later than the change was
    # heard of and still showed more; only from then on are its sales counted in `sold`. Bounded for each pair.
    """create table watch_spans (
         id bigint generated always as identity primary key,
         pair_id bigint not null references pairs on delete cascade,
         before integer not null,
         wanted integer not null,
         shown integer not null,
         wanted_since timestamptz not null,
         confirmed boolean not null default false,
         sold integer not null default 0 check (sold >= 0),
         reached_at timestamptz)""",
    "create index watch_spans_pair on watch_spans (pair_id, id)",
    "create index watch_spans_open on watch_spans (pair_id, id) where reached_at is null",
    "create index watch_spans_old on watch_spans (wanted_since)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
