"""``docs/commands.md`` is made here: ``UPDATE_DOCS=1 pytest tests/docs/test_commands.py`` writes it anew."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from discord import app_commands
from syrupy.assertion import SnapshotAssertion

from bot.backends.webui import extras
from bot.backends.webui.dialect import A1111
from bot.backends.webui.extensions import Swapper
from bot.backends.webui.listings import Choice
from bot.backends.webui.payload import payload
from bot.client import Easel
from bot.domain.request import (
    Control,
    Detail,
    FaceSwap,
    Hires,
    Mask,
    PaintRequest,
    Refiner,
    UpscaleRequest,
    Variation,
)
from bot.extensions import EXTENSIONS
from bot.foundations import opened
from bot.settings_loading import load
from bot.ui import values
from bot.ui.options import OPTIONS, WORK
from bot.ui.settings import SETTINGS, Setting
from bot.ui.values import Read

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
HEAD = """\
# Commands

Made from the commands themselves by `UPDATE_DOCS=1 python -m pytest tests/docs/test_commands.py`; do not edit.
Ranges are those of the host's default limits. The last column is where an option ends up in a request of the
AUTOMATIC1111 API; `—` stays with Easel.
"""
SETTINGS_HEAD = """\
## Settings in a line

`more`, the forms' settings and presets take any of these, in any order, with `·`, `;` or a line break between:
`steps 25 · hires 2 · detail face_yolov8n.pt`. A value with such a sign in it stands in "quotes".
"""
EXAMPLES = {
    "size": "a shape (1:1, 2:3, 3:2, 9:16, 16:9), or `768×512`",
    "lora": "`name:0.8`, several with commas",
    "style": "a name, several with commas",
    "refiner": "`MODEL@0.8`: where it takes over",
    "variation": "`SEED:STRENGTH`",
    "mask_padding": "pixels, or `off`",
    "detail": "a detector; once more for another",
    "like": "a picture's code",
}
KINDS = {3: "text", 4: "whole number", 5: "yes or no", 6: "member", 7: "channel", 8: "role", 10: "number"} | {
    11: "picture file"
}
LONGEST = 8000
"""Characters of a command's names, descriptions and values together (Discord docs, Application Commands)."""
Command = app_commands.Command[Any, ..., Any]
Entry = Command | app_commands.Group | app_commands.ContextMenu


@pytest_asyncio.fixture
async def tree(tmp_path: Path) -> AsyncIterator[app_commands.CommandTree[Any]]:
    """The tree that Discord would be told, of a bot that is not connected to anything."""
    settings = load({"EASEL_BACKENDS": "sketch", "EASEL_DATA_DIR": str(tmp_path), "DISCORD_TOKEN": "a.b.c"}, None)
    async with opened(settings) as base, Easel(settings, base) as easel:
        for extension in EXTENSIONS:
            await easel.load_extension(extension)
        yield easel.tree


def entries(tree: app_commands.CommandTree[Any]) -> list[Entry]:
    return sorted(tree.get_commands(), key=lambda entry: (isinstance(entry, app_commands.ContextMenu), entry.name))


def page(found: list[Entry]) -> str:
    return "\n".join([HEAD, *(line for entry in found for line in section(entry)), *settings_table()])


def settings_table() -> Iterator[str]:
    yield SETTINGS_HEAD
    yield "| name | what it takes | WebUI field |"
    yield "|---|---|---|"
    for setting in SETTINGS:
        name = " or ".join(f"`{each}`" for each in (setting.name, *setting.aliases))
        yield f"| {name} | {takes_in_line(setting)} | {f'`{setting.payload}`' if setting.payload else '—'} |"
    yield ""


def takes_in_line(setting: Setting) -> str:
    """What stands after a name, by how it is read."""
    written = EXAMPLES.get(setting.name) or (", ".join(setting.known) if setting.known else "")
    if written:
        return written
    kinds: dict[Read, str] = {values.number: "number", values.integer: "whole number", values.word: "text"}
    listed = ", with suggestions" if setting.listing else ""
    return f"{kinds[setting.read]}{listed}"


def section(entry: Entry) -> Iterator[str]:
    if isinstance(entry, app_commands.ContextMenu):
        yield f"## Message menu: {entry.name}\n\nOn any message with a picture: Apps, then {entry.name}.\n"
        return
    yield f"## /{entry.name}\n\n{entry.description}. {where(entry)}\n"
    if isinstance(entry, app_commands.Command):
        yield from table(entry)
        return
    for command in entry.walk_commands():
        if isinstance(command, app_commands.Command):
            yield f"### /{command.qualified_name}\n\n{command.description}.\n"
            yield from table(command)


