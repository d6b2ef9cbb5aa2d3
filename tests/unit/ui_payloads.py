"""What is drawn, as Discord is sent it, and what Discord would not take of it.

The numbers are Discord's own (docs: Embed Limits, Message, Components, Modals, Attachment Object).
"""

from collections.abc import Iterator
from typing import Any

import discord

from bot.ui.card import Card

Drawn = Card | discord.Embed | discord.ui.View | discord.ui.LayoutView | discord.ui.Modal
Json = dict[str, Any]

EMBED, EMBEDS_TOGETHER = {"title": 256, "description": 4096, "url": 2048}, 6000
ROW, BUTTON, SELECT, TEXT_INPUT, LABEL = 1, 2, 3, 4, 18
TEXT, LAYOUT = 10, 1 << 15


def payload(drawn: Drawn) -> Json:
    """Return the JSON of a message or of a modal."""
    match drawn:
        case discord.ui.Modal():
            return {**drawn.to_dict()}
        case discord.ui.View():
            return {"components": drawn.to_components()}
        case discord.ui.LayoutView():
            components = drawn.to_components()  # type: ignore[no-untyped-call] # discord.py leaves this one bare
            return {"components": components, "flags": LAYOUT}
        case discord.Embed():
            return {"embeds": [drawn.to_dict()]}
        case _:
            parts: Json = {"content": drawn.content} if drawn.content is not None else {}
            parts |= payload(drawn.embed) if drawn.embed is not None else {}
            parts |= payload(drawn.view) if drawn.view is not None else {}
            files = [{"filename": file.sent_name, "description": file.description} for file in drawn.files]
            pings = {"allowed_mentions": drawn.allowed_mentions.to_dict()}
            return parts | ({"files": files} if files else {}) | pings


def problems(drawn: Drawn) -> list[str]:
    """Return what Discord would not take, a line for each."""
    sent = payload(drawn)
    found = [f"half a surrogate pair: {text[:40]!r}" for text in _texts(sent) if not _is_whole(text)]
    ids = [each["custom_id"] for each in _components(sent) if "custom_id" in each]
    found += ["two components with the same custom id"] if len(ids) != len(set(ids)) else []
    found += ["more than 5 rows"] if len(sent.get("components", ())) > 5 else []
    found += list(_modal(sent) if "title" in sent else _message(sent))
    found += list(_layout(sent)) if sent.get("flags") == LAYOUT else []
    for component in _components(sent):
        found += _component(component)
    return found


def _length(what: str, text: str | None, most: int, *, least: int = 0) -> Iterator[str]:
    if text is not None and not least <= len(text) <= most:
        yield f"{what} has {len(text)} characters, not {least} to {most}"


def _message(sent: Json) -> Iterator[str]:
    yield from _length("content", sent.get("content"), 2000)
    for embed in sent.get("embeds", ()):
        yield from _embed(embed)
    if len(sent.get("files", ())) > 10:
        yield "more than 10 files"
    for file in sent.get("files", ()):
        yield from _length("alt text", file["description"], 1024)
        if not file["filename"].replace("-", "").replace("_", "").replace(".", "").isalnum():
            yield f"file name {file['filename']!r}"


def _embed(embed: Json) -> Iterator[str]:
    for name, most in EMBED.items():
        yield from _length(f"embed {name}", embed.get(name), most)
    yield from _length("footer", embed.get("footer", {}).get("text"), 2048, least=1)
    yield from _length("author", embed.get("author", {}).get("name"), 256, least=1)
    fields = embed.get("fields", ())
    for field in fields:
        yield from _length("field name", field["name"], 256, least=1)
        yield from _length("field value", field["value"], 1024, least=1)
    if len(fields) > 25:
        yield "more than 25 fields"
    together = len(discord.Embed.from_dict(embed))
    if not 0 < together <= EMBEDS_TOGETHER:
        yield f"embed has {together} characters in all"


def _modal(sent: Json) -> Iterator[str]:
    yield from _length("modal title", sent["title"], 45, least=1)
    yield from _length("modal custom id", sent["custom_id"], 100, least=1)
    if not sent["components"]:
        yield "a modal without a field"


def _layout(sent: Json) -> Iterator[str]:
    everything = list(_components(sent))
    if len(everything) > 40:
        yield f"{len(everything)} components in all"
    together = sum(len(each["content"]) for each in everything if each["type"] == TEXT)
    if together > 4000:
        yield f"{together} characters of text in all"


def _component(component: Json) -> Iterator[str]:
    match component["type"]:
        case 1:
            inside = component["components"]
            if len(inside) > (5 if all(each["type"] == BUTTON for each in inside) else 1) or not inside:
                yield f"{len(inside)} components in a row"
        case 2:
            yield from _length("button", component.get("label"), 80, least=1)
            if not component.get("label") and not component.get("emoji"):
                yield "a button without a face"
        case 3:
            yield from _select(component)
        case 4:
            value, most = component.get("value"), min(component.get("max_length", 4000), 4000)
            yield from _length("text input", value, most, least=1)
            yield from _length("placeholder", component.get("placeholder"), 100)
        case 18:
            yield from _length("label", component["label"], 45, least=1)
            yield from _length("description", component.get("description"), 100)
        case 9 | 10 | 14 | 17 as kind:
            yield from _of_layout(kind, component)
        case kind:
            yield f"component of an unknown type {kind}"
    yield from _length("custom id", component.get("custom_id"), 100, least=1)


def _of_layout(kind: int, component: Json) -> Iterator[str]:
    if kind == TEXT:
        yield from _length("text", component["content"], 4000, least=1)
    elif kind != 14 and not component["components"]:
        yield "a section or a container with nothing in it"
    elif kind == 9 and (len(component["components"]) > 3 or component["accessory"]["type"] != BUTTON):
        yield "a section of too many texts, or without its button"


def _select(menu: Json) -> Iterator[str]:
    options = menu["options"]
    yield from _length("placeholder", menu.get("placeholder"), 150)
    if not 1 <= len(options) <= 25:
        yield f"{len(options)} options"
    if len({option["value"] for option in options}) != len(options):
        yield "two options with the same value"
    for option in options:
        yield from _length("option label", option["label"], 100, least=1)
        yield from _length("option value", option["value"], 100, least=1)
        yield from _length("option description", option.get("description"), 100, least=1)


def _components(sent: Json) -> Iterator[Json]:
    """Yield every component, however deep, the modal itself aside."""
    inside = [*sent.get("components", ()), *(sent[name] for name in ("component", "accessory") if name in sent)]
    for component in inside:
        yield component
        yield from _components(component)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
