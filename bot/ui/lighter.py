"""What is offered instead of an order that costs too much."""

from collections.abc import Sequence

import discord

from bot.domain.request import PaintRequest, UpscaleRequest
from bot.domain.text import N_
from bot.i18n import say
from bot.services.allowing import CapError, cost_of
from bot.services.drafts import Draft
from bot.ui.buttons import ELSEWHERE
from bot.ui.card import Card
from bot.ui.failures import explain
from bot.ui.words import number, order_facts

INSTEAD = f"{ELSEWHERE}lighter:"
_LEAST = 0.01


def price(drafts: Sequence[Draft], locale: str) -> str:
    """Say what an order costs, in few words."""
    cost = cost_of(drafts)
    if cost < _LEAST:
        return say(N_("Cost: under {cost} standard pictures"), locale, cost=_LEAST)
    return say(N_("Cost: {cost} standard pictures"), locale, cost=number(cost))


def offer(error: CapError, key: int, locale: str) -> Card:
    """Return why not, and the nearest order that may be with a button that paints it, if there is one."""
    embed = explain(error, locale)
    if not error.lighter:
        return Card(embed=embed)
    embed.add_field(name=say(N_("This may be"), locale), value=_facts(error.lighter, locale))
    embed.set_footer(text=price(error.lighter, locale))
    view = discord.ui.View(timeout=None)
    label, style = say(N_("Paint that instead"), locale), discord.ButtonStyle.primary
    view.add_item(discord.ui.Button(style=style, label=label, custom_id=f"{INSTEAD}{key}"))
    view.stop()
    return Card(embed=embed, view=view)


def _facts(drafts: Sequence[Draft], locale: str) -> str:
    order, sheet = drafts[0].spec.order, drafts[0].spec.sheet
    if sheet is not None:
        grid = {"columns": len(sheet.columns), "rows": len(sheet.rows)}
        return say(N_("a grid of {columns} × {rows} pictures"), locale, **grid)
    if isinstance(order, UpscaleRequest):
        return say(N_("{scale} times as wide and high"), locale, scale=number(order.scale))
    if not isinstance(order, PaintRequest):
        raise TypeError(type(order))
    facts = order_facts(order, locale)
    return facts if order.hires is None else f"{facts} · hires {number(order.hires.scale)}"
