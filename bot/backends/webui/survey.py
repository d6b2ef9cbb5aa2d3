"""What one server of the WebUI's family is and has, asked anew each time: kin, lists, extensions, memory."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from bot.backends import errors
from bot.backends.decoding import Decoder
from bot.backends.webui import dialect, extensions, listings
from bot.backends.webui.dialect import Dialect
from bot.backends.webui.extensions import ADETAILER, CONTROLNET, Swapper
from bot.backends.webui.listings import Entry
from bot.backends.wire import Pace, Wire
from bot.domain.capability import Capabilities, Feature, Listing, ModelFacts
from bot.domain.errors import AuthError, BackendError, NotEnabledError, UnreachableError

T = TypeVar("T")
Args = TypeVarTuple("Args")
API = "/sdapi/v1/"
NEEDED = {Listing.MODELS: f"{API}sd-models", Listing.SAMPLERS: f"{API}samplers"}
"""Lists that every kin has; each of the others is missing somewhere."""
_PATHS = {
    Listing.SCHEDULERS: f"{API}schedulers",
    Listing.LORAS: f"{API}loras",
    Listing.UPSCALERS: f"{API}upscalers",
    Listing.HIRES_UPSCALERS: f"{API}latent-upscale-modes",
    Listing.EMBEDDINGS: f"{API}embeddings",
    Listing.HYPERNETWORKS: f"{API}hypernetworks",
    Listing.STYLES: f"{API}prompt-styles",
    Listing.FACE_RESTORERS: f"{API}face-restorers",
    Listing.CONTROL_MODELS: "/controlnet/model_list",
    Listing.CONTROL_MODULES: "/controlnet/module_list",
    Listing.DETAILERS: "/adetailer/v1/ad_model",
}
_FACTS = {
    "options": f"{API}options",
    "memory": f"{API}memory",
    "installed": f"{API}scripts",
    "script-info": f"{API}script-info",
}
"""None is called as a list is: all answers stand side by side."""
_PROBES = {
    Feature.UPSCALE: (f"{API}extra-single-image", b'{"image": {}}'),
    Feature.INTERROGATE: (f"{API}interrogate", b'{"image": {}}'),
    # With the model "None" it does nothing.
    Feature.CUTOUT: ("/rembg", b'{"input_image": "", "model": "None"}'),
}
"""Requests that do nothing where there is such a route: they are refused before any work begins."""
_BELONGS = {
    Listing.HIRES_UPSCALERS: Feature.HIRES,
    Listing.CONTROL_MODELS: Feature.CONTROL,
    Listing.CONTROL_MODULES: Feature.CONTROL,
    Listing.DETAILERS: Feature.DETAIL,
    Listing.UPSCALERS: Feature.UPSCALE,
    Listing.INTERROGATORS: Feature.INTERROGATE,
    Listing.CUTTERS: Feature.CUTOUT,
}
"""Lists that mean nothing without a feature."""
INTERROGATORS = ("clip", "deepdanbooru")
CUTTERS = (
    "u2net",
    "u2netp",
    "u2net_human_seg",
    "u2net_cloth_seg",
    "silueta",
    "isnet-general-use",
    "isnet-anime",
)
"""What stable-diffusion-webui-rembg can load; it has no route that tells."""
_REFINER = "refiner"
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Survey:
    """One look at a server: ``found`` holds its answers by question, each ``None`` where it has no such thing."""

    dialect: Dialect
    version: str
    found: Mapping[Any, Any]
    lists: Mapping[Listing, tuple[Entry, ...]]
    features: frozenset[Feature]
    swapper: Swapper | None

    def capabilities(self) -> Capabilities:
        """Return it in plain names; the loaded model is the one ``GET /options`` tells."""
        options = self.found.get("options")
        title = options.get("sd_model_checkpoint") if isinstance(options, dict) else None
        loaded = listings.find(title, self.lists[Listing.MODELS]) if isinstance(title, str) else None
        plain = {listing: tuple(entry.name for entry in entries) for listing, entries in self.lists.items()}
        kin = f"{self.dialect.name} {self.version}".strip()
        return Capabilities(
            plain,
            self.features,
            loaded,
            kin,
            _memory(self.found.get("memory")),
            models=self._told(Listing.MODELS),
            loras=self._told(Listing.LORAS),
        )

    def _told(self, listing: Listing) -> dict[str, ModelFacts]:
        return {entry.name: entry.facts for entry in self.lists.get(listing, ()) if entry.facts is not None}


class Surveyor:
    """Asks one server. Lists it must have are waited for; the others get a few seconds, all at once."""

    def __init__(self, name: str, wire: Wire, decoder: Decoder, pace: Pace) -> None:
        self._name = name
        self._wire = wire
        self._decoder = decoder
        self._optional_s = pace.get_s / 2

    async def listing(self, listing: Listing, path: str) -> tuple[Entry, ...]:
        """Ask for one list."""
        body = await (self._wire.get(path) if listing in NEEDED else self._wire.fetch("GET", path))
        try:
            return await self._decoder.run(listings.read, listing, body)
        except ValueError as error:
            raise errors.broken(self._name) from error

    async def options(self) -> dict[str, Any]:
        """Ask for the server's own settings."""
        answer = await self._json(_FACTS["options"])
        if not isinstance(answer, dict):
            raise errors.broken(self._name)
        return answer

    async def survey(self, last: Survey | None) -> Survey:
        """Ask for everything; what fails for a moment is as it was in ``last``. Raises ``BackendError``."""
        needed = {listing: self.listing(listing, path) for listing, path in NEEDED.items()}
        kin = await self._all({**needed, **self._kin()}, last)
        for listing in NEEDED:
            if isinstance(kin[listing], BackendError):
                raise kin[listing]
        hashes = {alias for entry in kin[Listing.MODELS] for alias in entry.aliases}
        speaks = dialect.recognise(hashes, kin["version"], kin["modules"], kin["sdcpp"])
        paths = {**_PATHS, Listing.VAES: f"{API}{speaks.vaes}"}
        if speaks.joins:
            del paths[Listing.SCHEDULERS]
        found = kin | await self._all(
            {
                **{listing: self._bounded(self.listing, listing, path) for listing, path in paths.items()},
                **{name: self._bounded(self._json, path) for name, path in _FACTS.items()},
                **{feature: self._bounded(self._probe, *probe) for feature, probe in _PROBES.items()},
            },
            last,
        )
        return _survey(speaks, found)

    def _kin(self) -> dict[str, Awaitable[Any]]:
        return {
            "version": self._bounded(self._json, f"{API}version"),
            "modules": self._bounded(self._json, f"{API}sd-modules"),
            "sdcpp": self._bounded(self._json, "/sdcpp/v1/capabilities"),
        }

    async def _all(self, questions: Mapping[Any, Awaitable[Any]], last: Survey | None) -> dict[Any, Any]:
        """Return the answers by question; a needed one's failure is its answer."""
        answers = await asyncio.gather(*questions.values(), return_exceptions=True)
        found: dict[Any, Any] = {}
        for question, answer in zip(questions, answers, strict=True):
            if isinstance(answer, NotEnabledError) and question not in NEEDED:
                found[question] = None
            elif isinstance(answer, BackendError | TimeoutError):
                before = last.found.get(question) if last else None
                found[question] = answer if question in NEEDED else before
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found[question] = answer
        return found

    async def _bounded(self, ask: Callable[[*Args], Awaitable[T]], *args: *Args) -> T:
        # Not a coroutine made outside: nobody would await it if this one were cancelled before it began.
        async with asyncio.timeout(self._optional_s):
            return await ask(*args)

    async def _json(self, path: str) -> Any:
        body = await self._wire.fetch("GET", path)
        try:
            return await self._decoder.run(json.loads, body)
        except (ValueError, RecursionError) as error:
            raise errors.broken(self._name) from error

    async def _probe(self, path: str, body: bytes) -> bool:
        """Return whether there is such a route: whatever it says but "not found"."""
        try:
            await self._wire.fetch("POST", path, body)
        except (NotEnabledError, UnreachableError, AuthError):
            raise
        except BackendError:
            pass
        return True


