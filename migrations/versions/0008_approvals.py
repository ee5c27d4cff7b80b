"""Setting up connections: when they were proven and what was granted, what a person said, and approvals that take days."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    "alter table connections add column verified_at timestamptz",
    "alter table connections add column granted jsonb not null default '[]'",
    # What only people know of a connection: a step that they did, or an approval they applied for. No secret.
    """create table setup_steps (
         connection_id bigint not null references connections,
         step text not null,
         said_at timestamptz not null,
         said_by text not null,
         done_at timestamptz,
         applied_at timestamptz,
         business_days integer check (business_days between 1 and 60),
         granted_at timestamptz,
         reminded_at timestamptz,
         reminders integer not null default 0,
         primary key (connection_id, step))""",
    "create index setup_steps_pending on setup_steps (applied_at) where applied_at is not null and granted_at is null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
