"""The stand-in's page and scene: what a person sees who tries the bot without Discord."""

import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from rich.console import Console

from bot.rehearsal import Discord, play_scene
from tests.whole.small_bot import PNG, Rerolling, running


class Visitor:
    """A browser without a screen."""

    def __init__(self, discord: Discord, session: aiohttp.ClientSession) -> None:
        self.discord = discord
        self.session = session
        self.user = str(discord.world.ada.id)

    async def state(self, channel: str = "") -> Any:
        params = {"user": self.user, "channel": channel}
        async with self.session.get(f"{self.discord.base_url}/page/state", params=params) as answer:
            return await answer.json()

    async def act(self, **order: Any) -> Any:
        body = {"user": self.user, "channel": str(self.discord.world.channel.id), "values": {}, **order}
        async with self.session.post(f"{self.discord.base_url}/page/act", json=body) as answer:
            return await answer.json()


@pytest_asyncio.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Discord]:
    async with Discord() as standin, running(standin, monkeypatch, Rerolling):
        yield standin


@pytest_asyncio.fixture
async def visitor(discord: Discord) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession() as session:
        yield Visitor(discord, session)


async def test_the_scene_is_told_and_its_pictures_are_saved(discord: Discord, tmp_path: Path) -> None:
    said = io.StringIO()
    paths = await play_scene(discord, tmp_path / "out", Console(file=said, width=200))
    assert [path.name for path in paths] == ["easel-1.png", "easel-2.png"]
    assert all(path.read_bytes() == PNG for path in paths)
    for words in ("Ada types /draw", "is thinking", "Painting", "picture easel-1.png 2×3", "Ada reacts with 🔁"):
        assert words in said.getvalue()


@pytest.mark.parametrize(("name", "media_type"), [("", "html"), ("page.css", "css"), ("page.js", "javascript")])
async def test_the_page_needs_nothing_from_elsewhere(visitor: Visitor, name: str, media_type: str) -> None:
    async with visitor.session.get(visitor.discord.page_url + name) as answer:
        assert answer.content_type == f"text/{media_type}"
        assert "http://" not in await answer.text()
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_people_without_a_picture_have_a_face(visitor: Visitor) -> None:
    async with visitor.session.get(f"{visitor.discord.base_url}/embed/avatars/3.png") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")


async def test_one_chooses_who_and_where_one_is(visitor: Visitor) -> None:
    state = await visitor.state()
    assert {p["name"]: p["roles"] for p in state["people"]}["Mira"] == "moderator of Atelier"
    assert [place["name"] for place in state["places"]] == ["Atelier", "Direct messages"]
    assert [c["path"] for c in state["commands"] if c["type"] == 1] == ["draw", "whisper", "describe", "slow"]
    assert [c["path"] for c in state["commands"] if c["type"] == 3] == ["Look"]
    visitor.user = str(visitor.discord.world.owner.id)
    assert [place["name"] for place in (await visitor.state())["places"]] == [
        "Atelier",
        "Workshop",
        "Direct messages",
    ]


async def test_commands_buttons_modals_and_reactions_work_from_the_page(visitor: Visitor) -> None:
    world = visitor.discord.world
    assert await visitor.act(do="slash", command="draw", values={"prompt": "a boat", "steps": 5}) == {}
    message = world.channel.messages[0]
    await visitor.discord.until(lambda: message.reactions)
    here: dict[str, Any] = {"message": str(message.id)}
    opened = await visitor.act(do="press", control="edit", **here)
    field = opened["components"][0]["components"][0]
    assert field["value"] == "a boat"
    assert await visitor.act(do="submit", modal=opened["modal"], values={field["custom_id"]: "a ship"}) == {}
    assert world.channel.messages[-1].content == "edited to a ship"
    assert await visitor.act(do="choose", control="take", values=["One"], **here) == {}
    assert await visitor.act(do="menu", command="Look", **here) == {}
    await visitor.act(do="react", face="🔁", **here)
    await visitor.act(do="react", face="🔁", **here)
    assert message.reactions == {"🔁": [world.bot.id]}
    assert "lacks MANAGE_MESSAGES" in (await visitor.act(do="delete", **here))["problem"]
    visitor.user = str(world.moderator.id)
    assert await visitor.act(do="delete", **here) == {}
    assert (await visitor.act(do="press", control="edit", **here))["problem"] == "This message is gone."


async def test_autocomplete_and_uploads_work_from_the_page(visitor: Visitor) -> None:
    order = {"do": "autocomplete", "command": "draw", "option": "model", "typed": "any"}
    assert (await visitor.act(**order))["choices"] == [{"name": "anything", "value": "anything"}]
    data = "data:image/png;base64," + base64.b64encode(PNG).decode()
    await visitor.act(do="slash", command="whisper", values={"picture": {"filename": "a.png", "data": data}})
    state = await visitor.state(str(visitor.discord.world.channel.id))
    assert state["messages"][0]["content"] == f"{len(PNG)} bytes, 2×3"
    assert state["messages"][0]["private"] is True
    visitor.user = str(visitor.discord.world.bruno.id)
    assert not any(m["private"] for m in (await visitor.state())["messages"])
    broken = await visitor.act(do="slash", command="whisper", values={"picture": {"filename": "a", "data": "x,%"}})
    assert broken["problem"] == "The file did not arrive whole."


async def test_the_page_sees_changes_live(visitor: Visitor) -> None:
    params = {"user": visitor.user, "channel": str(visitor.discord.world.channel.id)}
    async with visitor.session.get(f"{visitor.discord.base_url}/page/events", params=params) as events:
        await events.content.readline()
        await visitor.act(do="slash", command="describe")
        await events.content.readline()
        line = await events.content.readline()
        assert json.loads(line.removeprefix(b"data: "))["message"]["content"].startswith("en-US")


async def test_another_site_cannot_act_through_the_page(visitor: Visitor) -> None:
    async with visitor.session.post(f"{visitor.discord.base_url}/page/act", data={"do": "slash"}) as answer:
        assert answer.status == 415


async def test_direct_messages_people_and_unknown_places_are_offered(visitor: Visitor) -> None:
    world = visitor.discord.world
    state = await visitor.state("direct")
    assert state["channel"] == str(world.direct_channel(world.ada).id)
    assert state["members"] == []
    assert await visitor.act(do="slash", command="describe", channel=state["channel"]) == {}
    assert len(world.ada.dms) == 1
    assert (await visitor.state("1"))["channel"] == str(world.channel.id)
    stranger = world.add_user("Sten")
    visitor.user = str(stranger.id)
    assert [place["name"] for place in (await visitor.state())["places"]] == ["Direct messages"]
    problem = await visitor.act(do="slash", command="describe", values={"who": {"user": str(stranger.id)}})
    assert problem["problem"] == "No such option: who."


async def test_the_page_hears_of_deletions_and_new_places(visitor: Visitor) -> None:
    world = visitor.discord.world
    note = await visitor.discord.as_(world.ada).say("a")
    params = {"user": visitor.user, "channel": str(world.channel.id)}
    async with visitor.session.get(f"{visitor.discord.base_url}/page/events", params=params) as events:
        await events.content.readline()
        await visitor.act(do="delete", message=str(note.id))
        world.add_channel(world.guild, "new")
        heard = [await events.content.readline() for _ in range(5)]
    told = [json.loads(line[6:]) for line in heard if line.strip()]
    assert told[0] == {"gone": str(note.id)}
    assert {"changed": "places"} in told
