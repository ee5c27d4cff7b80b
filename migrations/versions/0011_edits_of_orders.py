"""What an edit adds to an order has a time of its own."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # `grown` of an order line's counted units came by an edit, between `ungrown_at` and `grown_at`.
    "alter table order_lines add grown integer not null default 0",
    "alter table order_lines add grown_at timestamptz",
    "alter table order_lines add ungrown_at timestamptz",
    "alter table order_lines add constraint order_lines_grown_check check (grown between 0 and counted)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
