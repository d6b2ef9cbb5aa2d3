"""What a WebUI tells of a model or a LoRA beside its name."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.domain.capability import ModelFacts

_FAMILIES = (
    ("sdxl", "SDXL"),
    ("stable-diffusion-xl", "SDXL"),
    ("sd_v2", "SD 2"),
    ("stable-diffusion-v2", "SD 2"),
    ("sd_v1", "SD 1.5"),
    ("stable-diffusion-v1", "SD 1.5"),
    ("sd3", "SD 3"),
    ("stable-diffusion-3", "SD 3"),
    ("flux", "Flux"),
)
_MOST_TRIGGERS = 5
_LONGEST = 60
_SHORT_HASH = 10
"""Digits of a SHA-256 that the WebUI shows (its ``shorthash``)."""


def facts(item: Mapping[str, Any]) -> ModelFacts | None:
    """Return what an item of a list tells; ``None`` if that is nothing.

    A LoRA's metadata is what its trainer wrote into the file: ``ss_…`` by kohya's sd-scripts, ``modelspec.…`` by
    Stability's ModelSpec.
    """
    metadata = item.get("metadata")
    told = metadata if isinstance(metadata, dict) else {}
    found = ModelFacts(_hash(item), _family(told), _triggers(told))
    return None if found == ModelFacts() else found


def _hash(item: Mapping[str, Any]) -> str:
    for key in ("hash", "sha256"):
        value = item.get(key)
        # stable-diffusion.cpp knows none and says 8888888888 for every model.
        if isinstance(value, str) and len(set(value)) > 1:
            return value[:_SHORT_HASH]
    return ""


def _family(told: Mapping[str, Any]) -> str:
    named = (told.get(key) for key in ("modelspec.architecture", "ss_base_model_version"))
    base = next((each for each in named if isinstance(each, str) and each), "")
    return next((word for mark, word in _FAMILIES if base.startswith(mark)), base[:_LONGEST])


def _triggers(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words it answers to: those its maker names, or else the commonest tags it was trained on."""
    phrase = told.get("modelspec.trigger_phrase")
    if isinstance(phrase, str) and phrase.strip():
        words = [word.strip() for word in phrase.split(",")]
    else:
        counts: Counter[str] = Counter()
        for tags in _inside(told.get("ss_tag_frequency")).values():
            counts.update({tag.strip(): n for tag, n in _inside(tags).items() if isinstance(n, int)})
        words = [tag for tag, _ in counts.most_common(_MOST_TRIGGERS)]
    return tuple(word[:_LONGEST] for word in words if word)[:_MOST_TRIGGERS]


def _inside(value: Any) -> dict[str, Any]:
    """Return an object; some servers hand it on as the JSON text that stands in the file."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
