from typing import Any, cast

import discord
from discord import AppCommandOptionType as Kind
from discord import app_commands

from bot.domain.capability import Listing
from bot.domain.limits import Limits
from bot.ui.commands import anywhere, command, completion, group, servers_only
from bot.ui.options import DRAW, OPTIONS, REMIX

NOBODY = cast("discord.Interaction", None)  # a suggestion is the same for everybody
LIMITS = Limits(max_steps=40, max_side=1024, max_count=3)


async def callback(interaction: discord.Interaction, values: dict[str, Any]) -> None:
    """Do nothing."""


async def suggest(_: discord.Interaction, listing: Listing, typed: str) -> list[str]:
    return [f"{listing}-{typed}", "n" * 101]


async def complete(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=typed, value=typed)]


def draw() -> app_commands.Command[Any, ..., None]:
    return command(
        "draw",
        "Paint a picture",
        callback,
        [OPTIONS[name] for name in DRAW],
        limits=LIMITS,
        suggest=suggest,
        completions=dict.fromkeys(("size", "more", "like"), complete),
    )


def remix() -> app_commands.Command[Any, ..., None]:
    return command(
        "remix",
        "Paint over a picture",
        callback,
        [OPTIONS[name] for name in REMIX],
        limits=LIMITS,
        suggest=suggest,
        required=frozenset({"image", "prompt"}),
    )


def option(made: app_commands.Command[Any, ..., None], name: str) -> app_commands.Parameter:
    return next(parameter for parameter in made.parameters if parameter.name == name)


def test_a_command_has_the_declared_options_in_order() -> None:
    needed = ["image", "prompt"]
    assert [parameter.name for parameter in remix().parameters if parameter.required] == needed
    names = [parameter.name for parameter in remix().parameters]
    assert names == sorted(REMIX, key=lambda name: name not in needed), "Discord wants what is required first"


def test_discord_holds_people_to_the_hosts_limits() -> None:
    made = draw()
    ranges = {p.name: (p.min_value, p.max_value) for p in made.parameters if p.max_value is not None}
    assert ranges == {
        "prompt": (1, 1500),
        "negative_prompt": (1, 1500),
        "width": (64, 1024),
        "height": (64, 1024),
        "count": (1, 3),
        "steps": (1, 40),
        "cfg_scale": (0.0, 30.0),
        "seed": (0, 2**32 - 1),
        "clip_skip": (1, 12),
        "hires": (1.0, 4.0),
    }
    assert (option(remix(), "strength").min_value, option(remix(), "strength").max_value) == (0.05, 1.0)


def test_options_are_typed() -> None:
    made = remix()
    assert option(made, "image").type is Kind.attachment
    assert option(made, "steps").type is Kind.integer
    assert option(made, "cfg_scale").type is Kind.number
    assert option(made, "spoiler").type is Kind.boolean
    assert option(made, "control_image").type is Kind.attachment


def test_whatever_a_backend_lists_is_suggested() -> None:
    suggested = {parameter.name for parameter in draw().parameters if parameter.autocomplete}
    lists = {"model", "preset", "style", "sampler", "scheduler", "lora", "vae", "control_model"}
    assert suggested == {*lists, "size", "more", "like"}
    assert all(OPTIONS[name].listing for name in lists)


async def test_a_suggestion_too_long_for_discord_is_left_out() -> None:
    choices = await completion(OPTIONS["model"], suggest)(NOBODY, "dream")
    assert [choice.value for choice in choices] == ["models-dream"]


async def test_the_last_of_several_loras_is_completed() -> None:
    choices = await completion(OPTIONS["lora"], suggest)(NOBODY, "ink:0.5, fi")
    assert [choice.value for choice in choices] == ["ink:0.5, loras-fi"]


async def test_a_name_with_a_comma_is_completed_in_quotes() -> None:
    async def kept(_: discord.Interaction, __: Listing, ___: str) -> list[str]:
        return ["oil, thick"]

    choices = await completion(OPTIONS["style"], kept)(NOBODY, "ink, oi")
    assert [choice.value for choice in choices] == ['ink, "oil, thick"']


def test_a_command_says_where_it_works() -> None:
    made = anywhere(remix())
    assert made.allowed_contexts is not None
    assert made.allowed_installs is not None
    assert made.allowed_contexts.to_array() == [0, 1, 2]
    assert made.allowed_installs.to_array() == [0, 1]
    there = servers_only(group("settings", "Settings", default_permissions=discord.Permissions(32)))
    assert there.allowed_contexts is not None
    assert there.allowed_installs is not None
    assert there.allowed_contexts.to_array() == [0]
    assert there.allowed_installs.to_array() == [0]
