"""Source pictures and masks brought to the size that is painted, for backends that do not do it themselves."""

import io
from dataclasses import dataclass, field

from PIL import Image, ImageFilter, ImageOps

from bot.domain.request import Mask, MaskFill, Resize
from bot.imaging.opening import opened, upright
from bot.imaging.sniffing import sniff

_HALF = 127


@dataclass(frozen=True, slots=True)
class Patch:
    """What of a picture is painted anew, all as PNG.

    ``picture`` and ``mask`` (white is painted) have the size asked for. ``whole`` is the picture it goes back
    into, ``box`` the place there (left, top, width, height in px) and ``edge`` the mask of that place's size.
    """

    picture: bytes = field(repr=False)
    mask: bytes = field(repr=False)
    whole: bytes = field(repr=False)
    edge: bytes = field(repr=False)
    box: tuple[int, int, int, int]


def place(data: bytes, width: int, height: int, resize: Resize) -> bytes:
    """Return a picture in exactly this size, in px; one that has it already comes back as it is."""
    known = sniff(data)
    if known is not None and (known.width, known.height) == (width, height):
        return data
    with opened(data) as image:
        return _png(_placed(upright(image).convert("RGB"), (width, height), resize))


def patch(data: bytes, mask_data: bytes, width: int, height: int, resize: Resize, mask: Mask) -> Patch:
    """Prepare inpainting in ``width``×``height`` px: the whole picture, or only the masked area if padded."""
    size = (width, height)
    with opened(data) as image:
        whole = _placed(upright(image).convert("RGB"), size, resize)
    with opened(mask_data) as image:
        area = _placed(upright(image).convert("L"), size, resize)
    if mask.invert:
        area = ImageOps.invert(area)
    left, top, right, bottom = _box(area, mask.padding)
    picture = whole.crop((left, top, right, bottom)).resize(size, Image.Resampling.LANCZOS)
    inside = area.crop((left, top, right, bottom)).resize(size, Image.Resampling.LANCZOS)
    if mask.fill is MaskFill.FILL:
        picture = _filled(picture, inside)
    soft = area.filter(ImageFilter.GaussianBlur(mask.blur))
    return Patch(
        picture=_png(picture),
        mask=_png(inside.filter(ImageFilter.GaussianBlur(mask.blur))),
        whole=_png(whole),
        edge=_png(soft.crop((left, top, right, bottom))),
        box=(left, top, right - left, bottom - top),
    )


def _placed(image: Image.Image, size: tuple[int, int], resize: Resize) -> Image.Image:
    if image.size == size:
        return image
    if resize is Resize.CROP:
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    if resize is Resize.FILL:
        return _over_its_blur(image, size)
    return image.resize(size, Image.Resampling.LANCZOS)


def _over_its_blur(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Fit all of it in and fill the borders with its own colours."""
    back = ImageOps.fit(image, size).filter(ImageFilter.GaussianBlur(max(size) / 16))
    front = ImageOps.contain(image, size, Image.Resampling.LANCZOS)
    back.paste(front, ((size[0] - front.width) // 2, (size[1] - front.height) // 2))
    return back


def _box(area: Image.Image, padding: int | None) -> tuple[int, int, int, int]:
    """Return the masked area with its padding, widened to the picture's own proportions."""
    found = area.point(lambda value: 255 * (value > _HALF)).getbbox() if padding is not None else None
    if found is None or padding is None:
        return 0, 0, area.width, area.height
    left, top, right, bottom = found
    share = min(1.0, max((right - left + 2 * padding) / area.width, (bottom - top + 2 * padding) / area.height))
    width, height = max(1, round(area.width * share)), max(1, round(area.height * share))
    left = min(max(0, (left + right - width) // 2), area.width - width)
    top = min(max(0, (top + bottom - height) // 2), area.height - height)
    return left, top, left + width, top + height


def _filled(picture: Image.Image, inside: Image.Image) -> Image.Image:
    """Fill what is masked with the colours around it: blurred ever less, the nearest last."""
    outside = ImageOps.invert(inside)
    seen = Image.new("RGBA", picture.size)
    seen.paste(picture, mask=outside)
    result = Image.new("RGBA", picture.size, (127, 127, 127, 255))
    for radius in (256, 64, 16, 4, 2):
        result.alpha_composite(_spread(seen, radius))
    plain = result.convert("RGB")
    plain.paste(picture, mask=outside)
    return plain


def _spread(seen: Image.Image, radius: int) -> Image.Image:
    """Blur with the colours weighed by how far they are seen, which is what ``RGBa`` stands for."""
    return seen.convert("RGBa").filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
