"""Words of 256 records together, so that PostgreSQL finds where a frequent word stands without reading the records.

A block is as many records in the order of their acceptance. It is written once it is full; what comes to it later, as a
correction, is a row of its own beside it. So a record whose block is there has all its words in one row of it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "blocks"
down_revision = "guesses"
branch_labels = None
depends_on = None

# Rows of full blocks, 64 of them at a time; where the texts of one are too long for one tsvector, which holds a
# mebibyte, each of its records has a row
SEAL = """
CREATE FUNCTION footprint_words_seal(first_block bigint, end_block bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part bigint;
BEGIN
    FOR part IN SELECT generate_series(first_block, end_block - 1, 64) LOOP
        INSERT INTO footprint_words_blocks (block, lexemes)
        SELECT said.block, array_to_tsvector(array_agg(one.lexeme))
        FROM (
            SELECT seq >> 8 AS block, words,
                CASE WHEN sum(octet_length(words)) OVER (PARTITION BY seq >> 8) > 250000 THEN seq END AS alone
            FROM footprint WHERE seq >= part * 256 AND seq < least(part + 64, end_block) * 256
        ) said, LATERAL unnest(to_tsvector('simple', said.words)) one
        GROUP BY said.block, said.alone;
    END LOOP;
END $$
"""
KEEP = """
CREATE FUNCTION footprint_words_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    here bigint := NEW.seq >> 8;
    known bigint := coalesce((SELECT max(block) FROM footprint_words_blocks), -1);
BEGIN
    IF here <= known THEN
        INSERT INTO footprint_words_blocks (block, lexemes) VALUES (here, to_tsvector('simple', NEW.words));
    ELSIF TG_OP = 'INSERT' AND NEW.seq & 255 = 0 THEN
        PERFORM footprint_words_seal(known + 1, least(here, known + 65));
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = {
    "footprint_words_insert": "AFTER INSERT ON footprint FOR EACH ROW",
    "footprint_words_update": "AFTER UPDATE OF words ON footprint FOR EACH ROW"
    " WHEN (NEW.words <> '' AND NEW.words IS DISTINCT FROM OLD.words)",
}


def upgrade() -> None:
    """Make them, and those of the records that are there."""
    if op.get_bind().dialect.name == "sqlite":
        return
    op.create_table(
        "footprint_words_blocks",
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("lexemes", sa.dialects.postgresql.TSVECTOR(), nullable=False),
    )
    op.execute(SEAL)
    op.execute("SELECT footprint_words_seal(0, (coalesce(max(seq), 0) + 1) >> 8) FROM footprint")
    op.create_index("ix_footprint_words_blocks", "footprint_words_blocks", ["block"])
    op.execute("CREATE INDEX ix_footprint_words_in_blocks ON footprint_words_blocks USING gin (lexemes)")
    op.execute(KEEP)
    for name, when in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION footprint_words_keep()")


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON footprint")
    op.execute("DROP FUNCTION footprint_words_keep()")
    op.execute("DROP FUNCTION footprint_words_seal(bigint, bigint)")
    op.drop_table("footprint_words_blocks")
