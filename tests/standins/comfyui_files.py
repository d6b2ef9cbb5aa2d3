"""A ComfyUI's folders: what was uploaded and what was painted, and the pictures themselves."""

import hashlib
import io
import json
import posixpath
import re
import struct
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.standins.comfyui_graph import Shape

RECORDINGS = Path(__file__).parents[1] / "recordings" / "comfyui"
_KINDS = ("output", "temp", "input")
Key = tuple[str, str, str]


def picture(shape: Shape, index: int, texts: dict[str, Any]) -> bytes:
    """Return a PNG of one colour that the seed decides, with the texts as ComfyUI writes them."""
    seed, info, out = shape.seed + index, PngInfo(), io.BytesIO()
    for keyword, content in texts.items():
        info.add_text(keyword, json.dumps(content))
    colour = (seed * 37 % 256, seed * 91 % 256, seed * 13 % 256)
    Image.new("RGB", (shape.width, shape.height), colour).save(out, "PNG", pnginfo=info, compress_level=1)
    return out.getvalue()


def preview(metadata: dict[str, Any] | None) -> bytes:
    """Return a binary WebSocket frame: event 4 with metadata, else event 1."""
    recorded = (RECORDINGS / "ws_binary_event1.bin").read_bytes()
    if metadata is None:
        return recorded
    head = json.dumps({**metadata, "image_type": "image/jpeg"}).encode()
    return struct.pack(">II", 4, len(head)) + head + recorded[8:]


class Files:
    """``stored`` maps (type, subfolder, file name) to the content; ``cut`` names those that break off."""

    def __init__(self) -> None:
        self.stored: dict[Key, bytes] = {}
        self.cut: set[Key] = set()

    def find(self, name: str) -> Key | None:
        """Return the file that LoadImage takes for ``name``: ``folder/name``, or ``name [output]``."""
        annotated = re.fullmatch(r"(.+) \[(output|temp|input)\]", name)
        name, kind = (annotated[1], annotated[2]) if annotated else (name, "input")
        key = (kind, *posixpath.split(name))
        return key if key in self.stored else None

    def stamp(self, name: str) -> str:
        """Return the hash of a file's content."""
        key = self.find(name)
        return hashlib.sha256(self.stored[key]).hexdigest() if key else ""

    def size(self, name: str) -> tuple[int, int]:
        """Return an uploaded picture's width and height in px; raise ``OSError`` if it is none."""
        key = self.find(name)
        if key is None:
            raise FileNotFoundError(name)
        with Image.open(io.BytesIO(self.stored[key])) as image:
            return image.size

    def uploaded(self) -> list[str]:
        """Return the file names that LoadImage offers: those in the input folder itself."""
        return sorted(name for kind, folder, name in self.stored if (kind, folder) == ("input", ""))

    def save(self, prefix: str, kind: str, pictures: list[bytes]) -> list[dict[str, str]]:
        """Store pictures under the next numbers of their prefix, and return what ``executed`` says of them."""
        folder, stem = posixpath.split(prefix)
        taken = (
            re.fullmatch(re.escape(stem) + r"_(\d+)_\.png", n)
            for k, f, n in self.stored
            if (k, f) == (kind, folder)
        )
        first = max((int(found[1]) for found in taken if found), default=0) + 1
        names = [f"{stem}_{number:05}_.png" for number in range(first, first + len(pictures))]
        for name, content in zip(names, pictures, strict=True):
            self.stored[kind, folder, name] = content
        return [{"filename": name, "subfolder": folder, "type": kind} for name in names]

    def upload(self, form: dict[str, Any], content: bytes) -> web.Response:
        """Answer ``/upload/image``: the same content keeps its name, another one gets a number."""
        name, folder = form.get("filename"), posixpath.normpath(form.get("subfolder") or ".")
        path = posixpath.normpath(posixpath.join(folder, name or ""))
        if not name or path.startswith(("..", "/")):
            return web.Response(status=400)
        kind = form.get("type", "")
        kind = kind if kind in _KINDS else "input"
        folder, name = posixpath.split(path)
        stem, extension = posixpath.splitext(name)
        number = 0
        while form.get("overwrite") not in {"true", "1"}:
            if self.stored.get((kind, folder, name), content) == content:
                break
            number += 1
            name = f"{stem} ({number}){extension}"
        self.stored[kind, folder, name] = content
        return web.json_response({"name": name, "subfolder": folder, "type": kind})

    def view(self, query: dict[str, str]) -> tuple[Key, bytes] | int:
        """Return the file that ``/view`` asks for, or the status of the refusal."""
        name, folder = query.get("filename"), query.get("subfolder", "")
        kind = query.get("type", "output")
        if not name:
            return 404
        if name.startswith("/") or ".." in name or kind not in _KINDS:
            return 400
        if posixpath.normpath(folder or ".").startswith(("..", "/")):
            return 403
        key = (kind, folder, posixpath.basename(name))
        return (key, self.stored[key]) if key in self.stored else 404


def viewed(name: str, content: bytes, wanted: str | None) -> web.Response:
    """Return a picture as it is, or in the format and quality of ``preview=webp;50``."""
    headers = {"Content-Disposition": f'filename="{name}"'}
    if wanted is None:
        return web.Response(body=content, content_type="image/png", headers=headers)
    kind, _, quality = wanted.partition(";")
    kind = kind if kind in {"webp", "jpeg"} else "webp"
    out = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.convert("RGB").save(out, kind, quality=int(quality or 90))
    return web.Response(body=out.getvalue(), content_type=f"image/{kind}", headers=headers)
