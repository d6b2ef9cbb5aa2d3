"""The rows under a message, and the ids by which a press finds its job, even after a restart."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import discord

from bot.domain.job import Job
from bot.domain.text import N_
from bot.i18n import say

_ID = re.compile(r"easel:(?P<action>[a-z]{1,20}):(?P<job>[0-9]{1,19})(?::(?P<arg>[A-Za-z0-9_-]{1,48}))?")
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


@dataclass(frozen=True, slots=True)
class Press:
    """One press: on what, of which job, with what else the id carries."""

    action: Action
    job: int
    arg: str | None = None


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


def waiting(job: Job) -> discord.ui.View:
    """Return the row of a job that waits or is being painted."""
    return _view(_button(job, Action.CANCEL, N_("Cancel")))


def finished(job: Job, *, pictures: int) -> discord.ui.View:
    """Return the row of a result, with a menu to take one of several ``pictures``."""
    items: list[discord.ui.Item[discord.ui.View]] = [
        _button(job, Action.REROLL, N_("Reroll"), "🔁"),
        _button(job, Action.EDIT, N_("Edit"), "✏️"),
        _button(job, Action.REMIX, N_("Remix"), "🖼️"),
        _button(job, Action.SETTINGS, N_("Settings"), "ℹ️"),
        _button(job, Action.DELETE, N_("Delete"), "🗑️"),
    ]
    if pictures > 1:
        items.append(_take(job, pictures))
    return _view(*items)


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


def _take(job: Job, pictures: int) -> discord.ui.Select[discord.ui.View]:
    locale = job.spec.locale
    seeds = [picture.seed for picture in job.result.pictures] if job.result else list(job.spec.request.seeds())
    options = [
        discord.SelectOption(
            label=say(N_("Send {number}"), locale, number=number)[:100],
            value=str(number),
            description=say(N_("seed {seed}"), locale, seed=str(seed))[:100],
        )
        for number, seed in enumerate(seeds[:pictures], start=1)
    ]
    return discord.ui.Select(
        custom_id=encode(Action.TAKE, job.id),
        placeholder=say(N_("Take one"), locale)[:150],
        options=options,
        row=1,
    )


def _view(*items: discord.ui.Item[discord.ui.View]) -> discord.ui.View:
    """Return a view that is only drawn: presses are found by their id, so discord.py must not keep it."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
