"""Where adult pictures may be, as options and as private answers."""

from collections.abc import Sequence

import discord

from bot.domain.adult import Adult
from bot.domain.capability import Listing
from bot.domain.text import N_
from bot.i18n import say
from bot.ui.options import Option
from bot.ui.words import cut, escaped, one_line

_PLACES = {Adult.OFF: N_("nowhere"), Adult.RESTRICTED: N_("in age-restricted channels")}
_DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
_NAME = 100

WHERE = Option(
    "where", str, N_("Where they may be"), choices=tuple((words, place.value) for place, words in _PLACES.items())
)
PATTERN = Option(
    "name",
    str,
    N_("A model or LoRA, or a pattern in which * stands for other letters"),
    "",
    lambda _: (1, _NAME),
    listing=Listing.EVERY_MODEL,
)


def shown(
    server: tuple[Adult, Sequence[str]] | None, marked: Sequence[str], locale: str, *, here: bool
) -> discord.Embed:
    """Return where adult pictures may be: ``server`` is where it allows them, and what it marked itself.

    ``marked`` are all patterns to tell of, the host's too; ``here``: they may be asked for in this place.
    """
    lines = [say(N_("They may be asked for here.") if here else N_("They may not be asked for here."), locale)]
    if server is not None:
        where, _ = server
        lines.append(say(N_("This server allows them {where}."), locale, where=say(_PLACES[where], locale)))
        if where is Adult.OFF:
            lines.append(say(N_("Those with Manage Server can change that: /adult set"), locale))
    if marked:
        names = ", ".join(escaped(one_line(name)) for name in dict.fromkeys(marked))
        lines.append(say(N_("Models and LoRAs that paint them: {names}"), locale, names=names))
    lines.append(say(N_("Words that ask for them: a list of mine, and those of /words adult"), locale))
    return discord.Embed(title=say(N_("Adult pictures"), locale), description=cut("\n".join(lines), _DESCRIPTION))
