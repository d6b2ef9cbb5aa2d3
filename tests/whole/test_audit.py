"""``/log``: a channel that is told of every change by those who manage a server, and never in anybody's way."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from bot.rehearsal import Discord, Overwrite, Permission
from bot.rehearsal.interactions import Interaction
from bot.rehearsal.world import Attachment, Channel, Message, User
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.play import ask, painted, private

UNWRITTEN = "I cannot write in the log channel"


@pytest_asyncio.fixture
async def log(discord: Discord) -> AsyncIterator[Channel]:
    discord.rate_limits.enabled = False
    yield discord.world.add_channel(discord.world.guild, "log")


async def change(discord: Discord, path: str, who: User | None = None, **values: Any) -> Interaction:
    """Let the admin, or somebody else, use a command and wait until its answer has words."""
    act = await discord.as_(who or discord.world.admin).slash(path, **values)
    await discord.until(lambda: act.text)
    return act


async def told(discord: Discord, log: Channel, count: int) -> str:
    """Wait until the log has so many entries and return the latest."""
    await discord.until(lambda: len(log.messages) >= count)
    assert len(log.messages) == count
    return log.messages[-1].text


async def test_the_log_tells_who_changed_what_by_which_command_and_pings_nobody(
    discord: Discord, start: Start, log: Channel
) -> None:
    world = discord.world
    role = world.add_role(world.guild, "Painters")
    words = Attachment("w.json", b'{"deny": ["fox", "owl"]}')
    presets = Attachment("p.json", b'{"presets": [{"name": "a", "options": {"steps": 3}}]}')
    everything: list[tuple[str, dict[str, Any], str]] = [
        ("settings server", {"steps": 3, "negative_prompt": "fog " * 90}, "`steps`  — → 3"),
        ("settings server", {"steps": 5, "max_steps": 9}, "`steps`  3 → 5\n`max_steps`  — → 9"),
        ("settings channel", {"steps": 2}, f"<#{world.channel.id}> `steps`  — → 2"),
        ("settings reset", {"setting": "steps"}, "`steps`  5 → —"),
        ("settings reactions", {"emoji_reroll": "🎲"}, "`emoji_reroll`  — → 🎲"),
        ("words deny", {"words": "badword"}, "`words`  0 → 1"),
        ("words remove", {"words": "badword"}, "`words`  1 → 0"),
        ("words import", {"file": words}, "`words`  0 → 2"),
        ("quota set", {"period": "day", "seconds": 50, "role": role}, f"`role {role.id} day`  — → 50"),
        ("quota reset", {"role": role}, f"`role {role.id} day`  50 → —"),
        ("model default", {"model": "dreamshaper_8"}, "`model`  — → dreamshaper"),
        ("model deny", {"pattern": "random*"}, "`models_denied`  — → random"),
        ("model card", {"name": "dreamshaper_8", "note": "good"}, "`model`  — → dreamshaper"),
        ("style save", {"name": "ink", "prompt": "in ink", "server": True}, "`style`  — → ink"),
        ("style delete", {"name": "ink", "server": True}, "`style`  ink → —"),
        ("wildcard save", {"name": "sky", "lines": "a | b", "server": True}, "`wildcard`  — → sky"),
        ("preset save", {"name": "x", "settings": "steps 2", "server": True}, "`preset`  — → x"),
        ("preset import", {"file": presets}, "`preset`  — → a"),
        ("roles command", {"command": "draw", "role": role}, f"`/draw`  — → <@&{role.id}>"),
        ("roles limits", {"role": role, "max_steps": 20}, f"<@&{role.id}>  — → max\\_steps 20"),
        ("roles remove", {"command": "draw"}, f"`/draw`  <@&{role.id}> → —"),
        ("review channel", {"channel": world.night_channel}, f"`channel`  — → <#{world.night_channel.id}>"),
        ("adult set", {"where": "restricted"}, "`adult`  — → restricted"),
    ]
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        await discord.until(lambda: gpu.seen)
        assert f"Changes are told in <#{log.id}>" in (await change(discord, "log", channel=log)).text
        assert f"`channel`  — → <#{log.id}>" in await told(discord, log, 1)
        for number, (path, values, words_of) in enumerate(everything, 2):
            who = world.owner if path.startswith("review") else world.admin
            await change(discord, path, who, **values)
            entry = await told(discord, log, number)
            assert f"<@{who.id}> used `/{path}`" in entry
            assert words_of in entry
            assert len(entry) < 400
        await ask(discord, world.moderator, "review block", member=world.bruno)
        number = len(everything) + 2
        assert f"`blocked`  — → <@{world.bruno.id}> <t:" in await told(discord, log, number)
        act = await change(
            discord, "settings import", file=Attachment("s.json", b'{"easel": "settings", "server": {"steps": 7}}')
        )
        await discord.as_(world.admin).press(act.message, "Set it")
        entry = await told(discord, log, number + 1)
        assert "used `/settings import`" in entry
        assert "`steps`  — → 7" in entry
        assert "`words`  … → —" in entry
        await ask(discord, world.moderator, "queue pause")
        assert f"<@{world.moderator.id}> used `/queue pause`" in await told(discord, log, number + 2)
        panel = await discord.as_(world.moderator).slash("queue show")
        await discord.as_(world.moderator).press(panel.message, "Resume")
        assert "used `/queue resume`" in await told(discord, log, number + 3)
        assert "badword" not in "".join(message.text for message in log.messages)
    for message in log.messages:
        assert not message.mentions
        assert not message.mention_roles
        assert message.embeds[0]["timestamp"]


async def test_what_changes_nothing_or_is_refused_or_ones_own_is_not_told(
    discord: Discord, start: Start, log: Channel
) -> None:
    async with start():
        await change(discord, "log", channel=log)
        await change(discord, "preferences", steps=3)
        await change(discord, "style save", name="ink", prompt="in ink")
        await change(discord, "quota set", discord.world.ada, period="day", seconds=5)
        await change(discord, "settings server", max_steps=9000 // 150)
        await change(discord, "settings server", max_steps=9000 // 150)
        await change(discord, "log", off=True)
        assert f"`channel`  <#{log.id}> → —" in await told(discord, log, 3)
        await change(discord, "settings server", steps=3)
        assert "not told anywhere" in await ask(discord, discord.world.admin, "log")
        assert len(log.messages) == 3


@pytest.mark.usefixtures("easel")
async def test_where_the_bot_may_not_write_no_log_is_set(discord: Discord, log: Channel) -> None:
    world = discord.world
    named = {Permission.SEND_MESSAGES: "Send Messages", Permission.EMBED_LINKS: "Embed Links"}
    for permission, name in named.items():
        world.set_overwrite(log, Overwrite(world.role_of_bot(world.guild).id, deny=int(permission)))
        assert f"{name} is missing" in await ask(discord, world.admin, "log", channel=log)
    assert "Leave one of the two out" in await ask(discord, world.admin, "log", channel=log, off=True)
    assert "not told anywhere" in await ask(discord, world.admin, "log")
    assert not log.messages


async def test_a_log_that_is_gone_or_shut_breaks_nothing_and_the_next_who_changes_something_is_told(
    discord: Discord, start: Start, log: Channel
) -> None:
    world = discord.world
    async with start():
        await change(discord, "log", channel=log)
        await told(discord, log, 1)
        shut = Overwrite(world.role_of_bot(world.guild).id, deny=int(Permission.SEND_MESSAGES))
        world.set_overwrite(log, shut)
        assert UNWRITTEN not in (await change(discord, "settings server", steps=3)).text

        async def unwritten() -> bool:
            return UNWRITTEN in await ask(discord, world.admin, "log")

        await _until(discord, unwritten)
        act = await change(discord, "settings server", steps=4)
        await discord.until(lambda: len(act.replies) == 2)
        assert UNWRITTEN in act.replies[1].text
        assert act.replies[1].private_to == world.admin.id
        world.set_overwrite(log, Overwrite(shut.target))
        await change(discord, "settings server", steps=5)
        assert "`steps`  4 → 5" in await told(discord, log, 2)
        assert UNWRITTEN not in await ask(discord, world.admin, "log")
        world.delete_channel(log)
        await change(discord, "settings server", steps=6)
        await _until(discord, unwritten)
        other = world.add_channel(world.guild, "other-log")
        await change(discord, "log", channel=other)
        await told(discord, other, 1)
        assert "`steps`  6  · this server" in await private(
            discord, await discord.as_(world.admin).slash("settings show")
        )


async def _until(discord: Discord, is_so: Any) -> None:
    while not await is_so():
        await discord.until(lambda: True)


async def test_that_the_log_is_shut_is_never_said_in_public(discord: Discord, start: Start, log: Channel) -> None:
    world = discord.world
    admin = discord.as_(world.admin)
    async with start(EASEL_BACKENDS="sketch=1"):
        await change(discord, "log", channel=log)
        await told(discord, log, 1)
        panel = (await change(discord, "settings panel")).message
        world.set_overwrite(log, Overwrite(world.role_of_bot(world.guild).id, deny=int(Permission.SEND_MESSAGES)))
        for steps in ("2", "3"):
            form = await admin.press(panel, "easel-panel:edit:server:pictures:1")
            await admin.submit(form, {"steps": steps})
            await discord.until(partial(_shows, panel, f"`steps`  {steps}"))
        act = await admin.slash("draw", prompt="a fox")
        await act.until(painted)
        public = [reply for reply in act.replies if reply.private_to is None]
        seen = [version.embeds for reply in public for version in reply.history]
        assert public
        assert UNWRITTEN not in f"{seen} {[reply.text for reply in public]}"
        assert UNWRITTEN in await _later(discord, world.admin)


def _shows(message: Message, words: str) -> bool:
    return words in message.text


async def _later(discord: Discord, who: User) -> str:
    act = await change(discord, "about", who)
    await discord.until(lambda: len(act.replies) == 2)
    return act.text
