"""One call of a pipeline: pictures of the same shape, each with a prompt and a seed of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting, AutoPipelineForText2Image

from bot.backends.diffusers import encoder, sampling
from bot.backends.diffusers.encoder import Text
from bot.backends.diffusers.library import Library, Model
from bot.backends.diffusers.order import LATENT_PX, Order, Second
from bot.imaging.pixels import Pixels, enlarged

LATENT_UPSCALERS = {
    "Latent": "bilinear",
    "Latent (bicubic)": "bicubic",
    "Latent (nearest-exact)": "nearest-exact",
}
_TILED_PIXELS = 1536 * 1536
"""From this many pixels on the VAE works in tiles: the whole would take gigabytes."""
Step = Callable[[int, int, Any], None]
"""Called after each step with how many are done, how many there are, and the latents of all pictures."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to be painted, as a tensor's row: sizes are the order's."""

    seed: int
    text: Text
    source: bytes | None = field(default=None, repr=False)
    mask: bytes | None = field(default=None, repr=False)
    hints: tuple[bytes, ...] = field(default=(), repr=False)


class Painter:
    """Paints with the models of ``library``."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def made_ready(self, order: Order) -> Model:
        """Load what ``order`` needs, LoRAs included."""
        model = self._library.model(order.model)
        self._library.wear(model, order.loras)
        return model

    def read(self, model: Model, order: Order) -> Text:
        """Return the order's prompts as the model reads them."""
        return encoder.encode(model.pipeline, order.prompt, order.negative_prompt, order.clip_skip)

    def paint(self, model: Model, order: Order, pictures: Sequence[Picture], step: Step) -> list[Pixels | None]:
        """Paint in one call what has the shape of ``order``; what ``step`` raises ends it.

        Every picture has a generator of its own, so that each can be painted again without the others. ``None``
        stands for one that came to numbers which are none, as very heavy emphasis does in half precision.
        """
        nets = self._library.controls([guide.model for guide in order.guides], model)
        run = _Run(model, order, pictures, nets, step, self._library.device)
        with _tiles(model.pipeline, order), torch.no_grad():
            found = run.first() if order.second is None else run.second(order.second, run.first())
        whole = [bool(torch.isfinite(each).all()) for each in found]
        levels = (found.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().contiguous()
        width, height = order.size
        return [
            Pixels(width, height, each.numpy().tobytes()) if fine else None
            for each, fine in zip(levels, whole, strict=True)
        ]


class _Run:
    def __init__(
        self, model: Model, order: Order, pictures: Sequence[Picture], nets: list[Any], step: Step, device: str
    ) -> None:
        self._model = model
        self._order = order
        self._pictures = pictures
        self._nets = nets
        self._step = step
        self._device = device
        self._before = 0
        self._hints = [
            self._stacked([picture.hints[n] for picture in pictures], channels=3) for n in range(len(nets))
        ]

    def first(self) -> Any:
        """Paint at the order's own size; latents if a second pass goes on with them."""
        order, more, auto = self._order, {}, AutoPipelineForText2Image
        if order.has_source:
            auto = AutoPipelineForImage2Image
            image = self._stacked([picture.source for picture in self._pictures], channels=3)
            more = {"image": image, "strength": max(order.strength, 1 / order.steps)}
            if order.has_mask:
                auto = AutoPipelineForInpainting
                mask = self._stacked([picture.mask for picture in self._pictures], channels=1)
                image = image.lerp(torch.full_like(image, 0.5), mask) if order.blank else image
                more |= {"image": image, "mask_image": mask, "width": order.width, "height": order.height}
        else:
            more = {"width": order.width, "height": order.height}
        latent = order.second is not None and order.second.upscaler in LATENT_UPSCALERS
        later = 0.0
        if order.second is not None:
            later = order.second.steps * order.second.strength / order.steps
        return self._call(auto, order.steps, more, self._guided(auto, self._hints), latent=latent, later=later)

    def second(self, second: Second, found: Any) -> Any:
        """Paint once more over what the first pass left, larger."""
        size = (second.height, second.width)
        if second.upscaler in LATENT_UPSCALERS:
            mode = LATENT_UPSCALERS[second.upscaler]
            latents = (second.height // LATENT_PX, second.width // LATENT_PX)
            image = torch.nn.functional.interpolate(found, size=latents, mode=mode)
        else:
            image = self._enlarged(found, second)
        hints = [torch.nn.functional.interpolate(hint, size=size, mode="bilinear") for hint in self._hints]
        more = {"image": image, "strength": max(second.strength, 1 / second.steps)}
        auto = AutoPipelineForImage2Image
        return self._call(auto, second.steps, more, self._guided(auto, hints))

    def _call(
        self,
        auto: Any,
        steps: int,
        more: dict[str, Any],
        guidance: dict[str, Any],
        *,
        latent: bool = False,
        later: float = 0.0,
    ) -> Any:
        """Run one pass; ``later`` is how long what follows it takes, by its own length."""
        nets = {"controlnet": self._nets if len(self._nets) > 1 else self._nets[0]} if self._nets else {}
        pipeline = auto.from_pipe(self._model.pipeline, **nets)
        pipeline.set_progress_bar_config(disable=True)
        # Schedulers have state, and pipelines made of one another share theirs.
        pipeline.scheduler = sampling.build(self._order.sampler, self._order.scheduler, self._model.config)

        def after(running: Any, done: int, _: Any, values: dict[str, Any]) -> dict[str, Any]:
            whole = self._before + round(running.num_timesteps * (1 + later))
            self._step(self._before + done + 1, whole, values["latents"])
            return values

        found = pipeline(
            num_inference_steps=steps,
            guidance_scale=self._order.cfg_scale,
            generator=[torch.Generator("cpu").manual_seed(picture.seed) for picture in self._pictures],
            output_type="latent" if latent else "pt",
            callback_on_step_end=after,
            **self._texts(),
            **more,
            **guidance,
        ).images
        self._before += pipeline.num_timesteps
        return found

    def _texts(self) -> dict[str, Any]:
        texts = [picture.text for picture in self._pictures]
        found = {
            "prompt_embeds": torch.cat([text.positive for text in texts]),
            "negative_prompt_embeds": torch.cat([text.negative for text in texts]),
        }
        if self._model.xl:
            found["pooled_prompt_embeds"] = torch.cat([text.pooled for text in texts])
            found["negative_pooled_prompt_embeds"] = torch.cat([text.negative_pooled for text in texts])
        return found

    def _guided(self, auto: Any, hints: list[Any]) -> dict[str, Any]:
        guides = self._order.guides
        if not guides:
            return {}
        several = len(guides) > 1
        values = {
            "image" if auto is AutoPipelineForText2Image else "control_image": hints,
            "controlnet_conditioning_scale": [guide.weight for guide in guides],
            "control_guidance_start": [guide.start for guide in guides],
            "control_guidance_end": [guide.end for guide in guides],
        }
        alone = {"guess_mode": any(guide.alone for guide in guides)}
        return (values if several else {key: value[0] for key, value in values.items()}) | alone

    def _enlarged(self, found: Any, second: Second) -> Any:
        levels = (found.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().contiguous()
        size = (self._order.width, self._order.height)
        large = [
            enlarged(Pixels(*size, each.numpy().tobytes()), second.width, second.height).data for each in levels
        ]
        return _tensor(large, second.width, second.height, 3).to(self._device)

    def _stacked(self, pictures: Sequence[bytes | None], channels: int) -> Any:
        given = [picture for picture in pictures if picture is not None]
        return _tensor(given, self._order.width, self._order.height, channels).to(self._device)


def _tensor(pictures: Sequence[bytes], width: int, height: int, channels: int) -> Any:
    rows = [
        torch.frombuffer(bytearray(data), dtype=torch.uint8).view(height, width, channels) for data in pictures
    ]
    return torch.stack(rows).permute(0, 3, 1, 2).float() / 255


@contextmanager
def _tiles(pipeline: Any, order: Order) -> Iterator[None]:
    """Have the VAE work in tiles if the picture is large, and all edges meet if it is to be a tile itself."""
    width, height = order.size
    large = width * height > _TILED_PIXELS
    parts = (pipeline.unet, pipeline.vae) if order.tiling else ()
    layers = [layer for part in parts for layer in part.modules() if isinstance(layer, torch.nn.Conv2d)]
    if large:
        pipeline.vae.enable_tiling()
    for layer in layers:
        layer.padding_mode = "circular"
    try:
        yield
    finally:
        for layer in layers:
            layer.padding_mode = "zeros"
        if large:
            pipeline.vae.disable_tiling()
