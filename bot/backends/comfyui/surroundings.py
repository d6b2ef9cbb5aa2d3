"""What a ComfyUI has: asked for at a start and from time to time, and kept until it is asked again."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.backends import errors
from bot.backends.comfyui import listings, nodes, workflows
from bot.backends.comfyui.listings import Lists
from bot.backends.comfyui.nodes import CORE, NEEDED, PREPROCESSORS, Nodes
from bot.backends.comfyui.trouble import not_comfyui
from bot.backends.comfyui.workflows import Preset
from bot.backends.wire import Wire
from bot.domain.capability import Capabilities
from bot.domain.errors import NotEnabledError, ProtocolError

_AT_ONCE = 8
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A server's nodes, its lists under people's names, the admins' graphs it can run, and facts for admins.

    ``problems`` says by file why the other graphs cannot be used.
    """

    nodes: Nodes = field(default_factory=lambda: Nodes({}))
    lists: Lists = field(default_factory=dict)
    presets: Mapping[str, Preset] = field(default_factory=dict)
    kin: str = "ComfyUI"
    facts: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def capabilities(self, model: str | None) -> Capabilities:
        """Return them as services see them; ``model`` is the one it painted with last."""
        plain = {listing: tuple(entry.name for entry in entries) for listing, entries in self.lists.items()}
        return Capabilities(plain, listings.features(self.nodes, self.lists), model, self.kin, self.facts)


class Scout:
    """Asks a server; ``folder`` holds the admins' graphs, which are read anew each time."""

    def __init__(self, backend: str, wire: Wire, folder: Path | None) -> None:
        self._backend = backend
        self._wire = wire
        self._folder = folder

    async def look(self) -> Surroundings:
        """Ask for everything; raises ``BackendError`` if it is no ComfyUI that can paint."""
        stats = await self.stats()
        presets, problems = await asyncio.to_thread(workflows.load, self._folder)
        kinds = dict.fromkeys((*CORE, *PREPROCESSORS.values()))
        kinds |= dict.fromkeys(kind for preset in presets.values() for kind in sorted(preset.classes()))
        known = await self._nodes(tuple(kinds))
        if not known.has(*NEEDED):
            raise not_comfyui(self._backend)
        unfit = {f"{name}.json": workflows.unfit(preset, known) for name, preset in presets.items()}
        problems |= {file: problem for file, problem in unfit.items() if problem is not None}
        sound = {name: preset for name, preset in presets.items() if f"{name}.json" not in problems}
        lists = listings.read(known, await self._embeddings(), sound)
        kin = f"ComfyUI {stats.get('comfyui_version', '')}".strip()
        return Surroundings(known, lists, sound, kin, _facts(stats, problems), problems)

    async def stats(self) -> dict[str, Any]:
        """Return what the server says of itself; raises the ``BackendError`` that says why it does not."""
        answer = await self._json("/system_stats")
        system = answer.get("system") if isinstance(answer, dict) else None
        if not isinstance(system, dict):
            raise errors.broken(self._backend)
        devices = answer.get("devices")
        return {**system, "devices": devices if isinstance(devices, list) else []}

    async def _nodes(self, kinds: tuple[str, ...]) -> Nodes:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def entry(kind: str) -> dict[str, Any] | None:
            async with gate:
                body = await self._wire.get(f"/object_info/{quote(kind, safe='')}")
            try:
                return nodes.read(kind, body)
            except ValueError as error:
                raise errors.broken(self._backend) from error

        answers = await asyncio.gather(*(entry(kind) for kind in kinds))
        return Nodes({kind: answer for kind, answer in zip(kinds, answers, strict=True) if answer is not None})

    async def _embeddings(self) -> list[Any]:
        try:
            answer = await self._json("/embeddings")
        except (NotEnabledError, ProtocolError):
            return []
        return answer if isinstance(answer, list) else []

    async def _json(self, path: str) -> Any:
        try:
            return json.loads(await self._wire.get(path))
        except ValueError as error:
            raise errors.broken(self._backend) from error


def _facts(stats: Mapping[str, Any], problems: Mapping[str, str]) -> dict[str, str]:
    facts = {"pytorch": str(stats["pytorch_version"])} if "pytorch_version" in stats else {}
    for device in stats["devices"]:
        if isinstance(device, dict) and isinstance(device.get("vram_total"), int):
            facts["device"] = f"{device.get('name')}, {device['vram_total'] / _GIB:.0f} GiB"
            break
    return {**facts, **{f"workflow {file}": problem for file, problem in problems.items()}}
