"""What deleting needs: counts that outlive their jobs, files about to go, and servers that the bot left."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables, and the indexes by which what refers to a job or a person is found."""
    op.create_table(
        "counts",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("pictures", sa.Integer, nullable=False),
    )
    op.create_table("doomed", sa.Column("blob", sa.String, primary_key=True))
    op.create_table(
        "departures",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("left_at", sa.Float, nullable=False),
    )
    op.create_index("favourites_job", "favourites", ["job_id"])
    op.create_index(
        "jobs_cancelled",
        "jobs",
        ["cancelled_by"],
        sqlite_where=sa.text("cancelled_by IS NOT NULL"),
        postgresql_where=sa.text("cancelled_by IS NOT NULL"),
    )
