"""Pictures as people have them: of every kind, broken and malicious ones too."""

import io
import struct
import zlib

from PIL import Image


def encoded(image: Image.Image, kind: str, **how: object) -> bytes:
    """Return ``image`` as the bytes of a file."""
    made = io.BytesIO()
    image.save(made, kind, **how)
    return made.getvalue()


def png(width: int = 192, height: int = 96, mode: str = "RGB") -> bytes:
    """Return a PNG of one colour."""
    return encoded(Image.new(mode, (width, height), 40_000 if mode == "I;16" else "teal"), "PNG")


def truncated_png() -> bytes:
    """Return the first two thirds of a PNG that is not of one colour."""
    whole = encoded(Image.effect_noise((128, 128), 80), "PNG")
    return whole[: len(whole) * 2 // 3]


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """Return a small PNG that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def animated_gif() -> bytes:
    """Return a GIF of three frames."""
    frames = [Image.new("RGB", (160, 80), colour) for colour in ("teal", "orange", "navy")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)


def cmyk_jpeg() -> bytes:
    """Return a JPEG as printers have them."""
    return encoded(Image.new("CMYK", (160, 80), (200, 20, 20, 10)), "JPEG")


def rotated_jpeg() -> bytes:
    """Return a JPEG stored lying, 160×80 px, that its EXIF says to turn upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.new("RGB", (160, 80), "teal"), "JPEG", exif=exif)
