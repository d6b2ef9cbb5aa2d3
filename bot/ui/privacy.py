"""What is told of privacy: what is kept of a person, the question before deleting it, and what became of it."""

from collections.abc import Iterator

import discord

from bot.domain.privacy import Kept, Terms
from bot.domain.text import N_, NN_
from bot.i18n import say, say_many
from bot.ui.buttons import ELSEWHERE
from bot.ui.card import Attachment, Card
from bot.ui.failures import GREY, YELLOW

PREFIX = f"{ELSEWHERE}privacy:"
DELETE, KEEP = f"{PREFIX}delete", f"{PREFIX}keep"
_MESSAGES = N_(
    "Messages in Discord are not mine to keep: delete those with your pictures there, with Delete or ❌ while I "
    "still know them, else by asking a moderator."
)
_BLOCKED = N_("Only that a server has blocked you stays, with your id, until that ends.")

_COUNTED = (
    NN_("{count} favourite, until you unmark it", "{count} favourites, until you unmark them"),
    NN_(
        "{count} preset, style or list, until you delete it",
        "{count} presets, styles and lists, until you delete them",
    ),
    NN_(
        "that you made {count} preset, style, list or model card for a server",
        "that you made {count} presets, styles, lists or model cards for servers",
    ),
    NN_("{count} default of yours, until you reset it", "{count} defaults of yours, until you reset them"),
    NN_(
        "{count} picture of yours that moderators declined, for 30 days",
        "{count} pictures of yours that moderators declined, for 30 days",
    ),
    NN_(
        "that {count} server has blocked you, until that ends, whatever you delete",
        "that {count} servers have blocked you, until that ends, whatever you delete",
    ),
)


def kept(of: Kept, terms: Terms, policy: str, locale: str) -> Card:
    """Return what is kept of a person and for how long; ``policy`` is the address of the host's own words."""
    facts = list(_facts(of, terms, locale)) or [say(N_("Nothing."), locale)]
    lines = [
        *(f"• {fact}" for fact in facts),
        "",
        say(
            N_("Not kept: your name, your messages. Ids are, for they say whose a picture is and where it hangs."),
            locale,
        ),
        say(N_("Take it along: `/privacy export`. Have it deleted: `/privacy delete`."), locale),
    ]
    if policy:
        lines.append(f"[{say(N_('Privacy'), locale)}]({policy})")
    return Card(embed=discord.Embed(title=say(N_("What I keep of you"), locale), description="\n".join(lines)))


def question(of: Kept, locale: str) -> Card:
    """Return the question before all is deleted, with its two buttons."""
    words = [say(N_("Everything that has your id goes: it cannot be brought back."), locale)]
    if of.unfinished:
        words.append(
            say_many(
                N_("{count} job that is not done yet ends."),
                N_("{count} jobs that are not done yet end."),
                of.unfinished,
                locale,
            )
        )
    words.append(say(_MESSAGES, locale))
    if of.for_servers:
        words.append(say(N_("What you made for a server by name stays there, no longer with your id."), locale))
    if of.blocks:
        words.append(say(_BLOCKED, locale))
    view = discord.ui.View(timeout=None)
    danger, plain = discord.ButtonStyle.danger, discord.ButtonStyle.secondary
    labels = ((DELETE, N_("Delete all of it"), danger), (KEEP, N_("Keep it"), plain))
    for custom_id, label, style in labels:
        view.add_item(discord.ui.Button(style=style, label=say(label, locale)[:80], custom_id=custom_id))
    view.stop()
    title = say(N_("Delete what I keep of you?"), locale)
    return Card(embed=discord.Embed(title=title, description="\n\n".join(words), colour=YELLOW), view=view)


def deleted(left: Kept, locale: str) -> Card:
    """Return the answer once it is done; what is ``left`` is what nobody can delete."""
    words = [N_("I keep nothing of you any more."), *([_BLOCKED] if left.blocks else []), _MESSAGES]
    text = " ".join(say(each, locale) for each in words)
    return Card(embed=discord.Embed(title=say(N_("Deleted"), locale), description=text))


def left_alone(locale: str) -> Card:
    """Return the answer to whoever thought better of it."""
    return Card(embed=discord.Embed(description=say(N_("Nothing was deleted."), locale), colour=GREY))


def exported(name: str, data: bytes, locale: str) -> Card:
    """Return a person's own file."""
    text = say(N_("All that I keep of you. The pictures are in the messages that showed them."), locale)
    return Card(embed=discord.Embed(description=text), files=(Attachment(name, data),))


def _facts(of: Kept, terms: Terms, locale: str) -> Iterator[str]:
    if of.jobs:
        yield say_many(
            N_("{count} job with its prompt, settings and place, ordered {since}"),
            N_("{count} jobs with their prompts, settings and places, the first ordered {since}"),
            of.jobs,
            locale,
            since=f"<t:{int(of.oldest or 0)}:D>",
        )
        yield say_many(
            N_("What is done is deleted after {count} day, but for your own that you marked as favourites"),
            N_("What is done is deleted after {count} days, but for your own that you marked as favourites"),
            terms.jobs,
            locale,
        )
    if of.pictures:
        pictures = say_many(N_("{count} picture"), N_("{count} pictures"), of.pictures, locale)
        words = N_("{pictures} in those jobs: the files stay {days} days, then only the messages have them")
        yield say(words, locale, pictures=pictures, days=terms.images)
    for count, (one, many) in zip(
        (of.favourites, of.snippets, of.for_servers, of.settings, of.strikes, of.blocks), _COUNTED, strict=True
    ):
        if count:
            yield say_many(one, many, count, locale)
