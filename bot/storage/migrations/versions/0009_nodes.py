"""Several processes on one database: who they are, who runs and who speaks for a job, what they share."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_COUNT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ONLY = "0"
"""The number of a process that is the only one."""
# Whoever listens learns of every change, whichever statement makes it.
_TELL = """
CREATE FUNCTION easel_tell_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('easel', 'job ' || NEW.id || ' ' || NEW.speaker_id || ' ' || NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER easel_job_changed AFTER UPDATE OF state, speaker_id ON jobs FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.speaker_id IS DISTINCT FROM NEW.speaker_id)
    EXECUTE FUNCTION easel_tell_job();

CREATE FUNCTION easel_tell_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE kept record;
BEGIN
    IF TG_OP = 'DELETE' THEN kept := OLD; ELSE kept := NEW; END IF;
    PERFORM pg_notify('easel', TG_TABLE_NAME || ' ' || kept.scope || ' ' || kept.owner);
    RETURN NULL;
END $$;
CREATE TRIGGER easel_settings_changed AFTER INSERT OR UPDATE OR DELETE ON settings FOR EACH ROW
    EXECUTE FUNCTION easel_tell_kept();
CREATE TRIGGER easel_snippets_changed AFTER INSERT OR UPDATE OR DELETE ON snippets FOR EACH ROW
    EXECUTE FUNCTION easel_tell_kept();

CREATE FUNCTION easel_tell_server() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE kept record;
BEGIN
    IF TG_OP = 'DELETE' THEN kept := OLD; ELSE kept := NEW; END IF;
    PERFORM pg_notify('easel', TG_TABLE_NAME || ' ' || kept.guild_id);
    RETURN NULL;
END $$;
CREATE TRIGGER easel_quotas_changed AFTER INSERT OR UPDATE OR DELETE ON quotas FOR EACH ROW
    EXECUTE FUNCTION easel_tell_server();
CREATE TRIGGER easel_blocks_changed AFTER INSERT OR UPDATE OR DELETE ON blocks FOR EACH ROW
    EXECUTE FUNCTION easel_tell_server();
"""


def upgrade() -> None:
    """Make the tables; jobs of an earlier version belong to a process that is the only one."""
    op.create_table(
        "nodes",
        sa.Column("id", _COUNT, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    for table, column in (("jobs", "node_id"), ("jobs", "speaker_id"), ("intakes", "node_id")):
        op.add_column(table, sa.Column(column, sa.BigInteger, nullable=False, server_default=_ONLY))
    op.create_table(
        "blobs",
        sa.Column("blob", sa.String, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("put_at", sa.Float, nullable=False),
    )
    op.create_index("blobs_age", "blobs", ["put_at"])
    op.create_table(
        "backends",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("node_id", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("capabilities", sa.Text),
    )
    op.create_table(
        "rate_leases",
        sa.Column("node_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rate", sa.Float, nullable=False),
        sa.Column("wanted", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_TELL)
