"""Ids that nobody was given: whoever sends one gets an answer that the bot meant, and nothing is broken by it."""

import importlib
import pkgutil

import pytest

import bot.ui
from bot.rehearsal import Discord, Interaction
from bot.ui.buttons import ELSEWHERE, Action
from tests.whole.play import draw, painted, raw_press, raw_submit

LARGE = "9" * 19
TAILS = ("", LARGE, "show:x:y:z", "take:٣", "next:-1:ef:x:", "\u202e%s{}", "x" * 80)


def prefixes() -> list[str]:
    """Return what the ids of every cog's buttons begin with."""
    modules = (importlib.import_module(f"bot.ui.{found.name}") for found in pkgutil.iter_modules(bot.ui.__path__))
    found = {value for module in modules for value in vars(module).values() if isinstance(value, str)}
    return sorted(each for each in found if each.startswith(ELSEWHERE) and each.endswith(":"))


def made_up() -> list[str]:
    of_jobs = [f"easel:{action}:{job}" for action in Action for job in ("0", "7", LARGE)]
    others = ["easel:", "easel:paint:1", "easel:delete:1:..", "easel-:", "easel-nobody:1", "x"]
    return [*of_jobs, *others, *(f"{prefix}{tail}"[:100] for prefix in prefixes() for tail in TAILS)]


async def answered(discord: Discord, act: Interaction) -> str:
    """Wait until nothing of the answer is a placeholder any more and return its words."""
    await discord.until(lambda: not any(reply.loading for reply in act.replies))
    return act.text


@pytest.mark.usefixtures("easel")
async def test_a_made_up_id_under_a_picture_breaks_nothing(discord: Discord) -> None:
    world = discord.world
    message = await draw(discord)
    odd = []
    for made in made_up():
        for values in ((), ("upscale:9", "x")):
            text = await answered(discord, await raw_press(discord, world.bruno, made, message, values))
            odd += [(made, values, text)] if "went wrong" in text else []
    assert odd == []
    assert not message.deleted
    assert [m for m in world.channel.messages if painted(m) and m is not message] == []


@pytest.mark.usefixtures("easel")
async def test_a_made_up_form_breaks_nothing(discord: Discord) -> None:
    message = await draw(discord)
    odd = []
    for made in made_up():
        act = await raw_submit(discord, discord.world.bruno, made, message, prompt="x", **{"\u202e": "{}%s"})
        odd += [(made, act.text)] if "went wrong" in await answered(discord, act) else []
    assert odd == []
    assert not message.deleted
