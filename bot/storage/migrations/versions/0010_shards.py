"""Which shards a process connects; empty for one without a gateway."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column; processes tell it when they start."""
    op.add_column("nodes", sa.Column("shards", sa.String))
