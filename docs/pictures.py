"""Takes the pictures of ``docs/looks.md``: the real bot plays every state against the stand-in for Discord.

    python -m docs.pictures

Nothing in them is made by hand: each message was sent by the bot and drawn by the rehearsal's own page.
"""

import asyncio
import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord as dpy
import yarl
from PIL import Image

from bot.client import serve
from bot.imaging.sketching import Subject, glimpse, paint
from bot.ops.logging import configure
from bot.rehearsal import Discord, Interaction
from bot.rehearsal.options import Value
from bot.rehearsal.person import Person
from bot.rehearsal.world import Attachment, Message, User
from bot.settings_loading import load
from docs.browser import Browser, MissingError
from tests.standins.webui import Fault, StandInWebUI
from tests.standins.webui_orders import Order
from tests.standins.webui_pictures import encoded
from tests.standins.webui_state import Running

HERE = Path(__file__).parent
FOLDER = HERE / "pictures"
PAGE = HERE / "looks.md"
WIDTH = 420
"""A phone's, in CSS px."""
MAX_BYTES = 60_000
OVERVIEW = ("several", "painting", "waiting")
"""What the README shows of it all."""
STATES = {
    "overview": "One message per job, from its place in line to the picture.",
    "waiting": "In line: the place, about how long it takes, and a way out.",
    "painting": "At work: the bar, the step, the time that is left, and a preview no larger than the words.",
    "done": "Done: the picture with all its facts; the buttons work for everybody, after a restart too.",
    "several": "Several pictures come as one numbered grid; the menu takes one of them out.",
    "upscaled": "An upscaled picture names the one that it was made from.",
    "described": "A picture that knows how it was painted says so; putting it into words is one button away.",
    "edit": "Edit opens a form with all that made the picture.",
    "settings": "Settings are a command to copy: it paints the same picture again.",
    "exploring": "An exploration is one message too, however many pictures it needs.",
    "explored": "One labelled picture compares two parameters.",
    "warned": "What looks like a slip is asked about before it costs a turn.",
    "failed": "What went wrong in one sentence, what to do in the next.",
    "cancelled": "Cancelled, by whom, and a way back.",
    "paused": "A moderator may pause a server's line: what waits is kept, and says so.",
    "no-painter": "No backend is there: the job keeps its place until one is.",
    "queue": "The line as a panel, without anybody's prompt.",
    "history": "One's own pictures, searched and shown again.",
    "models": "Which models there are, and which one is used where nobody chooses.",
    "model": "All that is known of a model.",
    "stats": "What was painted in the last thirty days.",
    "help": "Help in pages, for one's own eyes.",
}
"""Every state that has a picture, by its file's name, with the sentence beside it."""
_HEAD = """\
# How it looks

Every picture here was taken by `make pictures`: the real bot, a stand-in for Discord, and a painter that needs no
model.
Do not edit: the sentences stand in `docs/pictures.py`.
"""
_CROP = """
for (const part of document.querySelectorAll("nav, footer, main > header, #messages > li")) {
  part.style.display = "none";
}
for (const shown of document.querySelectorAll("#messages > SELECTOR")) shown.style.display = "";
await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
const box = document.querySelector("SELECTOR").getBoundingClientRect();
return { x: BOX_X, y: box.y, width: BOX_WIDTH, height: box.height };
"""
_MISSING = "The pictures are taken by Chromium: apt-get install chromium fonts-noto-color-emoji"


def page() -> str:
    """Return ``docs/looks.md``."""
    shown = (f"{sentence}\n\n![{sentence}](pictures/{name}.webp)\n" for name, sentence in STATES.items())
    return "\n".join([_HEAD, *shown])


class Painter(StandInWebUI):
    """A WebUI that paints as the built-in painter does, instead of one colour."""

    _asked: dict[str, Any]

    def _order(self, path: str, content: dict[str, Any]) -> Order:
        order = super()._order(path, content)
        self._asked = order.asked | {"seed": order.seeds[0]}
        return order

    def _pictures(self, order: Order, run: Running, texts: list[str], fault: Fault | None) -> list[bytes]:
        if fault is not None or run.interrupted:
            return super()._pictures(order, run, texts, fault)
        prompt = str(order.asked["prompt"])
        return [
            paint(Subject(prompt, seed, *order.size), text) for seed, text in zip(order.seeds, texts, strict=True)
        ]

    def _task_progress(self, question: Any) -> dict[str, Any]:
        answer = super()._task_progress(question)
        if answer.get("live_preview"):
            subject = Subject(*(self._asked[name] for name in ("prompt", "seed", "width", "height")))
            answer["live_preview"] = f"data:image/webp;base64,{encoded(glimpse(subject, answer['progress']))}"
        return answer


