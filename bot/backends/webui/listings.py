"""What a WebUI lists, and which of its names a request means."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.backends import names
from bot.backends.decoding import elements
from bot.backends.webui import telling
from bot.backends.webui.dialect import Dialect
from bot.domain import capability
from bot.domain.capability import Listing, ModelFacts
from bot.domain.request import PaintRequest
from bot.prompting.loras import can_be_tagged, in_prompt

Lists = Mapping[Listing, tuple["Entry", ...]]
_KEYS = {
    Listing.MODELS: ("model_name", "title"),
    Listing.SCHEDULERS: ("label", "name"),
    Listing.VAES: ("model_name",),
}
_INSIDE = {
    Listing.EMBEDDINGS: "loaded",
    Listing.CONTROL_MODELS: "model_list",
    Listing.CONTROL_MODULES: "module_list",
    Listing.DETAILERS: "ad_model",
}
"""Lists that are plain names (or an object's keys) below a key of the answer."""
_AUTOMATIC = "automatic"
_SELF_CHOSEN = frozenset({Listing.MODELS, Listing.SAMPLERS, Listing.SCHEDULERS})


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed name with the other names the server knows it by, its file and facts if it tells them."""

    name: str
    aliases: tuple[str, ...] = ()
    file: str = ""
    facts: ModelFacts | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The names that go on the wire; ``None`` leaves the choice to the server.

    ``others`` are the server's own names for all that is not a model, a sampler or a scheduler, by what was
    asked; ``lora_files`` are its LoRAs' files by their names. ``lost_loras``: the prompt names LoRAs that it does
    not list, which it passes over without a word.
    """

    model: str | None
    sampler: str | None
    scheduler: str | None
    others: Mapping[tuple[Listing, str], str] = field(default_factory=dict)
    lora_files: Mapping[str, str] = field(default_factory=dict)
    lost_loras: bool = False

    def called(self, listing: Listing, name: str | None) -> str | None:
        """Return the server's own name for ``name``."""
        return None if name is None else self.others.get((listing, name), name)


def read(listing: Listing, body: bytes | bytearray) -> tuple[Entry, ...]:
    """Read a list's answer; raises ``ValueError`` if it is none."""
    if listing in _INSIDE:
        found: Iterable[Entry | None] = map(Entry, _plain_names(json.loads(body), _INSIDE[listing]))
    else:
        keys = _KEYS.get(listing, ("name",))
        found = (_entry(item, keys) for item in elements(body))
    return tuple(entry for entry in found if entry is not None and _usable(listing, entry.name))


def find(name: str, entries: Iterable[Entry]) -> str | None:
    """Return the listed name that ``name`` or one of its aliases is.

    Capitals do not matter, and neither do spaces and dashes where no name is closer: stable-diffusion.cpp
    writes "Euler a" as "euler_a".
    """
    entries = tuple(entries)
    if any(name == entry.name for entry in entries):
        return name
    wanted, plain = name.casefold(), plainly(name)
    for entry in entries:
        if wanted in {entry.name.casefold(), *(alias.casefold() for alias in entry.aliases)}:
            return entry.name
    return next((entry.name for entry in entries if plainly(entry.name) == plain), None)


def plainly(name: str) -> str:
    """Return ``name`` without what servers write differently: "SGM Uniform" is "sgm_uniform"."""
    return "".join(mark for mark in name.casefold() if mark not in " _-")


def choose(backend: str, request: PaintRequest, lists: Lists, dialect: Dialect) -> Choice:
    """Return the server's own names for what ``request`` asks; raises ``RejectedError`` for unknown ones."""
    others = {}
    for named in capability.names(request):
        if named.listing is Listing.MODELS or named.listing not in _SELF_CHOSEN:
            entries = lists.get(named.listing, ())
            others[named.listing, named.name] = _known(backend, named.option, named.name, entries)
    sampler, scheduler = _sampling(request, lists)
    model = others.get((Listing.MODELS, request.model)) if request.model is not None else None
    loras = lists.get(Listing.LORAS)
    return Choice(
        model,
        _named(backend, "sampler", sampler, lists.get(Listing.SAMPLERS, ())),
        _named(backend, "scheduler", scheduler, lists.get(Listing.SCHEDULERS, ())),
        others,
        {} if dialect.tags else {entry.name: entry.file or entry.name for entry in loras or ()},
        loras is not None and any(find(lora.name, loras) is None for lora in in_prompt(request.prompt)),
    )


def _sampling(request: PaintRequest, lists: Lists) -> tuple[str | None, str | None]:
    """Return sampler and scheduler in the style of the server.

    Up to 1.8 the WebUI has no schedulers but combined names ("DPM++ 2M Karras"), as SD.Next has; from 1.9 on it
    has both lists. A request in either style is understood by all.
    """
    samplers, schedulers = lists.get(Listing.SAMPLERS, ()), lists.get(Listing.SCHEDULERS, ())
    sampler, scheduler = request.sampler, request.scheduler
    if scheduler is not None and plainly(scheduler) == _AUTOMATIC and find(scheduler, schedulers) is None:
        scheduler = None
    if sampler is not None and find(sampler, samplers) is None and scheduler is None:
        return _apart(sampler, samplers, schedulers)
    if sampler is not None and scheduler is not None and not schedulers:
        joined = find(f"{sampler} {scheduler}", samplers)
        return (joined, None) if joined else (sampler, scheduler)
    return sampler, scheduler


def _apart(name: str, samplers: tuple[Entry, ...], schedulers: tuple[Entry, ...]) -> tuple[str, str | None]:
    for scheduler in schedulers:
        sampler = name.removesuffix(f" {scheduler.name}")
        if sampler != name and find(sampler, samplers) is not None:
            return sampler, scheduler.name
    return name, None


def _named(backend: str, option: str, name: str | None, entries: tuple[Entry, ...]) -> str | None:
    return None if name is None else _known(backend, option, name, entries)


def _known(backend: str, option: str, name: str, entries: tuple[Entry, ...]) -> str:
    found = find(name, entries)
    if found is None:
        raise names.unknown(backend, option, name, _names(entries))
    return found


def _names(entries: tuple[Entry, ...]) -> Collection[str]:
    return [entry.name for entry in entries]


def _usable(listing: Listing, name: str) -> bool:
    return can_be_tagged(name) if listing is Listing.LORAS else name.casefold() != "none"


def _plain_names(answer: Any, key: str) -> list[str]:
    inside = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(inside, list | dict):
        raise ValueError("the answer holds no list")  # noqa: TRY004 - it is the answer that is wrong
    return [name for name in inside if isinstance(name, str) and name]


def _entry(item: Any, keys: tuple[str, ...]) -> Entry | None:
    """Read one item; ``aliases`` are lists, and a model's title, hash and file name stand for it too."""
    if not isinstance(item, dict):
        raise ValueError("the list holds something else")  # noqa: TRY004 - it is the answer that is wrong
    name = next((item[key] for key in keys if isinstance(item.get(key), str) and item[key]), None)
    if name is None:
        return None
    also = [item.get(key) for key in ("name", "alias", "label", "title", "hash")]
    listed = item.get("aliases")
    also += listed if isinstance(listed, list) else []
    if isinstance(item.get("filename"), str):
        also.append(item["filename"].replace("\\", "/").rpartition("/")[2])
    path = item.get("path")
    aliases = tuple(alias for alias in also if isinstance(alias, str) and alias)
    return Entry(name, aliases, path if isinstance(path, str) else "", telling.facts(item))
