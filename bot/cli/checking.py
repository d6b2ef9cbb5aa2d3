"""``easel check``: what is right, what is wrong, and the cure."""

# ruff: noqa: PLC0415

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ending import EX_CONFIG, EX_OK, EX_UNAVAILABLE, settings_or_give_up, unwritable
from bot.cli.hosting import hush_voice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.domain.capability import Capabilities
    from bot.domain.errors import BackendError
    from bot.domain.ports import Backend
    from bot.settings import Settings

PERMISSIONS = 274878024768
"""View channels, send messages (in threads too), embed links, attach files, read history, add reactions."""
_CHECK_TIMEOUT_S = 10.0
_INDENT = " " * 6


def check(
    no_discord: Annotated[
        bool, typer.Option("--no-discord", help="Leave the token out: easel draw and easel batch need none.")
    ] = False,
) -> None:
    """Check settings, data folder, database, token and backends, with a cure for what is wrong."""
    from bot.ops.logging import configure

    settings = settings_or_give_up(needs_token=False)
    configure("ERROR", "console", known=settings.secrets)
    typer.echo("ok    settings")
    problem = unwritable(settings.data_dir)
    typer.echo(f"wrong {problem}" if problem else f"ok    data folder {settings.data_dir}")
    codes = [EX_CONFIG if problem else EX_OK]
    if "workflows_dir" in settings.model_fields_set and not settings.workflows_dir.is_dir():
        typer.echo(f"wrong EASEL_WORKFLOWS_DIR: {settings.workflows_dir} is no folder.")
        codes.append(EX_CONFIG)
    with asyncio.Runner() as runner:
        codes.append(runner.run(_check_database(settings)))
        codes.append(runner.run(_check_blobs(settings)))
        if not no_discord:
            codes.append(runner.run(_check_token(settings)))
        codes.append(runner.run(_check_backends(settings)))
        codes.append(runner.run(_check_classifier(settings)))
        codes.append(runner.run(_check_metrics(settings)))
    codes.append(_check_sentry(settings))
    raise typer.Exit(max(codes))


async def _check_database(settings: "Settings") -> int:
    """Look whether the database is there, has tables that this version knows, and may be worked with."""
    from bot.domain.errors import BotError
    from bot.storage.database import DatabaseSetupError
    from bot.storage.inspecting import inspected
    from bot.storage.opening import database_at
    from bot.storage.sqlite import SqliteDatabase
    from bot.storage.versions import CURRENT, NewerError

    try:
        database = database_at(settings.database_url.get_secret_value(), settings.data_dir)
    except DatabaseSetupError as error:
        typer.echo(f"wrong {error}")
        return EX_CONFIG
    try:
        if isinstance(database, SqliteDatabase) and not database.file.exists():
            return _check_new_file(database.file)
        with database.in_words():
            found = await inspected(database)
    except NewerError as error:
        typer.echo(f"wrong database {error}")
        return EX_UNAVAILABLE
    except BotError as error:
        typer.echo(f"away  {error}")
        return EX_UNAVAILABLE
    finally:
        await database.close()
    if found.problem:
        typer.echo(f"wrong database {database.name}: {found.problem}")
        return EX_CONFIG
    tables = f"tables {found.tables}" if found.tables else "no tables yet"
    coming = "" if found.tables == CURRENT else f"; the next start brings them to {CURRENT}"
    typer.echo(f"ok    database {database.name} · {found.server} · {tables}{coming}")
    return EX_OK


def _check_new_file(file: "Path") -> int:
    """Look whether the first start can make the file."""
    if problem := unwritable(file.parent, "DATABASE_URL"):
        typer.echo(f"wrong {problem}")
        return EX_CONFIG
    typer.echo(f"ok    database {file}, which the first start makes")
    return EX_OK


async def _check_blobs(settings: "Settings") -> int:
    """Do in the bucket for the pictures, if there is to be one, all that is going to be done there."""
    if settings.blobs is None:
        return EX_OK
    from bot.storage.bucket import BucketAwayError, BucketError
    from bot.storage.opening import blobs_in

    try:
        await blobs_in(settings.blobs, settings.blobs_keys, time.time, timeout_s=_CHECK_TIMEOUT_S).check()
    except BucketAwayError as error:
        typer.echo(f"away  {error}")
        return EX_UNAVAILABLE
    except BucketError as error:
        typer.echo(f"wrong {error}")
        return EX_CONFIG
    typer.echo(f"ok    pictures in {settings.blobs}")
    return EX_OK


