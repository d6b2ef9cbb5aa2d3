"""What latents look like, without the VAE: a mix of their four channels into three colours."""

from typing import Any

import torch

from bot.imaging.pixels import Pixels
from bot.imaging.preview import MAX_SIDE

_MIX = ((0.3512, 0.2297, 0.3227), (0.3250, 0.4974, 0.2350), (-0.2829, 0.1762, 0.2721), (-0.2120, -0.2616, -0.7177))
_MIX_XL = (
    (0.3651, 0.4232, 0.4341),
    (-0.2533, -0.0042, 0.1068),
    (0.1076, 0.1111, -0.0362),
    (-0.3165, -0.2492, -0.2188),
)
_GROUND_XL = (0.1084, -0.0175, -0.0011)
"""The factors that ComfyUI uses for SD 1.5 and SDXL."""


def glimpse(latents: Any, *, xl: bool) -> Pixels:
    """Return one picture's latents (4×h×w) as a picture of at most 256 px a side."""
    small = latents.detach().to("cpu", torch.float32)
    # Some schedulers scale their noise by its strength, which would drown the picture.
    small = small / small.std().clamp(min=1.0)
    mix = torch.tensor(_MIX_XL if xl else _MIX)
    ground = torch.tensor(_GROUND_XL if xl else (0.0, 0.0, 0.0))
    colours = torch.einsum("chw,ck->khw", small, mix) + ground[:, None, None]
    height, width = small.shape[1:]
    scale = min(8.0, MAX_SIDE / max(height, width))
    size = (max(1, int(height * scale)), max(1, int(width * scale)))
    large = torch.nn.functional.interpolate(colours[None], size=size, mode="bilinear")[0]
    levels = ((large + 1) * 127.5).nan_to_num().clamp(0, 255).to(torch.uint8)
    return Pixels(size[1], size[0], levels.permute(1, 2, 0).contiguous().numpy().tobytes())
