"""The gateway: sessions over WebSocket that get events, may drop, and resume (Discord docs, Gateway)."""

import asyncio
import json
import secrets
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

from aiohttp import WSMsgType, web

from bot.rehearsal import payloads
from bot.rehearsal.errors import Json
from bot.rehearsal.events import Bus, Event
from bot.rehearsal.faults import Faults
from bot.rehearsal.places import World
from bot.rehearsal.world import Guild

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME = 0, 1, 2, 3, 4, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 7, 8, 9, 10, 11
_ABNORMAL = 1006
_HEARTBEAT_MS = 41_250
_KEPT_EVENTS = 10_000
_KEPT_SESSIONS = 8

GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, GUILD_REACTIONS = 1 << 9, 1 << 10
DIRECT_MESSAGES, DIRECT_REACTIONS, MESSAGE_CONTENT = 1 << 12, 1 << 13, 1 << 15
_PRIVILEGED = MEMBERS | PRESENCES | MESSAGE_CONTENT
"""Intents (Discord docs, Gateway, List of Intents)."""


@dataclass(eq=False, slots=True)
class Session:
    """What the bot identified as; it outlives its connection so that it can be resumed.

    ``shard`` is its number and how many there are; a bot that says nothing of shards has the only one.
    """

    id: str
    intents: int
    shard: tuple[int, int]
    line: "_Line | None" = None
    seq: int = 0
    sent: deque[tuple[int, Json]] = field(default_factory=lambda: deque(maxlen=_KEPT_EVENTS))

    def sees(self, guild: Guild | None) -> bool:
        """Whether a server, or ``None`` for what is in none, is this shard's (Discord docs, Gateway, Sharding)."""
        number, count = self.shard
        return ((guild.id if guild else 0) >> 22) % count == number

    def dispatch(self, name: str, data: Json) -> None:
        """Give an event its number, keep it for a resume and send it if anyone listens."""
        self.seq += 1
        frame = {"op": DISPATCH, "t": name, "s": self.seq, "d": data}
        self.sent.append((self.seq, frame))
        if self.line is not None:
            self.line.send(frame)


class _Line:
    """One WebSocket: frames are queued here and written by its handler."""

    def __init__(self, socket: web.WebSocketResponse, *, compress: bool) -> None:
        self.socket = socket
        self.queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._zlib = zlib.compressobj() if compress else None

    def send(self, frame: Json) -> None:
        self.queue.put_nowait(frame)

    async def write(self) -> None:
        """Send what is queued until the line is closed."""
        while (frame := await self.queue.get()) is not None:
            text = json.dumps(frame)
            try:
                if self._zlib is None:
                    await self.socket.send_str(text)
                else:
                    packed = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(packed)
            except (ConnectionError, RuntimeError):
                return


