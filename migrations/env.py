"""Alembic's environment, for `alembic revision` and `alembic upgrade --sql` only.

Databases are migrated by `inventory-sync migrate`, which executes the same SQL over asyncpg under an advisory lock
(docs/decisions/0002-migrations-by-offline-sql.md).
"""

from __future__ import annotations

from alembic import context

if not context.is_offline_mode():
    raise SystemExit("Alembic only writes SQL here. To migrate a database run: inventory-sync migrate")

context.configure(dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
