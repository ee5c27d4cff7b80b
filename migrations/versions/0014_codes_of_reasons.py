"""Why a write did not take effect keeps the code of its problem, so that it can be said in the reader's language."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # The code of the problem that `reason` tells of; none where no problem has one, and none of what was written before.
    "alter table ops add reason_code text",
    "alter table run_rows add reason_code text",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
