"""Adult pictures: which places may have them."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.asker import Asker
from bot.domain.errors import DeniedError
from bot.domain.limits import Limits
from bot.domain.text import N_


class Adult(StrEnum):
    """Where a server lets adult pictures be painted: nowhere, or in its age-restricted channels."""

    OFF = "off"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class House:
    """What a host lets happen where no server has a say: adult pictures, and orders of guests.

    ``adult_models`` are patterns of models and LoRAs that paint adult pictures. ``guests`` are the limits where
    only a person brought the bot.
    """

    adult_models: tuple[str, ...] = ()
    adult_dms: bool = False
    guests: Limits = field(default_factory=Limits)

    def allows_adult(self, asker: Asker, server: Adult) -> bool:
        """Return whether adult pictures may be asked for and shown where ``asker`` is.

        Discord's age-restricted flag decides, and in a server its own setting too.
        """
        if asker.guild_id is not None:
            return asker.restricted and server is Adult.RESTRICTED
        return asker.restricted if asker.guest else self.adult_dms


def misplaced() -> DeniedError:
    """Return what is said where a picture that may be adult is asked for outside its places."""
    return DeniedError(
        N_("That picture is for age-restricted channels."),
        N_("Ask for it in one that allows adult pictures: /adult show"),
    )


def forbidden() -> DeniedError:
    """Return what is said everywhere of adult words beside words for children."""
    return DeniedError(N_("This will not be painted anywhere."), N_("Ask for something else."))
