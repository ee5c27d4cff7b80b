"""A partner may accept a batch and carry it out later; what it tells of that is a notice of its own."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # `accepted`: the partner took the batch and carries it out later. That is no outcome, and no doubt before its time.
    "alter table batches drop constraint batches_kind_check",
    "alter table batches add constraint batches_kind_check check (kind in ('adjust', 'activate', 'bulk')) not valid",
    "alter table batches validate constraint batches_kind_check",
    "alter table batches drop constraint batches_state_check",
    """alter table batches add constraint batches_state_check
         check (state in ('sent', 'accepted', 'in_doubt', 'settled')) not valid""",
    "alter table batches validate constraint batches_state_check",
    # The partner's own number for it, when its callback came, and when it had not come in the time declared.
    "alter table batches add reference text",
    "alter table batches add called_at timestamptz",
    "alter table batches add missed_at timestamptz",
    "create index batches_bulk on batches (connection_id, first_sent_at) where kind = 'bulk'",
    # Which requests of ours a callback names.
    "alter table inbox add requests jsonb not null default '[]'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
