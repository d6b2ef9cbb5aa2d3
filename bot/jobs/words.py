"""The failures that the queue itself gives a job, and its refusals."""

from bot.domain.errors import BusyError, Failure
from bot.domain.limits import Limits
from bot.domain.text import N_


def crashed(crashes: int) -> Failure:
    """Return the failure of a job during which the bot died ``crashes`` times."""
    return Failure(
        N_("The bot broke off {crashes} times while it painted this."),
        N_("Try a smaller size or fewer steps."),
        {"crashes": crashes},
    )


def overdue(waited_s: float) -> Failure:
    """Return the failure of a job that waited as long as a job may."""
    return Failure(
        N_("Nothing was free to paint this within {hours} hours."),
        N_("Try again later, or ask the host of this bot what is wrong."),
        {"hours": round(waited_s / 3600)},
    )


def ours(code: str) -> Failure:
    """Return the failure of a job that met a fault of our own, which the log has under ``code``."""
    return Failure(
        N_("Something went wrong inside the bot."),
        N_("Try again; if it happens again, tell the host of this bot the code {code}."),
        {"code": code},
        code,
    )


def over_caps(users: list[int], user: int, limits: Limits) -> bool:
    """Return whether one more job by ``user`` is too many beside those that ``users`` have queued."""
    return users.count(user) >= limits.max_queued_user or len(users) >= limits.max_queued_guild


def busy(users: list[int], user: int, limits: Limits, retry_after_s: float) -> BusyError:
    """Return the refusal of one job too many."""
    mine = users.count(user)
    if mine >= limits.max_queued_user:
        return BusyError(
            N_("You have {count} jobs in line, and more than {max} are not allowed here."),
            N_("Wait until one is done, or cancel one: /queue shows them."),
            retry_after_s=retry_after_s,
            count=mine,
            max=limits.max_queued_user,
        )
    return BusyError(
        N_("The line is full: {count} jobs wait here, and more than {max} are not allowed."),
        N_("Try again when some are done; /queue shows them."),
        retry_after_s=retry_after_s,
        count=len(users),
        max=limits.max_queued_guild,
    )


def check_room(users: list[int], user: int, limits: Limits, count: int) -> None:
    """Raise ``BusyError`` unless ``count`` more jobs by ``user`` fit beside those that ``users`` have queued."""
    if over_caps(users, user, limits):
        raise busy(users, user, limits, 0.0)
    free = min(limits.max_queued_user - users.count(user), limits.max_queued_guild - len(users))
    if count > free:
        raise BusyError(
            N_("That would be {count} pictures, and there is room for {free} in line."),
            N_("Choose fewer values, or wait until the line is shorter: /queue shows it."),
            count=count,
            free=free,
        )
