"""What whole-bot tests do over and over: ask for a picture, read private answers, get round Discord's client."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from PIL import Image, PngImagePlugin

from bot.domain import infotext
from bot.domain.infotext import Infotext
from bot.rehearsal import Discord, Interaction
from bot.rehearsal.commands import leaves
from bot.rehearsal.interactions import Act
from bot.rehearsal.options import Filled, Value
from bot.rehearsal.world import Attachment, Channel, Message, Role, User

T = TypeVar("T")

BUTTON, SELECT, TEXT_INPUT, LABEL = 2, 3, 4, 18
WAIT_S = 20.0


def painted(message: Message) -> bool:
    """Return whether ``message`` shows its picture, no preview."""
    return any("easel-" in file.filename for file in message.attachments)


def done(message: Message) -> bool:
    """Return whether ``message`` shows its picture and nothing more will happen to it."""
    return painted(message) and bool(message.reactions)


async def result(act: Interaction) -> Message:
    """Wait until the picture is there; fails with the words of a refusal."""

    def over() -> bool:
        refused = any(reply.private_to for reply in act.replies)
        ended = act.original is not None and ("Not painted" in act.text or painted(act.original))
        return refused or ended

    await act.bus.until(over, WAIT_S)
    assert painted(act.message), act.text
    return act.message


async def draw(discord: Discord, who: User | None = None, prompt: str = "a fox", **values: Value) -> Message:
    """Let somebody (Ada) draw in Atelier's channel and return the finished message."""
    act = await discord.as_(who or discord.world.ada).slash("draw", prompt=prompt, **values)
    return await result(act)


async def insist(discord: Discord, act: Interaction) -> Interaction:
    """Say that what looks wrong is meant so, and return what comes of it."""
    assert "Is that meant so?" in await private(discord, act)
    return await discord.as_(act.user, act.channel).press(act.message, "Paint anyway")


async def nth(discord: Discord, number: int, is_so: Callable[[Message], bool] = painted) -> Message:
    """Wait until the channel's message ``number`` (from 1) shows its picture and return it."""
    channel = discord.world.channel
    await discord.until(lambda: len(channel.messages) >= number and is_so(channel.messages[number - 1]), WAIT_S)
    return channel.messages[number - 1]


async def private(discord: Discord, act: Interaction) -> str:
    """Wait for an answer that nobody else may see, with no placeholder left, and return its words."""

    def answered() -> bool:
        replies = act.replies
        return bool(replies) and all(each.private_to == act.user.id and not each.loading for each in replies)

    await discord.until(answered, WAIT_S)
    return act.text


async def ask(discord: Discord, who: User, path: str, **values: Value) -> str:
    """Send a command in Atelier's channel and return its private answer."""
    return await private(discord, await discord.as_(who).slash(path, **values))


async def told(discord: Discord, who: User, part: str) -> str:
    """Wait for a direct message that says ``part`` and return it."""
    await discord.until(lambda: any(part in message.text for message in who.dms), WAIT_S)
    return next(message.text for message in who.dms if part in message.text)


async def eventually(call: Callable[[], Awaitable[T]]) -> T:
    """Ask until the answer is not empty."""
    async with asyncio.timeout(2 * WAIT_S):
        while not (answer := await call()):  # noqa: ASYNC110 - only the bot itself knows when
            await asyncio.sleep(0.02)
    return answer


def recipe(message: Message) -> Infotext:
    """Return the infotext inside the message's one picture."""
    [file] = message.attachments
    return infotext.parse(parameters(file.data))


def parameters(data: bytes) -> str:
    """Return the infotext inside a PNG."""
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        return str(image.text["parameters"])


async def raw_command(discord: Discord, who: User, path: str, /, **values: Any) -> Interaction:
    """Send a command in Atelier's channel past every check of Discord's own client."""
    channel = discord.world.channel
    command = discord.commands.find(path.split(maxsplit=1)[0])
    assert command is not None
    schema = {option["name"]: {**option, "required": False} for option in dict(leaves(command))[path]}
    filled = Filled(discord.stage.post, channel)
    things = {n: value for n, value in values.items() if isinstance(value, User | Role | Channel | Attachment)}
    options: list[Any] = filled.fill(list(schema.values()), {**things})
    options += [{"name": n, "type": schema[n]["type"], "value": values[n]} for n in values if n not in things]
    for name in reversed(path.split()[1:]):
        options = [{"name": name, "type": 1, "options": options}]
    data = {"id": command["id"], "name": command["name"], "type": 1, "options": options}
    act = discord.interactions.send(Act.COMMAND, who, channel, data | {"resolved": filled.resolved})
    return await act.acknowledged()


async def raw_press(
    discord: Discord, who: User, custom_id: str, source: Message, values: tuple[str, ...] = ()
) -> Interaction:
    """Press a button (or choose ``values`` in a menu) that the message need not have."""
    data: dict[str, Any] = {"custom_id": custom_id, "component_type": SELECT if values else BUTTON, "id": 1}
    if values:
        data["values"] = list(values)
    act = discord.interactions.send(Act.COMPONENT, who, source.channel, data, source=source)
    return await act.acknowledged()


async def raw_submit(
    discord: Discord, who: User, custom_id: str, source: Message | None, **texts: str
) -> Interaction:
    """Submit a modal that nobody opened, its texts as long as one likes."""
    fields = [
        {
            "type": LABEL,
            "id": 2 * n + 1,
            "component": {"type": TEXT_INPUT, "id": 2 * n + 2, "custom_id": name, "value": text},
        }
        for n, (name, text) in enumerate(texts.items())
    ]
    channel = source.channel if source else discord.world.channel
    data = {"custom_id": custom_id, "components": fields}
    return await discord.interactions.send(Act.MODAL, who, channel, data, source=source).acknowledged()