def where(entry: Command | app_commands.Group) -> str:
    assert entry.allowed_contexts is not None
    place = "Anywhere." if entry.allowed_contexts.private_channel else "In servers."
    if entry.default_permissions is None:
        return place
    [needed] = [name for name, given in entry.default_permissions if given]
    who = {"manage_guild": "Manage Server", "manage_messages": "Manage Messages"}[needed]
    return f"{place} By default for members with {who}; checked again when it is used."


def table(command: Command) -> Iterator[str]:
    if not command.parameters:
        return
    yield "| option | | what it takes | WebUI field |"
    yield "|---|---|---|---|"
    declared = {**OPTIONS, **{option.name: option for option in WORK.get(command.qualified_name, ())}}
    for option in command.parameters:
        name = f"**{option.name}**" if option.required else option.name
        field = declared[option.name].field if option.name in declared else ""
        yield f"| {name} | {option.description} | {takes(option)} | {f'`{field}`' if field else '—'} |"
    yield ""


def takes(option: app_commands.Parameter) -> str:
    if option.choices:
        return ", ".join(choice.name for choice in option.choices)
    words = "file" if option.name == "file" else KINDS[option.type.value]
    if option.max_value is not None and option.type.value == 3:
        words += f", up to {option.max_value} characters"
    elif option.max_value is not None:
        words += f", {option.min_value:g} to {option.max_value:.16g}"
    return f"{words}, with suggestions" if option.autocomplete else words


async def test_the_page_of_commands_is_what_is_registered(tree: app_commands.CommandTree[Any]) -> None:
    made = page(entries(tree))
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made


async def test_every_command_fits_discord_and_says_where_it_works(tree: app_commands.CommandTree[Any]) -> None:
    for entry in entries(tree):
        schema = entry.to_dict(tree)
        assert schema["contexts"], entry.name
        assert schema["integration_types"], entry.name
        assert len("".join(texts(schema))) <= LONGEST


async def test_what_discord_is_told_of_the_commands_is_as_it_was(
    tree: app_commands.CommandTree[Any], snapshot: SnapshotAssertion
) -> None:
    told = [entry.to_dict(tree) for entry in entries(tree)]
    assert told == snapshot


async def test_every_subcommand_has_at_most_25_options_and_every_choice_a_value(
    tree: app_commands.CommandTree[Any],
) -> None:
    for command in tree.walk_commands():
        if isinstance(command, app_commands.Command):
            assert len(command.parameters) <= 25
            for option in command.parameters:
                assert len(option.choices) <= 25
                assert all(1 <= len(choice.name) <= 100 and choice.value for choice in option.choices)


async def test_only_what_is_for_admins_needs_a_permission_to_be_seen(
    tree: app_commands.CommandTree[Any],
) -> None:
    guarded = {entry.name: entry.default_permissions for entry in entries(tree) if entry.default_permissions}
    assert {name: permissions.manage_guild for name, permissions in guarded.items()} == dict.fromkeys(
        ("backends", "log", "roles", "settings", "words"), True
    ) | {"review": False}
    assert guarded["review"].manage_messages


def test_the_page_names_fields_that_the_webui_is_really_sent() -> None:
    request = PaintRequest(
        "a",
        1,
        "b",
        model="model",
        count=2,
        init_image="i",
        strength=0.5,
        mask=Mask("i", padding=8),
        vae="vae",
        clip_skip=2,
        styles=("style",),
        tiling=True,
        restore_faces=True,
        variation=Variation(1, 0.1),
        hires=Hires(upscaler="upscaler", steps=3),
        refiner=Refiner("model"),
        controls=(Control("i", "canny", "canny"),),
        details=(Detail("face", "a", "b"),),
        face_swap=FaceSwap("i"),
    )
    choice = Choice("model", "Euler", "Karras")
    swapper = Swapper("reactor", 24, "inswapper_128.onnx")
    sent = payload("webui", request, choice, A1111, {"i": b"PNG"}, swapper=swapper, task="1-1")
    sent |= extras.upscaling(UpscaleRequest("a", 2.0, "b", 0.5, 1.0, 1.0), b"PNG")
    named = {field for option in OPTIONS.values() for field in option.field.split(", ") if field}
    named |= {field for setting in SETTINGS for field in setting.payload.split(", ") if field}
    assert sorted(named) == sorted(field for field in named if is_sent(sent, field))


def is_sent(sent: Any, field: str) -> bool:
    """Whether a field, such as ``alwayson_scripts.controlnet.args.model``, is somewhere in a payload."""
    if isinstance(sent, list):
        return any(is_sent(each, field) for each in sent)
    name, _, rest = field.partition(".")
    return isinstance(sent, dict) and name in sent and (not rest or is_sent(sent[name], rest))


def texts(schema: Any) -> Iterator[str]:
    """Every text that Discord counts: names, descriptions and choices' values."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in {"name", "description", "value"}:
                yield str(value)
            yield from texts(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from texts(each)
