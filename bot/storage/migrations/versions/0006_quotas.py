"""Quotas, what jobs in hand take of them, and what delivered ones took."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables; what is in hand already takes nothing until it is painted."""
    op.create_table(
        "quotas",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("scope", sa.String, primary_key=True),
        sa.Column("about", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("period", sa.String, primary_key=True),
        sa.Column("seconds", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "charges",
        sa.Column("job_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("ms", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Integer),
    )
    op.create_index("charges_guild", "charges", ["guild_id"])
    op.create_index("charges_user", "charges", ["user_id"])
    op.create_table(
        "usage",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("channel_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ms", sa.BigInteger, nullable=False),
    )
    op.create_index("usage_user", "usage", ["user_id", "day", "guild_id", "ms"])
    op.execute(
        "INSERT INTO charges (job_id, guild_id, user_id, channel_id, ms) "
        "SELECT id, guild_id, user_id, channel_id, 0 FROM jobs WHERE state IN ('queued', 'running')"
    )
