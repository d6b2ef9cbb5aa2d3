"""What tests of shards do over and over."""

from bot.domain.shards import Shards
from bot.rehearsal import Discord
from bot.rehearsal.world import Channel

EVEN, ODD = Shards.parse("0/2"), Shards.parse("1/2")


def loft(discord: Discord, shards: Shards) -> Channel:
    """Found servers until one is told to these shards, which the time in its id decides; return its channel."""
    world = discord.world
    while not shards.owns((guild := world.add_guild("Loft", world.ada, with_bot=False)).id):
        del world.guilds[guild.id]
    world.invite(guild)
    return world.add_channel(guild, "easel")


async def both_online(discord: Discord) -> None:
    """Wait until shards 0 and 1 are connected."""
    await discord.until(lambda: discord.gateway.shards_online == {0, 1})


def heard(discord: Discord, shard: int) -> set[int]:
    """Return the ids of the channels of which a shard was told something."""
    sessions = [each for each in discord.gateway.sessions.values() if each.shard[0] == shard]
    told = [frame["d"] for each in sessions for _, frame in each.sent]
    return {int(data["channel_id"]) for data in told if "channel_id" in data}
