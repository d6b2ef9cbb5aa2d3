"""The tables, as SQLAlchemy Core sees them; migrations bring a database to this shape.

Times are unix seconds, tags, costs and clocks ticks; JSON is text, because only its reader knows its type.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

Count = BigInteger().with_variant(Integer, "sqlite")
"""A key that counts up by itself: SQLite does that for its own INTEGER only."""
Key = String().with_variant(String(collation="C"), "postgresql")
"""Text that compares by code point, so that a prefix is a range of the index."""

metadata = MetaData()


def _known(column: Column[Any], name: str) -> None:
    """Index the rows that have the column at all."""
    known = column.is_not(None)
    Index(name, column, sqlite_where=known, postgresql_where=known)


jobs = Table(
    "jobs",
    metadata,
    Column("id", Count, primary_key=True),
    Column("key", Key, nullable=False, unique=True),
    Column("lane", String, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("spec", Text, nullable=False),
    Column("model", String),
    Column("prompt", Text, nullable=False, server_default=""),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger),
    Column("place_guild_id", BigInteger),
    Column("reply_to", BigInteger),
    Column("ephemeral", Boolean, nullable=False),
    Column("reachable", Boolean, nullable=False),
    Column("token", String),
    Column("token_expires_at", Float),
    Column("cost", BigInteger, nullable=False),
    Column("tag", BigInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("queued_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("told_at", Float),
    Column("pinged_at", Float),
    Column("result", Text),
    Column("failure", Text),
    Column("cancelled_by", BigInteger),
    Column("backend", String),
    Column("task", String),
    Column("pictures", Integer, nullable=False, server_default="0"),
    Column("painted_with", String),
    Column("node_id", BigInteger, nullable=False, server_default="0"),
    Column("speaker_id", BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
"""``node_id`` is the process that ran it last, ``speaker_id`` the one that may speak in its message.

``tag`` and ``rank`` are those it was queued with, then those it was taken with: where it stands is in ``waiting``.
"""
Index("jobs_flow", jobs.c.guild_id, jobs.c.state)
Index("jobs_owner", jobs.c.user_id, jobs.c.id)
_known(jobs.c.message_id, "jobs_message")
Index("jobs_state", jobs.c.state, jobs.c.told_at)
_known(jobs.c.token_expires_at, "jobs_token")
_DELIVERED = text("state = 'delivered'")
Index(
    "jobs_delivered",
    jobs.c.guild_id,
    jobs.c.ended_at,
    jobs.c.user_id,
    jobs.c.pictures,
    jobs.c.painted_with,
    jobs.c.created_at,
    jobs.c.started_at,
    jobs.c.state,
    sqlite_where=_DELIVERED,
    postgresql_where=_DELIVERED,
)
_CANCELLED_BY_SOMEBODY = text("cancelled_by IS NOT NULL")
Index(
    "jobs_cancelled",
    jobs.c.cancelled_by,
    sqlite_where=_CANCELLED_BY_SOMEBODY,
    postgresql_where=_CANCELLED_BY_SOMEBODY,
)

waiting = Table(
    "waiting",
    metadata,
    Column("job_id", Count, primary_key=True, autoincrement=False),
    Column("lane", String, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("model", String),
    Column("cost", BigInteger, nullable=False),
    Column("tag", BigInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),
)
"""The queued jobs, by triggers of ``jobs``: narrow, for every order moves the tags of its guild's later jobs."""
Index("waiting_service", waiting.c.lane, waiting.c.tag, waiting.c.rank, waiting.c.job_id, waiting.c.cost)
Index("waiting_guild", waiting.c.guild_id)

lanes = Table(
    "lanes",
    metadata,
    Column("lane", String, primary_key=True),
    Column("clock", BigInteger, nullable=False),
)

