"""What waits in a narrow table of its own: tags change with every order, and whole jobs are too wide for that."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_COLUMNS = ("lane", "guild_id", "user_id", "model", "cost", "tag", "rank")
_FILL = f"""
INSERT INTO waiting (job_id, {", ".join(_COLUMNS)})
SELECT id, {", ".join(_COLUMNS)} FROM jobs WHERE state = 'queued'
"""  # noqa: S608 - names of columns alone
_NEW = f"NEW.id, {', '.join(f'NEW.{name}' for name in _COLUMNS)}"
_SQLITE = (
    f"""
CREATE TRIGGER easel_job_queued AFTER INSERT ON jobs WHEN NEW.state = 'queued' BEGIN
    INSERT INTO waiting (job_id, {", ".join(_COLUMNS)}) VALUES ({_NEW});
END
""",  # noqa: S608 - names of columns alone
    f"""
CREATE TRIGGER easel_job_moved AFTER UPDATE OF state, lane, tag, rank ON jobs BEGIN
    DELETE FROM waiting WHERE job_id = OLD.id;
    INSERT INTO waiting (job_id, {", ".join(_COLUMNS)}) SELECT {_NEW} WHERE NEW.state = 'queued';
END
""",  # noqa: S608 - names of columns alone
    """
CREATE TRIGGER easel_job_deleted AFTER DELETE ON jobs BEGIN
    DELETE FROM waiting WHERE job_id = OLD.id;
END
""",
)
# Whoever could run the job is woken by the same stroke.
_POSTGRESQL = f"""
CREATE FUNCTION easel_keep_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = 'queued' THEN
        DELETE FROM waiting WHERE job_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'queued' THEN
        INSERT INTO waiting (job_id, {", ".join(_COLUMNS)}) VALUES ({_NEW});
        PERFORM pg_notify('easel', 'wake');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER easel_job_queued AFTER INSERT OR DELETE OR UPDATE OF state, lane, tag, rank ON jobs
    FOR EACH ROW EXECUTE FUNCTION easel_keep_waiting();
"""  # noqa: S608 - names of columns alone


def upgrade() -> None:
    """Make the table, fill it and have it kept up; jobs lose the indexes that it, or few rows, make needless."""
    op.create_table(
        "waiting",
        sa.Column("job_id", _ID, primary_key=True, autoincrement=False),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("model", sa.String),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("tag", sa.BigInteger, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
    )
    op.execute(_FILL)
    op.create_index("waiting_service", "waiting", ["lane", "tag", "rank", "job_id", "cost"])
    op.create_index("waiting_guild", "waiting", ["guild_id"])
    op.drop_index("jobs_service", "jobs")
    for name, column in (("jobs_message", "message_id"), ("jobs_token", "token_expires_at")):
        known = sa.text(f"{column} IS NOT NULL")
        op.drop_index(name, "jobs")
        op.create_index(name, "jobs", [column], sqlite_where=known, postgresql_where=known)
    for statement in [_POSTGRESQL] if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
