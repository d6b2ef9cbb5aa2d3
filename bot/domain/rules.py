"""Which models a server lets its members use: names or patterns, allowed and denied."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.domain.errors import DeniedError
from bot.domain.request import PaintRequest
from bot.domain.text import N_

_HINT = N_("See which are: /model list")
_HASH = re.compile(r"(?<!\s)\s*\[[0-9a-f]{6,64}\]$")


@dataclass(frozen=True, slots=True)
class Rules:
    """``denied`` wins over ``allowed``, and an empty ``allowed`` allows every model.

    A pattern is a name in which ``*`` and ``?`` stand for other letters; capitals, folders and file endings make
    no difference.
    """

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()

    def allows(self, model: str) -> bool:
        """Return whether a model, by its listed name, may be used."""
        return not _matches(self.denied, model) and (not self.allowed or _matches(self.allowed, model))

    def among(self, models: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of ``models`` that may be used, from memory: every keystroke asks for them."""
        return _among(self, models) if self.allowed or self.denied else models

    def check(self, model: str | None) -> None:
        """Raise ``DeniedError`` for a model that may not be used."""
        if model is not None and not self.allows(model):
            raise DeniedError(N_("This server does not allow the model “{name}”."), _HINT, name=model[:100])

    def settled(self, request: PaintRequest, models: tuple[str, ...]) -> PaintRequest:
        """Return the order as it may be painted: a choice that was left open falls on the first allowed model.

        ``models`` are the listed names. Raises ``DeniedError`` in words.
        """
        if not self.allowed and not self.denied:
            return request
        self.check(request.model)
        self.check(request.refiner.model if request.refiner else None)
        if request.model is not None or request.workflow is not None or not models:
            return request
        first = next(iter(self.among(models)), None)
        if first is None:
            raise DeniedError(
                N_("None of the models here is allowed in this server."),
                N_("Those with Manage Server can change that: /model allow"),
            )
        return replace(request, model=first)

    def allowing(self, pattern: str) -> "Rules":
        """Return the rules with ``pattern`` allowed."""
        denied = tuple(each for each in self.denied if each.casefold() != pattern.casefold())
        # Where all are allowed there is nothing to add.
        allowed = _with(self.allowed, pattern) if self.allowed else ()
        return Rules(allowed, denied)

    def denying(self, pattern: str) -> "Rules":
        """Return the rules with ``pattern`` denied."""
        allowed = tuple(each for each in self.allowed if each.casefold() != pattern.casefold())
        return Rules(allowed, _with(self.denied, pattern))


def _with(patterns: tuple[str, ...], pattern: str) -> tuple[str, ...]:
    return (*(each for each in patterns if each.casefold() != pattern.casefold()), pattern)


def without_hash(model: str) -> str:
    """Return a model's title without the hash behind it (``dream [1a2b3c]``: ``dream``)."""
    return _HASH.sub("", model)


def bare(model: str) -> str:
    """Return a model's name without its hash, folder and ending (``sd/dream.safetensors [1a2b3c]``: ``dream``)."""
    name = re.sub(r"\.(safetensors|ckpt|gguf|pt)$", "", without_hash(model.strip()), flags=re.IGNORECASE)
    return re.split(r"[\\/]", name)[-1] or name


@lru_cache(maxsize=64)
def _among(rules: Rules, models: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(rules.allows, models))


def _matches(patterns: tuple[str, ...], model: str) -> bool:
    wanted = _compiled(patterns)
    return any(wanted.fullmatch(form) is not None for form in (model, bare(model)))


@lru_cache(maxsize=64)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return one that matches whole names; none matches where there is no pattern."""
    return re.compile("|".join(map(_regex, patterns)) or r"(?!)", re.IGNORECASE | re.DOTALL)


def _regex(pattern: str) -> str:
    """Return a pattern as a regular expression that never goes back, so that no pattern takes long."""
    whole = pattern.strip() if "*" in pattern or "?" in pattern else bare(pattern)
    # Square brackets are part of the WebUI's titles, not of a pattern.
    first, *others = (re.escape(part).replace(r"\?", ".") for part in whole.split("*"))
    if not others:
        return first
    *between, last = others
    return "".join((first, *(f"(?>.*?{part})" for part in between), f".*{last}"))
