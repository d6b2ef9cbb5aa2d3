"""What a ComfyUI lists, under the names people use, and what a request's names are in its own."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.backends import names
from bot.backends.comfyui import spelling
from bot.backends.comfyui.nodes import PREPROCESSORS, Nodes
from bot.domain import capability
from bot.domain.capability import Feature, Listing, Named
from bot.domain.request import Control, PaintRequest
from bot.prompting.loras import can_be_tagged, in_prompt, without_tags

LATENT = "latent:"
"""What the methods begin with that enlarge a latent; ComfyUI has some of them for pictures too."""
LATENT_UPSCALERS: Mapping[str, str] = {
    "Latent": f"{LATENT}bilinear",
    "Latent (bicubic)": f"{LATENT}bicubic",
    "Latent (nearest-exact)": f"{LATENT}nearest-exact",
}
"""Ways of the hires fix to enlarge before decoding, by the WebUI's names."""
PLAIN_UPSCALERS: Mapping[str, str] = {"Lanczos": "lanczos", "Nearest": "nearest-exact"}
"""Ways to enlarge without a model, by the WebUI's names."""
_FILES = {
    Listing.MODELS: ("CheckpointLoaderSimple", "ckpt_name"),
    Listing.LORAS: ("LoraLoader", "lora_name"),
    Listing.VAES: ("VAELoader", "vae_name"),
    Listing.CONTROL_MODELS: ("ControlNetLoader", "control_net_name"),
}
_NEEDS = {
    Feature.IMG2IMG: ("LoadImage", "VAEEncode"),
    Feature.INPAINT: (
        "LoadImage",
        "LoadImageMask",
        "VAEEncode",
        "VAEEncodeForInpaint",
        "SetLatentNoiseMask",
        "ImageCompositeMasked",
    ),
    Feature.HIRES: ("LatentUpscale", "ImageScale", "VAEEncode"),
    Feature.HIRES_IMG2IMG: ("LatentUpscale", "ImageScale", "VAEEncode"),
    Feature.REFINER: ("KSamplerAdvanced",),
    Feature.CLIP_SKIP: ("CLIPSetLastLayer",),
    Feature.CONTROL: ("LoadImage", "ControlNetLoader", "ControlNetApplyAdvanced"),
    Feature.UPSCALE: ("LoadImage", "ImageScale"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A listed name, and what stands for it on the wire."""

    name: str
    wire: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A request in ComfyUI's own names, and what its model, sampler and scheduler are called by people."""

    wired: PaintRequest
    model: str
    sampler: str
    scheduler: str


Lists = Mapping[Listing, tuple[Entry, ...]]


def read(nodes: Nodes, embeddings: Iterable[Any], workflows: Iterable[str]) -> Lists:
    """Return all lists; one whose node is missing is left out."""
    lists: dict[Listing, tuple[Entry, ...]] = {}
    for listing, (kind, name) in _FILES.items():
        if nodes.has(kind):
            lists[listing] = _files(listing, nodes.choices(kind, name) or ())
    lists[Listing.SAMPLERS] = _spelled(nodes.choices("KSampler", "sampler_name"), spelling.SAMPLERS)
    schedulers = _spelled(nodes.choices("KSampler", "scheduler"), spelling.SCHEDULERS)
    lists[Listing.SCHEDULERS] = (Entry(spelling.AUTOMATIC, spelling.AUTOMATIC), *schedulers)
    plain = tuple(Entry(name, wire) for name, wire in PLAIN_UPSCALERS.items())
    models: tuple[Entry, ...] = ()
    if nodes.has("UpscaleModelLoader", "ImageUpscaleWithModel"):
        models = _files(Listing.UPSCALERS, nodes.choices("UpscaleModelLoader", "model_name") or ())
    lists[Listing.UPSCALERS] = (*plain, *models)
    lists[Listing.HIRES_UPSCALERS] = (
        *(Entry(name, wire) for name, wire in LATENT_UPSCALERS.items()),
        *plain,
        *models,
    )
    lists[Listing.EMBEDDINGS] = tuple(Entry(str(name), str(name)) for name in embeddings)
    modules = (Entry(name, kind) for name, kind in PREPROCESSORS.items() if nodes.has(kind))
    lists[Listing.CONTROL_MODULES] = tuple(modules)
    lists[Listing.WORKFLOWS] = tuple(Entry(name, name) for name in workflows)
    return lists


def entries(word: str, choices: tuple[str, ...]) -> tuple[Entry, ...]:
    """Return a node's own choices of a ``model``, ``vae``, ``sampler`` or ``scheduler`` as people call them."""
    if word == "sampler":
        return _spelled(choices, spelling.SAMPLERS)
    if word == "scheduler":
        return _spelled(choices, spelling.SCHEDULERS)
    return _files(Listing.VAES if word == "vae" else Listing.MODELS, choices)


def features(nodes: Nodes, lists: Lists) -> frozenset[Feature]:
    """Return what its nodes are enough for; ControlNet without a model is none."""
    found = {feature for feature, kinds in _NEEDS.items() if nodes.has(*kinds)}
    if not lists.get(Listing.CONTROL_MODELS):
        found.discard(Feature.CONTROL)
    return frozenset(found)


def find(name: str, entries: Iterable[Entry]) -> Entry | None:
    """Return the entry that ``name`` means: by its name, its file or its path, with any capitals."""
    wanted = _key(name)
    return next((e for e in entries if wanted in {_key(e.name), _key(e.wire), _key(_base(e.wire))}), None)


def plainly(request: PaintRequest, lists: Lists) -> PaintRequest:
    """Return ``request`` with what only the WebUI reads put into its own fields.

    LoRA tags in the prompt become LoRAs, a combined name ("DPM++ 2M Karras") a sampler and a scheduler.
    """
    known = {lora.name for lora in request.loras}
    tagged = tuple(lora for lora in in_prompt(request.prompt) if lora.name not in known)
    request = replace(request, prompt=without_tags(request.prompt), loras=(*request.loras, *tagged))
    sampler, samplers = request.sampler, lists.get(Listing.SAMPLERS, ())
    if sampler is None or request.scheduler is not None or find(sampler, samplers) is not None:
        return request
    for scheduler in lists.get(Listing.SCHEDULERS, ()):
        first, end = sampler[: -len(scheduler.name)], sampler[-len(scheduler.name) :]
        if end.casefold() == scheduler.name.casefold() and find(first.strip(), samplers) is not None:
            return replace(request, sampler=first.strip(), scheduler=scheduler.name)
    return request


def choose(backend: str, request: PaintRequest, lists: Lists, model: str | None) -> Choice:
    """Find what ``request`` asks for; raises ``RejectedError`` for a name that the server does not have.

    ComfyUI has no settings of its own to fall back on: ``model`` is the one it had last, else the first listed,
    the sampler is the one that the WebUI begins with.
    """
    request = plainly(request, lists)
    entries = {
        (named.listing, named.name): _entry(backend, named, lists)
        for named in capability.names(replace(request, workflow=None))
    }

    def entry(listing: Listing, name: str | None) -> Entry | None:
        return None if name is None else entries[listing, name]

    chosen = entry(Listing.MODELS, request.model) or _fallback(backend, Listing.MODELS, "model", model, lists)
    sampler = entry(Listing.SAMPLERS, request.sampler)
    sampler = sampler or _fallback(backend, Listing.SAMPLERS, "sampler", spelling.DEFAULT_SAMPLER, lists)
    known = tuple(listed.wire for listed in lists[Listing.SCHEDULERS][1:])
    scheduler = entry(Listing.SCHEDULERS, request.scheduler) or lists[Listing.SCHEDULERS][0]
    if scheduler.wire == spelling.AUTOMATIC:
        wire = spelling.automatic(sampler.wire, known)
        scheduler = find(wire, lists[Listing.SCHEDULERS][1:]) or Entry(wire, wire)
    wired = replace(
        request,
        prompt=with_embeddings(request.prompt, lists),
        negative_prompt=with_embeddings(request.negative_prompt, lists),
        model=chosen.wire,
        sampler=sampler.wire,
        scheduler=scheduler.wire,
        vae=_wire(entry(Listing.VAES, request.vae)),
        loras=tuple(replace(lora, name=entries[Listing.LORAS, lora.name].wire) for lora in request.loras),
        controls=tuple(_control(control, entries) for control in request.controls),
    )
    if request.hires is not None:
        upscaler = entry(Listing.HIRES_UPSCALERS, request.hires.upscaler)
        wired = replace(wired, hires=replace(request.hires, upscaler=_wire(upscaler)))
    if request.refiner is not None:
        refiner = entries[Listing.MODELS, request.refiner.model]
        wired = replace(wired, refiner=replace(request.refiner, model=refiner.wire))
    return Choice(wired, chosen.name, sampler.name, scheduler.name)


def upscaler(backend: str, name: str, lists: Lists) -> str:
    """Return what an upscaler is on the wire; raises ``RejectedError`` if the server does not have it."""
    return _entry(backend, Named(Listing.UPSCALERS, "upscaler", name), lists).wire


def with_embeddings(prompt: str, lists: Lists) -> str:
    """Return ``prompt`` with embeddings marked as ComfyUI wants them; the WebUI knows them by their bare name."""
    known = sorted((entry.name for entry in lists.get(Listing.EMBEDDINGS, ())), key=len, reverse=True)
    if not known:
        return prompt
    words = "|".join(re.escape(name) for name in known)
    return re.sub(rf"(?<![\w:/.-])({words})(?![\w/-])", r"embedding:\1", prompt, flags=re.IGNORECASE)


def _control(control: Control, entries: Mapping[tuple[Listing, str], Entry]) -> Control:
    module = None if control.module is None else entries[Listing.CONTROL_MODULES, control.module].wire
    return replace(control, model=entries[Listing.CONTROL_MODELS, control.model].wire, module=module)


def _entry(backend: str, named: Named, lists: Lists) -> Entry:
    entries = lists.get(named.listing, ())
    entry = find(named.name, entries)
    if entry is None:
        raise names.unknown(backend, named.option, named.name, [entry.name for entry in entries])
    return entry


def _fallback(backend: str, listing: Listing, option: str, name: str | None, lists: Lists) -> Entry:
    entries = lists.get(listing, ())
    if not entries:
        raise names.unknown(backend, option, "", ())
    return (find(name, entries) if name is not None else None) or entries[0]


def _wire(entry: Entry | None) -> str | None:
    return None if entry is None else entry.wire


def _spelled(listed: tuple[str, ...] | None, people: Mapping[str, str]) -> tuple[Entry, ...]:
    """Put the names that people know first, in their order."""
    there = listed or ()
    known = tuple(Entry(name, wire) for wire, name in people.items() if wire in there)
    return (*known, *(Entry(wire, wire) for wire in there if wire not in people))


def _files(listing: Listing, paths: Iterable[str]) -> tuple[Entry, ...]:
    """Name files as the WebUI does: a LoRA by its bare name, a model by its path in one word, a VAE as it is."""
    entries = [Entry(_called(listing, path), path) for path in paths]
    count = Counter(entry.name for entry in entries)
    entries = [entry if count[entry.name] == 1 else Entry(_stem(entry.wire), entry.wire) for entry in entries]
    return tuple(entry for entry in entries if listing is not Listing.LORAS or can_be_tagged(entry.name))


def _called(listing: Listing, path: str) -> str:
    if listing is Listing.VAES:
        return _base(path)
    return _stem(path).replace("/", "_") if listing is Listing.MODELS else _stem(_base(path))


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _stem(path: str) -> str:
    """Return a path without the ending of a file that holds weights."""
    return re.sub(r"\.(safetensors|ckpt|pth|pt|bin|sft|gguf)$", "", path.replace("\\", "/"), flags=re.IGNORECASE)


def _key(name: str) -> str:
    return name.replace("\\", "/").casefold()
