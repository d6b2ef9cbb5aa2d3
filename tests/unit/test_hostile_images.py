"""Picture files made to hurt: refused in words or made plain, by a process that stays within 512 MB."""

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from PIL import Image, features

MOST_MB = 512
KNOWN = ("not a picture", "damaged or incomplete", "too large")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGE = (8000, 6250)
COSTLY = (5000, 4000)


def encoded(image: Image.Image, kind: str, **how: Any) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **how)
    return made.getvalue()


def plain(mode: str, size: tuple[int, int], kind: str, **how: Any) -> bytes:
    return encoded(Image.new(mode, size), kind, **how)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    width: int, height: int, *more: bytes, depth: int = 8, colour: int = 2, pixels: bytes | None = None
) -> bytes:
    """Return a PNG with a header that says anything."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    data = zlib.compress(bytes(100_000)) if pixels is None else pixels
    return SIGNATURE + header + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def turned(kind: str, size: tuple[int, int], mode: str = "RGB") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return plain(mode, size, kind, exif=exif)


def scans(count: int) -> bytes:
    """Return a progressive JPEG whose last pass is repeated."""
    data = plain("L", (2000, 2000), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def forged_webp() -> bytes:
    """Return an animation of 64 px that says its canvas is as large as one can be."""
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    data = bytearray(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    data[24:30] = (16382).to_bytes(3, "little") * 2
    return bytes(data)


def moving(kind: str, size: tuple[int, int], count: int = 2) -> bytes:
    frames = [Image.new("RGBA", size, (number % 256, 0, 0, 128)) for number in range(count)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def broken_exif() -> bytes:
    return plain("RGB", (64, 64), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 60)


def endless_exif() -> bytes:
    """Return an EXIF directory that names itself as the next, and as each of its own."""
    entry = struct.pack(">HHII", 0x8769, 4, 1, 8)
    return plain("RGB", (64, 64), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08" + b"\0\1" + entry + b"\0\0\0\x08")


def rle_bmp() -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, 7000, 7000, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024)
    return b"BM" + struct.pack("<IHHI", 14 + len(header), 0, 0, 14 + len(header)) + header + b"\xff\1" * 1000


def gif(width: int, height: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\2\x44\1\0;"


def palette() -> bytes:
    return encoded(Image.new("P", (64, 64)), "PNG", transparency=bytes(range(256)))


def sound() -> dict[str, Callable[[], bytes]]:
    """Return files that are only heavy or odd: they have to be made plain."""
    files: dict[str, Callable[[], bytes]] = {
        "transparent": partial(plain, "RGBA", LARGE, "PNG", compress_level=1),
        "sixteen bits": partial(plain, "I;16", COSTLY, "PNG", compress_level=1),
        "a palette with holes": partial(plain, "P", COSTLY, "PNG", transparency=0),
        "a palette of glass": palette,
        "grey and transparent": partial(plain, "LA", (300, 300), "PNG"),
        "one bit": partial(plain, "1", (300, 300), "PNG"),
        "turned by 90 degrees": partial(turned, "PNG", (3000, 2000), "RGBA"),
        "a phone's": partial(turned, "JPEG", (4000, 3000)),
        "progressive": partial(plain, "RGB", LARGE, "JPEG", progressive=True, subsampling=0),
        "four colours": partial(plain, "CMYK", COSTLY, "JPEG", progressive=True),
        "a GIF with holes": partial(plain, "P", LARGE, "GIF", transparency=0),
        "a WebP without loss": partial(plain, "RGBA", COSTLY, "WEBP", lossless=True, method=0),
        "a moving WebP": partial(moving, "WEBP", (1000, 1000)),
        "a moving GIF": partial(moving, "GIF", (300, 300), 60),
        "a moving PNG": partial(moving, "PNG", (500, 500), 50),
        "a line": partial(plain, "RGB", (60_000, 1), "PNG"),
        "a column": partial(plain, "RGB", (1, 60_000), "PNG"),
        "EXIF in circles": endless_exif,
        "EXIF of nonsense": broken_exif,
        "a picture with a tail": lambda: plain("RGB", (64, 64), "JPEG") + b"\xff\xda" * 5000,
        "sixteen bits and a hole": lambda: png(
            64, 64, chunk(b"tRNS", b"\xff\xff"), depth=16, colour=0, pixels=zlib.compress(bytes(64 * 129))
        ),
    }
    if features.check("avif"):
        files["an AVIF"] = partial(plain, "RGBA", COSTLY, "AVIF", speed=10)
    return files


@cache
def zeros() -> bytes:
    """Return what unpacks to 80 MB."""
    return zlib.compress(bytes(80_000_000))


def rotten() -> dict[str, Callable[[], bytes]]:
    """Return files that cannot be made anything of: they have to be refused in words."""
    return {
        "nothing": lambda: b"",
        "a page": lambda: b"<!doctype html>",
        "a drawing": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file",
        "a TIFF": partial(plain, "RGB", (64, 64), "TIFF"),
        "an icon": partial(plain, "RGB", (64, 64), "ICO"),
        "a bomb of 64 megapixels": partial(png, 8000, 8000),
        "a bomb of 900 megapixels": partial(png, 30_000, 30_000),
        "a bomb of all there is": partial(png, 2**31 - 1, 2**31 - 1),
        "no pixels": partial(png, 0, 0),
        "a bomb of a canvas": forged_webp,
        "a GIF's bomb": partial(gif, 65535, 65535),
        "a JPEG's bomb": lambda: plain("L", (64, 64), "JPEG").replace(b"\0\x40\0\x40", b"\xff\xff\xff\xff", 1),
        "passes without end": partial(scans, 3000),
        "a text of 80 MB": lambda: png(64, 64, *(chunk(b"zTXt", b"a\0\0" + zeros()) for _ in range(3))),
        "a profile of 80 MB": lambda: png(64, 64, chunk(b"iCCP", b"a\0\0" + zeros()), pixels=b""),
        "pixels of noise": partial(png, 512, 512, pixels=bytes(range(256)) * 50),
        "a depth of nonsense": partial(png, 64, 64, depth=200),
        "chunks cut short": lambda: png(64, 64)[:60],
        "a chunk that lies": lambda: SIGNATURE + b"\xff\xff\xff\xffIHDR" + bytes(100),
        "half a JPEG": lambda: encoded(Image.effect_noise((200, 200), 90), "JPEG")[:4000],
        "half a WebP": lambda: encoded(Image.effect_noise((200, 200), 90), "WEBP")[:2000],
        "half a GIF": lambda: encoded(Image.effect_noise((200, 200), 90), "GIF")[:9000],
        "only the beginning of a JPEG": lambda: b"\xff\xd8\xff" + bytes(5000),
        "only the beginning of a WebP": lambda: b"RIFF\xff\xff\xff\xffWEBPVP8X" + b"\xff" * 50,
        "only the beginning of an AVIF": lambda: b"\0\0\0\x20ftypavif" + b"\xff" * 500,
        "only the beginning of a bitmap": lambda: b"BM" + b"\xff" * 500,
        "an endless bitmap": rle_bmp,
    }


SOUND, ROTTEN = sound(), rotten()
CHILD = """
import json, sys
from pathlib import Path
from bot.domain.errors import RequestError
from bot.imaging import carried, inputs, masking

