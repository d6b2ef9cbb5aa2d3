"""What a WebUI lists, and which of its names a request means."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from bot.backends import names
from bot.backends.decoding import elements
from bot.domain.capability import Capabilities, Feature, Listing
from bot.domain.request import PaintRequest
from bot.domain.text import N_
from bot.prompting.loras import can_be_tagged

PATHS = {
    Listing.MODELS: "sd-models",
    Listing.SAMPLERS: "samplers",
    Listing.SCHEDULERS: "schedulers",
    Listing.LORAS: "loras",
    Listing.UPSCALERS: "upscalers",
    Listing.VAES: "sd-vae",
}
"""Below ``/sdapi/v1/``."""
NEEDED = frozenset({Listing.MODELS, Listing.SAMPLERS})
"""Lists that every kin of the WebUI has; each of the others is missing somewhere."""
_KEYS = {
    Listing.MODELS: ("model_name", "title"),
    Listing.SCHEDULERS: ("label", "name"),
    Listing.VAES: ("model_name",),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed name with the other names the server knows it by."""

    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The names that go on the wire; ``None`` leaves the choice to the server."""

    model: str | None
    sampler: str | None
    scheduler: str | None


def read(listing: Listing, body: bytes | bytearray) -> tuple[Entry, ...]:
    """Read a list's answer; raises ``ValueError`` if it is none."""
    keys = _KEYS.get(listing, ("name",))
    found = (_entry(item, keys) for item in elements(body))
    return tuple(entry for entry in found if entry is not None and _usable(listing, entry.name))


def capabilities(lists: dict[Listing, tuple[Entry, ...]], options: Any) -> Capabilities:
    """Return the plain names and the model that is loaded, going by ``GET /options``."""
    title = options.get("sd_model_checkpoint") if isinstance(options, dict) else None
    loaded = find(title, lists.get(Listing.MODELS, ())) if isinstance(title, str) else None
    plain = {listing: tuple(entry.name for entry in entries) for listing, entries in lists.items()}
    return Capabilities(plain, frozenset({Feature.IMG2IMG}), loaded)


def find(name: str, entries: Iterable[Entry]) -> str | None:
    """Return the listed name that ``name`` or one of its aliases is; capitals do not matter."""
    wanted = name.casefold()
    for entry in entries:
        if wanted in {entry.name.casefold(), *(alias.casefold() for alias in entry.aliases)}:
            return entry.name
    return None


def choose(backend: str, request: PaintRequest, lists: dict[Listing, tuple[Entry, ...]]) -> Choice:
    """Return the server's own names for what ``request`` asks; raises ``RejectedError`` for unknown ones.

    Up to 1.8 the WebUI has no schedulers but combined names ("DPM++ 2M Karras"); from 1.9 on it has both
    lists. A request in either style is understood by both.
    """
    names.check_loras(backend, request.loras, _names(lists.get(Listing.LORAS, ())))
    model = _named(backend, N_("model"), request.model, lists.get(Listing.MODELS, ()))
    samplers, schedulers = lists.get(Listing.SAMPLERS, ()), lists.get(Listing.SCHEDULERS, ())
    sampler, scheduler = request.sampler, request.scheduler
    if sampler is not None and find(sampler, samplers) is None and scheduler is None:
        sampler, scheduler = _apart(sampler, samplers, schedulers)
    elif sampler is not None and scheduler is not None and not schedulers:
        joined = find(f"{sampler} {scheduler}", samplers)
        sampler, scheduler = (joined, None) if joined else (sampler, scheduler)
    return Choice(
        model,
        _named(backend, N_("sampler"), sampler, samplers),
        _named(backend, N_("scheduler"), scheduler, schedulers),
    )


def _apart(name: str, samplers: tuple[Entry, ...], schedulers: tuple[Entry, ...]) -> tuple[str, str | None]:
    for scheduler in schedulers:
        sampler = name.removesuffix(f" {scheduler.name}")
        if sampler != name and find(sampler, samplers) is not None:
            return sampler, scheduler.name
    return name, None


def _named(backend: str, option: str, name: str | None, entries: tuple[Entry, ...]) -> str | None:
    if name is None:
        return None
    found = find(name, entries)
    if found is None:
        raise names.unknown(backend, option, name, _names(entries))
    return found


def _names(entries: tuple[Entry, ...]) -> Collection[str]:
    return [entry.name for entry in entries]


def _usable(listing: Listing, name: str) -> bool:
    return can_be_tagged(name) if listing is Listing.LORAS else name != "None"


def _entry(item: Any, keys: tuple[str, ...]) -> Entry | None:
    """Read one item; ``aliases`` are lists, and a model's title, hash and file name stand for it too."""
    if not isinstance(item, dict):
        raise ValueError("the list holds something else")  # noqa: TRY004 - it is the answer that is wrong
    name = next((item[key] for key in keys if isinstance(item.get(key), str) and item[key]), None)
    if name is None:
        return None
    also = [item.get(key) for key in ("name", "label", "title", "hash")]
    listed = item.get("aliases")
    also += listed if isinstance(listed, list) else []
    if isinstance(item.get("filename"), str):
        also.append(item["filename"].replace("\\", "/").rpartition("/")[2])
    return Entry(name, tuple(alias for alias in also if isinstance(alias, str) and alias))
