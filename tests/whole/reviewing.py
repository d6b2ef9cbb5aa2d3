"""What tests of the review channel do over and over."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

from bot.rehearsal import Discord
from bot.rehearsal.interactions import Interaction
from bot.rehearsal.world import Channel, Message, User
from tests.whole.conftest import Start
from tests.whole.play import ask, eventually

DAY_S = 86400
HELD = "A moderator looks at it first"
DECLINED = "Moderators of this server declined this picture."


def is_held(message: Message) -> bool:
    return HELD in message.text


async def order(discord: Discord, who: User | None = None, **values: object) -> Interaction:
    """Have somebody (Ada) order a picture and wait until it is held."""
    act = await discord.as_(who or discord.world.ada).slash("draw", prompt="a fox", **values)  # type: ignore[arg-type]
    await act.until(is_held)
    return act


async def card(discord: Discord, mods: Channel, number: int = 1) -> Message:
    """Wait for the review channel's card ``number`` and return it."""
    await discord.until(lambda: len(cards(mods)) >= number)
    return cards(mods)[number - 1]


def cards(mods: Channel) -> list[Message]:
    """Return what everybody sees who sees that channel."""
    return [message for message in mods.messages if not message.ephemeral]


@asynccontextmanager
async def reviewing(discord: Discord, start: Start, mods: Channel, **values: object) -> AsyncIterator[None]:
    """Start the bot with a review channel that holds everybody's pictures, or as ``values`` say."""
    async with start():
        shown = await ask(discord, discord.world.admin, "review channel", channel=mods, **values)  # type: ignore[arg-type]
        assert f"<#{mods.id}>" in shown
        yield


async def noted(environ: Mapping[str, str], message: Message) -> None:
    """Wait until the bot knows by which message it has told moderators."""

    async def is_known() -> bool:
        with closing(sqlite3.connect(Path(environ["EASEL_DATA_DIR"]) / "easel.sqlite3", timeout=10)) as database:
            return (message.id,) in database.execute("SELECT message_id FROM reviews").fetchall()

    await eventually(is_known)


async def press(discord: Discord, who: User, message: Message, label: str) -> Interaction:
    return await discord.as_(who, message.channel).press(message, label)
