"""LoRA tags in a prompt: ``<lora:name:weight>``, the WebUI's extra-networks syntax, or ``lyco`` for older ones."""

import re
from collections.abc import Iterable

from bot.domain.request import Lora

_TAG = re.compile(r"<(?:lora|lyco):([^:<>]+)(?::([^<>]*))?>", re.IGNORECASE)


def in_prompt(prompt: str) -> tuple[Lora, ...]:
    """Return the LoRAs whose tags stand in ``prompt``; a weight that is no number counts as 1."""
    return tuple(Lora(name, _weight(weight)) for name, weight in _TAG.findall(prompt))


def with_tags(prompt: str, loras: Iterable[Lora]) -> str:
    """Return ``prompt`` with a tag for each of ``loras`` that it does not name already."""
    named = {lora.name for lora in in_prompt(prompt)}
    return " ".join([prompt, *(f"<lora:{lora.name}:{lora.weight:g}>" for lora in loras if lora.name not in named)])


def without_tags(prompt: str) -> str:
    """Return ``prompt`` without its tags, for servers that do not read them."""
    return _TAG.sub("", prompt).strip()


def can_be_tagged(name: str) -> bool:
    """Return whether the syntax can say this name: it has no way to escape ``:``, ``<`` and ``>``."""
    return bool(name) and not any(mark in name for mark in ":<>")


def _weight(text: str) -> float:
    try:
        return float(text.partition(":")[0])
    except ValueError:
        return 1.0
