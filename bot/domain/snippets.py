"""What servers and persons keep by name: presets, styles, wildcard lists, cards of models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.domain.options import Options

MAX_NAME = 32
"""Characters in the name of a preset, a style or a wildcard list."""
MAX_SNIPPETS = 100
"""Most of one kind that a server or a person keeps."""
PLACEHOLDER = "{prompt}"
"""Where a style or a preset takes in what was typed, as in the WebUI's ``styles.csv``."""


class Kind(StrEnum):
    """What can be kept by name."""

    PRESET = "preset"
    STYLE = "style"
    WILDCARD = "wildcard"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Snippet:
    """One kept thing as it is stored: ``scope`` is ``server`` or ``person``, ``body`` is JSON."""

    kind: Kind
    scope: str
    owner: int
    name: str
    body: Mapping[str, Any]
    made_by: int
    made_at: float


@dataclass(frozen=True, slots=True)
class Preset:
    """A layer of choices by name; ``prompt`` may hold ``{prompt}``, where what is typed goes."""

    name: str
    options: Options = field(default_factory=Options)
    prompt: str = ""

    def applied(self, prompt: str) -> str:
        """Return ``prompt`` as the preset words it; without a prompt of its own it changes nothing."""
        return worded(prompt, self.prompt)


@dataclass(frozen=True, slots=True)
class Style:
    """Words that are laid around a prompt and a negative prompt, as the WebUI's styles are."""

    name: str
    prompt: str = ""
    negative_prompt: str = ""

    def applied(self, prompt: str, negative_prompt: str = "") -> tuple[str, str]:
        """Return both prompts with the style's words in them."""
        return worded(prompt, self.prompt), worded(negative_prompt, self.negative_prompt)


@dataclass(frozen=True, slots=True)
class Wildcards:
    """Lines to draw from; ``weight::line`` is drawn that much more often."""

    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a server's admins tell of a model by its listed name; ``sample`` is the hash of a picture."""

    name: str
    trigger: str = ""
    note: str = ""
    sample: str | None = None


def worded(typed: str, words: str) -> str:
    """Return ``typed`` where ``words`` have ``{prompt}``, or else before them with a comma.

    So the WebUI applies its styles (``modules/styles.py``).
    """
    if PLACEHOLDER in words:
        return words.replace(PLACEHOLDER, typed)
    return ", ".join(part for part in (typed.strip(), words.strip()) if part)
