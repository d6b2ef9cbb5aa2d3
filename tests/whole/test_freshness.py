"""Many jobs in one channel: no edit too many, every message true, and no result held up by a status."""

import asyncio
import re

from bot.rehearsal import Discord, Exchange, Message
from bot.rehearsal.ratelimits import Rule
from tests.whole.conftest import Start, Time
from tests.whole.play import painted

BY_CHANNEL = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
JOBS = 20
INTERVAL_S = 2.0
"""How long a message is left alone between two edits that tell of progress."""


def refusals(discord: Discord) -> list[Exchange]:
    """Return the edits that came too soon."""
    return [request for request in discord.requests if request.method == "PATCH" and request.status == 429]


def titles(message: Message) -> list[str]:
    """Return what a message said, version by version."""
    return [embeds[0].get("title", "") for embeds in (v.embeds for v in message.history) if embeds]


def steps(message: Message) -> list[int]:
    """Return the steps a message told, in the order it did."""
    texts = [v.embeds[0].get("description", "") for v in message.history if v.embeds]
    return [int(found[1]) for found in (re.search(r"step (\d+) of", text) for text in texts) if found]


async def drawn(discord: Discord, count: int, **values: int) -> list[Message]:
    """Let people draw in one channel until so many jobs wait or run there, and return their messages."""
    people = [discord.world.ada, discord.world.bruno]
    acts = [await discord.as_(people[n % 2]).slash("draw", prompt=f"fox {n}", **values) for n in range(count)]
    return [act.message for act in acts]


async def test_twenty_jobs_with_fresh_tokens_are_followed_each_by_itself_and_no_edit_is_too_many(
    discord: Discord, start: Start
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.3 slots=10 name=one,sketch=0.3 slots=10 name=two"):
        messages = await drawn(discord, JOBS, steps=12)
        await discord.until(lambda: all(map(painted, messages)), 40)
    assert not refusals(discord)
    for message in messages:
        assert titles(message)[0].startswith(("In line", "Painting"))
        told = steps(message)
        assert told, "each was shown at work"
        assert told == sorted(told), "what is shown never goes back"
    by_channel = [r for r in discord.requests if (r.method, r.route) == BY_CHANNEL]
    assert not by_channel, "edits by the token wait for no channel"


async def test_places_in_a_line_of_twenty_are_all_told(discord: Discord, start: Start) -> None:
    async with start(EASEL_BACKENDS="sketch=0.05"):
        messages = await drawn(discord, JOBS, steps=5)
        await discord.until(lambda: all(map(painted, messages)), 40)
    assert not refusals(discord)
    last = [title for title in titles(messages[-1]) if title.startswith("In line · ")]
    assert len(set(last)) > 2, "who is far back sees the line move too"


async def test_by_the_channels_route_messages_take_turns_at_the_rate_its_headers_allow(
    discord: Discord, start: Start, clock: Time
) -> None:
    discord.rate_limits.rules[BY_CHANNEL] = Rule(3, 1.5)
    async with start(EASEL_BACKENDS="sketch=0.9 slots=4"):
        messages = await drawn(discord, 4, steps=8)
        await discord.until(lambda: all(message.embeds for message in messages), 20)
        clock.ahead_s = 20 * 60
        before = [len(message.history) for message in messages]
        await discord.until(lambda: all(map(painted, messages)), 60)
        edits = [len(m.history) - n for m, n in zip(messages, before, strict=True)]
    assert not refusals(discord)
    assert min(edits) >= 1
    assert max(edits) - min(edits) <= 2, "each had its turn"
    assert all(steps(message) == sorted(steps(message)) for message in messages)


async def test_a_status_that_waits_for_its_turn_does_not_hold_up_its_own_last_word(
    discord: Discord, start: Start, clock: Time
) -> None:
    discord.rate_limits.rules[BY_CHANNEL] = Rule(1, 1.5)
    async with start(EASEL_BACKENDS="sketch=0.5 slots=6"):
        messages = await drawn(discord, 6, steps=60)
        await discord.until(lambda: all(message.embeds for message in messages), 20)
        clock.ahead_s = 20 * 60
        [mine, *_] = messages
        shown = len(mine.history)
        await discord.until(lambda: len(mine.history) > shown, 30)
        await asyncio.sleep(1.5 + INTERVAL_S + 0.3)  # by then it stands in line again, behind the others
        edits = [request for request in discord.requests if (request.method, request.route) == BY_CHANNEL]
        await discord.as_(discord.world.ada).press(mine, "Cancel")
        await discord.until(lambda: "Cancelled" in mine.text, 30)
        since = [r for r in discord.requests if (r.method, r.route) == BY_CHANNEL][len(edits) :]
        for message in messages[1:]:
            await discord.as_(discord.world.moderator).press(message, "Cancel")
    others = [request for request in since if not request.path.endswith(str(mine.id))]
    assert not refusals(discord)
    assert len(others) <= 1, "only the edit that was on its way goes first"
