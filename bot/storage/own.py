"""What is kept of one person, read for that person: how much it is, and all of it as JSON."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, select

from bot.domain.codes import code
from bot.domain.job import State
from bot.domain.privacy import Kept
from bot.storage.database import Database
from bot.storage.forgetting import PERSON
from bot.storage.tables import blocks, favourites, jobs, reviews, settings, snippets, strikes, usage

_UNFINISHED = (State.QUEUED.value, State.RUNNING.value, State.PAINTED.value)
_COLUMNS = (
    *(jobs.c[name] for name in ("id", "state", "spec", "result", "failure", "channel_id", "message_id")),
    *(jobs.c[name] for name in ("place_guild_id", "ephemeral", "created_at", "started_at", "ended_at", "backend")),
)
_Row = Row[*tuple[Any, ...]]


class StoredOwn:
    """Reads what is a person's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, user_id: int) -> Kept:
        """Return how much there is."""
        mine = jobs.c.user_id == user_id
        of_jobs = select(func.count(), func.coalesce(func.sum(jobs.c.pictures), 0), func.min(jobs.c.created_at))
        unfinished = select(func.count()).select_from(jobs).where(mine, jobs.c.state.in_(_UNFINISHED))
        marked = select(func.count()).select_from(favourites).where(favourites.c.user_id == user_id)
        declined = select(func.count()).select_from(strikes).where(strikes.c.user_id == user_id)
        blocked = select(func.count()).select_from(blocks).where(blocks.c.user_id == user_id)
        own = select(func.count()).select_from(snippets).where(snippets.c.scope == PERSON)

        def work(tx: Connection) -> Kept:
            count, pictures, oldest = tx.execute(of_jobs.where(mine)).one()
            return Kept(
                jobs=count,
                unfinished=tx.scalar(unfinished) or 0,
                pictures=pictures,
                oldest=oldest,
                favourites=tx.scalar(marked) or 0,
                snippets=tx.scalar(own.where(snippets.c.owner == user_id)) or 0,
                for_servers=len(tx.execute(_made_for_servers(user_id)).all()),
                settings=len(_settings(tx, user_id)),
                strikes=tx.scalar(declined) or 0,
                blocks=tx.scalar(blocked) or 0,
            )

        return await self._database.read(work)

    async def export(self, user_id: int) -> bytes:
        """Return all of it as one JSON object in UTF-8: ids are text, times unix seconds."""

        def work(tx: Connection) -> bytes:
            parts = {
                "user_id": [json.dumps(str(user_id))],
                "settings": [_dumped(_settings(tx, user_id))],
                "favourites": _listed(_favourites(tx, user_id)),
                "kept": _listed(_snippets(tx, user_id)),
                "made_for_servers": _listed(_made(tx, user_id)),
                "used": _listed(_used(tx, user_id)),
                "strikes": _listed(_strikes(tx, user_id)),
                "blocks": _listed(_blocks(tx, user_id)),
                "reviews": _listed(_reviews(tx, user_id)),
                "jobs": _listed(_jobs(tx, user_id)),
            }
            # Line by line: the encoder holds the interpreter for as long as one of its calls takes.
            return (
                "{" + ",\n".join(f'"{name}": {"".join(each)}' for name, each in parts.items()) + "}\n"
            ).encode()

        return await self._database.read(work)


def _listed(things: Iterator[dict[str, Any]]) -> list[str]:
    return ["[", ",\n".join(map(_dumped, things)), "]"]


def _dumped(thing: Any) -> str:
    return json.dumps(thing, ensure_ascii=False)


def _settings(tx: Connection, user_id: int) -> dict[str, Any]:
    own = select(settings.c["values"]).where(settings.c.scope == PERSON, settings.c.owner == user_id)
    loaded: dict[str, Any] = json.loads(tx.scalar(own) or "{}")
    return loaded


def _favourites(tx: Connection, user_id: int) -> Iterator[dict[str, Any]]:
    for row in tx.execute(select(favourites).where(favourites.c.user_id == user_id)):
        yield {"code": code(row.job_id), "made_at": row.made_at}


def _snippets(tx: Connection, user_id: int) -> Iterator[dict[str, Any]]:
    own = select(snippets).where(snippets.c.scope == PERSON, snippets.c.owner == user_id)
    for row in tx.execute(own):
        yield {"kind": row.kind, "name": row.name, "body": json.loads(row.body), "made_at": row.made_at}


def _made_for_servers(user_id: int) -> Any:
    return select(snippets).where(snippets.c.scope != PERSON, snippets.c.made_by == user_id)


def _made(tx: Connection, user_id: int) -> Iterator[dict[str, Any]]:
    for row in tx.execute(_made_for_servers(user_id)):
        yield {"server_id": str(row.owner), "kind": row.kind, "name": row.name, "made_at": row.made_at}


def _used(tx: Connection, user_id: int) -> Iterator[dict[str, Any]]:
    """Return how long was painted for them, by the day (UTC, since 1970)."""
    for row in tx.execute(select(usage).where(usage.c.user_id == user_id)):
        places = {"server_id": str(row.guild_id), "channel_id": str(row.channel_id)}
        yield {**places, "day": row.day, "seconds": row.ms / 1000}


def _strikes(tx: Connection, user_id: int) -> Iterator[dict[str, Any]]:
    for row in tx.execute(select(strikes).where(strikes.c.user_id == user_id).order_by(strikes.c.at)):
        yield {"server_id": str(row.guild_id), "code": code(row.job_id), "at": row.at}


def _reviews(tx: Connection, user_id: int) -> Iterator[dict[str, Any]]:
    theirs = select(reviews).join(jobs, jobs.c.id == reviews.c.job_id).where(jobs.c.user_id == user_id)
    for row in tx.execute(theirs.order_by(reviews.c.job_id)):
        found = {name: getattr(row, name) for name in ("state", "reason", "label", "score", "at")}
        yield {"server_id": str(row.guild_id), "code": code(row.job_id), **found}


def _blocks(tx: Connection, user_id: int) -> Iterator[dict[str, Any]]:
    for row in tx.execute(select(blocks).where(blocks.c.user_id == user_id)):
        yield {"server_id": str(row.guild_id), "until": row.until}


def _jobs(tx: Connection, user_id: int) -> Iterator[dict[str, Any]]:
    for row in tx.execute(select(*_COLUMNS).where(jobs.c.user_id == user_id).order_by(jobs.c.id)):
        yield _job(row)


def _job(row: _Row) -> dict[str, Any]:
    places = {"server_id": row.place_guild_id, "channel_id": row.channel_id, "message_id": row.message_id}
    times = {name: getattr(row, name) for name in ("created_at", "started_at", "ended_at")}
    stored = {"order": row.spec, "result": row.result, "failure": row.failure}
    return {
        "code": code(row.id),
        "state": row.state,
        **{name: None if place is None else str(place) for name, place in places.items()},
        "private": bool(row.ephemeral),
        **times,
        "backend": row.backend,
        **{name: None if text is None else json.loads(text) for name, text in stored.items()},
    }
