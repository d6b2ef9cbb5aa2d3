"""Discord, played on loopback: one server for the REST API, the gateway, attachments and the page."""

import io
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web
from PIL import Image

from bot.rehearsal.commands import Commands
from bot.rehearsal.events import Bus
from bot.rehearsal.faults import Faults
from bot.rehearsal.gateway import Gateway
from bot.rehearsal.interactions import Interactions
from bot.rehearsal.page import Page
from bot.rehearsal.person import Person
from bot.rehearsal.places import World
from bot.rehearsal.post import Post
from bot.rehearsal.ratelimits import RateLimits
from bot.rehearsal.rest import door
from bot.rehearsal.snowflakes import Clock, Snowflakes
from bot.rehearsal.stage import Exchange, Stage
from bot.rehearsal.world import Channel, User

_HOST = "127.0.0.1"
_MAX_BODY_BYTES = 1 << 28
_FACES = ("#5865f2", "#747f8d", "#3ba55c", "#faa61a", "#ed4245", "#eb459f")


class Discord:
    """A Discord of one's own: ``async with Discord() as discord`` and point a bot at ``discord.api_url``.

    ``clock`` gives times, ids and the life of tokens and attachment links; deadlines and rate limits run in true
    seconds, because the bot waits for them in true seconds. ``port`` 0 takes any free one.
    """

    def __init__(self, *, clock: Clock = time.time, port: int = 0) -> None:
        self._port = port
        self._runner: web.AppRunner | None = None
        ids = Snowflakes(clock)
        bus = Bus()
        world = World(clock, ids, bus)
        post = Post(world, bus, ids, clock, lambda: self.base_url)
        gateway = Gateway(world, bus, "token-for-rehearsals", lambda: self.gateway_url)
        faults = Faults(gateway.drop, gateway.ask_to_reconnect)
        gateway.faults = faults
        self.stage = Stage(
            token=gateway.token,
            clock=clock,
            bus=bus,
            world=world,
            post=post,
            commands=Commands(ids, world.bot.id),
            interactions=Interactions(world, bus, post, ids, clock),
            gateway=gateway,
            rate_limits=RateLimits(time.time),
            faults=faults,
            base_url=lambda: self.base_url,
        )
        self._page = Page(self.stage)

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._only_loopback], client_max_size=_MAX_BODY_BYTES)
        app.router.add_get("/gateway", self.stage.gateway.handle)
        for folder in ("attachments", "ephemeral-attachments"):
            app.router.add_get(f"/{folder}/{{channel_id}}/{{file_id}}/{{name}}", self._file)
        app.router.add_get("/embed/avatars/{number:[0-5]}.png", self._avatar)
        door.install(app, self.stage)
        self._page.install(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._page.close()
        await self.stage.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        """The server's own address; also the base of ``discord.Asset.BASE``."""
        return f"http://{_HOST}:{self._port}"

    @property
    def api_url(self) -> str:
        """What takes the place of ``https://discord.com/api/v10``."""
        return self.base_url + door.PREFIX

    @property
    def gateway_url(self) -> str:
        """What takes the place of ``wss://gateway.discord.gg/``, which discord.py has built in."""
        return self.base_url.replace("http", "ws", 1) + "/gateway"

    @property
    def page_url(self) -> str:
        """The page for people."""
        return self.base_url + "/"

    @property
    def token(self) -> str:
        """The bot's token here."""
        return self.stage.token

    @property
    def application_id(self) -> int:
        """The application's id, which is the bot's too."""
        return self.stage.world.bot.id

    @property
    def world(self) -> World:
        """Guilds, channels, people."""
        return self.stage.world

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""
        return self.stage.faults

    @property
    def interactions(self) -> Interactions:
        """All that people did; ``deadline_s`` and ``token_life_s`` are settable."""
        return self.stage.interactions

    @property
    def commands(self) -> Commands:
        """What the bot has registered."""
        return self.stage.commands

    @property
    def rate_limits(self) -> RateLimits:
        """How often the bot may ask."""
        return self.stage.rate_limits

    @property
    def gateway(self) -> Gateway:
        """The bot's sessions."""
        return self.stage.gateway

    @property
    def requests(self) -> list[Exchange]:
        """Every request to the REST API, in order of arrival."""
        return self.stage.requests

    @property
    def unplayed(self) -> list[Exchange]:
        """The requests that the stand-in refused because it does not play them."""
        return self.stage.unplayed

    @property
    def on_request(self) -> list[Callable[[Exchange], None]]:
        """Calls made with each exchange once it is answered."""
        return self.stage.on_request

    def as_(self, user: User, channel: Channel | None = None, *, waits: bool = True) -> Person:
        """Return ``user`` in ``channel`` (Atelier's by default).

        ``waits``: each act waits for the bot's first response and raises ``NoAnswerError`` without one.
        """
        return Person(self.stage, user, channel or self.world.channel, waits=waits)

    async def online(self, timeout_s: float = 10.0) -> None:
        """Wait until a bot is connected and has registered commands; raises ``TimeoutError``."""
        await self.until(lambda: self.gateway.online and self.commands.any, timeout_s)

    async def until(self, predicate: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Wait until ``predicate()`` is true, asked after every change here; raises ``TimeoutError``."""
        await self.stage.bus.until(predicate, timeout_s)

    @web.middleware
    async def _only_loopback(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse requests by another host name, as a page elsewhere would make them (DNS rebinding)."""
        if request.host not in {f"{_HOST}:{self._port}", f"localhost:{self._port}"}:
            raise web.HTTPForbidden(text="Only by its loopback address.")
        return await handler(request)

    async def _avatar(self, request: web.Request) -> web.Response:
        """Serve one of the faces of those who chose none."""
        face = Image.new("RGB", (64, 64), _FACES[int(request.match_info["number"])])
        encoded = io.BytesIO()
        face.save(encoded, "PNG")
        return web.Response(body=encoded.getvalue(), content_type="image/png")

    async def _file(self, request: web.Request) -> web.Response:
        """Serve an attachment until its link expires."""
        file = self.stage.post.files.get(int(request.match_info["file_id"]))
        expires = int(request.query.get("ex", "0"), 16)
        if file is None or expires < self.stage.clock() or file.filename != request.match_info["name"]:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=file.data, content_type=file.content_type or "application/octet-stream")