class Studio:
    """The stage with its cast, and the camera."""

    def __init__(self, discord: Discord, server: Painter, browser: Browser) -> None:
        self.discord = discord
        self.server = server
        self.world = discord.world
        self._browser = browser
        self.taken: dict[str, bytes] = {}

    def person(self, user: User) -> Person:
        """Return somebody in the server's channel."""
        return self.discord.as_(user)

    async def draw(self, user: User, prompt: str, **values: Value) -> Interaction:
        """Let somebody draw."""
        return await self.person(user).slash("draw", prompt=prompt, **values)

    async def painted(self, act: Interaction) -> Message:
        """Wait for the picture of ``act``, with the reaction that comes last."""
        return await act.until(lambda message: message.reactions and _has_picture(message), 60)

    async def shoot(self, name: str, user: User, message: Message) -> None:
        """Take the picture of a message as ``user`` sees it."""
        await self._browser.run(f"await go('{user.id}', '{message.channel.id}');")
        await self._take(name, f"#m{message.id}")

    async def shoot_form(self, name: str, user: User, message: Message, button: str) -> None:
        """Take the picture of the form that ``button`` opens."""
        await self._browser.run(f"await go('{user.id}', '{message.channel.id}');")
        await self._browser.run(
            f"[...document.querySelectorAll('#m{message.id} button')]"
            f".find((each) => each.textContent.includes('{button}')).click();"
            "while (!document.querySelector('dialog[open]')) await new Promise((go) => setTimeout(go, 20));"
            "document.activeElement.blur();"
        )
        await self._take(name, "dialog", whole=False)
        await self._browser.run("document.querySelector('dialog').close();")

    async def _take(self, name: str, selector: str, *, whole: bool = True) -> None:
        code = _CROP.replace("SELECTOR", selector)
        code = code.replace("BOX_X", "0" if whole else "box.x").replace(
            "BOX_WIDTH", str(WIDTH) if whole else "box.width"
        )
        self.taken[name] = await self._browser.picture(await self._browser.run(code))
        sys.stdout.write(f"{name}\n")


def _has_picture(message: Message) -> bool:
    return any(file.filename.startswith("easel-") for file in message.attachments)


def _half_explored(message: Message) -> bool:
    return any(f"Exploring · {done} of" in message.text for done in (2, 3, 4)) and bool(message.attachments)


def _says(words: str) -> Callable[[Message], bool]:
    return lambda message: words in message.text


async def results(studio: Studio) -> None:
    """Show what comes of a job, and what is done with it."""
    ada, bruno = studio.world.ada, studio.world.bruno
    studio.server.step_s = 0.08
    first = await studio.painted(await studio.draw(ada, "a lighthouse on a cliff at dusk, oil painting", seed=42))
    await studio.shoot("done", ada, first)
    await studio.shoot_form("edit", ada, first, "Edit")
    told = await studio.person(ada).press(first, "Settings")
    await studio.shoot("settings", ada, await told.until(_says("/draw")))
    foxes = await studio.painted(
        await studio.draw(bruno, "four foxes in the snow", seed=7, count=4, width=384, height=384)
    )
    await studio.shoot("several", bruno, foxes)
    larger = await studio.painted(await studio.person(ada).choose(first, "More", "Upscale"))
    await studio.shoot("upscaled", ada, larger)
    words = await studio.person(bruno).choose(first, "More", "Describe")
    await studio.shoot("described", bruno, await words.until(_says("How it was painted"), 30))


async def slips(studio: Studio) -> None:
    """Show what does not end in a picture."""
    ada, bruno = studio.world.ada, studio.world.bruno
    asked = await studio.draw(ada, "a quiet harbour, ((fog), <lora:watercolor:0.8>")
    await studio.shoot("warned", ada, await asked.until(_says("Is that meant so?")))
    studio.server.fault, studio.server.faults = Fault.OUT_OF_MEMORY, 1
    failed = await studio.draw(bruno, "a whole city, every window lit", width=2048, height=1024)
    await studio.shoot("failed", bruno, await failed.until(_says("Not painted"), 30))
    studio.server.fault = None


async def line(studio: Studio) -> None:
    """Show a job on its way to its picture."""
    ada, bruno, mira = studio.world.ada, studio.world.bruno, studio.world.moderator
    studio.server.step_s = 0.5
    running = await studio.draw(bruno, "a harbour in the fog, watercolour", seed=12, steps=20)
    await studio.draw(mira, "an owl with a lantern", seed=5, steps=20)
    waiting = await studio.draw(ada, "a castle of glass in a desert", seed=9, steps=20)
    await studio.shoot("waiting", ada, await waiting.until(_says("In line · 2nd"), 20))
    panel = await studio.person(ada).slash("queue show")
    await studio.shoot("queue", ada, await panel.until(_says("In line")))
    await studio.person(mira).slash("queue pause")
    await studio.shoot("paused", ada, await waiting.until(_says("Paused by a moderator"), 20))
    await studio.person(mira).slash("queue resume")
    at_work = await running.until(lambda message: "step 1" in message.text and message.attachments, 60)
    await studio.shoot("painting", bruno, at_work)
    await studio.person(mira).press(waiting.message, "Cancel")
    await studio.shoot("cancelled", ada, await waiting.until(_says("Cancelled"), 20))
    studio.server.step_s = 0.0


