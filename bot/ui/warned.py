"""What is asked before something goes into the line that looks wrong, though it may be on purpose."""

from collections.abc import Iterable

import discord

from bot.domain.text import N_, Text
from bot.i18n import say
from bot.ui.buttons import ELSEWHERE
from bot.ui.card import Card
from bot.ui.failures import YELLOW
from bot.ui.words import cut, escaped

PREFIX = f"{ELSEWHERE}warned:"
ANYWAY, MEND, FORM = f"{PREFIX}anyway:", f"{PREFIX}mend:", f"{PREFIX}form:"
_SHOWN = 10


def question(warnings: Iterable[Text], key: int, locale: str, *, cost: str = "", can_mend: bool = True) -> Card:
    """Return what looks wrong, each thing once, with a button to paint it anyway and one to mend it.

    ``cost`` says what it would cost, in few words.
    """
    lines = list(dict.fromkeys(f"• {_escaped(warning, locale)}" for warning in warnings))[:_SHOWN]
    embed = discord.Embed(
        colour=YELLOW, title=say(N_("Is that meant so?"), locale), description=cut("\n".join(lines), 4096)
    )
    embed.set_footer(text=cost or None)
    view = discord.ui.View(timeout=None)
    for prefix, label in ((ANYWAY, N_("Paint anyway")), (MEND, N_("Edit")))[: 1 + can_mend]:
        style = discord.ButtonStyle.secondary
        view.add_item(discord.ui.Button(style=style, label=say(label, locale), custom_id=f"{prefix}{key}"))
    view.stop()
    return Card(embed=embed, view=view)


def _escaped(warning: Text, locale: str) -> str:
    values = {name: escaped(value) if isinstance(value, str) else value for name, value in warning.values.items()}
    return say(warning.message, locale, **values)
