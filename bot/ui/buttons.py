"""The rows under a message, and the ids by which a press finds its job, even after a restart."""

import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import discord

from bot.domain.capability import Feature
from bot.domain.job import Job
from bot.domain.text import N_
from bot.i18n import say

_ID = re.compile(r"easel:(?P<action>[a-z]{1,20}):(?P<job>[0-9]{1,19})(?::(?P<arg>[A-Za-z0-9_-]{1,48}))?")
OF_JOBS = "easel:"
"""So begin the ids under jobs' messages."""
ELSEWHERE = "easel-"
"""So begin the ids of whatever another cog than that of jobs' messages answers: ``easel-<cog>:…``."""
_LARGEST_JOB = 2**63 - 1
"""What a row's id can be (SQLite, INTEGER)."""


class Action(StrEnum):
    """What a button, a menu or a modal asks for; part of the ids, so a name here is for good."""

    CANCEL = "cancel"
    REROLL = "reroll"
    EDIT = "edit"
    REMIX = "remix"
    SETTINGS = "settings"
    DELETE = "delete"
    AGAIN = "again"
    SMALLER = "smaller"
    TAKE = "take"
    MORE = "more"
    SEND = "send"
    VARY = "vary"
    UPSCALE = "upscale"
    CUTOUT = "cutout"
    DESCRIBE = "describe"
    FAVOURITE = "favourite"
    DM = "dm"
    ORIGINAL = "original"


MENU_OPTIONS = 25
"""Options in one menu (Discord docs, Select Menu Structure)."""
_NEEDS = {
    Action.VARY: frozenset({Feature.VARIATION, Feature.IMG2IMG}),
    Action.REMIX: frozenset({Feature.IMG2IMG}),
    Action.UPSCALE: frozenset({Feature.UPSCALE}),
    Action.CUTOUT: frozenset({Feature.CUTOUT}),
    Action.DESCRIBE: frozenset({Feature.INTERROGATE}),
}
"""Which features, any of them, a choice in a menu needs; whatever is not named needs none."""
_OF_ONE = (
    (Action.VARY, N_("Vary")),
    (Action.UPSCALE, N_("Upscale")),
    (Action.CUTOUT, N_("Cut out")),
    (Action.DESCRIBE, N_("Describe")),
)
_OF_SEVERAL = (
    (Action.SEND, N_("Send {number}")),
    (Action.UPSCALE, N_("Upscale {number}")),
    (Action.VARY, N_("Vary {number}")),
    (Action.REMIX, N_("Remix {number}")),
    (Action.CUTOUT, N_("Cut out {number}")),
)
_ANYHOW = ((Action.FAVOURITE, N_("Favourite")), (Action.DM, N_("Send to me")))
_CHOICES = {
    Action.MORE: frozenset(action for action, _ in (*_OF_ONE, *_ANYHOW)) | {Action.ORIGINAL},
    Action.TAKE: frozenset(action for action, _ in _OF_SEVERAL),
}
_CHOICE = re.compile(r"(?:(?P<action>[a-z]{1,20})(?::|$))?(?P<number>[1-9])?")


@dataclass(frozen=True, slots=True)
class Press:
    """One press: on what, of which job, with what else the id carries."""

    action: Action
    job: int
    arg: str | None = None

    @property
    def number(self) -> int:
        """Which picture is meant, from 1; the first where the id says nothing."""
        return int(self.arg) if self.arg and self.arg.isdecimal() else 1


Handler = Callable[[discord.Interaction, Press], Awaitable[None]]
"""Does what a press asks for; raises the ``BotError`` that says why not."""


_Item = discord.ui.Item[discord.ui.View]


def encode(action: Action, job: int, arg: str | None = None) -> str:
    """Return the custom id ``easel:<action>:<job>[:<arg>]``, at most 100 characters (Discord docs, Components)."""
    made = f"easel:{action}:{job}" + ("" if arg is None else f":{arg}")
    if decode(made) is None:
        raise ValueError(made)
    return made


def decode(made: str) -> Press | None:
    """Return what a custom id says, or ``None`` if it is none of ours or of an action we do not know."""
    match = _ID.fullmatch(made)
    if match is None or match["action"] not in set(Action) or int(match["job"]) > _LARGEST_JOB:
        return None
    return Press(Action(match["action"]), int(match["job"]), match["arg"])


def custom_id(interaction: discord.Interaction) -> str:
    """Return the id of what was pressed, chosen or submitted; empty for anything else."""
    data: Mapping[str, Any] = interaction.data or {}
    return str(data.get("custom_id", ""))


def chosen(interaction: discord.Interaction) -> str:
    """Return what was chosen from a menu of one choice; empty for anything else."""
    data: Mapping[str, Any] = interaction.data or {}
    return "".join(map(str, data.get("values", ())[:1]))


