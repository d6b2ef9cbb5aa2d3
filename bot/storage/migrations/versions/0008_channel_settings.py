"""Settings of channels: which server a channel belongs to, so that they go with it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column, empty for servers and persons, and find rows by it."""
    op.add_column("settings", sa.Column("guild_id", sa.BigInteger))
    op.create_index("settings_guild", "settings", ["guild_id"])
