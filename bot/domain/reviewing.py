"""Results that moderators look at before anybody else does, and what comes of it for their askers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MAX_STRIKES = 20
STRIKE_S = 30 * 86400.0
"""How long a strike counts, in seconds."""
BLOCK_S = 7 * 86400.0
"""How long a block lasts of which nobody says how long, in seconds."""


class Hold(StrEnum):
    """Whose results a server has looked at first: all, those of members without a role, only flagged ones."""

    ALL = "all"
    UNTRUSTED = "untrusted"
    FLAGGED = "flagged"


class Cause(StrEnum):
    """Why a result is held: what the server wants, what a classifier says, or that it could not say anything."""

    ALL = "all"
    UNTRUSTED = "untrusted"
    FLAGGED = "flagged"
    UNCHECKED = "unchecked"


class Verdict(StrEnum):
    """What became of a held result: ``WITHDRAWN`` by its asker or with its place, ``LAPSED`` with its time."""

    HELD = "held"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class ReviewRule:
    """What a server has held, and where it is looked at; ``strikes_to_block`` of 0 is never."""

    channel: int | None = None
    hold: Hold = Hold.ALL
    trusted_role: int | None = None
    strikes_to_block: int = 3

    def cause(self, *, trusted: bool) -> Cause | None:
        """Return why every result of a member is held; ``None`` where only flagged ones are."""
        if self.channel is None or self.hold is Hold.FLAGGED or (self.hold is Hold.UNTRUSTED and trusted):
            return None
        return Cause.ALL if self.hold is Hold.ALL else Cause.UNTRUSTED

    def values(self) -> dict[str, object]:
        """Return it as it is stored."""
        return {
            "channel": self.channel,
            "hold": self.hold.value,
            "trusted_role": self.trusted_role,
            "strikes_to_block": self.strikes_to_block,
        }

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "ReviewRule":
        """Return what was stored; whatever cannot be read is the usual."""
        usual = cls()
        hold, strikes = values.get("hold"), values.get("strikes_to_block")
        return cls(
            _id(values.get("channel")),
            Hold(str(hold)) if hold in set(Hold) else usual.hold,
            _id(values.get("trusted_role")),
            strikes if isinstance(strikes, int) else usual.strikes_to_block,
        )


def _id(value: object) -> int | None:
    return value if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a classifier thinks of a result: the label that counts the most, and how sure it is (0–1)."""

    flagged: bool
    label: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Review:
    """A held result: ``job_id`` is its job, or the first one of its sheet.

    ``channel_id`` and ``message_id`` are those of the card that moderators see; ``shown`` is what that card says
    by now. ``by`` decided ``at`` (unix seconds), or ``at`` is since when it is held.
    """

    job_id: int
    guild_id: int
    verdict: Verdict
    cause: Cause
    at: float
    by: int | None = None
    label: str = ""
    score: float = 0.0
    channel_id: int | None = None
    message_id: int | None = None
    shown: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Strike:
    """A result that moderators declined."""

    guild_id: int
    user_id: int
    job_id: int
    at: float
    by: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a declined result means for its asker, now: how many strikes count, and until when they are blocked."""

    strikes: int
    blocked_until: float | None = None
