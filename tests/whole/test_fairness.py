"""Whose turn it is, as people in two servers see it."""

import asyncio

from bot.rehearsal import Discord, Interaction
from bot.rehearsal.world import Message
from tests.whole.conftest import Start


def painted(message: Message) -> bool:
    return bool(message.attachments) and "easel-" in message.attachments[0].filename


async def test_a_guild_that_queues_50_lets_another_guilds_only_job_run_next(
    discord: Discord, start: Start
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.05", EASEL_MAX_QUEUED_USER="60"):
        ada = discord.as_(discord.world.ada)
        ahead = await asyncio.gather(*(ada.slash("draw", prompt=f"fox {n}") for n in range(50)))
        await discord.until(lambda: any(painted(act.message) for act in ahead))
        before = sum(painted(act.message) for act in ahead)
        carla = discord.as_(discord.world.carla, discord.world.other_channel)
        lone = await carla.slash("draw", prompt="one owl")
        await lone.until(painted)
        passed = sum(painted(act.message) for act in ahead) - before
    # One was being painted, and one more may have been on its way to its message.
    assert passed <= 3


async def test_two_people_of_one_guild_take_turns(discord: Discord, start: Start) -> None:
    order: list[str] = []

    def note(name: str, act: Interaction) -> None:
        if painted(act.message) and (name, act) not in seen:
            seen.append((name, act))
            order.append(name)

    seen: list[tuple[str, Interaction]] = []
    async with start(EASEL_BACKENDS="sketch=0.1"):
        ada, bruno = discord.as_(discord.world.ada), discord.as_(discord.world.bruno)
        acts = [("ada", await ada.slash("draw", prompt=f"fox {n}")) for n in range(6)]
        acts += [("bruno", await bruno.slash("draw", prompt=f"owl {n}")) for n in range(3)]

        def all_painted() -> bool:
            for name, act in acts:
                note(name, act)
            return len(order) == len(acts)

        await discord.until(all_painted, 30)
    first_of_bruno = order.index("bruno")
    assert order[first_of_bruno : first_of_bruno + 6] == ["bruno", "ada"] * 3


async def test_those_who_wait_see_their_place_and_how_long(discord: Discord, start: Start) -> None:
    async with start(EASEL_BACKENDS="sketch=0.15"):
        ada = discord.as_(discord.world.ada)
        acts = [await ada.slash("draw", prompt=f"fox {n}", steps=12) for n in range(4)]
        last = await acts[-1].until(lambda m: m.embeds and "In line · " in m.text)
        assert "fox 3" in last.text
        await acts[0].until(painted, 20)
        await acts[-1].until(lambda m: "about" in m.text, 20)
