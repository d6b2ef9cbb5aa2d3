"""Families of models, guessed from a checkpoint's name: no backend tells them, and a size depends on them."""

import re
from enum import Enum


class Family(Enum):
    """A family by the word for people and the side in px of the square it was trained on.

    Sources: the model cards of the first checkpoint of each family (stable-diffusion-v1-5, stable-diffusion-2-1,
    stable-diffusion-xl-base-1.0, sdxl-turbo, stable-cascade, stable-diffusion-3-medium, FLUX.1-dev,
    PixArt-XL-2-1024-MS, HunyuanDiT, Kolors, AuraFlow, Lumina-Image-2.0, Sana, HiDream-I1, Chroma, Z-Image,
    Qwen-Image). What the name does not tell is ``UNKNOWN``, whose side says nothing.
    """

    SD15 = ("SD 1.5", 512)
    SD2 = ("SD 2", 768)
    SDXL = ("SDXL", 1024)
    SDXL_TURBO = ("SDXL Turbo", 512)
    CASCADE = ("Stable Cascade", 1024)
    SD3 = ("SD 3", 1024)
    FLUX = ("Flux", 1024)
    PIXART = ("PixArt", 1024)
    HUNYUAN = ("Hunyuan", 1024)
    KOLORS = ("Kolors", 1024)
    AURAFLOW = ("AuraFlow", 1024)
    LUMINA = ("Lumina", 1024)
    SANA = ("Sana", 1024)
    HIDREAM = ("HiDream", 1024)
    CHROMA = ("Chroma", 1024)
    Z_IMAGE = ("Z-Image", 1024)
    QWEN = ("Qwen-Image", 1328)
    UNKNOWN = ("", 512)

    @property
    def word(self) -> str:
        """What people call it; empty if it is not known."""
        return self.value[0]

    @property
    def side(self) -> int:
        """The side in px of its own square."""
        return self.value[1]


_KNOWN = (
    r"dreamshaper|realistic-?vision|anything-?v?\d|deliberate|rev-?animated|counterfeit|abyss-?orange"
    r"|chilloutmix|meina|orangemix|epic-?realism|absolute-?reality|cyberrealistic|analog-diffusion"
    r"|openjourney|pastel-?mix|lyriel|ghostmix|majicmix|dreamlike|protogen|toonyou|waifu-diffusion|wd-v?1"
)
"""Well-known checkpoints that name no family."""
_MARKS: tuple[tuple[str, Family], ...] = (
    (r"^(sd-?xl|sd-xl)-turbo", Family.SDXL_TURBO),
    (r"flux|\bschnell\b|\bkrea\b", Family.FLUX),
    (r"\bsd-?3|stable-diffusion-3|\bsd35", Family.SD3),
    (r"cascade|wuerstchen", Family.CASCADE),
    (r"pixart", Family.PIXART),
    (r"hunyuan", Family.HUNYUAN),
    (r"kolors", Family.KOLORS),
    (r"aura-?flow", Family.AURAFLOW),
    (r"lumina", Family.LUMINA),
    (r"\bsana\b", Family.SANA),
    (r"hidream", Family.HIDREAM),
    (r"chroma", Family.CHROMA),
    (r"\bz-?image", Family.Z_IMAGE),
    (r"qwen-?image", Family.QWEN),
    (r"xl|pony|illustrious|\bnoob|animagine|playground-v2", Family.SDXL),
    (r"stable-diffusion-2|\bsd-?v?2|\bv2-[01]\b|768-v-ema|512-base-ema|wd-1-5", Family.SD2),
    (r"stable-diffusion-v?1|\bsd-?v?1|\bv1-[45]|\b1-5\b|\bsd15", Family.SD15),
    (_KNOWN, Family.SD15),
)
"""By what stands in names, the surest first."""
_SPLIT = re.compile(r"[\s._\\/]+")


def family(model: str) -> Family:
    """Return the family that a checkpoint's name tells of."""
    plain = _SPLIT.sub("-", model.casefold())
    return next((found for mark, found in _MARKS if re.search(mark, plain)), Family.UNKNOWN)
