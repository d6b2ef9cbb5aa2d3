"""What the tests of ``/explore`` do over and over."""

import io
import re

from PIL import Image

from bot.rehearsal import Discord, Interaction, Message
from bot.rehearsal.options import Value

TXT2IMG = "/sdapi/v1/txt2img"
GRID: dict[str, Value] = {
    "prompt": "a red fox",
    "across": "sampler",
    "across_values": "Euler, DPM++ 2M",
    "down": "cfg",
    "down_values": "4..8 step 4",
}


async def explored(discord: Discord, **values: Value) -> Interaction:
    return await discord.as_(discord.world.ada).slash("explore", **{**GRID, **values})


def size(message: Message) -> tuple[int, int]:
    [file] = message.attachments
    with Image.open(io.BytesIO(file.data)) as image:
        return image.size


def labels(message: Message) -> list[str]:
    [menu] = [control for control in message.controls if control.get("placeholder") == "Take one"]
    return [option["label"] for option in menu["options"]]


def begun(message: Message) -> bool:
    """Return whether some cells are painted and some are not."""
    return re.search("Exploring · [123] of 4", message.text) is not None


def public(discord: Discord) -> list[Message]:
    return [message for message in discord.world.channel.messages if message.private_to is None]


def titles(message: Message) -> list[str]:
    shown = [*(version.embeds for version in message.history), message.embeds]
    return [embeds[0].get("title") or "" for embeds in shown if embeds]


def typed(command: str) -> dict[str, Value]:
    """Return the options of a pasted command, each as its type."""
    parts = re.split(r"\s(\w+):", command)
    values: dict[str, Value] = dict(zip(parts[1::2], parts[2::2], strict=True))
    kinds = {"steps": int, "seed": int, "cfg_scale": float}
    return {name: kinds.get(name, str)(value) for name, value in values.items()}


def results_of(message: Message) -> int:
    """Count how often a picture appeared in a message."""
    shown = [*(version.attachments for version in message.history), message.attachments]
    return len({file.id for files in shown for file in files if "easel-" in file.filename})
