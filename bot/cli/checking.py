"""``easel check``: what is right, what is wrong, and the cure."""

# ruff: noqa: PLC0415

import asyncio
from typing import TYPE_CHECKING

import typer

from bot.cli.ending import EX_CONFIG, EX_OK, EX_UNAVAILABLE, settings_or_give_up, unwritable
from bot.cli.hosting import hush_voice

if TYPE_CHECKING:
    from bot.settings import Settings

PERMISSIONS = 274878024768
"""View channels, send messages (in threads too), embed links, attach files, read history, add reactions."""
_CHECK_TIMEOUT_S = 10.0


def check() -> None:
    """Check settings, data folder, token and backends, with a cure for what is wrong."""
    from bot.ops.logging import configure

    settings = settings_or_give_up(needs_token=False)
    configure("ERROR", "console", known=settings.secrets)
    typer.echo("ok    settings")
    problem = unwritable(settings.data_dir)
    typer.echo(f"wrong {problem}" if problem else f"ok    data folder {settings.data_dir}")
    codes = [EX_CONFIG if problem else EX_OK]
    with asyncio.Runner() as runner:
        codes.append(runner.run(_check_token(settings)))
        codes.append(runner.run(_check_backends(settings)))
    raise typer.Exit(max(codes))


async def _check_token(settings: "Settings") -> int:
    import discord

    token = settings.discord_token.get_secret_value()
    if not token:
        from bot.settings import WITHOUT_DISCORD

        typer.echo(f"wrong {WITHOUT_DISCORD}")
        return EX_CONFIG
    hush_voice()
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
