"""The command line: ``easel run``, ``easel rehearse``, ``easel check``; a host's mistake gets a sentence.

What a command needs is imported when it runs, so that ``easel --help`` answers at once.
"""

# ruff: noqa: PLC0415

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot import __version__

if TYPE_CHECKING:
    from bot.rehearsal import Discord
    from bot.settings import Settings

EX_OK = 0
EX_BUG = 1
EX_UNAVAILABLE = 69
EX_CONFIG = 78
"""Exit codes as sysexits.h has them; 1 is our own fault."""
PERMISSIONS = 274878024768
"""View channels, send messages (in threads too), embed links, attach files, read history, add reactions."""
_ENV_FILE = Path(".env")
_REHEARSALS = Path("out/rehearsal")
_CHECK_TIMEOUT_S = 10.0

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line."""
    app(prog_name="easel")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"easel {__version__}")
        raise typer.Exit


@app.callback()
def easel(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Easel, a Discord bot that paints."""


@app.command()
def run() -> None:
    """Start the bot with the settings of the environment and .env."""
    settings = _settings(needs_token=True)
    from bot.client import serve

    if problem := _unwritable(settings.data_dir):
        _give_up(EX_CONFIG, [problem])
    _log(settings)
    _live(lambda stop: serve(settings, stop))


@app.command()
def rehearse(
    stay: Annotated[
        bool | None,
        typer.Option("--stay/--no-stay", help="Stay up with a page to try the bot on; default: with a terminal."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = _REHEARSALS,
) -> None:
    """Try the real bot against a stand-in for Discord on this machine: no token, no GPU."""
    from bot.ops.logging import configure

    if problem := _unwritable(out, "--out"):
        _give_up(EX_CONFIG, [problem])
    configure("WARNING", "console")
    stays = sys.stdin.isatty() and sys.stdout.isatty() if stay is None else stay
    with TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True) as folder:
        _live(lambda stop: _rehearse(stop, Path(folder), out, stays=stays))


@app.command()
def check() -> None:
    """Check settings, data folder, token and backends, with a cure for what is wrong."""
    from bot.ops.logging import configure

    settings = _settings(needs_token=False)
    configure("ERROR", "console", known=settings.secrets)
    typer.echo("ok    settings")
    unwritable = _unwritable(settings.data_dir)
    typer.echo(f"wrong {unwritable}" if unwritable else f"ok    data folder {settings.data_dir}")
    codes = [EX_CONFIG if unwritable else EX_OK]
    with asyncio.Runner() as runner:
        codes.append(runner.run(_check_token(settings)))
        codes.append(runner.run(_check_backends(settings)))
    raise typer.Exit(max(codes))


def _settings(*, needs_token: bool) -> "Settings":
    from bot.settings import SettingsError, load

    try:
        return load(os.environ, _ENV_FILE, needs_token=needs_token)
    except SettingsError as error:
        _give_up(EX_CONFIG, error.problems)


def _give_up(code: int, lines: Iterable[str]) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)


def _log(settings: "Settings") -> None:
    from bot.ops.logging import configure

    configure(settings.log_level, settings.log_format, known=settings.secrets)


def _unwritable(folder: Path, name: str = "EASEL_DATA_DIR") -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".check-"):
            return None
    except OSError as error:
        return f"{name}: {folder} cannot be written ({error.strerror}); give a folder of your own."


def _live(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run ``work`` until it ends or a signal asks it to; whatever stops it becomes words and an exit code."""
    from bot.client import StartError, TokenRefusedError
    from bot.domain.errors import BotError
    from bot.ops.logging import log_failure

    _hush_voice()
    try:
        with asyncio.Runner() as runner:
            runner.run(_until_signalled(work))
    except KeyboardInterrupt:
        raise typer.Exit(128 + signal.SIGINT) from None
    except Exception as raised:  # noqa: BLE001 - the outermost door: into words, or into the log, redacted
        error = _innermost(raised)
        if isinstance(error, StartError | BotError):
            _give_up(EX_CONFIG if isinstance(error, TokenRefusedError) else EX_UNAVAILABLE, [str(error)])
        code = log_failure("stopped by a failure", error)
        _give_up(EX_BUG, [f"Easel stopped by a failure of its own, {code} in the log. Please report it."])


def _innermost(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _hush_voice() -> None:
    """Keep discord.py from warning that a bot without voice lacks the libraries for it."""
    from discord import VoiceClient

    VoiceClient.warn_nacl = VoiceClient.warn_dave = False


async def _until_signalled(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Do ``work`` with an event that the first SIGTERM or SIGINT sets; a second one ends the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)

    for each in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(each, ask)
        except NotImplementedError:  # Windows has no such handlers
            signal.signal(each, lambda *_: loop.call_soon_threadsafe(stop.set))
    await work(stop)


async def _rehearse(stop: asyncio.Event, folder: Path, out: Path, *, stays: bool) -> None:
    from bot.client import serve
    from bot.rehearsal import Discord
    from bot.settings import load

    async with Discord() as discord:
        _point_at(discord)
        settings = load(
            {
                "DISCORD_TOKEN": discord.token,
                "EASEL_DISCORD_API": discord.api_url,
                "EASEL_BACKENDS": "sketch",
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


async def _check_token(settings: "Settings") -> int:
    import discord

    token = settings.discord_token.get_secret_value()
    if not token:
        from bot.settings import WITHOUT_DISCORD

        typer.echo(f"wrong {WITHOUT_DISCORD}")
        return EX_CONFIG
    _hush_voice()
    discord.http.Route.BASE = settings.discord_api
    async with discord.Client(intents=discord.Intents.none()) as client:
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT_S):
                await client.login(token)
        except discord.LoginFailure:
            typer.echo("wrong DISCORD_TOKEN: Discord does not know it; reset it in the developer portal.")
            return EX_CONFIG
        except (discord.HTTPException, OSError) as error:
            typer.echo(f"away  Discord ({type(error).__name__}): check this machine's way to the internet.")
            return EX_UNAVAILABLE
        invite = discord.utils.oauth_url(
            client.application_id or 0,
            permissions=discord.Permissions(PERMISSIONS),
            scopes=("bot", "applications.commands"),
        )
        typer.echo(f"ok    token of {client.user}; invite it by {invite}")
    return EX_OK


async def _check_backends(settings: "Settings") -> int:
    import time

    from bot.backends.decoding import Decoder
    from bot.backends.factory import Workshop, build
    from bot.domain.errors import BackendError
    from bot.imaging.imaging import Imaging

    imaging, decoder = Imaging(), Decoder()
    addresses = settings.backend_addresses
    backends = build(addresses, Workshop(time.time, imaging, decoder))
    code = EX_OK
    for address, backend in zip(addresses, backends, strict=True):
        where = f"backend {backend.name} {address.url}".rstrip()
        try:
            await backend.health()
            note = " (no model: abstract pictures)" if address.kind == "sketch" else ""
            typer.echo(f"ok    {where}{note}")
        except BackendError as error:
            typer.echo(f"away  {where}: {error.texts()[0].message.format(**error.values)} {_cure(error)}")
            code = EX_UNAVAILABLE
        finally:
            await backend.close()
    await decoder.close()
    await imaging.close()
    return code


def _cure(error: Exception) -> str:
    from bot.domain.errors import AuthError, NotEnabledError, UnreachableError

    match error:
        case NotEnabledError():
            return "Start it with --api."
        case AuthError():
            return "Give it user:password in EASEL_BACKEND_<n>_AUTH."
        case UnreachableError():
            return "Is it started, and are address and port in EASEL_BACKENDS right?"
        case _:
            return "Look into its log, or start it again."
