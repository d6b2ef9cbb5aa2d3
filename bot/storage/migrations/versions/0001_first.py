"""The first tables: jobs, their fair queue, intakes and settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_COUNT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables and their indexes."""
    _jobs()
    _queue()
    _rest()


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _COUNT, primary_key=True),
        sa.Column("key", _KEY, nullable=False, unique=True),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("model", sa.String),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("place_guild_id", sa.BigInteger),
        sa.Column("reply_to", sa.BigInteger),
        sa.Column("ephemeral", sa.Boolean, nullable=False),
        sa.Column("reachable", sa.Boolean, nullable=False),
        sa.Column("token", sa.String),
        sa.Column("token_expires_at", sa.Float),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("tag", sa.BigInteger, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("crashes", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("queued_at", sa.Float, nullable=False),
        sa.Column("started_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("told_at", sa.Float),
        sa.Column("pinged_at", sa.Float),
        sa.Column("result", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("cancelled_by", sa.BigInteger),
        sa.Column("backend", sa.String),
        sa.Column("task", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_service", "jobs", ["lane", "state", "tag", "rank", "id", "cost"])
    op.create_index("jobs_flow", "jobs", ["guild_id", "state"])
    op.create_index("jobs_message", "jobs", ["message_id"])
    op.create_index("jobs_state", "jobs", ["state", "told_at"])
    op.create_index("jobs_token", "jobs", ["token_expires_at"])


def _queue() -> None:
    op.create_table(
        "lanes",
        sa.Column("lane", sa.String, primary_key=True),
        sa.Column("clock", sa.BigInteger, nullable=False),
        sa.Column("pace", sa.Float),
        sa.Column("standard_pace", sa.Float),
    )
    op.create_table(
        "flows",
        sa.Column("lane", sa.String, primary_key=True),
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("next", sa.BigInteger, nullable=False),
        sa.Column("uv", sa.BigInteger, nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("users", sa.Text, nullable=False),
    )
    op.create_table(
        "models",
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("permille", sa.Integer, nullable=False),
    )


def _rest() -> None:
    op.create_table(
        "intakes",
        sa.Column("interaction_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("application_id", sa.BigInteger, nullable=False),
        sa.Column("token", sa.String, nullable=False),
        sa.Column("token_expires_at", sa.Float, nullable=False),
        sa.Column("reply_locale", sa.String, nullable=False),
        sa.Column("noted_at", sa.Float, nullable=False),
    )
    op.create_table(
        "settings",
        sa.Column("scope", sa.String, primary_key=True),
        sa.Column("owner", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("values", sa.Text, nullable=False),
    )
