"""What is drawn of a server's and its channels' settings, for ``ui_builders``."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.job import Ping
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.rules import Rules
from bot.services.models import MAX_PATTERNS
from bot.services.preferences import EMOJI, SETTABLE, WORDS, Effective, Scope
from bot.services.settings_files import Difference
from bot.ui import panel, places, tables
from bot.ui.panel import Asked, Where
from tests.unit.ui_payloads import Drawn

HERE = 2**63 - 1
"""The longest that an id can be."""


def effective(text: str) -> Effective:
    word = text or None
    options = Options(
        model=word, negative_prompt=word, width=2048, height=2048, count=9, steps=150, cfg_scale=30.0
    )
    options = options.over(Options(sampler=word, scheduler=word, spoiler=True))
    rules = Rules((text,) * MAX_PATTERNS, (text,), Rules((text,) * MAX_PATTERNS, (text,)))
    sources = dict.fromkeys(SETTABLE[Scope.SERVER], Scope.CHANNEL)
    emoji: dict[str, Any] = dict.fromkeys(EMOJI, f"<a:{'n' * 32}:{HERE}>")
    return Effective(
        options, Limits(), "en", Ping.MENTION, True, rules, sources, accent="#3ba55d", show_backend=True, **emoji
    )


def own(text: str) -> dict[str, object]:
    values: dict[str, object] = dict.fromkeys(SETTABLE[Scope.SERVER], text)
    return values | {"spoiler": True, "cfg_scale": 7.5, "steps": 9, "ping": Ping.DM}


def changed(text: str) -> list[Difference]:
    return [Difference(HERE, name, text, text[:9]) for name in SETTABLE[Scope.SERVER]]


def _page(page: str, channel_id: int | None) -> Callable[[str], Drawn]:
    return lambda text: panel.panel(effective(text), own(text), Where(channel_id, page), "en")


def _form(page: str, section: int) -> Callable[[str], Drawn]:
    return lambda text: panel.form(effective(text), own(text), Asked(panel.EDIT, Where(None, page), section), "en")


PAGES = ("pictures", "limits", "results", "replies")
SCOPES: Mapping[str, Callable[[str], Drawn]] = {
    **{f"panel.panel {page}": _page(page, None) for page in PAGES},
    "panel.panel of a channel": _page("results", HERE),
    **{f"panel.form {page}": _form(page, len(Where(None, page).sections) - 1) for page in PAGES},
    "tables.settings of a channel": lambda text: tables.settings(
        effective(text), places.SHOWN_OF_CHANNEL, "Here", "en", channel_id=HERE
    ),
    "places.wiping": lambda text: places.wiping({**own(text), WORDS: text}, HERE, "en"),
    "places.importing": lambda text: places.importing(changed(text), HERE, "en"),
    "places.importing anew": lambda text: places.importing(changed(text)[:2], HERE, "en", anew=True),
    "places.importing nothing": lambda _: places.importing([], HERE, "en"),
    "places.exported": lambda _: places.exported(b"{}", "en"),
    "places.said": lambda text: places.said(text or "-", "en"),
    "places.done": lambda text: places.done(text or "-", "en"),
}