flows = Table(
    "flows",
    metadata,
    Column("lane", String, primary_key=True),
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False),
    Column("uv", BigInteger, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("users", Text, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("model", String, primary_key=True),
    Column("permille", Integer, nullable=False),
)

speeds = Table(
    "speeds",
    metadata,
    Column("backend", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("pace", Float, nullable=False),
)

intakes = Table(
    "intakes",
    metadata,
    Column("interaction_id", BigInteger, primary_key=True, autoincrement=False),
    Column("application_id", BigInteger, nullable=False),
    Column("token", String, nullable=False),
    Column("token_expires_at", Float, nullable=False),
    Column("reply_locale", String, nullable=False),
    Column("noted_at", Float, nullable=False),
    Column("node_id", BigInteger, nullable=False, server_default="0"),
)

settings = Table(
    "settings",
    metadata,
    Column("scope", String, primary_key=True),
    Column("owner", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger),
    Column("values", Text, nullable=False),
)
"""``guild_id`` is the server that a channel belongs to."""
Index("settings_guild", settings.c.guild_id)

showings = Table(
    "showings",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("job_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
)
"""Further messages that show a job's picture ``number`` (0: all of it), beside the job's own."""
Index("showings_job", showings.c.job_id)

favourites = Table(
    "favourites",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    Column("made_at", Float, nullable=False),
)
Index("favourites_job", favourites.c.job_id)

snippets = Table(
    "snippets",
    metadata,
    Column("kind", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("owner", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("made_by", BigInteger, nullable=False),
    Column("made_at", Float, nullable=False),
)
"""What servers and persons keep by name: presets, styles, wildcard lists, cards of models."""

counts = Table(
    "counts",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("model", String, primary_key=True),
    Column("pictures", Integer, nullable=False),
)
"""What a server's deleted jobs came to, by the day (UTC, since 1970) and the model; no persons."""

doomed = Table("doomed", metadata, Column("blob", String, primary_key=True))
"""Files whose jobs were deleted, until those that nobody else uses are deleted too."""

departures = Table(
    "departures",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("left_at", Float, nullable=False),
)
"""Servers that the bot is no longer in."""

quotas = Table(
    "quotas",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", String, primary_key=True),
    Column("about", BigInteger, primary_key=True, autoincrement=False),
    Column("period", String, primary_key=True),
    Column("seconds", BigInteger, nullable=False),
)
"""What servers set; ``about`` is a role or a channel, else 0."""

charges = Table(
    "charges",
    metadata,
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("ms", BigInteger, nullable=False),
    Column("day", Integer),
)
"""What jobs take that are not delivered yet: an estimate, or with a ``day`` what was measured then."""
Index("charges_guild", charges.c.guild_id)
Index("charges_user", charges.c.user_id)

usage = Table(
    "usage",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ms", BigInteger, nullable=False),
)
"""What delivered jobs took, in milliseconds of painting, by the day (UTC, since 1970); it outlives the jobs."""
Index("usage_user", usage.c.user_id, usage.c.day, usage.c.guild_id, usage.c.ms)

reviews = Table(
    "reviews",
    metadata,
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger),
    Column("message_id", BigInteger),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("label", String, nullable=False),
    Column("score", Float, nullable=False),
    Column("at", Float, nullable=False),
    Column("by", BigInteger),
    Column("shown", String),
)
"""Results that moderators look at first, by their job or the first of their sheet, with the card they see."""
Index("reviews_guild", reviews.c.guild_id, reviews.c.state)

strikes = Table(
    "strikes",
    metadata,
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
)
"""Results that moderators declined, as long as they count."""
Index("strikes_member", strikes.c.guild_id, strikes.c.user_id, strikes.c.at)

blocks = Table(
    "blocks",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("until", Float, nullable=False),
)
"""Members whose orders a server does not take, until when."""

nodes = Table(
    "nodes",
    metadata,
    Column("id", Count, primary_key=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("shards", String),
    sqlite_autoincrement=True,
)
"""The processes that work with this database together, by the database's clock; none where there is one."""

blobs = Table(
    "blobs",
    metadata,
    Column("blob", String, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("put_at", Float, nullable=False),
)
"""Pictures' bytes by their hash, where no folder is shared by all processes."""
Index("blobs_age", blobs.c.put_at)

backends = Table(
    "backends",
    metadata,
    Column("name", String, primary_key=True),
    Column("node_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("capabilities", Text),
)
"""What the processes tell each other of their backends, as JSON."""

rate_leases = Table(
    "rate_leases",
    metadata,
    Column("node_id", BigInteger, primary_key=True, autoincrement=False),
    Column("rate", Float, nullable=False),
    Column("wanted", Float, nullable=False),
    Column("until", Float, nullable=False),
)
"""What each process holds of the requests a second that Discord lets the bot's token make."""
