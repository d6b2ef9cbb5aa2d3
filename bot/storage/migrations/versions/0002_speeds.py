"""Paces by backend and model instead of one for a whole lane."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of paces; what lanes had learnt is learnt anew."""
    op.create_table(
        "speeds",
        sa.Column("backend", sa.String, primary_key=True),
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("pace", sa.Float, nullable=False),
    )
    op.drop_column("lanes", "pace")
    op.drop_column("lanes", "standard_pace")
