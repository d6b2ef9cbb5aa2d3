"""Prompts to search by, further messages of a job, favourites, and what people keep by name."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_jobs = sa.table("jobs", sa.column("id", sa.Integer), sa.column("spec", sa.Text), sa.column("prompt", sa.Text))


def upgrade() -> None:
    """Make the tables and copy every job's prompt out of its spec."""
    op.add_column("jobs", sa.Column("prompt", sa.Text, nullable=False, server_default=""))
    op.create_index("jobs_owner", "jobs", ["user_id", "id"])
    op.create_table(
        "showings",
        sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_index("showings_job", "showings", ["job_id"])
    op.create_table(
        "favourites",
        sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("job_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("made_at", sa.Float, nullable=False),
    )
    op.create_table(
        "snippets",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("scope", sa.String, primary_key=True),
        sa.Column("owner", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("made_by", sa.BigInteger, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
    )
    tx = op.get_bind()
    copied = [
        {"of_id": job_id, "new_prompt": json.loads(spec)["request"]["prompt"]}
        for job_id, spec in tx.execute(sa.select(_jobs.c.id, _jobs.c.spec))
    ]
    if copied:
        write = _jobs.update().where(_jobs.c.id == sa.bindparam("of_id"))
        tx.execute(write.values(prompt=sa.bindparam("new_prompt")), copied)
