"""What policy makes of orders that are not paid, or whose item no route knows yet."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # Of an order line: `parked` units that the channel's level fell by and nobody else was told of, `live` of them still
    # in the order. `told`: units that the other sides were told of by it. `kept`: no route knows its item yet.
    "alter table order_lines add payment text not null default '' check (payment in ('', 'paid', 'unpaid', 'refunded'))",
    "alter table order_lines add parked integer not null default 0 check (parked >= 0)",
    "alter table order_lines add live integer not null default 0 check (live >= 0)",
    "alter table order_lines add told integer not null default 0",
    "alter table order_lines add kept boolean not null default false",
    "alter table order_lines drop constraint order_lines_grown_check",
    "alter table order_lines add constraint order_lines_grown_check check (grown between 0 and counted + parked)",
    "create index order_lines_kept on order_lines (connection_id) where kept",
    "create index order_lines_unpaid on order_lines (connection_id, first_seen_at) where payment = 'unpaid'",
    # Units that a cell's level may yet show by itself, because an order that nobody was told of changed: they are
    # nobody's movement. Above 0: it may rise by them; below: fall.
    "alter table cells add waived integer[] not null default '{}'",
    # `order`: what an unpaid or unknown order did to a level, which is told to nobody (yet).
    "alter table movements drop constraint movements_kind_check",
    "alter table movements add constraint movements_kind_check check (kind in ('outside', 'effect', 'order'))",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("Orders that are kept or held must stay known; restore a backup instead of going back.")
