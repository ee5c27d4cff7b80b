"""What `explain` needs to answer about one code among a million: items by any of their codes; when a cause happened."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A code without all that people and spreadsheets lose: blanks, width, case, zeros, and every mark of punctuation. Written
# out in both functions: an index is built with an empty search path, so that one cannot call the other by its name.
ROUGH = (
    "translate(lower(case when octet_length({code}) = length({code}) then {code} else normalize({code}, NFKC) end), "
    r"""E'0 \t\n\r!"#$%&''()*+,-./:;<=>?@[\\]^_`{{|}}~' """
    r"|| E'\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u30fc\u200b\u200c\u200d\ufeff\u00ad\u301c', '')"
)

STATEMENTS: tuple[str, ...] = (
    # Every code of an item, whatever its field, so that one index answers "who has this code?".
    """create function item_codes(codes jsonb) returns text[] language sql immutable parallel safe
       as $$ select coalesce(array_agg(value), '{}') from jsonb_each_text(codes) where value <> '' $$""",
    f"""create function rough_code(code text) returns text language sql immutable parallel safe
       as $$ select {ROUGH.format(code="code")} $$""",
    f"""create function item_rough_codes(codes jsonb) returns text[] language sql immutable parallel safe
       as $$ select coalesce(array_agg({ROUGH.format(code="value")}), '{{}}') from jsonb_each_text(codes)
             where value <> '' $$""",  # noqa: S608  (constants of this page)
    "create index items_codes on items using gin (item_codes(codes)) with (fastupdate = off)",
    "create index items_rough_codes on items using gin (item_rough_codes(codes)) with (fastupdate = off)",
    # When the partner says that it happened, which may be long before it was written there (a register without network).
    "alter table movement_causes add happened_at timestamptz",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back; restore a backup instead.")
