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
        await act.until(lambda m: m.embeds)
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


async def test_an_old_message_that_takes_no_more_edits_is_answered_by_a_new_one(
    discord: Discord, start: Start, clock: Time
) -> None:
    channel = discord.world.channel
    async with start(EASEL_BACKENDS="sketch=0.4"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a slow fox", steps=6)
        await act.until(lambda m: m.embeds)
        clock.ahead_s = 70 * 60
        discord.faults.answer("PATCH", r"/channels/\d+/messages/", 400, code=30046, times=3)
        await discord.until(
            lambda: any("easel-" in f.filename for m in channel.messages for f in m.attachments), 20
        )
    results = [m for m in channel.messages if any("easel-" in f.filename for f in m.attachments)]
    assert [m.reference for m in results] == [act.message]


async def test_an_archived_thread_is_opened_again_for_the_picture(
    discord: Discord, start: Start, clock: Time
) -> None:
    world = discord.world
    thread = world.add_thread(world.channel, "foxes")
    world.set_permissions(world.guild, world.role_of_bot(world.guild), (1 << 34) | 274878024768)
    async with start(EASEL_BACKENDS="sketch=0.4"):
        act = await discord.as_(world.ada, thread).slash("draw", prompt="a slow fox", steps=6)
        await act.until(lambda m: m.embeds)
        clock.ahead_s = 20 * 60
        world.archive(thread)
        await act.until(lambda m: any("easel-" in f.filename for f in m.attachments), 20)


async def test_a_locked_thread_sends_the_picture_by_direct_message(
    discord: Discord, start: Start, clock: Time
) -> None:
    world = discord.world
    thread = world.add_thread(world.channel, "foxes")
    async with start(EASEL_BACKENDS="sketch=0.4"):
        act = await discord.as_(world.ada, thread).slash("draw", prompt="a slow fox", steps=6)
        await act.until(lambda m: m.embeds)
        clock.ahead_s = 20 * 60
        world.archive(thread, locked=True)
        await discord.until(lambda: any(m.attachments for m in world.ada.dms), 20)
