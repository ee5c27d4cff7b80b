"""PostgreSQL: named queries in .sql files and thin typed functions around them."""
