"""What Discord takes as a message: limits of text, embeds and files, and where each limit is broken."""

import io
import mimetypes
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from bot.rehearsal import components, errors
from bot.rehearsal.errors import FormErrors, Json
from bot.rehearsal.world import COMPONENTS_V2, Attachment, Message

_LEGACY = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
_MAX_CONTENT = 2000
_MAX_EMBEDS = 10
_MAX_EMBED_TEXT = 6000
_MAX_FILES = 10
_MAX_FIELDS = 25
_MAX_ALT_TEXT = 1024
_EMBED_TEXTS = {"title": 256, "description": 4096}
_EMBED_PARTS = {("footer", "text"): 2048, ("author", "name"): 256}
_URL = re.compile(r"(https?|attachment)://\S+")
"""Limits: Discord docs, Message Object, Embed Limits, and Create Message."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart request, ``files[index]``."""

    index: int
    filename: str
    data: bytes = field(repr=False)


def check_message(body: Json, files: Sequence[Upload], *, layout: bool, path: tuple[str, ...] = ()) -> None:
    """Raise 50035 if a message's fields are beyond Discord's limits; ``path`` is where they stand in the body."""
    found = FormErrors()
    if body.get("content") is not None:
        found.length((*path, "content"), body["content"], 0, _MAX_CONTENT)
    if body.get("embeds") is not None:
        _check_embeds(body["embeds"], found, (*path, "embeds"))
    if body.get("components") is not None:
        components.check(body["components"], found, (*path, "components"), layout=layout)
    if layout and (body.get("content") or body.get("embeds")):
        found.add((*path, "content"), _LEGACY, "Use Text Display instead.")
    _check_files(body, files, found, path)
    nonce = body.get("nonce")
    if nonce is not None and not isinstance(nonce, int):
        found.length((*path, "nonce"), nonce, 0, 25)
    _check_mentions(body.get("allowed_mentions") or {}, found, (*path, "allowed_mentions"))
    found.raise_if_any()


def check_layout(message: Message) -> None:
    """Raise 50035 if a message of components alone has content or embeds, which an edit left there."""
    found = FormErrors()
    if is_layout({}, message.flags) and (message.content or message.embeds):
        found.add(("content",), _LEGACY, "Set it to null.")
    found.raise_if_any()


def is_layout(body: Json, flags: int = 0) -> bool:
    """Return whether a message is made of components alone, by its new flags or those it has."""
    return bool(((body.get("flags") or 0) | flags) & COMPONENTS_V2)


def check_sizes(files: Sequence[Upload], max_file_bytes: int) -> None:
    """Raise 40005 if a file is over the place's limit."""
    if any(len(file.data) > max_file_bytes for file in files):
        raise errors.too_large()


def taken(file: Upload, meta: Json) -> Attachment:
    """Return an uploaded file as the attachment it becomes, its picture size (px) read from its header."""
    name = str(meta.get("filename") or file.filename)
    return described(Attachment(name, file.data, description=meta.get("description")))


def described(attachment: Attachment) -> Attachment:
    """Fill in what Discord finds out about a file by itself: content type and picture size (px)."""
    attachment.content_type = attachment.content_type or mimetypes.guess_type(attachment.filename)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a huge picture's size is still only two numbers in its header
        try:
            with Image.open(io.BytesIO(attachment.data)) as picture:
                attachment.width, attachment.height = picture.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return attachment
    return attachment


def _check_embeds(embeds: object, found: FormErrors, path: tuple[str, ...]) -> None:
    if not found.count(path, embeds, 0, _MAX_EMBEDS):
        return
    assert isinstance(embeds, list)  # noqa: S101 - count() has seen to it
    total = 0
    for i, embed in enumerate(embeds):
        total += _check_embed(embed, found, (*path, i))
    if total > _MAX_EMBED_TEXT:
        found.add(path, "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {_MAX_EMBED_TEXT}")


def _check_embed(embed: Json, found: FormErrors, path: tuple[str | int, ...]) -> int:
    texts: list[tuple[tuple[str | int, ...], Any, int]] = []
    texts += [((*path, key), embed[key], most) for key, most in _EMBED_TEXTS.items() if embed.get(key) is not None]
    for (part, key), most in _EMBED_PARTS.items():
        if embed.get(part):
            texts.append(((*path, part, key), embed[part].get(key), most))
    fields = embed.get("fields") or []
    if found.count((*path, "fields"), fields, 0, _MAX_FIELDS):
        for i, entry in enumerate(fields):
            texts.append(((*path, "fields", i, "name"), entry.get("name"), 256))
            texts.append(((*path, "fields", i, "value"), entry.get("value"), 1024))
    for where, text, most in texts:
        found.length(where, text, 1 if "fields" in where else 0, most)
    pointers = [
        ("image", "url"),
        ("thumbnail", "url"),
        ("author", "icon_url"),
        ("footer", "icon_url"),
        ("author", "url"),
    ]
    for part, key in pointers:
        address = (embed.get(part) or {}).get(key)
        if address and not _URL.fullmatch(address):
            found.add((*path, part, key), "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    if not (texts or embed.get("image") or embed.get("thumbnail") or embed.get("url")):
        found.required((*path, "description"))
    return sum(len(text.strip()) for _, text, _ in texts if isinstance(text, str))


def _check_files(body: Json, files: Sequence[Upload], found: FormErrors, path: tuple[str, ...]) -> None:
    listed = body.get("attachments") or []
    if not found.count((*path, "attachments"), listed, 0, _MAX_FILES) or len(files) > _MAX_FILES:
        return
    for i, meta in enumerate(listed):
        if meta.get("description") is not None:
            found.length((*path, "attachments", i, "description"), meta["description"], 0, _MAX_ALT_TEXT)
    indexes = {file.index for file in files}
    named = {int(meta["id"]) for meta in listed if "id" in meta}
    if listed and not indexes <= named:
        found.add((*path, "attachments"), "ATTACHMENT_ID_NOT_FOUND", "A file has no entry in attachments.")
    for file in files:
        if not file.filename or "/" in file.filename or "\\" in file.filename:
            found.add(
                (*path, "attachments", file.index, "filename"), "ATTACHMENT_FILENAME_INVALID", "Invalid file name."
            )


def _check_mentions(allowed: Json, found: FormErrors, path: tuple[str, ...]) -> None:
    parse = allowed.get("parse") or []
    for kind in ("users", "roles"):
        if kind in parse and allowed.get(kind):
            found.add(
                path,
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )
