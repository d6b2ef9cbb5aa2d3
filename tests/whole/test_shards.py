"""Several shards: one process with all of them, and processes that share them out."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bot import gateway
from bot.domain.shards import Shards
from bot.refusals import DiscordAwayError, RefusedError
from bot.rehearsal import Discord, Message, NoAnswerError
from bot.rehearsal.permissions import Permission
from bot.rehearsal.world import Channel, Overwrite
from tests.whole.conftest import Start, Time
from tests.whole.play import ask, eventually, private, result
from tests.whole.reviewing import DAY_S, card, cards, order, reviewing
from tests.whole.sharding import EVEN, ODD, both_online, heard, loft

BOTH = Shards.parse("0-1/2")


@pytest.fixture(autouse=True)
def _unpaced(discord: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both shards start at once, and again."""
    discord.gateway.max_concurrency = 2
    monkeypatch.setattr(gateway, "SESSION_S", 0.0)


@pytest.fixture
def channels(discord: Discord) -> tuple[Channel, Channel]:
    """A channel in a server of shard 0, and one in a server of shard 1."""
    return loft(discord, EVEN), loft(discord, ODD)


async def draw(discord: Discord, channel: Channel) -> Message:
    """Let Ada draw somewhere and return the finished message."""
    return await result(await discord.as_(discord.world.ada, channel).slash("draw", prompt="a fox"))


async def test_one_process_with_all_shards_serves_every_server_and_direct_messages(
    discord: Discord, start: Start, channels: tuple[Channel, Channel]
) -> None:
    even, odd = channels
    direct = discord.world.direct_channel(discord.world.ada)
    async with start(shards=BOTH):
        await both_online(discord)
        for place in (even, odd, direct):
            await draw(discord, place)
        assert heard(discord, 0) == {even.id, direct.id}
        assert heard(discord, 1) == {odd.id}


async def test_without_a_word_about_shards_there_are_as_many_as_discord_recommends(
    discord: Discord, start: Start, channels: tuple[Channel, Channel]
) -> None:
    discord.gateway.recommended_shards = 2
    async with start():
        await both_online(discord)
        for place in channels:
            await draw(discord, place)


async def test_processes_that_share_the_shards_each_answer_their_own_servers_and_one_tells_the_commands(
    discord: Discord, start: Start, channels: tuple[Channel, Channel], tmp_path: Path
) -> None:
    even, odd = channels
    ada = discord.as_(discord.world.ada, odd)
    async with start(shards=EVEN):
        await draw(discord, even)
        discord.interactions.deadline_s = 0.3
        with pytest.raises(NoAnswerError):
            await ada.slash("draw", prompt="a fox")
        discord.interactions.deadline_s = 3.0
        async with start(shards=ODD, EASEL_DATA_DIR=str(tmp_path / "other")):
            await both_online(discord)
            await draw(discord, odd)
            await draw(discord, discord.world.direct_channel(ada.user))
            assert f"In {len(discord.world.guilds)} servers" in await private(discord, await ada.slash("about"))
    told = [each for each in discord.requests if each.method == "PUT" and each.path.endswith("/commands")]
    assert len(told) == 1


async def test_a_shard_that_is_lost_is_resumed_while_the_other_goes_on(
    discord: Discord, start: Start, channels: tuple[Channel, Channel]
) -> None:
    even, odd = channels
    async with start(shards=BOTH):
        await both_online(discord)
        await draw(discord, odd)
        sessions = set(discord.gateway.sessions)
        await discord.faults.drop_gateway(1006, shard=1)
        assert discord.gateway.shards_online == {0}
        ada = discord.as_(discord.world.ada, odd, waits=False)
        missed = await ada.slash("draw", prompt="an owl")
        await draw(discord, even)
        await result(missed)
        assert set(discord.gateway.sessions) == sessions


