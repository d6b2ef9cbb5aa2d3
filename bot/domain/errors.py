"""Every error whose words are for the person who asked; anything else is our bug.

BotError
├── RequestError    they can fix it: PromptError · LimitError · BusyError
├── DeniedError     a rule of this server says no; the hint says who can change it
├── GoneError       what this button belongs to is no longer kept
├── TakenError      another process has the name, or the shards, already
├── AwayError       what keeps things for the bot cannot be reached just now
└── BackendError    UnreachableError (LostError, UntrustedError, OrphanedError) · BackendTimeoutError · AuthError
                    · NotEnabledError · RejectedError · OutOfMemoryError · ProtocolError
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.text import Text, Value


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ended without a picture, as stored with it.

    ``message`` and ``hint`` are marked texts, ``values`` fill both; ``code`` is set only for our own bugs
    and stands in the log beside the traceback. ``smaller_may_help``: the same at a smaller size may succeed.
    ``withheld``: it was painted, and nobody is to see it.
    """

    message: str
    hint: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    code: str | None = None
    smaller_may_help: bool = False
    withheld: bool = False


class BotError(Exception):
    """Words for the asker: what happened (``message``) and what to do next (``hint``).

    ``about`` is a marked name of what it happened to, where there are several of the kind.
    """

    smaller_may_help = False
    about = ""

    def __init__(self, message: str, hint: str = "", **values: Value) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.values: dict[str, Value] = values

    def __str__(self) -> str:
        """Give the English words, for logs and terminals."""
        return " ".join(part.format(**self.values) for part in (self.message, self.hint) if part)

    def texts(self) -> tuple[Text, Text]:
        """Return the message and the hint, ready to be rendered in any language."""
        return Text(self.message, self.values), Text(self.hint, self.values)

    def failure(self) -> Failure:
        """Return what is stored with a job that ends by this error."""
        return Failure(self.message, self.hint, dict(self.values), smaller_may_help=self.smaller_may_help)


class RequestError(BotError):
    """The asker can mend it."""


class PromptError(RequestError):
    """The prompt itself is wrong."""


class LimitError(RequestError):
    """A number or a size is outside what this place allows."""


class BusyError(RequestError):
    """Too many of one's jobs wait already; ``retry_after_s`` is a guess in seconds."""

    def __init__(self, message: str, hint: str = "", *, retry_after_s: float = 0.0, **values: Value) -> None:
        super().__init__(message, hint, **values)
        self.retry_after_s = retry_after_s


class DeniedError(BotError):
    """A rule of this server says no."""


class GoneError(BotError):
    """What the button, the link or the number belongs to is no longer kept."""


class AwayError(BotError):
    """What keeps things for the bot cannot be reached just now: the same may succeed later, unchanged."""


class TakenError(BotError):
    """Another process has what only one may have; ``seen_at`` is when it last said that it lives."""

    def __init__(self, message: str, hint: str = "", *, seen_at: float, **values: Value) -> None:
        super().__init__(message, hint, **values)
        self.seen_at = seen_at


class BackendError(BotError):
    """The server that paints did not do its part; ``retryable``: another try may succeed unchanged."""

    retryable = False


class UnreachableError(BackendError):
    """No connection, or it broke; the job keeps its place and waits."""

    retryable = True


class UntrustedError(UnreachableError):
    """Its certificate is not among those that are trusted."""


class OrphanedError(UnreachableError):
    """The process that it belongs to is gone."""


class BackendTimeoutError(BackendError):
    """It accepted the work and then stood still."""


class LostError(UnreachableError):
    """The connection broke when the server may already have been at work: it may have died of this very job."""


class AuthError(BackendError):
    """It wants other credentials (401, 403)."""

    retryable = True


class NotEnabledError(BackendError):
    """It answers, but its API does not (404): to be started with ``--api``."""

    retryable = True


class RejectedError(BackendError):
    """It refused this very request and said why."""


class OutOfMemoryError(BackendError):
    """The request does not fit its graphics memory: a smaller one may."""

    smaller_may_help = True


class ProtocolError(BackendError):
    """Its answer is not what its API promises."""
