"""Help, a page for each topic, and what there is to say about the bot itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import discord

from bot.domain.text import N_
from bot.i18n import say, say_many
from bot.ui.card import Card
from bot.ui.words import cut

PREFIX = "easel-help:"
_DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A page of help: ``commands`` by the names of commands and groups, ``words`` below them."""

    name: str
    title: str
    commands: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    menus: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What is registered: descriptions of ``commands`` by path (``queue show``), ``ids`` by their first name."""

    commands: Mapping[str, str]
    menus: Sequence[str]
    ids: Mapping[str, int]

    def paths(self, *names: str) -> list[str]:
        """Return the paths of these commands, a group's one by one without those that are admins' alone."""
        return [path for name in names for path in self.commands if name in _named(path)]


@dataclass(frozen=True, slots=True)
class Facts:
    """The bot itself: ``painters`` are kinds of backends with their number, ``links`` addresses by marked name."""

    version: str
    licence: str
    painters: Mapping[str, int]
    servers: int
    since: float
    links: Mapping[str, str]


ADMINS = (
    *("model default", "model allow", "model deny", "model only", "model card", "model refresh"),
    *("preset import", "wildcard refresh", "adult set", "adult mark", "adult unmark"),
)
"""What needs Manage Server in groups that are for everybody."""
TOPICS = (
    Topic(
        "paint",
        N_("Painting"),
        ("draw", "explore"),
        (
            N_("Only the prompt is needed. What you leave out comes from your own defaults, then this server's."),
            N_("A job that waits shows its place in line. Cancel takes it out again."),
        ),
    ),
    Topic(
        "remix",
        N_("Remixing"),
        ("remix", "upscale", "cutout", "describe"),
        (N_("On any message with a picture: hold it or click it with the right button, then Apps."),),
        menus=True,
    ),
    Topic(
        "buttons",
        N_("Buttons and reactions"),
        words=(
            N_("The buttons under a picture work for everybody, after months and after restarts too."),
            N_("Cancel and Delete are for whoever asked for it and for members with Manage Messages."),
            N_("As reactions: 🔁 paints it anew, ❌ cancels or deletes it."),
            N_("⭐ makes it a favourite, ✉️ sends it to you, ⬆️ upscales it."),
        ),
    ),
    Topic("models", N_("Models and presets"), ("model", "preset", "style", "wildcard")),
    Topic("yours", N_("Your pictures and defaults"), ("history", "show", "stats", "preferences", "privacy")),
    Topic(
        "queue",
        N_("The queue"),
        ("queue",),
        (N_("Servers take turns, and so do the people in one: nobody waits for all of somebody else's jobs."),),
    ),
    Topic("admins", N_("For admins"), ("settings", "roles", "log", "words", "review", "backends", *ADMINS)),
    Topic("more", N_("Everything else"), ("help", "about")),
)
_FIRST = ("draw", "remix", "model list", "history", "queue show", "preferences")
"""What a newcomer is shown; the topics have the rest."""
_OVERVIEW = Topic("start", "Easel")
_KINDS = {"webui": "WebUI", "comfyui": "ComfyUI", "diffusers": "diffusers", "sketch": N_("built-in sketches")}


def page(name: str, offer: Offer, locale: str) -> Card:
    """Return the page of a topic; of an unknown one the first page, which names what most people need."""
    topic = next((each for each in TOPICS if each.name == name), _OVERVIEW)
    embed = discord.Embed(
        title=say(topic.title, locale), description=cut("\n".join(_lines(topic, offer, locale)), _DESCRIPTION)
    )
    return Card(embed=embed, view=_view(topic, offer, locale))


def about(facts: Facts, locale: str) -> Card:
    """Return what the bot is, what paints for it, and where to go with questions."""
    painters = [
        f"{say(_KINDS.get(kind, kind), locale)}{f' ×{count}' if count > 1 else ''}"
        for kind, count in facts.painters.items()
    ]
    lines = [
        say(N_("A Discord bot that paints: fair, durable, open source."), locale),
        say(N_("Version {version}, licence {licence}"), locale, version=facts.version, licence=facts.licence),
        say(N_("Paints with: {painters}"), locale, painters=", ".join(painters)),
        say_many(N_("In {count} server"), N_("In {count} servers"), facts.servers, locale),
        say(N_("Started {time}"), locale, time=f"<t:{int(facts.since)}:R>"),
    ]
    lines += [f"[{say(name, locale)}]({address})" for name, address in facts.links.items()]
    return Card(embed=discord.Embed(title="Easel", description="\n".join(lines)))


def _lines(topic: Topic, offer: Offer, locale: str) -> Iterator[str]:
    if topic is _OVERVIEW:
        paths = [path for path in _FIRST if path in offer.commands]
    else:
        paths = offer.paths(*topic.commands, *(_unplaced(offer) if topic.name == "more" else ()))
    for path in paths:
        yield f"{_mention(path, offer.ids)}  {say(offer.commands[path], locale)}"
    for menu in offer.menus if topic.menus else ():
        yield f"{say(N_('Apps'), locale)} › **{say(menu, locale)}**"
    words = (N_("Choose a topic for more."),) if topic is _OVERVIEW else topic.words
    if words and paths:
        yield ""
    for each in words:
        yield say(each, locale)


def _unplaced(offer: Offer) -> list[str]:
    """Return the commands that no topic names, so that help misses none."""
    placed = {name for topic in TOPICS for name in topic.commands}
    return list(
        dict.fromkeys(first for path in offer.commands if (first := path.split(maxsplit=1)[0]) not in placed)
    )


def _named(path: str) -> frozenset[str]:
    """Return the names by which topics name a command: its own path, or its group's unless it is admins' alone."""
    return frozenset({path} if path in ADMINS else {path, path.split(maxsplit=1)[0]})


def _mention(path: str, ids: Mapping[str, int]) -> str:
    command_id = ids.get(path.split(maxsplit=1)[0])
    return f"`/{path}`" if command_id is None else f"</{path}:{command_id}>"


def _view(shown: Topic, offer: Offer, locale: str) -> discord.ui.View:
    options = [
        discord.SelectOption(label=say(topic.title, locale)[:100], value=topic.name, default=topic is shown)
        for topic in TOPICS
        if not topic.commands or offer.paths(*topic.commands)
    ]
    view = discord.ui.View(timeout=None)
    view.add_item(
        discord.ui.Select(custom_id=f"{PREFIX}topic", placeholder=say(N_("Topics"), locale)[:150], options=options)
    )
    view.stop()
    return view
