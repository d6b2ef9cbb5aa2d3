"""The real bot, in the test's own process, on the wire of the stand-in."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import discord as dpy
import pytest
import pytest_asyncio
import yarl

from bot.client import serve
from bot.domain.ports import Classifier
from bot.domain.shards import Shards
from bot.fetching.network import Network
from bot.rehearsal import Discord
from bot.rehearsal.permissions import Permission
from bot.rehearsal.world import Channel, Overwrite
from bot.settings_loading import load
from tests.whole import spec


class Time:
    """The wall clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


class Bot:
    """One life of the bot: started by entering, stopped cleanly by leaving, as often as a test likes."""

    def __init__(
        self,
        discord: Discord,
        environ: Mapping[str, str],
        clock: Time,
        network: Network | None = None,
        classifier: Classifier | None = None,
        shards: Shards | None = None,
    ) -> None:
        self._discord = discord
        self._environ = environ
        self._clock = clock
        self._network = network
        self._classifier = classifier
        self._shards = shards
        self._stop = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        settings = load(self._environ, None)
        life = serve(
            settings,
            self._stop,
            clock=self._clock,
            network=self._network,
            classifier=self._classifier,
            shards=self._shards,
        )
        self._life = asyncio.ensure_future(life)
        online = asyncio.ensure_future(self._discord.online())
        await asyncio.wait({self._life, online}, return_when=asyncio.FIRST_COMPLETED)
        if self._life.done():
            online.cancel()
            await self._life
        await online
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._life is not None:
            await self._life

    async def ended(self) -> None:
        """Wait until it ends by itself; leaving raises what it ended with."""
        assert self._life is not None
        await asyncio.wait([self._life])


Start = Callable[..., AbstractAsyncContextManager[Bot]]


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest_asyncio.fixture
async def discord(clock: Time, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Discord]:
    """A Discord that holds every body to Discord's own description, where that is at hand."""
    async with Discord(clock=clock) as standin:
        monkeypatch.setattr(dpy.http.Route, "BASE", standin.api_url)
        monkeypatch.setattr(dpy.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(standin.gateway_url))
        described = spec.Spec().watch(standin) if spec.location().is_file() else None
        yield standin
        assert not standin.unplayed
        assert described is None or not described.problems


@pytest.fixture
def environ(discord: Discord, tmp_path: Path) -> dict[str, str]:
    """The settings of a bot with the instant painter; a test adds its own."""
    return {
        "DISCORD_TOKEN": discord.token,
        "EASEL_DISCORD_API": discord.api_url,
        "EASEL_DATA_DIR": str(tmp_path / "data"),
        "EASEL_BACKENDS": "sketch=0",
        "EASEL_DEFAULT_WIDTH": "128",
        "EASEL_DEFAULT_HEIGHT": "128",
        "EASEL_DEFAULT_STEPS": "4",
    }


@pytest.fixture
def network() -> Network | None:
    """The way to what people link to; a test with a web of its own says so."""
    return None


@pytest.fixture
def classifier() -> Classifier | None:
    """What looks at pictures; a test with one of its own says so."""
    return None


@pytest.fixture
def start(
    discord: Discord,
    environ: dict[str, str],
    clock: Time,
    network: Network | None,
    classifier: Classifier | None,
) -> Start:
    """Start the bot: ``async with start(EASEL_BACKENDS=...)``."""

    @asynccontextmanager
    async def started(*, shards: Shards | None = None, **more: str) -> AsyncIterator[Bot]:
        async with Bot(discord, {**environ, **more}, clock, network, classifier, shards) as bot:
            yield bot

    return started


@pytest_asyncio.fixture
async def easel(start: Start) -> AsyncIterator[Bot]:
    """A bot that is online with the instant painter."""
    async with start() as bot:
        yield bot


@pytest.fixture
def mods(discord: Discord) -> Channel:
    """A channel that moderators alone can see; who manages the server is one of them."""
    world = discord.world
    [moderator] = world.guild.members[world.moderator.id].roles
    [admin] = world.guild.members[world.admin.id].roles
    [bot] = world.guild.members[world.bot.id].roles
    both = Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES
    world.set_permissions(world.guild, world.guild.roles[admin], int(both))
    open_to = [Overwrite(role, allow=int(Permission.VIEW_CHANNEL)) for role in (moderator, admin, bot)]
    closed = Overwrite(world.guild.id, deny=int(Permission.VIEW_CHANNEL))
    return world.add_channel(world.guild, "mods", overwrites=[closed, *open_to])
