"""Models in memory: loaded when they are needed, the longest unused given up for the next."""

import gc
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoPipelineForText2Image,
    ControlNetModel,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)

from bot.backends.diffusers import shelf
from bot.backends.diffusers.shelf import Shelf
from bot.backends.diffusers.trouble import Kind, Trouble, is_out_of_memory

GIB = 1 << 30


@dataclass(slots=True)
class Model:
    """A loaded checkpoint; ``config`` is its own scheduler's, ``worn`` the LoRAs in it, in order."""

    pipeline: Any
    config: Mapping[str, Any]
    xl: bool
    worn: tuple[str, ...] = field(default=())


class Library:
    """Loads by name what ``source`` has, on ``device``; keeps weights of at most ``cache_gb`` GiB.

    What is being painted with stays, however large it is. Raises ``Trouble``.
    """

    def __init__(self, source: str, device: str, cache_gb: float) -> None:
        self.device = device
        # Half precision is slow or missing on processors and unsure on Apple's.
        self.dtype = torch.float16 if device.startswith("cuda") else torch.float32
        self._source = source
        self._max_bytes = cache_gb * GIB
        self._kept: OrderedDict[tuple[str, str], tuple[Any, int]] = OrderedDict()
        self._painting: tuple[str, str] | None = None

    def shelf(self) -> Shelf:
        """Look at what there is now."""
        return shelf.look(self._source)

    @property
    def loaded(self) -> tuple[str, ...]:
        """The checkpoints in memory, the longest unused first."""
        return tuple(name for kind, name in self._kept if kind == "model")

    def model(self, name: str) -> Model:
        """Return a checkpoint."""
        self._painting = ("model", name)
        found: Model = self._held("model", name, lambda: self._load_model(name))
        return found

    def controls(self, names: Sequence[str], model: Model) -> list[Any]:
        """Return ControlNets, checked to be of the checkpoint's kind."""
        nets = [self._held("control", name, partial(self._load_control, name)) for name in names]
        width = model.pipeline.unet.config.cross_attention_dim
        for name, net in zip(names, nets, strict=True):
            if net.config.cross_attention_dim != width:
                raise Trouble(Kind.CONTROL, name)
        return nets

    def wear(self, model: Model, loras: Sequence[tuple[str, float]]) -> None:
        """Give a checkpoint these LoRAs by these weights, and no others."""
        names = tuple(dict.fromkeys(name for name, _ in loras))
        if names != model.worn:
            self._undress(model)
            files = self.shelf().loras
            try:
                for n, name in enumerate(names):
                    self._put_on(model, name, n, files.get(name))
            except BaseException:
                # What is on by then would be in everybody's pictures.
                self._undress(model)
                raise
            model.worn = names
        if names:
            weights = [sum(weight for each, weight in loras if each == name) for name in names]
            model.pipeline.set_adapters([_adapter(n) for n in range(len(names))], weights)

    def forget(self) -> None:
        """Give all memory back."""
        self._kept.clear()
        self.sweep()

    def sweep(self) -> None:
        """Give the memory back that nothing lies in any more."""
        gc.collect()
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        elif self.device == "mps":
            torch.mps.empty_cache()

    def _held(self, kind: str, name: str, load: Callable[[], tuple[Any, int]]) -> Any:
        key = (kind, name)
        if key not in self._kept:
            self._kept[key] = load()
        self._kept.move_to_end(key)
        self._make_room(0, keep={key})
        return self._kept[key][0]

    def _make_room(self, coming_bytes: int, keep: Collection[tuple[str, str]] = ()) -> None:
        """Give up what was not used for longest until the rest fits; a ControlNet never costs its model."""
        given_up = False
        for key in list(self._kept):
            if coming_bytes + sum(size for _, size in self._kept.values()) <= self._max_bytes:
                break
            if key not in keep and key != self._painting:
                del self._kept[key]
                given_up = True
        if given_up:
            self.sweep()

    def _load_model(self, name: str) -> tuple[Model, int]:
        known = self.shelf()
        path = known.models.get(name)
        if path is None:
            raise Trouble(Kind.MODEL, name)
        self._make_room(shelf.weight_bytes(path))
        try:
            pipeline = self._opened(path, known)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            raise Trouble(Kind.MODEL, name) from error
        known_kind = isinstance(pipeline, StableDiffusionPipeline | StableDiffusionXLPipeline)
        # Models made for inpainting alone read more channels.
        if not known_kind or pipeline.unet.config.in_channels != pipeline.vae.config.latent_channels:
            raise Trouble(Kind.FAMILY, name)
        pipeline.to(self.device)
        pipeline.vae.enable_slicing()
        model = Model(pipeline, dict(pipeline.scheduler.config), isinstance(pipeline, StableDiffusionXLPipeline))
        return model, sum(_weight(part) for part in pipeline.components.values())

    def _opened(self, path: Path | str, known: Shelf) -> Any:
        if isinstance(path, Path) and path.is_file():
            return self._opened_file(path, known)
        variant = "fp16" if isinstance(path, Path) and shelf.is_half(path) else None
        return AutoPipelineForText2Image.from_pretrained(
            path, dtype=self.dtype, variant=variant, safety_checker=None, requires_safety_checker=False
        )

    def _opened_file(self, path: Path, known: Shelf) -> Any:
        """Open a checkpoint in one file; its configuration is that of a folder of its kind, or the hub's."""
        kind = StableDiffusionXLPipeline if shelf.is_xl(path) else StableDiffusionPipeline
        folder = shelf.kin(path, known)
        more: dict[str, Any] = {} if kind is StableDiffusionXLPipeline else {"safety_checker": None}
        if folder is not None:
            more["config"] = str(folder)
        try:
            return kind.from_single_file(str(path), dtype=self.dtype, **more)
        except OSError as error:
            if folder is None:
                raise Trouble(Kind.CONFIGURATION, path.stem) from error
            raise

    def _load_control(self, name: str) -> tuple[Any, int]:
        path = self.shelf().controls.get(name)
        if path is None:
            raise Trouble(Kind.CONTROL, name)
        self._make_room(shelf.weight_bytes(path))
        try:
            net = ControlNetModel.from_pretrained(path, dtype=self.dtype)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            raise Trouble(Kind.CONTROL, name) from error
        net.to(self.device)
        return net, _weight(net)

    def _put_on(self, model: Model, name: str, n: int, file: Path | None) -> None:
        try:
            if file is None:
                raise Trouble(Kind.LORA, name)
            model.pipeline.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name=_adapter(n))
        except (OSError, ValueError, KeyError, RuntimeError, IndexError) as error:
            if is_out_of_memory(error):
                raise
            raise Trouble(Kind.LORA, name) from error
        if _adapter(n) not in {each for found in model.pipeline.get_list_adapters().values() for each in found}:
            # diffusers passes over a file in which nothing fits.
            raise Trouble(Kind.LORA, name)

    def _undress(self, model: Model) -> None:
        model.pipeline.unload_lora_weights()
        model.worn = ()


def best_device() -> str:
    """Return the fastest kind of device that is there."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def is_usable(device: str) -> bool:
    """Return whether a device of this name is there."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError):
        return False
    return True


def _adapter(n: int) -> str:
    """Return a name for peft, which cannot bear the dots that files have in theirs."""
    return f"lora_{n}"


def _weight(part: Any) -> int:
    if not isinstance(part, torch.nn.Module):
        return 0
    return sum(each.numel() * each.element_size() for each in (*part.parameters(), *part.buffers()))