async def _check_token(settings: "Settings") -> int:
    import discord

    token = settings.discord_token.get_secret_value()
    if not token:
        from bot.settings_loading import WITHOUT_DISCORD

        typer.echo(f"wrong {WITHOUT_DISCORD}")
        typer.echo(f"{_INDENT}easel draw and easel batch work without: easel check --no-discord")
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
    """Ask all backends at once what they are and have, and tell it in the order of the settings."""
    from bot.backends.decoding import Decoder
    from bot.backends.factory import Workshop, build
    from bot.imaging.imaging import Imaging

    imaging, decoder = Imaging(), Decoder()
    addresses = settings.backend_addresses
    if not addresses:
        typer.echo("ok    no backend here: EASEL_BACKENDS is none, workers paint")
    backends = build(addresses, Workshop(time.time, imaging, decoder, workflows=settings.workflows_dir))
    found = await asyncio.gather(*(_asked(backend) for backend in backends))
    for address, backend, answer in zip(addresses, backends, found, strict=True):
        place = address.url or address.source
        for line in _told(f"backend {backend.name} {place}".rstrip(), answer):
            typer.echo(line)
        await backend.close()
    await decoder.close()
    await imaging.close()
    return EX_UNAVAILABLE if any(isinstance(answer, Exception) for answer in found) else EX_OK


async def _check_classifier(settings: "Settings") -> int:
    """Load the classifier, if there is to be one, and look whether it has labels that count."""
    if not settings.classifier:
        return EX_OK
    from bot.backends.classifier.client import Model
    from bot.domain.errors import BackendError
    from bot.services.examining import counting

    model = Model(settings.classifier)
    try:
        labels = await model.check()
    except BackendError as error:
        typer.echo(f"away  classifier {settings.classifier}: {error}")
        return EX_UNAVAILABLE
    finally:
        await model.close()
    counted = counting(labels, settings.classifier_labels)
    if not counted:
        wanted = ", ".join(settings.classifier_labels)
        typer.echo(f"wrong EASEL_CLASSIFIER_LABELS: {settings.classifier} has none of {wanted}.")
        typer.echo(f"{_INDENT}Set it to those of its labels that are of adult pictures: {', '.join(labels)}")
        typer.echo(f"{_INDENT}Until then no picture is shown.")
        return EX_CONFIG
    typer.echo(f"ok    classifier {settings.classifier} · looks for {', '.join(counted)}")
    return EX_OK


async def _check_metrics(settings: "Settings") -> int:
    """Look whether somebody could listen where the metrics are to be, and whether there would be any."""
    if settings.metrics is None:
        return EX_OK
    from bot.ops.exporting import METRICS_CURE, has_extra
    from bot.ops.server import obstacle

    problem = await obstacle(settings.metrics)
    host, port = settings.metrics
    typer.echo(f"wrong {problem}" if problem else f"ok    metrics and health at {host}:{port}")
    if not has_extra("prometheus_client"):
        typer.echo(f"wrong EASEL_METRICS: /metrics needs the extra “metrics”: {METRICS_CURE}.")
        typer.echo(f"{_INDENT}/healthz and /readyz work without.")
        return EX_CONFIG
    return EX_CONFIG if problem else EX_OK


def _check_sentry(settings: "Settings") -> int:
    """Tell which Sentry gets our own failures; what the DSN looks like was checked with the settings."""
    dsn = settings.sentry_dsn.get_secret_value()
    if not dsn:
        return EX_OK
    from bot.ops.exporting import SENTRY_CURE, has_extra

    if not has_extra("sentry_sdk"):
        typer.echo(f"wrong EASEL_SENTRY_DSN needs the extra “sentry”: {SENTRY_CURE}, or leave it out.")
        return EX_CONFIG
    typer.echo(f"ok    Sentry at {dsn.rpartition('@')[2]}")
    return EX_OK


async def _asked(backend: "Backend") -> "Capabilities | BackendError":
    from bot.domain.errors import BackendError

    try:
        await backend.health()
        return await backend.capabilities()
    except BackendError as error:
        return error


def _told(where: str, answer: "Capabilities | BackendError") -> "Iterator[str]":
    from bot.cli.painters import ailment
    from bot.domain.capability import Capabilities, Listing

    if not isinstance(answer, Capabilities):
        yield f"away  {where}: {ailment(answer)}"
        return
    yield f"ok    {where} · {answer.kin}" if answer.kin else f"ok    {where}"
    counts = [f"{listing.value} {len(names)}" for listing in Listing if (names := answer.listings.get(listing))]
    if counts:
        yield f"{_INDENT}lists: {', '.join(counts).replace('_', ' ')}"
    if answer.features:
        yield f"{_INDENT}has {', '.join(sorted(feature.value for feature in answer.features))}"
    for name, value in answer.facts.items():
        yield f"{_INDENT}{name}: {value}"