async def test_no_server_of_another_shard_counts_as_left(
    discord: Discord, start: Start, channels: tuple[Channel, Channel], environ: dict[str, str], clock: Time
) -> None:
    even, odd = channels
    assert even.guild is not None
    assert odd.guild is not None
    async with start(shards=BOTH):
        await both_online(discord)
        for place in channels:
            await draw(discord, place)
        discord.faults.refuse_resumes = 1
        await discord.faults.drop_gateway(shard=0)
        discord.world.kick(even.guild)
        await eventually(lambda: departures(environ))
        assert await departures(environ) == [even.guild.id], "what discord.py knew of a session is not believed"
    discord.world.invite(even.guild)
    async with start(shards=EVEN):
        await eventually(lambda: none_departed(environ))
        assert not await departures(environ)
    discord.world.kick(odd.guild)
    async with start(shards=ODD):
        await eventually(lambda: departures(environ))
        assert await departures(environ) == [odd.guild.id]
    clock.ahead_s += 8 * DAY_S
    async with start(shards=EVEN):
        await draw(discord, even)
        assert await departures(environ) == [odd.guild.id], "whoever has its shard deletes what is kept of it"
    async with start(shards=ODD):
        await eventually(lambda: none_departed(environ))


async def departures(environ: Mapping[str, str]) -> list[int]:
    """Return the servers that the bot knows to have left."""
    file = Path(environ["EASEL_DATA_DIR"]) / "easel.sqlite3"
    with closing(sqlite3.connect(file, timeout=10)) as database:
        return [row[0] for row in database.execute("SELECT guild_id FROM departures")]


async def none_departed(environ: Mapping[str, str]) -> bool:
    return not await departures(environ)


async def test_shards_wait_for_their_turn_to_start_a_session(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "discord.gateway")
    monkeypatch.setattr(gateway, "SESSION_S", 0.5)
    discord.gateway.max_concurrency, discord.gateway.session_interval_s = 1, 0.3
    async with start(shards=BOTH):
        await both_online(discord)
    assert "invalidated" not in caplog.text


async def test_processes_whose_sessions_start_at_once_try_again_until_both_are_there(
    discord: Discord, start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "discord.gateway")
    discord.gateway.max_concurrency, discord.gateway.session_interval_s = 1, 2.0
    async with start(shards=EVEN), start(shards=ODD, EASEL_DATA_DIR=str(tmp_path / "other")):
        await both_online(discord)
    assert "invalidated" in caplog.text


async def test_review_cards_are_posted_by_whoever_has_the_servers_shard(
    discord: Discord, start: Start, mods: Channel, channels: tuple[Channel, Channel]
) -> None:
    world, (even, odd) = discord.world, channels
    own, other, there = (EVEN, ODD, odd) if EVEN.owns(world.guild.id) else (ODD, EVEN, even)
    async with reviewing(discord, start, mods):
        world.set_overwrite(mods, Overwrite(world.bot.id, deny=int(Permission.SEND_MESSAGES), for_user=True))
        await order(discord)

        async def is_told() -> bool:
            return "could not post" in await ask(discord, world.moderator, "review show")

        await eventually(is_told)
    world.set_overwrite(mods, Overwrite(world.bot.id, for_user=True))
    async with start(shards=other):
        await draw(discord, there)
        assert not cards(mods)
    async with start(shards=own):
        await card(discord, mods)


@pytest.mark.parametrize(("code", "cure"), [(4010, "Choose others with --shards"), (4014, "developer portal")])
async def test_a_connection_that_discord_ends_for_good_is_told_with_its_cure(
    discord: Discord, start: Start, code: int, cure: str
) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(RefusedError, match=cure), flatten_subgroups=True):
        async with start(shards=Shards.all(1)) as bot:
            await discord.faults.drop_gateway(code)
            await bot.ended()


@pytest.mark.parametrize(("shards", "kind"), [(None, DiscordAwayError), (Shards.all(1), RefusedError)])
async def test_a_bot_in_too_many_servers_is_told_to_take_more_shards(
    discord: Discord, start: Start, shards: Shards | None, kind: type[Exception]
) -> None:
    discord.gateway.guilds_per_shard = 1
    with pytest.RaisesGroup(pytest.RaisesExc(kind, match="as many as Discord recommends"), flatten_subgroups=True):
        async with start(shards=shards):
            pass
