"""What there is to paint with: models, LoRAs and ControlNets in folders."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SUFFIX = ".safetensors"
INDEX = "model_index.json"
_CONFIG = "config.json"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_CONTEXT = re.compile(r"model\.diffusion_model\.input_blocks\..*\.attn2\.to_k\.weight")
_MAX_HEADER_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shelf:
    """Files and folders by the names people choose them by; a model may also be a hub's id.

    ``absent``: that is not on this machine yet. ``families`` are those of the models whose folder tells.
    """

    models: Mapping[str, Path | str]
    loras: Mapping[str, Path] = field(default_factory=dict)
    controls: Mapping[str, Path] = field(default_factory=dict)
    absent: bool = False
    families: Mapping[str, str] = field(default_factory=dict)


def look(source: str) -> Shelf:
    """Return what there is now; without any model if ``source`` is nothing that can be painted with.

    ``source`` is one model (a folder of diffusers, a ``.safetensors`` file, a hub's id), or a folder with
    several in it or in its ``models``. LoRAs lie in ``loras`` and ControlNets (folders: their files alone do not
    say what they are) in ``controlnets`` beside them.
    """
    path = Path(source).expanduser()
    if path.is_dir() and not (path / INDEX).is_file():
        models = dict(_named(each for folder in (path, path / "models") for each in _inside(folder)))
        return _beside(path, models)
    if path.is_dir() or (path.is_file() and path.suffix == SUFFIX):
        return _beside(path.resolve().parent, dict(_named([path.resolve()])))
    if _HUB_ID.fullmatch(source) and not path.exists():
        return Shelf({source: source}, absent=not _is_cached(source))
    return Shelf({})


def weight_bytes(path: Path | str) -> int:
    """Return about how many bytes a model's weights are, by its files; 0 for one that is not here yet."""
    if isinstance(path, str):
        return 0
    files = [path] if path.is_file() else path.rglob(f"*{SUFFIX}")
    return sum(file.stat().st_size for file in files)


def is_half(folder: Path) -> bool:
    """Return whether a folder of diffusers holds its weights in half precision only."""
    half = any(folder.glob(f"*/*.fp16{SUFFIX}"))
    return half and not any(".fp16." not in file.name for file in folder.glob(f"unet/*{SUFFIX}"))


def is_xl(checkpoint: Path) -> bool:
    """Return whether a checkpoint in one file is of SDXL's kind, by the names in it."""
    return any(name.startswith("conditioner.embedders.") for name in _header(checkpoint))


def kin(checkpoint: Path, shelf: Shelf) -> Path | None:
    """Return a folder of diffusers whose configuration fits a checkpoint in one file, which has none itself.

    It is one of the models on the shelf, or lies beside the file. The width of what its attention reads from the
    text tells the families apart. Raises ``OSError`` or ``ValueError`` if the file cannot be read.
    """
    width = next((entry["shape"][1] for name, entry in _header(checkpoint).items() if _CONTEXT.match(name)), None)
    for path in (*shelf.models.values(), *sorted(checkpoint.parent.iterdir())):
        config = Path(path) / "unet" / _CONFIG
        if config.is_file() and json.loads(config.read_bytes()).get("cross_attention_dim") == width:
            return Path(path)
    return None


def _is_cached(hub_id: str) -> bool:
    """Return whether the hub's library keeps a model on this machine (its docs, Understand caching)."""
    home = os.environ.get("HF_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    cache = Path(os.environ.get("HF_HUB_CACHE") or f"{home}/hub").expanduser()
    return any((cache / f"models--{hub_id.replace('/', '--')}" / "snapshots").glob(f"*/{INDEX}"))


def _beside(folder: Path, models: Mapping[str, Path | str]) -> Shelf:
    loras = sorted((folder / "loras").rglob(f"*{SUFFIX}"))
    controls = sorted((folder / "controlnets").glob("*"))
    usable = [path for path in controls if (path / _CONFIG).is_file()]
    families = {name: family for name, path in models.items() if (family := _family(Path(path)))}
    return Shelf(models, dict(_named(loras)), dict(_named(usable)), families=families)


def _family(folder: Path) -> str:
    """Return the family of a model in a folder, by the width of what its attention reads from the text."""
    try:
        width = json.loads((folder / "unet" / _CONFIG).read_bytes()).get("cross_attention_dim")
    except (OSError, ValueError, AttributeError):
        return ""
    return {768: "SD 1.5", 1024: "SD 2", 2048: "SDXL"}.get(width, "")


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*")):
        if (path.is_file() and path.suffix == SUFFIX) or (path / INDEX).is_file():
            yield path


def _named(paths: Any) -> Iterator[tuple[str, Path]]:
    for path in paths:
        yield path.name.removesuffix(SUFFIX), path


def _header(path: Path) -> dict[str, Any]:
    """Read what a file says of its weights, without them (the format of safetensors)."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _MAX_HEADER_BYTES:
            raise ValueError("the header is longer than any")
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header