def picked(menu: Press, choice: str) -> Press | None:
    """Return what choosing ``choice`` in a menu stands for, or ``None`` if the menu never offered it.

    A choice is ``<action>[:<number>]``; a bare number, as older messages have it, means to send that picture.
    """
    match = _CHOICE.fullmatch(choice)
    if match is None or not choice:
        return None
    action = match["action"] or Action.SEND.value
    if action not in _CHOICES.get(menu.action, frozenset()):
        return None
    return Press(Action(action), menu.job, match["number"])


def waiting(job: Job) -> discord.ui.View:
    """Return the row of a job that waits or is being painted."""
    return _view(_button(job, Action.CANCEL, N_("Cancel")))


def finished(
    job: Job, *, pictures: int, offered: Collection[Feature] = frozenset(), reduced: bool = False
) -> discord.ui.View:
    """Return the rows of a result: five buttons, menus to take one of several ``pictures``, and one for the rest.

    What needs a feature that is not ``offered`` is left out, and what needs a recipe where nobody knows it.
    ``reduced``: the file had to shrink, so the untouched one is to be had too.
    """
    known = bool(job.spec.request.prompt.strip())
    row = [
        (Action.REROLL, N_("Reroll"), "🔁", known),
        (Action.EDIT, N_("Edit"), "✏️", known),
        (Action.REMIX, N_("Remix"), "🖼️", True),
        (Action.SETTINGS, N_("Settings"), "ℹ️", True),
        (Action.DELETE, N_("Delete"), "🗑️", True),
    ]
    items: list[_Item] = [_button(job, action, label, face) for action, label, face, there in row if there]
    able = frozenset(action for action in Action if _is_able(action, offered, known=known))
    if pictures > 1:
        items += _take(job, pictures, able)
    return _view(*items, _more(job, able, alone=pictures == 1, reduced=reduced and pictures == 1))


def _is_able(action: Action, offered: Collection[Feature], *, known: bool) -> bool:
    needs = _NEEDS.get(action)
    return (needs is None or not needs.isdisjoint(offered)) and (known or action is not Action.VARY)


def taken(job: Job) -> discord.ui.View:
    """Return the row of one picture that was taken from several."""
    return _view(_button(job, Action.DELETE, N_("Delete"), "🗑️"))


def failed(job: Job, *, smaller: bool) -> discord.ui.View:
    """Return the row of a failed job; ``smaller`` offers it at half its sides."""
    again = _button(job, Action.AGAIN, N_("Try again"))
    return _view(again, _button(job, Action.SMALLER, N_("Smaller"))) if smaller else _view(again)


def cancelled(job: Job) -> discord.ui.View:
    """Return the row of a cancelled job."""
    return _view(_button(job, Action.AGAIN, N_("Run again")))


def _button(job: Job, action: Action, label: str, emoji: str | None = None) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(
        style=discord.ButtonStyle.secondary,
        label=say(label, job.spec.locale)[:80],
        emoji=emoji,
        custom_id=encode(action, job.id),
        row=0,
    )


def _more(job: Job, able: Collection[Action], *, alone: bool, reduced: bool) -> discord.ui.Select[discord.ui.View]:
    locale = job.spec.locale
    offers = [*((each for each in _OF_ONE if each[0] in able) if alone else ()), *_ANYHOW]
    if reduced:
        offers.append((Action.ORIGINAL, N_("Original file")))
    options = [
        discord.SelectOption(label=say(words, locale)[:100], value=action.value) for action, words in offers
    ]
    return _menu(Action.MORE, job, say(N_("More"), locale), options)


def _take(job: Job, pictures: int, able: Collection[Action]) -> Iterator[_Item]:
    """Yield menus that have all choices of a picture together."""
    locale = job.spec.locale
    seeds = [picture.seed for picture in job.result.pictures] if job.result else list(job.spec.request.seeds())
    offers = [(action, words) for action, words in _OF_SEVERAL if action in able]
    numbered = list(enumerate(seeds[:pictures], start=1))
    each = MENU_OPTIONS // len(offers)
    for first in range(0, len(numbered), each):
        part = numbered[first : first + each]
        options = [
            discord.SelectOption(
                label=say(words, locale, number=number)[:100],
                value=str(number) if action is Action.SEND else f"{action}:{number}",
                description=say(N_("seed {seed}"), locale, seed=str(seed))[:100],
            )
            for number, seed in part
            for action, words in offers
        ]
        name = say(N_("Take one"), locale)
        if len(numbered) > each:
            name = f"{name} · {part[0][0]}–{part[-1][0]}"
        yield _menu(Action.TAKE, job, name, options, arg=str(first + 1) if first else None)


def _menu(
    action: Action,
    job: Job,
    name: str,
    options: Sequence[discord.SelectOption],
    arg: str | None = None,
) -> discord.ui.Select[discord.ui.View]:
    return discord.ui.Select(custom_id=encode(action, job.id, arg), placeholder=name[:150], options=list(options))


def _view(*items: discord.ui.Item[discord.ui.View]) -> discord.ui.View:
    """Return a view that is only drawn: presses are found by their id, so discord.py must not keep it."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
