"""Jobs and intakes as rows and back; unknown keys in stored JSON are those of a newer version and ignored."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Executable, Row

from bot.domain.errors import Failure
from bot.domain.job import Address, Intake, InteractionToken, Job, JobSpec, NewJob, Result, State

T = TypeVar("T")

_SPEC = TypeAdapter(JobSpec)
_RESULT = TypeAdapter(Result)
_FAILURE = TypeAdapter(Failure)


def result_row(result: Result) -> dict[str, Any]:
    """Return the parameters of a statement that stores a result, with what of it can be counted."""
    return {
        "new_result": _RESULT.dump_json(result).decode(),
        "new_pictures": len(result.pictures),
        "new_model": result.model,
    }


def failure_json(failure: Failure) -> str:
    """Return a failure as it is stored."""
    return _FAILURE.dump_json(failure).decode()


def job_row(new: NewJob, *, cost: int, tag: int, rank: int, now: float) -> dict[str, Any]:
    """Return the row of a job that is queued ``now``."""
    token = new.token
    return {
        "key": new.key,
        "lane": new.lane,
        "guild_id": new.guild,
        "user_id": new.user,
        "state": State.QUEUED.value,
        "spec": _SPEC.dump_json(new.spec).decode(),
        "model": None if new.spec.work else new.spec.request.model,
        "prompt": new.spec.request.prompt.replace("\0", ""),  # which no text of PostgreSQL holds
        "token": token.value if token else None,
        "token_expires_at": token.expires_at if token else None,
        "cost": cost,
        "tag": tag,
        "rank": rank,
        "attempt": 0,
        "crashes": 0,
        "created_at": now,
        "queued_at": now,
        **address_row(new.address),
    }


def address_row(address: Address) -> dict[str, Any]:
    """Return the columns that say where a job's message lives."""
    return {
        "channel_id": address.channel_id,
        "message_id": address.message_id,
        "place_guild_id": address.guild_id,
        "reply_to": address.reply_to,
        "ephemeral": address.ephemeral,
        "reachable": address.reachable,
    }


def read_job(row: Row[*tuple[Any, ...]], now: float) -> Job:
    """Return the job of a whole row; a token that has expired by ``now`` is not shown any more."""
    token = None
    if row.token is not None and row.token_expires_at > now:
        token = InteractionToken(row.token, row.token_expires_at)
    return Job(
        id=row.id,
        key=row.key,
        lane=row.lane,
        guild=row.guild_id,
        user=row.user_id,
        state=State(row.state),
        spec=_read(_SPEC, row.spec),
        address=_read_address(row),
        token=token,
        cost=row.cost,
        tag=row.tag,
        attempt=row.attempt,
        crashes=row.crashes,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        told_at=row.told_at,
        pinged_at=row.pinged_at,
        result=None if row.result is None else _read(_RESULT, row.result),
        failure=None if row.failure is None else _read(_FAILURE, row.failure),
        cancelled_by=row.cancelled_by,
        backend=row.backend,
        task=row.task,
        speaker=row.speaker_id,
    )


def _read(adapter: TypeAdapter[T], text: str) -> T:
    """Read stored JSON; raises ``ValueError`` with nothing of it, for pydantic's own error would show prompts."""
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        where = [".".join(map(str, each["loc"])) for each in error.errors(include_input=False)]
        raise ValueError(f"stored data cannot be read at {', '.join(where)}") from None


def fetch_job(tx: Connection, statement: Executable, of: Mapping[str, object], now: float) -> Job | None:
    """Return the one job that ``statement`` gives as a whole row, as of ``now``."""
    row = tx.execute(statement, dict(of)).one_or_none()
    return None if row is None else read_job(row, now)


def _read_address(row: Row[*tuple[Any, ...]]) -> Address:
    return Address(
        channel_id=row.channel_id,
        message_id=row.message_id,
        guild_id=row.place_guild_id,
        reply_to=row.reply_to,
        ephemeral=row.ephemeral,
        reachable=row.reachable,
    )


def intake_row(intake: Intake, now: float) -> dict[str, Any]:
    """Return the row of an interaction that was seen ``now``."""
    return {
        "interaction_id": intake.interaction_id,
        "application_id": intake.application_id,
        "token": intake.token.value,
        "token_expires_at": intake.token.expires_at,
        "reply_locale": intake.reply_locale,
        "noted_at": now,
    }


def read_intake(row: Row[*tuple[Any, ...]]) -> Intake:
    """Return the intake of a row."""
    return Intake(
        interaction_id=row.interaction_id,
        application_id=row.application_id,
        token=InteractionToken(row.token, row.token_expires_at),
        reply_locale=row.reply_locale,
    )
