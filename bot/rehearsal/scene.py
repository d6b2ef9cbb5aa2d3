"""A short scene: somebody types a command, the picture comes, a reaction paints it again."""

import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.rehearsal.errors import Json
from bot.rehearsal.events import Event
from bot.rehearsal.server import Discord
from bot.rehearsal.world import Message

_PROMPT = "a lighthouse on a cliff at dusk, oil painting"
_AGAIN = "🔁"
_OFFER_S = 2.0


async def play_scene(
    discord: Discord, out_dir: Path, console: Console | None = None, *, timeout_s: float = 60.0
) -> list[Path]:
    """Play the scene to the connected bot, tell it in the terminal, and return the files of the pictures it made.

    Raises ``TimeoutError`` if the bot is not there or a picture takes over ``timeout_s``.
    """
    await discord.online(timeout_s)
    console = console or Console()
    gallery = _Gallery(out_dir)
    stop_telling = discord.stage.bus.listen(_Narrator(discord, console))
    ada = discord.as_(discord.world.ada)
    try:
        console.print(f"[bold]#{ada.channel.name}[/] in {discord.world.guild.name}, with {_PROMPT!r}:\n")
        console.print(f"[bold cyan]Ada[/] types [bold]/draw[/] prompt: {_PROMPT}")
        first = await (await ada.slash("draw", prompt=_PROMPT)).until(_painted, timeout_s)
        paths = gallery.hang(first, console)
        with suppress(TimeoutError):  # a server may have it that the bot offers no reaction
            await discord.until(lambda: first.reactions, _OFFER_S)
        console.print(f"[bold cyan]Ada[/] reacts with {_AGAIN}")
        await ada.react(first, _AGAIN)
        await discord.until(lambda: any(_painted(m) for m in _answers_to(first)), timeout_s)
        for message in _answers_to(first):
            paths += gallery.hang(message, console)
    finally:
        stop_telling()
    return paths


def _answers_to(message: Message) -> list[Message]:
    return [m for m in message.channel.messages if m.reference is message]


def _painted(message: Message) -> bool:
    """Return whether the picture is there for good: its message offers to paint it again."""
    faces = {(control.get("emoji") or {}).get("name") for control in message.controls}
    return bool(message.attachments) and _AGAIN in faces


class _Narrator:
    """Prints each change that can be seen, once."""

    def __init__(self, discord: Discord, console: Console) -> None:
        self._bot = discord.world.bot
        self._console = console
        self._started = time.monotonic()
        self._last = ""

    def __call__(self, event: Event) -> None:
        message = event.message
        if message is None or message.author is not self._bot:
            return
        if event.name in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
            self._tell(_summary(message))
        elif event.name == "MESSAGE_REACTION_ADD" and event.data["user_id"] == str(self._bot.id):
            self._tell(f"offers {event.data['emoji']['name']}")

    def _tell(self, line: str) -> None:
        if line != self._last:
            self._last = line
            elapsed_s = time.monotonic() - self._started
            row = Table.grid(padding=(0, 1))
            row.add_row(f"[dim]{elapsed_s:5.1f} s[/]", f"[bold green]{self._bot.name}[/]", escape(line))
            self._console.print(row)


def _summary(message: Message) -> str:
    if message.loading:
        return "is thinking …"
    buttons = [_face(control) for control in message.controls]
    lines = [line for line in message.text.splitlines() if line.strip()]
    previews = str([embed.get("thumbnail") for embed in message.embeds])
    kinds = [(a, "preview" if a.url in previews else "picture") for a in message.attachments]
    lines += [f"{kind} {a.filename} {a.width}×{a.height}" for a, kind in kinds]
    return " · ".join(lines) + (f"  [{' | '.join(buttons)}]" if buttons else "")


def _face(control: Json) -> str:
    parts = ((control.get("emoji") or {}).get("name"), control.get("label"))
    return " ".join(part for part in parts if part) or "menu"


class _Gallery:
    """Saves pictures under the names they have in Discord."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hang(self, message: Message, console: Console) -> list[Path]:
        """Save a message's pictures and say where."""
        self._folder.mkdir(parents=True, exist_ok=True)
        paths = [self._folder / Path(file.filename).name for file in message.attachments]
        for path, file in zip(paths, message.attachments, strict=True):
            path.write_bytes(file.data)
            console.print(f"[dim]        saved {escape(str(path))}[/]", highlight=False)
        return paths