def peak_mb(again=False):
    # Linux alone tells how much it was at most, and forgets it again (proc(5)).
    try:
        if again:
            Path("/proc/self/clear_refs").write_text("5")
        [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM")]
    except OSError:
        return 0
    return int(line.split()[1]) // 1024

told = {}
for file in sorted(Path(sys.argv[1]).iterdir()):
    data = file.read_bytes()
    peak_mb(again=True)
    for look in (carried.read, inputs.prepare):
        try:
            made = look(data)
            said = "plain"
        except RequestError as error:
            said = str(error)
    if said == "plain":
        assert max(made.width, made.height) <= 2048
    told[file.name] = (said, peak_mb())
print(json.dumps(told))
"""


def test_hostile_files_crash_nothing_and_need_less_than_512_mb(tmp_path: Path) -> None:
    assert len(SOUND | ROTTEN) >= 50
    for name, make in (SOUND | ROTTEN).items():
        (tmp_path / name).write_bytes(make())
    child = [sys.executable, "-c", CHILD, str(tmp_path)]
    done = subprocess.run(child, capture_output=True, check=False, text=True, cwd=Path(__file__).parents[2])  # noqa: S603
    assert done.returncode == 0, done.stderr
    told: dict[str, tuple[str, int]] = json.loads(done.stdout)
    assert {name: told[name][0] for name in SOUND} == dict.fromkeys(SOUND, "plain")
    assert [name for name in ROTTEN if not any(words in told[name][0] for words in KNOWN)] == []
    assert {name: peak for name, (_, peak) in told.items() if peak >= MOST_MB} == {}
