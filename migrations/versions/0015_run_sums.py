"""What the rows of a run sum up to is kept with the run, so that its rows need not be kept for ever."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # The one place that adds rows up: how many stand in each state, how many of them ended, and the units they moved.
    # A run without rows has no line here.
    """create view run_sums as
       select run_id, jsonb_object_agg(state, rows) as row_counts,
              coalesce(sum(rows) filter (where state in ('done', 'failed', 'skipped')), 0)::bigint as ended,
              sum(up)::bigint as units_up, sum(down)::bigint as units_down
       from (select run_id, state, count(*) as rows, coalesce(sum(greatest(moved, 0)), 0) as up,
                    coalesce(sum(least(moved, 0)), 0) as down
             from run_rows group by run_id, state) as s
       group by run_id""",
    # The sums as they were when the run stood still last. They hold from when it is over; rows of a run that was stopped
    # still change. `lines`: whether its rows are all there, are being deleted since `lines_deleted_at`, or are gone.
    # A program of the version before leaves the sums of a run it ends null: they are added up when they are asked for.
    """alter table runs
         add row_counts jsonb,
         add units_up bigint not null default 0,
         add units_down bigint not null default 0,
         add lines text not null default 'kept' constraint runs_lines_check check (lines in ('kept', 'leaving', 'gone')),
         add lines_deleted_at timestamptz""",
    """update runs u set row_counts = coalesce(s.row_counts, '{}'), units_up = coalesce(s.units_up, 0),
         units_down = coalesce(s.units_down, 0)
       from runs k left join run_sums s on s.run_id = k.id
       where u.id = k.id and k.state <> 'running' and k.kind in ('push', 'undo', 'publish')""",
    """create index runs_with_lines on runs (finished_at, id)
         where lines <> 'gone' and kind in ('push', 'undo', 'publish')""",
    # Of which run another one takes back what it wrote.
    "create index runs_undoing on runs (undoes) where undoes is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