def _survey(speaks: Dialect, found: Mapping[Any, Any]) -> Survey:
    """Make of the answers what people can choose: nothing that only looks as if it were there."""
    scripts = _scripts(found.get("installed"))
    swapper = extensions.swapper(found.get("script-info"))
    has = {
        Feature.CONTROL: CONTROLNET in scripts and bool(found.get(Listing.CONTROL_MODELS)),
        Feature.DETAIL: ADETAILER in scripts,
        Feature.FACE_SWAP: swapper is not None,
        Feature.REFINER: _REFINER in scripts,
        Feature.RESTORE_FACES: bool(found.get(Listing.FACE_RESTORERS)),
        **{feature: bool(found.get(feature)) for feature in _PROBES},
    }
    features = speaks.features | {feature for feature, there in has.items() if there} - speaks.never
    lists = _lists(found, features)
    if selectable := _selectable(found.get("script-info"), scripts):
        lists[Listing.SCRIPTS] = _entries(selectable)
    return Survey(speaks, _version(found.get("version")), found, lists, features, swapper)


def _lists(found: Mapping[Any, Any], features: frozenset[Feature]) -> dict[Listing, tuple[Entry, ...]]:
    """Return the lists without those whose feature is not there, and with those that no route tells."""
    lists = {listing: entries for listing in Listing if (entries := found.get(listing)) is not None}
    latent, upscalers = (lists.get(each, ()) for each in (Listing.HIRES_UPSCALERS, Listing.UPSCALERS))
    lists[Listing.HIRES_UPSCALERS] = (*latent, *upscalers)
    lists.setdefault(Listing.DETAILERS, _entries(extensions.DETAILERS))
    lists[Listing.INTERROGATORS] = _entries(INTERROGATORS)
    lists[Listing.CUTTERS] = _entries(CUTTERS)
    return {listing: entries for listing, entries in lists.items() if _BELONGS.get(listing) in {None, *features}}


