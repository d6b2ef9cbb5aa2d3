"""What Discord lets a bot's token do is never exceeded, and goes to last words first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from bot.rehearsal import Discord, Exchange, Message
from bot.rehearsal.ratelimits import Rule
from tests.whole.conftest import Start, Time
from tests.whole.play import done, painted
from tests.whole.test_freshness import BY_CHANNEL, drawn, steps

POSTED = ("POST", "/channels/{channel_id}/messages")


@asynccontextmanager
async def tight(discord: Discord, start: Start, backends: str, rate: int = 10) -> AsyncIterator[None]:
    """A bot that Discord allows little, though as much as it likes in one channel."""
    discord.rate_limits.every_route = Rule(rate, 1.0)
    discord.rate_limits.rules[BY_CHANNEL] = discord.rate_limits.rules[POSTED] = Rule(100, 1.0)
    async with start(EASEL_DISCORD_RATE=str(rate), EASEL_BACKENDS=backends):
        yield
    refusals = [str(request.answer) for request in discord.requests if request.status == 429]
    assert not [answer for answer in refusals if "'global': True" in answer]


def by_channel(discord: Discord) -> list[Exchange]:
    return [request for request in discord.requests if (request.method, request.route) == BY_CHANNEL]


def says(request: Exchange, words: str) -> bool:
    return words in str(cast("dict[str, object]", request.body).get("embeds"))


async def test_results_and_progress_of_many_by_the_channels_route_never_exceed_the_limit(
    discord: Discord, start: Start, clock: Time
) -> None:
    async with tight(discord, start, "sketch=0.25 slots=16"):
        messages = await drawn(discord, 16, steps=20)
        await discord.until(lambda: all(message.embeds for message in messages), 20)
        clock.ahead_s = 20 * 60
        await discord.until(lambda: all(map(painted, messages)), 40)
    results = [each for each in by_channel(discord) if any("easel-" in name for name, _ in each.files)]
    assert len(results) == 16


async def test_last_words_go_before_progress_in_other_channels(
    discord: Discord, start: Start, clock: Time
) -> None:
    world = discord.world
    elsewhere = [world.add_channel(world.guild, f"painting-{n}") for n in range(8)]
    async with tight(discord, start, "sketch=0.5 slots=8", rate=5):
        acts = [await discord.as_(world.ada, each).slash("draw", prompt="a fox", steps=60) for each in elsewhere]
        running, waiting = [act.message for act in acts], await drawn(discord, 9)
        await discord.until(lambda: all(message.embeds for message in (*running, *waiting)), 20)
        clock.ahead_s = 20 * 60
        await discord.until(lambda: len(by_channel(discord)) > 4, 20)
        await cancel(discord, waiting)
        await discord.until(lambda: all("Cancelled" in message.text for message in waiting), 20)
        edits = by_channel(discord)
        last_words = [n for n, request in enumerate(edits) if says(request, "Cancelled")]
        between = edits[last_words[0] : last_words[-1]]
        await cancel(discord, running)
    assert len(last_words) == 9
    assert len(between) - len(last_words) <= 2, "only what was on its way already"


async def test_by_a_fresh_token_everything_is_shown_however_little_the_bots_own_may_do(
    discord: Discord, start: Start
) -> None:
    async with tight(discord, start, "sketch=0.3 slots=16"):
        messages = await drawn(discord, 10, steps=10)
        await discord.until(lambda: all(map(painted, messages)), 40)
    assert all(map(steps, messages)), "each was shown at work"
    assert not by_channel(discord)


async def test_pictures_that_come_together_are_all_given_their_reaction_a_moment_later(
    discord: Discord, start: Start
) -> None:
    async with tight(discord, start, "sketch=0.3 slots=16"):
        messages = await drawn(discord, 10)
        await discord.until(lambda: all(map(done, messages)), 20)


async def cancel(discord: Discord, messages: list[Message]) -> None:
    """Let the moderator cancel all of them at the same moment."""
    moderator = discord.as_(discord.world.moderator)
    await asyncio.gather(*(moderator.press(message, "Cancel") for message in messages))
