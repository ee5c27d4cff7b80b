"""Stock files of the built-in ledger: which were applied, and what the next one is compared with."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Every file that was applied, for ever: what adds must not count twice. `number` orders files: the number in the
    # name, or microseconds since 1970. `lines`: the rows it had.
    """create table ledger_files (
         id bigint generated always as identity primary key,
         book_id bigint not null references ledger_books,
         profile text not null,
         name text not null,
         sha256 text not null,
         ordered_by text not null check (ordered_by in ('time', 'sequence')),
         number bigint not null,
         lines integer not null,
         actor text not null,
         applied_at timestamptz not null,
         unique (book_id, profile, sha256, ordered_by, number))""",
    # The last file of each profile. `rows` and `units`: of the last one that stated whole quantities; `heard_at`: when
    # a file came last that was not refused, one that had been applied before too.
    """create table ledger_file_profiles (
         book_id bigint not null references ledger_books,
         profile text not null,
         name text not null,
         sha256 text not null,
         ordered_by text not null check (ordered_by in ('time', 'sequence')),
         number bigint not null,
         header text[] not null,
         rows bigint not null,
         units bigint not null,
         applied_at timestamptz not null,
         heard_at timestamptz not null,
         primary key (book_id, profile))""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("A file that was applied must stay known; restore a backup instead of going back.")
