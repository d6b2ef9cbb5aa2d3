"""The stand-in's shards: who is told what, what is refused, and when the next session may start."""

import json
from typing import Any

import aiohttp
import pytest

from tests.whole.by_hand import Robot, events, started_robot
from tests.whole.sharding import EVEN, ODD, heard, loft

__all__ = ["started_robot"]

GUILDS_AND_MESSAGES = 1 | 1 << 9 | 1 << 12


@pytest.mark.parametrize("shard", [[2, 2], [-1, 2], [0, 0], [0], "0/1", None, ["0", "1"]])
async def test_a_shard_that_cannot_be_is_refused(robot: Robot, shard: Any) -> None:
    assert await _close_code(await robot.connect(shard=shard)) == 4010


async def test_a_shard_with_too_many_servers_is_refused(robot: Robot) -> None:
    robot.discord.gateway.guilds_per_shard = 1
    assert await _close_code(await robot.connect()) == 4011


async def _close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    return socket.close_code


async def test_a_shard_is_told_of_its_own_servers_alone_and_the_first_of_what_is_in_none(robot: Robot) -> None:
    discord, world = robot.discord, robot.discord.world
    even, odd, direct = loft(discord, EVEN), loft(discord, ODD), world.direct_channel(world.ada)
    sockets = []
    for number, shards in enumerate((EVEN, ODD)):
        socket = await robot.connect(GUILDS_AND_MESSAGES, shard=[number, 2])
        ready = await events(socket, "READY")
        assert ready["shard"] == [number, 2]
        own = {str(guild.id) for guild in world.guilds.values() if shards.owns(guild.id)}
        assert {each["id"] for each in ready["guilds"]} == own
        sockets.append(socket)
    for place in (even, odd, direct):
        person = discord.as_(world.ada, place, waits=False)
        await person.say("a")
        await person.slash("model list")
    assert (heard(discord, 0), heard(discord, 1)) == ({even.id, direct.id}, {odd.id})
    for session in discord.gateway.sessions.values():
        names = [frame["t"] for _, frame in session.sent]
        assert names.count("MESSAGE_CREATE") == names.count("INTERACTION_CREATE") == 2 - session.shard[0]


async def test_the_bot_is_told_how_many_shards_to_take_and_how_many_may_start_at_once(robot: Robot) -> None:
    robot.discord.gateway.recommended_shards, robot.discord.gateway.max_concurrency = 3, 16
    _, told = await robot.rest("GET", "/gateway/bot")
    assert (told["shards"], told["session_start_limit"]["max_concurrency"]) == (3, 16)


async def test_of_one_bucket_one_session_may_start_in_a_while_where_that_matters(robot: Robot) -> None:
    robot.discord.gateway.session_interval_s, robot.discord.gateway.max_concurrency = 5.0, 2
    answers = [await (await robot.connect(shard=[number, 4])).receive() for number in range(4)]
    assert [json.loads(answer.data)["op"] for answer in answers] == [0, 0, 9, 9]


async def test_one_shard_can_be_dropped_alone(robot: Robot) -> None:
    sockets = [await robot.connect(shard=[number, 2]) for number in range(2)]
    await robot.discord.until(lambda: robot.discord.gateway.shards_online == {0, 1})
    await robot.discord.faults.drop_gateway(4000, shard=1)
    assert robot.discord.gateway.shards_online == {0}
    assert robot.discord.gateway.online
    while (await sockets[1].receive()).type is not aiohttp.WSMsgType.CLOSE:
        pass
    assert not sockets[0].closed


async def test_sessions_that_somebody_is_connected_to_are_kept_however_many_there_are(robot: Robot) -> None:
    sockets = [await robot.connect(shard=[number, 12]) for number in range(12)]
    for socket in sockets:
        await events(socket, "READY")
    assert robot.discord.gateway.shards_online == set(range(12))
