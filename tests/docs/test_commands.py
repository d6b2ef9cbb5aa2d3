"""``docs/commands.md`` is made here: ``UPDATE_DOCS=1 pytest tests/docs/test_commands.py`` writes it anew."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from discord import app_commands

from bot.backends.webui.dialect import A1111
from bot.backends.webui.listings import Choice
from bot.backends.webui.payload import payload
from bot.client import EXTENSIONS, Easel
from bot.domain.request import PaintRequest
from bot.foundations import opened
from bot.settings import load
from bot.ui.options import OPTIONS

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
HEAD = """\
# Commands

Made from the commands themselves by `UPDATE_DOCS=1 python -m pytest tests/docs/test_commands.py`; do not edit.
Ranges are those of the host's default limits. The last column is where an option ends up in a request of the
AUTOMATIC1111 API; `—` stays with Easel.
"""
KINDS = {3: "text", 4: "whole number", 5: "yes or no", 10: "number", 11: "picture file"}
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
    return "\n".join([HEAD, *(line for entry in found for line in section(entry))])


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
    assert [name for name, given in entry.default_permissions if given] == ["manage_guild"]
    return f"{place} By default for members with Manage Server; checked again when it is used."


def table(command: Command) -> Iterator[str]:
    if not command.parameters:
        return
    yield "| option | | what it takes | WebUI field |"
    yield "|---|---|---|---|"
    for option in command.parameters:
        name = f"**{option.name}**" if option.required else option.name
        field = OPTIONS[option.name].payload if option.name in OPTIONS else ""
        yield f"| {name} | {option.description} | {takes(option)} | {f'`{field}`' if field else '—'} |"
    yield ""


def takes(option: app_commands.Parameter) -> str:
    if option.choices:
        return ", ".join(choice.name for choice in option.choices)
    words = KINDS[option.type.value]
    if option.max_value is not None and option.type.value == 3:
        return f"{words}, up to {option.max_value} characters"
    if option.max_value is not None:
        return f"{words}, {option.min_value:g} to {option.max_value:.16g}"
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
        assert len(json.dumps(schema)) <= LONGEST


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
        ("backends", "settings"), True
    )


def test_the_page_names_fields_that_the_webui_is_really_sent() -> None:
    request = PaintRequest("a", 1, "b", count=2, init_image="blob", strength=0.5)
    choice = Choice("model", "Euler", "Karras")
    sent = payload("webui", request, choice, A1111, {"blob": b"PNG"}, task="1-1")
    sent |= {f"override_settings.{name}": value for name, value in sent["override_settings"].items()}
    named = {field for option in OPTIONS.values() for field in option.payload.split(", ") if field}
    assert named <= set(sent)


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
