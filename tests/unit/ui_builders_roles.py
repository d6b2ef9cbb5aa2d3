"""What is said of roles, and the log of changes, with hostile texts in every value."""

from collections.abc import Callable

import discord

from bot.domain.audit import Change, Entry
from bot.domain.permits import LIMITED, Command, Permits
from bot.domain.text import Mention
from bot.services.authority import MAX_ENTRIES, MAX_ROLES
from bot.ui import auditing, roles

LARGEST = 2**63 - 1
_ROLES = tuple(LARGEST - n for n in range(MAX_ROLES))


def _permits(text: str) -> Permits:
    return Permits(
        _ROLES,
        dict.fromkeys(Command, _ROLES) | {"draw": ()},
        {f"{n}{text[:200]}": _ROLES for n in range(MAX_ENTRIES)},
        {LARGEST - n: dict.fromkeys(LIMITED, 1000.0) for n in range(MAX_ENTRIES)},
    )


def _entry(text: str) -> Entry:
    changes = [
        Change(text, text, True),
        Change(Mention(f"<@&{LARGEST}>"), 1.5, None, LARGEST),
        Change("words", text),
    ]
    return Entry(LARGEST, LARGEST, LARGEST, "settings server", (*changes * 20,), 1.0, "en")


ROLES: dict[str, Callable[[str], discord.Embed]] = {
    "roles.permits": lambda text: roles.permits(_permits(text), "en"),
    "roles.permits of nothing": lambda _: roles.permits(Permits(), "en"),
    "auditing.entry": lambda text: auditing.entry(_entry(text)),
    "auditing.state": lambda _: auditing.state(LARGEST, "en", barred=True),
    "auditing.state of none": lambda _: auditing.state(None, "en", barred=False),
}
"""By name, as in ``ui_builders``."""
