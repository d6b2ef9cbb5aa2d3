"""An interaction's token lives 15 minutes; a job may live longer."""

from bot.rehearsal import Discord
from tests.whole.conftest import Start, Time


async def test_a_job_that_ends_after_20_minutes_still_turns_its_own_message_into_the_result(
    discord: Discord, start: Start, clock: Time
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.4"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a slow fox", steps=10)
        await act.until(lambda m: m.embeds)
        clock.ahead_s = 20 * 60
        message = await act.until(lambda m: m.attachments and "Painting" not in m.text, 20)
        delivered = [r for r in discord.requests if r.method == "PATCH" and r.files][-1]
        assert delivered.route == "/channels/{channel_id}/messages/{message_id}"
        assert message.channel.messages[0] is message


async def test_a_long_wait_pings_its_asker_once(discord: Discord, start: Start, clock: Time) -> None:
    channel = discord.world.channel
    async with start(EASEL_BACKENDS="sketch=0.4"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a slow fox", steps=5)
        clock.ahead_s = 5 * 60
        await act.until(lambda m: m.reactions, 20)
        await discord.until(lambda: len(channel.messages) == 2)
    ping = channel.messages[1]
    assert ping.content.startswith(discord.world.ada.mention)
    assert ping.reference is act.message


async def test_no_token_is_used_once_it_has_expired(discord: Discord, start: Start, clock: Time) -> None:
    async with start(EASEL_BACKENDS="sketch=0.4"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a slow fox", steps=5)
        await act.until(lambda m: m.embeds)
        clock.ahead_s = 20 * 60
        await act.until(lambda m: m.reactions, 20)
    assert not [r for r in discord.requests if r.status in {401, 404}]