def _entries(names: tuple[str, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(name) for name in names)


def _scripts(answer: Any) -> tuple[str, ...]:
    """Return all scripts in lower case, those of txt2img first."""
    if not isinstance(answer, dict):
        return ()
    told = [names for names in answer.values() if isinstance(names, list)]
    return tuple(dict.fromkeys(str(name).casefold() for names in told for name in names))


def _selectable(script_info: Any, scripts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scripts one can choose: those that do not run with every picture."""
    told = script_info if isinstance(script_info, list) else []
    always = {
        str(script.get("name")).casefold()
        for script in told
        if isinstance(script, dict) and script.get("is_alwayson")
    }
    return tuple(script for script in scripts if script not in always)


def _version(answer: Any) -> str:
    parts = [answer.get("updated"), answer.get("commit")] if isinstance(answer, dict) else []
    return " ".join(part for part in parts if isinstance(part, str))


def _memory(answer: Any) -> dict[str, str]:
    """Return how much graphics memory is free, or how much of the computer's if it has none of its own."""
    for kind, where in (("VRAM", ("cuda", "system")), ("RAM", ("ram",))):
        told: Any = answer
        for key in where:
            told = told.get(key) if isinstance(told, dict) else None
        if isinstance(told, dict) and all(isinstance(told.get(key), int | float) for key in ("free", "total")):
            return {kind: f"{told['free'] / _GIB:.1f} of {told['total'] / _GIB:.1f} GiB free"}
    return {}
