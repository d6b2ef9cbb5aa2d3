"""``easel run`` and ``easel rehearse``: the bot, and the bot without Discord."""

# ruff: noqa: PLC0415

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ending import EX_CONFIG, EX_UNAVAILABLE, give_up, live, settings_or_give_up, unwritable

if TYPE_CHECKING:
    from bot.rehearsal import Discord
    from bot.settings import Settings

_REHEARSALS = Path("out/rehearsal")


def run() -> None:
    """Start the bot with the settings of the environment and .env."""
    settings = settings_or_give_up(needs_token=True)
    from bot.client import serve

    if problem := unwritable(settings.data_dir):
        give_up(EX_CONFIG, [problem])
    _log(settings)
    _live(lambda stop: serve(settings, stop))


def rehearse(
    stay: Annotated[
        bool | None,
        typer.Option("--stay/--no-stay", help="Stay up with a page to try the bot on; default: with a terminal."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = _REHEARSALS,
    backends: Annotated[str, typer.Option(help="What paints, as in EASEL_BACKENDS.")] = "sketch",
) -> None:
    """Try the real bot against a stand-in for Discord on this machine: no token, no GPU."""
    from bot.backends.address import AddressError, parse
    from bot.ops.logging import configure

    try:
        parse(backends)
    except AddressError as error:
        give_up(EX_CONFIG, [str(error)])
    if problem := unwritable(out, "--out"):
        give_up(EX_CONFIG, [problem])
    configure("WARNING", "console")
    stays = sys.stdin.isatty() and sys.stdout.isatty() if stay is None else stay
    with TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True) as folder:
        _live(lambda stop: _rehearse(stop, Path(folder), out, backends, stays=stays))


def _log(settings: "Settings") -> None:
    from bot.ops.logging import configure

    configure(settings.log_level, settings.log_format, known=settings.secrets)


def _live(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    from bot.client import StartError, TokenRefusedError
    from bot.domain.errors import BotError

    hush_voice()
    live(work, {TokenRefusedError: EX_CONFIG, StartError: EX_UNAVAILABLE, BotError: EX_UNAVAILABLE})


def hush_voice() -> None:
    """Keep discord.py from warning that a bot without voice lacks the libraries for it."""
    from discord import VoiceClient

    VoiceClient.warn_nacl = VoiceClient.warn_dave = False


async def _rehearse(stop: asyncio.Event, folder: Path, out: Path, backends: str, *, stays: bool) -> None:
    from bot.client import serve
    from bot.rehearsal import Discord
    from bot.settings_loading import load

    async with Discord() as discord:
        _point_at(discord)
        settings = load(
            {
                "DISCORD_TOKEN": discord.token,
                "EASEL_DISCORD_API": discord.api_url,
                "EASEL_BACKENDS": backends,
                "EASEL_DATA_DIR": str(folder),
            },
            None,
        )
        curtain = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(settings, curtain))
            stopped = tasks.create_task(stop.wait())
            show = tasks.create_task(_show(discord, out, stays=stays))
            await asyncio.wait({show, stopped}, return_when=asyncio.FIRST_COMPLETED)
            show.cancel()
            stopped.cancel()
            curtain.set()


async def _show(discord: "Discord", out: Path, *, stays: bool) -> None:
    from bot.rehearsal import play_scene

    await play_scene(discord, out)
    if stays:
        typer.echo(f"\nNow try it yourself: {discord.page_url}\nCtrl-C ends the rehearsal.")
        await asyncio.get_running_loop().create_future()


def _point_at(standin: "Discord") -> None:
    """Have discord.py connect to the stand-in; its REST address is a setting of the bot."""
    import discord
    from discord.gateway import DiscordWebSocket
    from yarl import URL

    DiscordWebSocket.DEFAULT_GATEWAY = URL(standin.gateway_url)
    discord.Asset.BASE = standin.base_url
