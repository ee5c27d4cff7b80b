"""Runs that write: their rows, what each op of theirs belongs to, and what previews and runs are for."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # `total`: how many there are, where it is known. `preview_id`: what a person confirmed. `undoes`: the run that is
    # taken back. `on_stopped`: a push that was asked for while its route stood still.
    """alter table runs
         add total bigint,
         add actor text not null default '',
         add preview_id text references previews,
         add undoes bigint references runs,
         add on_stopped boolean not null default false,
         drop constraint runs_kind_check,
         add constraint runs_kind_check
           check (kind in ('import', 'match', 'reconcile', 'push', 'undo', 'preview', 'publish'))""",
    "drop index runs_one_at_a_time",
    """create unique index runs_one_at_a_time on runs (kind, coalesce(connection_id, 0), coalesce(route_id, 0))
         where state = 'running' and kind in ('import', 'match', 'reconcile', 'undo')""",
    "create index runs_writing on runs (id) where state = 'running' and kind in ('push', 'undo', 'publish')",
    # One cell that a run writes, or looks at and leaves. `gap`: what was confirmed, in units of the channel, for an undo
    # in units of the cell; null: whatever the target asks for. `kept`, `owed`: what the pair is left with.
    # `moved`: what the run moved the cell by, in the same units as `gap`. `*_before`, `dropped`: what a stop gives back.
    """create table run_rows (
         run_id bigint not null references runs on delete cascade,
         pair_id bigint not null references pairs on delete cascade,
         cell_id bigint not null references cells,
         side text not null check (side in ('channel', 'ledger')),
         rank smallint not null,
         action text not null,
         before integer,
         after integer,
         gap integer,
         kept integer not null default 0,
         owed integer not null default 0,
         state text not null
           check (state in ('proposed', 'confirmed', 'released', 'sent', 'done', 'failed', 'skipped')),
         reason text not null default '',
         op_id text,
         moved integer,
         phase_before text,
         kept_before integer not null default 0,
         dropped integer not null default 0,
         since timestamptz not null,
         primary key (run_id, pair_id, cell_id))""",
    """create unique index run_rows_one_open on run_rows (cell_id, pair_id)
         where state in ('confirmed', 'released')""",
    "create index run_rows_pair on run_rows (pair_id)",
    "create index run_rows_to_come on run_rows (pair_id) where state = 'confirmed'",
    "create index run_rows_open on run_rows (run_id, state, rank, pair_id) where state in ('proposed', 'confirmed', 'released', 'sent')",
    "create index run_rows_op on run_rows (op_id) where op_id is not null",
    # Pairs whose turn has come in a push that was asked for while its route stood still.
    """create view pushed_pairs as
       select w.pair_id from run_rows w join runs u on u.id = w.run_id
       where w.state = 'released' and u.state = 'running' and u.on_stopped and u.kind = 'push'""",
    """alter table ops
         add run_id bigint references runs,
         drop constraint ops_cause_check,
         add constraint ops_cause_check
           check (cause in ('live', 'align', 'compensation', 'activation', 'rewrite', 'undo'))""",
    "create index ops_run on ops (run_id) where run_id is not null",
    # `source`: which side wins (route: as the route's alignment says), or `undo`. `position`: the order of the lines.
    """alter table previews
         add source text not null default 'route' check (source in ('route', 'ledger', 'channel', 'undo')),
         add undoes bigint references runs""",
    # Checking each line of a preview against its pair takes longer than working it out; lines are read by way of pairs.
    """alter table preview_rows
         add position integer not null default 0,
         drop constraint preview_rows_pair_id_fkey,
         drop constraint preview_rows_preview_id_fkey""",
    "create index preview_rows_order on preview_rows (preview_id, position)",
    # What is due to be read because something was heard comes before what is only looked at again.
    """create index cells_to_read_marked on cells (connection_id, read_due, id)
         where read_due is not null and op_id is null and marked_at is not null""",
    """create index cells_to_read_soft on cells (connection_id, read_due, id)
         where read_due is not null and op_id is null and marked_at is null""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
