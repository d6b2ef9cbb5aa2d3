"""Who may use what: commands, buttons, menus and reactions by everybody in a server, and nothing by strangers."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from bot.domain.codes import code
from bot.rehearsal import Discord
from bot.rehearsal.commands import leaves
from bot.rehearsal.world import Attachment, Channel, User
from bot.ui.buttons import Action
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.play import draw, eventually, painted, private, raw_command, raw_press, result, told

REFUSED = re.compile(r"Only (members with|those who manage|its host|they can|the host)")
"""What everybody is told who may not, whatever it is."""
EVERYBODY = frozenset({"member", "moderator", "admin"})
MODERATORS, ADMINS, HOST = frozenset({"moderator"}), frozenset({"admin"}), frozenset[str]()
Values = Mapping[str, Any]
FILE = Attachment("a.json", b"{}")

EVERY: Mapping[str, Values] = {
    "draw": {"prompt": "a fox", "private": True},
    "remix": {"prompt": "a fox", "private": True},
    "explore": {"prompt": "a fox", "across": "seed", "across_values": "1, 2", "private": True},
    "upscale": {},
    "cutout": {},
    "describe": {},
    "model list": {},
    "model search": {"words": "sketch"},
    "model info": {"name": "sketch (no model)"},
    "model use": {"model": "sketch (no model)"},
    "preset save": {"name": "mine", "settings": "steps 5"},
    "preset list": {},
    "preset show": {"name": "mine"},
    "preset delete": {"name": "mine"},
    "preset export": {},
    "style save": {"name": "mine", "prompt": "oil"},
    "style list": {},
    "style show": {"name": "mine"},
    "style delete": {"name": "mine"},
    "wildcard save": {"name": "mine", "lines": "a | b"},
    "wildcard list": {},
    "wildcard show": {"name": "mine"},
    "wildcard delete": {"name": "mine"},
    "preferences": {"steps": 5},
    "quota show": {},
    "adult show": {},
    "privacy show": {},
    "privacy export": {},
    "privacy delete": {},
    "queue show": {},
    "history": {},
    "show": {"id": "0001"},
    "stats server": {},
    "stats me": {},
    "help": {},
    "about": {},
}
EITHER: Mapping[str, Values] = {"review show": {}}
MODERATED: Mapping[str, Values] = {"queue clear": {}, "queue pause": {}, "queue resume": {}}
OF_THE_HOST: Mapping[str, Values] = {
    f"backends {name}": {"backend": "sketch"} for name in ("drain", "resume", "refresh")
}


def managed(discord: Discord) -> dict[str, Values]:
    """Return what only those who manage the server may do, harmless as it is meant here."""
    role = next(role for role in discord.world.guild.roles.values() if role.name == "moderator")
    words = {"words": "mauve"}
    return {
        "model default": {"model": "sketch (no model)"},
        "model allow": {"pattern": "*"},
        "model deny": {"pattern": "nothing"},
        "model only": {"pattern": "*"},
        "model card": {"name": "sketch (no model)", "note": "fine"},
        "model refresh": {},
        "preset save": {"name": "ours", "settings": "steps 5", "server": True},
        "preset delete": {"name": "ours", "server": True},
        "preset import": {"file": FILE},
        "preset export": {"server": True},
        "style save": {"name": "ours", "prompt": "oil", "server": True},
        "style delete": {"name": "ours", "server": True},
        "wildcard save": {"name": "ours", "lines": "a | b", "server": True},
        "wildcard delete": {"name": "ours", "server": True},
        "wildcard refresh": {},
        "settings show": {},
        "settings server": {"steps": 5},
        "settings channel": {"steps": 5},
        "settings reactions": {"emoji_reroll": "🎲"},
        "settings reset": {"setting": "steps"},
        "settings export": {},
        "settings import": {"file": FILE},
        "settings panel": {},
        "roles show": {},
        "roles command": {"command": "explore", "role": role},
        "roles model": {"model": "nothing", "role": role},
        "roles limits": {"role": role, "max_steps": 20},
        "roles admin": {"role": role},
        "roles remove": {"role": role},
        "log": {},
        "words deny": words,
        "words replace": words | {"by": "red"},
        "words strip": words,
        "words allow": words,
        "words adult": words,
        "words remove": words,
        "words show": {},
        "words test": {"text": "mauve"},
        "words export": {},
        "words import": {"file": FILE},
        "quota set": {"period": "day", "seconds": 1000},
        "quota reset": {},
        "adult set": {"where": "off"},
        "adult mark": {"name": "nothing"},
        "adult unmark": {"name": "nothing"},
        "review channel": {"channel": discord.world.channel},
        "review off": {},
        "backends show": {},
    }


def reviewed(discord: Discord) -> dict[str, Values]:
    """Return what moderators do about members."""
    member = {"member": discord.world.bruno}
    return {
        "review strikes": member,
        "review pardon": member,
        "review block": member,
        "review unblock": member,
    }


def has(channel: Channel, pictures: int) -> bool:
    return len(list(filter(painted, channel.messages))) >= pictures


def person(discord: Discord, role: str) -> User:
    world = discord.world
    return {"owner": world.ada, "member": world.bruno, "moderator": world.moderator, "admin": world.admin}[role]


async def refused(discord: Discord, who: User, path: str, values: Values) -> bool:
    """Send a command past Discord's own client and return whether it was refused for who they are."""
    act = await raw_command(discord, who, path, **values)
    if act.modal is not None:
        return False
    await discord.until(lambda: act.replies and not any(reply.loading for reply in act.replies), 20)
    return REFUSED.search(act.text) is not None