class Gateway:
    """All sessions. ``privileged_intents`` are those switched on in the developer portal (none).

    ``recommended_shards`` and ``max_concurrency`` are what the bot is told; a shard has at most
    ``guilds_per_shard``. In ``session_interval_s`` (true seconds) one session of each bucket of shards may start:
    5 at Discord, 0 here, so that bots start again at once.
    """

    def __init__(self, world: World, bus: Bus, token: str, url: Callable[[], str]) -> None:
        self._world = world
        self._bus = bus
        self.token = token
        self._url = url
        self.faults: Faults
        self.privileged_intents = 0
        self.recommended_shards = 1
        self.max_concurrency = 1
        self.guilds_per_shard = 2500
        self.session_interval_s = 0.0
        self._started: dict[int, float] = {}
        self.sessions: dict[str, Session] = {}
        self._lines: set[_Line] = set()
        bus.listen(self._spread)

    @property
    def online(self) -> bool:
        """Whether a bot is connected and identified."""
        return bool(self.shards_online)

    @property
    def shards_online(self) -> set[int]:
        """The shards that are connected and identified."""
        return {session.shard[0] for session in self.sessions.values() if session.line is not None}

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection."""
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20, autoping=True)
        await socket.prepare(request)
        line = _Line(socket, compress=request.query.get("compress") == "zlib-stream")
        self._lines.add(line)
        writer = asyncio.create_task(line.write())
        line.send({"op": HELLO, "s": None, "t": None, "d": {"heartbeat_interval": _HEARTBEAT_MS, "_trace": []}})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(line, json.loads(frame.data))
        finally:
            self._lines.discard(line)
            self._hang_up(line, socket.close_code)
            line.queue.put_nowait(None)
            await writer
        return socket

    async def drop(self, code: int, shard: int | None = None) -> None:
        """Close every connection with ``code``, or those of one shard; 1006 cuts them."""
        of_shard = [session.line for session in self.sessions.values() if session.shard[0] == shard]
        for line in tuple(self._lines):
            if shard is not None and line not in of_shard:
                continue
            self._hang_up(line, code)
            if code == _ABNORMAL:
                transport = line.socket._req.transport if line.socket._req else None  # noqa: SLF001 - no public way to cut
                if transport is not None:
                    transport.abort()
            else:
                await line.socket.close(code=code, message=b"dropped")

    async def ask_to_reconnect(self) -> None:
        """Send opcode 7 to every connection."""
        for line in self._lines:
            line.send({"op": RECONNECT, "s": None, "t": None, "d": None})

    async def close(self) -> None:
        """End all sessions and connections."""
        self.sessions.clear()
        await self.drop(1001)

    def _hang_up(self, line: _Line, code: int | None) -> None:
        for session in list(self.sessions.values()):
            if session.line is line:
                session.line = None
                if code in {1000, 1001}:  # closed for good by the bot: not to be resumed
                    del self.sessions[session.id]
        self._bus.touch()

    async def _receive(self, line: _Line, frame: Json) -> None:
        op, data = frame.get("op"), frame.get("d")
        if op == HEARTBEAT:
            line.send({"op": HEARTBEAT_ACK, "s": None, "t": None, "d": None})
        elif op == IDENTIFY:
            await self._identify(line, data)
        elif op == RESUME:
            await self._resume(line, data)
        elif op == REQUEST_MEMBERS:
            self._send_members(line, data)
        elif op not in {PRESENCE, VOICE}:
            await line.socket.close(code=4001, message=b"Unknown opcode.")

    async def _identify(self, line: _Line, data: Any) -> None:
        if data["token"].removeprefix("Bot ") != self.token:
            await line.socket.close(code=4004, message=b"Authentication failed.")
            return
        if data["intents"] & _PRIVILEGED & ~self.privileged_intents:
            await line.socket.close(code=4014, message=b"Disallowed intent(s).")
            return
        shard = _shard(data.get("shard", [0, 1]))
        if shard is None:
            await line.socket.close(code=4010, message=b"Invalid shard.")
            return
        session = Session(secrets.token_hex(16), data["intents"], shard, line)
        homes = [g for g in self._world.guilds.values() if self._world.bot.id in g.members and session.sees(g)]
        if len(homes) > self.guilds_per_shard:
            await line.socket.close(code=4011, message=b"Sharding required.")
            return
        if not self._may_start(shard[0]):
            line.send({"op": INVALID_SESSION, "s": None, "t": None, "d": False})
            return
        self._keep(session)
        ready: Json = {
            "v": 10,
            "user": {**payloads.user(self._world.bot), "verified": True, "mfa_enabled": False, "email": None},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in homes],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._url(),
            "application": {"id": str(self._world.bot.id), "flags": 0},
            "private_channels": [],
            "relationships": [],
            "user_settings": {},
            "presences": [],
            "guild_join_requests": [],
            "_trace": [],
        }
        if "shard" in data:
            ready["shard"] = data["shard"]
        session.dispatch("READY", ready)
        if session.intents & GUILDS:
            for guild in homes:
                session.dispatch("GUILD_CREATE", payloads.guild_create(guild, self._world.bot))
        self._bus.touch()

    def _may_start(self, shard_id: int) -> bool:
        """Whether the last session of the same bucket started long enough ago (Discord docs, Rate Limiting)."""
        now, bucket = asyncio.get_running_loop().time(), shard_id % self.max_concurrency
        if now - self._started.get(bucket, -inf) < self.session_interval_s:
            return False
        self._started[bucket] = now
        return True

    def _keep(self, session: Session) -> None:
        """Keep a session, and some of the last that nobody is connected to."""
        idle = [each for each in self.sessions.values() if each.line is None]
        for each in idle[: -_KEPT_SESSIONS + 1]:
            del self.sessions[each.id]
        self.sessions[session.id] = session

    async def _resume(self, line: _Line, data: Any) -> None:
        session = self.sessions.get(data["session_id"])
        if session is None or data["token"].removeprefix("Bot ") != self.token or self.faults.refuse_resumes:
            self.faults.refuse_resumes = max(0, self.faults.refuse_resumes - 1)
            self.sessions.pop(data["session_id"], None)
            line.send({"op": INVALID_SESSION, "s": None, "t": None, "d": False})
            return
        session.line = line
        since = data["seq"] - self.faults.replay_again
        self.faults.replay_again = 0
        for number, frame in session.sent:
            if number > since and frame["t"] != "READY":
                line.send(frame)
        session.dispatch("RESUMED", {"_trace": []})
        self._bus.touch()

    def _send_members(self, line: _Line, data: Any) -> None:
        guild = self._world.guilds[int(data["guild_id"])]
        wanted = {int(i) for i in data.get("user_ids") or guild.members}
        chunk: Json = {
            "guild_id": str(guild.id),
            "members": [payloads.member(m) for m in guild.members.values() if m.user.id in wanted],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        if "nonce" in data:
            chunk["nonce"] = data["nonce"]
        for session in self.sessions.values():
            if session.line is line:
                session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    def _spread(self, event: Event) -> None:
        if event.private_to is not None:
            return
        bot = self._world.bot
        if event.name != "INTERACTION_CREATE" and (
            (event.guild is not None and bot.id not in event.guild.members)
            or (event.channel is not None and event.channel.is_group)
        ):
            return
        for session in self.sessions.values():
            if session.sees(event.guild) and _wants(session.intents, event):
                session.dispatch(event.name, self._seen(session, event))

    def _seen(self, session: Session, event: Event) -> Json:
        """Return the event's data, without a message's content where the intent is missing."""
        message = event.message
        if message is None or "content" not in event.data or session.intents & MESSAGE_CONTENT:
            return event.data
        bot = self._world.bot
        if message.author is bot or event.guild is None or bot in message.mentions:
            return event.data
        return event.data | {"content": "", "embeds": [], "attachments": [], "components": []}


def _shard(given: object) -> tuple[int, int] | None:
    """Return a shard's number and how many there are, if there can be such a one."""
    match given:
        case [int(number), int(count)] if 0 <= number < count:
            return number, count
    return None


def _wants(intents: int, event: Event) -> bool:
    direct = event.guild is None
    if event.name.startswith("MESSAGE_REACTION"):
        return bool(intents & (DIRECT_REACTIONS if direct else GUILD_REACTIONS))
    if event.name.startswith("MESSAGE_"):
        return bool(intents & (DIRECT_MESSAGES if direct else GUILD_MESSAGES))
    if event.name.startswith(("GUILD_", "CHANNEL_", "THREAD_")):
        return bool(intents & GUILDS)
    return True
