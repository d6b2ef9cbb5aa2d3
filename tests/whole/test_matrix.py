"""Who may use what: every command by everybody in a server, and all that is another server's by nobody."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bot.domain.codes import code
from bot.rehearsal import Discord
from bot.rehearsal.commands import leaves
from bot.rehearsal.world import Attachment, User
from bot.ui.buttons import Action
from tests.whole.play import draw, painted, raw_command, raw_press

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


def person(discord: Discord, role: str) -> User:
    world = discord.world
    return {"member": world.bruno, "moderator": world.moderator, "admin": world.admin}[role]


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
