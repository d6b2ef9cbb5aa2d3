"""How much was painted lately: a chart, and its numbers in words."""

from datetime import UTC, datetime, timedelta

import discord

from bot.domain.gallery import Tally
from bot.domain.text import N_
from bot.i18n import say, say_many
from bot.imaging.charts import Bars
from bot.ui.card import Attachment, Card
from bot.ui.failures import GREY
from bot.ui.words import ALT_TEXT, about, cut, escaped, model_name

_WEEK = 7


def bars(tally: Tally, first_day: float) -> Bars:
    """Return what the chart shows: a bar for each day from unix time ``first_day`` on, named once a week."""
    first = datetime.fromtimestamp(first_day, UTC)
    count = len(tally.days)
    days = [first + timedelta(days=i) for i in range(count)]
    labels = [f"{day:%m-%d}" if (count - 1 - i) % _WEEK == 0 else "" for i, day in enumerate(days)]
    return Bars(tally.days, tuple(labels))


def alt_text(tally: Tally, first_day: float, locale: str) -> str:
    """Return the chart's numbers for a screen reader."""
    first = datetime.fromtimestamp(first_day, UTC)
    numbers = ", ".join(map(str, tally.days))
    text = say(N_("Pictures per day from {day} on: {numbers}"), locale, day=f"{first:%Y-%m-%d}", numbers=numbers)
    return cut(text, ALT_TEXT)


def nothing(locale: str) -> Card:
    """Return the answer where nothing was painted."""
    words = say(N_("No picture was painted in the last 30 days."), locale)
    return Card(embed=discord.Embed(title=say(N_("The last 30 days"), locale), description=words, colour=GREY))


def card(tally: Tally, chart: Attachment, locale: str, *, person: bool) -> Card:
    """Return the numbers with their chart; a person's own need no count of people."""
    facts = [
        say_many(N_("{count} picture"), N_("{count} pictures"), tally.pictures, locale),
        None if person else say_many(N_("{count} person"), N_("{count} people"), tally.people, locale),
    ]
    lines = [f"**{' · '.join(fact for fact in facts if fact)}**"]
    if tally.wait_s is not None and tally.paint_s is not None:
        wait, paint = (about(seconds, locale) for seconds in (tally.wait_s, tally.paint_s))
        lines.append(
            say(
                N_("Half of them waited less than {wait} and took less than {paint}."),
                locale,
                wait=wait,
                paint=paint,
            )
        )
    if tally.models:
        lines += ["", say(N_("Most used models:"), locale)]
        lines += [f"{i}. {escaped(model_name(name))} · {count}" for i, (name, count) in enumerate(tally.models, 1)]
    embed = discord.Embed(title=say(N_("The last 30 days"), locale), description="\n".join(lines))
    embed.set_image(url=chart.uri)
    return Card(embed=embed, files=(chart,))
