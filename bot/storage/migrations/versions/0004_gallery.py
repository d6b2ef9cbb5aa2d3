"""How many pictures a job came to and by which model, and an index by which a server's are counted."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_jobs = sa.table(
    "jobs",
    sa.column("id", sa.Integer),
    sa.column("result", sa.Text),
    sa.column("pictures", sa.Integer),
    sa.column("painted_with", sa.String),
)


def upgrade() -> None:
    """Add both columns, copied out of the results there are."""
    op.add_column("jobs", sa.Column("pictures", sa.Integer, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("painted_with", sa.String))
    tx = op.get_bind()
    painted = sa.select(_jobs.c.id, _jobs.c.result).where(_jobs.c.result.is_not(None))
    counted = [
        {"of_id": job_id, "count": len(result["pictures"]), "model": result.get("model")}
        for job_id, text in tx.execute(painted)
        if (result := json.loads(text))
    ]
    if counted:
        write = _jobs.update().where(_jobs.c.id == sa.bindparam("of_id"))
        tx.execute(write.values(pictures=sa.bindparam("count"), painted_with=sa.bindparam("model")), counted)
    op.create_index(
        "jobs_delivered",
        "jobs",
        ["guild_id", "ended_at", "user_id", "pictures", "painted_with", "created_at", "started_at", "state"],
        sqlite_where=sa.text("state = 'delivered'"),
        postgresql_where=sa.text("state = 'delivered'"),
    )
