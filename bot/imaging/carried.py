"""What a picture carries of how it was painted: the WebUI's infotext, or the graph of a ComfyUI."""

from dataclasses import dataclass

from bot.domain import graphs, infotext, recipes
from bot.domain.request import PaintRequest
from bot.imaging import pngtext
from bot.imaging.encoding import infotext_of
from bot.imaging.opening import opened
from bot.imaging.pngtext import MAX_TEXT_BYTES

_MAKE, _MODEL = 0x010F, 0x0110
"""EXIF tags in which ComfyUI puts ``workflow:…`` and ``prompt:…`` where a format has no text of its own."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A picture's recipe as an order, and its infotext; a graph has none."""

    recipe: PaintRequest | None = None
    infotext: str = ""


def read(data: bytes) -> Carried:
    """Return the recipe inside a PNG, JPEG or WebP; raises ``RequestError`` for what is no picture."""
    with opened(data) as image:
        text = infotext_of(data, image)
        exif = image.getexif()
    if text:
        return Carried(recipes.recipe(infotext.parse(text)), text)
    tags = [tag for tag in map(exif.get, (_MODEL, _MAKE)) if isinstance(tag, str) and len(tag) <= MAX_TEXT_BYTES]
    for name in ("prompt", "workflow"):
        told = [tag.removeprefix(f"{name}:") for tag in tags if tag.startswith(f"{name}:")]
        for graph in filter(None, (pngtext.read(data, name.encode()), *told)):
            recipe = graphs.read(graph)
            if recipe is not None:
                return Carried(recipe)
    return Carried()