async def sheets(studio: Studio) -> None:
    """Show an exploration, under way and done."""
    ada = studio.world.ada
    studio.server.step_s = 0.15
    grid: dict[str, Value] = {"across": "prompt", "across_values": "fox, owl, hare", "down": "seed"}
    order = await studio.person(ada).slash(
        "explore", prompt="a red fox, ink", size="384x256", down_values="42, 43", steps=20, **grid
    )
    await studio.shoot("exploring", ada, await order.until(_half_explored, 60))
    studio.server.step_s = 0.0
    await studio.shoot("explored", ada, await order.until(_has_picture, 60))


async def private_answers(studio: Studio) -> None:
    """Show what only the asker sees."""
    ada, admin = studio.world.ada, studio.world.admin
    sample = paint(Subject("a portrait of a knight", 3, 512, 320), "")
    card = await studio.person(admin).slash(
        "model card",
        name="dreamshaper_8",
        trigger="dreamlike",
        note="Good at landscapes and light.",
        sample=Attachment("sample.png", sample),
    )
    await card.until(lambda message: not message.loading)
    for name, path, values in (
        ("models", "model list", {}),
        ("model", "model info", {"name": "dreamshaper_8"}),
        ("history", "history", {}),
        ("stats", "stats server", {}),
        ("help", "help", {}),
    ):
        act = await studio.person(ada).slash(path, **values)
        await studio.shoot(name, ada, await act.until(lambda message: message.embeds and not message.loading, 30))


async def outage(studio: Studio) -> None:
    """Show what happens while nobody is there to paint."""
    await studio.server.stop()
    waiting = await studio.draw(studio.world.ada, "a garden after the rain", seed=4)
    await studio.shoot("no-painter", studio.world.ada, await waiting.until(_says("Waiting for a painter"), 60))


async def play(studio: Studio) -> None:
    """Bring about every state."""
    ada = studio.person(studio.world.ada)
    while not await ada.autocomplete("upscale", "upscaler", "ESRGAN"):  # noqa: ASYNC110 - only the bot knows when
        await asyncio.sleep(0.1)
    for act in (results, slips, line, sheets, private_answers, outage):
        await act(studio)


def together(pictures: list[bytes]) -> bytes:
    """Return screenshots below each other in one."""
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    whole = Image.new("RGB", (max(image.width for image in images), sum(image.height for image in images)))
    below = 0
    for image in images:
        whole.paste(image, (0, below))
        below += image.height
    out = io.BytesIO()
    whole.save(out, "PNG")
    return out.getvalue()


def shrunk(picture: bytes) -> bytes:
    """Return a screenshot as WebP, as well as ``MAX_BYTES`` allow."""
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    for quality in (90, 80, 70, 55, 40):
        out = io.BytesIO()
        image.save(out, "WEBP", quality=quality, method=6)
        if out.tell() <= MAX_BYTES:
            break
    return out.getvalue()


async def take() -> dict[str, bytes]:
    """Start the bot and its stage, and return a screenshot of every state."""
    with tempfile.TemporaryDirectory() as folder:
        async with Browser(WIDTH) as browser, Painter() as server, Discord() as discord:
            dpy.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(discord.gateway_url)
            dpy.Asset.BASE = discord.base_url
            server.loras = ["watercolour"]
            environ = {
                "DISCORD_TOKEN": discord.token,
                "EASEL_DISCORD_API": discord.api_url,
                "EASEL_DATA_DIR": folder,
                "EASEL_BACKENDS": f"webui={server.url} name=gpu1",
                "EASEL_DEFAULT_WIDTH": "640",
                "EASEL_DEFAULT_HEIGHT": "384",
                "EASEL_DEFAULT_MODEL": "dreamshaper_8",
                "EASEL_DEFAULT_SAMPLER": "DPM++ 2M",
                "EASEL_DEFAULT_SCHEDULER": "Karras",
            }
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve(load(environ, None), stop))
                await discord.online()
                await browser.go(discord.page_url)
                studio = Studio(discord, server, browser)
                await play(studio)
                stop.set()
    return studio.taken


def main() -> None:
    """Take every picture anew."""
    started = time.monotonic()
    configure("CRITICAL", "console")
    try:
        taken = asyncio.run(take())
    except MissingError:
        sys.exit(_MISSING)
    taken["overview"] = together([taken[name] for name in OVERVIEW])
    FOLDER.mkdir(exist_ok=True)
    for name in STATES:
        (FOLDER / f"{name}.webp").write_bytes(shrunk(taken[name]))
    PAGE.write_text(page(), encoding="utf-8")
    size = sum(file.stat().st_size for file in FOLDER.iterdir())
    sys.stdout.write(f"{len(STATES)} pictures, {size // 1000} kB, {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
