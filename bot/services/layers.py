"""Laying choices over each other: typed, a job like it, a preset, a person's, a server's, the host's."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isqrt
from typing import Protocol

from bot.domain.asker import Asker
from bot.domain.capability import Listing
from bot.domain.errors import RequestError
from bot.domain.families import Family, family
from bot.domain.job import Job
from bot.domain.limits import MAX_PROMPT, Limits, check_length
from bot.domain.options import Options
from bot.domain.request import PaintRequest, Resize
from bot.domain.snippets import Kind, Preset, Snippet, Style
from bot.domain.text import N_, Text
from bot.prompting import checking, wildcards
from bot.prompting.wildcards import Drawn
from bot.services import controls
from bot.services.catalogue import Catalogue
from bot.services.preferences import Effective, Scope

_PLAIN_SIDE = 512
"""What a width and a height are where neither the host nor anybody chose one."""
_READ_BY_CLIP = frozenset({Family.SD15, Family.SD2, Family.SDXL, Family.SDXL_TURBO, Family.UNKNOWN})
_MANY_TOKENS = 512
"""What a T5 or a language model reads of a prompt (FLUX.1-dev's ``max_sequence_length``)."""
MAX_TEMPLATE = 4 * MAX_PROMPT
"""Characters of a prompt before anything is drawn for its wildcards, which mostly makes it shorter."""
_WITH_PICTURE = {"controls": "control", "mask": "mask", "face_swap": "face"}
"""What is chosen in parts, which say nothing without a picture; by the word that its options' names begin with."""


class Shelf(Protocol):
    """What servers and persons keep by name, as ``Snippets`` has it."""

    async def preset(self, asker: Asker, name: str) -> Preset:
        """Return a preset; raises ``RequestError`` with the nearest name."""

    async def style(self, asker: Asker, name: str) -> Style:
        """Return a style; raises ``RequestError`` with the nearest name."""

    async def find(self, asker: Asker, kind: Kind, name: str) -> Snippet | None:
        """Return what is kept under a name."""

    async def lists(self, asker: Asker) -> Mapping[str, Sequence[str]]:
        """Return every wildcard list."""


@dataclass(frozen=True, slots=True)
class Laid:
    """All layers in one: ``template`` is the prompt before anything is drawn for its wildcards.

    ``chosen`` are the layers above the defaults.
    """

    template: str
    options: Options
    chosen: Options

    @property
    def free_size(self) -> bool:
        """Whether nobody asked for a size."""
        return self.chosen.shape is None and self.chosen.width is None and self.chosen.height is None


class Layers:
    """Lays an order's choices over each other, and words its prompt."""

    def __init__(self, catalogue: Catalogue, shelf: Shelf) -> None:
        self._catalogue = catalogue
        self._shelf = shelf

    async def lay(
        self,
        asker: Asker,
        effective: Effective,
        prompt: str,
        typed: Options,
        *,
        preset: str | None = None,
        like: Job | None = None,
    ) -> Laid:
        """Return what ``typed`` makes over ``like``, ``preset`` and the defaults; raises ``RequestError``."""
        kept = await self._shelf.preset(asker, preset) if preset else Preset("")
        chosen = typed.over(choices(like) if like is not None else Options()).over(kept.options)
        text = prompt.strip()
        taken = like.spec.request.prompt if like is not None and not text else None
        text = kept.applied(text) if taken is None else wildcards.literal(taken)
        check_length(text, most=MAX_TEMPLATE)
        if chosen.styles:
            negative = chosen.over(effective.options).negative_prompt or ""
            text, negative, left = await self._styled(asker, text, negative, chosen.styles)
            chosen = replace(chosen, styles=left, negative_prompt=negative or None)
        chosen = controls.completed(chosen, self._catalogue)
        self._catalogue.check(chosen)
        return Laid(text, chosen.over(self.sized(effective, chosen.model)), chosen)

    def sized(self, effective: Effective, model: str | None) -> Options:
        """Return the defaults; the size is that of the model's family where neither host nor anybody chose one."""
        options = effective.options
        sides = {"width": options.width, "height": options.height}
        untouched = all(effective.sources.get(name) is Scope.HOST for name in sides)
        if untouched and set(sides.values()) == {_PLAIN_SIDE}:
            known = self.family(model or options.model)
            side = _within(known.side, effective.limits)
            if known is not Family.UNKNOWN and side >= _PLAIN_SIDE:
                return replace(options, width=side, height=side)
        return options

    def family(self, model: str | None) -> Family:
        """Return the family of a model, or of the one that is in memory where none is named."""
        loaded = self._catalogue.loaded_models()
        name = model or (next(iter(loaded)) if len(loaded) == 1 else "")
        return family(name) if name else Family.UNKNOWN

    async def worded(self, asker: Asker, template: str, seed: int) -> Drawn:
        """Return the prompt that ``template`` comes to with something drawn by ``seed``."""
        if not wildcards.draws(template):
            return Drawn(template)
        lists = await self._shelf.lists(asker)
        return await asyncio.to_thread(wildcards.expand, template, lists, seed=seed)

    def warnings(
        self, request: PaintRequest, template: str, drawn: Drawn, *, meant_in: Iterable[Job]
    ) -> tuple[Text, ...]:
        """Return what looks wrong in an order's prompts, unless one of the jobs ``meant_in`` has the same."""
        for spec in (job.spec for job in meant_in):
            same = request.prompt == spec.request.prompt or template == spec.template
            if same and request.negative_prompt == spec.request.negative_prompt:
                return ()
        return checking.undrawn(template, drawn) + checking.warnings(
            request.prompt,
            request.negative_prompt,
            loras=self._catalogue.names(Listing.LORAS),
            embeddings=self._catalogue.names(Listing.EMBEDDINGS),
            max_tokens=checking.MANY_TOKENS if self.family(request.model) in _READ_BY_CLIP else _MANY_TOKENS,
        )

    async def _styled(
        self, asker: Asker, prompt: str, negative: str, names: Sequence[str]
    ) -> tuple[str, str, tuple[str, ...]]:
        """Return both prompts with the kept styles in them, and the styles that are left to the backend."""
        left = []
        for name in names:
            theirs = name in self._catalogue.names(Listing.STYLES)
            if await self._shelf.find(asker, Kind.STYLE, name) is None and theirs:
                left.append(name)
            else:
                style = await self._shelf.style(asker, name)
                prompt, negative = style.applied(prompt, negative)
                # A style may take in what it is laid around many times.
                check_length(max(prompt, negative, key=len), most=MAX_TEMPLATE)
        return prompt, negative, tuple(left)


def choices(job: Job) -> Options:
    """Return all that made a job, its backend's own choices too."""
    request, result = job.spec.request, job.result
    options = replace(Options.of(request), spoiler=job.spec.spoiler or None)
    if result is None or request.workflow is not None or job.spec.work is not None:
        return options
    return replace(
        options,
        **{name: getattr(options, name) or getattr(result, name) for name in ("model", "sampler", "scheduler")},
    )


def check_pictures(typed: Options, request: PaintRequest) -> None:
    """Raise ``RequestError`` if something was typed that says nothing without a picture."""
    for name, word in _WITH_PICTURE.items():
        if (chosen := (typed.parts or {}).get(name)) and not getattr(request, name):
            raise RequestError(
                N_("{option} says nothing without a picture."),
                N_("Use /remix with a mask or an area, or leave {option} out.")
                if name == "mask"
                else N_("Attach one as {picture} to /draw or /remix, or leave {option} out."),
                option=f"{word}_{next(iter(chosen)).removesuffix('_face')}",
                picture=f"{word}_image",
            )
    for option, plain in (("strength", None), ("resize", Resize.CROP)):
        if getattr(typed, option) not in {None, plain} and request.init_image is None:
            raise RequestError(
                N_("{option} says nothing without a picture to start from."),
                N_("Use /remix with a picture, or leave {option} out."),
                option=option,
            )


def _within(side: int, limits: Limits) -> int:
    return min(side, limits.max_side, isqrt(limits.max_pixels)) // 64 * 64
