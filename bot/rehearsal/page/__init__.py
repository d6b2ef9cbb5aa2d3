"""The page for people: pick who one is, a place and a command; see everything live; click."""

import asyncio
import base64
import binascii
import json
from collections.abc import Callable
from importlib import resources
from typing import Any

from aiohttp import web

from bot.rehearsal import commands, payloads, permissions
from bot.rehearsal.errors import ApiError, Json
from bot.rehearsal.events import Event
from bot.rehearsal.interactions import Interaction
from bot.rehearsal.options import NotOfferedError, Value
from bot.rehearsal.permissions import Permission
from bot.rehearsal.person import NoAnswerError, Person
from bot.rehearsal.stage import Stage
from bot.rehearsal.world import Attachment, Channel, Guild, Message, User

_FILES = {"": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
_SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Page:
    """The page's routes over one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._streams: set[asyncio.Queue[Json | None]] = set()
        self._opened: dict[str, Interaction] = {}

    def install(self, app: web.Application) -> None:
        """Add the page's routes."""
        for name, media_type in _FILES.items():
            app.router.add_get(f"/{name}", _static(name or "page.html", media_type))
        app.router.add_get("/page/state", self._state)
        app.router.add_get("/page/events", self._events)
        app.router.add_post("/page/act", self._act)

    def close(self) -> None:
        """End all event streams."""
        for stream in self._streams:
            stream.put_nowait(None)

    async def _state(self, request: web.Request) -> web.Response:
        """Tell everything there is to choose and to see for one person in one place."""
        person = self._person(request.query)
        guild = person.channel.guild
        state: Json = {
            "bot": payloads.user(self._stage.world.bot),
            "online": self._stage.gateway.online,
            "user": str(person.user.id),
            "channel": str(person.channel.id),
            "people": [{"id": str(u.id), "name": u.name, "roles": self._roles(u)} for u in self._people()],
            "places": self._places(person.user),
            "members": [
                {"id": str(m.user.id), "name": m.user.name} for m in (guild.members.values() if guild else ())
            ],
            "commands": self._commands(person),
            "messages": [self._shape(m) for m in person.channel.messages if person.sees(m)],
        }
        return web.json_response(state, headers=_SAFE)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Stream what changes for one person in one place (server-sent events)."""
        person = self._person(request.query)
        stream: asyncio.Queue[Json | None] = asyncio.Queue()
        self._streams.add(stream)
        stop = self._stage.bus.listen(self._listener(person, stream))
        response = web.StreamResponse(headers={**_SAFE, "Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            await response.write(b": hello\n\n")
            while (change := await stream.get()) is not None:
                await response.write(f"data: {json.dumps(change)}\n\n".encode())
        except ConnectionError:
            pass  # the browser went away
        finally:
            stop()
            self._streams.discard(stream)
        return response

    def _listener(self, person: Person, stream: asyncio.Queue[Json | None]) -> Callable[[Event], None]:
        def hear(event: Event) -> None:
            message = event.message
            if message is None:
                if event.name != "INTERACTION_CREATE":
                    stream.put_nowait({"changed": "places"})
            elif message.channel is person.channel and person.sees(message):
                if message.deleted:
                    stream.put_nowait({"gone": str(message.id)})
                else:
                    stream.put_nowait({"message": self._shape(message)})

        return hear

    async def _act(self, request: web.Request) -> web.Response:
        """Let the person do something and tell what came of it, or why it cannot be done."""
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="JSON only, which no form of another site can send.")
        order = await request.json()
        person = self._person(order)
        try:
            answer = await self._do(person, order)
        except (NotOfferedError, NoAnswerError) as error:
            answer = {"problem": str(error)}
        except ApiError as error:
            answer = {"problem": error.message}
        return web.json_response(answer, headers=_SAFE)

    async def _do(self, person: Person, order: Json) -> Json:
        if order["do"] == "slash":
            return self._told(await person.slash(order["command"], **_values(order, self._stage)))
        if order["do"] == "autocomplete":
            values = _values(order, self._stage)
            values.pop(order["option"], None)
            return {
                "choices": await person.autocomplete(order["command"], order["option"], order["typed"], **values)
            }
        if order["do"] == "submit":
            values = {k: _file(v) if isinstance(v, dict) else v for k, v in order["values"].items()}
            return self._told(await person.submit(self._opened.pop(order["modal"]), values))
        message = self._stage.world.find_message(int(order["message"]))
        if message is None or not person.sees(message):
            raise NotOfferedError("This message is gone.")
        return await self._touch(person, message, order)

    async def _touch(self, person: Person, message: Message, order: Json) -> Json:
        if order["do"] == "press":
            return self._told(await person.press(message, order["control"]))
        if order["do"] == "choose":
            return self._told(await person.choose(message, order["control"], *order["values"]))
        if order["do"] == "menu":
            return self._told(await person.menu(order["command"], message))
        if order["do"] == "delete":
            await person.delete(message)
        elif person.user.id in message.reactions.get(order["face"], []):
            await person.unreact(message, order["face"])
        else:
            await person.react(message, order["face"])
        return {}

    def _told(self, interaction: Interaction) -> Json:
        if interaction.modal is None:
            return {}
        self._opened[str(interaction.id)] = interaction
        return {"modal": str(interaction.id), **interaction.modal, "modal_id": interaction.modal["custom_id"]}

    def _person(self, query: Any) -> Person:
        world = self._stage.world
        user = world.users.get(int(query.get("user") or 0), world.ada)
        if query.get("channel") == "direct":
            channel: Channel | None = world.direct_channel(user)
        else:
            channel = world.channels.get(int(query.get("channel") or 0))
        if channel is None or not permissions.of(user, channel):
            homes = [g for g in world.guilds.values() if user.id in g.members]
            channel = next(iter(homes[0].channels.values())) if homes else world.direct_channel(user)
        return Person(self._stage, user, channel, waits=True)

    def _people(self) -> list[User]:
        return [user for user in self._stage.world.users.values() if not user.bot]

    def _roles(self, user: User) -> str:
        guilds = [g for g in self._stage.world.guilds.values() if user.id in g.members]
        return ", ".join(f"{_role(user, guild)} of {guild.name}" for guild in guilds)

    def _places(self, user: User) -> list[Json]:
        places: list[Json] = [
            {
                "name": guild.name,
                "channels": [
                    {"id": str(c.id), "name": f"{c.name}{' 🔞' if c.nsfw else ''}"}
                    for c in guild.channels.values()
                    if permissions.of(user, c)
                ],
            }
            for guild in self._stage.world.guilds.values()
            if user.id in guild.members
        ]
        direct = str(user.direct.id) if user.direct else "direct"
        return [
            *places,
            {"name": "Direct messages", "channels": [{"id": direct, "name": self._stage.world.bot.name}]},
        ]

    def _commands(self, person: Person) -> list[Json]:
        guild = person.channel.guild
        offered: list[Json] = []
        for command in self._stage.commands.offered(guild.id if guild else None):
            if not person.is_offered(command):
                continue
            if command["type"] == commands.CHAT:
                offered += [
                    {
                        "type": commands.CHAT,
                        "path": path,
                        "description": command["description"],
                        "options": options,
                    }
                    for path, options in commands.leaves(command)
                ]
            else:
                offered.append({"type": command["type"], "path": command["name"]})
        return offered

    def _shape(self, message: Message) -> Json:
        """Return a message as the page draws it: Discord's object and who reacted."""
        reactions = {face: [str(i) for i in who] for face, who in message.reactions.items() if who}
        return payloads.message(message, self._stage.world.bot) | {
            "who": reactions,
            "private": message.private_to is not None,
        }


def _role(user: User, guild: Guild) -> str:
    if guild.owner_id == user.id:
        return "owner"
    rights = permissions.base(user, guild)
    if rights & Permission.MANAGE_GUILD:
        return "admin"
    return "moderator" if rights & Permission.MANAGE_MESSAGES else "member"


def _values(order: Json, stage: Stage) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, value in order["values"].items():
        if isinstance(value, dict) and "data" in value:
            values[name] = _file(value)
        elif isinstance(value, dict):
            values[name] = stage.world.users[int(value["user"])]
        else:
            values[name] = value
    return values


def _file(value: Json) -> Attachment:
    try:
        data = base64.b64decode(value["data"].partition(",")[2], validate=True)
    except binascii.Error as error:
        raise NotOfferedError("The file did not arrive whole.") from error
    return Attachment(value["filename"], data)


def _static(name: str, media_type: str) -> Callable[[web.Request], Any]:
    text = resources.files(__package__).joinpath(name).read_text("utf-8")

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=media_type, headers=_SAFE)

    return serve
