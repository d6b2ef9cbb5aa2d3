"""``easel run`` and ``easel rehearse``: the bot, and the bot without Discord."""

# ruff: noqa: PLC0415

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from socket import gethostname
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ending import EX_CONFIG, EX_UNAVAILABLE, give_up, live, settings_or_give_up, unwritable

if TYPE_CHECKING:
    from bot.domain.shards import Shards
    from bot.rehearsal import Discord
    from bot.settings import Settings

_REHEARSALS = Path("out/rehearsal")


def run(
    shards: Annotated[
        str,
        typer.Option(
            metavar="A-B/N",
            help="Shards of this process, such as 0-1/4; default: all that Discord recommends.",
        ),
    ] = "",
) -> None:
    """Start the bot with the settings of the environment and .env."""
    settings = settings_or_give_up(needs_token=True)
    own = _shards_or_give_up(shards, settings) if shards else None
    from bot.client import serve

    if problem := unwritable(settings.data_dir):
        give_up(EX_CONFIG, [problem])
    _log(settings)
    _live(lambda stop: serve(settings, stop, shards=own))


def worker(
    backends: Annotated[
        str, typer.Option(metavar="KIND=ADDRESS,…", help="What paints here, as in EASEL_BACKENDS; default: that.")
    ] = "",
    name: Annotated[str, typer.Option(help="Its name among the workers; default: that of the machine.")] = "",
) -> None:
    """Paint and deliver for bots on other machines: needs their PostgreSQL database, and no open port."""
    from bot.storage.opening import is_shared

    environ = {**os.environ, "EASEL_BACKENDS": backends} if backends else None
    settings = settings_or_give_up(needs_token=True, environ=environ)
    if not is_shared(settings.database_url.get_secret_value()):
        sentence = "A worker shares its bot's queue, and an SQLite file cannot be shared."
        cure = "Give bot and workers the same DATABASE_URL=postgresql://…; to move there: easel db import"
        give_up(EX_CONFIG, [sentence, cure])
    if not settings.backend_addresses:
        give_up(EX_CONFIG, ["A worker without backends paints nothing: name some with --backends."])
    from bot.worker import serve

    if problem := unwritable(settings.data_dir):
        give_up(EX_CONFIG, [problem])
    _log(settings)
    _live(lambda stop: serve(settings, stop, name=name or gethostname()))


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


def _shards_or_give_up(text: str, settings: "Settings") -> "Shards":
    from bot.domain.shards import Shards
    from bot.storage.opening import is_shared

    try:
        shards = Shards.parse(text)
    except ValueError as error:
        give_up(EX_CONFIG, [f"--shards: {error}"])
    if not shards.whole and not is_shared(settings.database_url.get_secret_value()):
        sentence = f"--shards: {shards} leaves shards to other processes, which cannot share an SQLite file."
        every = Shards.all(shards.count)
        cure = f"Use PostgreSQL (DATABASE_URL=postgresql://…), or run them all here: --shards {every}"
        give_up(EX_CONFIG, [sentence, cure])
    return shards


def _log(settings: "Settings") -> None:
    """Log as the settings say, and tell Sentry of our own failures if they name a project."""
    from bot.ops.exporting import SENTRY_CURE, has_extra
    from bot.ops.logging import configure

    report = None
    if dsn := settings.sentry_dsn.get_secret_value():
        if not has_extra("sentry_sdk"):
            give_up(EX_CONFIG, [f"EASEL_SENTRY_DSN needs the extra “sentry”: {SENTRY_CURE}, or leave it out."])
        from bot.ops.sentry import reporter

        report = reporter(dsn, settings.secrets)
    configure(settings.log_level, settings.log_format, known=settings.secrets, report=report)


def _live(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    from bot.domain.errors import BotError
    from bot.ops.server import AddressTakenError
    from bot.refusals import RefusedError, StartError
    from bot.storage.bucket import BucketAwayError, BucketError
    from bot.storage.database import DatabaseSetupError

    hush_voice()
    away = dict.fromkeys((StartError, BotError, BucketAwayError), EX_UNAVAILABLE)
    wrong = dict.fromkeys((AddressTakenError, DatabaseSetupError, RefusedError), EX_CONFIG)
    live(work, {**wrong, **away, BucketError: EX_CONFIG})


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
