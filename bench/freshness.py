"""How old what a status message shows gets with many jobs in one channel, by token and by the channel's route."""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus

import discord as dpy
from yarl import URL

from bench.figures import Sheet, quantile
from bot.client import serve
from bot.ops.logging import configure
from bot.rehearsal import Discord, Message
from bot.settings_loading import load

JOBS = 20
WATCHED_S = 30.0
STEP_S = 0.5
BY_CHANNEL = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
TOKEN_LIFE_S = 15 * 60
BY_TOKEN_BAR_S = 3.0


class Clock:
    """The wall clock, put forward where tokens are to be over."""

    ahead_s = 0.0

    def __call__(self) -> float:
        """Return unix seconds."""
        return time.time() + self.ahead_s


@dataclass(slots=True)
class Watch:
    """Sees how long each message stood between two edits while its job was at work: it was that old by then.

    The painter takes a step every ``STEP_S``: what stood longer was out of date for the rest of the time.
    """

    messages: list[Message]
    begun: float = field(default_factory=time.monotonic)
    seen: dict[int, tuple[int, float]] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Take note of what was edited since the last look."""
        now = time.monotonic()
        for message in self.messages:
            count = len(message.history)
            seen, at = self.seen.get(message.id, (count, self.begun))
            if count != seen:
                self.ages.append(now - at - STEP_S)
                at = now
            self.seen[message.id] = (count, at)

    def close(self) -> None:
        """Count what is still out of date."""
        now = time.monotonic()
        self.ages += [now - at - STEP_S for _, at in self.seen.values()]


async def main() -> int:
    """Run the bench and return the exit status."""
    configure("ERROR", "json")
    sheet = Sheet()
    for name, ahead_s in (("fresh tokens", 0.0), ("by the channel", TOKEN_LIFE_S + 60.0)):
        ages, refused, rate = await watched(ahead_s)
        bar = BY_TOKEN_BAR_S if not ahead_s else JOBS / rate
        sheet.report(f"{JOBS} jobs in a channel, {name}: age, p50", quantile(ages, 0.5), "s", bar)
        sheet.report(f"{JOBS} jobs in a channel, {name}: age, oldest", max(ages), "s", bar)
        sheet.report(f"{JOBS} jobs in a channel, {name}: 429s", refused, "", 0)
    return sheet.close()


async def watched(ahead_s: float) -> tuple[list[float], int, float]:
    """Return the ages of what the messages showed, how many 429s there were, and edits a second by the channel."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(Discord(clock=clock))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        dpy.http.Route.BASE = discord.api_url
        dpy.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(discord.gateway_url)
        stop = asyncio.Event()
        environ = {
            "DISCORD_TOKEN": discord.token,
            "EASEL_DISCORD_API": discord.api_url,
            "EASEL_DATA_DIR": folder,
            "EASEL_BACKENDS": ",".join(f"sketch={STEP_S} slots=10 name=painter{n}" for n in range(2)),
            "EASEL_DEFAULT_WIDTH": "128",
            "EASEL_DEFAULT_HEIGHT": "128",
            "EASEL_MAX_STEPS": "150",
        }
        life = asyncio.ensure_future(serve(load(environ, None), stop, clock=clock))
        await discord.online()
        person = discord.as_(discord.world.ada)
        acts = [await person.slash("draw", prompt=f"fox {n}", steps=150) for n in range(JOBS)]
        for act in acts:
            await act.until(lambda message: "Painting" in message.text, 30)
        clock.ahead_s = ahead_s
        watch = Watch([act.message for act in acts])
        while time.monotonic() - watch.begun < WATCHED_S:
            watch.look()
            await asyncio.sleep(0.05)
        watch.close()
        for act in acts:
            await person.press(act.message, "Cancel")
        stop.set()
        await life
        rule = discord.rate_limits.rules[BY_CHANNEL]
        refused = sum(request.status == HTTPStatus.TOO_MANY_REQUESTS for request in discord.requests)
        return watch.ages, refused, rule.limit / rule.window_s


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
