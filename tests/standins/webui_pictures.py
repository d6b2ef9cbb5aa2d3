"""The pictures of the stand-in: plain colours that tell seeds apart."""

import binascii
import struct
import zlib
from base64 import b64decode, b64encode
from io import BytesIO

from PIL import Image

_USER_COMMENT, _EXIF = 0x9286, 0x8769


def png(width: int, height: int, seed: int, text: str = "", *, noise_bytes: int = 0) -> bytes:
    """Return a PNG of one colour that the seed decides; ``noise_bytes`` of ballast make it large."""
    colour = bytes((seed * 37 % 256, seed * 91 % 256, seed * 13 % 256))
    pixels = zlib.compress((b"\0" + colour * width) * height, 1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    if text:
        chunks.append((b"tEXt", b"parameters\0" + text.encode("latin-1", "replace")))
    if noise_bytes:
        chunks.append((b"baLa", bytes(noise_bytes)))
    chunks += [(b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def other(kind: str, width: int, height: int, seed: int, text: str = "", *, noise_bytes: int = 0) -> bytes:
    """Return what ``png`` would as ``kind`` ("JPEG" or "WEBP"): the text in the EXIF user comment."""
    picture = Image.open(BytesIO(png(width, height, seed)))
    exif = Image.Exif()
    if text:
        exif.get_ifd(_EXIF)[_USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be")
    out = BytesIO()
    picture.save(out, kind, exif=exif)
    return out.getvalue() + bytes(noise_bytes)


def encoded(picture: bytes) -> str:
    """Return it as it travels: base64 without a prefix."""
    return b64encode(picture).decode()


def decoded(content: object) -> bytes | None:
    """Return the bytes of a picture as it travels, ``None`` if it is none."""
    try:
        picture = b64decode(str(content).rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    known = picture.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM"))
    return picture if known else None


def told(picture: bytes) -> str:
    """Return the recipe written in a picture, "" if there is none."""
    opened = Image.open(BytesIO(picture))
    if text := opened.info.get("parameters"):
        return str(text)
    comment = opened.getexif().get_ifd(_EXIF).get(_USER_COMMENT, b"")
    return comment.removeprefix(b"UNICODE\0").decode("utf-16-be") if isinstance(comment, bytes) else ""


def scaled(picture: bytes, width: int, height: int) -> bytes:
    """Return it as a PNG of another size in px, by nearest neighbour."""
    opened = Image.open(BytesIO(picture)).convert("RGB")
    return _saved(opened.resize((width, height), Image.Resampling.NEAREST))


def size(picture: bytes) -> tuple[int, int]:
    """Return width and height in px."""
    return Image.open(BytesIO(picture)).size


def cut_out(picture: bytes) -> bytes:
    """Return it as a PNG with its left half see-through."""
    opened = Image.open(BytesIO(picture)).convert("RGBA")
    opened.paste((0, 0, 0, 0), (0, 0, opened.width // 2, opened.height))
    return _saved(opened)


def _saved(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
