"""Which models a server or a channel lets people use: names or patterns, allowed and denied."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.domain.errors import DeniedError, RequestError
from bot.domain.permits import kept_for
from bot.domain.request import PaintRequest
from bot.domain.text import N_

WHERE = N_("They are for age-restricted channels, where those with Manage Server allow them: /adult show")
"""Where adult pictures may be asked for."""
_HINT = N_("See which are: /model list")
_HASH = re.compile(r"(?<!\s)\s*\[[0-9a-f]{6,64}\]$")


@dataclass(frozen=True, slots=True)
class Rules:
    """``denied`` wins over ``allowed``, and an empty ``allowed`` allows every model.

    A pattern is a name in which ``*`` and ``?`` stand for other letters; capitals, folders and file endings make
    no difference. ``upper`` are the server's where these are a channel's: both have to allow a model. ``reserved``
    are patterns of what is for roles that whoever asks does not have, with those roles; ``adult`` those of what
    paints adult pictures, where that may not be.
    """

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    upper: "Rules | None" = None
    reserved: tuple[tuple[str, tuple[int, ...]], ...] = ()
    adult: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether every model is allowed."""
        said = self.allowed or self.denied or self.reserved or self.adult
        return not said and (self.upper is None or self.upper.are_none)

    def allows(self, model: str) -> bool:
        """Return whether a model, by its listed name, may be used."""
        if self.upper is not None and not self.upper.allows(model):
            return False
        if self.reserved and self._needed(model) is not None:
            return False
        if self.adult and matches(self.adult, model):
            return False
        return not matches(self.denied, model) and (not self.allowed or matches(self.allowed, model))

    def _needed(self, model: str) -> tuple[int, ...] | None:
        """Return the roles of which one is needed for a model; ``None`` if none is missing."""
        return next((roles for pattern, roles in self.reserved if matches((pattern,), model)), None)

    def among(self, models: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of ``models`` that may be used, from memory: every keystroke asks for them."""
        return models if self.are_none else _among(self, models)

    def check(self, model: str | None) -> None:
        """Raise ``DeniedError`` for a model that may not be used."""
        if model is None or self.allows(model):
            return
        if self.adult and matches(self.adult, model):
            raise adult_refusal(model[:100])
        if (roles := self._needed(model)) is not None:
            raise kept_for(
                roles,
                N_("Only {roles} may use the model “{name}” here."),
                N_("Only those who manage this server may use the model “{name}” here."),
                name=model[:100],
            )
        if self.upper is not None and self.upper.allows(model):
            raise DeniedError(N_("This channel does not allow the model “{name}”."), _HINT, name=model[:100])
        raise DeniedError(N_("This server does not allow the model “{name}”."), _HINT, name=model[:100])

    def settled(self, request: PaintRequest, models: tuple[str, ...], *, told: bool = True) -> PaintRequest:
        """Return the order as it may be painted: a choice that was left open falls on the first allowed model.

        ``models`` are the listed names; ``told``: no backend has still to tell its own. Raises ``DeniedError`` in
        words, and ``RequestError`` for an open choice that would fall on what nobody knows yet.
        """
        if self.are_none:
            return request
        self.check(request.model)
        self.check(request.refiner.model if request.refiner else None)
        if request.model is not None or request.workflow is not None:
            return request
        if not models:
            if told:
                return request
            raise RequestError(
                N_("Not every model may be used here, and no backend has told yet which ones it has."),
                N_("Try again in a minute, or choose a model by its name."),
            )
        first = next(iter(self.among(models)), None)
        if first is None:
            raise DeniedError(
                N_("None of the models here is allowed in this server."),
                N_("Those with Manage Server can change that: /model allow"),
            )
        return replace(request, model=first)

    def allowing(self, pattern: str) -> "Rules":
        """Return a server's rules with ``pattern`` allowed."""
        denied = tuple(each for each in self.denied if each.casefold() != pattern.casefold())
        # Where all are allowed there is nothing to add.
        allowed = _with(self.allowed, pattern) if self.allowed else ()
        return Rules(allowed, denied)

    def denying(self, pattern: str) -> "Rules":
        """Return a server's rules with ``pattern`` denied."""
        allowed = tuple(each for each in self.allowed if each.casefold() != pattern.casefold())
        return Rules(allowed, _with(self.denied, pattern))


def adult_refusal(part: str) -> DeniedError:
    """Return what is said where ``part``, words or a model's name, may not be asked for."""
    return DeniedError(N_("“{part}” asks for an adult picture, and this is no place for one."), WHERE, part=part)


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


def matches(patterns: tuple[str, ...], model: str) -> bool:
    """Return whether a model's or a LoRA's name is one of ``patterns``."""
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
