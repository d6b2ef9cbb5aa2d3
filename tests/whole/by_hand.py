"""Bots by hand: what is sent to the stand-in goes over the wire as it is, without a library in between."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.rehearsal import Discord, Interaction

KINDS = ["text", "whole", "flag", "person", "place", "rank", "anyone", "number", "file"]
_CHOICES = [{"name": "One", "value": "1"}, {"name": "Two", "value": "2"}]
_COMMANDS: list[dict[str, Any]] = [
    {
        "name": "every",
        "description": "Every kind of option",
        "options": [{"type": kind, "name": name, "description": "x"} for kind, name in enumerate(KINDS, start=3)]
        + [{"type": 3, "name": "chosen", "description": "x", "choices": _CHOICES}],
    },
    {
        "name": "model",
        "description": "Nested",
        "options": [
            {"type": 1, "name": "list", "description": "x"},
            {
                "type": 2,
                "name": "of",
                "description": "x",
                "options": [{"type": 1, "name": "use", "description": "x"}],
            },
        ],
    },
    {"name": "staff", "description": "Hidden", "default_member_permissions": str(1 << 5), "contexts": [0]},
    {"name": "nobody", "description": "Hidden", "default_member_permissions": "0"},
]
DRAW: dict[str, Any] = {
    "name": "draw",
    "description": "Paint",
    "options": [
        {"type": 3, "name": "prompt", "description": "What", "required": True},
        {"type": 4, "name": "steps", "description": "How long", "min_value": 1, "max_value": 60},
    ],
}


class Robot:
    """A bot by hand: a gateway connection and REST calls."""

    def __init__(self, discord: Discord, session: aiohttp.ClientSession) -> None:
        self.discord = discord
        self.session = session

    async def rest(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bot {self.discord.token}"}
        url = self.discord.api_url + path
        async with self.session.request(method, url, headers=headers, json=body) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    async def respond(self, interaction: Interaction, kind: int, data: Any = None) -> tuple[int, Any]:
        path = f"/interactions/{interaction.id}/{interaction.token}/callback?with_response=true"
        return await self.rest("POST", path, {"type": kind, "data": data or {}})

    async def connect(
        self, intents: int = 1, *, token: str | None = None, shard: Any = (0, 1)
    ) -> aiohttp.ClientWebSocketResponse:
        socket = await self.session.ws_connect(self.discord.gateway_url)
        assert (await socket.receive_json())["op"] == 10
        shape = {"token": token or self.discord.token, "intents": intents, "shard": shard, "properties": {}}
        await socket.send_json({"op": 2, "d": shape})
        return socket


async def events(socket: aiohttp.ClientWebSocketResponse, name: str) -> Any:
    """Return the data of the next event called ``name``."""
    while True:
        frame = await socket.receive_json(timeout=5)
        if frame["t"] == name:
            return frame["d"]


@pytest_asyncio.fixture(name="robot")
async def started_robot() -> AsyncIterator[Robot]:
    async with Discord() as discord, aiohttp.ClientSession() as session:
        discord.rate_limits.enabled = False
        bot = Robot(discord, session)
        status, _ = await bot.rest("PUT", f"/applications/{discord.application_id}/commands", _COMMANDS)
        assert status == 200
        yield bot


class Time:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Wire:
    """A bare bot: no gateway, only requests."""

    def __init__(self, discord: Discord, session: aiohttp.ClientSession) -> None:
        self.discord = discord
        self.session = session
        self.headers = {"Authorization": f"Bot {discord.token}"}

    async def __call__(self, method: str, path: str, body: Any = None, **files: bytes) -> tuple[int, Any]:
        data: Any = None
        if files:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", json.dumps(body))
            for i, (name, content) in enumerate(files.items()):
                data.add_field(f"files[{i}]", content, filename=f"{name}.png")
        shape: dict[str, Any] = {"data": data} if files else {"json": body} if body is not None else {}
        url = self.discord.api_url + path
        async with self.session.request(method, url, headers=self.headers, **shape) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    async def refused(self, method: str, path: str, body: Any = None, **files: bytes) -> tuple[int, int]:
        status, answer = await self(method, path, body, **files)
        return status, answer["code"]

    async def wrong(self, path: str, body: Any) -> Any:
        """Return the tree of what is wrong with a form."""
        status, answer = await self("POST", path, body)
        assert (status, answer["code"]) == (400, 50035)
        return answer["errors"]

    async def command(self) -> Interaction:
        """Let Ada send a command and defer the answer."""
        await self("PUT", f"/applications/{self.discord.application_id}/commands", [DRAW])
        person = self.discord.as_(self.discord.world.ada, waits=False)
        interaction = await person.slash("draw", prompt="a boat")
        await self.respond(interaction, {"type": 5})
        return interaction

    async def respond(self, interaction: Interaction, body: Any) -> tuple[int, Any]:
        return await self("POST", f"/interactions/{interaction.id}/{interaction.token}/callback", body)

    def hook(self, interaction: Interaction) -> str:
        return f"/webhooks/{self.discord.application_id}/{interaction.token}"


@pytest_asyncio.fixture(name="wire")
async def started_wire() -> AsyncIterator[Wire]:
    async with Discord(clock=Time()) as discord, aiohttp.ClientSession() as session:
        discord.rate_limits.enabled = False
        yield Wire(discord, session)


@pytest.fixture(name="messages")
def messages_path(wire: Wire) -> str:
    return f"/channels/{wire.discord.world.channel.id}/messages"