@pytest.mark.usefixtures("easel")
@pytest.mark.parametrize("role", ["member", "moderator", "admin"])
async def test_each_command_is_for_those_it_says(discord: Discord, role: str) -> None:
    await draw(discord)
    parts: list[tuple[Mapping[str, Values], frozenset[str]]] = [
        (EVERY, EVERYBODY),
        (EITHER, MODERATORS | ADMINS),
        (MODERATED, MODERATORS),
        (reviewed(discord), MODERATORS),
        (OF_THE_HOST, HOST),
        (managed(discord), ADMINS),
    ]
    who = person(discord, role)
    wrong = [
        path
        for commands, allowed in parts
        for path, values in commands.items()
        if await refused(discord, who, path, values) == (role in allowed)
    ]
    assert wrong == []


@pytest.mark.usefixtures("easel")
async def test_no_command_is_left_out(discord: Discord) -> None:
    told = {path for each in discord.commands.all(None) if each["type"] == 1 for path, _ in leaves(each)}
    tried = {*EVERY, *EITHER, *MODERATED, *OF_THE_HOST, *managed(discord), *reviewed(discord)}
    assert told - tried == {"queue cancel"}, "which is held to in test_permissions"


@pytest.mark.usefixtures("easel")
@pytest.mark.parametrize("role", ["owner", "member", "moderator", "admin"])
async def test_what_may_be_taken_away_by_whom_whichever_way(discord: Discord, role: str) -> None:
    who, allowed = person(discord, role), role in {"owner", "moderator"}
    there = discord.as_(who)
    by_button, by_menu, by_reaction = [await draw(discord) for _ in range(3)]
    asked = [await there.press(by_button, "Delete"), await there.menu("Cancel or delete", by_menu)]
    await there.react(by_reaction, "❌")
    if allowed:
        await discord.until(lambda: by_button.deleted and by_menu.deleted and by_reaction.deleted)
    else:
        assert all(["not yours" in await private(discord, act) for act in asked])
        await told(discord, who, "not yours")
        assert not any(message.deleted for message in (by_button, by_menu, by_reaction))


@pytest.mark.parametrize("role", ["owner", "member", "moderator", "admin"])
async def test_whatever_else_is_under_a_picture_is_for_everybody(
    discord: Discord, start: Start, role: str
) -> None:
    who, channel = person(discord, role), discord.world.channel
    there = discord.as_(who)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        await eventually(lambda: there.autocomplete("upscale", "upscaler", "ESRGAN"))
        message = await draw(discord, seed=7)
        forms = [await there.press(message, "Edit"), await there.press(message, "Remix")]
        forms.append(await there.menu("Remix", message))
        assert all(act.modal is not None for act in forms)
        for act in (await there.press(message, "Settings"), await there.menu("Show settings", message)):
            assert "/draw prompt:" in await private(discord, act)
        assert "Kept among" in await private(discord, await there.choose(message, "More", "Favourite"))
        assert "Sent to" in await private(discord, await there.choose(message, "More", "Send to me"))
        for pictures in (await there.press(message, "Reroll"), await there.choose(message, "More", "Vary")):
            await result(pictures)
        for pictures in (await there.menu("Upscale", message), await there.choose(message, "More", "Upscale")):
            await result(pictures)
        shown = len(list(filter(painted, channel.messages)))
        for more, emoji in enumerate(("🔁", "⬆️"), start=1):
            await there.react(message, emoji)
            await discord.until(partial(has, channel, shown + more), 20)
        assert not [m for m in who.dms if "not yours" in m.text]


@pytest.mark.usefixtures("easel")
async def test_a_stranger_reaches_nothing_of_another_server(discord: Discord) -> None:
    world = discord.world
    theirs = await draw(discord, prompt="a secret fox")
    carla = discord.as_(world.carla, world.other_channel)
    own = await carla.slash("draw", prompt="an owl")
    message = await own.until(painted)
    typed: Mapping[str, Values] = {
        "show": {"id": code(1)},
        "queue cancel": {"job": code(1)},
        "draw": {"like": code(1)},
        "remix": {"more": f"like {code(1)}", "prompt": "x"},
        "explore": {"more": f"like {code(1)}", "prompt": "x", "across": "seed", "across_values": "1, 2"},
    }
    asked = [await carla.slash(path, **values) for path, values in typed.items()]
    ids = [(f"easel:{action}:1", values) for action in Action for values in ((), ("send:1",), ("favourite",))]
    others = ["easel-explore:take:1", "easel-explore:again:1", "easel-review:approve:1", "easel-history:show:1"]
    ids += [(made, ("1",)) for made in others]
    asked += [await raw_press(discord, world.carla, made, message, values) for made, values in ids]
    settled: Callable[[], bool] = lambda: not any(reply.loading for act in asked for reply in act.replies)  # noqa: E731
    await discord.until(settled, 30)
    assert [act.text for act in asked if "secret" in act.text] == []
    assert [act for act in asked if act.modal is not None] == []
    assert not theirs.deleted
    assert [m for m in world.other_channel.messages if painted(m) and m is not message] == []
    assert world.carla.dms == []
    assert [m for m in world.channel.messages if m is not theirs and not m.ephemeral] == []
